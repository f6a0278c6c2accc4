//! Types of options: protected fields, denied keywords, limits.

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::declare::{OptionType, OptionValue, Reader};

/// Fields that are hidden from callers: class → entity → fields. Entities are `*`,
/// `authenticated`, `role:NAME`, `userField:FIELD` and user ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedFields(pub IndexMap<String, IndexMap<String, Vec<String>>>);

/// The class whose `email` is hidden by default.
const USERS: &str = "_User";

impl Default for ProtectedFields {
    fn default() -> Self {
        let everybody = IndexMap::from([("*".to_owned(), vec!["email".to_owned()])]);
        ProtectedFields(IndexMap::from([(USERS.to_owned(), everybody)]))
    }
}

impl ProtectedFields {
    /// Adds the fields that are hidden by default, as parse-server does. A list that is
    /// configured for the same entity is left unchanged if owners are not exempt.
    pub fn complete(&mut self, owner_exempt: bool) {
        for (class, entities) in Self::default().0 {
            let Some(current) = self.0.get_mut(&class) else {
                self.0.insert(class, entities);
                continue;
            };
            for (entity, fields) in entities {
                if !owner_exempt && current.contains_key(&entity) {
                    continue;
                }
                let list = current.entry(entity).or_default();
                list.extend(fields.into_iter().filter(|field| !list.contains(field)).collect::<Vec<_>>());
            }
        }
    }

    /// Hides `fields` of users from everybody (the old `userSensitiveFields`).
    pub fn add_user_fields(&mut self, fields: &[String]) {
        let list = self.0.entry(USERS.to_owned()).or_default().entry("*".to_owned()).or_default();
        for field in fields {
            if !list.contains(field) {
                list.push(field.clone());
            }
        }
    }
}

impl OptionValue for ProtectedFields {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        let mut classes = IndexMap::new();
        for (class, entities) in Map::from_json(value, reader)? {
            let read = reader.within(class.clone(), |reader| {
                let mut lists = IndexMap::new();
                for (entity, fields) in Map::from_json(entities, reader)? {
                    let fields = reader.within(entity.clone(), |reader| Vec::from_json(fields, reader))?;
                    lists.insert(entity, fields);
                }
                Some(lists)
            })?;
            classes.insert(class, read);
        }
        Some(ProtectedFields(classes))
    }

    fn to_json(&self) -> Value {
        serde_json::json!(self.0)
    }
}

/// A key, a value, or a pair of both that requests must not contain.
#[derive(Debug, Clone, PartialEq)]
pub struct DeniedKeyword {
    /// Pattern of the key; `None` matches any key.
    pub key: Option<Value>,
    /// Pattern of the value; `None` matches any value.
    pub value: Option<Value>,
    /// The entry as configured; the error message quotes it.
    pub raw: Value,
}

impl DeniedKeyword {
    /// The keywords that are denied by default.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        [
            serde_json::json!({ "key": "_bsontype", "value": "Code" }),
            serde_json::json!({ "key": "constructor" }),
            serde_json::json!({ "key": "__proto__" }),
        ]
        .into_iter()
        .filter_map(Self::read)
        .collect()
    }

    /// Reads an entry. A text by itself is the pattern of a key.
    fn read(raw: Value) -> Option<Self> {
        if raw.is_string() {
            return Some(Self { key: Some(raw.clone()), value: None, raw });
        }
        let map = raw.as_object()?;
        let known = map.keys().all(|key| key == "key" || key == "value");
        let plain = map.values().all(|value| value.is_string() || value.is_number() || value.is_boolean());
        let (key, value) = (map.get("key").cloned(), map.get("value").cloned());
        (known && plain && !map.is_empty()).then_some(DeniedKeyword { key, value, raw })
    }
}

impl OptionValue for DeniedKeyword {
    const TYPE: OptionType = OptionType::Object;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match DeniedKeyword::read(value.clone()) {
            Some(entry) => Some(entry),
            None => reader.wrong("PATTERN, {\"key\": PATTERN}, {\"value\": PATTERN} or both", &value),
        }
    }

    fn to_json(&self) -> Value {
        self.raw.clone()
    }
}

/// A limit for clients; -1 in JSON means no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit(Option<u64>);

impl Limit {
    /// No limit.
    pub const NONE: Limit = Limit(None);

    /// The limit, at least 1; `None` means no limit.
    #[must_use]
    pub fn get(self) -> Option<u64> {
        self.0
    }

    /// Whether `count` is greater than the limit.
    #[must_use]
    pub fn is_exceeded_by(self, count: usize) -> bool {
        self.0.is_some_and(|limit| u64::try_from(count).is_ok_and(|count| count > limit))
    }
}

impl OptionValue for Limit {
    const TYPE: OptionType = OptionType::Number;

    fn from_json(value: Value, reader: &mut Reader) -> Option<Self> {
        match i64::from_json(value.clone(), &mut Reader::default()) {
            Some(-1) => Some(Limit::NONE),
            Some(limit) if limit > 0 => Some(Limit(u64::try_from(limit).ok())),
            _ => {
                let path = reader.path();
                reader.refuse(format!("{path} must be a positive integer or -1 to disable."))
            }
        }
    }

    fn to_json(&self) -> Value {
        self.0.map_or_else(|| Value::from(-1), Value::from)
    }
}
