//! Parse Dashboard: who may use it, with which rights, and what its pages are told.

mod attempts;
mod session;
mod settings;
mod users;

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Map, Value as Json, json};
use tokio::sync::Semaphore;

pub use crate::adapters::dashboard::PublicFile;
use crate::adapters::dashboard::{Compressed, Package};
use crate::bounded_cache::BoundedCache;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::feature::Feature;
use crate::domain::kernel::services::Services;
use crate::error::{ErrorCode, ParseError, Result};
use attempts::Attempts;
use session::Seal;
pub use session::Session;
use settings::Settings;
use users::Users;
pub use users::Verdict;

/// One-time codes that are remembered, and for how long: longer than any is valid.
const CODES: u64 = 10_000;
const CODE_LIFE: Duration = Duration::from_hours(1);
/// Passwords that are verified at the same time.
const VERIFIED_AT_ONCE: usize = 1;

/// The dashboard of a server that hosts one.
pub struct Dashboard {
    package: Package,
    compressed: Compressed,
    settings: Settings,
    users: Users,
    seal: Seal,
    attempts: Attempts,
    /// One-time codes that let somebody in.
    codes: BoundedCache<()>,
    turns: Semaphore,
}

/// The dashboard, if the server hosts one, or what is wrong with its configuration.
struct Hosted(std::result::Result<Option<Dashboard>, String>);

/// The dashboard, for the kernel.
#[must_use]
pub fn feature(options: &Options, services: &Services) -> Feature {
    let installed = services.dashboard.clone();
    let opened = installed.map(|installed| Dashboard::open(options, installed.package, installed.settings)).transpose();
    Feature::new("dashboard").state(Hosted(opened))
}

impl Dashboard {
    /// The dashboard of an app, if it has one.
    ///
    /// # Errors
    /// A message for the administrator, if the configuration is wrong.
    pub fn of(app: &App) -> std::result::Result<Option<&Self>, String> {
        let Hosted(opened) = app.feature::<Hosted>().map_err(|error| error.to_string())?;
        opened.as_ref().map(Option::as_ref).map_err(Clone::clone)
    }

    /// The dashboard of the options. `file`: its own configuration file.
    ///
    /// # Errors
    /// A message for the administrator.
    fn open(options: &Options, package: Package, file: Map<String, Json>) -> std::result::Result<Self, String> {
        let own = &options.own.dashboard;
        let listed = own.users.as_ref().map(|users| users.0.clone()).or_else(|| file.get("users").cloned());
        let encrypted = own.use_encrypted_passwords || file.get("useEncryptedPasswords") == Some(&Json::Bool(true));
        Ok(Self {
            package,
            compressed: Compressed::default(),
            users: Users::read(listed, encrypted)?,
            settings: Settings::new(options, file),
            seal: Seal::new(options.keys.master_key.expose(), own.session_ms),
            attempts: Attempts::default(),
            codes: BoundedCache::living(CODES, CODE_LIFE),
            turns: Semaphore::new(VERIFIED_AT_ONCE),
        })
    }

    /// Whether users log in. If none are configured, this machine has access without.
    #[must_use]
    pub fn has_users(&self) -> bool {
        !self.users.is_empty()
    }

    /// Checks name, password and one-time code of a user. An address that fails too often has to wait.
    ///
    /// # Errors
    /// 429 for an address that has to wait; 503 if too many log ins are being checked.
    pub async fn log_in(&self, ip: IpAddr, name: &str, password: String, code: &str, now: i64) -> Result<Verdict> {
        self.attempts.check(ip, now)?;
        let turn = tokio::time::timeout(Duration::from_secs(10), self.turns.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(ParseError { retry_after: Some(5), ..ParseError::http(503, "Too many log ins.") });
        };
        // Others of this address may have failed while this one waited: many at once are no more guesses than one after the other.
        self.attempts.check(ip, now)?;
        let users = self.users.clone();
        let (name, code) = (name.to_owned(), code.to_owned());
        let code_given = code.clone();
        // bcrypt takes a while.
        let verdict = tokio::task::spawn_blocking(move || users.verify(&name, &password, &code, now));
        let verdict = verdict.await.map_err(|error| ParseError::internal(error.to_string()))?;
        // Whoever saw somebody type a code has no use for it.
        let verdict = match verdict {
            Verdict::User(name) if self.is_used(&name, &code_given) => {
                Verdict::WrongCode(self.users.code_digits(&name).unwrap_or_default())
            }
            verdict => verdict,
        };
        match &verdict {
            Verdict::User(_) => self.attempts.forget(ip),
            // The password was right; the code is still to come.
            Verdict::NeedsCode(_) => {}
            Verdict::Unknown | Verdict::WrongCode(_) => self.attempts.count(ip, now),
        }
        Ok(verdict)
    }

