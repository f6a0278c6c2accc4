//! Requests to push services: so many at the same time, bounded in time and size, repeated when the service asks for it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Request};
use serde_json::Value as Json;
use tokio::sync::Semaphore;

use super::settings::Settings;
use crate::adapters::cloud::module::Modules;
use crate::adapters::http;
use crate::clock::Clock;
use crate::random::Random;

/// Answers after which a request is sent again: the service did not take it, but may later.
const REPEATED: [u16; 6] = [408, 429, 500, 502, 503, 504];
/// The first pause before a request is sent again. It doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// Longest time that a request waits for its repeats. A service that asks for more is not asked again.
const PATIENCE: Duration = Duration::from_mins(1);

/// Where a sender gets the time and random numbers from.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Gives random bytes.
    pub random: Arc<dyn Random>,
    /// Keeps the modules of the app.
    pub modules: Arc<Modules>,
}

/// How a service is asked.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most requests in flight.
    pub in_flight: usize,
    /// How often a request is sent again at most.
    pub repeats: u32,
    /// How long one try may take.
    pub timeout: Duration,
    /// Most bytes of an answer that are read.
    pub answer_bytes: usize,
}

/// An answer of a service.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Empty when it was too long, or broke off.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> Json {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Silence {
    /// The service took too long. It may have got the request.
    #[error("RequestTimeout")]
    TimedOut,
    /// The service could not be reached. It did not get the request.
    #[error("{0}")]
    Unreachable(String),
    /// The connection broke. The service may have got the request.
    #[error("{0}")]
    Broken(String),
}

/// Waits for what is to be done, so much of it at the same time. In the order in which it is done.
pub async fn at_most<F: Future>(in_flight: usize, todo: Vec<F>) -> Vec<F::Output> {
    stream::iter(todo).buffer_unordered(in_flight).collect().await
}

/// Sends requests to one service.
#[derive(Debug)]
pub struct Requests {
    client: Client,
    limits: Limits,
    permits: Semaphore,
    sources: Sources,
}

impl Requests {
    /// Requests with this client.
    pub fn new(client: ClientBuilder, limits: Limits, sources: Sources) -> Result<Self, String> {
        let client = client
            .connect_timeout(limits.timeout.min(Duration::from_secs(10)))
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("reparse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTP client: {}", http::chain(&error)))?;
        Ok(Self { client, limits, permits: Semaphore::new(limits.in_flight), sources })
    }

    /// Most requests in flight.
    pub fn in_flight(&self) -> usize {
        self.limits.in_flight
    }

    /// Sends a request, and again as long as that is worth it.
    pub async fn send(&self, mut request: Request) -> Result<Answer, Silence> {
        *request.timeout_mut() = Some(self.limits.timeout);
        let (mut repeats, mut waited) = (0, Duration::ZERO);
        loop {
            let copy = request.try_clone().ok_or_else(|| Silence::Unreachable("cannot be repeated".to_owned()))?;
            let (outcome, asked) = self.once(copy).await;
            let again = match &outcome {
                Ok(answer) => REPEATED.contains(&answer.status),
                Err(silence) => matches!(silence, Silence::Unreachable(_)),
            };
            let pause = asked.unwrap_or_else(|| self.pause(repeats));
            waited = waited.saturating_add(pause);
            if !again || repeats >= self.limits.repeats || waited > PATIENCE {
                return outcome;
            }
            tokio::time::sleep(pause).await;
            repeats += 1;
        }
    }

    /// One try, and for how long the service asks to be left alone.
    async fn once(&self, request: Request) -> (Result<Answer, Silence>, Option<Duration>) {
        // Never closed, so it fails never; without a permit the request is sent all the same.
        let _permit = self.permits.acquire().await;
        match self.client.execute(request).await {
            Ok(response) => {
                let status = response.status().as_u16();
                let asked = self.asked_pause(response.headers());
                let body = http::read(response, self.limits.answer_bytes).await.unwrap_or_default();
                (Ok(Answer { status, body }), asked)
            }
            Err(error) if error.is_connect() => (Err(Silence::Unreachable(http::chain(&error.without_url()))), None),
            Err(error) if error.is_timeout() => (Err(Silence::TimedOut), None),
            Err(error) => (Err(Silence::Broken(http::chain(&error.without_url()))), None),
        }
    }

    /// `Retry-After`: seconds or a date.
    fn asked_pause(&self, headers: &HeaderMap) -> Option<Duration> {
        let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let now = Duration::from_millis(u64::try_from(self.sources.clock.now().millis()).unwrap_or_default());
        Some(until.saturating_sub(now))
    }

    /// The pause before a repeat: twice the one before, and up to a half more, so that not all come back at once.
    fn pause(&self, repeats: u32) -> Duration {
        let mut byte = [0];
        self.sources.random.fill(&mut byte);
        let pause = FIRST_PAUSE.saturating_mul(1 << repeats.min(7));
        pause + pause * u32::from(byte[0]) / 512
    }
}

/// What settings of every sender say about its connections.
#[derive(Debug)]
pub struct Connections {
    authorities: Vec<Certificate>,
    any_certificate: bool,
    proxy: Option<Proxy>,
}

impl Connections {
    /// Reads `ca`, PEM of authorities that are trusted besides the usual ones; `rejectUnauthorized`, false if any certificate will do;
    /// `proxy`, an address or `{"host", "port"}`.
    pub fn read(settings: &mut Settings) -> Result<Self, String> {
        let authorities = match settings.pem("ca")? {
            Some(pem) => Certificate::from_pem_bundle(pem.as_bytes())
                .map_err(|error| settings.wrong("ca", &format!("is no certificate: {error}")))?,
            None => Vec::new(),
        };
        let any_certificate = !settings.flag("rejectUnauthorized", true)?;
        Ok(Self { authorities, any_certificate, proxy: proxy(settings)? })
    }

    /// Whether they lead through a proxy, which then looks names up.
    pub fn by_proxy(&self) -> bool {
        self.proxy.is_some()
    }

    /// A client for them.
    pub fn client(&self) -> ClientBuilder {
        let mut client = Client::builder().danger_accept_invalid_certs(self.any_certificate);
        for authority in &self.authorities {
            client = client.add_root_certificate(authority.clone());
        }
        match &self.proxy {
            Some(proxy) => client.proxy(proxy.clone()),
            None => client.no_proxy(),
        }
    }
}

fn proxy(settings: &mut Settings) -> Result<Option<Proxy>, String> {
    let text = match settings.value("proxy") {
        None => return Ok(None),
        Some(Json::String(text)) => text,
        Some(given) => {
            let host = given.get("host").and_then(Json::as_str);
            let port = given.get("port").and_then(Json::as_u64);
            let host = host.ok_or_else(|| settings.wrong("proxy", "must be an address, or {\"host\", \"port\"}"))?;
            format!("http://{host}:{}", port.unwrap_or(80))
        }
    };
    Proxy::all(&text).map(Some).map_err(|error| settings.wrong("proxy", &format!("is no address: {error}")))
}
