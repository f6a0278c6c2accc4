//! Users of the dashboard, in the form of its own configuration.

use std::sync::Arc;

use ring::digest;
use serde::Deserialize;
use serde_json::Value as Json;
use subtle::ConstantTimeEq as _;

use crate::adapters::auth::one_time::OneTime;

/// A user as configured. Has no `Debug`, because it contains a password.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct User {
    #[serde(rename = "user")]
    name: String,
    pass: String,
    #[serde(default)]
    read_only: bool,
    /// The apps that the user sees; all, if there is no list.
    apps: Option<Vec<UserApp>>,
    /// The secret of an authenticator app, in base 32.
    mfa: Option<String>,
    mfa_algorithm: Option<String>,
    mfa_digits: Option<u32>,
    mfa_period: Option<i64>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct UserApp {
    app_id: String,
    #[serde(default)]
    read_only: bool,
}

/// What a user may do with an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Full,
    ReadOnly,
}

/// The outcome of a log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No user has this name and password.
    Unknown,
    /// A code of this many digits is missing.
    NeedsCode(u32),
    /// The code, of this many digits, is wrong.
    WrongCode(u32),
    /// The user of this name.
    User(String),
}

/// A user with what was checked at start.
#[derive(Clone)]
struct Known {
    user: User,
    code: Option<OneTime>,
    /// Changes with the entry.
    mark: String,
}

/// The users.
#[derive(Clone)]
pub(super) struct Users {
    known: Arc<[Known]>,
    encrypted: bool,
}

