//! Puts the server together: chooses the implementations, builds the [`App`], mounts the protocols, and shuts down.

pub mod backup;
mod cloud;
mod front;
mod live;
mod master_key;
mod program;
mod services;
mod stop;
mod stores;
mod tracer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::OptionFuture;
use poem::endpoint::{BoxEndpoint, DynEndpoint, EndpointExt as _};
use poem::{Endpoint, Request, Response};
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::adapters::cloud::module::Modules;
use crate::adapters::cloud::node::Cloud;
use crate::adapters::files::FileStore;
use crate::adapters::otlp::Exporter;
use crate::clock::{Clock, SystemClock};
use crate::config::Options;
use crate::dashboard::DashboardEndpoint;
use crate::domain::features::{self, logs};
use crate::domain::kernel::app::App;
use crate::domain::kernel::follow::follow_changes;
use crate::domain::kernel::workers::Workers;
use crate::domain::schema::defined;
use crate::domain::start;
use crate::error::ParseError;
use crate::graphql::{Current, CustomSchema, GraphQlEndpoint, Legacy, PlaygroundEndpoint, wants_graphql_socket};
use crate::http::answer::refusal;
use crate::http::connections::Connections;
use crate::http::cors::Cors;
use crate::http::gate::Gate;
use crate::http::metrics::{self, MetricsEndpoint};
use crate::http::middleware::MiddlewareStack;
use crate::http::mount::below;
use crate::http::serve::{self, Door, Head, Patience};
use crate::http::tls::Tls;
use crate::http::web_socket;
use crate::live_query::LiveQueryEndpoint;
use crate::model::schema::ClassSchema;
use crate::pages::Pages;
use crate::pages::own_routes::OwnPages;
use crate::random::{Random, SystemRandom};
use crate::rest;
use crate::rest::request::Rest;
use crate::storage::mongo::CommandListener;
use crate::system::local_socket;

use front::Front;
use live::Live;
pub use program::Program;
use services::{files, migration, own_pages, services};
pub use stop::RunningServer;
pub use stores::Whole;

/// Why the server did not start, as a message for the administrator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration is invalid in a way that only shows when the parts are built.
    #[error("{0}")]
    Configuration(String),
    /// The server cannot listen on its address.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// Host and port.
        address: String,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// The store cannot be opened.
    #[error("{0}")]
    Storage(String),
}

/// What the server uses of its environment; tests replace it.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Clock.
    pub clock: Arc<dyn Clock>,
    /// Source of random ids and tokens.
    pub random: Arc<dyn Random>,
    /// Called with each command sent to MongoDB.
    pub commands: Option<CommandListener>,
    /// What is served.
    pub parts: Parts,
    /// The program that embeds the server.
    pub program: Option<Program>,
}

/// What a server serves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Parts {
    /// Everything that the options ask for.
    #[default]
    All,
    /// Web sockets of live queries, and the health check.
    LiveQueries,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            commands: None,
            parts: Parts::All,
            program: None,
        }
    }
}

/// A server whose store is open and whose address is bound, but which answers health checks only.
pub struct Server {
    /// Where it will listen; with port 0 in the options, the port the system chose. The unspecified address, if only a program
    /// reaches it.
    pub addr: SocketAddr,
    app: Arc<App>,
    parts: Parts,
    accepting: Accepting,
    cors: Arc<Cors>,
    tls: Option<Arc<Tls>>,
    mounts: Mounts,
    gate: Arc<Gate>,
    cloud: Option<Arc<Cloud>>,
    logger: Option<logs::adapter::Running>,
    live: Live,
    exporter: Option<Exporter>,
}

