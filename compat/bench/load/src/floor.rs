//! The floor: what the database operations cost with the bare driver alone. Documents are read raw and not
//! decoded, unless `decode` is set; written documents are built from constants.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use mongodb::bson::{Bson, Document, RawDocumentBuf, doc};
use mongodb::options::ClientOptions;
use mongodb::{Client, Collection, Database};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Failure;
use crate::process::Meter;
use crate::spec::Lists;
use crate::stats::{Latencies, ratio};
use crate::template::Dice;

/// A run of one operation.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// A database as a server under test has filled it: read from.
    pub uri: String,
    /// The database that is written to.
    pub scratch: String,
    pub operation: Operation,
    /// Operations at a time.
    pub connections: usize,
    pub seconds: f64,
    #[serde(default)]
    pub warmup: f64,
    #[serde(default)]
    pub watch: std::collections::HashMap<String, u32>,
    #[serde(default)]
    pub lists: Lists,
    /// Makes documents of the rows read, as a program does that uses them.
    #[serde(default)]
    pub decode: bool,
    /// The bcrypt cost of `hash`, `sign_up` and `log_in`.
    #[serde(default = "ten")]
    pub bcrypt_cost: u32,
}

const fn ten() -> u32 {
    10
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// One row by its id.
    Get,
    /// The rows of one group: 10 of them.
    Equality,
    /// 100 rows of a range, in order.
    Range,
    /// The rows of one group, then the rows they point to.
    Include,
    /// The rows of one group that a user in three roles may read.
    Roles,
    /// A session, then its user.
    Me,
    Create,
    Increment,
    /// 50 rows, each its own operation.
    Batch,
    /// 20 rows of a range, in order.
    Find20,
    /// Hash, user, session.
    SignUp,
    /// User, verification, session.
    LogIn,
    /// The password hash alone; no database.
    Hash,
}

/// What the operations need, shared by all tasks.
struct Bench {
    database: Database,
    scratch: Database,
    operation: Operation,
    decode: bool,
    cost: u32,
    items: Vec<String>,
    groups: Vec<String>,
    docs: Vec<String>,
    counters: Vec<String>,
    scores: Vec<i32>,
    tokens: Vec<String>,
    names: Vec<String>,
    readers: Vec<String>,
    next: AtomicU64,
    prefix: u64,
}

fn column(lists: &Lists, list: &str, field: &str) -> Vec<String> {
    lists.get(list).map(|rows| rows.iter().filter_map(|row| row.get(field).cloned()).collect()).unwrap_or_default()
}

fn draw<'a, T>(rows: &'a [T], dice: &mut Dice) -> Result<&'a T, Failure> {
    rows.get(dice.below(rows.len())).ok_or_else(|| "a list is empty".into())
}

fn exactly(found: usize, wanted: usize) -> Result<(), Failure> {
    if found == wanted { Ok(()) } else { Err(format!("{found} rows, not {wanted}").into()) }
}

/// The rows of this filter that everybody may read: what a server asks for on behalf of somebody it does not know.
fn public(mut filter: Document) -> Document {
    filter.insert("_rperm", doc! { "$in": [Bson::Null, "*"] });
    filter
}

/// The password of every user that the benchmark makes.
const PASSWORD: &str = "correct horse battery";

impl Bench {
    fn rows(&self, class: &str) -> Collection<RawDocumentBuf> {
        self.database.collection(class)
    }

    async fn one(&self, class: &str, filter: Document) -> Result<RawDocumentBuf, Failure> {
        let row = self.rows(class).find_one(filter).await?.ok_or_else(|| format!("no row in {class}"))?;
        self.look_into(&row)?;
        Ok(row)
    }

    /// The rows of a search.
    async fn search(
        &self,
        class: &str,
        filter: Document,
        sort: Option<Document>,
        limit: i64,
    ) -> Result<Vec<RawDocumentBuf>, Failure> {
        let rows = self.rows(class);
        let mut find = rows.find(filter).limit(limit).batch_size(1000);
        if let Some(sort) = sort {
            find = find.sort(sort);
        }
        let mut cursor = find.await?;
        let mut found = Vec::new();
        while cursor.advance().await? {
            found.push(cursor.current().to_owned());
            if let Some(row) = found.last() {
                self.look_into(row)?;
            }
        }
        Ok(found)
    }

