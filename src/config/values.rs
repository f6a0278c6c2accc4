//! Types of options, and how each is read from JSON.

use crate::model::js_pattern::JsPattern;
use std::fmt;

use serde_json::Value;

use super::declare::{OptionType, OptionValue, Reader, Spec};

/// A key or password. It has no `Display`, and `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The secret text. Do not log it or put it into a message.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl OptionValue for Secret {
    const TYPE: OptionType = OptionType::Text;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        String::from_json(value, reader).map(Secret)
    }

    fn to_json(&self) -> Value {
        Value::String(self.0.clone())
    }
}

impl OptionValue for bool {
    const TYPE: OptionType = OptionType::Boolean;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(flag),
            other => reader.wrong("a boolean", &other),
        }
    }

    fn to_json(&self) -> Value {
        Value::Bool(*self)
    }
}

impl OptionValue for String {
    const TYPE: OptionType = OptionType::Text;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            other => reader.wrong("a string", &other),
        }
    }

    fn to_json(&self) -> Value {
        Value::String(self.clone())
    }
}

impl OptionValue for f64 {
    const TYPE: OptionType = OptionType::Number;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value.as_f64().filter(|number| number.is_finite()) {
            Some(number) => Some(number),
            None => reader.wrong("a number", &value),
        }
    }

    fn to_json(&self) -> Value {
        whole(*self).map_or_else(|| Value::from(*self), Value::from)
    }
}

/// `number` as an integer, if it is one and fits.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn whole(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < 9.0e15).then_some(number as i64)
}

/// Integers, also written as `3.0`. The error message contains the range.
macro_rules! integer {
    ($($ty:ty),*) => {$(
        impl OptionValue for $ty {
            const TYPE: OptionType = OptionType::Number;

            fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
                let number = value.as_i64().or_else(|| value.as_f64().and_then(whole));
                match number.and_then(|number| <$ty>::try_from(number).ok()) {
                    Some(number) => Some(number),
                    None => reader.wrong(&format!("an integer from {} to {}", <$ty>::MIN, <$ty>::MAX), &value),
                }
            }

            fn to_json(&self) -> Value {
                Value::from(*self)
            }
        }
    )*};
}
integer!(u8, u16, u32, u64, usize, i64);

impl<T: OptionValue> OptionValue for Option<T> {
    const TYPE: OptionType = T::TYPE;
    const REPEATED: bool = T::REPEATED;
    const NULLABLE: bool = true;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        if value.is_null() && !super::messages::null_is_wrong(&reader.path()) {
            return Some(None);
        }
        T::from_json(value, reader).map(Some)
    }

    fn to_json(&self) -> Value {
        self.as_ref().map_or(Value::Null, OptionValue::to_json)
    }

    fn group() -> Vec<Spec> {
        T::group()
    }
}

impl<T: OptionValue> OptionValue for Vec<T> {
    const TYPE: OptionType = match T::TYPE {
        OptionType::Group => OptionType::Group,
        _ => OptionType::List,
    };
    const REPEATED: bool = matches!(T::TYPE, OptionType::Group);

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let items = match value {
            Value::Array(items) => items,
            // like parse-server, accepts a single rate limit instead of a list
            Value::Object(_) if Self::REPEATED => vec![value],
            _ => return reader.wrong("a list", &value),
        };
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            list.push(reader.within(format!("[{index}]"), |reader| T::from_json(item, reader))?);
        }
        Some(list)
    }

    fn to_json(&self) -> Value {
        Value::Array(self.iter().map(OptionValue::to_json).collect())
    }

    fn group() -> Vec<Spec> {
        T::group()
    }
}

/// One or several strings, written as a string or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextList(pub Vec<String>);

impl OptionValue for TextList {
    const TYPE: OptionType = OptionType::List;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match value {
            Value::String(text) => Some(TextList(vec![text])),
            other => Vec::from_json(other, reader).map(TextList),
        }
    }

    fn to_json(&self) -> Value {
        self.0.to_json()
    }
}

/// A size, written as `20mb`, `1kb` or `1024` (bytes).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ByteSize {
    /// The number of bytes.
    pub bytes: u64,
    text: String,
}

impl ByteSize {
    /// Parses a size such as `20mb`; `None` if it is not a size. Units are powers of 1024 and
    /// ignore case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let unit: u32 = match lower.strip_prefix(digits)? {
            "" | "b" => 0,
            "kb" | "k" => 10,
            "mb" | "m" => 20,
            "gb" | "g" => 30,
            "tb" => 40,
            _ => return None,
        };
        let number: f64 = digits.trim_end().parse().ok()?;
        let bytes = number * f64::from(unit).exp2();
        if !(0.0..9.0e15).contains(&bytes) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        let bytes = bytes.floor() as u64;
        Some(ByteSize { bytes, text: text.to_owned() })
    }

    /// 0 bytes.
    #[must_use]
    pub fn zero() -> Self {
        ByteSize { bytes: 0, text: "0".to_owned() }
    }
}

