//! Who subscribes: the client of one web socket, or of one request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::domain::features::live_query::{self, Bounds, Connection, Counted, Known, LiveQueries};
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{Auth, TokenUse};
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::graphql::parse::gate::GateCheck;
use crate::http::caller::Caller;

/// A client that may subscribe.
#[derive(Debug)]
pub struct Subscriber {
    /// The app.
    pub app: Arc<App>,
    /// Its live queries.
    pub live: Arc<LiveQueries>,
    /// Rate limits and allowed routes of what it asks.
    pub gate: GateCheck,
    /// What the connection may cost.
    pub bounds: Bounds,
    /// Is cancelled when the client missed events or its key counts no more: its connection must end.
    pub lost: CancellationToken,
    /// With which rights it follows queries.
    pub rights: Arc<live_query::Caller>,
    claims: Caller,
    held: Mutex<Held>,
    asked: AtomicU64,
    _counted: Counted,
}

/// What the requests of a connection hold that run.
#[derive(Debug, Default)]
struct Held {
    requests: usize,
    bytes: usize,
}

/// The share of a request that runs, in what its connection may hold.
#[derive(Debug)]
pub struct Share {
    subscriber: Arc<Subscriber>,
    bytes: usize,
}

impl Subscriber {
    /// Lets a client with these claims in, if its keys and its token are right and the app's code has no objection.
    ///
    /// # Errors
    /// As for any request; what beforeConnect refuses.
    pub async fn admit(app: &Arc<App>, claims: Caller, gate: GateCheck, lost: CancellationToken) -> Result<Self> {
        let live = LiveQueries::of(app)?.clone();
        let cx = open(app, &claims).await?;
        let mut rights = live_query::Caller::new(cx.auth.is_master(), None, cx.session_token.as_deref());
        rights.read_only = cx.auth.is_read_only();
        let rights = Arc::new(rights);
        let connection =
            Connection { session_token: cx.session_token.as_deref(), installation_id: cx.installation_id.as_deref() };
        live.may_connect(app, &rights, Known { id: None, connection, master: rights.master }).await?;
        Ok(Self {
            app: app.clone(),
            gate,
            bounds: Bounds::new(&app.options),
            lost,
            rights,
            claims,
            held: Mutex::default(),
            asked: AtomicU64::new(0),
            _counted: Counted::new(&live.counts),
            live,
        })
    }

    /// The context of one of its requests: the keys and the token may have changed their meaning since the last one.
    ///
    /// # Errors
    /// As for any request.
    pub async fn context(&self) -> Result<Context> {
        open(&self.app, &self.claims).await
    }

    /// Whether the key that made the client master still does: keys change while a server runs, and sessions of the dashboard end. With
    /// session tokens that is asked for each event.
    pub async fn is_still_who_it_was(&self) -> bool {
        if !self.rights.master {
            return true;
        }
        self.app.master_key.renew(&*self.app.clock).await;
        let auth = self.claims.auth(&self.app);
        auth.is_ok_and(|auth| auth.is_master() && auth.is_read_only() == self.rights.read_only)
    }

    /// How the app's code knows the connection.
    #[must_use]
    pub fn connection(&self) -> Connection<'_> {
        let credentials = &self.claims.credentials;
        Connection {
            session_token: credentials.session_token.as_deref(),
            installation_id: credentials.installation_id.as_deref(),
        }
    }

    /// A number for the next subscription.
    pub fn next_id(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes the place of a request of so many bytes.
    ///
    /// # Errors
    /// 155 if the connection has as much under way as it may.
    pub fn share(self: &Arc<Self>, bytes: usize) -> Result<Share> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.requests >= self.bounds.subscriptions || held.bytes.saturating_add(bytes) > self.bounds.condition_bytes
        {
            return Err(ParseError::new(
                ErrorCode::RequestLimitExceeded,
                "The connection has as many subscriptions as it may have",
            ));
        }
        held.requests += 1;
        held.bytes += bytes;
        Ok(Share { subscriber: self.clone(), bytes })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut held = self.subscriber.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.requests = held.requests.saturating_sub(1);
        held.bytes = held.bytes.saturating_sub(self.bytes);
    }
}

async fn open(app: &Arc<App>, claims: &Caller) -> Result<Context> {
    let auth: Auth = claims.auth(app)?;
    claims.clone().open(app, auth, TokenUse::Check).await
}
