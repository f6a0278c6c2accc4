//! `idempotencyOptions.paths`: paths on which repeated request ids are refused. Routes declare whether they support it.

use fancy_regex::Regex;

/// The compiled patterns. They are anchored at the start and match paths without slashes at their ends.
#[derive(Debug)]
pub struct IdempotentPaths(Vec<Regex>);

impl IdempotentPaths {
    /// # Errors
    /// A message that names the invalid pattern.
    pub fn new(patterns: &[String]) -> Result<Self, String> {
        let compile = |pattern: &String| {
            Regex::new(&format!("^(?:{pattern})")).map_err(|error| {
                format!("idempotencyOptions.paths: \"{pattern}\" is not a valid regular expression: {error}")
            })
        };
        Ok(Self(patterns.iter().map(compile).collect::<Result<_, _>>()?))
    }

    /// Whether a path matches.
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
