//! The page to read the document and try calls: Swagger UI, served from this binary. It knows the application id and no
//! key.

use poem::Response;
use poem::http::{HeaderValue, header};

use crate::config::Options;

/// Where the page is, below the mount path.
pub const PATH: &str = "/docs";

const HTML: &str = include_str!("page/page.html");

/// What the page may load and talk to: this server alone. Swagger UI sets styles on elements and has its icons inside its
/// style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Name, content type, content, and whether that is compressed.
type Asset = (&'static str, &'static str, &'static [u8], bool);

/// Swagger UI 5.35.0; its licence, notice and those of its parts lie beside the files.
const ASSETS: [Asset; 5] = [
    ("swagger-ui-bundle.js", "text/javascript; charset=utf-8", include_bytes!("page/swagger-ui-bundle.js.gz"), true),
    ("swagger-ui.css", "text/css; charset=utf-8", include_bytes!("page/swagger-ui.css.gz"), true),
    ("page.js", "text/javascript; charset=utf-8", include_bytes!("page/page.js"), false),
    ("page.css", "text/css; charset=utf-8", include_bytes!("page/page.css"), false),
    ("licenses.txt", "text/plain; charset=utf-8", include_bytes!("page/LICENSES.txt"), false),
];

/// The page of a server.
#[derive(Debug)]
pub struct Page {
    html: String,
}

impl Page {
    /// The page of a server with these options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let mount = options.server.mount_path.trim_end_matches('/');
        let html = HTML.replace("{{mount}}", &escape(mount)).replace("{{application}}", &escape(&options.keys.app_id));
        Self { html }
    }

    /// Whether there is such a file; the empty name is the page itself.
    #[must_use]
    pub fn has(file: &str) -> bool {
        file.is_empty() || ASSETS.iter().any(|(name, ..)| *name == file)
    }

    /// A file, or the page.
    #[must_use]
    pub fn answer(&self, file: &str) -> Response {
        let Some((_, kind, content, compressed)) = ASSETS.iter().find(|(name, ..)| *name == file) else {
            return Response::builder()
                .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
                .header(header::CONTENT_SECURITY_POLICY, POLICY)
                .header(header::CACHE_CONTROL, "no-store")
                .header(header::REFERRER_POLICY, "no-referrer")
                .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
                .body(self.html.clone());
        };
        let mut response = Response::builder()
            .header(header::CONTENT_TYPE, *kind)
            .header(header::CACHE_CONTROL, "public, max-age=3600")
            .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
            .body(*content);
        if *compressed {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        }
        response
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
    use super::*;
    use crate::config::Options;

    #[test]
    fn what_is_configured_is_escaped() {
        let mut options = Options::default();
        options.keys.app_id = "a\"><script>".to_owned();
        options.server.mount_path = "/".to_owned();
        let page = Page::new(&options);
        assert!(page.html.contains("data-application=\"a&quot;&gt;&lt;script&gt;\""));
        assert!(page.html.contains("src=\"/docs/page.js\""));
        assert!(Page::has("") && Page::has("page.css") && !Page::has("../page.rs"));
    }
}
