//! Routes of the app below the path of the pages (`pages.customRoutes`): a function of the app says which page answers.

use std::sync::Arc;
use std::time::Duration;

use poem::http::Method;
use serde_json::{Value as Json, json};

use super::Pages;
use super::custom::plain;
use super::flows::{MAX_FORM, locale};
use super::form::Form;
use super::render::not_found;
use crate::domain::triggers::{self, AppCode};
use crate::error::ParseError;
use crate::http::{body, client};
use crate::rest::call::Call;
use crate::rest::route::{Access, Outcome, Route};

/// What the app's code has to do with pages.
#[derive(Debug)]
pub struct OwnPages {
    /// Routes beside those of the pages.
    pub routes: Vec<OwnRoute>,
    /// The function that gives values for placeholders (`pages.placeholders`), if it is one.
    pub placeholders: Option<AppCode>,
}

/// A route of the app.
#[derive(Debug)]
pub struct OwnRoute {
    method: Method,
    /// Below `{endpoint}/{appId}/`, with `{name}` for segments that may be anything.
    path: String,
    handler: AppCode,
}

impl OwnRoute {
    /// A route as the options state it: in `path`, a segment `:name` stands for any one.
    ///
    /// # Errors
    /// A text for the person who configured it.
    pub fn new(method: &str, path: &str, handler: AppCode) -> Result<Self, String> {
        let known = [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH];
        let found = known.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(method));
        let method = found.ok_or_else(|| format!("method {method:?}: it must be GET, POST, PUT, DELETE or PATCH"))?;
        let path = path.trim_matches('/');
        if path.is_empty() || path.contains(['{', '}', '*', '?', '#']) {
            return Err(format!("path {path:?}: it must be segments, of which any may be :name"));
        }
        let segments = path.split('/').map(|segment| match segment.strip_prefix(':') {
            Some(name) => format!("{{{name}}}"),
            None => segment.to_owned(),
        });
        Ok(Self { method, path: segments.collect::<Vec<_>>().join("/"), handler })
    }

    /// The route, below the path of the pages.
    pub(super) fn mount(self, pages: &Arc<Pages>) -> Route {
        let Self { method, path, handler } = self;
        let (pages, path) = (pages.clone(), format!("/{}/{{appId}}/{path}", pages.endpoint));
        let answer = move |call| answer(pages.clone(), handler.clone(), call);
        Route::hidden(method, path, "ownPage", answer).access(Access::Public).unlisted().stream()
    }
}

/// Asks the app which page answers, and sends that.
async fn answer(pages: Arc<Pages>, handler: AppCode, mut call: Call) -> Outcome {
    let mut request = call.take_request().ok_or_else(ParseError::unknown_route)?;
    let query = Form::query(&call.query);
    let patience = Duration::from_millis(pages.app.options.own.request_timeout_ms);
    let taken = request.take_body();
    let bytes = body::read(taken, request.headers(), MAX_FORM, patience).await?;
    let form = Form::body(request.headers(), &bytes);
    let asked = locale(&request, &form, &query);
    let Some(page_request) = pages.begin(&call.cx, call.path("appId")?, asked)? else { return Ok(not_found()) };
    let told = json!({
        "method": request.method().as_str(),
        "url": request.original_uri().path_and_query().map_or("/", |url| url.as_str()),
        "params": call.found.parameters().map(|(name, value)| (name.to_owned(), value.into())).collect::<serde_json::Map<_, Json>>(),
        "query": query.to_json(),
        "body": form.to_json(),
        "headers": client::headers(request.headers()),
        "ip": call.cx.client.ip.to_string(),
    });
    let page = triggers::ask(&call.cx, &handler, None, vec![told]).await?.unwrap_or_default();
    let Some(file) = page.get("file").and_then(Json::as_str) else { return Ok(not_found()) };
    let values = page.get("query").and_then(Json::as_object).into_iter().flatten();
    let values: Vec<(String, String)> = values.map(|(name, value)| (name.clone(), plain(value))).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pages.named(&page_request, file, &values).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::cloud::module::Modules;

    #[test]
    fn methods_and_paths_as_options_state_them() {
        let route = |method: &str, path: &str| {
            let handler = Modules::default().name("handler", "./handler.js", None);
            OwnRoute::new(method, path, handler).map(|route| (route.method, route.path))
        };
        assert_eq!(route("get", "/a/:b/c"), Ok((Method::GET, "a/{b}/c".to_owned())));
        for (method, path) in [("", "a"), ("CONNECT", "a"), ("GET", ""), ("GET", "/"), ("GET", "a/*b"), ("GET", "{a}")]
        {
            assert!(route(method, path).is_err(), "{method} {path}");
        }
    }
}
