//! The specification of an `http` run.

use std::collections::HashMap;

use serde::Deserialize;

/// Rows that a request draws from: `${users.token}` is the field `token` of a random row of the list `users`.
pub type Lists = HashMap<String, Vec<HashMap<String, String>>>;

/// A run against one server. All streams run at the same time.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// `host:port`.
    pub address: String,
    /// How long the requests are measured.
    pub seconds: f64,
    /// How long they run before that, unmeasured.
    #[serde(default)]
    pub warmup: f64,
    /// Processes whose CPU time and memory are reported, by a name of the caller's.
    #[serde(default)]
    pub watch: HashMap<String, u32>,
    #[serde(default)]
    pub lists: Lists,
    pub streams: Vec<Stream>,
}

/// Requests of one kind.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    pub name: String,
    pub connections: usize,
    /// Requests a second over all connections; without it each connection sends as soon as it has its answer.
    pub rate: Option<f64>,
    /// Ends the stream early, after this many requests.
    pub requests: Option<u64>,
    /// Where `${n}` begins; it is another number in every request of a run.
    #[serde(default)]
    pub first: u64,
    pub method: String,
    /// Path and query. This, the headers and the body are templates.
    pub path: String,
    #[serde(default)]
    pub headers: HashMap<String, String>,
    pub body: Option<String>,
    pub expect: Expect,
}

/// What makes an answer a good one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    pub status: u16,
    /// Templates of text that the body holds.
    #[serde(default)]
    pub contains: Vec<String>,
    /// Text that it does not hold.
    #[serde(default)]
    pub absent: Vec<String>,
    /// Text that it holds exactly so many times.
    #[serde(default)]
    pub count: Vec<Count>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Count {
    pub text: String,
    pub times: usize,
}
