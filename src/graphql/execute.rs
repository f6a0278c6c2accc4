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
use super::render::{Renderer, project};
use super::resolve::{Parts, Resolved, Run, Viewer};
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
pub async fn execute<D: Dialect>(run: Run<'_>, entries: Vec<Entry<D::Job>>, mutation: bool) -> Json {
    let (mut data, mut errors, mut lost) = (Map::new(), Vec::new(), false);
    let answers = futures_util::stream::iter(entries)
        .map(|entry| async move {
            match entry {
                Entry::TypeName(key) => {
                    let name = if mutation { "Mutation" } else { "Query" };
                    Answer { key, value: Some(Json::from(name)), errors: Vec::new(), nullable: false }
                }
                Entry::Schema(key, leaf) => {
                    let value = Introspector::new(&run.catalog.types).schema(&leaf);
                    Answer { key, value: Some(value), errors: Vec::new(), nullable: false }
                }
                Entry::Type(key, name, leaf) => {
                    let value = Introspector::new(&run.catalog.types).type_of_name(&name, &leaf);
                    Answer { key, value: Some(value), errors: Vec::new(), nullable: true }
                }
                Entry::Job(job) => D::answer(run, job).await,
            }
        })
        .buffered(if mutation { 1 } else { TOGETHER })
        .collect::<Vec<_>>()
        .await;
    for answer in answers {
        errors.extend(answer.errors);
        lost |= answer.value.is_none() && !answer.nullable;
        data.insert(answer.key, answer.value.unwrap_or(Json::Null));
    }
    let mut body = Map::new();
    if !errors.is_empty() {
        body.insert("errors".to_owned(), Json::Array(errors));
    }
    body.insert("data".to_owned(), if lost { Json::Null } else { Json::Object(data) });
    Json::Object(body)
}

/// The answer of one root field.
#[derive(Debug)]
pub struct Answer {
    /// Key in the answer.
    pub key: String,
    /// Its value; `None` when there is none.
    pub value: Option<Json>,
    /// What went wrong.
    pub errors: Vec<Json>,
    /// Whether null is a value of it.
    pub nullable: bool,
}

/// Runs a root field of the current dialect.
pub async fn answer(run: Run<'_>, job: &Job) -> Answer {
    let sanitize = run.cx.app.options.security.enable_sanitized_error_response;
    let nullable = matches!(job.root, Root::Node) || matches!(job.output, Output::Payload(_));
    let path = vec![Json::from(job.key.as_str())];
    let (value, errors) = match run.resolve(job).await {
        Err(error) => (None, vec![error.to_json(job.place, &path, sanitize)]),
        Ok(resolved) => {
            let relations = relations(run, job, &resolved).await;
            let mut renderer = Renderer { relations: &relations, path, errors: Vec::new(), sanitize };
            (render(&mut renderer, job, &resolved), renderer.errors)
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

fn render(renderer: &mut Renderer<'_>, job: &Job, resolved: &Resolved) -> Option<Json> {
    match (&job.output, resolved) {
        (Output::Leaf(leaf), Resolved::Json(value)) => Some(project(leaf, value)),
        (Output::Object(Some(plan)), Resolved::Object(object)) => renderer.object(plan, object),
        (Output::Connection(plan), Resolved::Connection(connection)) => Some(renderer.connection(plan, connection)),
        (Output::Viewer(plan), Resolved::Viewer(viewer)) => render_viewer(renderer, plan, viewer),
        (Output::Payload(plan), Resolved::Payload(parts)) => payload(renderer, plan, parts, &job.arguments),
        _ => None,
    }
}

fn render_viewer(renderer: &mut Renderer<'_>, plan: &ViewerPlan, viewer: &Viewer) -> Option<Json> {
    let mut out = Map::new();
    for (key, field) in &plan.0 {
        renderer.path.push(Json::from(key.as_str()));
        let value = match field {
            ViewerField::TypeName => Some(Json::from("Viewer")),
            ViewerField::SessionToken => Some(Json::from(viewer.token.as_str())),
            ViewerField::User(plan) => renderer.object(plan, &viewer.user),
        };
        renderer.path.pop();
        out.insert(key.clone(), value?);
    }
    Some(Json::Object(out))
}

fn payload(renderer: &mut Renderer<'_>, plan: &PayloadPlan, parts: &Parts, input: &Map<String, Json>) -> Option<Json> {
    let mut out = Map::new();
    for (key, field) in &plan.fields {
        renderer.path.push(Json::from(key.as_str()));
        let value = match field {
            PayloadField::TypeName => Some(Json::from(plan.type_name.as_str())),
            PayloadField::ClientMutationId => Some(input.get("clientMutationId").cloned().unwrap_or(Json::Null)),
            PayloadField::Ok => Some(Json::from(true)),
            PayloadField::Object(plan) => renderer.object(plan, &parts.object),
            PayloadField::Viewer(plan) => match &parts.viewer {
                Some(viewer) => render_viewer(renderer, plan, viewer),
                None => Some(Json::Null),
            },
            PayloadField::Leaf(name, leaf) => Some(project(leaf, parts.values.get(name).unwrap_or(&Json::Null))),
        };
        renderer.path.pop();
        out.insert(key.clone(), value?);
    }
    Some(Json::Object(out))
}