    /// Whether a code has let its user in before. If not, it has now.
    fn is_used(&self, user: &str, code: &str) -> bool {
        self.users.code_digits(user).is_some() && !self.codes.is_new(format!("{}:{user}{code}", user.len()))
    }

    /// A session of a user who has logged in; of whoever is at this machine, without users. `nonce`: random.
    #[must_use]
    pub fn start(&self, user: &str, nonce: String, now: i64) -> Session {
        self.seal.start(user, self.users.mark(user), nonce, now)
    }

    /// A visit before the log in: it has a token against forged forms, and no rights.
    #[must_use]
    pub fn visit(&self, nonce: String, now: i64) -> Session {
        self.seal.start("", None, nonce, now)
    }

    /// The session of a cookie, unless it has ended, or the user's entry has changed since.
    #[must_use]
    pub fn session(&self, cookie: &str, now: i64) -> Option<Session> {
        let session = self.seal.open(cookie, now)?;
        (session.mark == self.users.mark(&session.user) || session.mark.is_none()).then_some(session)
    }

    /// The same session with a new end.
    #[must_use]
    pub fn renew(&self, session: &Session, now: i64) -> Session {
        self.seal.renew(session, now)
    }

    /// What a cookie holds.
    #[must_use]
    pub fn cookie(&self, session: &Session) -> String {
        self.seal.cookie(session)
    }

    /// The token that forms and requests of the pages of a session carry.
    #[must_use]
    pub fn form_token(&self, session: &Session) -> String {
        self.seal.form_token(session)
    }

    /// Whether a request that claims this master key, with the cookie of this session, is one of its pages. `None`: it is not;
    /// otherwise the rights of the session.
    #[must_use]
    pub fn rights(&self, session: &Session, claimed: &str) -> Option<Auth> {
        let known = session.mark.is_some() && self.seal.is_page_key(session, claimed);
        match known.then(|| self.users.access(&session.user, &self.settings.app_id))?? {
            users::Access::Full => Some(Auth::Master),
            users::Access::ReadOnly => Some(Auth::ReadOnlyMaster),
        }
    }

    /// What the pages are told: the apps that the user may see. The app of this server has a key that is worth nothing without the
    /// cookie of the session. `base`: scheme and host as the browser sees them.
    ///
    /// # Errors
    /// 119 if the session has no rights; 1 if another app has no key for a read-only user.
    pub fn configuration(&self, session: &Session, base: &str) -> Result<Json> {
        if session.mark.is_none() {
            return Err(ParseError::new(ErrorCode::OperationForbidden, "Log in first."));
        }
        let key = self.seal.page_key(session);
        let mut apps = Vec::new();
        for app in self.settings.apps(base, &key) {
            let id = app.get("appId").and_then(Json::as_str).unwrap_or_default().to_owned();
            if let Some(access) = self.users.access(&session.user, &id) {
                apps.push(if id == self.settings.app_id { app } else { settings::elsewhere(app, access)? });
            }
        }
        Ok(json!({ "apps": apps, "newFeaturesInLatestVersion": [] }))
    }

    /// Whether the pages may keep what they load in a cache of their own.
    #[must_use]
    pub fn caches_files(&self) -> bool {
        self.settings.caches_files
    }

    /// A file that the pages load, by its path below that of the dashboard.
    pub async fn file(&self, path: &str) -> Option<PublicFile> {
        if let Some(icon) = path.strip_prefix("appicons/") {
            return PublicFile::find(self.settings.icons.as_deref()?, icon).await;
        }
        let served = path.starts_with("bundles/") || matches!(path, "favicon.ico" | "sw.js");
        if served { self.package.file(path).await } else { None }
    }

    /// A file compressed with gzip, for whoever takes it; `None`: it is sent as it is.
    pub async fn compressed(&self, file: &PublicFile) -> Option<Bytes> {
        if file.is_compressible() { self.compressed.of(file).await } else { None }
    }
}

impl std::fmt::Debug for Dashboard {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Dashboard").field("package", &self.package).finish_non_exhaustive()
    }
}
