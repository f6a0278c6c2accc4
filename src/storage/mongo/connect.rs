//! Opens and closes the store.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use bson::doc;
use metrics::{Gauge, counter, gauge};
use mongodb::Client;
use mongodb::event::EventHandler;
use mongodb::event::cmap::CmapEvent;
use mongodb::event::command::CommandEvent;
use mongodb::options::{ClientOptions, WriteConcern};

use super::get::{self, Gets};
use super::insert::{self, Inserts};
use super::members::Members;
use super::{MongoStorage, error};
use crate::model::measures;
use crate::storage::{Result, StorageError};

/// Called for every command sent to MongoDB, with the name of the command and of its collection (empty if it has none).
#[derive(Clone)]
pub struct CommandListener(pub Arc<Listener>);

type Listener = dyn Fn(&str, &str) + Send + Sync;

impl CommandListener {
    fn hear(&self, event: &CommandEvent) {
        if let CommandEvent::Started(started) = event {
            let key = if started.command_name == "getMore" { "collection" } else { started.command_name.as_str() };
            (self.0)(&started.command_name, started.command.get_str(key).unwrap_or_default());
        }
    }
}

impl fmt::Debug for CommandListener {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("CommandListener")
    }
}

/// Says of a class whether the rows before and after each write are kept from its making on.
#[derive(Clone)]
pub struct ImagesOf(pub Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for ImagesOf {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ImagesOf")
    }
}

/// How to reach the database.
#[derive(Clone)]
pub struct MongoOptions {
    /// Connection string: `mongodb://…` or `mongodb+srv://…`. Without a database's name it is `test`, as for every
    /// driver.
    pub uri: String,
    /// Prefix of all collection names.
    pub collection_prefix: String,
    /// Timeout of an operation, measured by this server.
    pub timeout: Duration,
    /// Time limit of a read on the database server; `None`: a little less than [`MongoOptions::timeout`].
    pub max_time: Option<Duration>,
    /// Maximum number of rows in a batch of a cursor; `None`: 1000.
    pub batch_size: Option<u32>,
    /// Called for every command.
    pub listener: Option<CommandListener>,
    /// Of which classes the rows before and after each write are kept.
    pub images: Option<ImagesOf>,
    /// Whether connections are counted.
    pub measured: bool,
}

impl MongoOptions {
    /// The defaults for a connection string: operations end after 30 seconds.
    #[must_use]
    pub fn new(uri: impl Into<String>) -> Self {
        Self {
            uri: uri.into(),
            collection_prefix: String::new(),
            timeout: Duration::from_secs(30),
            max_time: None,
            batch_size: None,
            listener: None,
            images: None,
            measured: false,
        }
    }
}

impl fmt::Debug for MongoOptions {
    /// Omits the connection string, which may contain a password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MongoOptions")
            .field("collection_prefix", &self.collection_prefix)
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

/// Default server selection timeout. An election takes a little more than ten seconds.
const SERVER_SELECTION: Duration = Duration::from_secs(15);
/// Server selection timeout at start, with retries, because an election may be in progress.
const START: Duration = Duration::from_secs(30);
/// Default connection timeout.
const CONNECT: Duration = Duration::from_secs(5);
/// Timeout of a [`ping`].
const PING: Duration = Duration::from_secs(3);
/// Additional time for which this server waits after the time limit on the database server.
const MARGIN: Duration = Duration::from_secs(2);
/// Default number of connections to a database server, as in parse-server's driver.
const POOL: u32 = 100;

impl MongoStorage {
    /// Connects to the database and checks that it responds.
    ///
    /// # Errors
    /// `Unavailable` if no server responds within 30 seconds (or `serverSelectionTimeoutMS` of the connection string);
    /// `Other` if the connection string is malformed.
    pub async fn connect(options: MongoOptions) -> Result<Self> {
        let mut client_options = ClientOptions::parse(&options.uri).await.map_err(error::storage)?;
        let patience = if client_options.server_selection_timeout.is_some() { Duration::ZERO } else { START };
        let selection = *client_options.server_selection_timeout.get_or_insert(SERVER_SELECTION);
        client_options.connect_timeout.get_or_insert(CONNECT);
        client_options.max_pool_size.get_or_insert(POOL);
        client_options.app_name.get_or_insert_with(|| env!("CARGO_PKG_NAME").to_owned());
        let concern = client_options.write_concern.get_or_insert_with(WriteConcern::majority);
        if concern.w.is_none() {
            concern.w = Some(mongodb::options::Acknowledgment::Majority);
        }
        let (listener, measured) = (options.listener, options.measured);
        // For each event the driver copies the command or the answer: without a listener there is no handler.
        if let Some(listener) = listener {
            client_options.command_event_handler = Some(EventHandler::callback(move |event| listener.hear(&event)));
        }
        if measured {
            let connections =
                Connections { open: gauge!(measures::POOL_CONNECTIONS), used: gauge!(measures::POOL_IN_USE) };
            client_options.cmap_event_handler = Some(EventHandler::callback(move |event| connections.count(&event)));
        }
        let members = Members::default();
        client_options.sdam_event_handler = Some(members.handler());
        let name = client_options.default_database.clone().unwrap_or_else(|| "test".to_owned());
        let client = Client::with_options(client_options).map_err(error::storage)?;
        let database = client.database(&name);
        let storage = Self {
            client,
            database,
            prefix: options.collection_prefix,
            // The database server should time out first, because its error is more specific.
            // Server selection is not included in this time.
            timeout: selection + options.max_time.map_or(options.timeout, |time| options.timeout.max(time + MARGIN)),
            max_time: options.max_time.unwrap_or(options.timeout.saturating_sub(MARGIN).max(MARGIN)),
            batch_size: options.batch_size.unwrap_or(1000).max(2),
            inserts: Inserts::new(insert::COMMANDS),
            gets: Gets::new(get::COMMANDS),
            members,
            images: options.images,
        };
        let started = Instant::now();
        loop {
            match storage.run(storage.database.run_command(doc! { "ping": 1 })).await {
                Ok(_) => return Ok(storage),
                Err(StorageError::Unavailable(_)) if started.elapsed() < patience => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// Connections of the pools.
struct Connections {
    open: Gauge,
    used: Gauge,
}

impl Connections {
    fn count(&self, event: &CmapEvent) {
        match event {
            CmapEvent::ConnectionCreated(_) => self.open.increment(1.0),
            CmapEvent::ConnectionClosed(_) => self.open.decrement(1.0),
            CmapEvent::ConnectionCheckedOut(_) => self.used.increment(1.0),
            CmapEvent::ConnectionCheckedIn(_) => self.used.decrement(1.0),
            CmapEvent::ConnectionCheckoutFailed(_) => counter!(measures::POOL_FAILURES).increment(1),
            _ => {}
        }
    }
}

/// Whether a server responds within 3 seconds.
pub(super) async fn ping(storage: &MongoStorage) -> Result<()> {
    match tokio::time::timeout(PING, storage.run(storage.database.run_command(doc! { "ping": 1 }))).await {
        Ok(result) => result.map(|_| ()),
        Err(_) => Err(error::no_answer()),
    }
}

/// The longest that closing may take. The driver waits for everything that still holds a connection, without an end of its own.
const CLOSING: Duration = Duration::from_secs(5);

/// Closes all connections without waiting for operations in flight.
pub(super) async fn close(storage: &MongoStorage) {
    let closing = storage.client.clone().shutdown().immediate(true).into_future();
    if tokio::time::timeout(CLOSING, closing).await.is_err() {
        tracing::warn!("the connections to MongoDB were not closed in time");
    }
}
