//! The playground: `GraphiQL`, embedded in the binary. The page contains the application id but no key.

use std::sync::Arc;

use poem::http::Method;
use poem::{Endpoint, Request, Response};

use crate::config::Options;
use crate::error::ParseError;
use crate::http::answer::refusal;
use crate::http::handed::Handed;
use crate::http::page::{Asset, Page, escape};
use crate::http::record::RequestRecord;

const HTML: &str = include_str!("playground/page.html");

/// Content security policy: the page may load from and send requests to this server only, and use the fonts inside its
/// style sheet. `GraphiQL` sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GraphiQL` 2.4.7, React 18.3.1; their licences are next to the files.
static ASSETS: [Asset; 6] = [
    Asset::script("graphiql.min.js", include_bytes!("playground/graphiql.min.js.gz")).compressed(),
    Asset::style("graphiql.min.css", include_bytes!("playground/graphiql.min.css.gz")).compressed(),
    Asset::script("react.production.min.js", include_bytes!("playground/react.production.min.js.gz")).compressed(),
    Asset::script("react-dom.production.min.js", include_bytes!("playground/react-dom.production.min.js.gz"))
        .compressed(),
    Asset::script("page.js", include_bytes!("playground/page.js")),
    Asset::style("page.css", include_bytes!("playground/page.css")),
];

/// Serves the playground at one path.
#[derive(Debug)]
pub struct PlaygroundEndpoint {
    path: Arc<str>,
    graphql: String,
    application: String,
    page: Page,
}

impl PlaygroundEndpoint {
    /// The endpoint of a server with these options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let path = options.graphql.playground_path.trim_end_matches('/');
        let (graphql, application) = (options.graphql.path.clone(), options.keys.app_id.clone());
        let page = page(path, &graphql, &application);
        Self { path: path.into(), graphql, application, page }
    }

    fn answer(&self, request: &Request) -> Option<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let file = request.uri().path().get(self.path.len()..)?.trim_matches('/');
        match request.data::<Handed>() {
            // The program serves it at a path of its own.
            Some(handed) if file.is_empty() => {
                let graphql = handed.graphql.as_ref().unwrap_or(&self.graphql);
                page(&handed.mount, graphql, &self.application).answer(file)
            }
            _ => self.page.answer(file),
        }
    }
}

/// The page for these paths of itself and of GraphQL.
fn page(path: &str, graphql: &str, application: &str) -> Page {
    let html = HTML
        .replace("{{path}}", &escape(path))
        .replace("{{url}}", &escape(graphql))
        .replace("{{application}}", &escape(application));
    Page { html, policy: POLICY, assets: &ASSETS }
}

impl Endpoint for PlaygroundEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        RequestRecord::of(&request).set_route(self.path.clone());
        Ok(self.answer(&request).unwrap_or_else(|| refusal(&ParseError::unknown_route(), true)))
    }
}
