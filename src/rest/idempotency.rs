//! `idempotencyOptions`: which requests are looked at for having come before.

use fancy_regex::Regex;
use poem::http::Method;

/// Routes on which a request id counts.
const ROUTES: [(Method, &str); 9] = [
    (Method::POST, "/classes/{className}"),
    (Method::PUT, "/classes/{className}/{objectId}"),
    (Method::POST, "/users"),
    (Method::PUT, "/users/{objectId}"),
    (Method::POST, "/installations"),
    (Method::PUT, "/installations/{objectId}"),
    (Method::POST, "/functions/{functionName}"),
    (Method::POST, "/jobs"),
    (Method::POST, "/jobs/{jobName}"),
];

/// The patterns of paths, made once. They are anchored at the start and match paths without slashes at their ends.
#[derive(Debug)]
pub struct Idempotency(Vec<Regex>);

impl Idempotency {
    /// # Errors
    /// A text naming the pattern that is none.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let compile = |pattern: &String| {
            Regex::new(&format!("^(?:{pattern})"))
                .map_err(|error| format!("idempotencyOptions.paths: \"{pattern}\" is no regular expression: {error}"))
        };
        Ok(Self(patterns.iter().map(compile).collect::<Result<_, _>>()?))
    }

    /// Whether the id of a request to this route and path counts.
    #[must_use]
    pub fn concerns(&self, method: &Method, route: &str, path: &str) -> bool {
        is_route(method, route)
            && self.0.iter().any(|pattern| pattern.is_match(path.trim_matches('/')).unwrap_or(false))
    }
}

/// Whether the id of a request to this route can count.
#[must_use]
pub fn is_route(method: &Method, route: &str) -> bool {
    ROUTES.iter().any(|(known, pattern)| known == method && *pattern == route)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_at_the_start() {
        let paths = Idempotency::new(&["functions/pay.*".into(), "users".into()]).unwrap();
        assert!(paths.concerns(&Method::POST, "/functions/{functionName}", "/functions/payNow/"));
        assert!(paths.concerns(&Method::PUT, "/users/{objectId}", "/users/x"));
        assert!(!paths.concerns(&Method::GET, "/users", "/users"));
        assert!(!paths.concerns(&Method::POST, "/classes/{className}", "/classes/users"));
        assert!(!paths.concerns(&Method::POST, "/sessions", "/sessions"));
    }
}
