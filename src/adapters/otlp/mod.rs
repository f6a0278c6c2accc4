//! Sends spans to a receiver of OpenTelemetry: OTLP over HTTP, in JSON.
//!
//! A task of its own takes what the queue holds, a batch at a time. A receiver that is slow or away costs the requests nothing: the
//! queue fills, and what does not fit is dropped and counted.

mod json;

use std::fmt;
use std::time::Duration;

use metrics::counter;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::http::chain;
use crate::clock::{Clock as _, SystemClock};
use crate::model::measures::SPANS;
use crate::traces::Finished;

/// Spans that may wait for the exporter.
pub const QUEUE: usize = 4096;
/// Most spans of a request to the receiver.
const BATCH: usize = 512;
/// How long spans wait for more to go with them.
const PAUSE: Duration = Duration::from_secs(2);
/// How long the receiver may take for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Pauses before a batch is sent again that the receiver could not take for now.
const PAUSES: [Duration; 3] = [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];
/// The longest pause that the receiver may ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// The log speaks of failures once in this time.
const QUIET: Duration = Duration::from_mins(1);
/// The longest that a stopping server waits for its last spans to be sent.
const FLUSH: Duration = Duration::from_secs(5);

/// Where spans go.
#[derive(Clone)]
pub struct Settings {
    /// Where the receiver takes traces (`http://collector:4318/v1/traces`).
    pub endpoint: Url,
    /// Headers of the requests to it, such as a key.
    pub headers: Vec<(String, String)>,
    /// What the program is, for the receiver: `service.name`, `service.instance.id` and the like.
    pub resource: Vec<(String, String)>,
}

impl fmt::Debug for Settings {
    /// Omits the headers, which may hold a key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Settings").field("resource", &self.resource).finish_non_exhaustive()
    }
}

/// Sends spans, until the process ends.
#[derive(Debug, Clone)]
pub struct Exporter {
    flush: mpsc::Sender<oneshot::Sender<()>>,
}

/// A client for the settings; what is wrong with them shows here.
pub struct Sender {
    client: Client,
    endpoint: Url,
    resource: String,
    complained: Option<Instant>,
}

impl fmt::Debug for Sender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sender")
    }
}

impl Sender {
    /// # Errors
    /// A message for the administrator.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let Settings { endpoint, headers, resource } = settings;
        let mut sent = HeaderMap::new();
        for (name, value) in headers {
            let parsed = HeaderName::try_from(&name).ok().zip(HeaderValue::try_from(value).ok());
            let (known, mut value) = parsed.ok_or_else(|| format!("{name} cannot be sent as a header"))?;
            value.set_sensitive(true);
            sent.insert(known, value);
        }
        let client = Client::builder()
            .timeout(TIMEOUT)
            .connect_timeout(Duration::from_secs(5))
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(sent)
            .user_agent(concat!("reparse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| format!("no HTTP client: {error}"))?;
        Ok(Self { client, endpoint, resource: json::resource(&resource), complained: None })
    }

    /// Sends what comes out of the queue.
    #[must_use]
    pub fn start(self, spans: mpsc::Receiver<Finished>) -> Exporter {
        let (flush, flushes) = mpsc::channel(1);
        tokio::spawn(self.run(spans, flushes));
        Exporter { flush }
    }

    async fn run(mut self, mut spans: mpsc::Receiver<Finished>, mut flushes: mpsc::Receiver<oneshot::Sender<()>>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let asked = tokio::select! {
                count = spans.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    Self::gather(&mut batch, &mut spans, &mut flushes).await
                }
                Some(asked) = flushes.recv() => Some(asked),
            };
            self.send(&mut batch).await;
            if let Some(asked) = asked {
                while let Ok(span) = spans.try_recv() {
                    batch.push(span);
                    if batch.len() == BATCH {
                        self.send(&mut batch).await;
                    }
                }
                self.send(&mut batch).await;
                // Whoever asked may have given up waiting.
                let _ = asked.send(());
            }
        }
    }

    /// Waits for more spans to go with those of the batch, until it is full, time is up, or somebody asks for all there is.
    async fn gather(
        batch: &mut Vec<Finished>,
        spans: &mut mpsc::Receiver<Finished>,
        flushes: &mut mpsc::Receiver<oneshot::Sender<()>>,
    ) -> Option<oneshot::Sender<()>> {
        let until = Instant::now() + PAUSE;
        while batch.len() < BATCH {
            let room = BATCH - batch.len();
            tokio::select! {
                count = spans.recv_many(batch, room) => if count == 0 { return None },
                asked = flushes.recv() => return asked,
                () = tokio::time::sleep_until(until) => return None,
            }
        }
        None
    }

    /// Sends a batch, and again where that may help.
    async fn send(&mut self, batch: &mut Vec<Finished>) {
        if batch.is_empty() {
            return;
        }
        let body = json::request(&self.resource, batch, (SystemClock.now(), std::time::Instant::now()));
        let count = batch.len() as u64;
        batch.clear();
        let mut pauses = PAUSES.iter();
        let failure = loop {
            let request = self.client.post(self.endpoint.clone()).header("content-type", "application/json");
            let (reason, asked) = match request.body(body.clone()).send().await {
                Ok(response) if response.status().is_success() => {
                    counter!(SPANS, "outcome" => "sent").increment(count);
                    return;
                }
                Ok(response) if may_pass(response.status()) => {
                    (format!("status {}", response.status()), asked_pause(response.headers()))
                }
                Ok(response) => break format!("status {}", response.status()),
                Err(error) => (chain(&error.without_url()), None),
            };
            let Some(pause) = pauses.next() else { break reason };
            tokio::time::sleep(asked.unwrap_or(*pause)).await;
        };
        counter!(SPANS, "outcome" => "failed").increment(count);
        if self.complained.is_none_or(|then| then.elapsed() > QUIET) {
            self.complained = Some(Instant::now());
            tracing::warn!(reason = failure, spans = count, "the receiver of traces did not take spans");
        }
    }
}

/// Whether the same batch may be taken later (as OTLP says).
fn may_pass(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
    )
}

fn asked_pause(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

impl Exporter {
    /// Sends what has ended so far, for five seconds at most.
    pub async fn flush(&self) {
        let (done, sent) = oneshot::channel();
        let flushing = async {
            if self.flush.send(done).await.is_ok() {
                // The exporter ends with the process only.
                let _ = sent.await;
            }
        };
        if tokio::time::timeout(FLUSH, flushing).await.is_err() {
            tracing::warn!("the last spans were not sent in time");
        }
    }
}
