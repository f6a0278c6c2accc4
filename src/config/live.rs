//! Options that can be replaced while a server runs.

use std::fmt;
use std::ops::Deref;
use std::sync::OnceLock;

use arc_swap::ArcSwapOption;

use super::Options;

/// The options of a server: those of its start, until newer ones replace some of them.
///
/// Whoever reads them gets a plain reference, so replaced options are kept for as long as the process runs: some kilobytes for each
/// time that an administrator has them read again. Without that, reading costs one comparison.
pub struct LiveOptions {
    first: Options,
    is_replaced: OnceLock<()>,
    newest: ArcSwapOption<&'static Options>,
}

impl LiveOptions {
    /// Options as of the start.
    #[must_use]
    pub fn new(first: Options) -> Self {
        Self { first, is_replaced: OnceLock::new(), newest: ArcSwapOption::empty() }
    }

    /// Has everybody read these options from now on.
    pub fn replace(&self, options: Options) {
        let kept: &'static Options = Box::leak(Box::new(options));
        self.newest.store(Some(std::sync::Arc::new(kept)));
        let _set = self.is_replaced.set(());
    }
}

impl Deref for LiveOptions {
    type Target = Options;

    fn deref(&self) -> &Options {
        if self.is_replaced.get().is_none() {
            return &self.first;
        }
        self.newest.load().as_deref().copied().unwrap_or(&self.first)
    }
}

impl fmt::Debug for LiveOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("LiveOptions").field(&**self).finish()
    }
}

/// What newer options change at once in the options of a running server, and the names of those that take effect with the next start.
///
/// Keys, the addresses that may use them, limits that requests read, rate limits and log levels change at once. The master key does not
/// where something has been made of it at start: cloud code knows it, and cookies of the dashboard are sealed by it.
#[must_use]
pub fn changed(current: &Options, newer: &Options) -> (Options, Vec<String>) {
    let mut next = current.clone();
    let keys = &mut next.keys;
    let (app_id, webhook_key) = (keys.app_id.clone(), keys.webhook_key.clone());
    let master_key = keys.master_key.clone();
    *keys = newer.keys.clone();
    (keys.app_id, keys.webhook_key) = (app_id, webhook_key);
    // The text of one that a function gives stands in the options that run.
    if current.server.cloud.is_some() || current.own.dashboard.enabled || keys.master_key.text().is_none() {
        keys.master_key = master_key;
    }
    next.security.rate_limit.clone_from(&newer.security.rate_limit);
    next.security.request_complexity = newer.security.request_complexity.clone();
    let (limits, new) = (&mut next.own.limits, &newer.own.limits);
    limits.json_bytes = new.json_bytes;
    limits.names = new.names;
    limits.included_objects = new.included_objects;
    limits.rows = new.rows;
    limits.batch_parts = new.batch_parts;
    limits.transaction_parts = new.transaction_parts;
    limits.graphql_bytes = new.graphql_bytes;
    limits.graphql_tokens = new.graphql_tokens;
    limits.graphql_aliases = new.graphql_aliases;
    limits.graphql_fragments = new.graphql_fragments;
    limits.graphql_variables = new.graphql_variables;
    limits.graphql_selections = new.graphql_selections;
    limits.form_parts = new.form_parts;
    limits.push_bytes = new.push_bytes;
    let (logging, new) = (&mut next.logging, &newer.logging);
    (logging.level, logging.silent, logging.verbose) = (new.level, new.silent, new.verbose);
    logging.levels = new.levels.clone();
    next.own.access_log = newer.own.access_log;
    next.own.accepts = newer.own.accepts;
    let mut waiting = differences(&next, newer);
    waiting.retain(|name| name != "masterKey" || newer.keys.master_key.text().is_some());
    (next, waiting)
}

/// Names of options in which two configurations differ, without their values.
fn differences(one: &Options, other: &Options) -> Vec<String> {
    let (one, other) = (one.write(), other.write());
    let mut names = Vec::new();
    for (name, value) in &other {
        let before = one.get(name).unwrap_or(&serde_json::Value::Null);
        match (before, value) {
            _ if before == value => {}
            (serde_json::Value::Object(before), serde_json::Value::Object(value)) => {
                let inner = value.iter().filter(|(inner, value)| before.get(*inner) != Some(*value));
                let gone = before.keys().filter(|inner| !value.contains_key(*inner));
                names.extend(inner.map(|(inner, _)| inner).chain(gone).map(|inner| format!("{name}.{inner}")));
            }
            _ => names.push(name.clone()),
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::config::values::Accepts;

    fn options(more: &Value) -> Options {
        let mut all = json!({ "appId": "a", "masterKey": "m", "databaseURI": "file:x" });
        for (name, value) in more.as_object().unwrap() {
            all[name] = value.clone();
        }
        Options::from_json(all).unwrap()
    }

    #[test]
    fn some_options_change_at_once_and_the_others_are_named() {
        let current = options(&json!({ "limits": { "rows": 5 } }));
        let newer = options(&json!({
            "masterKey": "n", "restAPIKey": "r", "logLevel": "debug", "webhookKey": "w", "port": 99,
            "accepts": "reads", "limits": { "rows": 6, "backlog": 7 }, "requestComplexity": { "includeDepth": 3 },
        }));
        let (next, waiting) = changed(&current, &newer);
        assert_eq!(next.keys.master_key.expose(), "n");
        assert_eq!(next.own.limits.rows, 6);
        assert_eq!(next.own.accepts, Accepts::Reads);
        assert_eq!(next.security.request_complexity, newer.security.request_complexity);
        assert_eq!(next.logging.level, newer.logging.level);
        assert!(next.keys.webhook_key.is_none() && next.server.port == 1337);
        assert_eq!(waiting, ["webhookKey", "port", "serverURL", "limits.backlog"]);
        assert!(changed(&next, &next).1.is_empty());
        let sealed = options(&json!({ "dashboard": { "enabled": true } }));
        let (next, waiting) =
            changed(&sealed, &options(&json!({ "dashboard": { "enabled": true }, "masterKey": "n" })));
        assert_eq!((next.keys.master_key.expose(), waiting), ("m", vec!["masterKey".to_owned()]));
    }

    #[test]
    fn replaced_options_are_read_by_all() {
        let live = LiveOptions::new(options(&json!({})));
        let before = &live.keys;
        for key in ["n", "o"] {
            live.replace(options(&json!({ "masterKey": key })));
            assert_eq!(live.keys.master_key.expose(), key);
        }
        assert_eq!(before.master_key.expose(), "m");
    }
}
