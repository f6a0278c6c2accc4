//! Patterns of paths: `/classes/:className`, `/functions/{*name}`, `/users{/:id}`.

use std::fmt::Write as _;

use fancy_regex::Regex;

/// A compiled pattern. It ignores case, a slash at the end, and a missing one at the start.
#[derive(Debug)]
pub struct PathPattern(Regex);

impl PathPattern {
    /// `:name` matches one segment, `*name` one or more characters of any kind. Parts in braces are optional (but `{*name}`
    /// at the end of a segment also matches nothing). A backslash makes the next character literal. The older forms `*` and
    /// `(.*)` work too.
    ///
    /// # Errors
    /// A message that says why the pattern is invalid.
    pub fn new(pattern: &str) -> Result<Self, String> {
        let mut regex = String::from("(?i)^/?");
        let mut characters = pattern.trim_matches('/').chars().peekable();
        let mut open = 0_u32;
        while let Some(character) = characters.next() {
            match character {
                ':' | '*' => {
                    let mut named = false;
                    while characters.next_if(|next| next.is_alphanumeric() || *next == '_' || *next == '$').is_some() {
                        named = true;
                    }
                    if character == ':' && !named {
                        return Err(format!("requestPath: \"{pattern}\" has a parameter without a name"));
                    }
                    regex.push_str(if character == ':' { "[^/]+" } else { ".+" });
                }
                '(' if characters.clone().take(3).eq(['.', '*', ')']) => {
                    characters.nth(2);
                    regex.push_str(".*");
                }
                '{' => {
                    open += 1;
                    regex.push_str("(?:");
                }
                '}' if open > 0 => {
                    open -= 1;
                    regex.push_str(")?");
                }
                '\\' => match characters.next() {
                    Some(next) => push_literal(&mut regex, next),
                    None => return Err(format!("requestPath: \"{pattern}\" ends with a backslash")),
                },
                '(' | ')' | '[' | ']' | '+' | '?' | '!' | '}' => {
                    return Err(format!("requestPath: \"{pattern}\" has an unexpected \"{character}\""));
                }
                other => push_literal(&mut regex, other),
            }
        }
        if open > 0 {
            return Err(format!("requestPath: \"{pattern}\" has an unclosed brace"));
        }
        regex.push_str("/?$");
        Regex::new(&regex).map(Self).map_err(|error| format!("requestPath: \"{pattern}\": {error}"))
    }

    /// Whether a path matches.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        self.0.is_match(path).unwrap_or(true)
    }
}

fn push_literal(regex: &mut String, character: char) {
    if character.is_ascii_alphanumeric() || character == '/' || !character.is_ascii() {
        regex.push(character);
    } else {
        // Writing to a string cannot fail.
        let _ = write!(regex, "\\x{{{:x}}}", u32::from(character));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/login", "/login", true),
            ("/login", "/LOGIN/", true),
            ("/login", "/loginAs", false),
            ("login", "/login", true),
            ("/classes/:className", "/classes/X", true),
            ("/classes/:className", "/classes/X/1", false),
            ("/classes/:className{/:id}", "/classes/X/1", true),
            ("/functions/*path", "/functions/a/b", true),
            ("/functions/{*path}", "/functions/", true),
            ("/functions/*", "/functions/a", true),
            ("/(.*)", "/anything/at/all", true),
            ("/a.b", "/aXb", false),
            ("*path", "/x", true),
        ] {
            assert_eq!(PathPattern::new(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
        for bad in ["/(a", "/:", "/{a", "/a?", "/a\\"] {
            assert!(PathPattern::new(bad).is_err(), "{bad}");
        }
    }
}
