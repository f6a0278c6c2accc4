//! Declares options. Each option is one row of a table. The struct field, its default, its
//! parsing, `--help`, `docs/options.md` and the comparison with parse-server's options are
//! generated from that row.

use serde_json::{Map, Value};

/// Whether the server supports an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The option is supported.
    Supported,
    /// parse-server supports it, this server does not yet: if it is set, the server refuses to start.
    NotYet,
    /// Accepted and ignored; the text says why it makes no difference.
    Harmless(&'static str),
}

/// The type of an option's value. It decides how text from the environment or a flag is
/// parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptionType {
    /// `true`/`1` or `false`/`0`.
    Boolean,
    /// A JSON number.
    Number,
    /// A string; the text is used as it is.
    Text,
    /// A list, written with commas or as a JSON array.
    List,
    /// A JSON object. Text that is not JSON stays a string, which the option's type accepts or refuses.
    Object,
    /// A JSON object whose keys are options.
    Group,
}

impl OptionType {
    /// Name of the type in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            OptionType::Boolean => "boolean",
            OptionType::Number => "number",
            OptionType::Text => "string",
            OptionType::List => "list",
            OptionType::Object => "object",
            OptionType::Group => "group",
        }
    }
}

/// A row of the table of options.
#[derive(Debug, Clone)]
pub struct Spec {
    /// Key in the configuration file and name of the flag.
    pub key: &'static str,
    /// Environment variable.
    pub env: &'static str,
    /// Type of the value.
    pub kind: OptionType,
    /// Default as JSON; `null` if there is none.
    pub default: Value,
    /// Whether the server supports it.
    pub status: Status,
    /// Its description for administrators.
    pub doc: &'static str,
    /// The options inside a group.
    pub group: Vec<Spec>,
    /// Whether the option is a list of groups (`rateLimit`).
    pub repeated: bool,
}

impl Spec {
    /// Builds the row of a field of type `T`; called by the macro.
    #[must_use]
    pub fn of<T: OptionValue>(
        key: &'static str,
        env: &'static str,
        default: &T,
        status: Status,
        doc: &'static str,
    ) -> Self {
        Spec {
            key,
            env,
            kind: T::TYPE,
            default: Some(default.to_json())
                .filter(|value| T::TYPE != OptionType::Group && *value != "")
                .unwrap_or_default(),
            status,
            doc: doc.trim_ascii(),
            group: T::group(),
            repeated: T::REPEATED,
        }
    }
}

/// A type that an option can have.
pub trait OptionValue: Sized {
    /// Type of the JSON value.
    const TYPE: OptionType;
    /// Whether it is a list of groups.
    const REPEATED: bool = false;
    /// Whether `null` is a value. If not, it means "not set".
    const NULLABLE: bool = false;

    /// Reads the value. Problems are added to `reader`, which knows the path of the value.
    fn from_json(value: Value, reader: &mut Reader) -> Option<Self>;

    /// The value as it is written in a configuration file.
    fn to_json(&self) -> Value;

    /// The options inside, for groups.
    #[must_use]
    fn group() -> Vec<Spec> {
        Vec::new()
    }
}

/// A struct that [`options!`](crate::config::declare::options) generates.
pub trait Section: Sized {
    /// The rows of its fields, in order.
    fn specs() -> Vec<Spec>;

    /// Reads its keys and removes them from `map`; other keys stay.
    fn read(map: &mut Map<String, Value>, reader: &mut Reader) -> Self;

    /// The struct as it is written in a configuration file.
    fn write(&self, map: &mut Map<String, Value>);
}

/// A problem in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// An unknown key.
    Unknown {
        /// Dotted path of the key.
        path: String,
        /// The known key at that level that is most similar.
        nearest: Option<String>,
    },
    /// An invalid value, with the complete error message.
    Wrong(String),
}

/// Collects problems while a configuration is read.
#[derive(Debug, Default)]
pub struct Reader {
    path: Vec<String>,
    /// The problems found so far, in the order of reading.
    pub problems: Vec<Problem>,
}

impl Reader {
    /// Dotted path of the value that is being read.
    #[must_use]
    pub fn path(&self) -> String {
        self.path.join(".").replace(".[", "[")
    }

    /// Runs `inside` with `step` appended to the path.
    pub fn within<T>(&mut self, step: String, inside: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let result = inside(self);
        self.path.pop();
        result
    }

    /// Records that the current value is not `wanted`.
    pub fn wrong<T>(&mut self, wanted: &str, found: &Value) -> Option<T> {
        let path = self.path();
        let message = super::messages::wrong_type(&path, found)
            .unwrap_or_else(|| format!("option {path} must be {wanted}, not {}", describe(found)));
        self.problems.push(Problem::Wrong(message));
        None
    }

    /// Records an error with a complete message.
    pub fn refuse<T>(&mut self, message: String) -> Option<T> {
        self.problems.push(Problem::Wrong(message));
        None
    }

