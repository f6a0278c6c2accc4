//! The caller: credentials and what they permit.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use subtle::ConstantTimeEq as _;

use crate::config::Secret;
use crate::config::network::IpList;
use crate::domain::kernel::app::App;
use crate::error::{ParseError, Result};
use crate::model::object::Object;

/// The authenticated caller.
#[derive(Clone)]
pub enum Auth {
    /// The master key: no permission is checked.
    Master,
    /// The read-only master key: reads like the master key, writes nothing.
    ReadOnlyMaster,
    /// The maintenance key: like the master key, and reads and writes internal fields.
    Maintenance,
    /// A valid session.
    User(Arc<SessionUser>),
    /// A session whose user has been deleted: can only log out.
    Orphan,
    /// An anonymous caller.
    Anonymous,
}

/// The user of a valid session. Has no `Debug`, because it contains the token.
pub struct SessionUser {
    /// The user's `objectId`.
    pub id: String,
    /// The session token.
    pub session_token: String,
    /// The stored row of the user.
    pub row: Arc<Object>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Master => formatter.write_str("Master"),
            Self::ReadOnlyMaster => formatter.write_str("ReadOnlyMaster"),
            Self::Maintenance => formatter.write_str("Maintenance"),
            Self::User(user) => write!(formatter, "User({})", user.id),
            Self::Orphan => formatter.write_str("Orphan"),
            Self::Anonymous => formatter.write_str("Anonymous"),
        }
    }
}

impl Auth {
    /// Whether the caller bypasses permissions: any kind of master key, or the maintenance key.
    #[must_use]
    pub const fn is_master(&self) -> bool {
        matches!(self, Self::Master | Self::ReadOnlyMaster | Self::Maintenance)
    }

    /// Whether the caller has the master key, or the one that only reads. The maintenance key is not enough for what needs the master key
    /// itself: schemas, hooks, logs, sessions of other users.
    #[must_use]
    pub const fn has_master_key(&self) -> bool {
        matches!(self, Self::Master | Self::ReadOnlyMaster)
    }

    /// Whether the caller has the maintenance key.
    #[must_use]
    pub const fn is_maintenance(&self) -> bool {
        matches!(self, Self::Maintenance)
    }

    /// Whether the caller has the read-only master key.
    #[must_use]
    pub const fn is_read_only(&self) -> bool {
        matches!(self, Self::ReadOnlyMaster)
    }

    /// The name of the key whose rights the caller has, for logs.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Master => "master",
            Self::ReadOnlyMaster => "readOnlyMaster",
            Self::Maintenance => "maintenance",
            Self::User(_) | Self::Orphan => "session",
            Self::Anonymous => "none",
        }
    }

    /// The user of the session, if there is one.
    #[must_use]
    pub fn user(&self) -> Option<&SessionUser> {
        if let Self::User(user) = self { Some(user) } else { None }
    }

    /// The `objectId` of the user of the session.
    #[must_use]
    pub fn user_id(&self) -> Option<&str> {
        self.user().map(|user| user.id.as_str())
    }
}

/// The credentials of a request, from headers or body, before they are checked.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Application id.
    pub application_id: Option<String>,
    /// Master key, or read-only master key.
    pub master_key: Option<String>,
    /// Whether the master key was in a header (then a sign up creates no session).
    pub master_key_in_header: bool,
    /// Maintenance key.
    pub maintenance_key: Option<String>,
    /// REST key.
    pub rest_api_key: Option<String>,
    /// JavaScript key.
    pub javascript_key: Option<String>,
    /// Client key of mobile SDKs.
    pub client_key: Option<String>,
    /// Key of .NET clients.
    pub dot_net_key: Option<String>,
    /// Session token.
    pub session_token: Option<String>,
    /// Installation id.
    pub installation_id: Option<String>,
}

/// How the session token of a request is treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// It must be valid if there is one.
    Check,
    /// It is ignored (`/login`).
    Drop,
    /// It is kept but not checked (`GET /sessions/me`).
    Keep,
    /// It is kept if it is a legacy token, otherwise it must be valid (`/upgradeToRevocableSession`).
    Upgrade,
}

/// 403 `{"error":"unauthorized"}`: no or unknown application id, or a wrong client key.
#[must_use]
pub fn unauthorized() -> ParseError {
    ParseError::http(403, "unauthorized")
}

/// Refuses rights that the address may not have.
///
/// # Errors
/// 403 `unauthorized`.
pub fn admit_address(app: &App, auth: &Auth, ip: IpAddr) -> Result<()> {
    let keys = &app.options.keys;
    match auth {
        Auth::Master => allowed_from(ip, &keys.master_key_ips, "masterKey"),
        Auth::ReadOnlyMaster => allowed_from(ip, &keys.read_only_master_key_ips, "readOnlyMasterKey"),
        Auth::Maintenance => allowed_from(ip, &keys.maintenance_key_ips, "maintenanceKey"),
        Auth::User(_) | Auth::Orphan | Auth::Anonymous => Ok(()),
    }
}

fn allowed_from(ip: IpAddr, nets: &IpList, key: &'static str) -> Result<()> {
    if nets.contains(ip) {
        return Ok(());
    }
    tracing::error!(%ip, key, "request refused: the address may not use this key");
    Err(unauthorized())
}

/// Authenticates the caller by its keys, without the session.
///
/// # Errors
/// 403 `unauthorized` for an unknown application, a missing client key, or a master key from an address that is not
/// allowed.
pub fn standing(app: &App, credentials: &Credentials, ip: IpAddr) -> Result<Auth> {
    let keys = &app.options.keys;
    if credentials.application_id.as_deref().is_none_or(|id| id != keys.app_id) {
        return Err(unauthorized());
    }
    let allowed = |nets: &IpList, key: &'static str| allowed_from(ip, nets, key);
    let matches = |given: &Option<String>, key: Option<&Secret>| match (given, key) {
        (Some(given), Some(key)) => {
            !key.expose().is_empty() && bool::from(given.as_bytes().ct_eq(key.expose().as_bytes()))
        }
        _ => false,
    };
    if matches(&credentials.maintenance_key, keys.maintenance_key.as_ref()) {
        allowed(&keys.maintenance_key_ips, "maintenanceKey")?;
        return Ok(Auth::Maintenance);
    }
    if credentials.master_key.as_ref().is_some_and(|given| app.master_key.is(given)) {
        allowed(&keys.master_key_ips, "masterKey")?;
        return Ok(Auth::Master);
    }
    if matches(&credentials.master_key, keys.read_only_master_key.as_ref()) {
        allowed(&keys.read_only_master_key_ips, "readOnlyMasterKey")?;
        return Ok(Auth::ReadOnlyMaster);
    }
    let client_keys = [
        (&keys.rest_api_key, &credentials.rest_api_key),
        (&keys.javascript_key, &credentials.javascript_key),
        (&keys.client_key, &credentials.client_key),
        (&keys.dot_net_key, &credentials.dot_net_key),
    ];
    let configured = client_keys.iter().any(|(key, _)| key.is_some());
    if configured && !client_keys.iter().any(|(key, given)| matches(given, key.as_ref())) {
        return Err(unauthorized());
    }
    Ok(Auth::Anonymous)
}
