//! Metrics for Prometheus: what is counted of every request, and the page that Prometheus reads.
//!
//! Labels come from the table of routes and a list of methods, never from a client, so that their number is bounded whatever is sent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram, gauge};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use poem::http::{Method, StatusCode, Version, header};
use poem::{Endpoint, Request, Response};
use subtle::ConstantTimeEq as _;

use super::answer::refusal;
use super::caller::Caller;
use super::record::RequestRecord;
use crate::config::Secret;
use crate::domain::features::health;
use crate::domain::kernel::app::App;
use crate::error::ParseError;
use crate::model::measures;
use crate::model::measures::samples::{self, Measured};

const IN_FLIGHT: &str = "reparse_requests_in_flight";
const READY: &str = "reparse_ready";
const MEMORY: &str = "process_resident_memory_bytes";
const OPEN_FILES: &str = "process_open_fds";
const INFO: &str = "reparse_info";
/// Bounds of the histogram, in seconds.
const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// Times are kept one by one until they are put into the histograms, so often and whenever they are read.
const UPKEEP: Duration = Duration::from_secs(5);

/// Set once metrics are on; every server of the process has the same.
static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
/// Requests in flight; counted once metrics are on.
static BEING_ANSWERED: AtomicUsize = AtomicUsize::new(0);

/// Starts counting. Further calls change nothing.
///
/// # Errors
/// A message for the administrator.
pub fn start() -> Result<&'static PrometheusHandle, String> {
    if let Some(handle) = HANDLE.get() {
        return Ok(handle);
    }
    let builder = PrometheusBuilder::new().set_buckets(&BUCKETS).map_err(|error| error.to_string())?;
    let recorder = builder.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_ok() {
        describe_counter!(measures::REQUESTS, "Requests that were answered, or that the client gave up (status 499).");
        describe_histogram!(measures::REQUEST_SECONDS, Unit::Seconds, "Time from the head of a request to its answer.");
        describe_gauge!(IN_FLIGHT, "Requests that are being answered.");
        describe_gauge!(READY, "1 if the server wants requests, as /health/ready says.");
        describe_gauge!(MEMORY, Unit::Bytes, "Resident memory.");
        describe_gauge!(OPEN_FILES, "Open files and connections.");
        describe_gauge!(INFO, "1; the label has the version.");
        describe();
        gauge!(INFO, "version" => env!("CARGO_PKG_VERSION")).set(1.0);
    }
    Ok(HANDLE.get_or_init(|| handle))
}

/// Says what is counted beyond requests.
fn describe() {
    describe_counter!(measures::STORE_OPERATIONS, "Operations of the store.");
    describe_histogram!(
        measures::STORE_SECONDS,
        Unit::Seconds,
        "Times of operations of the store, with their waiting."
    );
    describe_gauge!(measures::POOL_CONNECTIONS, "Connections to MongoDB.");
    describe_gauge!(measures::POOL_IN_USE, "Connections to MongoDB that are in use.");
    describe_counter!(measures::POOL_FAILURES, "Commands that got no connection in time.");
    describe_gauge!(measures::HASHES_WAITING, "Passwords that wait to be hashed.");
    describe_counter!(measures::HASHES_REFUSED, "Log ins and sign ups that were refused because too many waited.");
    describe_histogram!(measures::HASH_SECONDS, Unit::Seconds, "Times of password hashes on their threads.");
    describe_gauge!(measures::CACHE_ENTRIES, "Entries of a cache.");
    describe_counter!(measures::CACHE_LOOKUPS, "Questions to a cache.");
    describe_gauge!(measures::LIVE_CLIENTS, "Clients of live queries.");
    describe_gauge!(measures::LIVE_SUBSCRIPTIONS, "Live queries that are followed.");
    describe_counter!(measures::LIVE_EVENTS, "Events that subscriptions were told.");
    describe_gauge!(measures::LIVE_LAG, Unit::Seconds, "From the last write that MongoDB told of to its telling.");
    describe_counter!(measures::CLOUD_CALLS, "Calls of functions, jobs and triggers.");
    describe_histogram!(measures::CLOUD_SECONDS, Unit::Seconds, "Times of calls of functions, jobs and triggers.");
    describe_gauge!(measures::CLOUD_IN_FLIGHT, "Calls of functions, jobs and triggers in flight.");
    describe_counter!(measures::SPANS, "Spans of traces, by what became of them.");
    describe_counter!(measures::PUSHED, "Devices that pushes were for.");
}

