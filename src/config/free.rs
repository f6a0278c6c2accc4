//! Options that contain arbitrary JSON: settings of adapters and identity providers.
//! They can contain passwords, so their `Debug` output omits the settings.

use std::fmt;

use serde_json::{Map, Value};

use super::declare::{OptionType, OptionValue, Reader, Spec, Status};

/// Any JSON value. The code that uses it checks it.
#[derive(Clone, PartialEq)]
pub struct Free(pub Value);

impl fmt::Debug for Free {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Free(…)")
    }
}

impl OptionValue for Free {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, _reader: &mut Reader) -> Option<Self> {
        Some(Free(value))
    }

    fn to_json(&self) -> Value {
        self.0.clone()
    }
}

/// An object with arbitrary keys.
impl OptionValue for Map<String, Value> {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Object(map) => Some(map),
            other => reader.wrong("an object", &other),
        }
    }

    fn to_json(&self) -> Value {
        Value::Object(self.clone())
    }
}

/// Arbitrary JSON inside a list (class definitions).
impl OptionValue for Value {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, _reader: &mut Reader) -> Option<Self> {
        Some(value)
    }

    fn to_json(&self) -> Value {
        self.clone()
    }
}

/// Identity providers and their settings, by name.
#[derive(Clone, PartialEq, Default)]
pub struct Providers(pub Map<String, Value>);

impl Providers {
    /// The settings of a provider; `None` if it is not configured.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl fmt::Debug for Providers {
    /// Shows only the names: the settings contain client secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl OptionValue for Providers {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        if value.is_null() {
            return Some(Self::default());
        }
        Map::from_json(value, reader).map(Providers)
    }

    fn to_json(&self) -> Value {
        if self.0.is_empty() { Value::Null } else { Value::Object(self.0.clone()) }
    }
}

/// The name of a built-in adapter, and its settings.
#[derive(Clone, PartialEq)]
pub struct Module {
    /// Name of the adapter.
    pub module: String,
    /// Its settings.
    pub options: Map<String, Value>,
}

impl fmt::Debug for Module {
    /// Omits the settings: they contain passwords and URLs with passwords.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Module").field("module", &self.module).finish_non_exhaustive()
    }
}

impl OptionValue for Module {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let mut map = match value {
            Value::String(module) => return Some(Module { module, options: Map::new() }),
            Value::Object(map) => map,
            other => return reader.wrong("the name of an adapter or {\"module\": …, \"options\": …}", &other),
        };
        let name = map.shift_remove("module").unwrap_or(Value::Null);
        let module = reader.within("module".to_owned(), |reader| String::from_json(name, reader))?;
        let options = match map.shift_remove("options") {
            None | Some(Value::Null) => Map::new(),
            Some(options) => reader.within("options".to_owned(), |reader| Map::from_json(options, reader))?,
        };
        let known = [
            Spec::of("module", "", &String::new(), Status::Supported, ""),
            Spec::of("options", "", &Map::new(), Status::Supported, ""),
        ];
        reader.unknown(&map, &known);
        Some(Module { module, options })
    }

    fn to_json(&self) -> Value {
        serde_json::json!({ "module": self.module, "options": self.options })
    }
}
