//! What cloud code has registered: a snapshot that is replaced as a whole whenever the code registers more.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value as Json;

/// Options of a handler that the server must know; everything else a validator says is checked in the process.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Handler {
    /// The validator's `rateLimit`, as written: `requestTimeWindow`, `requestCount`, `zone`, …
    pub rate_limit: Option<Json>,
    /// The handler of a trigger is not called for requests with the master key.
    pub skip_with_master_key: bool,
}

/// Everything that is registered.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Registrations {
    /// Functions by name.
    pub functions: BTreeMap<String, Handler>,
    /// Triggers by type (`beforeSave`), then by class. Files are `@File`, the configuration `@Config`, connections of
    /// live queries `@Connect`.
    pub triggers: BTreeMap<String, BTreeMap<String, Handler>>,
    /// Names of jobs.
    pub jobs: BTreeSet<String>,
    /// Whether `onLiveQueryEvent` has handlers.
    pub live_query_events: bool,
}

impl Registrations {
    /// The function of this name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Handler> {
        self.functions.get(name)
    }

    /// The trigger of this type on a class.
    #[must_use]
    pub fn trigger(&self, kind: &str, class: &str) -> Option<&Handler> {
        self.triggers.get(kind)?.get(class)
    }

    /// Adds what another process of the same app has registered.
    pub(super) fn merge(&mut self, other: &Self) {
        self.functions.extend(other.functions.clone());
        for (kind, classes) in &other.triggers {
            self.triggers.entry(kind.clone()).or_default().extend(classes.clone());
        }
        self.jobs.extend(other.jobs.iter().cloned());
        self.live_query_events |= other.live_query_events;
    }
}
