//! Parses the JSON body of a write into changes of fields and relations.

use serde_json::{Map, Value as Json};

use super::tree::{Change, Update};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json;
use crate::model::names::{ClassName, FieldPath};
use crate::model::value::{Pointer, Value};

/// Maximum nesting of a value.
pub const MAX_DEPTH: usize = 100;

/// The kind of write; some errors differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteKind {
    /// A create.
    Create,
    /// An update.
    Update,
}

/// The change of a relation.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationChange {
    /// The relation field.
    pub field: String,
    /// Class of the members.
    pub class: ClassName,
    /// Members to add.
    pub add: Vec<Pointer>,
    /// Members to remove.
    pub remove: Vec<Pointer>,
}

/// A parsed body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ParsedWrite {
    /// Changes of fields, in the given order.
    pub update: Update,
    /// Changes of relations.
    pub relations: Vec<RelationChange>,
}

/// Parses a body. Keys inside values are checked here; the schema checks the names of fields.
///
/// # Errors
/// 107 and 108 for malformed and unknown operations, 111 for incomplete typed values, 121 for keys with `$` or `.`
/// inside values, 105 for malformed dotted names.
pub fn parse(body: Map<String, Json>, kind: WriteKind) -> Result<ParsedWrite> {
    let mut changes = Vec::with_capacity(body.len());
    let mut relations = Vec::new();
    for (path, value) in body {
        check_path(&path)?;
        if let Some(name) = operation_name(&value) {
            if let Some(change) = relation(&path, &name, &value)? {
                relations.push(change);
                continue;
            }
            let change = operation(&name, value, kind)?;
            changes.push((path, change));
        } else {
            changes.push((path, Change::Set(field_value(value)?)));
        }
    }
    Ok(ParsedWrite { update: Update(changes), relations })
}

/// Parses a plain value of a field, without operations, and checks its keys.
///
/// # Errors
/// 111 for incomplete typed values, 121 for keys with `$` or `.`.
pub fn field_value(value: Json) -> Result<Value> {
    check_keys(&value, 0)?;
    // A fetched object cannot be the value of a field.
    if value.get("__type").and_then(Json::as_str) == Some("Object") {
        return Err(ParseError::new(ErrorCode::IncorrectType, "This is not a valid Object"));
    }
    json::decode(value)
}

/// Checks a dotted path: no part may be empty or look like an operator of the database.
fn check_path(path: &str) -> Result<()> {
    if path.contains('.') && FieldPath::parse(path).is_none() {
        let shown: String = path.chars().take(200).collect();
        return Err(ParseError::new(ErrorCode::InvalidKeyName, format!("Invalid field name: {shown}.")));
    }
    Ok(())
}

/// Checks the keys inside a value.
fn check_keys(value: &Json, depth: usize) -> Result<()> {
    if depth > MAX_DEPTH {
        return Err(ParseError::new(ErrorCode::InvalidNestedKey, "Value is nested too deep"));
    }
    match value {
        Json::Array(list) => list.iter().try_for_each(|item| check_keys(item, depth + 1)),
        Json::Object(map) => map.iter().try_for_each(|(key, value)| {
            if key.contains(['$', '.']) {
                return Err(ParseError::new(
                    ErrorCode::InvalidNestedKey,
                    "Nested keys should not contain the '$' or '.' characters",
                ));
            }
            // MongoDB cannot store such a name.
            if key.contains('\0') {
                return Err(ParseError::new(ErrorCode::InvalidNestedKey, "Nested keys cannot contain NUL"));
            }
            check_keys(value, depth + 1)
        }),
        _ => Ok(()),
    }
}

/// The name of an object's operation.
fn operation_name(value: &Json) -> Option<String> {
    Some(match value.as_object()?.get("__op")? {
        Json::String(name) => name.chars().take(100).collect(),
        other => other.to_string().chars().take(100).collect(),
    })
}

fn bad(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, message)
}

fn unsupported(name: &str) -> ParseError {
    ParseError::new(ErrorCode::CommandUnavailable, format!("The {name} operator is not supported yet."))
}

