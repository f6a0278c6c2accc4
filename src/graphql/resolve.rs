//! Root fields: each calls the domain once and hands back what it found.

use serde_json::{Map, Value as Json, json};

use super::catalog::{Catalog, Class, Root};
use super::error::FieldError;
use super::fetch::{Connection, Fetcher};
use super::ids;
use super::input::Bodies;
use super::job::{Job, Output};
use super::multipart::Uploads;
use super::plan::Wanted;
use super::routes::{Passage, Route};
use super::{class_admin, users};
use crate::domain::classes;
use crate::domain::kernel::context::Context;
use crate::domain::write::Saved;
use crate::error::{ErrorCode, ParseError};
use crate::model::object::Object;
use crate::model::value::Value;

/// What a root field found.
#[derive(Debug)]
pub enum Resolved {
    /// A value without class.
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

/// One request on its way through the resolvers.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Who asks.
    pub cx: &'a Context,
    /// How it passes the gate.
    pub passage: &'a Passage,
    /// What there is.
    pub catalog: &'a Catalog,
    /// What came with it.
    pub uploads: &'a Uploads,
}

impl Run<'_> {
    /// Runs a root field.
    ///
    /// # Errors
    /// Those of the domain.
    pub async fn resolve(self, job: &Job) -> Result<Resolved, FieldError> {
        let text = |key: &str| job.arguments.get(key).and_then(Json::as_str).unwrap_or_default();
        let fetcher = Fetcher { cx: self.cx, catalog: self.catalog };
        if let Some(route) = Route::of(job) {
            self.passage.admit(self.cx, &route)?;
        }
        match (&job.root, &job.output) {
            (Root::Health, _) => Ok(Resolved::Json(Json::from(true))),
            (Root::Node, Output::Object(plan)) => {
                let Some((class, id)) = ids::split(text("id")) else {
                    return Err(
                        ParseError::new(ErrorCode::InternalServerError, "An internal server error occurred").into()
                    );
                };
                let plan = plan.as_ref().ok_or_else(ParseError::not_found)?;
                Ok(Resolved::Object(fetcher.object(&class, &id, &Wanted::by([plan]), None).await?))
            }
            (Root::Get(class), Output::Object(Some(plan))) => {
                let id = ids::local(&class.name, text("id"));
                let options = job.arguments.get("options").and_then(Json::as_object);
                let object = fetcher.object(&class.name, &id, &Wanted::by([plan]), options).await?;
                Ok(Resolved::Object(object))
            }
            (Root::Find(_), Output::Connection(plan)) => {
                Ok(Resolved::Connection(fetcher.connection(plan, None).await?))
            }
            (Root::Viewer, Output::Viewer(plan)) => Ok(Resolved::Viewer(users::viewer(self, plan).await?)),
            (Root::Create(class), _) => self.create(class, job).await,
            (Root::Update(class), _) => self.update(class, job).await,
            (Root::Delete(class), _) => self.delete(class, job).await,
            (Root::CreateFile, _) => {
                let upload = job.arguments.get("upload").unwrap_or(&Json::Null);
                let info = self.uploads.store(upload, self.cx.app.options.server.max_upload_size.bytes)?;
                Ok(Resolved::Payload(Parts {
                    values: Map::from_iter([("fileInfo".to_owned(), info)]),
                    ..Parts::default()
                }))
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
            ) => class_admin::resolve(self.cx, job).await,
            (_, Output::Payload(plan)) => users::resolve(self, job, plan).await.map(Resolved::Payload),
            _ => Err(ParseError::not_found().into()),
        }
    }

    fn wanted(job: &Job) -> Wanted {
        match &job.output {
            Output::Payload(plan) => Wanted::by(plan.objects()),
            _ => Wanted::default(),
        }
    }

    async fn body(self, class: &Class, job: &Job) -> Result<Map<String, Json>, ParseError> {
        let fields = job.arguments.get("fields").and_then(Json::as_object).cloned().unwrap_or_default();
        Bodies { run: self }.body(class, fields).await
    }

    async fn create(self, class: &Class, job: &Job) -> Result<Resolved, FieldError> {
        let body = self.body(class, job).await?;
        let saved = classes::create(self.cx, &class.name, body).await?;
        let id = saved.body.get_str("objectId").unwrap_or_default().to_owned();
        self.read_back(class, job, &id, saved).await
    }

    async fn update(self, class: &Class, job: &Job) -> Result<Resolved, FieldError> {
        let id = ids::local(&class.name, job.arguments.get("id").and_then(Json::as_str).unwrap_or_default());
        let body = self.body(class, job).await?;
        let saved = classes::update(self.cx, &class.name, &id, body).await?;
        self.read_back(class, job, &id, saved).await
    }

    /// The object as the caller may see it after the change. What the change itself answered, and reading does not, is added.
    async fn read_back(self, class: &Class, job: &Job, id: &str, saved: Saved) -> Result<Resolved, FieldError> {
        let wanted = Self::wanted(job);
        let mut object = saved.body;
        object.insert("objectId", Value::from(id));
        if !wanted.is_empty() {
            let read = classes::get_saved(self.cx, &class.name, id, wanted.parameters(), saved.row).await?;
            let answer = object.remove("authDataResponse");
            object = read;
            if let Some(answer) = answer.filter(|_| class.is_user) {
                object.insert("authDataResponse", answer);
            }
        }
        Ok(Resolved::Payload(Parts { object, ..Parts::default() }))
    }

    async fn delete(self, class: &Class, job: &Job) -> Result<Resolved, FieldError> {
        let id = ids::local(&class.name, job.arguments.get("id").and_then(Json::as_str).unwrap_or_default());
        let wanted = Self::wanted(job);
        let mut object = Object::from_iter([("objectId".to_owned(), Value::from(id.as_str()))]);
        if !wanted.is_id_alone() {
            object = Fetcher { cx: self.cx, catalog: self.catalog }.object(&class.name, &id, &wanted, None).await?;
        }
        classes::delete(self.cx, &class.name, &id).await?;
        Ok(Resolved::Payload(Parts { object, ..Parts::default() }))
    }
}

impl Parts {
    /// A payload that only says that all went well.
    #[must_use]
    pub fn ok() -> Self {
        Self { values: Map::from_iter([("ok".to_owned(), json!(true))]), ..Self::default() }
    }
}