/// Puts times into the histograms, if metrics are on, for as long as it is polled: without it they would be kept one by one for as long as
/// nobody reads them.
pub async fn keep_up() {
    let Some(handle) = HANDLE.get() else { return };
    loop {
        tokio::time::sleep(UPKEEP).await;
        // Of many requests it takes some milliseconds.
        if let Err(error) = tokio::task::spawn_blocking(move || handle.run_upkeep()).await {
            tracing::error!(%error, "times of requests could not be put into histograms");
        }
    }
}

/// A request that is being answered. Dropping it counts its end.
#[derive(Debug)]
pub struct InFlight(bool);

impl InFlight {
    /// Counts a request that begins.
    #[must_use]
    pub fn begin() -> Self {
        let counted = HANDLE.get().is_some();
        if counted {
            BEING_ANSWERED.fetch_add(1, Ordering::Relaxed);
        }
        Self(counted)
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0 {
            BEING_ANSWERED.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Counts a request that has been answered.
pub fn answered(method: &Method, route: Option<Arc<str>>, status: u16, version: Version, started: Instant) {
    if HANDLE.get().is_none() {
        return;
    }
    let of = Measured::Request { method: known(method), route, status, http2: version == Version::HTTP_2 };
    samples::note(of, started.elapsed().as_secs_f64());
}

/// The method, if it is one that clients send.
pub(super) fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

/// Answers Prometheus.
pub struct MetricsEndpoint {
    app: Arc<App>,
    handle: &'static PrometheusHandle,
    key: Option<Secret>,
}

impl MetricsEndpoint {
    /// Starts counting.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn new(app: &Arc<App>) -> Result<Self, String> {
        Ok(Self { app: app.clone(), handle: start()?, key: app.options.own.metrics.key.clone() })
    }

    fn admits(&self, request: &Request) -> bool {
        let Some(key) = &self.key else {
            let caller = Caller::without_keys(request, &self.app.options);
            return caller.direct
                && caller.client.ip.is_loopback()
                && !request.headers().contains_key("x-forwarded-for");
        };
        let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let given =
            given.and_then(|value| value.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        given.is_some_and(|(_, given)| bool::from(given.trim().as_bytes().ct_eq(key.expose().as_bytes())))
    }
}

impl Endpoint for MetricsEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        RequestRecord::of(&request).set_route("/metrics".into());
        if !self.admits(&request) {
            return Ok(refusal(&ParseError::http(403, "unauthorized"), true));
        }
        gauge!(READY).set(if health::ready(&self.app).await.is_ok() { 1.0 } else { 0.0 });
        self.app.measure();
        measures::set(IN_FLIGHT, BEING_ANSWERED.load(Ordering::Relaxed));
        measures::set(measures::CLOUD_IN_FLIGHT, self.app.triggers.in_flight());
        let handle = self.handle;
        let text = tokio::task::spawn_blocking(move || {
            if let Some(process) = Process::read() {
                gauge!(MEMORY).set(process.memory);
                gauge!(OPEN_FILES).set(process.files);
            }
            samples::count_all();
            // Puts the times into the histograms, too.
            handle.render()
        });
        let text = match text.await {
            Ok(text) => text,
            Err(error) => return Ok(refusal(&ParseError::internal(error), true)),
        };
        let response =
            Response::builder().status(StatusCode::OK).content_type("text/plain; version=0.0.4; charset=utf-8");
        Ok(response.header(header::CACHE_CONTROL, "no-store").body(text))
    }
}

/// What the system says of this process; on Linux only.
struct Process {
    memory: f64,
    files: f64,
}

impl Process {
    fn read() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kilobytes: u32 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        let files = u32::try_from(std::fs::read_dir("/proc/self/fd").ok()?.count()).ok()?;
        Some(Self { memory: f64::from(kilobytes) * 1024.0, files: f64::from(files) })
    }
}
