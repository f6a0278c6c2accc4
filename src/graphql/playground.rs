//! The playground: `GraphiQL`, served from this binary. The page knows the application id and no key.

use std::sync::Arc;

use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, Request, Response};

use crate::config::Options;
use crate::error::{ErrorCode, ParseError};
use crate::http::answer::{Matched, refusal};

const PAGE: &str = include_str!("playground/page.html");

/// What the page may load and talk to: this server, and the fonts inside its style sheet. `GraphiQL` sets styles on elements.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self' data:; \
                      img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Name, content type, content, and whether that is compressed.
type Asset = (&'static str, &'static str, &'static [u8], bool);

/// `GraphiQL` 2.4.7, React 18.3.1; their licences lie beside the files.
const ASSETS: [Asset; 6] = [
    ("graphiql.min.js", "text/javascript; charset=utf-8", include_bytes!("playground/graphiql.min.js.gz"), true),
    ("graphiql.min.css", "text/css; charset=utf-8", include_bytes!("playground/graphiql.min.css.gz"), true),
    (
        "react.production.min.js",
        "text/javascript; charset=utf-8",
        include_bytes!("playground/react.production.min.js.gz"),
        true,
    ),
    (
        "react-dom.production.min.js",
        "text/javascript; charset=utf-8",
        include_bytes!("playground/react-dom.production.min.js.gz"),
        true,
    ),
    ("page.js", "text/javascript; charset=utf-8", include_bytes!("playground/page.js"), false),
    ("page.css", "text/css; charset=utf-8", include_bytes!("playground/page.css"), false),
];

/// Serves the playground at one path.
#[derive(Debug)]
pub struct PlaygroundEndpoint {
    path: Arc<str>,
    page: String,
}

impl PlaygroundEndpoint {
    /// The endpoint of a server with these options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let path = options.graphql.playground_path.trim_end_matches('/');
        let page = PAGE
            .replace("{{path}}", &escape(path))
            .replace("{{url}}", &escape(&options.graphql.path))
            .replace("{{application}}", &escape(&options.keys.app_id));
        Self { path: path.into(), page }
    }

    fn answer(&self, request: &Request) -> Option<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let name = request.uri().path().get(self.path.len()..)?.trim_matches('/');
        if name.is_empty() {
            let page = Response::builder()
                .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
                .header(header::CONTENT_SECURITY_POLICY, POLICY)
                .header(header::CACHE_CONTROL, "no-store")
                .header(header::REFERRER_POLICY, "no-referrer");
            return Some(page.header(header::X_CONTENT_TYPE_OPTIONS, "nosniff").body(self.page.clone()));
        }
        let (_, kind, content, compressed) = ASSETS.iter().find(|(known, ..)| *known == name)?;
        let mut response = Response::builder()
            .header(header::CONTENT_TYPE, *kind)
            .header(header::CACHE_CONTROL, "public, max-age=3600")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(*content);
        if *compressed {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Some(response)
    }
}

impl Endpoint for PlaygroundEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let mut response = self.answer(&request).unwrap_or_else(|| {
            let status = StatusCode::NOT_FOUND.as_u16();
            refusal(
                &ParseError { status, ..ParseError::new(ErrorCode::CommandUnavailable, "unknown route or method") },
                true,
            )
        });
        response.set_data(Matched(self.path.clone()));
        Ok(response)
    }
}

/// Text for an attribute.
fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, letter| {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn attributes_are_escaped() {
        assert_eq!(escape("a\"><script>'&"), "a&quot;&gt;&lt;script&gt;&#39;&amp;");
    }
}
