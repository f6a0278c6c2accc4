//! Apple's push service, asked over HTTP/2.

mod credentials;
mod notification;

pub use notification::{either, given, header_text, is_plain, seconds};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, Request, Url};
use serde_json::Value as Json;

use self::credentials::Signer;
use self::notification::{Dialect, Notification};
use super::providers::{Provider, fail_all};
use super::requests::{Connections, Limits, Requests, Silence, Sources, at_most};
use super::settings::Settings;
use super::{Device, Outcome, Push};
use crate::clock::Clock;

const PRODUCTION: &str = "api.push.apple.com";
const SANDBOX: &str = "api.sandbox.push.apple.com";
/// Requests in flight on the connection of one app. Apple allows about 1000.
const IN_FLIGHT: usize = 500;
/// How often the connection is checked.
const PING: Duration = Duration::from_mins(1);

/// The apps that can be reached, and how.
#[derive(Debug)]
pub struct Apns {
    /// Production first.
    apps: Vec<App>,
    dialect: Dialect,
}

/// How the devices of an app are reached.
struct App {
    /// The identifier of the app; none: any.
    topic: Option<String>,
    production: bool,
    origin: Url,
    requests: Requests,
    signer: Option<Signer>,
    clock: Arc<dyn Clock>,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("App").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl Apns {
    /// Opens one app or a list of apps.
    pub fn open(path: &str, settings: &Json, sources: &Sources) -> Result<Self, String> {
        let native = settings.get("useNativeAPNs") == Some(&Json::Bool(true));
        let dialect = if native { Dialect::Native } else { Dialect::Library };
        let apps: Result<Vec<_>, String> = match settings {
            Json::Array(list) => list
                .iter()
                .enumerate()
                .map(|(index, settings)| {
                    App::open(Settings::new(format!("{path}[{index}]"), settings)?, dialect, sources)
                })
                .collect(),
            settings => App::open(Settings::new(path, settings)?, dialect, sources).map(|app| vec![app]),
        };
        let mut apps = apps?;
        apps.sort_by_key(|app| !app.production);
        Ok(Self { apps, dialect })
    }

    /// The apps that a device with this `appIdentifier` may belong to.
    fn apps_for(&self, identifier: Option<&str>) -> Vec<&App> {
        let exact: Vec<_> =
            self.apps.iter().filter(|app| app.topic.is_some() && app.topic.as_deref() == identifier).collect();
        if exact.is_empty() { self.apps.iter().filter(|app| app.topic.is_none()).collect() } else { exact }
    }

    /// Sends to devices of one app. What fails with one of its settings is tried with the next.
    async fn send_to_app(&self, push: &Push, identifier: Option<&str>, devices: Vec<&Device>) -> Vec<Outcome> {
        let apps = self.apps_for(identifier);
        if apps.is_empty() {
            return fail_all(devices.iter().copied(), "No Provider found");
        }
        let notification = match Notification::new(push, identifier, self.dialect) {
            Ok(notification) => notification,
            Err(error) => return fail_all(devices.iter().copied(), &error),
        };
        let (notification, apps) = (&notification, &apps);
        let in_flight = apps.iter().map(|app| app.requests.in_flight()).min().unwrap_or(1);
        let todo = devices.into_iter().map(|device| send_to_device(device, apps, notification)).collect();
        at_most(in_flight, todo).await
    }
}

impl Provider for Apns {
    fn send<'a>(&'a self, push: &'a Push, devices: &'a [&'a Device]) -> BoxFuture<'a, Vec<Outcome>> {
        Box::pin(async move {
            let mut groups: BTreeMap<Option<&str>, Vec<&Device>> = BTreeMap::new();
            for device in devices {
                groups.entry(device.app_identifier()).or_default().push(device);
            }
            let sent = groups.into_iter().map(|(identifier, devices)| self.send_to_app(push, identifier, devices));
            join_all(sent).await.into_iter().flatten().collect()
        })
    }
}

/// Tries one app after the other.
async fn send_to_device(device: &Device, apps: &[&App], notification: &Notification) -> Outcome {
    let mut error = Refusal::default();
    for app in apps {
        match app.send(device.token().unwrap_or_default(), notification).await {
            Ok(()) => return device.transmitted(Json::Null),
            Err(refusal) => error = refusal,
        }
        // The device may have got the message: another try could bring it a second time.
        if error.silent {
            break;
        }
    }
    device.failed(error.reason)
}

/// Why a device was not reached.
#[derive(Debug, Default)]
struct Refusal {
    reason: String,
    /// There was no answer.
    silent: bool,
}

impl App {
    fn open(mut settings: Settings, dialect: Dialect, sources: &Sources) -> Result<Self, String> {
        settings.ignore(&["useNativeAPNs", "heartBeat"]);
        let bundle = settings.text("bundleId")?;
        let topic = settings.text("topic")?;
        let topic = if dialect == Dialect::Native { topic.or(bundle) } else { bundle.or(topic) };
        let production = settings.flag("production", false)?;
        let signer = Signer::open(&mut settings)?;
        let identity = credentials::identity(&mut settings)?;
        match (&signer, &identity, &topic) {
            (None, Some(_), None) => return Err(settings.wrong("topic", "is missing")),
            (None, None, _) => return Err(settings.wrong_as_a_whole("needs token, cert and key, or pfx")),
            (None, ..) if dialect == Dialect::Native => return Err(settings.wrong("token", "is missing")),
            (.., None) if dialect == Dialect::Native => return Err(settings.wrong("topic", "is missing")),
            _ => {}
        }
        let host =
            settings.text("address")?.unwrap_or_else(|| if production { PRODUCTION } else { SANDBOX }.to_owned());
        let port = settings.number("port")?.unwrap_or(443);
        let origin = format!("https://{host}:{port}/3/device/");
        let origin = Url::parse(&origin).map_err(|error| settings.wrong("address", &format!("is none: {error}")))?;
        let limits = Limits {
            in_flight: IN_FLIGHT,
            repeats: u32::try_from(settings.number("connectionRetryLimit")?.unwrap_or(3)).unwrap_or(u32::MAX).min(10),
            timeout: settings.millis("requestTimeout", Duration::from_secs(5))?,
            answer_bytes: 16 << 10,
        };
        let mut client = Connections::read(&mut settings)?
            .client()
            .http2_prior_knowledge()
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_while_idle(true)
            .https_only(true);
        // A token counts more than a certificate.
        if let Some(identity) = identity.filter(|_| signer.is_none()) {
            client = client.identity(identity);
        }
        let requests =
            Requests::new(client, limits, sources.clone()).map_err(|error| settings.wrong_as_a_whole(&error))?;
        settings.finish()?;
        Ok(Self { topic, production, origin, requests, signer, clock: sources.clock.clone() })
    }

