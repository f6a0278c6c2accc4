//! What the feature keeps: for the whole time the server runs, and for one write.

use std::sync::Arc;

use super::password::Hasher;
use crate::adapters::auth::Providers;
use crate::adapters::email::outbox::Outbox;
use crate::model::object::Object;

/// What the feature keeps while the server runs.
pub struct Users {
    /// Password hashing.
    pub hasher: Hasher,
    /// Providers of identities.
    pub providers: Providers,
    /// Sends mail.
    pub outbox: Option<Arc<Outbox>>,
}

/// What one stage of a user's write finds out for later ones.
#[derive(Default)]
pub(super) struct UserState {
    /// What providers answer the client; `None`: no authData was sent, or none that changes anything.
    pub auth_data_response: Option<Object>,
    /// Providers that the caller logged in or signed up with, comma separated; `None`: by password.
    pub auth_provider: Option<String>,
    /// The password of an existing user changes: sessions end.
    pub password_changed: bool,
    /// Another service said in this request who the user is.
    pub proves_identity: bool,
    /// The user's address is to be verified: a mail goes out.
    pub verify_email: bool,
    /// A token for the answer.
    pub session_token: Option<String>,
}
