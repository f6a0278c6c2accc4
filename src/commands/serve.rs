//! `reparse`: runs the server until a signal stops it.

use std::net::SocketAddr;
use std::process::ExitCode;

use super::{fail, say};
use crate::config::{self, Command, DatabaseUri, Loaded, Options};
use crate::logging;
use crate::random::SystemRandom;
use crate::server::{Environment, Parts, RunningServer, Server};
use crate::system::limits;
use crate::system::signals::{Asked, Signals};
use crate::system::supervisor::{self, Phase};

/// Runs the server until a signal stops it.
pub async fn serve(loaded: Loaded, parts: Parts) -> ExitCode {
    let logging = logging::start(&loaded.options);
    limits::raise_open_files();
    limits::survive_large_files();
    supervisor::give_signs_of_life();
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    // Listen for signals first, so that one that arrives while the store is being opened is not lost.
    let mut signals = match Signals::listen() {
        Ok(signals) => signals,
        Err(error) => return fail(&format!("error: cannot listen for signals: {error}")),
    };
    let opening = Server::open(loaded.options.clone(), Environment { parts, ..Environment::default() });
    let server = tokio::select! {
        opened = opening => match opened {
            Ok(server) => server,
            Err(error) => return fail(&format!("error: {error}")),
        },
        () = signals.stop() => return ExitCode::SUCCESS,
    };
    // Print the banner before the first request can be answered.
    announce(&loaded, server.addr);
    warn_if_not_open(&loaded.options);
    let server = server.serve();
    supervisor::tell(Phase::Serves);
    while signals.asked().await == Asked::Reload {
        supervisor::tell(Phase::Reloads);
        reload(&server, &logging).await;
        supervisor::tell(Phase::Serves);
    }
    supervisor::tell(Phase::Stops);
    tracing::info!("shutting down: waiting for in-flight requests to finish");
    if !server.shutdown().await {
        tracing::warn!("shut down before all requests had finished");
    }
    ExitCode::SUCCESS
}

/// Reads the configuration and the certificate again. What is wrong with them is logged, and nothing changes.
async fn reload(server: &RunningServer, logging: &logging::Running) {
    server.reload_certificate().await;
    let read = || config::load(std::env::args_os().skip(1), &config::environment(), &SystemRandom);
    let loaded = match tokio::task::spawn_blocking(read).await {
        Ok(Ok(Command::Serve(loaded) | Command::LiveQuery(loaded))) => loaded,
        Ok(Ok(_)) => return,
        Ok(Err(error)) => return tracing::error!("the configuration stays as it is: {}", error.line()),
        Err(error) => return tracing::error!(%error, "the configuration could not be read"),
    };
    let waiting = server.reload(&loaded.options);
    logging.change(&server.app.options);
    warn_if_not_open(&server.app.options);
    if waiting.is_empty() {
        tracing::info!("the configuration was read again");
    } else {
        tracing::warn!(options = waiting.join(", "), "the configuration was read again; these options need a restart");
    }
}

/// Reminds the administrator of a server that does not accept everything.
fn warn_if_not_open(options: &Options) {
    let accepts = options.own.accepts;
    if !accepts.writes() {
        tracing::warn!(accepts = accepts.word(), "the server refuses requests, because option accepts says so");
    }
}

/// The start banner: URLs, directories, and a first command to try. The application id, which every client knows, is in it whenever the server generated
/// it; the master key only in the run that did.
fn announce(loaded: &Loaded, addr: SocketAddr) {
    let options = &loaded.options;
    let host = if addr.ip().is_unspecified() { format!("localhost:{}", addr.port()) } else { addr.to_string() };
    let root = format!("{}://{host}", options.own.tls.scheme());
    let rest = format!("{root}{}", options.server.mount_path);
    tracing::info!(url = %rest, "listening");
    if options.logging.json_logs == Some(true) || options.logging.silent == Some(true) {
        return;
    }
    let mut lines = vec![format!("reparse {} is ready.", env!("CARGO_PKG_VERSION")), format!("  REST     {rest}")];
    if options.graphql.mount {
        lines.push(format!("  GraphQL  {root}{}", options.graphql.path));
    }
    if options.own.dashboard.enabled {
        lines.push(format!("  Dashboard {root}{}", options.own.dashboard.path));
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
    let mut app_id = "YOUR_APP_ID";
    if loaded.zero_configuration {
        app_id = &options.keys.app_id;
        lines.push(format!("  App id   {app_id}"));
    }
    if loaded.fresh_keys {
        lines.push(format!("  Master key (shown only once)  {}", options.keys.master_key.expose()));
    }
    if let (true, Some(file)) = (loaded.zero_configuration, &keys_file) {
        lines.push(format!("  Keys     {}", file.display()));
    }
    lines.push("Sign up a user:".to_owned());
    lines.push(format!(
        "  curl -H 'X-Parse-Application-Id: {app_id}' -H 'Content-Type: application/json' -d '{{\"username\":\"ann\",\"password\":\"correct horse\"}}' {rest}/users"
    ));
    say(&lines.join("\n"));
}
