//! The page that shows the document and can send requests: Swagger UI, embedded in the binary. It contains the
//! application id but no key.

use crate::config::Options;
use crate::http::page::{Asset, Page, escape};

/// Path of the page below the mount path.
pub const PATH: &str = "/docs";
/// Path of the files that it loads.
pub const FILES: &str = "/docs/{*file}";

const HTML: &str = include_str!("page/page.html");

/// Content security policy: the page may load from and send requests to this server only. Swagger UI sets styles on
/// elements and has its icons inside its style sheet.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Swagger UI 5.35.0. Its licence and notice, and those of its parts, are next to the files.
static ASSETS: [Asset; 5] = [
    Asset::script("swagger-ui-bundle.js", include_bytes!("page/swagger-ui-bundle.js.gz")).compressed(),
    Asset::style("swagger-ui.css", include_bytes!("page/swagger-ui.css.gz")).compressed(),
    Asset::script("page.js", include_bytes!("page/page.js")),
    Asset::style("page.css", include_bytes!("page/page.css")),
    Asset::text("licenses.txt", include_bytes!("page/LICENSES.txt")),
];

/// The page of a server with these options.
#[must_use]
pub fn page(options: &Options) -> Page {
    let mount = options.server.mount_path.trim_end_matches('/');
    let html = HTML.replace("{{mount}}", &escape(mount)).replace("{{application}}", &escape(&options.keys.app_id));
    Page { html, policy: POLICY, assets: &ASSETS }
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
        let page = page(&options);
        assert!(page.html.contains("data-application=\"a&quot;&gt;&lt;script&gt;\""));
        assert!(page.html.contains("src=\"/docs/page.js\""));
        assert!(page.has("") && page.has("page.css") && !page.has("../page.rs"));
    }
}
