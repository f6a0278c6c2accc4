//! The master key, where a function of the app gives it (`"masterKey": {"module": …}`).

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::{StartError, cloud};
use crate::adapters::cloud::module::Modules;
use crate::adapters::cloud::node::{Cloud, CloudOptions, Host, LogLine, Origin, RestRequest, RestResponse};
use crate::config::code::Key;
use crate::config::{Options, Secret};
use crate::error::ParseError;
use crate::random::Random;

/// The name of the option, and of what asks.
pub(super) const OPTION: &str = "masterKey";

/// Puts the key that the function gives in its place in the options: what is made of the key at the start needs it. Returns the name
/// of the module, which may be asked again.
///
/// # Errors
/// When there is no Node, or the function gives no key, or one that is the key for something else.
pub(super) async fn ask(options: &mut Options, random: &dyn Random) -> Result<Option<String>, StartError> {
    let Key::Asked(function) = &options.keys.master_key else { return Ok(None) };
    let module = function.module.clone();
    let key = given(options, &module, random).await?;
    options.keys.master_key = Key::Text(key);
    options.check_keys().map_err(|error| StartError::Configuration(error.to_string()))?;
    Ok(Some(module))
}

/// Asks in a process of its own, which ends right after: the one of the cloud code is told the key when it starts.
async fn given(options: &Options, module: &str, random: &dyn Random) -> Result<Secret, StartError> {
    let timeout = Duration::from_millis(options.own.cloud_timeout_ms);
    let source = cloud::one_process(options)?;
    let process =
        Cloud::start(CloudOptions { call_timeout: timeout, ..CloudOptions::new(source) }, Arc::new(Alone), random);
    let process = process.await.map_err(StartError::Configuration)?;
    let modules = Modules::default();
    let function = modules.name(OPTION, module, None);
    let answer = match modules.load(&process).await {
        Ok(()) => function.call_json(None, Vec::new()).await.map_err(|error| error.reason()),
        Err(reason) => Err(reason),
    };
    process.shutdown().await;
    match answer.map(|key| key.as_ref().and_then(Json::as_str).filter(|key| !key.is_empty()).map(Secret::new)) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(StartError::Configuration(format!("option {OPTION}: {module}: it gave no text"))),
        Err(reason) => Err(StartError::Configuration(format!("option {OPTION}: {module}: {reason}"))),
    }
}

/// The server before it is one: it offers a process nothing but its log.
struct Alone;

fn not_yet() -> ParseError {
    ParseError::unavailable("The server has not started yet.", 1)
}

impl Host for Alone {
    fn rest(&self, _origin: Origin, _request: RestRequest) -> BoxFuture<'_, RestResponse> {
        Box::pin(async move {
            let error = not_yet();
            RestResponse { status: error.status, ..RestResponse::default() }
        })
    }

    fn send_email(&self, _mail: Json) -> BoxFuture<'_, Result<(), ParseError>> {
        Box::pin(async move { Err(not_yet()) })
    }

    fn user_roles<'a>(&'a self, _user: &'a str) -> BoxFuture<'a, Result<Vec<String>, ParseError>> {
        Box::pin(async move { Err(not_yet()) })
    }

    fn job_message<'a>(&'a self, _job: &'a str, _message: &'a str) -> BoxFuture<'a, Result<(), ParseError>> {
        Box::pin(async move { Err(not_yet()) })
    }

    fn options(&self) -> Map<String, Json> {
        Map::new()
    }

    fn set_options(&self, _options: Map<String, Json>) -> BoxFuture<'_, Result<(), ParseError>> {
        Box::pin(async move { Err(not_yet()) })
    }

    fn log(&self, line: &LogLine<'_>) {
        cloud::write(line);
    }
}
