//! `reparse embedded SOCKET`: serves a Node program, which listens on SOCKET and started this process.
//!
//! The program sends one line with what it wants, and gets one line: `{"ready": {…}}` or `{"error": "…"}`. The connection then stays
//! open. A second line of the program asks for a stop in which requests in flight finish; a connection that is closed means that the
//! program is gone, and with it everybody who waits for an answer. Signals are the program's to decide about: a terminal and many
//! supervisors send them to both.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::fail;
use super::serve::{raise_open_files, survive_large_files};
use crate::config::{self, Loaded};
use crate::logging;
use crate::server::{Environment, Program, Server};

/// Version of what the two say to each other.
const PROTOCOL: u32 = 1;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wish {
    protocol: u32,
    /// Path of the socket for requests, which this process makes.
    requests: PathBuf,
    /// Path of the socket for cloud code, which this process makes.
    cloud: PathBuf,
    token: String,
    /// Whether to listen on host and port, too.
    #[serde(default)]
    listens: bool,
    /// Whether the program has a function for the master key.
    #[serde(default)]
    gives_master_key: bool,
    /// The options, as a program gives them to parse-server.
    options: Map<String, Value>,
}

/// Serves the program until it asks for a stop or is gone.
pub async fn serve(socket: &Path) -> ExitCode {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return fail("error: cannot listen for signals");
    };
    let connection = match UnixStream::connect(socket).await {
        Ok(connection) => connection,
        Err(error) => return fail(&format!("error: cannot reach the program at {}: {error}", socket.display())),
    };
    let (reader, writer) = connection.into_split();
    let mut lines = BufReader::new(reader).lines();
    tokio::select! {
        code = talk(&mut lines, writer) => code,
        () = ignore(&mut terminate, &mut interrupt) => ExitCode::FAILURE,
    }
}

/// Never completes.
async fn ignore(terminate: &mut Signal, interrupt: &mut Signal) {
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

async fn talk(lines: &mut Lines<BufReader<OwnedReadHalf>>, mut writer: OwnedWriteHalf) -> ExitCode {
    let Ok(Some(line)) = lines.next_line().await else { return ExitCode::FAILURE };
    let (wish, loaded) = match read(&line) {
        Ok(read) => read,
        Err(error) => return refuse(&mut writer, &error).await,
    };
    let _logging = logging::start(&loaded.options);
    raise_open_files();
    survive_large_files();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let Wish { requests, cloud, token, listens, gives_master_key, .. } = wish;
    let program = Program { requests, cloud, token, listens, gives_master_key };
    let environment = Environment { program: Some(program.clone()), ..Environment::default() };
    let Some(opened) = unless_gone(lines, Box::pin(Server::open(loaded.options, environment))).await else {
        program.clean();
        return ExitCode::FAILURE;
    };
    let server = match opened {
        Ok(server) => server,
        Err(error) => return refuse(&mut writer, &error.to_string()).await,
    };
    let address = listens.then(|| server.addr.to_string());
    let server = server.serve();
    say(&mut writer, &json!({"ready": {"listening": address}})).await;
    let asked = matches!(lines.next_line().await, Ok(Some(_)));
    if asked {
        server.shutdown().await;
    } else {
        server.abandon().await;
        program.clean();
    }
    ExitCode::SUCCESS
}

/// What the program wants, and its options.
fn read(line: &str) -> Result<(Wish, Loaded), String> {
    let mut wish: Wish =
        serde_json::from_str(line).map_err(|error| format!("the program's message is none: {error}"))?;
    if wish.protocol != PROTOCOL {
        return Err(format!("the program speaks version {} of the protocol, this is {PROTOCOL}", wish.protocol));
    }
    let loaded = config::load_embedded(std::mem::take(&mut wish.options)).map_err(|error| error.to_string())?;
    Ok((wish, loaded))
}

/// The outcome of `work`; nothing if the program is gone before.
async fn unless_gone<T>(lines: &mut Lines<BufReader<OwnedReadHalf>>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        outcome = work => Some(outcome),
        _ = lines.next_line() => None,
    }
}

async fn refuse(writer: &mut OwnedWriteHalf, error: &str) -> ExitCode {
    say(writer, &json!({"error": error})).await;
    ExitCode::FAILURE
}

/// A program that is gone hears nothing; that shows when its next line is read.
async fn say(writer: &mut OwnedWriteHalf, message: &Value) {
    let _gone = writer.write_all(format!("{message}\n").as_bytes()).await;
}
