//! Reads the settings of one sender.

use std::time::Duration;

use reqwest::Url;
use serde_json::{Map, Value as Json};

/// What is left to be read of the settings of a sender. Every error is a text for the person who wrote them.
pub struct Settings {
    /// Where they stand, as `push.ios`.
    path: String,
    map: Map<String, Json>,
}

impl Settings {
    /// The settings at this place.
    pub fn new(path: impl Into<String>, settings: &Json) -> Result<Self, String> {
        let path = path.into();
        match settings {
            Json::Object(map) => Ok(Self { path, map: map.clone() }),
            _ => Err(format!("option {path} must be an object")),
        }
    }

    /// An error about one of them.
    pub fn wrong(&self, key: &str, reason: &str) -> String {
        format!("option {}.{key} {reason}", self.path)
    }

    /// An error about all of them.
    pub fn wrong_as_a_whole(&self, reason: &str) -> String {
        format!("option {} {reason}", self.path)
    }

    /// A value; none where JavaScript would hold it for false.
    pub fn value(&mut self, key: &str) -> Option<Json> {
        self.map.shift_remove(key).filter(|value| match value {
            Json::Null | Json::Bool(false) => false,
            Json::String(text) => !text.is_empty(),
            _ => true,
        })
    }

    /// A text.
    pub fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.value(key) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.wrong(key, "must be a text")),
        }
    }

    /// A text that must be given.
    pub fn required(&mut self, key: &str) -> Result<String, String> {
        self.text(key)?.ok_or_else(|| self.wrong(key, "is missing"))
    }

    /// True or false.
    pub fn flag(&mut self, key: &str, default: bool) -> Result<bool, String> {
        match self.map.shift_remove(key) {
            None | Some(Json::Null) => Ok(default),
            Some(Json::Bool(flag)) => Ok(flag),
            Some(_) => Err(self.wrong(key, "must be true or false")),
        }
    }

    /// A whole number.
    pub fn number(&mut self, key: &str) -> Result<Option<u64>, String> {
        match self.map.shift_remove(key) {
            None | Some(Json::Null) => Ok(None),
            Some(value) => {
                let number = value.as_u64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
                number.map(Some).ok_or_else(|| self.wrong(key, "must be a whole number"))
            }
        }
    }

    /// A time in milliseconds.
    pub fn millis(&mut self, key: &str, default: Duration) -> Result<Duration, String> {
        match self.number(key)? {
            None => Ok(default),
            Some(0) => Err(self.wrong(key, "must be greater than 0")),
            Some(millis) => Ok(Duration::from_millis(millis)),
        }
    }

    /// Settings inside of one.
    pub fn inner(&mut self, key: &str) -> Result<Option<Self>, String> {
        match self.value(key) {
            None => Ok(None),
            Some(value) => Self::new(format!("{}.{key}", self.path), &value).map(Some),
        }
    }

    /// The address of a service, if another one than the real one is to be used: `https`, or `http` to this machine.
    pub fn address(&mut self, key: &str, real: &str) -> Result<Url, String> {
        let given = self.text(key)?;
        crate::adapters::http::address(given.as_deref().unwrap_or(real)).map_err(|error| self.wrong(key, &error))
    }

    /// The text of a setting that is PEM, or the path of a file with it.
    pub fn pem(&mut self, key: &str) -> Result<Option<String>, String> {
        match self.text(key)? {
            Some(path) if !path.contains("-----BEGIN") => {
                let read = std::fs::read_to_string(&path);
                read.map(Some).map_err(|error| self.wrong(key, &format!("names a file that cannot be read: {error}")))
            }
            text => Ok(text),
        }
    }

    /// Takes out settings that have no effect here.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.map.shift_remove(*key);
        }
    }

    /// Refuses what has not been read.
    pub fn finish(self) -> Result<(), String> {
        match self.map.keys().next() {
            Some(key) => Err(format!("option {}: there is no setting {key}", self.path)),
            None => Ok(()),
        }
    }
}
