//! Options whose value is a function of the app: `{"module": …}` names a module that exports it.

use serde_json::{Map, Value, json};

use super::declare::{OptionType, OptionValue, Reader, Spec, Status};
use super::values::Secret;

/// A function of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Path of the module that exports it, relative to the working directory, or name of a package.
    pub module: String,
}

impl Callback {
    fn read(mut map: Map<String, Value>, reader: &mut Reader) -> Option<Self> {
        let name = map.shift_remove("module").unwrap_or(Value::Null);
        let module = reader.within("module".to_owned(), |reader| String::from_json(name, reader))?;
        reader.unknown(&map, &[Spec::of("module", "", &String::new(), Status::Supported, "")]);
        Some(Self { module })
    }
}

impl OptionValue for Callback {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Object(map) => Self::read(map, reader),
            other => reader.wrong("{\"module\": …}, which names a module that exports a function", &other),
        }
    }

    fn to_json(&self) -> Value {
        json!({ "module": self.module })
    }
}

/// A key: a text, or what a function of the app gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// The text.
    Text(Secret),
    /// The function gives it.
    Asked(Callback),
}

impl Key {
    /// The text, if it is known.
    #[must_use]
    pub const fn text(&self) -> Option<&Secret> {
        match self {
            Self::Text(key) => Some(key),
            Self::Asked(_) => None,
        }
    }

    /// The secret text, empty until the function has been asked. Do not log it or put it into a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text().map(Secret::expose).unwrap_or_default()
    }
}

impl OptionValue for Key {
    const TYPE: OptionType = OptionType::Text;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Object(map) => Callback::read(map, reader).map(Self::Asked),
            other => Secret::from_json(other, reader).map(Self::Text),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Text(key) => key.to_json(),
            Self::Asked(callback) => callback.to_json(),
        }
    }
}

/// Values for the placeholders of pages: fixed, or as a function of the app gives them for each page.
#[derive(Debug, Clone, PartialEq)]
pub enum Placeholders {
    /// The same for all pages.
    Fixed(Map<String, Value>),
    /// The function gives them.
    Asked(Callback),
}

impl OptionValue for Placeholders {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Object(map) if map.len() == 1 && map.contains_key("module") => {
                Callback::read(map, reader).map(Self::Asked)
            }
            other => Map::from_json(other, reader).map(Self::Fixed),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Fixed(values) => Value::Object(values.clone()),
            Self::Asked(callback) => callback.to_json(),
        }
    }
}

/// Yes or no: for all, or as a function of the app decides each time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// For all.
    Always(bool),
    /// The function decides.
    Asked(Callback),
}

impl Decision {
    /// Whether it can be yes.
    #[must_use]
    pub const fn is_possible(&self) -> bool {
        !matches!(self, Self::Always(false))
    }
}

impl OptionValue for Decision {
    const TYPE: OptionType = OptionType::Boolean;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Object(map) => Callback::read(map, reader).map(Self::Asked),
            other => bool::from_json(other, reader).map(Self::Always),
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Always(always) => Value::Bool(*always),
            Self::Asked(callback) => callback.to_json(),
        }
    }
}
