//! The process: its arguments, its banner, its signals, its exit status.

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::signal::unix::{SignalKind, signal};

use crate::config::{self, Command, DatabaseUri, Loaded};
use crate::logging;
use crate::random::SystemRandom;
use crate::rest;
use crate::server::{self, Environment, Server};

/// Does what the command line asks for; the exit status says whether it went well.
#[must_use]
pub fn main() -> ExitCode {
    let command = match config::load(std::env::args_os().skip(1), &config::environment(), &SystemRandom) {
        Ok(command) => command,
        Err(error) => return fail(&error.line()),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("error: cannot start: {error}")),
    };
    match command {
        Command::Help(text) | Command::Version(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Command::HealthCheck { url } => runtime.block_on(health_check(&url)),
        Command::OpenApi { loaded, yaml } => runtime.block_on(print_document(&loaded, yaml)),
        Command::Serve(loaded) => runtime.block_on(serve(*loaded)),
    }
}

fn fail(line: &str) -> ExitCode {
    eprintln!("{line}");
    ExitCode::FAILURE
}

async fn serve(loaded: Loaded) -> ExitCode {
    logging::start(&loaded.options.logging);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // Signals count from here on: one that comes while the store is being opened must not be lost.
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return fail("error: cannot listen for signals");
    };
    let opening = Server::open(loaded.options.clone(), Environment::default());
    let server = tokio::select! {
        opened = opening => match opened {
            Ok(server) => server,
            Err(error) => return fail(&format!("error: {error}")),
        },
        _ = terminate.recv() => return ExitCode::SUCCESS,
        _ = interrupt.recv() => return ExitCode::SUCCESS,
    };
    // Whoever gets an answer finds the banner printed already.
    announce(&loaded, server.addr);
    let server = server.serve();
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: requests under way are finished first");
    if !server.shutdown().await {
        tracing::warn!("stopped before all requests were finished");
    }
    ExitCode::SUCCESS
}

/// The banner: where things are, and a first command to try. Keys appear in the run that made them, and never again.
fn announce(loaded: &Loaded, addr: SocketAddr) {
    let options = &loaded.options;
    let host = if addr.ip().is_unspecified() { format!("localhost:{}", addr.port()) } else { addr.to_string() };
    let rest = format!("http://{host}{}", options.server.mount_path);
    tracing::info!(url = %rest, "listening");
    if options.logging.json_logs == Some(true) || options.logging.silent == Some(true) {
        return;
    }
    let mut lines = vec![format!("reparse {} is ready.", env!("CARGO_PKG_VERSION")), format!("  REST     {rest}")];
    if options.graphql.mount {
        lines.push(format!("  GraphQL  http://{host}{}", options.graphql.path));
    }
    let keys_file = match &options.database.uri {
        DatabaseUri::Mongo { .. } => {
            lines.push("  Data     MongoDB".to_owned());
            None
        }
        DatabaseUri::Embedded { dir } => {
            let dir = std::path::absolute(dir).unwrap_or_else(|_| dir.clone());
            lines.push(format!("  Data     {}", dir.display()));
            Some(dir.join("keys.json"))
        }
    };
    let mut app_id = "YOUR_APP_ID".to_owned();
    if loaded.fresh_keys {
        app_id.clone_from(&options.keys.app_id);
        lines.push(format!("  App id   {app_id}"));
        lines.push(format!("  Master key (shown this once)  {}", options.keys.master_key.expose()));
    }
    if let (true, Some(file)) = (loaded.zero_configuration, &keys_file) {
        lines.push(format!("  Keys     {}", file.display()));
    }
    lines.push("Sign up a user:".to_owned());
    lines.push(format!(
        "  curl -H 'X-Parse-Application-Id: {app_id}' -H 'Content-Type: application/json' -d '{{\"username\":\"ann\",\"password\":\"correct horse\"}}' {rest}/users"
    ));
    println!("{}", lines.join("\n"));
}

/// Prints the OpenAPI document of the app. Nothing is made or changed for it, and a server may be running.
async fn print_document(loaded: &Loaded, yaml: bool) -> ExitCode {
    let options = &loaded.options;
    for warning in &loaded.warnings {
        eprintln!("warning: {warning}");
    }
    let classes = match server::classes(options).await {
        Ok(classes) => classes,
        Err(error) => return fail(&format!("error: {error}")),
    };
    let document = rest::typed_document(&options.server.mount_path, &classes);
    let text = if yaml { rest::openapi::to_yaml(&document) } else { format!("{document:#}\n") };
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&format!("error: cannot write the document: {error}")),
    }
}

/// Asks a server whether it is well. Plain HTTP by hand: a client library for one request would be out of proportion.
async fn health_check(url: &str) -> ExitCode {
    let patience = Duration::from_secs(5);
    match tokio::time::timeout(patience, ask(url)).await {
        Ok(Ok(true)) => ExitCode::SUCCESS,
        Ok(Ok(false)) => fail("error: the server is not well"),
        Ok(Err(error)) => fail(&format!("error: cannot reach the server: {error}")),
        Err(_) => fail("error: the server does not answer"),
    }
}

async fn ask(url: &str) -> std::io::Result<bool> {
    let address = url.trim_start_matches("http://");
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let with_port =
        if host.rsplit(']').next().unwrap_or(host).contains(':') { host.to_owned() } else { format!("{host}:80") };
    let mut stream = tokio::net::TcpStream::connect(with_port).await?;
    stream.write_all(format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.1 200"))
}