impl Server {
    /// Opens the store and binds the address.
    ///
    /// # Errors
    /// If the store cannot be opened or the address cannot be bound.
    pub async fn open(mut options: Options, environment: Environment) -> Result<Self, StartError> {
        let asked = Box::pin(master_key::ask(&mut options, &*environment.random)).await?;
        let parts = environment.parts;
        if options.own.metrics.enabled {
            // Before the store is opened, so that its first connections are counted.
            metrics::start().map_err(StartError::Configuration)?;
        }
        let exporter = tracer::start(&options, &*environment.random)?;
        let tls = Tls::open(&options.own.tls).map_err(StartError::Configuration)?;
        let (addr, listeners) = listen(&options, environment.program.as_ref()).await?;
        let cors = Arc::new(Cors::new(&options.server));
        let accepting = Accepting::start(listeners, &options, (&cors, tls.as_ref()), environment.random.hex(4));
        let modules = Arc::new(Modules::default());
        let mut services = services(&options, &environment, &modules)?;
        let migration = migration(&options, &modules);
        let own_pages = own_pages(&options, &modules)?;
        let ttl = options.keys.master_key_ttl.filter(|ttl| *ttl > 0.0);
        let ttl = ttl.and_then(|ttl| Duration::try_from_secs_f64(ttl).ok());
        let by_program = environment.program.as_ref().is_some_and(|program| program.gives_master_key);
        let asked = asked.or_else(|| by_program.then(|| "option:masterKey".to_owned()));
        let master_key = asked.zip(ttl).map(|(module, ttl)| (modules.name(master_key::OPTION, &module, None), ttl));
        let logger = options.logging.logger_adapter.as_ref();
        let logger =
            logger.map(|adapter| modules.name("loggerAdapter", &adapter.module, Some(adapter.options.clone().into())));
        let email = services.email.clone();
        let program = environment.program;
        let (storage, home) = stores::open(&options, environment.commands).await?;
        match files(&options, home, &environment.random, Some((&modules, &environment.clock))) {
            Ok(files) => services.files = Some(files),
            Err(error) => {
                storage.close().await;
                return Err(error);
            }
        }
        let features = features::all(&options, services);
        let opened = start::open(options, storage.clone(), environment.clock, environment.random, features);
        let opened = Box::pin(opened).await;
        let app = match opened {
            Ok(app) => app,
            Err(error) => {
                storage.close().await;
                return Err(StartError::Storage(chain(&error)));
            }
        };
        let mounted = async {
            let live = Live::open(&app).await?;
            let (mounts, rest, gate) = mount(&app, &live, parts, own_pages)?;
            let cloud = cloud::start(&app, rest, program.as_ref(), !modules.is_empty(), email).await?;
            if let Some(cloud) = &cloud {
                let ready = async {
                    modules.load(cloud).await?;
                    if logger.as_ref().is_some_and(|logger| !logger.has("log")) {
                        return Err("option loggerAdapter: it has no method log".to_owned());
                    }
                    start::migrate(&app, &migration).await.map_err(|error| chain(&error))
                };
                if let Some((function, ttl)) = master_key {
                    app.master_key.ask(function, ttl, &*app.clock);
                }
                if let Err(error) = ready.await {
                    cloud.shutdown().await;
                    return Err(StartError::Configuration(error));
                }
            }
            Ok((mounts, gate, cloud, live, logger))
        };
        let (mounts, gate, cloud, live, logger) = match mounted.await {
            Ok(mounted) => mounted,
            Err(error) => {
                app.storage.close().await;
                return Err(error);
            }
        };
        let logger = logger.map(|logger| logs::adapter::start(logger, app.options.own.limits.log_queue));
        Ok(Self { addr, app, parts, accepting, cors, tls, mounts, gate, cloud, logger, live, exporter })
    }

    /// Starts to answer requests.
    #[must_use]
    pub fn serve(self) -> RunningServer {
        let Self { addr, app, parts, accepting, cors, tls, mounts, gate, cloud, logger, live, exporter } = self;
        let following = follow_changes(&app);
        let workers = (parts == Parts::All).then(|| Workers::start(&app));
        let live = live.start(&app, (&cors, tls.as_ref()), patience(&app.options), head(&app.options));
        let Accepting { front, task: accepting, stop } = accepting;
        let stop = stop.disarm();
        front.open(app.clone(), mounts);
        RunningServer { addr, app, stop, accepting, following, workers, cloud, logger, live, tls, gate, exporter }
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("addr", &self.addr).finish_non_exhaustive()
    }
}

/// The classes of an application: those in the store and those that the options define. Reads only; a server may be
/// running on the store.
///
/// # Errors
/// If the store cannot be read, or the options define an invalid class.
pub async fn classes(options: &Options) -> Result<Vec<ClassSchema>, StartError> {
    let stored = stores::classes(options).await?;
    defined::foresee(options, stored).map_err(|error| StartError::Configuration(chain(&error)))
}

