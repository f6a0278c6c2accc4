//! One worker: a process that is kept running. It is started again with back-off when it ends, and killed when it stops
//! reading.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde_json::json;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::time::Instant;

use super::connection::{Call, Connection};
use super::host::Origin;
use super::listener::Joined;
use super::output::Output;
use super::process::{Launch, Process};
use super::registrations::Registrations;
use super::serve::Server;
use super::{Cloud, CloudError, Health};

/// First delay before a process is started again; it doubles up to the longest.
const FIRST_DELAY: Duration = Duration::from_millis(100);
/// Longest delay before a process is started again.
const LONGEST_DELAY: Duration = Duration::from_secs(10);
/// A process that was ready for so long has recovered: the next delay is the first one again.
const RECOVERED: Duration = Duration::from_secs(10);
/// How long the exit status of a process is awaited whose connection was lost.
const EXIT_REASON: Duration = Duration::from_secs(1);
/// How long a reload waits for calls in flight.
const DRAIN: Duration = Duration::from_secs(5);

/// Where the process comes from.
#[derive(Debug, Clone)]
pub(super) enum Origins {
    /// The server starts it.
    Launched(Launch),
    /// Somebody else starts it, and it joins with the token.
    Foreign,
}

/// What a worker does at the moment.
#[derive(Debug, Clone)]
pub(super) enum State {
    Starting,
    Ready(Connection),
    Restarting,
    Failed(String),
    Stopped,
}

impl State {
    pub(super) fn health(&self) -> Health {
        match self {
            Self::Starting => Health::Starting,
            Self::Ready(_) => Health::Ready,
            Self::Restarting => Health::Restarting,
            Self::Failed(reason) => Health::Failed(reason.clone()),
            Self::Stopped => Health::Failed("the server is shutting down".to_owned()),
        }
    }
}

/// A process that runs the cloud code, whichever process it is at the moment.
pub(super) struct Worker {
    pub output: Arc<Output>,
    pub state: watch::Sender<State>,
    /// What its process has registered. Kept while the process is away, so that no trigger is skipped silently.
    pub registrations: ArcSwap<Registrations>,
    /// Wakes the worker to start its process anew.
    pub reload: Notify,
    /// Id of its process, if the server started one.
    pub process: AtomicU32,
    pub cloud: Weak<Cloud>,
}

/// Why a process is no longer used.
enum End {
    Crashed(String),
    Reload,
    Stop,
}

impl Worker {
    pub(super) fn new(cloud: Weak<Cloud>) -> Self {
        Self {
            output: Arc::default(),
            state: watch::Sender::new(State::Starting),
            registrations: ArcSwap::default(),
            reload: Notify::new(),
            process: AtomicU32::new(0),
            cloud,
        }
    }

    pub(super) fn process_id(&self) -> Option<u32> {
        Some(self.process.load(Ordering::Relaxed)).filter(|id| *id != 0)
    }

    /// Takes what the process has registered.
    pub(super) fn register(&self, registrations: Registrations) {
        self.registrations.store(Arc::new(registrations));
        if let Some(cloud) = self.cloud.upgrade() {
            cloud.publish();
        }
    }

