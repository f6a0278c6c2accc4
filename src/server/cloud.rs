//! Cloud code in JavaScript: started with the server, ended with it, and what the server does for it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::{Map, Value as Json, json};

use super::{Program, StartError};
use crate::adapters::cloud::node::{
    Cloud, CloudOptions, Handlers, Health, Host, LogLevel, LogLine, Origin, Registrations, RestRequest, RestResponse,
    Source, find_node,
};
use crate::adapters::email::OwnMail;
use crate::adapters::email::outbox::Outbox;
use crate::config::Options;
use crate::config::declare::{OptionValue as _, Reader};
use crate::config::rate_limit::RateLimit;
use crate::domain::features::jobs;
use crate::domain::features::logs::adapter;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::Client;
use crate::domain::kernel::triggers::{self, Code};
use crate::error::{ErrorCode, ParseError};
use crate::http::credentials::invalid_context;
use crate::http::gate::operations::{Operation, Operations, Verb};
use crate::model::trigger;
use crate::rest::inside::InsideRequest;
use crate::rest::request::Rest;

/// Starts the app's cloud code, if the options name some or a program embeds the server, and waits until it is loaded.
///
/// # Errors
/// When there is no Node, or the code cannot be loaded.
pub async fn start(
    app: &Arc<App>,
    rest: Arc<Rest>,
    program: Option<&Program>,
    needs_modules: bool,
    email: Option<Arc<Outbox>>,
) -> Result<Option<Arc<Cloud>>, StartError> {
    let options = &app.options;
    let source = match (program, &options.server.cloud) {
        (Some(program), _) => Source::Joining { socket: program.cloud.clone(), token: program.token.clone() },
        (None, Some(main)) => processes(options, Some(PathBuf::from(main)))?,
        (None, None) if needs_modules => processes(options, None)?,
        (None, None) => return Ok(None),
    };
    let call_timeout = Duration::from_millis(options.own.cloud_timeout_ms);
    let (client, shown) = (client(options), shown(options));
    let host = Arc::new(CloudHost { app: app.clone(), rest, email, client, options: shown });
    let cloud = Cloud::start(CloudOptions { call_timeout, ..CloudOptions::new(source) }, host, &*app.random).await;
    let cloud = cloud.map_err(StartError::Configuration)?;
    app.triggers.run_by(Arc::new(CloudHealth(Arc::downgrade(&cloud))));
    let registered = cloud.registrations().clone();
    tracing::info!(
        main = options.server.cloud,
        functions = registered.functions.len(),
        triggers = registered.triggers.values().map(std::collections::BTreeMap::len).sum::<usize>(),
        jobs = registered.jobs.len(),
        processes = ?cloud.process_ids(),
        "cloud code is loaded"
    );
    Ok(Some(cloud))
}

/// One process of the server's own that runs a module.
///
/// # Errors
/// When there is no Node.
pub(super) fn one_process(options: &Options) -> Result<Source, StartError> {
    let source = processes(options, None)?;
    Ok(match source {
        Source::Node { node, main, folder, nice, .. } => {
            Source::Node { node, main, folder, workers: 1, nice, reload: false }
        }
        joining @ Source::Joining { .. } => joining,
    })
}

/// Processes of the server's own that run a file, or only the modules that options name.
fn processes(options: &Options, main: Option<PathBuf>) -> Result<Source, StartError> {
    if let Some(main) = main.as_ref().filter(|main| !main.is_file()) {
        return Err(StartError::Configuration(format!("option cloud: there is no file {}", main.display())));
    }
    let own = &options.own;
    let configured = own.node.as_ref().map(PathBuf::from);
    let node = find_node(configured.as_deref(), std::env::var_os("PATH").as_deref());
    Ok(Source::Node {
        node: node.map_err(StartError::Configuration)?,
        main,
        folder: None,
        workers: usize::from(own.cloud_workers),
        nice: own.cloud_nice,
        reload: own.cloud_reload,
    })
}

/// Where requests of cloud code come from.
fn client(options: &Options) -> Client {
    let server = &options.server;
    let url = server.public_server_url.clone().or_else(|| server.server_url.clone()).unwrap_or_default();
    Client { base_url: url.trim_end_matches('/').to_owned(), ..Client::default() }
}

/// The options as `Parse.Server` and `request.config` show them.
fn shown(options: &Options) -> Map<String, Json> {
    let mut shown = options.write();
    shown.retain(|_, value| !value.is_null());
    shown.insert("applicationId".to_owned(), options.keys.app_id.as_str().into());
    shown
}

