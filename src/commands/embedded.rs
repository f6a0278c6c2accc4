//! `reparse embedded SOCKET`: serves a Node program, which listens on SOCKET and started this process.
//!
//! The program sends one line with what it wants, and gets one line: `{"ready": {…}}` or `{"error": "…"}`. The connection then stays
//! open. A second line of the program asks for a stop in which requests in flight finish; a connection that is closed means that the
//! program is gone, and with it everybody who waits for an answer. Signals are the program's to decide about: a terminal and many
//! supervisors send them to both.

use std::future::Future;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::fail;
use super::serve::{raise_open_files, survive_large_files};
use crate::config::{self, Loaded};
use crate::logging;
use crate::server::{Environment, Program, Server};

/// Version of what the two say to each other.
const PROTOCOL: u32 = 1;
/// How long this process may take to end after its program is gone.
const ALONE: Duration = Duration::from_secs(2);

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
    let connected = UnixStream::connect(socket).and_then(|connection| Ok((connection.try_clone()?, connection)));
    let (reader, writer) = match connected {
        Ok(halves) => halves,
        Err(error) => return fail(&format!("error: cannot reach the program at {}: {error}", socket.display())),
    };
    let program = Arc::new(OnceLock::new());
    let mut lines = listen(reader, program.clone());
    tokio::select! {
        code = talk(&mut lines, writer, &program) => code,
        () = ignore(&mut terminate, &mut interrupt) => ExitCode::FAILURE,
    }
}

/// The lines of the program, read by a thread of its own: it sees that the program is gone however busy the others are, and
/// ends the process if that does not end by itself. Nobody waits for anything then, and what has been acknowledged is stored.
fn listen(reader: UnixStream, program: Arc<OnceLock<Program>>) -> mpsc::UnboundedReceiver<String> {
    let (sender, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(reader).lines().map_while(Result::ok) {
            // The receiver is gone when the process ends.
            let _ = sender.send(line);
        }
        drop(sender);
        std::thread::sleep(ALONE);
        if let Some(program) = program.get() {
            program.clean();
        }
        std::process::exit(1);
    });
    lines
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

type Lines = mpsc::UnboundedReceiver<String>;

async fn talk(lines: &mut Lines, mut writer: UnixStream, known: &OnceLock<Program>) -> ExitCode {
    let Some(line) = lines.recv().await else { return ExitCode::FAILURE };
    let (wish, loaded) = match read(&line) {
        Ok(read) => read,
        Err(error) => return refuse(&mut writer, &error),
    };
    let _logging = logging::start(&loaded.options);
    raise_open_files();
    survive_large_files();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    let Wish { requests, cloud, token, listens, gives_master_key, .. } = wish;
    let program = known.get_or_init(|| Program { requests, cloud, token, listens, gives_master_key });
    let environment = Environment { program: Some(program.clone()), ..Environment::default() };
    let Some(opened) = unless_gone(lines, Box::pin(Server::open(loaded.options, environment))).await else {
        program.clean();
        return ExitCode::FAILURE;
    };
    let server = match opened {
        Ok(server) => server,
        Err(error) => return refuse(&mut writer, &error.to_string()),
    };
    let address = listens.then(|| server.addr.to_string());
    let server = server.serve();
    say(&mut writer, &json!({"ready": {"listening": address}}));
    if lines.recv().await.is_some() {
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
async fn unless_gone<T>(lines: &mut Lines, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        outcome = work => Some(outcome),
        _ = lines.recv() => None,
    }
}

fn refuse(writer: &mut UnixStream, error: &str) -> ExitCode {
    say(writer, &json!({"error": error}));
    ExitCode::FAILURE
}

/// One line, which never fills the socket. A program that is gone hears nothing; that shows when its next line is read.
fn say(writer: &mut UnixStream, message: &Value) {
    let _gone = writer.write_all(format!("{message}\n").as_bytes());
}
