//! The services that are built in, chosen by the settings of `@parse/push-adapter`: APNs, FCM, Web Push, Expo.

use std::fmt;
use std::sync::Arc;

use futures_util::future::{BoxFuture, join_all};
use serde_json::{Map, Value as Json};

use super::requests::Sources;
use super::settings::Settings;
use super::{Device, Outcome, Push, PushSender, apns, expo, fcm, web};

/// Sends a payload to devices of one kind.
pub trait Provider: fmt::Debug + Send + Sync {
    /// Sends to these devices; one outcome for each.
    fn send<'a>(&'a self, push: &'a Push, devices: &'a [&'a Device]) -> BoxFuture<'a, Vec<Outcome>>;
}

/// How a provider is opened with its settings.
type Open = fn(&str, &Json, &Sources) -> Result<Arc<dyn Provider>, String>;

/// The kinds of devices, as in `pushType` and `deviceType`, and who sends to them.
const KINDS: &[(&str, Open)] = &[
    ("ios", apple),
    ("osx", apple),
    ("tvos", apple),
    ("watchos", apple),
    ("android", android),
    ("fcm", android),
    ("web", |path, settings, sources| Ok(Arc::new(web::WebPush::open(Settings::new(path, settings)?, sources)?))),
    ("expo", |path, settings, sources| Ok(Arc::new(expo::Expo::open(Settings::new(path, settings)?, sources)?))),
];

/// Most letters of a reason that are logged.
const LONGEST_REASON: usize = 200;

/// The key that makes Firebase the provider.
const FIREBASE: &str = "firebaseServiceAccount";

fn apple(path: &str, settings: &Json, sources: &Sources) -> Result<Arc<dyn Provider>, String> {
    if settings.get(FIREBASE).is_some() {
        return Ok(Arc::new(fcm::Fcm::open(fcm::Platform::Apple, Settings::new(path, settings)?, sources)?));
    }
    Ok(Arc::new(apns::Apns::open(path, settings, sources)?))
}

fn android(path: &str, settings: &Json, sources: &Sources) -> Result<Arc<dyn Provider>, String> {
    if settings.get(FIREBASE).is_none() {
        return Err(format!("option {path}: Firebase service account is required for Android/FCM push notifications"));
    }
    Ok(Arc::new(fcm::Fcm::open(fcm::Platform::Android, Settings::new(path, settings)?, sources)?))
}

/// All providers of a server.
#[derive(Debug)]
pub struct Providers {
    /// By kind of device, in the order of [`KINDS`]; none: not configured.
    by_kind: Vec<Option<Arc<dyn Provider>>>,
    kinds: Vec<String>,
}

impl Providers {
    /// Opens the providers that the option `push` describes.
    ///
    /// # Errors
    /// A text for the person who configured them.
    pub fn open(push: &Map<String, Json>, sources: &Sources) -> Result<Self, String> {
        let known = |key: &str| KINDS.iter().any(|(kind, _)| *kind == key);
        if let Some(key) = push.keys().find(|key| !known(key)) {
            return Err(format!("option push: Push to {key} is not supported"));
        }
        let by_kind: Result<Vec<_>, String> = KINDS
            .iter()
            .map(|(kind, open)| push.get(*kind).map(|it| open(&format!("push.{kind}"), it, sources)).transpose())
            .collect();
        Ok(Self { by_kind: by_kind?, kinds: KINDS.iter().map(|(kind, _)| (*kind).to_owned()).collect() })
    }
}

/// The kind of a device: its `pushType` if that is one of ours, else its `deviceType`.
fn kind_of(device: &Device) -> Option<usize> {
    let index = |name: Option<&str>| KINDS.iter().position(|(kind, _)| Some(*kind) == name);
    index(device.push_type()).or_else(|| index(device.device_type()))
}

impl PushSender for Providers {
    fn push_types(&self) -> Option<&[String]> {
        Some(&self.kinds)
    }

    fn needs_whole_rows(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, push: &'a Push, devices: &'a [Device]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let mut groups: Vec<Vec<&Device>> = KINDS.iter().map(|_| Vec::new()).collect();
            for device in devices.iter().filter(|device| device.token().is_some_and(|token| !token.is_empty())) {
                if let Some(group) = kind_of(device).and_then(|index| groups.get_mut(index)) {
                    group.push(device);
                }
            }
            let sent = self.by_kind.iter().zip(groups).zip(KINDS).filter(|((_, devices), _)| !devices.is_empty());
            let outcomes = join_all(sent.map(async |((provider, devices), (kind, _))| {
                let outcomes = match provider {
                    Some(provider) => provider.send(push, &devices).await,
                    None => fail_all(devices.iter().copied(), &format!("Can not find sender for push type {kind}")),
                };
                log_failures(push, kind, &outcomes);
                outcomes
            }));
            outcomes.await.into_iter().flatten().collect()
        })
    }
}

/// Says how many devices were not reached, and why the first was not; without its token, which some services repeat.
fn log_failures(push: &Push, kind: &str, outcomes: &[Outcome]) {
    let mut failures = outcomes.iter().filter(|outcome| !outcome.transmitted);
    let Some(first) = failures.next() else { return };
    let failed = 1 + failures.count();
    let reason = first.response.get("error").map(Json::to_string).unwrap_or_default();
    let reason = match first.device_token.as_deref() {
        Some(token) if !token.is_empty() => reason.replace(token, "…"),
        _ => reason,
    };
    let reason: String = reason.chars().take(LONGEST_REASON).collect();
    tracing::info!(
        push = push.status_id,
        kind,
        failed,
        of = outcomes.len(),
        reason,
        "a push did not reach all devices"
    );
}

/// The same failure for all devices.
pub fn fail_all<'a>(devices: impl IntoIterator<Item = &'a Device>, error: &str) -> Vec<Outcome> {
    devices.into_iter().map(|device| device.failed(error)).collect()
}
