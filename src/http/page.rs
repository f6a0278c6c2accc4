//! Serves pages that are embedded in the binary, with the files that they load.

use poem::Response;
use poem::http::{HeaderValue, header};

/// A file that a page loads.
#[derive(Debug)]
pub struct Asset {
    name: &'static str,
    kind: &'static str,
    content: &'static [u8],
    compressed: bool,
}

impl Asset {
    /// A script.
    #[must_use]
    pub const fn script(name: &'static str, content: &'static [u8]) -> Self {
        Self { name, kind: "text/javascript; charset=utf-8", content, compressed: false }
    }

    /// A style sheet.
    #[must_use]
    pub const fn style(name: &'static str, content: &'static [u8]) -> Self {
        Self { name, kind: "text/css; charset=utf-8", content, compressed: false }
    }

    /// Plain text.
    #[must_use]
    pub const fn text(name: &'static str, content: &'static [u8]) -> Self {
        Self { name, kind: "text/plain; charset=utf-8", content, compressed: false }
    }

    /// The content, compressed with gzip; it is sent compressed.
    #[must_use]
    pub const fn compressed(self) -> Self {
        Self { compressed: true, ..self }
    }
}

/// A page and the files that it loads.
#[derive(Debug)]
pub struct Page {
    /// The page itself.
    pub html: String,
    /// Its content security policy.
    pub policy: &'static str,
    /// The files that it loads.
    pub assets: &'static [Asset],
}

impl Page {
    /// Whether the file exists; the empty name is the page itself.
    #[must_use]
    pub fn has(&self, file: &str) -> bool {
        file.is_empty() || self.asset(file).is_some()
    }

    /// A file, or the page for the empty name; `None` if the file does not exist.
    #[must_use]
    pub fn answer(&self, file: &str) -> Option<Response> {
        if file.is_empty() {
            let response = Response::builder()
                .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
                .header(header::CONTENT_SECURITY_POLICY, self.policy)
                .header(header::CACHE_CONTROL, "no-store")
                .header(header::REFERRER_POLICY, "no-referrer")
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
            return Some(response.body(self.html.clone()));
        }
        let asset = self.asset(file)?;
        let mut response = Response::builder()
            .header(header::CONTENT_TYPE, asset.kind)
            .header(header::CACHE_CONTROL, "public, max-age=3600")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(asset.content);
        if asset.compressed {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        Some(response)
    }

    fn asset(&self, file: &str) -> Option<&'static Asset> {
        self.assets.iter().find(|asset| asset.name == file)
    }
}

/// Escapes text for an HTML attribute in single or double quotes. (Templates of mails and pages escape by the rules of their
/// template language.)
#[must_use]
pub fn escape(text: &str) -> String {
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
