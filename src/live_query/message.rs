//! Messages of clients, checked strictly.

use serde_json::{Map, Number, Value as Json};

use crate::domain::features::live_query::Resume;

/// A message of a client.
#[derive(Debug, PartialEq)]
pub enum Message {
    /// Says who connects.
    Connect(Box<Connect>),
    /// Follows a query; `replace`: in place of a former one, as `update` does.
    Subscribe(Box<Subscribe>),
    /// Ends a subscription.
    Unsubscribe(Number),
}

/// `connect`.
#[derive(Debug, Default, PartialEq)]
pub struct Connect {
    /// Keys by their names: `clientKey`, `masterKey`, …
    pub keys: Vec<(String, String)>,
    /// Session token.
    pub session_token: Option<String>,
    /// Installation id.
    pub installation_id: Option<String>,
}

/// `subscribe` and `update`.
#[derive(Debug, PartialEq)]
pub struct Subscribe {
    /// Whether it is `update`.
    pub update: bool,
    /// The id that the client chose.
    pub request_id: Number,
    /// The class.
    pub class: String,
    /// The condition.
    pub condition: Map<String, Json>,
    /// Fields to send.
    pub keys: Option<Vec<String>>,
    /// Fields to watch.
    pub watch: Vec<String>,
    /// Session token.
    pub session_token: Option<String>,
    /// Whether the client can go on where it was: `resume` is `true`, or the token of the last event that it heard of.
    pub resume: Resume,
}

/// Why a message is none.
#[derive(Debug, PartialEq)]
pub enum Malformed {
    /// It is no JSON: such messages are not answered.
    NotJson,
    /// It is not what a client may send; the text says why.
    Refused(String),
}

/// Keys that `connect` may give.
const KEYS: [&str; 5] = ["javascriptKey", "masterKey", "clientKey", "windowsKey", "restAPIKey"];

impl Message {
    /// Reads a text message.
    ///
    /// # Errors
    /// Why it is no message.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let json: Json = serde_json::from_str(text).map_err(|error| {
            // The parser's bound on nesting is the one thing it refuses of what is JSON.
            if error.to_string().starts_with("recursion limit exceeded") {
                Malformed::Refused("The message is nested too deep".to_owned())
            } else {
                Malformed::NotJson
            }
        })?;
        let Json::Object(mut map) = json else {
            return Err(Malformed::Refused(format!("Invalid type: {} (expected object)", kind(&json))));
        };
        Self::of(&mut map).map_err(Malformed::Refused)
    }

    fn of(map: &mut Map<String, Json>) -> Result<Self, String> {
        let op = text(map, "op")?.ok_or_else(|| missing("op"))?;
        let message = match op.as_str() {
            "connect" => {
                text(map, "applicationId")?.ok_or_else(|| missing("applicationId"))?;
                let mut connect = Connect::default();
                for key in KEYS {
                    connect.keys.extend(text(map, key)?.map(|value| (key.to_owned(), value)));
                }
                connect.session_token = text(map, "sessionToken")?;
                connect.installation_id = text(map, "installationId")?;
                Self::Connect(Box::new(connect))
            }
            "subscribe" | "update" => Self::Subscribe(Box::new(subscribe(map, op == "update")?)),
            "unsubscribe" => Self::Unsubscribe(request_id(map)?),
            _ => return Err(format!("No enum match for: {}", Json::from(op.chars().take(100).collect::<String>()))),
        };
        nothing_else(map)?;
        Ok(message)
    }
}

