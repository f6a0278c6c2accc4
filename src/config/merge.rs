//! Merges settings from the file, the environment and flags into one tree with the form
//! of a configuration file.

use serde_json::{Map, Value};

use super::declare::{OptionType, from_text};
use super::error::ConfigError;
use super::support::REMOVED;
use super::{Options, nearest};

/// A value from the environment or a flag.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    /// Path of the option: one or two keys.
    path: Vec<&'static str>,
    repeated: bool,
    value: Value,
}

/// An option that can be set by a variable or a flag: a top-level option, or one inside a group.
#[derive(Debug)]
pub(super) struct FlatOption {
    /// Path of the option.
    pub path: Vec<&'static str>,
    /// Environment variable.
    pub env: &'static str,
    /// Type of the value.
    pub kind: OptionType,
    repeated: bool,
}

impl FlatOption {
    /// The keys, dotted.
    pub fn name(&self) -> String {
        self.path.join(".")
    }

    /// Parses `text` as a value of this option. Error messages name its `origin` and do not
    /// quote the text, which may be a secret.
    pub fn setting(&self, text: &str, origin: &str) -> Result<Setting, ConfigError> {
        let value = from_text(text, self.kind).ok_or_else(|| {
            let wanted = match self.kind {
                OptionType::Boolean => "true or false",
                OptionType::Number => "a number",
                OptionType::List => "a list, separated by commas or as JSON",
                OptionType::Group | OptionType::Object => "a JSON object",
                OptionType::Text => "a string",
            };
            ConfigError::new(format!("option {} must be {wanted} ({origin})", self.name()))
        })?;
        Ok(Setting { path: self.path.clone(), repeated: self.repeated, value })
    }
}

/// Every option that has a variable and a flag; groups before the options inside.
pub(super) fn places() -> Vec<FlatOption> {
    let mut all = Vec::new();
    let mut parts = Vec::new();
    for spec in Options::specs() {
        for inner in &spec.group {
            let path = vec![spec.key, inner.key];
            parts.push(FlatOption { path, env: inner.env, kind: inner.kind, repeated: spec.repeated });
            for innermost in inner.group.iter().filter(|_| !inner.repeated) {
                let path = vec![spec.key, inner.key, innermost.key];
                parts.push(FlatOption { path, env: innermost.env, kind: innermost.kind, repeated: spec.repeated });
            }
        }
        all.push(FlatOption { path: vec![spec.key], env: spec.env, kind: spec.kind, repeated: spec.repeated });
    }
    for (path, env, _) in REMOVED {
        parts.push(FlatOption { path: path.to_vec(), env, kind: OptionType::Text, repeated: false });
    }
    all.extend(parts);
    all
}

/// Applies the settings of one source to the tree. A group replaces the group; an option
/// inside a group replaces only that option. Options inside a list of groups form one
/// entry. The entry replaces the list of an earlier source, and is appended to a list of
/// the same source.
pub(super) fn overlay(map: &mut Map<String, Value>, settings: Vec<Setting>) {
    let (wholes, parts): (Vec<_>, Vec<_>) = settings.into_iter().partition(|setting| setting.path.len() == 1);
    let given: Vec<&str> = wholes.iter().filter_map(|setting| setting.path.first().copied()).collect();
    let mut entries = Map::new();
    for setting in wholes {
        insert(map, &setting.path, setting.value);
    }
    for setting in parts {
        insert(if setting.repeated { &mut entries } else { &mut *map }, &setting.path, setting.value);
    }
    for (key, entry) in entries {
        match map.get_mut(&key) {
            Some(Value::Array(list)) if given.contains(&key.as_str()) => list.push(entry),
            _ => {
                map.insert(key, Value::Array(vec![entry]));
            }
        }
    }
}

/// Sets the value at a path and creates missing groups. A group whose value is not an object
/// is left unchanged; reading it reports the error.
fn insert(map: &mut Map<String, Value>, path: &[&'static str], value: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        map.insert((*first).to_owned(), value);
        return;
    }
    let inner = map.entry((*first).to_owned()).or_insert(Value::Null);
    if inner.is_null() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        insert(inner, rest, value);
    }
}

/// The settings of a configuration file, including the form `{"apps": [{…}]}` and options
/// inside an object `reparse`.
pub(super) fn configuration(json: Value) -> Result<Map<String, Value>, ConfigError> {
    let Value::Object(mut map) = json else {
        return Err(ConfigError::new("a configuration must be a JSON object"));
    };
    if let Some(apps) = map.shift_remove("apps") {
        if let Some(key) = map.keys().next() {
            return Err(ConfigError::new(format!("unknown option {key} beside apps: options belong inside the app")));
        }
        let Value::Array(mut apps) = apps else {
            return Err(ConfigError::new("option apps must be a list with one app"));
        };
        map = match (apps.pop(), apps.is_empty()) {
            (Some(Value::Object(app)), true) => app,
            (Some(_), false) => return Err(ConfigError::new("Multiple apps are not supported")),
            _ => return Err(ConfigError::new("option apps must be a list with one app")),
        };
    }
    unfold_own(&mut map)?;
    for spec in Options::specs() {
        if let Some(value) = map.get_mut(spec.key) {
            loosen(value, spec.kind);
        }
    }
    Ok(map)
}

/// Moves the options inside `reparse` to the top level.
fn unfold_own(map: &mut Map<String, Value>) -> Result<(), ConfigError> {
    let own = match map.shift_remove("reparse") {
        None | Some(Value::Null) => return Ok(()),
        Some(Value::Object(own)) => own,
        Some(_) => return Err(ConfigError::new("option reparse must be an object")),
    };
    let known = <super::reparse::ReparseOptions as super::declare::Section>::specs();
    for (key, value) in own {
        if !known.iter().any(|spec| spec.key == key) {
            let hint = nearest(&key, known.iter().map(|spec| spec.key)).map(|key| format!("; did you mean {key}?"));
            return Err(ConfigError::new(format!("unknown option reparse.{key}{}", hint.unwrap_or_default())));
        }
        if map.insert(key.clone(), value).is_some() {
            return Err(ConfigError::new(format!("option {key} is set twice: at the top level and in reparse")));
        }
    }
    Ok(())
}

/// Parses strings of a file as numbers, booleans, lists and groups. Like parse-server, only
/// at the top level.
fn loosen(value: &mut Value, kind: OptionType) {
    if let (Value::String(text), OptionType::Boolean | OptionType::Number | OptionType::List | OptionType::Group) =
        (&*value, kind)
        && let Some(read) = from_text(text, kind)
    {
        *value = read;
    }
}
