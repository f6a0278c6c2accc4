//! Resolves root fields; each calls the domain once and returns its result.

use serde_json::{Map, Value as Json, json};

use super::catalog::Root;
use super::input::Bodies;
use super::operation::operation_of;
use super::root_field::{Output, RootField};
use super::{class_admin, users};
use crate::domain::classes;
use crate::domain::features::functions;
use crate::domain::write::Saved;
use crate::error::{ErrorCode, ParseError};
use crate::graphql::parse::catalog::Class;
use crate::graphql::parse::custom::{self, Source};
use crate::graphql::parse::error::FieldError;
use crate::graphql::parse::fetch::Connection;
use crate::graphql::parse::plan::Wanted;
use crate::graphql::parse::run::Run;
use crate::graphql::parse::{ids, uploads};
use crate::model::object::Object;
use crate::model::value::Value;

/// The result of a root field.
#[derive(Debug)]
pub enum Resolved {
    /// A plain value.
    Json(Json),
    /// An object.
    Object(Object),
    /// Rows.
    Connection(Connection),
    /// A session and its user.
    Viewer(Viewer),
    /// The parts of a payload.
    Payload(Parts),
}

/// A session and its user.
#[derive(Debug)]
pub struct Viewer {
    /// The session token.
    pub token: String,
    /// The user, when selected.
    pub user: Object,
}

/// The parts of a payload.
#[derive(Debug, Default)]
pub struct Parts {
    /// The object created, updated or deleted.
    pub object: Object,
    /// Session and user.
    pub viewer: Option<Viewer>,
    /// Values without class.
    pub values: Map<String, Json>,
}

/// Resolves a root field.
///
/// # Errors
/// Those of the domain.
pub async fn resolve(run: Run<'_>, field: &RootField) -> Result<Resolved, FieldError> {
    let text = |key: &str| field.arguments.get(key).and_then(Json::as_str).unwrap_or_default();
    let fetcher = run.fetcher();
    if let Some(operation) = operation_of(field) {
        run.gate.admit(run.cx, &operation).await?;
    }
    match (&field.root, &field.output) {
        (Root::Health, _) => Ok(Resolved::Json(Json::from(true))),
        (Root::Node, Output::Object(plan)) => {
            let Some((class, id)) = ids::split(text("id")) else {
                return Err(ParseError::new(ErrorCode::InvalidQuery, "The id is not a valid global id").into());
            };
            let plan = plan.as_ref().ok_or_else(ParseError::not_found)?;
            Ok(Resolved::Object(fetcher.object(&class, &id, &Wanted::by([plan]), None).await?))
        }
        (Root::Get(class), Output::Object(Some(plan))) => {
            let id = ids::local(&class.name, text("id"));
            let options = field.arguments.get("options").and_then(Json::as_object);
            let object = fetcher.object(&class.name, &id, &Wanted::by([plan]), options).await?;
            Ok(Resolved::Object(object))
        }
        (Root::Find(_), Output::Connection(plan)) => Ok(Resolved::Connection(fetcher.connection(plan, None).await?)),
        (Root::Viewer, Output::Viewer(plan)) => Ok(Resolved::Viewer(users::viewer(run, plan).await?)),
        (Root::Create(class), _) => create(run, class, field).await,
        (Root::Update(class), _) => update(run, class, field).await,
        (Root::Delete(class), _) => delete(run, class, field).await,
        (Root::CreateFile, _) => {
            let upload = field.arguments.get("upload").unwrap_or(&Json::Null);
            let info = uploads::store(run, upload).await?;
            Ok(Resolved::Payload(Parts { values: Map::from_iter([("fileInfo".to_owned(), info)]), ..Parts::default() }))
        }
        (Root::CallCloudCode, _) => {
            let parameters = field.arguments.get("params").and_then(Json::as_object).cloned().unwrap_or_default();
            let outcome = functions::call(run.cx, text("functionName"), parameters, Vec::new()).await?;
            let result = outcome.result.unwrap_or_default();
            Ok(Resolved::Payload(Parts { values: Map::from_iter([("result".to_owned(), result)]), ..Parts::default() }))
        }
        (Root::Custom(custom), _) => {
            let value = match &custom.source {
                Source::Fixed(value) => value.clone(),
                Source::Function(name) => {
                    let outcome = functions::call(run.cx, name, field.arguments.clone(), Vec::new()).await?;
                    custom::shown(outcome.result.unwrap_or_default())
                }
            };
            Ok(Resolved::Json(value))
        }
        (
            Root::Class
            | Root::Classes
            | Root::CreateClass
            | Root::UpdateClass
            | Root::DeleteClass
            | Root::CloudConfig
            | Root::UpdateCloudConfig,
            _,
        ) => class_admin::resolve(run.cx, field).await,
        (_, Output::Payload(plan)) => Box::pin(users::resolve(run, field, plan)).await.map(Resolved::Payload),
        _ => Err(ParseError::not_found().into()),
    }
}

