//! Cloud code in JavaScript: Node processes that the server starts (or that join it), kept running and called over a local
//! socket. See `docs/decisions/cloud-channel.md` for the protocol.
//!
//! ```text
//! Cloud ── Worker ── Process      finds, starts, supervises Node; captures what it prints
//!             └───── Connection   frames, calls in both directions, deadlines, heartbeat
//!                        └─ serve → Host        what JavaScript asks of the server
//! ```

mod bootstrap;
mod connection;
mod error;
mod frame;
mod handler;
mod host;
mod listener;
mod modules;
mod output;
mod process;
mod registrations;
mod reload;
mod serve;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use serde::Serialize;
use serde_json::{Value as Json, json};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::connection::{Answer, Call};
pub use self::error::{CloudError, SCRIPT_FAILED, Thrown};
pub use self::frame::{FrameError, FrameKind};
pub use self::handler::Handlers;
pub use self::host::{Host, LogLevel, LogLine, Origin, RestAuth, RestRequest, RestResponse};
pub use self::listener::PROTOCOL;
pub use self::modules::{Argument, Module, Returned};
pub use self::process::find_node;
pub use self::registrations::{Handler, Registrations};

use self::connection::{Connection, Limits};
use self::listener::{PrivateFolder, Slot};
use self::modules::{Loaded, ModuleSpec};
use self::process::Launch;
use self::worker::{Origins, State, Worker};
use crate::random::Random;
use crate::system::local_socket;

/// How long a call waits for a process that is being started.
const WAIT_FOR_PROCESS: Duration = Duration::from_secs(5);

/// Where the code comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// The server starts Node processes.
    Node {
        /// The program; see [`find_node`].
        node: PathBuf,
        /// The app's main.js; none if only modules are needed.
        main: Option<PathBuf>,
        /// Working directory of the processes; that of the server if there is none.
        folder: Option<PathBuf>,
        /// Number of processes, at least one.
        workers: usize,
        /// How much they give way to others that want their core, from 0 to 19.
        nice: u8,
        /// Whether the code is loaded again when a file changes.
        reload: bool,
    },
    /// One foreign program joins as the cloud process.
    Joining {
        /// Path of the socket that is made for it.
        socket: PathBuf,
        /// The token that it must show.
        token: String,
    },
}

/// How cloud code is run.
#[derive(Debug, Clone)]
pub struct CloudOptions {
    /// Where it comes from.
    pub source: Source,
    /// Deadline of calls that state none; also the time after which a process that does not react is killed.
    pub call_timeout: Duration,
    /// Time in which a process must have joined and loaded its code.
    pub load_timeout: Duration,
    /// Longest message in bytes, in both directions.
    pub max_frame: usize,
}

impl CloudOptions {
    /// Options with the usual bounds: 60 s for calls and loading, 64 MiB for messages.
    #[must_use]
    pub const fn new(source: Source) -> Self {
        Self { source, call_timeout: Duration::from_mins(1), load_timeout: Duration::from_mins(1), max_frame: 64 << 20 }
    }

    fn main(&self) -> Option<&Path> {
        match &self.source {
            Source::Node { main, .. } => main.as_deref(),
            Source::Joining { .. } => None,
        }
    }

    const fn limits(&self) -> Limits {
        Limits { frame: self.max_frame, calls: 20_000, queued: 256 << 20 }
    }
}

/// Whether cloud code can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// The first process is being started.
    Starting,
    /// Calls are answered.
    Ready,
    /// The process ended, or is replaced, and a new one is being started.
    Restarting,
    /// The last start failed; it is tried again.
    Failed(String),
}

/// The cloud code of an app.
pub struct Cloud {
    options: CloudOptions,
    host: Arc<dyn Host>,
    workers: Vec<Arc<Worker>>,
    registrations: ArcSwap<Registrations>,
    version: watch::Sender<u64>,
    /// One publication at a time: a later one never gives way to an earlier one.
    publishing: Mutex<()>,
    modules: Mutex<Vec<ModuleSpec>>,
    stop: CancellationToken,
    tasks: tokio_util::task::TaskTracker,
    /// Of processes of the server's own.
    folder: Option<PrivateFolder>,
}

impl std::fmt::Debug for Cloud {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cloud").field("health", &self.health()).finish_non_exhaustive()
    }
}

