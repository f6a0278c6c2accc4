//! State of the feature: for the lifetime of the server, and for one write.

use std::sync::Arc;

use super::password::Hasher;
use super::unknown_names::UnknownNames;
use crate::adapters::auth::Providers;
use crate::adapters::email::outbox::Outbox;
use crate::domain::kernel::services::Callbacks;
use crate::model::object::Object;

/// State for the lifetime of the server.
pub struct Users {
    /// Password hashing.
    pub hasher: Hasher,
    /// Identity providers.
    pub providers: Providers,
    /// Failed log ins under names that no user has.
    pub unknown_names: UnknownNames,
    /// Sends mail.
    pub outbox: Option<Arc<Outbox>>,
    /// Functions of the app that are asked about users.
    pub callbacks: Callbacks,
}

/// State of a write of a user, passed from one stage to later ones.
#[derive(Default)]
pub(super) struct UserState {
    /// Responses of providers for the client; `None` if the request contains no `authData` that changes anything.
    pub auth_data_response: Option<Object>,
    /// Providers that the caller logged in or signed up with, separated by commas; `None` for a password.
    pub auth_provider: Option<String>,
    /// Whether the password of an existing user changes, so that its sessions are deleted.
    pub password_changed: bool,
    /// Whether an external service identified the user in this request.
    pub proves_identity: bool,
    /// Whether a verification mail must be sent.
    pub verify_email: bool,
    /// A session token for the response.
    pub session_token: Option<String>,
}
