//! `reparse embedded SOCKET`: serves a Node program, which listens on SOCKET and started this process.
//!
//! The program sends one line with what it wants, and gets one line: `{"ready": {…}}` or `{"error": "…"}`. The connection then stays
//! open. A second line of the program asks for a stop in which requests in flight finish; a connection that is closed means that the
//! program is gone, and with it everybody who waits for an answer. Signals are the program's to decide about: a terminal and many
//! supervisors send them to both.

use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::fail;
use crate::config::{self, Loaded};
use crate::logging;
use crate::server::{Environment, Program, Server};
use crate::system::signals::Signals;
use crate::system::{limits, local_socket};

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
    let signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("error: cannot listen for signals: {error}")),
    };
    let program = Arc::new(OnceLock::new());
    let (mut lines, writer) = match listen(socket, program.clone()).await {
        Ok(halves) => halves,
        Err(error) => return fail(&format!("error: cannot reach the program at {}: {error}", socket.display())),
    };
    tokio::select! {
        code = talk(&mut lines, writer, &program) => code,
        () = ignore(signals) => ExitCode::FAILURE,
    }
}

type Lines = mpsc::UnboundedReceiver<String>;
type Writer = Box<dyn AsyncWrite + Unpin + Send>;

/// The lines of the program, read by a thread of its own: it sees that the program is gone however busy the others are, and
/// ends the process if that does not end by itself. Nobody waits for anything then, and what has been acknowledged is stored.
async fn listen(socket: &Path, program: Arc<OnceLock<Program>>) -> io::Result<(Lines, Writer)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let (sender, lines) = mpsc::unbounded_channel();
    let (connected, writer) = oneshot::channel();
    let socket = socket.to_owned();
    std::thread::spawn(move || {
        runtime.block_on(hear(&socket, connected, sender));
        std::thread::sleep(ALONE);
        if let Some(program) = program.get() {
            program.clean();
        }
        std::process::exit(1);
    });
    Ok((lines, writer.await.map_err(io::Error::other)??))
}

/// Connects, and reads until the program is gone.
async fn hear(socket: &Path, connected: oneshot::Sender<io::Result<Writer>>, lines: mpsc::UnboundedSender<String>) {
    let reader = match local_socket::connect(socket).await {
        Ok((reader, writer)) => {
            // The receivers are gone when the process ends.
            let _ = connected.send(Ok(Box::new(writer)));
            reader
        }
        Err(error) => {
            let _ = connected.send(Err(error));
            return;
        }
    };
    let mut reader = BufReader::new(reader).lines();
    while let Ok(Some(line)) = reader.next_line().await {
        let _ = lines.send(line);
    }
}

/// Never completes.
async fn ignore(mut signals: Signals) {
    loop {
        signals.asked().await;
    }
}

async fn talk(lines: &mut Lines, mut writer: Writer, known: &OnceLock<Program>) -> ExitCode {
    let Some(line) = lines.recv().await else { return ExitCode::FAILURE };
    let (wish, loaded) = match read(&line) {
        Ok(read) => read,
        Err(error) => return refuse(&mut writer, &error).await,
    };
    let _logging = logging::start(&loaded.options);
    limits::raise_open_files();
    limits::survive_large_files();
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
        Err(error) => return refuse(&mut writer, &error.to_string()).await,
    };
    let address = listens.then(|| server.addr.to_string());
    let server = server.serve();
    say(&mut writer, &json!({"ready": {"listening": address}})).await;
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

async fn refuse(writer: &mut Writer, error: &str) -> ExitCode {
    say(writer, &json!({"error": error})).await;
    ExitCode::FAILURE
}

/// One line. A program that is gone hears nothing; that shows when its next line is read.
async fn say(writer: &mut Writer, message: &Value) {
    let _gone = writer.write_all(format!("{message}\n").as_bytes()).await;
}