/// The place for files that the options name, beside a server that may be running on it.
///
/// # Errors
/// When it cannot be opened.
pub async fn file_store(options: &Options) -> Result<Arc<dyn FileStore>, StartError> {
    let home = stores::home(options).await?;
    files(options, home, &(Arc::new(SystemRandom) as Arc<dyn Random>), None)
}

/// Checks what the options name and only shows when the parts are built: files of the configuration, adapters, definitions. Opens
/// no store and no port.
///
/// # Errors
/// What the server would refuse to start for.
pub fn rehearse(options: &Options) -> Result<(), StartError> {
    let mut quiet = options.clone();
    // Its folders would be made.
    quiet.own.audit_log.folder = None;
    if !quiet.own.backup.to.as_ref().is_some_and(|to| to.0.is_object()) {
        quiet.own.backup.schedule.0.clear();
    }
    services(&quiet, &Environment::default(), &Arc::new(Modules::default()))?;
    defined::foresee(options, Vec::new()).map_err(|error| StartError::Configuration(chain(&error)))?;
    Gate::new(options, rest::operations()).map_err(StartError::Configuration)?;
    options.graphql.schema.as_deref().map(CustomSchema::open).transpose().map_err(StartError::Configuration)?;
    Ok(())
}

/// An error and its causes in one line.
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Accepts connections from the moment that the address is bound. Dropping it ends that.
struct Accepting {
    front: Arc<Front>,
    task: JoinHandle<()>,
    stop: DropGuard,
}

impl Accepting {
    fn start(
        listeners: Listeners,
        options: &Options,
        (cors, tls): (&Arc<Cors>, Option<&Arc<Tls>>),
        ids: String,
    ) -> Self {
        let stop = CancellationToken::new();
        let front = Arc::new(Front::new(options, stop.clone()));
        let endpoint = Arc::new(MiddlewareStack::new(front.clone(), cors.clone(), ids, options.own.compression));
        let door = Door {
            endpoint,
            cors: cors.clone(),
            patience: patience(options),
            head: head(options),
            tls: tls.cloned(),
            stop: stop.clone(),
        };
        let limits = &options.own.limits;
        let open = Connections::new(limits.connections, limits.connections_per_address);
        let task = tokio::spawn(async move {
            let clients = listeners.clients.map(|listener| serve::serve(listener, door.clone(), open));
            let program = listeners.program.map(|listener| serve::serve_program(listener, door.clone()));
            let files = door.tls.clone().map(|tls| door.stop.run_until_cancelled(tls.follow()));
            let counts = door.stop.run_until_cancelled(metrics::keep_up());
            tokio::join!(OptionFuture::from(clients), OptionFuture::from(program), OptionFuture::from(files), counts);
        });
        Self { front, task, stop: stop.drop_guard() }
    }
}

/// How large the head of a request may be.
const fn head(options: &Options) -> Head {
    let limits = &options.own.limits;
    Head { bytes: limits.header_bytes, headers: limits.headers }
}

/// How long clients may keep a connection waiting.
fn patience(options: &Options) -> Patience {
    let limits = &options.own.limits;
    Patience {
        first_byte: Duration::from_millis(limits.header_timeout_ms),
        headers: Duration::from_millis(options.own.request_timeout_ms),
        write: Duration::from_millis(limits.write_timeout_ms),
    }
}

/// Where requests come in.
struct Listeners {
    clients: Option<tokio::net::TcpListener>,
    program: Option<local_socket::Listener>,
}

async fn listen(options: &Options, program: Option<&Program>) -> Result<(SocketAddr, Listeners), StartError> {
    let mut listeners = Listeners { clients: None, program: program.map(Program::listen).transpose()? };
    if program.is_some_and(|program| !program.listens) {
        return Ok((SocketAddr::from(([0, 0, 0, 0], 0)), listeners));
    }
    let listener = bind(options, options.server.port).await?;
    let addr =
        listener.local_addr().map_err(|source| StartError::Listen { address: options.server.host.clone(), source })?;
    listeners.clients = Some(listener);
    Ok((addr, listeners))
}

