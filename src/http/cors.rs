//! CORS headers, which every response gets.

use poem::http::{HeaderMap, HeaderValue, header};

use crate::config::server::Server;

const METHODS: &str = "GET,PUT,POST,DELETE,OPTIONS";
const HEADERS: &str = "X-Parse-Master-Key, X-Parse-REST-API-Key, X-Parse-Javascript-Key, X-Parse-Application-Id, X-Parse-Client-Version, X-Parse-Session-Token, X-Requested-With, X-Parse-Revocable-Session, X-Parse-Request-Id, Content-Type, Pragma, Cache-Control";
const EXPOSED: &str = "X-Parse-Job-Status-Id, X-Parse-Push-Status-Id";

/// The headers, built once.
#[derive(Debug)]
pub struct Cors {
    origins: Vec<HeaderValue>,
    allowed: HeaderValue,
}

impl Cors {
    /// Builds the headers from `allowOrigin` and `allowHeaders`. Names and origins that are not valid in a header are left out.
    #[must_use]
    pub fn new(options: &Server) -> Self {
        let mut origins: Vec<HeaderValue> = options
            .allow_origin
            .iter()
            .flat_map(|list| &list.0)
            .filter_map(|origin| HeaderValue::from_str(origin).ok())
            .collect();
        if origins.is_empty() {
            origins.push(HeaderValue::from_static("*"));
        }
        let mut names = HEADERS.to_owned();
        for name in &options.allow_headers {
            names.push_str(", ");
            names.push_str(name);
        }
        let allowed = HeaderValue::from_str(&names).unwrap_or_else(|_| HeaderValue::from_static(HEADERS));
        Self { origins, allowed }
    }

    /// Adds the headers to a response for a request from `origin`.
    pub fn apply(&self, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
        let matching = origin.and_then(|origin| self.origins.iter().find(|allowed| *allowed == origin));
        if let Some(allowed) = matching.or_else(|| self.origins.first()) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed.clone());
        }
        if self.origins.len() > 1 {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, self.allowed.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::values::TextList;

    #[test]
    fn the_matching_origin_or_the_first() {
        let options = Server {
            allow_origin: Some(TextList(vec!["http://a".into(), "http://b".into()])),
            allow_headers: vec!["X-Own".into()],
            ..Server::default()
        };
        let cors = Cors::new(&options);
        for (origin, expected) in
            [(Some("http://b"), "http://b"), (Some("http://evil"), "http://a"), (None, "http://a")]
        {
            let mut headers = HeaderMap::new();
            cors.apply(origin.map(HeaderValue::from_static).as_ref(), &mut headers);
            assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], expected);
            assert!(headers[header::ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().ends_with("Cache-Control, X-Own"));
        }
    }
}
