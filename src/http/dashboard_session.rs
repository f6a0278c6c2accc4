//! The session of Parse Dashboard in a request: its cookie, and whether the request comes from a page of this server.
//!
//! The pages send a key that is worth nothing by itself: the server gives a request the rights of the session if it has this key, the
//! cookie, and no sign of another origin.

use poem::http::{HeaderMap, header};

use crate::domain::features::dashboard::{Dashboard, Session};
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{Auth, Credentials};

/// The name of the cookie.
pub const COOKIE: &str = "reparse_dashboard";

/// The dashboard that a server hosts.
#[must_use]
pub fn hosted(app: &App) -> Option<&Dashboard> {
    Dashboard::of(app).ok()?
}

/// The value of a cookie.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(';')).find_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='))
}

/// The session of a request from a page of this server, if it has one.
#[must_use]
pub fn session(app: &App, headers: &HeaderMap) -> Option<Session> {
    let cookie = cookie(headers, COOKIE)?;
    let dashboard = hosted(app).filter(|_| is_same_origin(headers))?;
    dashboard.session(cookie, app.clock.now().millis())
}

/// Whether nothing says that a page of another origin sent the request. Browsers tell by `Sec-Fetch-Site`, older ones by `Origin`.
#[must_use]
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site")
        && !matches!(site, "same-origin" | "none")
    {
        return false;
    }
    match (text("origin"), text("host")) {
        (None, _) => true,
        (Some(origin), Some(host)) => origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(host)),
        (Some(_), None) => false,
    }
}

/// The rights that a request has as one of the dashboard's pages; `None` if it is none.
#[must_use]
pub fn rights(app: &App, session: &Session, credentials: &Credentials) -> Option<Auth> {
    let own = credentials.application_id.as_deref() == Some(app.options.keys.app_id.as_str());
    hosted(app)?.rights(session, credentials.master_key.as_deref().filter(|_| own)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn other_origins_show() {
        for own in [
            &[("host", "a:1")][..],
            &[("host", "a:1"), ("origin", "http://a:1"), ("sec-fetch-site", "same-origin")],
            &[("host", "a:1"), ("origin", "https://A:1")],
        ] {
            assert!(is_same_origin(&headers(own)), "{own:?}");
        }
        for other in [
            &[("host", "a:1"), ("sec-fetch-site", "same-site")][..],
            &[("host", "a:1"), ("sec-fetch-site", "cross-site"), ("origin", "http://a:1")],
            &[("host", "a:1"), ("origin", "http://a:2")],
            &[("host", "a:1"), ("origin", "null")],
            &[("origin", "http://a:1")],
        ] {
            assert!(!is_same_origin(&headers(other)), "{other:?}");
        }
    }

    #[test]
    fn a_cookie_among_others() {
        let headers = headers(&[("cookie", "reparse_dashboard2=x; a=b;reparse_dashboard=y=; c")]);
        assert_eq!(cookie(&headers, COOKIE), Some("y="));
        assert_eq!(cookie(&headers, "d"), None);
    }
}
