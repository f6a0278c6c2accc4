//! `idempotencyOptions.paths`: on which paths a request id counts. Which routes can have one, they state themselves.

use fancy_regex::Regex;

/// The patterns of paths, made once. They are anchored at the start and match paths without slashes at their ends.
#[derive(Debug)]
pub struct IdempotentPaths(Vec<Regex>);

impl IdempotentPaths {
    /// # Errors
    /// A text naming the pattern that is not valid.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let compile = |pattern: &String| {
            Regex::new(&format!("^(?:{pattern})")).map_err(|error| {
                format!("idempotencyOptions.paths: \"{pattern}\" is not a valid regular expression: {error}")
            })
        };
        Ok(Self(patterns.iter().map(compile).collect::<Result<_, _>>()?))
    }

    /// Whether a path is among them.
    #[must_use]
    pub fn include(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(path.trim_matches('/')).unwrap_or(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_anchored_at_the_start() {
        let paths = IdempotentPaths::new(&["functions/pay.*".into(), "users".into()]).unwrap();
        assert!(paths.include("/functions/payNow/"));
        assert!(paths.include("/users/x"));
        assert!(!paths.include("/classes/users"));
        assert!(!paths.include("/sessions"));
    }
}