    /// Records the keys that are left in `map` as unknown.
    pub fn unknown(&mut self, map: &Map<String, Value>, specs: &[Spec]) {
        for key in map.keys() {
            let path = self.within(key.clone(), |reader| reader.path());
            let nearest = super::nearest(key, specs.iter().map(|spec| spec.key));
            self.problems.push(Problem::Unknown { path, nearest });
        }
    }

    /// Removes `key` from `map` and reads its value. Returns the default if the key is missing,
    /// `null` or invalid.
    pub fn take<T: OptionValue>(&mut self, map: &mut Map<String, Value>, key: &str, default: T) -> T {
        let Some(value) = map.shift_remove(key) else { return default };
        let read = self.within(key.to_owned(), |reader| {
            let empty = value.is_null() && !T::NULLABLE && T::TYPE != OptionType::Boolean;
            if empty && !super::messages::null_is_wrong(&reader.path()) {
                return None;
            }
            T::from_json(value, reader)
        });
        read.unwrap_or(default)
    }
}

/// Parses text from the environment, a flag or a file as a value of `kind`; `None` if it
/// is not one.
#[must_use]
pub fn from_text(text: &str, kind: OptionType) -> Option<Value> {
    match kind {
        OptionType::Boolean => match text.trim() {
            "true" | "1" => Some(Value::Bool(true)),
            "false" | "0" => Some(Value::Bool(false)),
            _ => None,
        },
        OptionType::Number => serde_json::from_str(text.trim()).ok().filter(Value::is_number),
        OptionType::Text => Some(Value::String(text.to_owned())),
        OptionType::List => {
            let trimmed = text.trim();
            if trimmed.starts_with('[') || trimmed.starts_with('{') {
                return serde_json::from_str(trimmed).ok();
            }
            let items = trimmed.split(',').map(|item| Value::String(item.trim().to_owned()));
            Some(Value::Array(items.collect()))
        }
        OptionType::Object => Some(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))),
        OptionType::Group => serde_json::from_str(text).ok(),
    }
}

/// Describes a value for error messages: its type, never its content, which may be a secret.
#[must_use]
pub fn describe(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "that number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Declares a struct of options. Each field is one row: doc comment (the description),
/// name, type, default, JSON key, environment variable, status.
macro_rules! options {
    (
        $(#[$outer:meta])*
        pub struct $name:ident {
            $(
                #[doc = $doc:literal]
                $field:ident: $ty:ty = $default:expr, $key:literal, $env:literal, $status:expr;
            )*
        }
    ) => {
        $(#[$outer])*
        #[derive(Debug, Clone, PartialEq)]
        pub struct $name {
            $(
                #[doc = $doc]
                pub $field: $ty,
            )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl $crate::config::declare::Section for $name {
            fn specs() -> Vec<$crate::config::declare::Spec> {
                let default = Self::default();
                vec![$($crate::config::declare::Spec::of::<$ty>($key, $env, &default.$field, $status, $doc),)*]
            }

            fn read(
                map: &mut serde_json::Map<String, serde_json::Value>,
                reader: &mut $crate::config::declare::Reader,
            ) -> Self {
                let default = Self::default();
                Self { $($field: reader.take::<$ty>(map, $key, default.$field),)* }
            }

            fn write(&self, map: &mut serde_json::Map<String, serde_json::Value>) {
                $(map.insert(
                    $key.to_owned(),
                    $crate::config::declare::OptionValue::to_json(&self.$field),
                );)*
            }
        }
    };
}

/// Declares a struct of options that is the value of another option.
macro_rules! group {
    ($(#[$outer:meta])* pub struct $name:ident { $($rows:tt)* }) => {
        $crate::config::declare::options! { $(#[$outer])* pub struct $name { $($rows)* } }

        impl $crate::config::declare::OptionValue for $name {
            const TYPE: $crate::config::declare::OptionType = $crate::config::declare::OptionType::Group;

            fn from_json(
                value: serde_json::Value,
                reader: &mut $crate::config::declare::Reader,
            ) -> Option<Self> {
                let serde_json::Value::Object(mut map) = value else {
                    return reader.wrong("an object", &value);
                };
                let read = <Self as $crate::config::declare::Section>::read(&mut map, reader);
                reader.unknown(&map, &<Self as $crate::config::declare::Section>::specs());
                Some(read)
            }

            fn to_json(&self) -> serde_json::Value {
                let mut map = serde_json::Map::new();
                $crate::config::declare::Section::write(self, &mut map);
                map.retain(|_, value| !value.is_null());
                serde_json::Value::Object(map)
            }

            fn group() -> Vec<$crate::config::declare::Spec> {
                <Self as $crate::config::declare::Section>::specs()
            }
        }
    };
}

pub(crate) use {group, options};