impl OptionValue for JsPattern {
    const TYPE: OptionType = OptionType::Text;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        String::from_json(value, reader).map(Self::new)
    }

    fn to_json(&self) -> Value {
        Value::String(self.source().to_owned())
    }
}

impl OptionValue for ByteSize {
    const TYPE: OptionType = OptionType::Text;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let text = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => String::new(),
        };
        match ByteSize::parse(&text) {
            Some(size) => Some(size),
            None => reader.wrong("a size such as \"20mb\" or \"512kb\"", &value),
        }
    }

    fn to_json(&self) -> Value {
        Value::String(self.text.clone())
    }
}

/// Declares an enum whose variants are strings in JSON.
macro_rules! words {
    ($(#[$outer:meta])* pub enum $name:ident { $(#[doc = $doc:literal] $variant:ident = $word:literal,)* }) => {
        $(#[$outer])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $(#[doc = $doc] $variant,)* }

        impl $name {
            /// The strings that a configuration may contain.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// The string of this variant.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl OptionValue for $name {
            const TYPE: OptionType = OptionType::Text;

            fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
                match value.as_str() {
                    $(Some($word) => Some(Self::$variant),)*
                    _ => {
                        let words: Vec<String> = Self::WORDS.iter().map(|word| format!("\"{word}\"")).collect();
                        reader.wrong(&format!("one of {}", words.join(", ")), &value)
                    }
                }
            }

            fn to_json(&self) -> Value {
                Value::String(self.word().to_owned())
            }
        }
    };
}

words! {
    /// A log level.
    pub enum LogLevel {
        /// Errors of the server.
        Error = "error",
        /// Problems that the server could handle.
        Warn = "warn",
        /// Normal events.
        Info = "info",
        /// More details.
        Debug = "debug",
        /// Details for debugging.
        Verbose = "verbose",
        /// All details.
        Silly = "silly",
        /// No logs.
        Silent = "silent",
    }
}

words! {
    /// What a rate limit has a counter for.
    pub enum RateLimitZone {
        /// Each address.
        Ip = "ip",
        /// All callers together.
        Global = "global",
        /// Each user.
        User = "user",
        /// Each session token.
        Session = "session",
    }
}

words! {
    /// What happens to another installation with the same device token.
    pub enum DuplicateDeviceTokenAction {
        /// It is deleted.
        Delete = "delete",
        /// Its device token is removed.
        Update = "update",
    }
}

words! {
    /// Which of two installations survives a merge.
    pub enum MergePriority {
        /// The one found by device token.
        DeviceToken = "deviceToken",
        /// The one found by installation id.
        InstallationId = "installationId",
    }
}

words! {
    /// When the embedded store flushes to disk.
    pub enum Synchronous {
        /// Before each write is acknowledged: no acknowledged write is lost.
        Full = "full",
        /// At checkpoints: if the machine (not the process) crashes, the last writes may be lost.
        Normal = "normal",
    }
}

words! {
    /// Which requests a server accepts.
    pub enum Accepts {
        /// All.
        All = "all",
        /// Those that write nothing.
        Reads = "reads",
        /// None but those of health checks and metrics.
        Nothing = "nothing",
    }
}

impl Accepts {
    /// Whether the server writes.
    #[must_use]
    pub fn writes(self) -> bool {
        self == Self::All
    }
}

words! {
    /// Which requests are traced, in the words of `OTEL_TRACES_SAMPLER`.
    pub enum Sampler {
        /// All.
        AlwaysOn = "always_on",
        /// None.
        AlwaysOff = "always_off",
        /// A part of them.
        TraceIdRatio = "traceidratio",
        /// Those that their sender traces, and all that come without a trace.
        ParentBasedAlwaysOn = "parentbased_always_on",
        /// Those that their sender traces.
        ParentBasedAlwaysOff = "parentbased_always_off",
        /// Those that their sender traces, and a part of those that come without a trace.
        ParentBasedTraceIdRatio = "parentbased_traceidratio",
    }
}

words! {
    /// A version of TLS.
    pub enum TlsVersion {
        /// RFC 5246.
        V1_2 = "1.2",
        /// RFC 8446.
        V1_3 = "1.3",
    }
}
