//! How a file is handed to a browser, so that nothing in it runs with the rights of the server's own pages.
//!
//! Types that can only be looked at are shown; all others are saved, which `Content-Disposition: attachment` asks for and
//! which does not disturb `<img>`, `<video>` or `fetch`. Every answer forbids sniffing and has a policy that allows no
//! script, in case a browser shows it all the same.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{names, types};

/// Sent with every file: `X-Content-Type-Options`.
pub const NO_SNIFFING: &str = "nosniff";
/// The policy of all files but PDF.
const SANDBOX: &str = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'unsafe-inline'; sandbox";
/// Browsers do not show a PDF in a sandbox; its scripts cannot reach the page's origin in any viewer.
const PDF: &str = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'";
/// What is not known is bytes.
const BYTES: &str = "application/octet-stream";

/// The headers that say what a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// `Content-Type`.
    pub content_type: Cow<'static, str>,
    /// `Content-Disposition`; none: it is shown.
    pub disposition: Option<String>,
    /// `Content-Security-Policy`.
    pub policy: &'static str,
}

impl Delivery {
    /// For a file by the name it is stored under. `stored_type` is the type the store keeps, which counts where the
    /// extension is unknown. `force_download`: it is saved, whatever it is.
    #[must_use]
    pub fn of(name: &str, stored_type: Option<&str>, force_download: bool) -> Self {
        let known = types::of_name(name).or_else(|| {
            // A type from an upload is used if it is one of the table: anything else could be read differently by browsers.
            let bare = stored_type?.split(';').next()?.trim().to_ascii_lowercase();
            types::usual_extension(&bare).and_then(|extension| types::of_name(&format!(".{extension}")))
        });
        let bare = known.unwrap_or(BYTES);
        let content_type =
            if has_charset(bare) { Cow::Owned(format!("{bare}; charset=utf-8")) } else { Cow::Borrowed(bare) };
        let disposition = (force_download || !is_shown(bare)).then(|| attachment(names::given(name)));
        Self { content_type, disposition, policy: if bare == "application/pdf" { PDF } else { SANDBOX } }
    }

    /// The same with a look at the first bytes: a file that says to be an image and begins like a web page is bytes.
    #[must_use]
    pub fn checked(self, name: &str, first: &[u8]) -> Self {
        let text = self.content_type.starts_with("text/") || self.disposition.is_some();
        if text || !looks_active(first) {
            return self;
        }
        Self { content_type: BYTES.into(), disposition: Some(attachment(names::given(name))), policy: SANDBOX }
    }
}

/// Whether the type's charset is told.
fn has_charset(bare: &str) -> bool {
    bare.starts_with("text/")
        || matches!(bare, "application/json" | "application/javascript" | "application/manifest+json")
}

/// Whether a browser may show the type itself: nothing in it can run.
fn is_shown(bare: &str) -> bool {
    let (kind, subtype) = bare.split_once('/').unwrap_or_default();
    match kind {
        "image" => !subtype.ends_with("+xml"),
        "audio" | "video" | "font" => true,
        _ => matches!(
            bare,
            "text/plain" | "text/csv" | "text/markdown" | "text/vtt" | "application/json" | "application/pdf"
        ),
    }
}

/// `Content-Disposition` of a file that is to be saved under the name it is stored under. Where that is a token it is not quoted,
/// as parse-server writes it.
#[must_use]
pub fn download(stored: &str) -> String {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte);
    if !stored.is_empty() && stored.bytes().all(token) {
        format!("attachment;filename={stored}")
    } else {
        attachment(names::given(stored))
    }
}

/// `attachment` with the name, in ASCII and, if that is not all of it, in UTF-8 (RFC 6266).
fn attachment(name: &str) -> String {
    let ascii: String = name
        .chars()
        .map(|letter| if matches!(letter, ' '..='~') && !"\"\\".contains(letter) { letter } else { '_' })
        .collect();
    let mut text = format!("attachment; filename=\"{ascii}\"");
    if ascii != name {
        text.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            // What RFC 8187 lets stand.
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                text.push(char::from(byte));
            } else {
                let _ = write!(text, "%{byte:02X}");
            }
        }
    }
    text
}

/// Beginnings that make browsers which sniff take content for a page (WHATWG MIME Sniffing, 7.1), and SVG.
const ACTIVE: [&str; 19] = [
    "<!doctype",
    "<html",
    "<head",
    "<script",
    "<iframe",
    "<h1",
    "<div",
    "<font",
    "<table",
    "<a",
    "<style",
    "<title",
    "<b",
    "<body",
    "<br",
    "<p",
    "<!--",
    "<?xml",
    "<svg",
];

/// Whether bytes begin like something a browser would run.
fn looks_active(bytes: &[u8]) -> bool {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let bytes = bytes.trim_ascii_start();
    ACTIVE.iter().any(|start| {
        bytes.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start.as_bytes()))
            && (start.len() > 3
                || bytes.get(start.len()).is_some_and(|next| next.is_ascii_whitespace() || *next == b'>'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_run_is_shown() {
        let prefix = "0123456789abcdef0123456789abcdef_";
        for (name, stored, content_type, shown) in [
            ("a.txt", None, "text/plain; charset=utf-8", true),
            ("a.PNG", None, "image/png", true),
            ("a.mp4", None, "video/mp4", true),
            ("a.pdf", None, "application/pdf", true),
            ("a.json", None, "application/json; charset=utf-8", true),
            ("a.html", None, "text/html; charset=utf-8", false),
            ("a.svg", None, "image/svg+xml", false),
            ("a.xml", None, "application/xml", false),
            ("a.js", None, "text/javascript; charset=utf-8", false),
            ("a.swf", None, "application/x-shockwave-flash", false),
            ("a.xyzzy", None, "application/octet-stream", false),
            ("a", Some("image/png"), "image/png", true),
            ("a", Some("text/HTML; x=y"), "text/html; charset=utf-8", false),
            ("a", Some("image/png\r\nx: y"), "application/octet-stream", false),
            ("a.txt", Some("text/html"), "text/plain; charset=utf-8", true),
        ] {
            let delivery = Delivery::of(&format!("dir/{prefix}{name}"), stored, false);
            assert_eq!(delivery.content_type, content_type, "{name}");
            let disposition = (!shown).then(|| format!("attachment; filename=\"{name}\""));
            assert_eq!(delivery.disposition, disposition, "{name}");
            assert_eq!(delivery.policy.contains("sandbox"), name != "a.pdf", "{name}");
        }
        assert!(Delivery::of("a.txt", None, true).disposition.is_some());
    }

    #[test]
    fn names_cannot_break_the_header() {
        assert_eq!(attachment("a\"b\\\r\nc"), "attachment; filename=\"a_b___c\"; filename*=UTF-8''a%22b%5C%0D%0Ac");
        assert_eq!(attachment("ä b.txt"), "attachment; filename=\"_ b.txt\"; filename*=UTF-8''%C3%A4%20b.txt");
    }

    #[test]
    fn a_page_that_says_to_be_an_image_is_bytes() {
        for (first, active) in [
            (&b"\x89PNG\r\n"[..], false),
            (b"  \n<HtMl><script>", true),
            (b"\xef\xbb\xbf<?xml version='1.0'?>", true),
            (b"<svg onload=x>", true),
            (b"<b>", true),
            (b"<bla>", false),
            (b"", false),
            (b"<", false),
        ] {
            let delivery = Delivery::of("a.png", None, false).checked("a.png", first);
            assert_eq!(delivery.content_type == BYTES, active, "{first:?}");
            assert_eq!(delivery.disposition.is_some(), active, "{first:?}");
        }
    }
}
