//! Opens the services that the options name: adapters, channels, places, and functions of the app.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Environment, StartError, backup};
use crate::adapters::audit::AuditLog;
use crate::adapters::auth::Providers;
use crate::adapters::cloud::module::{Decision, Modules};
use crate::adapters::cloud::webhook::{self, WebHooks};
use crate::adapters::dashboard::{self as installed, Installed};
use crate::adapters::email::{self, outbox::Outbox};
use crate::adapters::files::FileStore;
use crate::adapters::files::encryption::FileKey;
use crate::adapters::files::javascript::JavaScript;
use crate::adapters::files::open::{self, Home, Opened};

use crate::adapters::push;
use crate::adapters::redis::{Channels, Redis};
use crate::clock::Clock;
use crate::config::{self, Options, Secret, code};
use crate::domain::features::Services;
use crate::domain::kernel::services::Callbacks;
use crate::domain::start::Migration;
use crate::pages::own_routes::{OwnPages, OwnRoute};
use crate::random::Random;

/// Opens the services that the options name.
pub(super) fn services(
    options: &Options,
    environment: &Environment,
    modules: &Arc<Modules>,
) -> Result<Services, StartError> {
    let email = match &options.mail.email_adapter {
        Some(adapter) => {
            let adapter = email::open(&adapter.module, &adapter.options, modules).map_err(StartError::Configuration)?;
            Some(Arc::new(Outbox::new(adapter)))
        }
        None => None,
    };
    let providers = Providers::open(&options.users.auth.0, modules).map_err(StartError::Configuration)?;
    let hooks = webhook::Settings {
        key: options.keys.webhook_key.as_ref().map(|key| key.expose().to_owned()),
        timeout: Duration::from_millis(options.own.hook_timeout_ms),
        answer_bytes: usize::try_from(options.own.hook_answer_bytes).unwrap_or(usize::MAX),
    };
    let web_hooks = Arc::new(WebHooks::new(&hooks).map_err(StartError::Configuration)?);
    let push = match &options.push.senders {
        Some(settings) => {
            let (clock, random) = (environment.clock.clone(), environment.random.clone());
            let sources = push::Sources { clock, random, modules: modules.clone() };
            Some(push::build(&settings.settings, &sources).map_err(StartError::Configuration)?)
        }
        None => None,
    };
    let dashboard = options.own.dashboard.enabled.then(|| dashboard(options)).transpose()?;
    let analytics = options.server.analytics_adapter.as_ref();
    let analytics = analytics
        .map(|adapter| modules.name("analyticsAdapter", &adapter.module, Some(adapter.options.clone().into())));
    let (channels, callbacks) = (channels(options)?, callbacks(options, modules));
    let audit = audit(&options.own.audit_log, environment)?;
    let backups = backup::backups(options, &environment.random)?;
    Ok(Services {
        audit,
        backups,
        email,
        providers,
        files: None,
        push,
        channels,
        dashboard,
        web_hooks,
        callbacks,
        analytics,
    })
}

/// The audit log, if the options name a folder for it.
fn audit(options: &config::audit::AuditLog, environment: &Environment) -> Result<Option<Arc<AuditLog>>, StartError> {
    let Some(folder) = &options.folder else { return Ok(None) };
    let (clock, random) = (environment.clock.clone(), &*environment.random);
    let log = AuditLog::open(Path::new(folder), options.file_bytes, clock, random);
    log.map(|log| Some(Arc::new(log))).map_err(StartError::Configuration)
}

/// Parse Dashboard, where it is installed, with its own configuration file.
fn dashboard(options: &Options) -> Result<Installed, StartError> {
    let own = &options.own.dashboard;
    let package = installed::Package::find(own.package.as_deref().map(Path::new), options.data_dir());
    let package = package.map_err(|error| StartError::Configuration(format!("option dashboard: {error}")))?;
    let settings = own.config.as_deref().map(|file| installed::configuration(Path::new(file))).transpose();
    Ok(Installed { package, settings: settings.map_err(StartError::Configuration)?.unwrap_or_default() })
}

