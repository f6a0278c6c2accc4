//! Sessions of the dashboard. Their state is in a sealed cookie, so that every server of a fleet knows them and none stores them
//! (docs/decisions/dashboard-sessions.md).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde::{Deserialize, Serialize};

/// What a key of a page begins with.
const PAGE_KEY: &str = "dashboard-session:";
/// Longest cookie that is looked at.
const LONGEST_COOKIE: usize = 1024;

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// Name of the user; empty before the log in, and without users.
    #[serde(rename = "u")]
    pub user: String,
    /// Mark of the user's entry; `None`: a visitor who has not logged in.
    #[serde(rename = "m")]
    pub(super) mark: Option<String>,
    /// Makes its tokens differ from those of other sessions.
    #[serde(rename = "n")]
    nonce: String,
    /// Its end, in milliseconds since 1970.
    #[serde(rename = "e")]
    end: i64,
}

impl Session {
    /// Whether it has rights.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.mark.is_some()
    }
}

/// Seals cookies and makes tokens.
pub(super) struct Seal {
    key: hmac::Key,
    length: i64,
}

impl Seal {
    /// `length`: milliseconds of a session.
    pub(super) fn new(master_key: &str, length: u64) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, master_key.as_bytes());
        let derived = hmac::sign(&root, b"sessions of the dashboard");
        let length = i64::try_from(length).unwrap_or(i64::MAX);
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, derived.as_ref()), length }
    }

    pub(super) fn start(&self, user: &str, mark: Option<String>, nonce: String, now: i64) -> Session {
        Session { user: user.to_owned(), mark, nonce, end: now.saturating_add(self.length) }
    }

    pub(super) fn renew(&self, session: &Session, now: i64) -> Session {
        Session { end: now.saturating_add(self.length), ..session.clone() }
    }

    pub(super) fn cookie(&self, session: &Session) -> String {
        let content = URL_SAFE_NO_PAD.encode(serde_json::to_vec(session).unwrap_or_default());
        let seal = self.tag("cookie", &content);
        format!("{content}.{seal}")
    }

    pub(super) fn open(&self, cookie: &str, now: i64) -> Option<Session> {
        if cookie.len() > LONGEST_COOKIE {
            return None;
        }
        let (content, seal) = cookie.split_once('.')?;
        if !self.is_tag("cookie", content, seal) {
            return None;
        }
        let session: Session = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(content).ok()?).ok()?;
        (session.end > now).then_some(session)
    }

    pub(super) fn form_token(&self, session: &Session) -> String {
        self.tag("form", &identity(session))
    }

    pub(super) fn page_key(&self, session: &Session) -> String {
        format!("{PAGE_KEY}{}", self.tag("page", &identity(session)))
    }

    pub(super) fn is_page_key(&self, session: &Session, claimed: &str) -> bool {
        claimed.strip_prefix(PAGE_KEY).is_some_and(|tag| self.is_tag("page", &identity(session), tag))
    }

    fn tag(&self, purpose: &str, of: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.key, format!("{purpose}\n{of}").as_bytes()))
    }

    fn is_tag(&self, purpose: &str, of: &str, tag: &str) -> bool {
        let Ok(tag) = URL_SAFE_NO_PAD.decode(tag) else { return false };
        hmac::verify(&self.key, format!("{purpose}\n{of}").as_bytes(), &tag).is_ok()
    }
}

/// What stays the same while a session is renewed.
fn identity(session: &Session) -> String {
    format!("{}\n{}\n{}", session.nonce, session.mark.as_deref().unwrap_or_default(), session.user)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_worth_something_only_whole_and_in_time() {
        let seal = Seal::new("master", 1000);
        let session = seal.start("ann", Some("mark".into()), "n1".into(), 5000);
        let cookie = seal.cookie(&session);
        assert_eq!(seal.open(&cookie, 5999), Some(session.clone()));
        assert_eq!(seal.open(&cookie, 6000), None);
        assert_eq!(Seal::new("other", 1000).open(&cookie, 5000), None);
        for at in 0..cookie.len() {
            let mut bytes = cookie.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(seal.open(&String::from_utf8(bytes).unwrap(), 5000), None, "byte {at}");
        }
        for broken in ["", ".", "a.b", "é.é", cookie.split_once('.').unwrap().0] {
            assert_eq!(seal.open(broken, 5000), None);
        }
        assert!(seal.open(&format!("{cookie}{}", "A".repeat(2000)), 5000).is_none());
    }

    #[test]
    fn tokens_belong_to_one_session_and_one_purpose() {
        let seal = Seal::new("master", 1000);
        let one = seal.start("ann", Some("mark".into()), "n1".into(), 0);
        let other = seal.start("ann", Some("mark".into()), "n2".into(), 0);
        let key = seal.page_key(&one);
        assert!(seal.is_page_key(&one, &key) && seal.is_page_key(&seal.renew(&one, 500), &key));
        assert!(!seal.is_page_key(&other, &key));
        assert!(!seal.is_page_key(&one, &format!("{PAGE_KEY}{}", seal.form_token(&one))));
        assert!(!seal.is_page_key(&one, "") && !seal.is_page_key(&one, PAGE_KEY));
    }
}
