//! Running an operation: queries side by side, mutations one after the other; then the answer.

use futures_util::StreamExt as _;
use serde_json::{Map, Value as Json};

use super::catalog::Root;
use super::dialect::Dialect;
use super::fetch::Fetcher;
use super::introspect::Introspector;
use super::job::{Job, Output, PayloadField, PayloadPlan, ViewerField, ViewerPlan};
use super::plan::{Leaf, ObjectPlan};
use super::relations::Relations;
use super::render::{self, Renderer, Step, project};
use super::resolve::{Parts, Resolved, Run, Viewer};
use super::text::Text;
use crate::model::object::Object;

/// Root fields of a query that run at the same time.
pub const TOGETHER: usize = 8;

/// One key of the answer; `J`: what a dialect makes of a field.
#[derive(Debug)]
pub enum Entry<J> {
    /// `__typename` of the root.
    TypeName(String),
    /// `__schema`.
    Schema(String, Leaf),
    /// `__type`, and the name asked for.
    Type(String, String, Leaf),
    /// A field.
    Job(Box<J>),
}

/// Runs the fields of an operation; gives the body of the answer.
pub async fn execute<D: Dialect>(run: Run<'_>, entries: Vec<Entry<D::Job>>, mutation: bool) -> Text {
    let answers = futures_util::stream::iter(entries)
        .map(|entry| async move {
            match entry {
                Entry::TypeName(key) => {
                    let name = if mutation { "Mutation" } else { "Query" };
                    Answer { key, value: Some(Text::of(name)), errors: Vec::new(), nullable: false }
                }
                Entry::Schema(key, leaf) => {
                    let value = Introspector::new(&run.catalog.types).schema(&leaf);
                    Answer { key, value: Some(Text::of(&value)), errors: Vec::new(), nullable: false }
                }
                Entry::Type(key, name, leaf) => {
                    let value = Introspector::new(&run.catalog.types).type_of_name(&name, &leaf);
                    Answer { key, value: Some(Text::of(&value)), errors: Vec::new(), nullable: true }
                }
                Entry::Job(job) => D::answer(run, job).await,
            }
        })
        .buffered(if mutation { 1 } else { TOGETHER })
        .collect::<Vec<_>>()
        .await;
    let (data, errors) = gather(answers);
    let mut body = Text::default();
    let mut first = body.open('{');
    if !errors.is_empty() {
        body.key(&mut first, "errors");
        body.value(&errors);
    }
    body.key(&mut first, "data");
    match data {
        Some(data) => body.append(&data),
        None => body.null(),
    }
    body.close('}');
    body
}

/// Puts the answers of fields together: their object, `None` when one is missing that must not be, and all their errors.
pub fn gather(answers: Vec<Answer>) -> (Option<Text>, Vec<Json>) {
    let (mut data, mut errors, mut lost) = (Text::default(), Vec::new(), false);
    let mut first = data.open('{');
    for answer in answers {
        errors.extend(answer.errors);
        lost |= answer.value.is_none() && !answer.nullable;
        data.key(&mut first, &answer.key);
        match &answer.value {
            Some(value) => data.append(value),
            None => data.null(),
        }
    }
    data.close('}');
    ((!lost).then_some(data), errors)
}

/// The answer of one root field.
#[derive(Debug)]
pub struct Answer {
    /// Key in the answer.
    pub key: String,
    /// Its value; `None` when there is none.
    pub value: Option<Text>,
    /// What went wrong.
    pub errors: Vec<Json>,
    /// Whether null is a value of it.
    pub nullable: bool,
}

/// Runs a root field of the current dialect.
pub async fn answer(run: Run<'_>, job: &Job) -> Answer {
    let sanitize = run.cx.app.options.security.enable_sanitized_error_response;
    let nullable = matches!(job.root, Root::Node) || matches!(job.output, Output::Payload(_));
    let path = vec![Step::Key(&job.key)];
    let (value, errors) = match run.resolve(job).await {
        Err(error) => (None, vec![error.to_json(job.place, &render::path(&path), sanitize)]),
        Ok(resolved) => {
            let relations = relations(run, job, &resolved).await;
            let mut renderer =
                Renderer { relations: &relations, path, out: Text::default(), errors: Vec::new(), sanitize };
            let written = write(&mut renderer, job, &resolved);
            (written.then_some(renderer.out), renderer.errors)
        }
    };
    Answer { key: job.key.clone(), value, errors, nullable }
}