    /// Keeps a process running until the server stops. `first` gets the outcome of the first start; if that is a
    /// failure, the worker ends.
    pub(super) async fn run(
        self: Arc<Self>,
        origins: Origins,
        mut joined: mpsc::Receiver<Joined>,
        first: oneshot::Sender<Result<(), String>>,
    ) {
        let mut first = Some(first);
        let mut delay = FIRST_DELAY;
        loop {
            let started = Instant::now();
            let end = self.live(&origins, &mut joined, &mut first).await;
            if first.is_some() {
                if let (Some(first), End::Crashed(reason)) = (first.take(), end) {
                    let _ = first.send(Err(reason));
                }
                return;
            }
            let reason = match end {
                End::Stop => {
                    self.state.send_replace(State::Stopped);
                    return;
                }
                End::Reload => {
                    tracing::info!("cloud code is loaded again: a file has changed");
                    delay = FIRST_DELAY;
                    continue;
                }
                End::Crashed(reason) => reason,
            };
            if started.elapsed() > RECOVERED {
                delay = FIRST_DELAY;
            }
            tracing::error!("cloud code stopped: {reason}; it is started again in {} ms", delay.as_millis());
            let Some(stop) = self.cloud.upgrade().map(|cloud| cloud.stop.clone()) else { return };
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.reload.notified() => {}
                () = tokio::time::sleep(delay) => {}
            }
            delay = (delay * 2).min(LONGEST_DELAY);
        }
    }

    /// The life of one process.
    async fn live(
        self: &Arc<Self>,
        origins: &Origins,
        joined: &mut mpsc::Receiver<Joined>,
        first: &mut Option<oneshot::Sender<Result<(), String>>>,
    ) -> End {
        let Some(cloud) = self.cloud.upgrade() else { return End::Stop };
        // A process of an earlier life that came too late.
        if matches!(origins, Origins::Launched(_)) {
            while joined.try_recv().is_ok() {}
        }
        let mut process = match origins {
            Origins::Launched(launch) => match Process::start(launch, &cloud.host, &self.output) {
                Ok(process) => Some(process),
                Err(reason) => return self.fail(reason),
            },
            Origins::Foreign => None,
        };
        let id = process.as_ref().and_then(Process::id).unwrap_or_default();
        self.process.store(id, Ordering::Relaxed);
        let stop = cloud.stop.clone();
        let load_time = cloud.options.load_timeout;
        let loaded = tokio::select! {
            () = stop.cancelled() => Err(LoadError::Stop),
            reason = ended(&mut process) => Err(LoadError::Failed(reason)),
            loaded = self.join_and_load(&cloud, joined, load_time) => loaded,
        };
        let outcome = match loaded {
            Ok(connection) => Ok(connection),
            Err(LoadError::Stop) => Err(End::Stop),
            Err(LoadError::Failed(reason)) => Err(self.fail(reason)),
            Err(LoadError::Lost(error)) => {
                // A process that ends closes its connection first; how it ended tells more.
                let exit = tokio::time::timeout(EXIT_REASON, ended(&mut process)).await;
                Err(self.fail(exit.unwrap_or(error)))
            }
        };
        // The server must be able to go while processes live.
        let (call_time, weak) = (cloud.options.call_timeout, Arc::downgrade(&cloud));
        drop(cloud);
        let end = match outcome {
            Err(end) => end,
            Ok(connection) => {
                self.state.send_replace(State::Ready(connection.clone()));
                if let Some(cloud) = weak.upgrade() {
                    cloud.publish();
                }
                if let Some(first) = first.take() {
                    let _ = first.send(Ok(()));
                }
                let end = tokio::select! {
                    () = stop.cancelled() => End::Stop,
                    () = self.reload.notified() => End::Reload,
                    reason = ended(&mut process) => End::Crashed(reason),
                    () = connection.closed() => End::Crashed("the connection is closed".to_owned()),
                    () = unresponsive(&connection, call_time) => {
                        if let Some(process) = process.take() {
                            process.kill().await;
                        }
                        End::Crashed("it did not react in time: an endless loop?".to_owned())
                    }
                };
                self.state.send_replace(State::Restarting);
                if !matches!(end, End::Crashed(_)) {
                    drain(&connection).await;
                }
                connection.close();
                end
            }
        };
        if let Some(process) = process {
            process.end().await;
        }
        end
    }

    fn fail(&self, reason: String) -> End {
        self.state.send_replace(State::Failed(reason.clone()));
        End::Crashed(reason)
    }

    async fn join_and_load(
        self: &Arc<Self>,
        cloud: &Arc<Cloud>,
        joined: &mut mpsc::Receiver<Joined>,
        time: Duration,
    ) -> Result<Connection, LoadError> {
        let loading = async {
            let joined = joined.recv().await.ok_or_else(|| LoadError::Lost("the socket is closed".to_owned()))?;
            let server = Arc::new(Server { host: cloud.host.clone(), worker: Arc::downgrade(self) });
            let connection = Connection::open(joined.halves, joined.buffer, cloud.options.limits(), server);
            tracing::debug!(pid = joined.pid, "cloud code has joined");
            let registrations = self.load(cloud, &connection).await.inspect_err(|_| connection.close())?;
            self.registrations.store(Arc::new(registrations));
            Ok(connection)
        };
        match tokio::time::timeout(time, loading).await {
            Ok(outcome) => outcome,
            Err(_) => Err(LoadError::Failed(format!("cloud code was not loaded within {} s", time.as_secs()))),
        }
    }

    async fn load(&self, cloud: &Cloud, connection: &Connection) -> Result<Registrations, LoadError> {
        let payload = json!({"main": cloud.options.main(), "modules": cloud.modules()});
        let origin = &Origin::default();
        let call = Call { kind: "load", name: "", origin, payload: &payload, attachment: &[], deadline: None };
        match connection.call(&call).await.and_then(|answer| answer.read()) {
            Ok(registrations) => Ok(registrations),
            Err(CloudError::Thrown(thrown)) => Err(LoadError::Failed(thrown.stack.unwrap_or(thrown.message))),
            Err(error) => Err(LoadError::Lost(error.to_string())),
        }
    }
}

/// Why a process did not become ready.
enum LoadError {
    /// The server stops.
    Stop,
    /// A text for the person who runs the server.
    Failed(String),
    /// The connection was lost.
    Lost(String),
}

/// Waits for the end of the process, or for ever if it is not ours.
async fn ended(process: &mut Option<Process>) -> String {
    match process {
        Some(process) => process.ended().await,
        None => std::future::pending().await,
    }
}

/// Completes once the process has not read anything for `limit` while calls were in flight.
async fn unresponsive(connection: &Connection, limit: Duration) {
    let mut tick = tokio::time::interval((limit / 4).min(Duration::from_secs(1)));
    loop {
        tick.tick().await;
        if !connection.is_responsive(limit) {
            return;
        }
    }
}

/// Waits for calls in flight, within bounds.
async fn drain(connection: &Connection) {
    let until = Instant::now() + DRAIN;
    while connection.in_flight() > 0 && Instant::now() < until {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
