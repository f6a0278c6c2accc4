//! Own code that checks identities: a module in JavaScript, or code behind an address, called by `POST url/<method>` with
//! `{"args":[…]}`.
//!
//! Methods and their arguments are those of parse-server's adapters. An answer of an address is `{"ok":true,"result":…}`, where
//! `"isUndefined":true` stands for no result, or `{"error":{"message","code"}}`.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use reqwest::Url;
use serde_json::{Map, Value as Json, json};

use super::{Attempt, AuthAdapter, Outcome, Policy, Step};
use crate::adapters::cloud::module::{Modules, OwnModule};
use crate::adapters::http::{self, Caller};
use crate::error::{ErrorCode, ParseError, Result};

/// The service.
#[derive(Debug)]
pub struct OwnCode {
    place: Location,
    /// What the code sees as its options.
    shown: Json,
    app_ids: Option<Json>,
    policy: Option<String>,
}

/// Where it is.
#[derive(Debug)]
enum Location {
    Address { caller: Caller, url: Url, methods: Vec<String> },
    Module(Arc<OwnModule>),
}

impl OwnCode {
    /// An adapter of the app: a module that is made with the setting `options`, and sees all settings.
    #[must_use]
    pub fn module(name: &str, module: &str, settings: &Map<String, Json>, modules: &Modules) -> Self {
        let options = settings.get("options").cloned().unwrap_or_else(|| json!({}));
        let module = modules.name(&format!("auth.{name}"), module, Some(options));
        let policy = settings.get("policy").and_then(Json::as_str).map(str::to_owned);
        let app_ids = settings.get("appIds").cloned();
        Self { place: Location::Module(module), shown: Json::Object(settings.clone()), app_ids, policy }
    }

    /// Code behind an address. Settings: `options: {url, methods, props}` (`props`: properties such as `policy`), `appIds`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let options = settings.get("options").and_then(Json::as_object).ok_or("options must be an object")?;
        let url = options.get("url").and_then(Json::as_str).ok_or("options.url must be an address")?;
        let url = http::address(url.trim_end_matches('/'))?;
        let methods = match options.get("methods") {
            Some(Json::Array(list)) => list.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
            None => vec!["validateAuthData".to_owned()],
            Some(_) => return Err("options.methods must be a list of names".to_owned()),
        };
        let props = options.get("props").and_then(Json::as_object).cloned().unwrap_or_default();
        let app_ids = settings.get("appIds").or_else(|| props.get("appIds")).cloned();
        let policy = settings.get("policy").or_else(|| props.get("policy"));
        let policy = policy.map(|policy| policy.as_str().unwrap_or_default().to_owned());
        let mut shown = props;
        for (key, value) in settings {
            if !matches!(key.as_str(), "module" | "options" | "enabled") {
                shown.insert(key.clone(), value.clone());
            }
        }
        let place = Location::Address { caller: Caller::new()?, url, methods };
        Ok(Self { place, shown: Json::Object(shown), app_ids, policy })
    }

    fn has(&self, method: &str) -> bool {
        match &self.place {
            Location::Address { methods, .. } => methods.iter().any(|known| known == method),
            Location::Module(module) => module.has(method),
        }
    }

    /// Calls a method; `None` if it has no result.
    ///
    /// # Errors
    /// The error of the service; 141 if it cannot be reached.
    pub(super) async fn call(&self, method: &str, args: Json) -> Result<Option<Json>> {
        let (caller, url) = match &self.place {
            Location::Address { caller, url, .. } => (caller, url),
            Location::Module(module) => {
                let Json::Array(args) = args else { return Ok(None) };
                return Ok(module.call_json(Some(method), args).await?.filter(|result| !result.is_null()));
            }
        };
        let mut url = url.clone();
        url.set_path(&format!("{}/{method}", url.path().trim_end_matches('/')));
        let request = caller.post(&url).json(&json!({"args": args}));
        let mut answer = caller.good_json(request).await.map_err(|error| {
            ParseError::new(ErrorCode::ScriptFailed, "The authentication service cannot be reached.").with_source(error)
        })?;
        if let Some(error) = answer.get("error").filter(|error| !error.is_null()) {
            return Err(failure(error));
        }
        if answer.get("isUndefined") == Some(&Json::Bool(true)) {
            return Ok(None);
        }
        Ok(answer.get_mut("result").map(Json::take).filter(|result| !result.is_null()))
    }
}