fn wanted(field: &RootField) -> Wanted {
    match &field.output {
        Output::Payload(plan) => Wanted::by(plan.objects()),
        _ => Wanted::default(),
    }
}

async fn body(run: Run<'_>, class: &Class, field: &RootField) -> Result<Map<String, Json>, ParseError> {
    let fields = field.arguments.get("fields").and_then(Json::as_object).cloned().unwrap_or_default();
    Bodies { run }.body(class, fields).await
}

async fn create(run: Run<'_>, class: &Class, field: &RootField) -> Result<Resolved, FieldError> {
    let body = body(run, class, field).await?;
    let saved = classes::create(run.cx, &class.name, body).await?;
    let id = saved.body.get_str("objectId").unwrap_or_default().to_owned();
    read_back(run, class, field, &id, saved).await
}

async fn update(run: Run<'_>, class: &Class, field: &RootField) -> Result<Resolved, FieldError> {
    let id = ids::local(&class.name, field.arguments.get("id").and_then(Json::as_str).unwrap_or_default());
    let body = body(run, class, field).await?;
    let saved = classes::update(run.cx, &class.name, &id, body).await?;
    read_back(run, class, field, &id, saved).await
}

/// The object that the caller may see after the write, with the values that only the response to the write contains.
async fn read_back(
    run: Run<'_>,
    class: &Class,
    field: &RootField,
    id: &str,
    saved: Saved,
) -> Result<Resolved, FieldError> {
    let wanted = wanted(field);
    let mut object = saved.body;
    object.insert("objectId", Value::from(id));
    if !wanted.is_empty() {
        let read = classes::get_saved(run.cx, &class.name, id, wanted.parameters(), saved.row).await?;
        let answer = object.remove("authDataResponse");
        object = read;
        if let Some(answer) = answer.filter(|_| class.is_user) {
            object.insert("authDataResponse", answer);
        }
    }
    Ok(Resolved::Payload(Parts { object, ..Parts::default() }))
}

async fn delete(run: Run<'_>, class: &Class, field: &RootField) -> Result<Resolved, FieldError> {
    let id = ids::local(&class.name, field.arguments.get("id").and_then(Json::as_str).unwrap_or_default());
    let wanted = wanted(field);
    let mut object = Object::from_iter([("objectId".to_owned(), Value::from(id.as_str()))]);
    if !wanted.is_id_alone() {
        object = run.fetcher().object(&class.name, &id, &wanted, None).await?;
    }
    classes::delete(run.cx, &class.name, &id).await?;
    Ok(Resolved::Payload(Parts { object, ..Parts::default() }))
}

impl Parts {
    /// A payload that only reports success.
    #[must_use]
    pub fn ok() -> Self {
        Self { values: Map::from_iter([("ok".to_owned(), json!(true))]), ..Self::default() }
    }
}
