//! The pages around the scripts of the dashboard.

use poem::Response;
use poem::http::header;

use crate::http::page::escape;

/// The dashboard runs scripts that its users write (its JavaScript console), but loads none from elsewhere.
const POLICY: &str = "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; \
img-src * data: blob:; font-src 'self' data:; connect-src *; worker-src 'self' blob:; media-src *; frame-src *; \
object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

/// The page of the dashboard. `mount`: its path with a slash at the end.
pub(super) fn dashboard(mount: &str, token: &str, caches_files: bool) -> String {
    let settings = format!("PARSE_DASHBOARD_ENABLE_RESOURCE_CACHE = {caches_files};");
    page(mount, token, &settings, "<div id=\"browser_mount\"></div>", "dashboard")
}

/// The page of the log in. `note`: what went wrong before, as JSON.
pub(super) fn log_in(mount: &str, token: &str, note: Option<&str>) -> String {
    let note = note.map_or_else(String::new, |note| format!("<div id=\"login_errors\" hidden>{}</div>", in_text(note)));
    page(mount, token, "", &format!("<div id=\"login_mount\"></div>{note}"), "login")
}

fn page(mount: &str, token: &str, settings: &str, content: &str, script: &str) -> String {
    let path = serde_json::Value::from(mount).to_string().replace('<', "\\u003c");
    let mount = escape(mount);
    format!(
        "<!doctype html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n<title>Parse Dashboard</title>\n<base href=\"{mount}\">\n\
         <link rel=\"icon\" type=\"image/x-icon\" href=\"{mount}favicon.ico\">\n\
         <script>PARSE_DASHBOARD_PATH = {path}; {settings}</script>\n</head>\n<body>\n{content}\n\
         <script id=\"csrf\" type=\"application/json\">\"{token}\"</script>\n\
         <script src=\"{mount}bundles/{script}.bundle.js\"></script>\n</body>\n</html>\n"
    )
}

fn in_text(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

/// A page as a response.
pub(super) fn response(html: String) -> Response {
    Response::builder()
        .header(header::CONTENT_TYPE, "text/html; charset=utf-8")
        .header(header::CONTENT_SECURITY_POLICY, POLICY)
        .header(header::CACHE_CONTROL, "no-store")
        .header(header::REFERRER_POLICY, "same-origin")
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .body(html)
}