/// Reads the relations selected of what a root field found.
async fn relations(run: Run<'_>, job: &Job, resolved: &Resolved) -> Relations {
    let mut objects: Vec<(&ObjectPlan, &Object)> = Vec::new();
    match (&job.output, resolved) {
        (Output::Object(Some(plan)), Resolved::Object(object)) => objects.push((plan, object)),
        (Output::Connection(plan), Resolved::Connection(connection)) => {
            for node in plan.nodes() {
                objects.extend(connection.rows.iter().map(|row| (node, row)));
            }
        }
        (Output::Viewer(plan), Resolved::Viewer(viewer)) => {
            objects.extend(plan.users().map(|plan| (plan, &viewer.user)));
        }
        (Output::Payload(plan), Resolved::Payload(parts)) => {
            objects.extend(plan.objects().map(|plan| (plan, &parts.object)));
            if let Some(viewer) = &parts.viewer {
                objects.extend(plan.viewers().flat_map(ViewerPlan::users).map(|plan| (plan, &viewer.user)));
            }
        }
        _ => {}
    }
    Fetcher { cx: run.cx, catalog: run.catalog }.relations(objects).await
}

/// Writes the value of a field; false when it has none.
fn write<'a>(renderer: &mut Renderer<'a>, job: &'a Job, resolved: &Resolved) -> bool {
    match (&job.output, resolved) {
        (Output::Leaf(leaf), Resolved::Json(value)) => renderer.out.value(&project(leaf, value)),
        (Output::Object(Some(plan)), Resolved::Object(object)) => return renderer.object(plan, object),
        (Output::Connection(plan), Resolved::Connection(connection)) => renderer.connection(plan, connection),
        (Output::Viewer(plan), Resolved::Viewer(viewer)) => return write_viewer(renderer, plan, viewer),
        (Output::Payload(plan), Resolved::Payload(parts)) => {
            return payload(renderer, plan, parts, &job.arguments);
        }
        _ => return false,
    }
    true
}

/// As [`Renderer::object`].
fn write_viewer<'a>(renderer: &mut Renderer<'a>, plan: &'a ViewerPlan, viewer: &Viewer) -> bool {
    let start = renderer.out.end();
    let mut first = renderer.out.open('{');
    for (key, field) in &plan.0 {
        renderer.path.push(Step::Key(key));
        renderer.out.key(&mut first, key);
        let mut written = true;
        match field {
            ViewerField::TypeName => renderer.out.value("Viewer"),
            ViewerField::SessionToken => renderer.out.value(&viewer.token),
            ViewerField::User(plan) => written = renderer.object(plan, &viewer.user),
        }
        renderer.path.pop();
        if !written {
            renderer.out.cut(start);
            return false;
        }
    }
    renderer.out.close('}');
    true
}

/// As [`Renderer::object`].
fn payload<'a>(renderer: &mut Renderer<'a>, plan: &'a PayloadPlan, parts: &Parts, input: &Map<String, Json>) -> bool {
    let start = renderer.out.end();
    let mut first = renderer.out.open('{');
    for (key, field) in &plan.fields {
        renderer.path.push(Step::Key(key));
        renderer.out.key(&mut first, key);
        let mut written = true;
        match field {
            PayloadField::TypeName => renderer.out.value(&plan.type_name),
            PayloadField::ClientMutationId => {
                renderer.out.value(input.get("clientMutationId").unwrap_or(&Json::Null));
            }
            PayloadField::Ok => renderer.out.value(&true),
            PayloadField::Object(plan) => written = renderer.object(plan, &parts.object),
            PayloadField::Viewer(plan) => match &parts.viewer {
                Some(viewer) => written = write_viewer(renderer, plan, viewer),
                None => renderer.out.null(),
            },
            PayloadField::Leaf(name, leaf) => {
                renderer.out.value(&project(leaf, parts.values.get(name).unwrap_or(&Json::Null)));
            }
        }
        renderer.path.pop();
        if !written {
            renderer.out.cut(start);
            return false;
        }
    }
    renderer.out.close('}');
    true
}
