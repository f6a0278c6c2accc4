//! Serves the document as JSON and YAML, and the page that shows it. Only callers with the master key get the classes
//! of the application, unless `openapi.publicSchema` is on.

use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use poem::Response;
use poem::http::{HeaderValue, Method, StatusCode, header};
use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::{page, typed, yaml};
use crate::config::Options;
use crate::domain::kernel::auth::TokenUse;
use crate::domain::kernel::context::Context;
use crate::domain::schema::Schemas;
use crate::error::{ParseError, Result};
use crate::http::answer::JSON;
use crate::model::schema::ClassSchema;
use crate::rest::call::Call;
use crate::rest::route::{Access, Outcome, Route};

/// The content type of YAML (RFC 9512).
const YAML: &str = "application/yaml; charset=utf-8";
/// Determines which document a caller gets.
const VARY: HeaderValue =
    HeaderValue::from_static("X-Parse-Application-Id, X-Parse-Master-Key, X-Parse-Maintenance-Key, Authorization");

/// The documents of a server.
struct Documents {
    mount_path: String,
    /// Built on the first request, so that it does not slow down the start.
    base: OnceLock<Document>,
    /// Whether every caller gets the document with the classes of the application.
    public: bool,
    current: ArcSwapOption<OfApp>,
    /// Held while a document is built, so that concurrent requests wait for it instead of building another.
    making: Mutex<()>,
}

/// Format of a document.
#[derive(Debug, Clone, Copy)]
enum Notation {
    Json,
    Yaml,
}

/// A document in both formats.
#[derive(Debug)]
struct Document {
    json: Bytes,
    /// Built on the first request.
    yaml: OnceLock<Bytes>,
}

/// The document for one version of the schema.
#[derive(Debug)]
struct OfApp {
    snapshot: Arc<Schemas>,
    document: Document,
}

impl Documents {
    /// Builds the documents from the options.
    fn new(options: &Options) -> Self {
        Self {
            mount_path: options.server.mount_path.clone(),
            base: OnceLock::new(),
            public: options.own.openapi.public_schema,
            current: ArcSwapOption::empty(),
            making: Mutex::new(()),
        }
    }

    /// The document without classes.
    fn base(&self) -> &Document {
        self.base.get_or_init(|| Document::new(&crate::rest::document(&self.mount_path)))
    }

    /// The document with the classes of a schema snapshot.
    async fn of_app(&self, snapshot: &Arc<Schemas>) -> Result<Arc<OfApp>> {
        let fitting = || self.current.load_full().filter(|made| Arc::ptr_eq(&made.snapshot, snapshot));
        if let Some(ready) = fitting() {
            return Ok(ready);
        }
        let _one = self.making.lock().await;
        if let Some(ready) = fitting() {
            return Ok(ready);
        }
        let (snapshot, base) = (snapshot.clone(), self.base().json.clone());
        let build = move || -> serde_json::Result<OfApp> {
            let base: Json = serde_json::from_slice(&base)?;
            let classes: Vec<ClassSchema> =
                snapshot.iter().filter(|class| class.stored).map(|class| class.schema.clone()).collect();
            Ok(OfApp { document: Document::new(&typed(base, &classes)), snapshot })
        };
        let made = tokio::task::spawn_blocking(build).await.map_err(ParseError::internal)?;
        let made = Arc::new(made.map_err(ParseError::internal)?);
        self.current.store(Some(made.clone()));
        Ok(made)
    }
}

impl Document {
    fn new(document: &Json) -> Self {
        Self { json: document.to_string().into(), yaml: OnceLock::new() }
    }

    fn yaml(&self) -> Bytes {
        let make = || yaml::of(&serde_json::from_slice(&self.json).unwrap_or_default()).into();
        self.yaml.get_or_init(make).clone()
    }
}

/// The routes of the documents and of the page that the options enable.
#[must_use]
pub fn routes(options: &Options) -> Vec<Route> {
    let wish = &options.own.openapi;
    if !wish.enabled {
        return Vec::new();
    }
    let documents = Arc::new(Documents::new(options));
    let document = |path: &'static str, operation, notation| {
        let documents = documents.clone();
        let handler = move |call: Call| {
            let documents = documents.clone();
            async move { documents.answer(&call.cx, notation).await }
        };
        Route::hidden(Method::GET, path, operation, handler).access(Access::OptionalKey).token(TokenUse::Drop)
    };
    let mut routes = vec![
        document("/openapi.json", "getOpenApiJson", Notation::Json),
        document("/openapi.yaml", "getOpenApiYaml", Notation::Yaml),
    ];
    if wish.docs {
        let page = Arc::new(page::page(options));
        for path in [page::PATH, page::FILES] {
            let page = page.clone();
            let handler = move |call: Call| {
                let answer = page.answer(call.found.value("file").unwrap_or_default());
                async move { answer.ok_or_else(ParseError::unknown_route) }
            };
            routes.push(
                Route::hidden(Method::GET, path, "getDocs", handler).access(Access::OptionalKey).token(TokenUse::Drop),
            );
        }
    }
    routes
}

impl Documents {
    /// The document that a caller may read.
    async fn answer(&self, cx: &Context, notation: Notation) -> Outcome {
        let of_app = if self.public || cx.auth.is_master() {
            Some(self.of_app(&cx.app.schemas.snapshot()).await?)
        } else {
            None
        };
        let document = of_app.as_ref().map_or_else(|| self.base(), |made| &made.document);
        let (kind, body) = match notation {
            Notation::Yaml => (YAML, document.yaml()),
            Notation::Json => (JSON, document.json.clone()),
        };
        Ok(Response::builder()
            .status(StatusCode::OK)
            .header(header::CONTENT_TYPE, kind)
            .header(header::CACHE_CONTROL, if of_app.is_some() { "no-store" } else { "no-cache" })
            .header(header::VARY, VARY)
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(body))
    }
}
