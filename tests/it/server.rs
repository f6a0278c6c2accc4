//! Test servers: each runs in this process, on its own socket, with its own database.

use std::future::Future;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use reparse::clock::ManualClock;
use reparse::config::Options;
use reparse::model::Date;
use reparse::random::SeededRandom;
use reparse::server::{Environment, RunningServer, Server};
use reparse::storage::mongo::CommandListener;
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value as Json, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The application id of test servers.
pub const APP: &str = "app";
/// Their master key.
pub const MASTER: &str = "master";

/// How long a test waits for an answer.
const LONGEST: Duration = Duration::from_mins(2);

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The store of a test server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// MongoDB, on a real mongod.
    Mongo,
    /// The embedded store.
    Embedded,
}

/// A server, and a client that talks to it.
pub struct TestServer {
    /// Base URL of its REST API, including the mount path.
    pub base: String,
    /// Its clock, which only a test moves.
    pub clock: ManualClock,
    /// The server itself.
    pub running: RunningServer,
    /// Its database, if it uses MongoDB.
    pub mongo: Option<mongodb::Database>,
    /// What it sent to MongoDB.
    pub commands: Commands,
    client: Client,
}

/// The commands that a server sent to MongoDB, as `(command, collection)`.
#[derive(Clone, Default)]
pub struct Commands(Arc<Mutex<Vec<(String, String)>>>);

impl Commands {
    fn listener(&self) -> CommandListener {
        let heard = self.0.clone();
        CommandListener(Arc::new(move |command, collection| {
            heard.lock().unwrap().push((command.to_owned(), collection.to_owned()));
        }))
    }

    /// Those since the last call.
    pub fn take(&self) -> Vec<(String, String)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

/// An answer, read whole.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body as text.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Json {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("no JSON ({error}): {self:?}"))
    }

    /// The text of a header, empty when there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts an error with this status and code.
    #[track_caller]
    pub fn assert_refused(&self, status: u16, code: i64) {
        assert_eq!((self.status, self.json()["code"].as_i64()), (status, Some(code)), "{self:?}");
    }
}

/// Runs a case on every store, each time on a new server with `options` in addition to those of all tests.
pub fn each_backend<F, R>(options: &Json, case: F)
where
    F: Fn(Arc<TestServer>) -> R,
    R: Future<Output = ()>,
{
    on_servers(options, |_| vec![7], |servers| case(servers.into_iter().next().unwrap()));
}

/// As [`each_backend`], with two servers on stores that two servers can share.
pub fn each_backend_twice<F, R>(options: &Json, case: F)
where
    F: Fn(Vec<Arc<TestServer>>) -> R,
    R: Future<Output = ()>,
{
    let seeds = |backend| match backend {
        Backend::Mongo => vec![0, 1],
        Backend::Embedded => vec![0],
    };
    on_servers(options, seeds, case);
}

/// Runs a case on every store, with a server for each seed, and removes everything afterwards.
fn on_servers<F, R>(options: &Json, seeds: impl Fn(Backend) -> Vec<u64>, case: F)
where
    F: Fn(Vec<Arc<TestServer>>) -> R,
    R: Future<Output = ()>,
{
    for backend in [Backend::Mongo, Backend::Embedded] {
        // Read when a case fails: the last store named is the one it failed on.
        println!("on {backend:?}");
        RUNTIME.block_on(async {
            let dir = TempDir::new().unwrap();
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let database = match backend {
                Backend::Mongo => mongo_uri(&format!("reparse_it_{}_{number}", std::process::id())),
                Backend::Embedded => format!("file:{}", dir.path().display()),
            };
            let mut servers = Vec::new();
            for seed in seeds(backend) {
                let starting = Box::pin(TestServer::start(&database, options, seed));
                servers.push(Arc::new(bounded("start", starting).await));
            }
            bounded("case", Box::pin(case(servers.clone()))).await;
            for server in servers {
                let server = Arc::into_inner(server).expect("the case must not keep the server");
                assert!(bounded("stop", server.running.shutdown()).await, "the server did not stop in time");
            }
            if backend == Backend::Mongo {
                bounded("removal of the database", async {
                    let client = mongodb::Client::with_uri_str(&database).await.unwrap();
                    client.default_database().unwrap().drop().await.unwrap();
                })
                .await;
            }
        });
    }
}

/// Fails the test when a part of it takes longer than anything does: a test that never ends would hold up all others.
async fn bounded<T>(part: &str, work: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(4 * LONGEST, work).await;
    done.unwrap_or_else(|_| panic!("the {part} did not end"))
}

/// Connections that a client has not used for so long are not used again: no test has a server that closes them sooner, so no
/// request meets a connection that is being closed.
const REUSED_WITHIN: Duration = Duration::from_millis(500);

/// A client for tests. An answer that never comes fails its test instead of holding up all of them.
pub fn client() -> Client {
    Client::builder().no_proxy().timeout(LONGEST).pool_idle_timeout(REUSED_WITHIN).build().unwrap()
}

/// What all cases run on.
pub fn runtime() -> &'static Runtime {
    &RUNTIME
}

/// The address of a database on the mongod for tests.
fn mongo_uri(name: &str) -> String {
    let uri = std::env::var("REPARSE_TEST_MONGO")
        .expect("REPARSE_TEST_MONGO must hold the address of a mongod (a replica set), as mongodb://127.0.0.1:27017/?directConnection=true");
    let (base, query) = uri.split_once('?').unwrap_or((&uri, ""));
    let (scheme, rest) = base.split_once("://").expect("REPARSE_TEST_MONGO is no address");
    let host = rest.split('/').next().unwrap();
    format!("{scheme}://{host}/{name}?{query}")
}

impl TestServer {
    async fn start(database: &str, extra: &Json, seed: u64) -> Self {
        let mut options = json!({
            "appId": APP,
            "masterKey": MASTER,
            "maintenanceKey": "maint",
            "host": "127.0.0.1",
            "port": 0,
            "databaseURI": database,
            "allowClientClassCreation": true,
            "bcryptCost": 4,
            "shutdownTimeoutMs": 10_000,
        });
        for (key, value) in extra.as_object().unwrap() {
            options[key] = value.clone();
        }
        let clock = ManualClock::new(Date::parse("2020-02-03T04:05:06.789Z").unwrap());
        let commands = Commands::default();
        let environment = Environment {
            clock: Arc::new(clock.clone()),
            random: Arc::new(SeededRandom::new(seed)),
            commands: Some(commands.listener()),
            parts: reparse::server::Parts::All,
            program: None,
        };
        let options = Options::from_json(options).unwrap();
        let running = Box::pin(Server::open(options, environment)).await.unwrap().serve();
        let base = format!("http://{}/parse", running.addr);
        let client = client();
        let mongo = if database.starts_with("mongodb") {
            mongodb::Client::with_uri_str(database).await.unwrap().default_database()
        } else {
            None
        };
        Self { base, clock, running, mongo, commands, client }
    }

    /// A request without any header of ours.
    pub fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// A request with the application id.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).header("X-Parse-Application-Id", APP)
    }

    /// A request with the master key.
    pub fn master(&self, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).header("X-Parse-Master-Key", MASTER)
    }

    /// Posts JSON as a client.
    pub async fn post(&self, path: &str, body: &Json) -> Answer {
        answer(self.request(Method::POST, path).json(body)).await
    }

    /// Gets as a client.
    pub async fn get(&self, path: &str) -> Answer {
        answer(self.request(Method::GET, path)).await
    }
}

/// Sends a request and reads the answer.
pub async fn answer(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}
