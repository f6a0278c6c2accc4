//! Sends the requests of all streams and collects the results.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use memchr::memmem;
use serde_json::{Value, json};

use crate::Failure;
use crate::connection::Connection;
use crate::process::Meter;
use crate::spec::{Expect, Http, Stream};
use crate::stats::Latencies;
use crate::template::{Dice, Draw, Tables, Template};

/// An answer that takes longer is an error.
const PATIENCE: Duration = Duration::from_mins(2);

/// A prepared stream.
struct Plan {
    stream: Stream,
    tables: Arc<Tables>,
    /// Request line and headers, without the last ones.
    head: Template,
    body: Option<Template>,
    contains: Vec<Template>,
    /// The number of the next request.
    next: AtomicU64,
}

impl Plan {
    fn new(stream: Stream, address: &str, tables: Arc<Tables>) -> Result<Self, Failure> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: {address}\r\n", stream.method, stream.path);
        for (name, value) in &stream.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        let parse = |text: &str| Template::parse(text, &tables);
        Ok(Self {
            head: parse(&head)?,
            body: stream.body.as_deref().map(parse).transpose()?,
            contains: stream.expect.contains.iter().map(|text| parse(text)).collect::<Result<_, _>>()?,
            next: AtomicU64::new(stream.first),
            tables,
            stream,
        })
    }

    fn request(&self, draw: &Draw, out: &mut Vec<u8>, body: &mut Vec<u8>) {
        out.clear();
        self.head.fill(&self.tables, draw, out);
        if let Some(template) = &self.body {
            body.clear();
            template.fill(&self.tables, draw, body);
            out.extend_from_slice(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
            out.extend_from_slice(body);
        } else {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// What is wrong with an answer.
    fn fault(&self, draw: &Draw, status: u16, body: &[u8]) -> Option<String> {
        let Expect { status: expected, absent, count, .. } = &self.stream.expect;
        let mut wanted = Vec::new();
        let what = if status == *expected {
            let missing = self.contains.iter().find_map(|template| {
                wanted.clear();
                template.fill(&self.tables, draw, &mut wanted);
                memmem::find(body, &wanted).is_none().then(|| format!("without {}", String::from_utf8_lossy(&wanted)))
            });
            let present = || {
                let found = absent.iter().find(|text| memmem::find(body, text.as_bytes()).is_some())?;
                Some(format!("with {found}"))
            };
            let miscounted = || {
                count.iter().find_map(|count| {
                    let found = memmem::find_iter(body, &count.text).count();
                    (found != count.times).then(|| format!("with {} {found} times, not {}", count.text, count.times))
                })
            };
            missing.or_else(present).or_else(miscounted)?
        } else {
            format!("with status {status}, not {expected}")
        };
        let shown = String::from_utf8_lossy(body.get(..body.len().min(600)).unwrap_or_default());
        Some(format!("{} {}: an answer {what}: {shown}", self.stream.method, self.stream.path))
    }
}

/// When requests may begin.
#[derive(Clone, Copy)]
struct Span {
    begin: Instant,
    end: Instant,
}

/// What one connection, or all of a stream, did.
#[derive(Default)]
struct Outcome {
    latencies: Latencies,
    bytes: usize,
    errors: u64,
    first_error: Option<String>,
    sample: Option<Vec<u8>>,
}

impl Outcome {
    fn fail(&mut self, error: String) {
        self.errors += 1;
        self.first_error.get_or_insert(error);
    }

    fn merge(&mut self, other: Self) {
        self.latencies.merge(other.latencies);
        self.bytes += other.bytes;
        self.errors += other.errors;
        self.first_error = self.first_error.take().or(other.first_error);
        self.sample = self.sample.take().or(other.sample);
    }
}

/// Waits until the turn of this request of a paced stream; returns the moment from which it counts. A request that could be
/// sent when it was due counts from when it was sent (the timer's own delay is not the server's); one that had to wait for
/// a connection counts from when it was due.
async fn turn(span: Span, index: u64, rate: f64) -> Instant {
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^53 requests")]
    let due = span.begin + Duration::from_secs_f64(index as f64 / rate);
    if due <= Instant::now() {
        return due;
    }
    tokio::time::sleep_until(due.min(span.end).into()).await;
    Instant::now()
}

async fn client(
    plan: Arc<Plan>,
    mut connection: Connection,
    mut dice: Dice,
    span: Span,
) -> (Connection, Dice, Outcome) {
    let mut outcome = Outcome::default();
    let (mut request, mut body) = (Vec::new(), Vec::new());
    let limit = plan.stream.requests.map(|requests| plan.stream.first + requests);
    while Instant::now() < span.end {
        let n = plan.next.fetch_add(1, Ordering::Relaxed);
        if limit.is_some_and(|limit| n >= limit) {
            break;
        }
        let started = match plan.stream.rate {
            Some(rate) => turn(span, n - plan.stream.first, rate).await,
            None => Instant::now(),
        };
        if Instant::now() >= span.end {
            break;
        }
        let draw = plan.tables.draw(&mut dice, n);
        plan.request(&draw, &mut request, &mut body);
        match tokio::time::timeout(PATIENCE, connection.exchange(&request)).await {
            Ok(Ok(answer)) => {
                let latency = started.elapsed();
                match plan.fault(&draw, answer.status, &connection.body) {
                    None => {
                        outcome.latencies.add(latency);
                        outcome.bytes += answer.bytes;
                        if outcome.sample.is_none() {
                            outcome.sample = Some(connection.body.clone());
                        }
                    }
                    Some(fault) => outcome.fail(fault),
                }
            }
            Ok(Err(error)) => outcome.fail(format!("{} {}: {error}", plan.stream.method, plan.stream.path)),
            Err(_) => outcome.fail(format!("{} {}: no answer", plan.stream.method, plan.stream.path)),
        }
        if outcome.errors > 20 {
            break;
        }
    }
    (connection, dice, outcome)
}

/// The connections of a stream.
struct Crew {
    plan: Arc<Plan>,
    clients: Vec<(Connection, Dice)>,
}

/// Lets all streams run for a while, to the last answer of each; the seconds are those until that answer.
async fn phase(crews: &mut [Crew], seconds: f64) -> Result<Vec<(Outcome, f64)>, Failure> {
    let begin = Instant::now();
    let span = Span { begin, end: begin + Duration::from_secs_f64(seconds) };
    let mut started = Vec::new();
    for crew in crews.iter_mut() {
        if crew.plan.stream.rate.is_some() {
            // each phase counts its turns from its own beginning
            crew.plan.next.store(crew.plan.stream.first, Ordering::Relaxed);
        }
        let clients = crew
            .clients
            .drain(..)
            .map(|(connection, dice)| tokio::spawn(client(crew.plan.clone(), connection, dice, span)));
        started.push(clients.collect::<Vec<_>>());
    }
    let mut outcomes = Vec::new();
    for (crew, clients) in crews.iter_mut().zip(started) {
        let mut all = Outcome::default();
        for client in clients {
            let (connection, dice, outcome) = client.await?;
            crew.clients.push((connection, dice));
            all.merge(outcome);
        }
        outcomes.push((all, begin.elapsed().as_secs_f64()));
    }
    Ok(outcomes)
}

fn report(plan: &Plan, outcome: Outcome, seconds: f64, opened: u64) -> Value {
    let count = outcome.latencies.count();
    json!({
        "name": plan.stream.name,
        "requests": count,
        "seconds": seconds,
        "per_second": crate::stats::ratio(count as u64, 1) / seconds,
        "bytes": outcome.bytes,
        "errors": outcome.errors,
        "first_error": outcome.first_error,
        "connections_opened": opened,
        "latency": outcome.latencies.report(),
        "sample": outcome.sample.map(|body| String::from_utf8_lossy(&body).into_owned()),
        "next": plan.next.load(Ordering::Relaxed),
    })
}

/// Runs it; the report has the streams in their order, and the processes watched.
pub async fn run(spec: Http) -> Result<Value, Failure> {
    let tables = Arc::new(Tables::new(&spec.lists)?);
    let mut crews = Vec::new();
    for (number, stream) in spec.streams.into_iter().enumerate() {
        let plan = Arc::new(Plan::new(stream, &spec.address, tables.clone())?);
        let mut clients = Vec::new();
        for index in 0..plan.stream.connections {
            let mut connection = Connection::new(&spec.address);
            connection.open().await?;
            clients.push((connection, Dice::new((number * 1_000_003 + index + 1) as u64)));
        }
        crews.push(Crew { plan, clients });
    }
    if spec.warmup > 0.0 {
        phase(&mut crews, spec.warmup).await?;
    }
    let meter = Meter::start(&spec.watch)?;
    let outcomes = phase(&mut crews, spec.seconds).await?;
    let processes = meter.stop()?;
    let streams: Vec<Value> = crews
        .iter()
        .zip(outcomes)
        .map(|(crew, (outcome, seconds))| {
            let opened = crew.clients.iter().map(|(connection, _)| connection.opened).sum();
            report(&crew.plan, outcome, seconds, opened)
        })
        .collect();
    Ok(json!({ "streams": streams, "processes": processes }))
}