fn operation(name: &str, mut value: Json, kind: WriteKind) -> Result<Change> {
    // On create every invalid operand is reported with this message.
    let no_list = "objects to add must be an array";
    let mut list = |message: &'static str, checked: bool| -> Result<Vec<Value>> {
        let Some(Json::Array(list)) = value.get_mut("objects").map(Json::take) else {
            return Err(bad(if kind == WriteKind::Create { no_list } else { message }));
        };
        list.into_iter()
            .map(|item| {
                if checked {
                    check_keys(&item, 1)?;
                }
                json::decode(item)
            })
            .collect()
    };
    match name {
        "Increment" => {
            let amount = value.get("amount").and_then(Json::as_f64).filter(|amount| amount.is_finite());
            let message = if kind == WriteKind::Create { no_list } else { "incrementing must provide a number" };
            amount.map(Change::Increment).ok_or_else(|| bad(message))
        }
        "Add" => list(no_list, true).map(Change::Add),
        "AddUnique" => list(no_list, true).map(Change::AddUnique),
        "Remove" => list("objects to remove must be an array", false).map(Change::Remove),
        "Delete" => Ok(Change::Unset),
        _ => Err(unsupported(name)),
    }
}

/// The change of a relation, if the operation is one.
fn relation(field: &str, name: &str, value: &Json) -> Result<Option<RelationChange>> {
    let mut change: Option<RelationChange> = None;
    match name {
        "AddRelation" | "RemoveRelation" => members(field, name, value, &mut change)?,
        "Batch" => {
            let operations = value.get("ops").and_then(Json::as_array).filter(|list| !list.is_empty());
            for part in operations.ok_or_else(|| bad("ops must be an array of operations"))? {
                match operation_name(part).as_deref() {
                    Some(name @ ("AddRelation" | "RemoveRelation")) => members(field, name, part, &mut change)?,
                    _ => return Err(unsupported("Batch")),
                }
            }
        }
        _ => return Ok(None),
    }
    change.map(Some).ok_or_else(|| bad("objects must be an array of pointers"))
}