fn failure(error: &Json) -> ParseError {
    let message = match error {
        Json::String(text) => text.clone(),
        _ => error.get("message").and_then(Json::as_str).unwrap_or("Script failed. Unknown error.").to_owned(),
    };
    let code = error.get("code").and_then(Json::as_i64).and_then(|code| i32::try_from(code).ok());
    ParseError::new(code.and_then(ErrorCode::from_number).unwrap_or(ErrorCode::ScriptFailed), message)
}

impl AuthAdapter for OwnCode {
    fn policy(&self, _stored: Option<&Map<String, Json>>) -> Result<Policy> {
        let of_module = match &self.place {
            Location::Address { .. } => None,
            Location::Module(module) => module.policy(),
        };
        match self.policy.as_deref().or(of_module) {
            None | Some("default") => Ok(Policy::Default),
            Some("solo") => Ok(Policy::Solo),
            Some("additional") => Ok(Policy::Additional),
            Some(_) => Err(ParseError::new(
                ErrorCode::OtherCause,
                "AuthAdapter policy is not configured correctly. The value must be either \"solo\", \"additional\", \"default\" or undefined (will be handled as \"default\")",
            )),
        }
    }

    fn validate<'a>(&'a self, attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            if let Some(app_ids) = &self.app_ids
                && self.has("validateAppId")
            {
                self.call("validateAppId", json!([app_ids, attempt.data, self.shown, attempt.request])).await?;
            }
            self.policy(None)?;
            let method = if self.has("validateAuthData") {
                "validateAuthData"
            } else if ["validateSetUp", "validateLogin", "validateUpdate"].iter().all(|method| self.has(method)) {
                match attempt.step {
                    Step::SetUp => "validateSetUp",
                    Step::Login => "validateLogin",
                    Step::Update => "validateUpdate",
                }
            } else {
                return Err(ParseError::new(
                    ErrorCode::OtherCause,
                    "Adapter is not configured. Implement either validateAuthData or all of the following: validateSetUp, validateLogin and validateUpdate",
                ));
            };
            let mut request = attempt.request.clone();
            if method != "validateAuthData"
                && let Json::Object(request) = &mut request
            {
                request.insert("triggerName".to_owned(), method.into());
            }
            let result = self.call(method, json!([attempt.data, self.shown, request])).await?;
            let Some(Json::Object(mut result)) = result else { return Ok(Outcome::default()) };
            Ok(Outcome {
                exclusive: true,
                refusal: None,
                response: result.remove("response").filter(|response| !response.is_null()),
                save: match result.remove("save") {
                    Some(Json::Object(save)) => Some(save),
                    _ => None,
                },
                do_not_save: result.get("doNotSave") == Some(&Json::Bool(true)),
            })
        })
    }

    fn challenge<'a>(
        &'a self,
        challenge: &'a Json,
        data: Option<&'a Map<String, Json>>,
        request: &'a Json,
    ) -> BoxFuture<'a, Result<Option<Json>>> {
        Box::pin(async move {
            if !self.has("challenge") {
                return Ok(None);
            }
            let data = data.map_or_else(|| json!({"__bridgeUndefined": true}), |data| Json::Object(data.clone()));
            self.call("challenge", json!([challenge, data, self.shown, request])).await
        })
    }

    fn present_remotely<'a>(&'a self, stored: &'a Json, request: &'a Json) -> BoxFuture<'a, Option<Json>> {
        Box::pin(async move {
            let args = match &self.place {
                // The order of parse-server up to 8, which services at an address were written for.
                Location::Address { .. } => json!([request, stored, self.shown.get("options")]),
                Location::Module(_) => json!([stored, self.shown, request]),
            };
            match self.call("afterFind", args).await {
                Ok(shown) => shown,
                Err(error) => {
                    tracing::warn!(%error, "an authentication service failed to return the data to show");
                    // Show nothing rather than too much.
                    Some(json!({}))
                }
            }
        })
    }

    fn asks_before_showing(&self) -> bool {
        self.has("afterFind")
    }
}
