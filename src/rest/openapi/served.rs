//! How the API describes itself: the document as JSON and YAML, for anybody without the app's classes, for masters with
//! them; and the page to read it and try it.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use arc_swap::ArcSwapOption;
use bytes::Bytes;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Request, Response};
use serde_json::Value as Json;
use tokio::sync::Mutex;

use super::{page, typed, yaml};
use crate::config::Options;
use crate::domain::kernel::auth::{self, Auth};
use crate::domain::schema::Schemas;
use crate::error::{ParseError, Result};
use crate::http::answer::{JSON, Matched};
use crate::http::gate::rate_limit::Identity;
use crate::http::page::Page;
use crate::http::{client, credentials};
use crate::model::schema::ClassSchema;
use crate::rest::request::Rest;

/// The content type of YAML (RFC 9512).
const YAML: &str = "application/yaml; charset=utf-8";
/// What decides which document a caller gets.
const VARY: HeaderValue =
    HeaderValue::from_static("X-Parse-Application-Id, X-Parse-Master-Key, X-Parse-Maintenance-Key, Authorization");

/// The documents and the page of a server.
pub struct Documents {
    mount_path: String,
    /// Made when it is first asked for: most servers never are, and start the sooner.
    base: OnceLock<Document>,
    page: Option<Page>,
    /// Whether everybody gets the document with the app's classes.
    public: bool,
    current: ArcSwapOption<OfApp>,
    /// One document is made at a time; whoever needs it as well waits for it.
    making: Mutex<()>,
}

/// A document in both notations.
#[derive(Debug)]
struct Document {
    json: Bytes,
    /// Made when it is first asked for.
    yaml: OnceLock<Bytes>,
}

/// The document of the app at one moment.
#[derive(Debug)]
struct OfApp {
    snapshot: Arc<Schemas>,
    document: Document,
}

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted<'a> {
    Json,
    Yaml,
    /// A file of the page; none: the page itself.
    Page(&'a str),
}

impl Wanted<'_> {
    fn of(path: &str) -> Option<Wanted<'_>> {
        if path.eq_ignore_ascii_case("/openapi.json") {
            return Some(Wanted::Json);
        }
        if path.eq_ignore_ascii_case("/openapi.yaml") {
            return Some(Wanted::Yaml);
        }
        crate::rest::routes::below(page::PATH, path).map(|file| Wanted::Page(file.trim_start_matches('/')))
    }

    const fn route(self) -> &'static str {
        match self {
            Wanted::Json => "/openapi.json",
            Wanted::Yaml => "/openapi.yaml",
            Wanted::Page(_) => page::PATH,
        }
    }
}

impl Documents {
    /// As the options say; `None` when nothing of it is to be served.
    #[must_use]
    pub fn new(options: &Options) -> Option<Self> {
        let wish = &options.own.openapi;
        wish.enabled.then(|| Self {
            mount_path: options.server.mount_path.clone(),
            base: OnceLock::new(),
            page: wish.docs.then(|| page::page(options)),
            public: wish.public_schema,
            current: ArcSwapOption::empty(),
            making: Mutex::new(()),
        })
    }

    /// The document without classes.
    fn base(&self) -> &Document {
        self.base.get_or_init(|| Document::new(&crate::rest::document(&self.mount_path)))
    }

    /// The document with the classes of the snapshot.
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

impl Rest {
    /// Answers what asks for the API's own description; `None`: the request is about something else.
    ///
    /// # Errors
    /// When the route is not allowed, or asked for too often; with the route.
    pub(in crate::rest) async fn describe(
        &self,
        request: &Request,
        path: &str,
    ) -> std::result::Result<Option<Response>, (ParseError, Option<Arc<str>>)> {
        let (Some(documents), Some(wanted)) = (&self.documents, Wanted::of(path)) else { return Ok(None) };
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(None);
        }
        if matches!(wanted, Wanted::Page(file) if !documents.page.as_ref().is_some_and(|page| page.has(file))) {
            return Ok(None);
        }
        let route: Arc<str> = wanted.route().into();
        match self.description(documents, wanted, request, path).await {
            Ok(mut response) => {
                response.set_data(Matched(route));
                Ok(Some(response))
            }
            Err(error) => Err((error, Some(route))),
        }
    }

    async fn description(
        &self,
        documents: &Documents,
        wanted: Wanted<'_>,
        request: &Request,
        path: &str,
    ) -> Result<Response> {
        let options = &self.app.options;
        let peer =
            request.remote_addr().as_socket_addr().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let local = request.local_addr().as_socket_addr().copied();
        let origin = client::origin(&options.server, peer, local, request.headers());
        let given = credentials::from_headers(request.headers(), &options.keys.app_id);
        // Who is refused elsewhere is anybody here.
        let caller = if given.master_key_in_header {
            auth::standing(&self.app, &given, origin.ip).unwrap_or(Auth::Anonymous)
        } else {
            Auth::Anonymous
        };
        let identity = Identity { ip: origin.ip, direct: !origin.forwarded, auth: &caller };
        let now = self.app.clock.now().millis();
        self.gate.limits.count(false, &Method::GET, path, &identity, now)?;
        self.gate.allowed.check(caller.is_master(), &Method::GET, path)?;
        if let (Wanted::Page(file), Some(page)) = (wanted, &documents.page)
            && let Some(response) = page.answer(file)
        {
            return Ok(response);
        }
        let of_app = if documents.public || caller.is_master() {
            Some(documents.of_app(&self.app.schemas.snapshot()).await?)
        } else {
            None
        };
        let document = of_app.as_ref().map_or_else(|| documents.base(), |made| &made.document);
        let (kind, body) = if wanted == Wanted::Yaml { (YAML, document.yaml()) } else { (JSON, document.json.clone()) };
        Ok(Response::builder()
            .status(StatusCode::OK)
            .header(header::CONTENT_TYPE, kind)
            .header(header::CACHE_CONTROL, if of_app.is_some() { "no-store" } else { "no-cache" })
            .header(header::VARY, VARY)
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(body))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        for (path, wanted) in [
            ("/OpenAPI.json", Some(Wanted::Json)),
            ("/openapi.yaml", Some(Wanted::Yaml)),
            ("/docs", Some(Wanted::Page(""))),
            ("/docs/page.js", Some(Wanted::Page("page.js"))),
            ("/docsx", None),
            ("/openapi", None),
        ] {
            assert_eq!(Wanted::of(path), wanted, "{path}");
        }
    }
}
