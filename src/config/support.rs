//! Options of parse-server that this server does not support, and options that
//! parse-server 9 has removed.
//!
//! Whether an option is supported is stated in its declaration. This file handles the cases
//! that depend on the value.

use serde_json::{Map, Value};

use super::Options;
use super::declare::{Spec, Status};
use crate::adapters::{auth, push};

/// Why options cannot be supported, by their names; others may be later.
const REASONS: &[(&str, &str)] = &[
    ("cacheAdapter", "the server has caches of its own, and hears of changes by the database"),
    ("checkGroups", "checks of your own cannot run in the server"),
    ("databaseAdapter", "the server has stores of its own: name one with databaseURI"),
    ("middleware", "only a Node program can run middleware of Express: use the npm package"),
    ("requestContextMiddleware", "only a Node program can run middleware of Express: use the npm package"),
    ("serverCloseComplete", "only a Node program can be told: use the npm package"),
];

/// What an entry of `pages.customRoutes` lacks.
const NO_HANDLER: &str = "it has no handler, which is {\"module\": …}, a module that exports a function";

/// Names of the built-in identity providers; `anonymous` needs no adapter.
fn providers() -> impl Iterator<Item = &'static str> {
    std::iter::once("anonymous").chain(auth::PROVIDERS.iter().map(|provider| provider.name))
}

/// Modules that a provider of any name can use.
fn modules() -> impl Iterator<Item = &'static str> {
    auth::MODULES.iter().map(|module| module.name)
}