#[derive(Debug)]
struct CloudHealth(std::sync::Weak<Cloud>);

impl Code for CloudHealth {
    fn failure(&self) -> Option<String> {
        match self.0.upgrade()?.health() {
            Health::Failed(reason) => Some(reason),
            Health::Starting | Health::Ready | Health::Restarting => None,
        }
    }

    fn runs(&self) -> bool {
        self.0.upgrade().is_some_and(|cloud| cloud.health() == Health::Ready)
    }
}

struct CloudHost {
    app: Arc<App>,
    rest: Arc<Rest>,
    email: Option<Arc<Outbox>>,
    client: Client,
    options: Map<String, Json>,
}

/// Writes a line of cloud code to the log.
macro_rules! log_at {
    ($target:expr, $level:expr, $message:expr) => {
        match $level {
            LogLevel::Error => tracing::error!(target: $target, "{}", $message),
            LogLevel::Warn => tracing::warn!(target: $target, "{}", $message),
            LogLevel::Info => tracing::info!(target: $target, "{}", $message),
            LogLevel::Debug => tracing::debug!(target: $target, "{}", $message),
        }
    };
}

impl Host for CloudHost {
    fn rest(&self, origin: Origin, request: RestRequest) -> BoxFuture<'_, RestResponse> {
        Box::pin(async move {
            let span = tracing::info_span!("request", id = %origin.request);
            match self.inside(origin, request) {
                Ok(request) => {
                    answered(tracing::Instrument::instrument(self.rest.answer_inside(request), span).await).await
                }
                Err(error) => {
                    let body = json!({ "code": error.number(), "error": error.message });
                    RestResponse { status: error.status, body: body.to_string().into(), ..RestResponse::default() }
                }
            }
        })
    }

    fn send_email(&self, mail: Json) -> BoxFuture<'_, Result<(), ParseError>> {
        Box::pin(async move {
            let Some(outbox) = &self.email else {
                tracing::error!("Parse.Cloud.sendEmail: there is no mail adapter (option emailAdapter)");
                return Ok(());
            };
            let Json::Object(fields) = mail else {
                return Err(ParseError::new(ErrorCode::InvalidJson, "A mail must be an object."));
            };
            let mail = OwnMail { id: self.app.random.alphanumeric(20), millis: self.app.clock.now().millis(), fields };
            let sent = outbox.send_own(&mail).await;
            sent.map_err(|error| ParseError::new(ErrorCode::ScriptFailed, format!("The mail was not sent: {error}")))
        })
    }

    fn user_roles<'a>(&'a self, user: &'a str) -> BoxFuture<'a, Result<Vec<String>, ParseError>> {
        Box::pin(async move {
            let entities = match self.app.entities.known(user) {
                Some(entities) => entities,
                None => self.app.entities.find(&self.app, user, None).await?,
            };
            Ok(entities.iter().filter_map(|entity| entity.strip_prefix("role:")).map(str::to_owned).collect())
        })
    }

    fn job_message<'a>(&'a self, job: &'a str, message: &'a str) -> BoxFuture<'a, Result<(), ParseError>> {
        Box::pin(async move { jobs::message(&self.app, job, message).await })
    }

    fn options(&self) -> Map<String, Json> {
        self.options.clone()
    }

    fn set_options(&self, options: Map<String, Json>) -> BoxFuture<'_, Result<(), ParseError>> {
        Box::pin(async move {
            let changed = options.iter().filter(|(key, value)| self.options.get(*key) != Some(value));
            let changed: Vec<&str> = changed.map(|(key, _)| key.as_str()).collect();
            if changed.is_empty() {
                return Ok(());
            }
            let message = format!("Options of a running server cannot be changed ({}).", changed.join(", "));
            Err(ParseError::new(ErrorCode::CommandUnavailable, message))
        })
    }

    fn registered(&self, handlers: Handlers, registrations: &Registrations) {
        self.app.triggers.replace(triggers::Source::JavaScript, handlers);
        if let Err(reason) = self.rest.gate.declare(&rate_limits(&self.rest.gate.operations, registrations)) {
            tracing::error!("a rate limit of cloud code does not hold: {reason}");
        }
    }

    fn log(&self, line: &LogLine<'_>) {
        write(line);
    }
}