impl Users {
    /// Reads the list of the configuration.
    ///
    /// # Errors
    /// A message for the administrator, without passwords.
    pub(super) fn read(listed: Option<Json>, encrypted: bool) -> Result<Self, String> {
        let entries = match listed {
            None | Some(Json::Null) => Vec::new(),
            Some(Json::Array(entries)) => entries,
            Some(_) => return Err("dashboard.users must be a list".to_owned()),
        };
        let mut known: Vec<Known> = Vec::with_capacity(entries.len());
        for (at, entry) in entries.into_iter().enumerate() {
            let text = entry.to_string();
            let user: User = serde_json::from_value(entry).map_err(|_| {
                format!("dashboard.users: entry {at} must have user and pass, and may have readOnly, apps and mfa")
            })?;
            let fail = |why: &str| format!("dashboard.users: {}: {why}", user.name);
            if user.name.is_empty() || user.pass.is_empty() {
                return Err(format!("dashboard.users: entry {at} has an empty user or pass"));
            }
            if user.name.len() > 256 {
                return Err(format!("dashboard.users: the name of entry {at} is longer than 256 bytes"));
            }
            if known.iter().any(|other| other.user.name == user.name) {
                return Err(fail("is there twice"));
            }
            if encrypted && !(user.pass.starts_with("$2") && user.pass.len() == 60) {
                return Err(fail("pass is no bcrypt hash, though useEncryptedPasswords is set"));
            }
            let code = match &user.mfa {
                None => None,
                Some(secret) => {
                    let (algorithm, digits, period) = (user.mfa_algorithm.as_deref(), user.mfa_digits, user.mfa_period);
                    Some(
                        OneTime::new(secret, algorithm, digits.unwrap_or(6), period.unwrap_or(30))
                            .map_err(|why| fail(&why))?,
                    )
                }
            };
            let mark = digest::digest(&digest::SHA256, text.as_bytes());
            let mark = crate::random::hex(mark.as_ref().get(..8).unwrap_or_default());
            known.push(Known { user, code, mark });
        }
        Ok(Self { known: known.into(), encrypted })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    fn find(&self, name: &str) -> Option<&Known> {
        self.known.iter().find(|known| known.user.name == name)
    }

    /// What ties a session to the entry of its user. Without users, everybody who gets a session is the same.
    pub(super) fn mark(&self, name: &str) -> Option<String> {
        if self.is_empty() {
            name.is_empty().then(|| "local".to_owned())
        } else {
            self.find(name).map(|known| known.mark.clone())
        }
    }

    /// Checks a log in; takes as long for a name that no user has. `now`: milliseconds since 1970.
    pub(super) fn verify(&self, name: &str, password: &str, code: &str, now: i64) -> Verdict {
        let found = self.find(name);
        let Some(compared) = found.or_else(|| self.known.first()) else { return Verdict::Unknown };
        let right = if self.encrypted {
            bcrypt::verify(password, &compared.user.pass).unwrap_or(false)
        } else {
            digest_of(password).ct_eq(&digest_of(&compared.user.pass)).into()
        };
        let Some(Known { user, code: factor, .. }) = found.filter(|_| right) else { return Verdict::Unknown };
        match factor {
            Some(factor) if code.is_empty() => Verdict::NeedsCode(factor.digits),
            Some(factor) if !factor.accepts(code, now) => Verdict::WrongCode(factor.digits),
            _ => Verdict::User(user.name.clone()),
        }
    }

    /// How many digits the one-time codes of a user have; `None`: the user needs none.
    pub(super) fn code_digits(&self, name: &str) -> Option<u32> {
        self.find(name)?.code.as_ref().map(|code| code.digits)
    }

    /// What a user may do with an app; `None`: not even see it.
    pub(super) fn access(&self, name: &str, app_id: &str) -> Option<Access> {
        if self.is_empty() {
            return name.is_empty().then_some(Access::Full);
        }
        let user = &self.find(name)?.user;
        let of_app = match &user.apps {
            None => false,
            Some(apps) => apps.iter().find(|app| app.app_id == app_id)?.read_only,
        };
        Some(if user.read_only || of_app { Access::ReadOnly } else { Access::Full })
    }
}

/// So that a comparison takes the same time for every length.
fn digest_of(text: &str) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, text.as_bytes());
    hash.as_ref().try_into().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rights_follow_the_entry() {
        let users = json!([
            {"user": "ann", "pass": "a"},
            {"user": "bob", "pass": "b", "readOnly": true},
            {"user": "cid", "pass": "c", "apps": [{"appId": "x"}, {"appId": "y", "readOnly": true}]},
        ]);
        let users = Users::read(Some(users), false).unwrap();
        assert_eq!(users.access("ann", "x"), Some(Access::Full));
        assert_eq!(users.access("bob", "x"), Some(Access::ReadOnly));
        assert_eq!(users.access("cid", "x"), Some(Access::Full));
        assert_eq!(users.access("cid", "y"), Some(Access::ReadOnly));
        assert_eq!(users.access("cid", "z"), None);
        assert_eq!(users.access("", "x"), None);
        assert_eq!(users.mark(""), None);
        assert_eq!(users.verify("ann", "a", "", 0), Verdict::User("ann".into()));
        for (name, password) in [("ann", "b"), ("ann", ""), ("", ""), ("dan", "a"), ("Ann", "a")] {
            assert_eq!(users.verify(name, password, "", 0), Verdict::Unknown);
        }
    }

    #[test]
    fn a_hash_and_a_code() {
        let hash = bcrypt::hash("p", 4).unwrap();
        // The secret and the code at 59 s of RFC 6238, appendix B.
        let user = json!({"user": "ann", "pass": hash, "mfa": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "mfaDigits": 8});
        let users = Users::read(Some(json!([user])), true).unwrap();
        assert_eq!(users.verify("ann", "p", "", 59_000), Verdict::NeedsCode(8));
        assert_eq!(users.verify("ann", "p", "94287083", 59_000), Verdict::WrongCode(8));
        assert_eq!(users.verify("ann", "p", "94287082", 59_000), Verdict::User("ann".into()));
        assert_eq!(users.verify("ann", &hash, "94287082", 59_000), Verdict::Unknown);
        assert_eq!(users.verify("ann", "q", "94287082", 59_000), Verdict::Unknown);
    }

    #[test]
    fn a_bad_entry_is_named_without_its_password() {
        for bad in [
            json!({}),
            json!([{"user": "ann"}]),
            json!([{"user": "", "pass": "geheim"}]),
            json!([{"user": "ann", "pass": "geheim"}, {"user": "ann", "pass": "geheim"}]),
            json!([{"user": "ann", "pass": "geheim", "mfa": "!"}]),
            json!([{"user": "ann", "pass": "geheim", "apps": "x"}]),
        ] {
            let error = Users::read(Some(bad), false).err().unwrap();
            assert!(error.starts_with("dashboard.users") && !error.contains("geheim"), "{error}");
        }
        assert!(Users::read(Some(json!([{"user": "ann", "pass": "geheim"}])), true).is_err());
        assert!(Users::read(None, true).unwrap().is_empty());
    }
}