    fn look_into(&self, row: &RawDocumentBuf) -> Result<(), Failure> {
        if self.decode {
            std::hint::black_box(Document::try_from(row.as_ref())?);
        }
        Ok(())
    }

    /// An id that no row has.
    fn fresh(&self) -> (u64, String) {
        let n = self.next.fetch_add(1, Ordering::Relaxed);
        (n, format!("{:x}{n:x}", self.prefix))
    }

    /// A row like those that the servers are asked to create.
    fn item(&self) -> Document {
        let (n, id) = self.fresh();
        let now = mongodb::bson::DateTime::from_millis(1_790_000_000_000);
        doc! {
            "_id": id, "title": format!("Item {n}"), "body": "x".repeat(120), "score": i64::try_from(n).unwrap_or(0), "group": "g0",
            "active": true, "tags": ["red", "green", "blue"], "rating": 4.5, "_p_author": "Author$abcdefghij",
            "_created_at": now, "_updated_at": now,
        }
    }

    async fn create(&self) -> Result<(), Failure> {
        self.scratch.collection("Created").insert_one(self.item()).await?;
        Ok(())
    }

    async fn session(&self, user: &str) -> Result<(), Failure> {
        let (_, id) = self.fresh();
        let now = mongodb::bson::DateTime::from_millis(1_790_000_000_000);
        let session = doc! {
            "_id": &id, "_session_token": format!("r:{id:0>32}"), "_p_user": format!("_User${user}"),
            "createdWith": { "action": "login", "authProvider": "password" }, "expiresAt": now, "_created_at": now, "_updated_at": now,
        };
        self.scratch.collection("_Session").insert_one(session).await?;
        Ok(())
    }

    async fn hashed(&self) -> Result<String, Failure> {
        let cost = self.cost;
        Ok(tokio::task::spawn_blocking(move || bcrypt::hash(PASSWORD, cost)).await??)
    }

    async fn sign_up(&self) -> Result<(), Failure> {
        let hash = self.hashed().await?;
        let (n, id) = self.fresh();
        let now = mongodb::bson::DateTime::from_millis(1_790_000_000_000);
        let user = doc! {
            "_id": &id, "username": format!("user {n}"), "_hashed_password": hash, "_created_at": now, "_updated_at": now,
            "_rperm": ["*", &id], "_wperm": [&id], "_acl": { &id: { "r": true, "w": true }, "*": { "r": true } },
        };
        self.scratch.collection("_User").insert_one(user).await?;
        self.session(&id).await
    }

    async fn log_in(&self, dice: &mut Dice) -> Result<(), Failure> {
        let user = self.one("_User", doc! { "username": draw(&self.names, dice)? }).await?;
        let (hash, id) = (user.get_str("_hashed_password")?.to_owned(), user.get_str("_id")?);
        if !tokio::task::spawn_blocking(move || bcrypt::verify(PASSWORD, &hash)).await?? {
            return Err("the password does not fit".into());
        }
        self.session(id).await
    }

    async fn include(&self, dice: &mut Dice) -> Result<(), Failure> {
        let found = self.search("Item", public(doc! { "group": draw(&self.groups, dice)? }), None, 100).await?;
        exactly(found.len(), 10)?;
        let mut authors = Vec::new();
        for row in &found {
            let id = row.get_str("_p_author")?.trim_start_matches("Author$").to_owned();
            if !authors.contains(&id) {
                authors.push(id);
            }
        }
        let wanted = authors.len();
        exactly(self.search("Author", public(doc! { "_id": { "$in": authors } }), None, 100).await?.len(), wanted)
    }