fn members(field: &str, name: &str, value: &Json, change: &mut Option<RelationChange>) -> Result<()> {
    let list =
        value.get("objects").and_then(Json::as_array).ok_or_else(|| bad("objects must be an array of pointers"))?;
    for item in list {
        let text = |key: &str| item.get(key).and_then(Json::as_str).filter(|text| !text.is_empty());
        let (Some(class), Some(id)) = (text("className"), text("objectId")) else {
            return Err(bad("objects must be an array of pointers"));
        };
        let change = change.get_or_insert_with(|| RelationChange {
            field: field.to_owned(),
            class: ClassName::unchecked(class),
            add: Vec::new(),
            remove: Vec::new(),
        });
        if change.class != *class {
            return Err(ParseError::new(
                ErrorCode::IncorrectType,
                format!("schema mismatch for {field}; expected Relation<{}> but got Relation<{class}>", change.class),
            ));
        }
        let pointer = Pointer { class: change.class.clone(), id: id.to_owned() };
        if name == "AddRelation" { change.add.push(pointer) } else { change.remove.push(pointer) }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: Json, kind: WriteKind) -> Result<ParsedWrite> {
        let Json::Object(body) = body else { unreachable!("test bodies are objects") };
        parse(body, kind)
    }

    #[test]
    fn refusals() {
        let pointer = |class: &str| json!({"__type": "Pointer", "className": class, "objectId": "x"});
        for (body, kind, code, message) in [
            (
                json!({"n": {"__op": "Increment", "amount": "x"}}),
                WriteKind::Update,
                107,
                "incrementing must provide a number",
            ),
            (json!({"n": {"__op": "Increment"}}), WriteKind::Create, 107, "objects to add must be an array"),
            (json!({"a": {"__op": "Add", "objects": 1}}), WriteKind::Update, 107, "objects to add must be an array"),
            (json!({"a": {"__op": "AddUnique"}}), WriteKind::Update, 107, "objects to add must be an array"),
            (
                json!({"a": {"__op": "Remove", "objects": 1}}),
                WriteKind::Update,
                107,
                "objects to remove must be an array",
            ),
            (json!({"a": {"__op": "Remove", "objects": 1}}), WriteKind::Create, 107, "objects to add must be an array"),
            (json!({"a": {"__op": "Multiply"}}), WriteKind::Update, 108, "The Multiply operator is not supported yet."),
            (
                json!({"a": {"__op": "SetOnInsert", "amount": 5}}),
                WriteKind::Update,
                108,
                "The SetOnInsert operator is not supported yet.",
            ),
            (json!({"a": {"__op": 5}}), WriteKind::Update, 108, "The 5 operator is not supported yet."),
            (
                json!({"r": {"__op": "AddRelation", "objects": []}}),
                WriteKind::Update,
                107,
                "objects must be an array of pointers",
            ),
            (
                json!({"r": {"__op": "AddRelation", "objects": [5]}}),
                WriteKind::Update,
                107,
                "objects must be an array of pointers",
            ),
            (json!({"r": {"__op": "Batch", "ops": []}}), WriteKind::Update, 107, "ops must be an array of operations"),
            (
                json!({"r": {"__op": "Batch", "ops": [{"__op": "Increment", "amount": 1}]}}),
                WriteKind::Update,
                108,
                "The Batch operator is not supported yet.",
            ),
            (
                json!({"r": {"__op": "AddRelation", "objects": [pointer("A"), pointer("B")]}}),
                WriteKind::Update,
                111,
                "schema mismatch for r; expected Relation<A> but got Relation<B>",
            ),
            (
                json!({"o": {"$x": 1}}),
                WriteKind::Update,
                121,
                "Nested keys should not contain the '$' or '.' characters",
            ),
            (
                json!({"o": {"a": [{"b.c": 1}]}}),
                WriteKind::Create,
                121,
                "Nested keys should not contain the '$' or '.' characters",
            ),
            (
                json!({"a": {"__op": "Add", "objects": [{"$x": 1}]}}),
                WriteKind::Update,
                121,
                "Nested keys should not contain the '$' or '.' characters",
            ),
            (json!({"d": {"__type": "Date"}}), WriteKind::Create, 111, "This is not a valid Date"),
            (
                json!({"p": {"__type": "Object", "className": "T", "objectId": "x"}}),
                WriteKind::Create,
                111,
                "This is not a valid Object",
            ),
            (json!({"o.$x": 1}), WriteKind::Update, 105, "Invalid field name: o.$x."),
            (json!({"o..x": 1}), WriteKind::Update, 105, "Invalid field name: o..x."),
        ] {
            let error = read(body.clone(), kind).expect_err(&body.to_string());
            assert_eq!((error.code.map(ErrorCode::number), &*error.message), (Some(code), message), "{body}");
        }
    }

    #[test]
    fn meanings() {
        let pointer = |id: &str| json!({"__type": "Pointer", "className": "T", "objectId": id});
        let parsed = read(
            json!({
                "s": "x",
                "n": {"__op": "Increment", "amount": -1.5},
                "d": {"__op": "Delete"},
                "o.a.0": {"__op": "Add", "objects": [1]},
                "plain": {"x": {"__op": "Increment", "amount": 1}},
                "r": {"__op": "Batch", "ops": [
                    {"__op": "AddRelation", "objects": [pointer("a")]},
                    {"__op": "RemoveRelation", "objects": [pointer("b")]},
                ]},
            }),
            WriteKind::Update,
        )
        .unwrap();
        assert_eq!(parsed.update.get("n"), Some(&Change::Increment(-1.5)));
        assert_eq!(parsed.update.get("d"), Some(&Change::Unset));
        assert_eq!(parsed.update.get("o.a.0"), Some(&Change::Add(vec![Value::Number(1.0)])));
        assert!(matches!(parsed.update.get("plain"), Some(Change::Set(Value::Object(_)))));
        let class = ClassName::unchecked("T");
        assert_eq!(
            parsed.relations,
            [RelationChange {
                field: "r".into(),
                class: class.clone(),
                add: vec![Pointer { class: class.clone(), id: "a".into() }],
                remove: vec![Pointer { class, id: "b".into() }],
            }]
        );
    }
}