impl Cloud {
    /// Starts the processes and waits until each has loaded the app's code.
    ///
    /// # Errors
    /// A text for the person who started the server: no socket, a code file that throws, …
    pub async fn start(options: CloudOptions, host: Arc<dyn Host>, random: &dyn Random) -> Result<Arc<Self>, String> {
        let text = |error: std::io::Error| format!("cloud code: cannot prepare the socket: {error}");
        let (folder, socket, origins): (Option<PrivateFolder>, PathBuf, Vec<_>) = match &options.source {
            Source::Node { node, folder: directory, workers, nice, .. } => {
                let folder = private_folder(random).map_err(text)?;
                let script = bootstrap::write(folder.path()).map_err(text)?;
                let socket = local_socket::path_in(folder.path(), "socket");
                let launch = |token: &String| {
                    Origins::Launched(Launch {
                        node: node.clone(),
                        script: script.clone(),
                        folder: directory.clone(),
                        socket: socket.clone(),
                        token: token.clone(),
                        nice: *nice,
                    })
                };
                let tokens = (0..(*workers).max(1)).map(|_| random.hex(32));
                (Some(folder), socket.clone(), tokens.map(|token| (launch(&token), token)).collect())
            }
            Source::Joining { socket, token } => (None, socket.clone(), vec![(Origins::Foreign, token.clone())]),
        };
        let listener = local_socket::Listener::bind(&socket).map_err(text)?;
        let cloud = Arc::new_cyclic(|cloud| Self {
            options,
            host,
            workers: origins.iter().map(|_| Arc::new(Worker::new(cloud.clone()))).collect(),
            registrations: ArcSwap::default(),
            version: watch::Sender::new(0),
            publishing: Mutex::default(),
            modules: Mutex::default(),
            stop: CancellationToken::new(),
            tasks: tokio_util::task::TaskTracker::new(),
            folder,
        });
        let mut slots = Vec::new();
        let mut firsts = Vec::new();
        for (worker, (origin, token)) in cloud.workers.iter().zip(origins) {
            let (sender, joined) = mpsc::channel(1);
            let (first, outcome) = oneshot::channel();
            slots.push(Slot { token, joined: sender });
            firsts.push(outcome);
            cloud.tasks.spawn(worker.clone().run(origin, joined, first));
        }
        cloud.listen(listener, slots);
        for first in firsts {
            if let Err(reason) = first.await.unwrap_or_else(|_| Err("the start was interrupted".to_owned())) {
                cloud.shutdown().await;
                return Err(format!("cloud code cannot be started: {reason}"));
            }
        }
        cloud.watch_files();
        Ok(cloud)
    }

