//! The caller of a request. It is determined once per request, in the same way for every protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use poem::Request;
use poem::http::HeaderMap;
use poem::http::uri::Scheme;

use super::answer::RequestId;
use super::client::{self, Own};
use super::credentials;
use super::dashboard_session;
use super::gate::rate_limit::Identity;
use super::handed::Handed;
use super::record::RequestRecord;
use crate::config::Options;
use crate::domain::features::dashboard::Session;
use crate::domain::features::sessions::open_context;
use crate::domain::kernel::app::App;
use crate::domain::kernel::audit::{Deed, What};
use crate::domain::kernel::auth::{self, Auth, Credentials, TokenUse};
use crate::domain::kernel::context::{Client, Context};
use crate::domain::kernel::noting;
use crate::error::Result;

/// The caller's claims in a request, before they are checked.
#[derive(Clone)]
pub struct Caller {
    /// Keys and tokens.
    pub credentials: Credentials,
    /// Address of the caller and of the server.
    pub client: Client,
    /// Whether the caller's address is that of the connection, not one from a proxy's header.
    pub direct: bool,
    /// What becomes known of the request.
    pub record: RequestRecord,
    /// The session of the dashboard, if one of its pages sent the request.
    dashboard: Option<Session>,
}

impl std::fmt::Debug for Caller {
    /// Omits the credentials.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Caller").field("direct", &self.direct).finish_non_exhaustive()
    }
}

impl Caller {
    /// Reads headers and addresses of a request.
    ///
    /// # Errors
    /// 107 if the context for triggers is not a JSON object.
    pub fn of(request: &Request, app: &App) -> Result<Self> {
        let headers = request.headers();
        let mut caller = Self::without_keys(request, &app.options);
        caller.read(headers, app)?;
        caller.dashboard = dashboard_session::session(app, headers);
        caller.client.log_id = request.data::<RequestId>().map(|id| id.0.clone());
        Ok(caller)
    }

    /// Reads what headers claim, in place of what was claimed before.
    ///
    /// # Errors
    /// 107 if the context for triggers is not a JSON object.
    pub fn read(&mut self, headers: &HeaderMap, app: &App) -> Result<()> {
        self.credentials = credentials::from_headers(headers, &app.options.keys.app_id);
        self.client.cloud_context = credentials::cloud_context(headers)?;
        self.client.headers = (!app.triggers.is_empty()).then(|| Arc::new(client::headers(headers)));
        self.client.request_id = text(headers, "x-parse-request-id");
        Ok(())
    }

    /// Reads only the addresses, for routes that are open to everyone.
    #[must_use]
    pub fn without_keys(request: &Request, options: &Options) -> Self {
        let peer =
            request.remote_addr().as_socket_addr().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let own =
            Own { address: request.local_addr().as_socket_addr().copied(), https: *request.scheme() == Scheme::HTTPS };
        let origin = match request.data::<Handed>() {
            Some(handed) => client::handed_origin(&options.server, handed, request.headers()),
            None => client::origin(&options.server, peer, own, request.headers()),
        };
        let record = RequestRecord::of(request);
        record.set_address(origin.ip);
        Self {
            credentials: Credentials::default(),
            client: Client {
                ip: origin.ip,
                base_url: origin.base_url,
                depth: client::depth(request.headers()),
                ..Client::default()
            },
            direct: !origin.forwarded,
            record,
            dashboard: None,
        }
    }

    /// Whether a header contains the application id.
    #[must_use]
    pub fn names_application(&self, options: &Options) -> bool {
        self.credentials.application_id.as_deref() == Some(options.keys.app_id.as_str())
    }

    /// Checks the keys, not the session.
    ///
    /// # Errors
    /// 403 for an unknown application, a missing client key, or a key that is not allowed from the caller's address.
    pub fn auth(&self, app: &App) -> Result<Auth> {
        let page =
            self.dashboard.as_ref().and_then(|session| dashboard_session::rights(app, session, &self.credentials));
        if let Some(auth) = page {
            return auth::admit_address(app, &auth, self.client.ip).map(|()| auth);
        }
        let auth = auth::standing(app, &self.credentials, self.client.ip);
        let claims = self.credentials.master_key.is_some() || self.credentials.maintenance_key.is_some();
        if claims && !auth.as_ref().is_ok_and(Auth::is_master) {
            noting::note_client(app, &self.client, Deed::new(What::KeyRefused));
        }
        auth
    }

    /// Checks a master key on a route that needs none. A caller who would be refused elsewhere is anonymous.
    #[must_use]
    pub fn optional_auth(&self, app: &App) -> Auth {
        if self.credentials.master_key_in_header { self.auth(app).unwrap_or(Auth::Anonymous) } else { Auth::Anonymous }
    }

    /// The caller as rate limits see it.
    #[must_use]
    pub const fn identity<'a>(&self, auth: &'a Auth) -> Identity<'a> {
        Identity { ip: self.client.ip, direct: self.direct, auth }
    }

    /// Opens the context of the request, which looks up the session.
    ///
    /// # Errors
    /// 209 if the token is unknown or has expired.
    pub async fn open(mut self, app: &Arc<App>, auth: Auth, token: TokenUse) -> Result<Context> {
        self.client.dashboard = self.dashboard.filter(|_| auth.is_master()).map(|session| session.user);
        let cx = open_context(app, auth, self.credentials, token, self.client).await?;
        self.record.set_caller(&cx);
        Ok(cx)
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .filter(|text| !text.is_empty())
}