/// Takes a port of the host.
async fn bind(options: &Options, port: u16) -> Result<tokio::net::TcpListener, StartError> {
    let host = options.server.host.trim_start_matches('[').trim_end_matches(']');
    let address = format!("{}:{port}", options.server.host);
    let fail = |source| StartError::Listen { address: address.clone(), source };
    let mut candidates = tokio::net::lookup_host((host, port)).await.map_err(fail)?;
    let first = candidates.next().ok_or_else(|| fail(std::io::ErrorKind::AddrNotAvailable.into()))?;
    serve::listen(first, options.own.limits.backlog).map_err(fail)
}

/// Mounts the protocols on their paths.
struct Mounts {
    paths: Vec<(String, BoxEndpoint<'static, Response>)>,
    /// Takes web sockets on any path.
    live: Option<LiveQueryEndpoint>,
    /// Where GraphQL takes web sockets.
    subscriptions: Option<String>,
    sanitize: bool,
}

fn mount(
    app: &Arc<App>,
    live: &Live,
    parts: Parts,
    own_pages: OwnPages,
) -> Result<(Mounts, Arc<Rest>, Arc<Gate>), StartError> {
    let options = &app.options;
    let gate = Arc::new(Gate::new(options, rest::operations()).map_err(StartError::Configuration)?);
    let pages = Pages::open(app).map_err(StartError::Configuration)?.routes(own_pages);
    let endpoint = rest::endpoint(app, &gate, pages).map_err(StartError::Configuration)?;
    let rest = endpoint.0.clone();
    if parts == Parts::LiveQueries {
        let health = format!("{}/health", options.server.mount_path.trim_end_matches('/'));
        let sanitize = options.security.enable_sanitized_error_response;
        let live = live.on_main_port();
        let mounts = Mounts { paths: vec![(health, endpoint.boxed())], live, subscriptions: None, sanitize };
        return Ok((mounts, rest, gate));
    }
    let mut mounts = vec![(options.server.mount_path.clone(), endpoint.boxed())];
    let mut subscriptions = None;
    if options.graphql.mount {
        let (path, legacy) = (&options.graphql.path, &options.own.graphql_legacy_path);
        let custom = options.graphql.schema.as_deref().map(CustomSchema::open).transpose();
        let custom = custom.map_err(StartError::Configuration)?.map(Arc::new);
        let subscribers = options.own.graphql_subscriptions.then(|| live.connections().clone());
        subscriptions = subscribers.is_some().then(|| path.clone());
        let current = GraphQlEndpoint::<Current>::new(app, &gate, path, custom, subscribers);
        mounts.push((path.clone(), current.boxed()));
        mounts.push((legacy.clone(), GraphQlEndpoint::<Legacy>::new(app, &gate, legacy, None, None).boxed()));
    }
    if options.graphql.mount_playground {
        mounts.push((options.graphql.playground_path.clone(), PlaygroundEndpoint::new(options).boxed()));
    }
    if options.own.dashboard.enabled {
        let dashboard = DashboardEndpoint::new(app).map_err(StartError::Configuration)?;
        mounts.push((options.own.dashboard.path.clone(), dashboard.boxed()));
    }
    if options.own.metrics.enabled {
        let metrics = MetricsEndpoint::new(app).map_err(StartError::Configuration)?;
        mounts.push((options.own.metrics.path.clone(), metrics.boxed()));
    }
    // Deeper paths come first, because one may be below another; of those that cannot be, the REST API, which is asked most.
    mounts.sort_by_key(|(path, _)| std::cmp::Reverse(path.trim_end_matches('/').matches('/').count()));
    let live = live.on_main_port();
    let mounts =
        Mounts { paths: mounts, live, subscriptions, sanitize: options.security.enable_sanitized_error_response };
    Ok((mounts, rest, gate))
}

impl Endpoint for Mounts {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let path = request.uri().path();
        let subscribes =
            |mount: &String| matches!(below(mount, path), Some("" | "/")) && wants_graphql_socket(&request);
        if let Some(live) = self.live.as_ref().filter(|_| web_socket::wants(&request))
            && !self.subscriptions.as_ref().is_some_and(subscribes)
        {
            return live.call(request).await;
        }
        if let Some((_, endpoint)) = self.paths.iter().find(|(prefix, _)| below(prefix, path).is_some()) {
            // Not through the box, which is an endpoint, too: its future wraps this one.
            return DynEndpoint::call(&**endpoint, request).await;
        }
        Ok(refusal(&ParseError::unknown_route(), self.sanitize))
    }
}
