//! Who calls: worked out once per request, the same for every protocol.

use std::net::SocketAddr;
use std::sync::Arc;

use poem::Request;
use poem::http::HeaderMap;

use super::answer::RequestId;
use super::client;
use super::credentials;
use super::gate::rate_limit::Identity;
use super::handed::Handed;
use crate::config::Options;
use crate::domain::features::sessions::open_context;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{self, Auth, Credentials, TokenUse};
use crate::domain::kernel::context::{Client, Context};
use crate::error::Result;

/// What a request says of its caller, before any of it is checked.
pub struct Caller {
    /// Keys and tokens.
    pub credentials: Credentials,
    /// Where the request comes from.
    pub client: Client,
    /// Whether the caller's address is that of the connection, not one a proxy told.
    pub direct: bool,
}

impl Caller {
    /// Reads headers and addresses of a request.
    ///
    /// # Errors
    /// 107 when the context for triggers is no JSON object.
    pub fn of(request: &Request, app: &App) -> Result<Self> {
        let headers = request.headers();
        let mut caller = Self::without_keys(request, &app.options);
        caller.credentials = credentials::from_headers(headers, &app.options.keys.app_id);
        caller.client.cloud_context = credentials::cloud_context(headers)?;
        caller.client.headers = (!app.triggers.is_empty()).then(|| Arc::new(client::headers(headers)));
        caller.client.request_id = text(headers, "x-parse-request-id");
        caller.client.log_id = request.data::<RequestId>().map(|id| id.0.clone());
        Ok(caller)
    }

    /// Reads addresses alone: for what is open to everybody.
    #[must_use]
    pub fn without_keys(request: &Request, options: &Options) -> Self {
        let peer =
            request.remote_addr().as_socket_addr().copied().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        let local = request.local_addr().as_socket_addr().copied();
        let origin = match request.data::<Handed>() {
            Some(handed) => client::handed_origin(&options.server, handed, request.headers()),
            None => client::origin(&options.server, peer, local, request.headers()),
        };
        Self {
            credentials: Credentials::default(),
            client: Client {
                ip: origin.ip,
                base_url: origin.base_url,
                depth: client::depth(request.headers()),
                ..Client::default()
            },
            direct: !origin.forwarded,
        }
    }

    /// Whether a header names the application.
    #[must_use]
    pub fn names_application(&self, options: &Options) -> bool {
        self.credentials.application_id.as_deref() == Some(options.keys.app_id.as_str())
    }

    /// Checks the keys; the session is not looked at.
    ///
    /// # Errors
    /// 403 for an unknown application, a missing client key, or a key that may not come from the caller's address.
    pub fn auth(&self, app: &App) -> Result<Auth> {
        auth::standing(app, &self.credentials, self.client.ip)
    }

    /// Checks a master key in a header where none is needed: whoever would be refused elsewhere is anonymous.
    #[must_use]
    pub fn optional_auth(&self, app: &App) -> Auth {
        if self.credentials.master_key_in_header { self.auth(app).unwrap_or(Auth::Anonymous) } else { Auth::Anonymous }
    }

    /// As rate limits know the caller.
    #[must_use]
    pub const fn identity<'a>(&self, auth: &'a Auth) -> Identity<'a> {
        Identity { ip: self.client.ip, direct: self.direct, auth }
    }

    /// The context of the request: looks the session up.
    ///
    /// # Errors
    /// 209 when the token is unknown or has expired.
    pub async fn open(self, app: &Arc<App>, auth: Auth, token: TokenUse) -> Result<Context> {
        open_context(app, auth, self.credentials, token, self.client).await
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
        .filter(|text| !text.is_empty())
}
