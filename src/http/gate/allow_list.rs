//! `routeAllowList`: the only routes that clients may call.

use fancy_regex::Regex;
use poem::http::Method;

use crate::error::{ParseError, Result};

/// The compiled patterns. Each must match the whole path, without mount path, slashes at the ends, and query.
#[derive(Debug)]
pub struct RouteAllowList(Option<Vec<Regex>>);

impl RouteAllowList {
    /// # Errors
    /// A message that names the invalid pattern.
    pub fn new(patterns: Option<&[String]>) -> std::result::Result<Self, String> {
        let compile = |pattern: &String| {
            Regex::new(&format!("^(?:{pattern})$"))
                .map_err(|error| format!("routeAllowList: \"{pattern}\" is not a valid regular expression: {error}"))
        };
        Ok(Self(patterns.map(|patterns| patterns.iter().map(compile).collect()).transpose()?))
    }

    /// Whether there is no list: every route may be used.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// Checks whether a caller may call a route. Callers with the master key always may.
    ///
    /// # Errors
    /// 119, sanitised, if a list is configured and no pattern matches.
    pub fn check(&self, is_master: bool, method: &Method, path: &str) -> Result<()> {
        let Some(patterns) = &self.0 else { return Ok(()) };
        let path = path.trim_matches('/');
        // A pattern that exceeds the backtracking limit counts as not matched.
        if is_master || patterns.iter().any(|pattern| pattern.is_match(path).unwrap_or(false)) {
            return Ok(());
        }
        Err(ParseError::forbidden(format!("Route not allowed by routeAllowList: {method} {path}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored() {
        let list = RouteAllowList::new(Some(&["classes/Open.*".into(), "login|logout".into()])).unwrap();
        let passes = |path| list.check(false, &Method::GET, path).is_ok();
        assert!(passes("/classes/Open/x") && passes("/login") && passes("/logout/"));
        for refused in ["/classes/Secret", "/loginAs", "/x/login", "/batch"] {
            assert!(!passes(refused), "{refused}");
            assert!(list.check(true, &Method::GET, refused).is_ok());
        }
        assert!(RouteAllowList::new(Some(&["(".into()])).is_err());
        assert!(RouteAllowList::new(None).unwrap().check(false, &Method::GET, "/x").is_ok());
    }
}