fn subscribe(map: &mut Map<String, Json>, update: bool) -> Result<Subscribe, String> {
    let request_id = request_id(map)?;
    let session_token = text(map, "sessionToken")?;
    let resume = match map.shift_remove("resume") {
        None | Some(Json::Bool(false)) => Resume::Never,
        Some(Json::Bool(true)) => Resume::Later,
        Some(Json::String(token)) => Resume::After(token),
        Some(other) => return Err(wrong(&other, "string")),
    };
    let mut query = match map.shift_remove("query") {
        None => return Err(missing("query")),
        Some(Json::Object(query)) => query,
        Some(other) => return Err(wrong(&other, "object")),
    };
    let class = text(&mut query, "className")?.ok_or_else(|| missing("className"))?;
    let condition = match query.shift_remove("where") {
        None => return Err(missing("where")),
        Some(Json::Object(condition)) => condition,
        Some(other) => return Err(wrong(&other, "object")),
    };
    let (keys, watch) = (names(&mut query, "keys")?, names(&mut query, "watch")?);
    nothing_else(&query)?;
    Ok(Subscribe {
        update,
        request_id,
        class,
        condition,
        keys,
        watch: watch.unwrap_or_default(),
        session_token,
        resume,
    })
}

fn missing(member: &str) -> String {
    format!("Missing required property: {member}")
}

fn wrong(value: &Json, expected: &str) -> String {
    format!("Invalid type: {} (expected {expected})", kind(value))
}

fn nothing_else(map: &Map<String, Json>) -> Result<(), String> {
    if map.is_empty() { Ok(()) } else { Err("Additional properties not allowed".to_owned()) }
}

fn text(map: &mut Map<String, Json>, member: &str) -> Result<Option<String>, String> {
    match map.shift_remove(member) {
        None => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(other) => Err(wrong(&other, "string")),
    }
}

/// An id; whole numbers are the same however they are written.
fn request_id(map: &mut Map<String, Json>) -> Result<Number, String> {
    match map.shift_remove("requestId") {
        None => Err(missing("requestId")),
        Some(Json::Number(number)) => Ok(whole(&number).unwrap_or(number)),
        Some(other) => Err(wrong(&other, "number")),
    }
}

/// Whole numbers up to this one have a form without a point in JavaScript.
const WHOLE: f64 = 9_007_199_254_740_992.0;

fn whole(number: &Number) -> Option<Number> {
    let value = number.as_f64().filter(|value| value.fract() == 0.0 && value.abs() <= WHOLE)?;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in the range")]
    Some(Number::from(value as i64))
}

fn names(map: &mut Map<String, Json>, member: &str) -> Result<Option<Vec<String>>, String> {
    let list = match map.shift_remove(member) {
        None => return Ok(None),
        Some(Json::Array(list)) => list,
        Some(other) => return Err(wrong(&other, "array")),
    };
    if list.is_empty() {
        return Err("Array is too short (0), minimum 1".to_owned());
    }
    let mut names = Vec::with_capacity(list.len());
    let mut seen = std::collections::HashSet::new();
    for item in list {
        match item {
            Json::String(name) => {
                if !seen.insert(name.clone()) {
                    return Err("Array items are not unique".to_owned());
                }
                names.push(name);
            }
            other => return Err(wrong(&other, "string")),
        }
    }
    Ok(Some(names))
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        match Message::read(text) {
            Err(Malformed::Refused(reason)) => reason,
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn messages_are_checked() {
        assert_eq!(Message::read("hello"), Err(Malformed::NotJson));
        for (text, reason) in [
            ("{}", "Missing required property: op"),
            ("[]", "Invalid type: array (expected object)"),
            (r#"{"op":"query"}"#, "No enum match for: \"query\""),
            (r#"{"op":"connect","applicationId":"a","sessionToken":null}"#, "Invalid type: null (expected string)"),
            (r#"{"op":"connect","applicationId":"a","sdk":"js"}"#, "Additional properties not allowed"),
            (
                r#"{"op":"subscribe","requestId":1,"query":{"className":"A","where":{},"keys":["a","a"]}}"#,
                "Array items are not unique",
            ),
            (r#"{"op":"unsubscribe","requestId":"1"}"#, "Invalid type: string (expected number)"),
        ] {
            assert_eq!(refused(text), reason);
        }
        let deep = format!("{{\"op\":{}", "[".repeat(1000));
        assert_eq!(refused(&deep), "The message is nested too deep");
        assert_eq!(Message::read(r#"{"op":"unsubscribe","requestId":1.0}"#), Ok(Message::Unsubscribe(Number::from(1))));
    }
}