fn listed(names: impl Iterator<Item = &'static str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// Options that parse-server 5 to 8 had and 9 has removed: path, variable, why they are ignored.
pub(super) const REMOVED: &[(&[&str], &str, &str)] = &[
    (
        &["encodeParseObjectInCloudFunction"],
        "PARSE_SERVER_ENCODE_PARSE_OBJECT_IN_CLOUD_FUNCTION",
        "Parse objects are always encoded in function calls",
    ),
    (&["pages", "enableRouter"], "PARSE_SERVER_PAGES_ENABLE_ROUTER", "this server always has its pages router"),
    (&["serverStartComplete"], "PARSE_SERVER_SERVER_START_COMPLETE", "this server cannot call JavaScript functions"),
];

/// Removes options that parse-server 9 no longer has from the settings; one warning for each.
pub(super) fn take_removed(map: &mut Map<String, Value>) -> Vec<String> {
    let mut warnings = Vec::new();
    for (path, _, reason) in REMOVED {
        let taken = match path {
            [key] => map.shift_remove(*key),
            [group, key] => {
                map.get_mut(*group).and_then(Value::as_object_mut).and_then(|inner| inner.shift_remove(*key))
            }
            _ => None,
        };
        if taken.is_some() {
            warnings.push(format!("option {} no longer has an effect: {reason}", path.join(".")));
        }
    }
    warnings
}

/// A setting that this server does not support yet.
#[derive(Debug)]
pub(super) struct Unsupported {
    /// Path of the setting; list positions as `[0]`.
    pub path: Vec<String>,
    /// Message for the administrator.
    pub message: String,
}

/// Finds the settings that are not supported yet. A value that equals the default is accepted.
pub(super) fn missing(options: &Options, given: &Map<String, Value>) -> Vec<Unsupported> {
    let written = options.write();
    let defaults = Options::default().write();
    let mut found = Vec::new();
    for spec in Options::specs() {
        let (value, default) = (written.get(spec.key), defaults.get(spec.key));
        if given.contains_key(spec.key) && value != default {
            look(&spec, vec![spec.key.to_owned()], value, default, &mut found);
        }
    }
    for (name, settings) in &options.users.auth.0 {
        if asks_for_provider(settings) && !has_provider(name, settings) {
            found.push(unsupported(vec!["auth".to_owned(), name.clone()], &no_provider(name)));
        }
    }
    for (index, route) in options.mail.pages.custom_routes.iter().enumerate() {
        if route.handler.is_none() {
            found.push(unsupported(
                vec!["pages".to_owned(), "customRoutes".to_owned(), format!("[{index}]")],
                NO_HANDLER,
            ));
        }
    }
    if let Some(reason) = options.push.senders.as_ref().and_then(|senders| push::missing(&senders.settings)) {
        found.push(unsupported(vec!["push".to_owned()], &reason));
    }
    found
}

/// Whether the server supports a provider.
fn has_provider(name: &str, settings: &Value) -> bool {
    match settings.get("module") {
        None | Some(Value::Null) => {
            providers().any(|known| known == name) || settings.get("oauth2") == Some(&Value::Bool(true))
        }
        // What is no kind of provider is a module of the app.
        Some(module) => module.is_string(),
    }
}

/// Why a provider cannot be had, and what to do.
fn no_provider(name: &str) -> String {
    match auth::LEFT_OUT.iter().find(|(known, _)| *known == name) {
        Some((_, why)) => format!(
            "not built in ({why}); write an adapter in JavaScript and name it: {{\"module\": \"./{name}.js\", \"options\": {{…}}}}"
        ),
        None => format!(
            "unknown provider; built-in providers: {}; a provider of any other name needs {{\"oauth2\": true, …}} or one of the modules {}",
            listed(providers()),
            listed(modules())
        ),
    }
}

/// Whether a provider is enabled by its settings.
fn asks_for_provider(settings: &Value) -> bool {
    match settings {
        Value::Null | Value::Bool(false) => false,
        Value::Object(map) => map.get("enabled") != Some(&Value::Bool(false)),
        _ => true,
    }
}

fn look(spec: &Spec, path: Vec<String>, value: Option<&Value>, default: Option<&Value>, found: &mut Vec<Unsupported>) {
    if spec.status == Status::NotYet {
        let reason =
            REASONS.iter().find(|(key, _)| *key == spec.key).map_or("not supported yet", |(_, reason)| *reason);
        found.push(unsupported(path, reason));
        return;
    }
    let entries: Vec<(Vec<String>, Option<&Value>)> = match value {
        Some(Value::Array(list)) if spec.repeated => list
            .iter()
            .enumerate()
            .map(|(index, entry)| ([path.as_slice(), &[format!("[{index}]")]].concat(), Some(entry)))
            .collect(),
        _ => vec![(path, value)],
    };
    for (path, value) in entries {
        for inner in &spec.group {
            let value = value.and_then(|value| value.get(inner.key));
            // a group that is absent by default still has defaults inside
            let default = default.and_then(|default| default.get(inner.key)).or(Some(&inner.default));
            if value.is_some_and(|value| !value.is_null()) && value != default {
                look(inner, [path.as_slice(), &[inner.key.to_owned()]].concat(), value, default, found);
            }
        }
    }
}

fn unsupported(path: Vec<String>, reason: &str) -> Unsupported {
    let message = format!("option {}: {reason}", path.join(".").replace(".[", "["));
    Unsupported { path, message }
}

/// Removes a setting, as if it had not been set.
pub(super) fn prune(map: &mut Map<String, Value>, path: &[String]) {
    let Some((last, way)) = path.split_last() else { return };
    let Some((first, rest)) = way.split_first() else {
        map.shift_remove(last);
        return;
    };
    let mut place = map.get_mut(first);
    for step in rest {
        place = place.and_then(|value| match value {
            Value::Array(entries) => {
                let index = step.trim_start_matches('[').trim_end_matches(']').parse::<usize>().ok()?;
                entries.get_mut(index)
            }
            // a single rate limit stands for a list of one
            Value::Object(_) if step == "[0]" => Some(value),
            Value::Object(inner) => inner.get_mut(step),
            _ => None,
        });
    }
    if let Some(Value::Object(inner)) = place {
        inner.shift_remove(last);
    }
}