    async fn run(&self, dice: &mut Dice) -> Result<(), Failure> {
        match self.operation {
            Operation::Get => self.one("Item", public(doc! { "_id": draw(&self.items, dice)? })).await.map(drop),
            Operation::Equality => {
                let found = self.search("Item", public(doc! { "group": draw(&self.groups, dice)? }), None, 100).await?;
                exactly(found.len(), 10)
            }
            Operation::Range | Operation::Find20 => {
                let limit = if matches!(self.operation, Operation::Range) { 100 } else { 20 };
                let filter = public(doc! { "score": { "$gte": *draw(&self.scores, dice)? } });
                let found = self.search("Item", filter, Some(doc! { "score": 1 }), limit).await?;
                exactly(found.len(), usize::try_from(limit)?)
            }
            Operation::Include => self.include(dice).await,
            Operation::Roles => {
                let filter = doc! { "group": draw(&self.docs, dice)?, "_rperm": { "$in": &self.readers } };
                exactly(self.search("Document", filter, None, 100).await?.len(), 10)
            }
            Operation::Me => {
                let session = self.one("_Session", doc! { "_session_token": draw(&self.tokens, dice)? }).await?;
                let user = session.get_str("_p_user")?.trim_start_matches("_User$").to_owned();
                self.one("_User", doc! { "_id": user }).await.map(drop)
            }
            Operation::Create => self.create().await,
            Operation::Increment => {
                let rows: Collection<RawDocumentBuf> = self.database.collection("Counter");
                let now = mongodb::bson::DateTime::from_millis(1_790_000_000_000);
                let change = doc! { "$inc": { "n": 1 }, "$set": { "_updated_at": now } };
                let mine = doc! { "_id": draw(&self.counters, dice)?, "_wperm": { "$in": [Bson::Null, "*"] } };
                let after = rows.find_one_and_update(mine, change).await?;
                after.map(drop).ok_or_else(|| "no such counter".into())
            }
            Operation::Batch => try_join_all((0..50).map(|_| self.create())).await.map(drop),
            Operation::SignUp => self.sign_up().await,
            Operation::LogIn => self.log_in(dice).await,
            Operation::Hash => self.hashed().await.map(drop),
        }
    }
}

async fn phase(bench: &Arc<Bench>, connections: usize, seconds: f64) -> Result<(Latencies, f64), Failure> {
    let begin = Instant::now();
    let end = begin + Duration::from_secs_f64(seconds);
    let mut tasks = Vec::new();
    for index in 0..connections {
        let bench = bench.clone();
        tasks.push(tokio::spawn(async move {
            let mut latencies = Latencies::default();
            let mut dice = Dice::new(index as u64 + 1);
            while Instant::now() < end {
                let started = Instant::now();
                bench.run(&mut dice).await?;
                latencies.add(started.elapsed());
            }
            Ok::<_, Failure>(latencies)
        }));
    }
    let mut all = Latencies::default();
    for task in tasks {
        all.merge(task.await??);
    }
    Ok((all, begin.elapsed().as_secs_f64()))
}

/// Runs it; the report has the form of a run of `http` with one stream.
pub async fn run(spec: Spec) -> Result<Value, Failure> {
    let mut options = ClientOptions::parse(&spec.uri).await?;
    // as the server under test has it
    options.max_pool_size = Some(100);
    let client = Client::with_options(options)?;
    let database = client.default_database().ok_or("the URI names no database")?;
    let bench = Arc::new(Bench {
        database,
        scratch: client.database(&spec.scratch),
        operation: spec.operation,
        decode: spec.decode,
        cost: spec.bcrypt_cost,
        items: column(&spec.lists, "items", "id"),
        groups: column(&spec.lists, "groups", "name"),
        docs: column(&spec.lists, "documents", "group"),
        counters: column(&spec.lists, "counters", "id"),
        scores: column(&spec.lists, "scores", "from").iter().filter_map(|score| score.parse().ok()).collect(),
        tokens: column(&spec.lists, "users", "token"),
        names: column(&spec.lists, "users", "username"),
        readers: column(&spec.lists, "readers", "name"),
        next: AtomicU64::new(0),
        prefix: u64::try_from(std::time::UNIX_EPOCH.elapsed()?.as_nanos() & 0xFFFF_FFFF_FFFF).unwrap_or(0),
    });
    if spec.warmup > 0.0 {
        phase(&bench, spec.connections, spec.warmup).await?;
    }
    let meter = Meter::start(&spec.watch)?;
    let (latencies, seconds) = phase(&bench, spec.connections, spec.seconds).await?;
    let processes = meter.stop()?;
    let count = latencies.count();
    let stream = json!({
        "requests": count, "seconds": seconds, "per_second": ratio(count as u64, 1) / seconds, "errors": 0, "latency": latencies.report(),
    });
    Ok(json!({ "streams": [stream], "processes": processes }))
}
