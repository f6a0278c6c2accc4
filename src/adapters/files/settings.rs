//! Reads the settings of a file store: from the configuration or, as the npm adapters do, from environment variables.

use serde_json::{Map, Value as Json};

/// Gives the value of an environment variable.
pub type Environment<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// What is left to be read of a store's settings.
pub struct Settings<'a> {
    adapter: &'a str,
    map: Map<String, Json>,
    environment: Environment<'a>,
}

impl<'a> Settings<'a> {
    /// The settings of the adapter with this name.
    #[must_use]
    pub fn new(adapter: &'a str, map: Map<String, Json>, environment: Environment<'a>) -> Self {
        Self { adapter, map, environment }
    }

    /// A value that counts: the npm adapters pass over everything JavaScript holds for false.
    fn take(&mut self, key: &str, variable: &str) -> Option<Json> {
        let given = self.map.shift_remove(key).filter(|value| match value {
            Json::Null | Json::Bool(false) => false,
            Json::String(text) => !text.is_empty(),
            _ => true,
        });
        given.or_else(|| self.variable(variable).map(Json::String))
    }

    /// An environment variable that is not empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<String> {
        if name.is_empty() {
            return None;
        }
        (self.environment)(name).filter(|text| !text.is_empty())
    }

    /// A text.
    ///
    /// # Errors
    /// When it is something else.
    pub fn text(&mut self, key: &str, variable: &str) -> Result<Option<String>, String> {
        match self.take(key, variable) {
            None => Ok(None),
            Some(Json::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("filesAdapter {}: option {key} must be a text", self.adapter)),
        }
    }

    /// A text that must be given.
    ///
    /// # Errors
    /// When it is missing or something else.
    pub fn required(&mut self, key: &str, variable: &str) -> Result<String, String> {
        let or = if variable.is_empty() { String::new() } else { format!(" (or the variable {variable})") };
        self.text(key, variable)?.ok_or_else(|| format!("filesAdapter {} needs the option {key}{or}", self.adapter))
    }

    /// A switch.
    ///
    /// # Errors
    /// When it is neither true nor false.
    pub fn flag(&mut self, key: &str, variable: &str) -> Result<bool, String> {
        match self.take(key, variable) {
            None => Ok(false),
            Some(Json::Bool(flag)) => Ok(flag),
            Some(Json::String(text)) if text == "true" || text == "1" => Ok(true),
            Some(Json::String(text)) if text == "false" || text == "0" => Ok(false),
            Some(_) => Err(format!("filesAdapter {}: option {key} must be true or false", self.adapter)),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// When it is something else.
    pub fn number(&mut self, key: &str, variable: &str) -> Result<Option<u64>, String> {
        match self.take(key, variable) {
            None => Ok(None),
            Some(value) => value
                .as_u64()
                .or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()))
                .map(Some)
                .ok_or_else(|| format!("filesAdapter {}: option {key} must be a whole number", self.adapter)),
        }
    }

    /// Settings inside of one.
    ///
    /// # Errors
    /// When it is no object.
    pub fn inner(&mut self, key: &str) -> Result<Settings<'a>, String> {
        let map = match self.take(key, "") {
            None => Map::new(),
            Some(Json::Object(map)) => map,
            Some(_) => return Err(format!("filesAdapter {}: option {key} must be an object", self.adapter)),
        };
        Ok(Settings { adapter: self.adapter, map, environment: self.environment })
    }

    /// Takes out settings that have no effect here.
    pub fn ignore(&mut self, keys: &[&str]) {
        for key in keys {
            self.map.shift_remove(*key);
        }
    }

    /// Refuses a setting by name, with the reason.
    ///
    /// # Errors
    /// When it is given.
    pub fn refuse(&mut self, key: &str, reason: &str) -> Result<(), String> {
        match self.take(key, "") {
            None => Ok(()),
            Some(_) => Err(format!("filesAdapter {}: option {key}: {reason}", self.adapter)),
        }
    }

    /// The settings as they are.
    #[must_use]
    pub fn into_map(self) -> Map<String, Json> {
        self.map
    }

    /// Refuses what has not been read.
    ///
    /// # Errors
    /// When anything is left.
    pub fn finish(self) -> Result<(), String> {
        match self.map.keys().next() {
            Some(key) => Err(format!("filesAdapter {} has no option {key}", self.adapter)),
            None => Ok(()),
        }
    }
}
