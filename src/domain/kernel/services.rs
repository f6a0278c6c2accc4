//! What the domain needs of other machines, besides the store.

use std::sync::Arc;

use crate::adapters::auth::Providers;
use crate::adapters::cloud::webhook::WebHooks;
use crate::adapters::email::outbox::Outbox;
use crate::adapters::files::FileStore;
use crate::adapters::push::PushSender;

/// Services outside of the server that features call.
#[derive(Debug)]
pub struct Services {
    /// Sends mail.
    pub email: Option<Arc<Outbox>>,
    /// Providers of identities.
    pub providers: Providers,
    /// Keeps files.
    pub files: Option<Arc<dyn FileStore>>,
    /// Sends pushes.
    pub push: Option<Arc<dyn PushSender>>,
    /// Calls web hooks.
    pub web_hooks: Arc<WebHooks>,
}
