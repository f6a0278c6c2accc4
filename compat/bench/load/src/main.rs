//! The load generator of the benchmarks. It reads what to do as JSON on standard input and prints JSON:
//!
//! - `http`: requests against a server, from many connections, every answer checked ([`spec::Http`]);
//! - `floor`: the same work on the database by the bare driver, no server between ([`floor::Spec`]);
//! - `start`: how long a server takes from its start to its first healthy answer ([`start::Spec`]).
//!
//! It has to be cheap, because it runs on the cores of what it measures: one thread, connections that stay open, answers
//! searched rather than parsed.

mod connection;
mod drive;
mod floor;
mod process;
mod spec;
mod start;
mod stats;
mod template;

use std::error::Error;
use std::io::Read as _;
use std::process::ExitCode;

/// What stops a run: the text for a person.
pub type Failure = Box<dyn Error + Send + Sync>;

fn run() -> Result<String, Failure> {
    let command = std::env::args().nth(1).unwrap_or_default();
    let mut input = String::new();
    std::io::stdin().read_to_string(&mut input)?;
    let report = match command.as_str() {
        "http" => {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(drive::run(serde_json::from_str(&input)?))?
        }
        "floor" => {
            // as many threads as the server has, and as many for hashes
            let cores = std::thread::available_parallelism()?.get();
            let runtime =
                tokio::runtime::Builder::new_multi_thread().enable_all().max_blocking_threads(cores).build()?;
            runtime.block_on(floor::run(serde_json::from_str(&input)?))?
        }
        "start" => start::run(&serde_json::from_str(&input)?)?,
        other => return Err(format!("unknown command '{other}': http, floor or start").into()),
    };
    Ok(serde_json::to_string(&report)?)
}

fn main() -> ExitCode {
    match run() {
        Ok(report) => {
            println!("{report}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("reparse-load: {error}");
            ExitCode::FAILURE
        }
    }
}
