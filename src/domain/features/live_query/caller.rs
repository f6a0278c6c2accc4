//! Who subscribes, and with which rights.

use std::sync::Arc;

use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::{Client, Context};
use crate::error::{ErrorCode, Result};

/// Who subscribes: by keys and tokens, which may mean another user, or none, at the next event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Caller {
    /// Whether the master key was given.
    pub master: bool,
    /// Whether that was the read-only one.
    pub read_only: bool,
    /// Session tokens, that of the subscription before that of its connection.
    pub tokens: Vec<Arc<str>>,
}

impl Caller {
    /// A caller with the tokens of a subscription and of its connection.
    #[must_use]
    pub fn new(master: bool, subscription: Option<&str>, connection: Option<&str>) -> Self {
        let mut tokens: Vec<Arc<str>> = Vec::new();
        for token in [subscription, connection].into_iter().flatten().filter(|token| !token.is_empty()) {
            if !tokens.iter().any(|known| &**known == token) {
                tokens.push(token.into());
            }
        }
        Self { master, read_only: false, tokens: if master { Vec::new() } else { tokens } }
    }

    /// The contexts in which the caller may read: one for each user that its tokens stand for now, at least one. A token that is unknown or
    /// has expired, and one whose user is gone, stand for nobody.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn contexts(&self, app: &Arc<App>) -> Result<Vec<Context>> {
        if self.master {
            let auth = if self.read_only { Auth::ReadOnlyMaster } else { Auth::Master };
            return Ok(vec![context(app, auth, None)]);
        }
        let mut contexts: Vec<Context> = Vec::with_capacity(1);
        for token in &self.tokens {
            match app.sessions.user(app, token).await {
                Ok(Some(user)) => {
                    if contexts.iter().all(|known| known.auth.user_id() != Some(&user.id)) {
                        contexts.push(context(app, Auth::User(user), Some(token)));
                    }
                }
                Ok(None) => {}
                Err(error) if error.is(ErrorCode::InvalidSessionToken) => {}
                Err(error) => return Err(error),
            }
        }
        if contexts.is_empty() {
            contexts.push(anonymous(app));
        }
        Ok(contexts)
    }
}

/// The context of somebody without rights of its own.
pub(super) fn anonymous(app: &Arc<App>) -> Context {
    context(app, Auth::Anonymous, None)
}

/// The context of what live queries do with these rights. Files have the addresses that clients see.
pub(super) fn context(app: &Arc<App>, auth: Auth, token: Option<&str>) -> Context {
    let server = &app.options.server;
    let base = server.public_server_url.as_deref().or(server.server_url.as_deref()).unwrap_or_default();
    let client = Client { base_url: base.trim_end_matches('/').to_owned(), ..Client::default() };
    Context::new(app.clone(), auth, token.map(str::to_owned), None, false, client)
}
