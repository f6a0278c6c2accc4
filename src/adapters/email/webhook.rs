//! Posts mails to a service of the application: `POST url/<method>` with `{"mail":…,"userJSON":…}`.

use futures_util::future::BoxFuture;
use reqwest::Url;
use serde_json::{Map, Value as Json, json};

use super::message::Composer;
use super::{EmailAdapter, Mail, OwnMail, SendError, only, text};
use crate::adapters::http::{self, Caller};

/// The service.
#[derive(Debug)]
pub struct Webhook {
    caller: Caller,
    url: Url,
    methods: Vec<String>,
    composer: Composer,
}

impl Webhook {
    /// Options: `url`; `methods`, those of `sendMail`, `sendVerificationEmail` and `sendPasswordResetEmail` that it
    /// implements (default: `sendMail`); `templates`, for the texts that `sendMail` receives.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(options: &Map<String, Json>) -> Result<Self, String> {
        only(options, "webhook", &["url", "methods", "templates"])?;
        let url = http::address(text(options, "webhook", "url")?.trim_end_matches('/'))
            .map_err(|error| format!("emailAdapter webhook: {error}"))?;
        let methods = match options.get("methods") {
            None | Some(Json::Null) => vec!["sendMail".to_owned()],
            Some(Json::Array(methods)) => methods.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            Some(_) => return Err("emailAdapter webhook: methods must be a list of names".to_owned()),
        };
        let composer = Composer::open("webhook", options, Some("reparse <noreply@localhost>"))?;
        Ok(Self { caller: Caller::new()?, url, methods, composer })
    }

    async fn call(&self, method: &str, body: &Json) -> Result<(), SendError> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}/{method}", self.url.path().trim_end_matches('/')));
        let answer = self.caller.json(self.caller.post(&url).json(body)).await;
        match answer {
            Ok((status, body)) if (200..300).contains(&status) => match body.get("error") {
                None | Some(Json::Null) => Ok(()),
                Some(error) => Err(SendError::Permanent(format!("{method} answered {error}"))),
            },
            Ok((status, _)) if status < 500 => Err(SendError::Permanent(format!("{method} answered status {status}"))),
            Ok((status, _)) => Err(SendError::Temporary(format!("{method} answered status {status}"))),
            Err(error) => Err(SendError::Temporary(error.to_string())),
        }
    }
}

impl EmailAdapter for Webhook {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move {
            let (method, told) = self.composer.told(mail, |method| self.methods.iter().any(|known| known == method));
            self.call(method, &json!({"mail": told, "userJSON": mail.user})).await
        })
    }

    fn send_own<'a>(&'a self, mail: &'a OwnMail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { self.call("sendMail", &json!({"mail": mail.fields})).await })
    }
}
