//! Hands mails to a mail adapter of the app, in JavaScript: `sendVerificationEmail`, `sendPasswordResetEmail`, `sendMail`.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::message::Composer;
use super::{EmailAdapter, Mail, OwnMail, SendError};
use crate::adapters::cloud::module::{Modules, OwnModule};
use crate::adapters::cloud::node::CloudError;

/// An adapter of the app.
#[derive(Debug)]
pub struct JavaScript {
    module: Arc<OwnModule>,
    composer: Composer,
}

impl JavaScript {
    /// The adapter that a module makes with these options.
    ///
    /// # Errors
    /// A text for the person who configured it.
    pub fn open(module: &str, options: &Map<String, Json>, modules: &Modules) -> Result<Self, String> {
        let composer = Composer::open(module, &Map::new(), Some("reparse <noreply@localhost>"))?;
        let module = modules.name("emailAdapter", module, Some(options.clone().into()));
        Ok(Self { module, composer })
    }

    async fn call(&self, method: &str, told: Json) -> Result<(), SendError> {
        match self.module.call_json(Some(method), vec![told]).await {
            Ok(_) => Ok(()),
            Err(CloudError::Thrown(thrown)) => Err(SendError::Permanent(format!("{method}: {}", thrown.message))),
            Err(error) => Err(SendError::Temporary(format!("{method}: {error}"))),
        }
    }
}

impl EmailAdapter for JavaScript {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let (method, mut told) = self.composer.told(mail, |method| self.module.has(method));
            if method != "sendMail" {
                let mut user = mail.user.as_object().cloned().unwrap_or_default();
                user.insert("__type".to_owned(), "Object".into());
                user.insert("className".to_owned(), crate::model::names::USER.into());
                told.insert("user".to_owned(), user.into());
            }
            self.call(method, told.into()).await
        })
    }

    fn send_own<'a>(&'a self, mail: &'a OwnMail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { self.call("sendMail", mail.fields.clone().into()).await })
    }
}
