//! External services of the domain, besides the store.

use std::sync::Arc;

use crate::adapters::audit::AuditLog;
use crate::adapters::auth::Providers;
use crate::adapters::backup::Backups;
use crate::adapters::cloud::module::{Decision, OwnModule};
use crate::adapters::cloud::webhook::WebHooks;
use crate::adapters::dashboard::Installed;
use crate::adapters::email::outbox::Outbox;
use crate::adapters::files::FileStore;
use crate::adapters::push::PushSender;
use crate::adapters::redis::Channels;

/// External services that features call.
#[derive(Debug)]
pub struct Services {
    /// Keeps the audit log.
    pub audit: Option<Arc<AuditLog>>,
    /// Sends mail.
    pub email: Option<Arc<Outbox>>,
    /// Identity providers.
    pub providers: Providers,
    /// Stores files.
    pub files: Option<Arc<dyn FileStore>>,
    /// Sends pushes.
    pub push: Option<Arc<dyn PushSender>>,
    /// Channels between servers.
    pub channels: Channels,
    /// Parse Dashboard, if the server hosts it.
    pub dashboard: Option<Installed>,
    /// Makes backups, if the options say when.
    pub backups: Option<Backups>,
    /// Calls web hooks.
    pub web_hooks: Arc<WebHooks>,
    /// Functions of the app that options name.
    pub callbacks: Callbacks,
    /// Receives events.
    pub analytics: Option<Arc<OwnModule>>,
}

/// Functions of the app that are asked about users.
#[derive(Debug)]
pub struct Callbacks {
    /// Whether an email address must be verified: `verifyUserEmails`.
    pub verify_email: Decision,
    /// Whether a user cannot log in before: `preventLoginWithUnverifiedEmail`.
    pub prevent_log_in: Decision,
    /// Whether a mail is sent for it: `sendUserEmailVerification`.
    pub send_verification: Decision,
    /// Whether a password is good enough: `passwordPolicy.validatorCallback`.
    pub judge_password: Option<Arc<OwnModule>>,
}