    async fn send(&self, token: &str, notification: &Notification) -> Result<(), Refusal> {
        let Some(signer) = &self.signer else { return self.ask(token, notification, None).await };
        let unsigned = |reason| Refusal { reason, silent: false };
        let now = self.clock.now().millis();
        let header = signer.header(now, None).map_err(unsigned)?;
        match self.ask(token, notification, Some(header.clone())).await {
            Err(refusal) if refusal.reason == "ExpiredProviderToken" => {
                let header = signer.header(now, Some(&header)).map_err(unsigned)?;
                self.ask(token, notification, Some(header)).await
            }
            outcome => outcome,
        }
    }

    async fn ask(&self, token: &str, notification: &Notification, proof: Option<HeaderValue>) -> Result<(), Refusal> {
        let mut url = self.origin.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(token);
        }
        let mut request = Request::new(Method::POST, url);
        *request.headers_mut() = notification.headers.clone();
        if let Some(proof) = proof {
            request.headers_mut().insert(AUTHORIZATION, proof);
        }
        *request.body_mut() = Some(notification.body.clone().into());
        match self.requests.send(request).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => {
                let reason = answer.json().get("reason").and_then(Json::as_str).map(str::to_owned);
                Err(Refusal { reason: reason.unwrap_or_else(|| "Unknown status".to_owned()), silent: false })
            }
            Err(Silence::Unreachable(reason)) => Err(Refusal { reason, silent: false }),
            Err(silence) => Err(Refusal { reason: silence.to_string(), silent: true }),
        }
    }
}
