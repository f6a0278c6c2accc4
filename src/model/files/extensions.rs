//! Which files may be uploaded: the option `fileUpload.fileExtensions`.

use super::types;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::js_pattern::JsPattern;

/// The patterns of the option, compiled.
#[derive(Debug, Clone)]
pub struct AllowedExtensions {
    patterns: Vec<JsPattern>,
    /// The entry `*`: everything may be uploaded.
    all: bool,
}

impl AllowedExtensions {
    /// Patterns in JavaScript's syntax; each is searched in the extension, and one that is found is enough.
    #[must_use]
    pub fn new(patterns: &[String]) -> Self {
        let all = patterns.iter().any(|pattern| pattern == "*");
        let patterns = patterns.iter().filter(|pattern| *pattern != "*").map(JsPattern::new).collect();
        Self { patterns, all }
    }

    fn allows(&self, extension: &str) -> bool {
        self.all || self.patterns.iter().any(|pattern| pattern.is_match(extension))
    }

    fn check_one(&self, extension: &str) -> Result<()> {
        if self.allows(extension) {
            return Ok(());
        }
        let message = format!("File upload of extension {extension} is disabled.");
        Err(ParseError::new(ErrorCode::FileSaveError, message))
    }

    /// Checks a file by the name its sender gave and by the header `Content-Type` as it was sent. A known extension wins
    /// over the header; without one the subtype is what counts, because the file will be served as that type.
    ///
    /// # Errors
    /// 130 with the extension or subtype, or for a header that is no type.
    pub fn check(&self, name: &str, content_type: Option<&str>) -> Result<()> {
        let extension = without_blanks(types::extension(name));
        if !extension.is_empty() {
            self.check_one(&extension)?;
        }
        let Some(content_type) = content_type.filter(|text| !text.is_empty()) else { return Ok(()) };
        if self.all || (!extension.is_empty() && types::of_name(name).is_some()) {
            return Ok(());
        }
        let parts = content_type.split_once('/').filter(|(kind, _)| !kind.is_empty());
        let (kind, subtype) = parts.map_or(("", ""), |(kind, rest)| (kind.trim(), before_parameters(rest).trim()));
        if is_token(kind) && is_token(subtype) {
            return self.check_one(subtype);
        }
        // What browsers cannot read they guess. The message names a forbidden word where there is one.
        let bare = without_blanks(if content_type.contains('/') { kind } else { before_parameters(content_type) });
        if !bare.is_empty() {
            self.check_one(&bare)?;
        }
        Err(ParseError::new(ErrorCode::FileSaveError, "Invalid Content-Type."))
    }
}

fn before_parameters(text: &str) -> &str {
    text.split(';').next().unwrap_or_default()
}

fn without_blanks(text: &str) -> String {
    before_parameters(text).chars().filter(|character| !character.is_whitespace()).collect()
}

/// RFC 9110, 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Options;

    fn refusal(allowed: &AllowedExtensions, name: &str, content_type: &str) -> String {
        let given = (content_type != "-").then_some(content_type);
        allowed.check(name, given).err().map_or_else(|| "ok".to_owned(), |error| error.message.into_owned())
    }

    #[test]
    fn nothing_a_browser_would_run_is_allowed_by_default() {
        let allowed = AllowedExtensions::new(&Options::default().files.upload.file_extensions);
        let disabled = |extension: &str| format!("File upload of extension {extension} is disabled.");
        for (name, content_type, expected) in [
            ("a.txt", "text/plain", "ok"),
            ("a.html.txt", "text/plain", "ok"),
            ("x.txt", "text/html", "ok"),
            ("f.xyzzy", "application/octet-stream", "ok"),
            ("o", "-", "ok"),
            ("o", "", "ok"),
            ("o", "application/vnd.api+json", "ok"),
            ("page.html", "text/plain", &disabled("html")),
            ("page.HTM", "-", &disabled("HTM")),
            ("a.svg", "-", &disabled("svg")),
            ("a.xHtMl", "-", &disabled("xHtMl")),
            ("page", "text/html", &disabled("html")),
            ("page", "text/html; charset=utf-8", &disabled("html")),
            ("page.xyzzy", "image/svg+xml", &disabled("svg+xml")),
            ("page", "html", &disabled("html")),
            ("page", "svg;x=1", &disabled("svg")),
            ("page", "nonsense", "Invalid Content-Type."),
            ("page", "text", "Invalid Content-Type."),
            ("page", "image/", "Invalid Content-Type."),
            ("page", "/html", "Invalid Content-Type."),
            ("page", "image//svg+xml", "Invalid Content-Type."),
            ("page", "text/plain,text/html", "Invalid Content-Type."),
            ("page", "svg/", &disabled("svg")),
        ] {
            assert_eq!(refusal(&allowed, name, content_type), expected, "{name} {content_type}");
        }
    }

    #[test]
    fn an_allow_list_is_searched() {
        let allowed = AllowedExtensions::new(&["^(txt|png)$".to_owned(), "jpe?g".to_owned()]);
        for (name, content_type, expected) in [
            ("a.png", "text/plain", "ok"),
            ("a.jpg", "-", "ok"),
            ("a.TXT", "-", "File upload of extension TXT is disabled."),
            ("noext", "text/plain", "File upload of extension plain is disabled."),
            ("noext", "image/png", "ok"),
            ("noext", "-", "ok"),
        ] {
            assert_eq!(refusal(&allowed, name, content_type), expected, "{name} {content_type}");
        }
        let all = AllowedExtensions::new(&["*".to_owned()]);
        assert_eq!(refusal(&all, "a.html", "rubbish"), "ok");
        let none = AllowedExtensions::new(&["(".to_owned()]);
        assert_eq!(refusal(&none, "a.txt", "-"), "File upload of extension txt is disabled.");
    }
}