/// Functions of the app that the options name.
fn callbacks(options: &Options, modules: &Modules) -> Callbacks {
    let decision = |option: &str, decision: &code::Decision| match decision {
        code::Decision::Always(always) => Decision::Always(*always),
        code::Decision::Asked(callback) => Decision::Asked(modules.name(option, &callback.module, None)),
    };
    let (mail, policy) = (&options.mail, &options.users.password_policy);
    let judge = policy.as_ref().and_then(|policy| policy.validator_callback.as_ref());
    Callbacks {
        verify_email: decision("verifyUserEmails", &mail.verify_user_emails),
        prevent_log_in: decision("preventLoginWithUnverifiedEmail", &mail.prevent_login_with_unverified_email),
        send_verification: decision("sendUserEmailVerification", &mail.send_user_email_verification),
        judge_password: judge.map(|judge| modules.name("passwordPolicy.validatorCallback", &judge.module, None)),
    }
}

/// What the app's code has to do with pages.
pub(super) fn own_pages(options: &Options, modules: &Modules) -> Result<OwnPages, StartError> {
    let placeholders = match &options.mail.pages.placeholders {
        code::Placeholders::Fixed(_) => None,
        code::Placeholders::Asked(callback) => Some(modules.name("pages.placeholders", &callback.module, None)),
    };
    let mut routes = Vec::new();
    for (index, route) in options.mail.pages.custom_routes.iter().enumerate() {
        // Without a handler the options are refused, or the entry is to be ignored.
        let Some(handler) = &route.handler else { continue };
        let option = format!("pages.customRoutes[{index}]");
        let handler = modules.name(&format!("{option}.handler"), &handler.module, None);
        let route = OwnRoute::new(&route.method, &route.path, handler);
        routes.push(route.map_err(|error| StartError::Configuration(format!("option {option}: {error}")))?);
    }
    Ok(OwnPages { routes, placeholders })
}

/// Functions of the app around the class definitions.
pub(super) fn migration(options: &Options, modules: &Modules) -> Migration {
    let Some(definitions) = &options.schema.definitions else { return Migration::default() };
    let name = |option: &str, callback: &Option<code::Callback>| {
        callback.as_ref().map(|callback| modules.name(option, &callback.module, None))
    };
    Migration {
        before: name("schema.beforeMigration", &definitions.before_migration),
        after: name("schema.afterMigration", &definitions.after_migration),
    }
}

/// The channels between servers that the options name.
fn channels(options: &Options) -> Result<Channels, StartError> {
    let at = |url: Option<&Secret>| {
        let redis = url.map(|url| Redis::at(url.expose())).transpose();
        redis.map_err(|error| StartError::Configuration(format!("redisURL: {error}")))
    };
    let options = &options.live_query;
    Ok(Channels {
        publish: at(options.classes.as_ref().and_then(|classes| classes.redis_url.as_ref()))?,
        listen: at(options.server.as_ref().and_then(|server| server.redis_url.as_ref()))?,
    })
}

/// Opens the store of files that the options name. `javascript`: of a server that runs it.
pub(super) fn files(
    options: &Options,
    home: Home,
    random: &Arc<dyn Random>,
    javascript: Option<(&Modules, &Arc<dyn Clock>)>,
) -> Result<Arc<dyn FileStore>, StartError> {
    let Options { keys, server, files: options, .. } = options;
    let adapter = options.files_adapter.as_ref().map(|adapter| &adapter.0);
    let key = options.file_key.as_ref().map(|key| FileKey::from_text(key.expose()));
    let variables = |name: &str| std::env::var(name).ok();
    match open::open(adapter, home, key, random.clone(), &variables).map_err(StartError::Configuration)? {
        Opened::Store(store) => Ok(store),
        Opened::NeedsJavaScript { module, options } => {
            let Some((modules, clock)) = javascript else {
                let message = format!("filesAdapter {module}: only a running server can load JavaScript");
                return Err(StartError::Configuration(message));
            };
            let mount = server.public_server_url.as_ref().or(server.server_url.as_ref()).map_or("", String::as_str);
            let store =
                JavaScript::open(&module, options, modules, &keys.app_id, mount, (clock.clone(), random.clone()));
            Ok(Arc::new(store))
        }
    }
}
