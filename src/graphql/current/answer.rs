//! Executes a root field and writes its result.

use serde_json::{Map, Value as Json};

use super::catalog::Root;
use super::resolve::{Parts, Resolved, Viewer, resolve};
use super::root_field::{Output, PayloadField, PayloadPlan, RootField, ViewerField, ViewerPlan};
use crate::graphql::engine::{Answer, INTERNAL, Shape, Step, Text, field_error, project};
use crate::graphql::parse::custom;
use crate::graphql::parse::plan::ObjectPlan;
use crate::graphql::parse::relations::Relations;
use crate::graphql::parse::render::Renderer;
use crate::graphql::parse::run::Run;
use crate::model::object::Object;

/// Executes a root field of the current dialect.
pub async fn answer(run: Run<'_>, field: &RootField) -> Answer {
    let sanitize = run.sanitizes();
    let nullable = match &field.output {
        Output::Payload(_) => true,
        Output::Shape(shape) => shape.is_nullable(),
        _ => matches!(field.root, Root::Node),
    };
    let path = vec![Step::Key(&field.key)];
    let (value, errors) = match resolve(run, field).await {
        Err(error) => (None, vec![error.to_json(field.place, &Step::path(&path), sanitize)]),
        Ok(resolved) => {
            let relations = relations(run, field, &resolved).await;
            let mut renderer =
                Renderer { relations: &relations, path, out: Text::default(), errors: Vec::new(), sanitize };
            let written = write(&mut renderer, field, &resolved);
            (written.then_some(renderer.out), renderer.errors)
        }
    };
    Answer { key: field.key.clone(), value, errors, nullable }
}

/// Reads the selected relations of a root field's result.
async fn relations(run: Run<'_>, field: &RootField, resolved: &Resolved) -> Relations {
    let mut objects: Vec<(&ObjectPlan, &Object)> = Vec::new();
    match (&field.output, resolved) {
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
    run.fetcher().relations(objects).await
}

/// Writes the value of a field; false if it has none.
fn write<'a>(renderer: &mut Renderer<'a>, field: &'a RootField, resolved: &Resolved) -> bool {
    match (&field.output, resolved) {
        (Output::Leaf(leaf), Resolved::Json(value)) => renderer.out.value(&project(leaf, value)),
        (Output::Object(Some(plan)), Resolved::Object(object)) => return renderer.object(plan, object),
        (Output::Connection(plan), Resolved::Connection(connection)) => renderer.connection(plan, connection),
        (Output::Viewer(plan), Resolved::Viewer(viewer)) => return write_viewer(renderer, plan, viewer),
        (Output::Payload(plan), Resolved::Payload(parts)) => {
            return payload(renderer, plan, parts, &field.arguments);
        }
        (Output::Shape(shape), Resolved::Json(value)) => return fitted(renderer, field, shape, value),
        _ => return false,
    }
    true
}

/// Writes what the app's code gave, as far as it is of the type that the schema promises.
fn fitted(renderer: &mut Renderer<'_>, field: &RootField, shape: &Shape, value: &Json) -> bool {
    let root = if field.mutation { "Mutation" } else { "Query" };
    let (fitted, misfits) = shape.fit((root, &field.name), value, custom::scalar);
    for misfit in misfits {
        let mut path = Step::path(&renderer.path);
        path.extend(misfit.path);
        renderer.errors.push(field_error(&misfit.message, &Json::from(INTERNAL), field.place, &path));
    }
    match fitted {
        Some(value) => renderer.out.value(&value),
        None => return false,
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