    fn listen(self: &Arc<Self>, listener: local_socket::Listener, slots: Vec<Slot>) {
        let weak = Arc::downgrade(self);
        let welcome: listener::Welcome = Arc::new(move || {
            let options = weak.upgrade().map(|cloud| cloud.host.options()).unwrap_or_default();
            json!({"protocol": PROTOCOL, "options": options})
        });
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = listener::accept(listener, Arc::new(slots), welcome) => {}
            }
        });
    }

    fn watch_files(self: &Arc<Self>) {
        let Source::Node { main: Some(main), reload: true, .. } = &self.options.source else { return };
        let folder = main.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
        let weak = Arc::downgrade(self);
        self.tasks.spawn(reload::watch(folder, self.stop.clone(), move || {
            if let Some(cloud) = weak.upgrade() {
                cloud.reload();
            }
        }));
    }

    /// Replaces every process by a new one that loads the code again. Calls wait meanwhile.
    pub fn reload(&self) {
        for worker in &self.workers {
            worker.reload.notify_one();
        }
    }

    /// What the code has registered.
    #[must_use]
    pub fn registrations(&self) -> arc_swap::Guard<Arc<Registrations>> {
        self.registrations.load()
    }

    /// Changes whenever the registrations do.
    #[must_use]
    pub fn registrations_changed(&self) -> watch::Receiver<u64> {
        self.version.subscribe()
    }

    fn publish(self: &Arc<Self>) {
        let _one = self.publishing.lock().unwrap_or_else(PoisonError::into_inner);
        let all = match self.workers.as_slice() {
            [only] => only.registrations.load_full(),
            workers => {
                let mut all = Registrations::default();
                for worker in workers {
                    all.merge(&worker.registrations.load());
                }
                Arc::new(all)
            }
        };
        if **self.registrations.load() != *all {
            self.host.registered(handler::handlers(&Arc::downgrade(self), &all), &all);
            self.registrations.store(all);
            self.version.send_modify(|version| *version += 1);
        }
    }

    fn modules(&self) -> Vec<ModuleSpec> {
        self.modules.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether calls are answered: ready as soon as one worker is.
    #[must_use]
    pub fn health(&self) -> Health {
        let mut worst = Health::Starting;
        for worker in &self.workers {
            match worker.state.borrow().health() {
                Health::Ready => return Health::Ready,
                other => worst = other,
            }
        }
        worst
    }

    /// Calls the code. Without a deadline of its own a call has that of the options, except a job, which has none.
    ///
    /// # Errors
    /// See [`CloudError`].
    pub async fn call<P: Serialize + Sync + ?Sized>(&self, call: &Call<'_, P>) -> Result<Answer, CloudError> {
        let until = Instant::now() + WAIT_FOR_PROCESS;
        let deadline = call.deadline.or_else(|| (call.kind != "job").then_some(self.options.call_timeout));
        let call = Call { deadline, ..*call };
        loop {
            let connection = self.connection(call.kind, call.name, until).await?;
            match connection.call(&call).await {
                // It was closed meanwhile; the call was not sent.
                Err(CloudError::Unavailable(_)) => {}
                outcome => return outcome,
            }
        }
    }

    /// A connection for the call; waits for a process that is being started.
    async fn connection(&self, kind: &str, name: &str, until: Instant) -> Result<Connection, CloudError> {
        if let Some(connection) = self.ready_connection(kind, name) {
            return Ok(connection);
        }
        let unavailable = |reason: &str| CloudError::Unavailable(reason.to_owned());
        let worker = self.workers.first().ok_or_else(|| unavailable("there is no worker"))?;
        let mut state = worker.state.subscribe();
        loop {
            if let Some(connection) = self.ready_connection(kind, name) {
                return Ok(connection);
            }
            match &*state.borrow_and_update() {
                State::Failed(reason) => return Err(unavailable(reason)),
                State::Stopped => return Err(unavailable("the server is shutting down")),
                State::Starting | State::Ready(_) | State::Restarting => {}
            }
            if !matches!(tokio::time::timeout_at(until, state.changed()).await, Ok(Ok(()))) {
                return Err(unavailable("it is being started again"));
            }
        }
    }

    /// The connection of the ready worker with the fewest calls in flight, of those that know the name if there are such:
    /// functions and jobs that were registered after the start are known to one worker only.
    fn ready_connection(&self, kind: &str, name: &str) -> Option<Connection> {
        let ready = self.workers.iter().filter_map(|worker| match &*worker.state.borrow() {
            State::Ready(connection) if !connection.is_closed() => Some((worker, connection.clone())),
            _ => None,
        });
        if self.workers.len() == 1 {
            return ready.map(|(_, connection)| connection).next();
        }
        let knows = |worker: &Worker| match kind {
            "function" => worker.registrations.load().functions.contains_key(name),
            "job" => worker.registrations.load().jobs.contains(name),
            _ => true,
        };
        ready
            .min_by_key(|(worker, connection)| (!knows(worker), connection.in_flight()))
            .map(|(_, connection)| connection)
    }

    /// Loads a module that an option names. With options it is an adapter, made with them; without it is a callback, used
    /// as it is. It is loaded again with every new process.
    ///
    /// # Errors
    /// What the module threw, or that there is no such module.
    pub async fn load_module(self: &Arc<Self>, module: &str, options: Option<Json>) -> Result<Module, CloudError> {
        let spec = {
            let mut modules = self.modules.lock().unwrap_or_else(PoisonError::into_inner);
            let handle = u32::try_from(modules.len()).unwrap_or(u32::MAX);
            let construct = options.is_some();
            let options = options.unwrap_or_default();
            let spec = ModuleSpec { handle, module: module.to_owned(), options, construct };
            modules.push(spec.clone());
            spec
        };
        let mut loaded = Loaded { callable: false, methods: Vec::new(), policy: None };
        for worker in &self.workers {
            let State::Ready(connection) = worker.state.borrow().clone() else { continue };
            let call = Call {
                kind: "module",
                name: "load",
                origin: &Origin::default(),
                payload: &spec,
                attachment: &[],
                deadline: Some(self.options.load_timeout),
            };
            loaded = connection.call(&call).await?.read()?;
        }
        Ok(Module { cloud: Arc::downgrade(self), handle: spec.handle, loaded })
    }

    /// Ends all processes: calls in flight get a few seconds.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let folder = self.folder.as_ref().map(|folder| folder.path().display().to_string());
        tracing::debug!(folder, "cloud code is stopped");
    }

    /// Process ids of the processes that the server started, for tests and for the log.
    #[must_use]
    pub fn process_ids(&self) -> Vec<u32> {
        self.workers.iter().filter_map(|worker| worker.process_id()).collect()
    }
}

/// A folder that nobody else uses, whatever is left of servers that were killed.
fn private_folder(random: &dyn Random) -> std::io::Result<PrivateFolder> {
    let mut attempts = 0;
    loop {
        let name = format!("reparse-cloud-{}", random.hex(8));
        match PrivateFolder::create(&std::env::temp_dir(), &name) {
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists && attempts < 100 => attempts += 1,
            outcome => return outcome,
        }
    }
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