/// Writes a line of the app's code to the log.
pub(super) fn write(line: &LogLine<'_>) {
    let LogLine { level, message, request, printed } = line;
    let by_logger = *request == adapter::ORIGIN;
    let of_request = !request.is_empty() && !by_logger;
    let _span = of_request.then(|| tracing::info_span!("request", id = %request).entered());
    if *printed || by_logger {
        log_at!(adapter::NOT_HANDED_OVER, level, message);
    } else {
        log_at!("reparse::cloud", level, message);
    }
}

impl CloudHost {
    /// A request of the SDK as the API takes it.
    fn inside(&self, origin: Origin, request: RestRequest) -> Result<InsideRequest, ParseError> {
        let RestRequest { method, path, auth, context, headers, content_type, body } = request;
        let unknown = |_| ParseError::new(ErrorCode::CommandUnavailable, "unknown route or method");
        let cloud_context = match context {
            None | Some(Json::Null) => None,
            Some(Json::Object(context)) => Some(context),
            Some(_) => return Err(invalid_context()),
        };
        let standing = match (auth.use_master_key, auth.use_maintenance_key) {
            (true, _) => Auth::Master,
            (false, true) => Auth::Maintenance,
            (false, false) => Auth::Anonymous,
        };
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                map.insert(name, value);
            }
        }
        map.remove(header::CONTENT_TYPE);
        if let Some(value) = content_type.and_then(|kind| HeaderValue::try_from(kind).ok()) {
            map.insert(header::CONTENT_TYPE, value);
        }
        let client = Client {
            depth: origin.depth,
            log_id: (!origin.request.is_empty()).then(|| origin.request.into()),
            cloud_context,
            ..self.client.clone()
        };
        Ok(InsideRequest {
            method: Method::from_bytes(method.as_bytes()).map_err(unknown)?,
            path,
            auth: standing,
            session_token: auth.session_token,
            installation_id: auth.installation_id,
            client,
            headers: map,
            body,
        })
    }
}

async fn answered(mut response: poem::Response) -> RestResponse {
    let headers = response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())));
    let headers = headers.collect();
    let body = response.take_body().into_bytes().await.unwrap_or_default();
    RestResponse { status: response.status().as_u16(), headers, body }
}

/// The rate limits that functions and triggers declare, on the routes that lead to them.
fn rate_limits(operations: &Operations, registrations: &Registrations) -> Vec<RateLimit> {
    let mut limits = Vec::new();
    let mut add = |declared: &Option<Json>, path: String, methods: &[&str]| {
        let Some(Json::Object(declared)) = declared else { return };
        let mut option = declared.clone();
        // What is said stands for what is meant.
        option.entry("requestPath").or_insert_with(|| path.clone().into());
        if !methods.is_empty() {
            option.entry("requestMethods").or_insert_with(|| methods.into());
        }
        let mut reader = Reader::default();
        match RateLimit::from_json(option.into(), &mut reader) {
            Some(limit) if reader.problems.is_empty() => limits.push(limit),
            _ => tracing::error!("a rate limit of cloud code for {path} does not hold: {:?}", reader.problems),
        }
    };
    for (name, function) in &registrations.functions {
        add(&function.rate_limit, format!("/functions/{}", literal(name)), &[]);
    }
    for (kind, classes) in &registrations.triggers {
        for (class, handler) in classes {
            let (path, methods): (_, &[&str]) = match kind.as_str() {
                "beforeSave" => (route_of(operations, class), &["POST", "PUT"]),
                "beforeDelete" => (route_of(operations, class), &["DELETE"]),
                "beforeFind" => (route_of(operations, class), &["GET"]),
                "beforeLogin" => ("/login".to_owned(), &[]),
                "beforePasswordResetRequest" => ("/requestPasswordReset".to_owned(), &[]),
                _ => continue,
            };
            add(&handler.rate_limit, path, methods);
        }
    }
    limits
}

/// The route of the objects of a class, as a pattern.
fn route_of(operations: &Operations, class: &str) -> String {
    match class {
        trigger::CONFIG => "/config".to_owned(),
        trigger::FILES => "/files{/*path}".to_owned(),
        class => {
            let find = Operation::Object(Verb::Find, class.to_owned(), String::new());
            let route = operations.route_of(&find).map(|(_, path)| path).unwrap_or_default();
            format!("{}{{/*path}}", literal(&route))
        }
    }
}

/// A path with what means something in patterns escaped.
fn literal(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        if !character.is_alphanumeric() && !matches!(character, '_' | '/') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}
