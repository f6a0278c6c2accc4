//! The columns that system classes always have, even if their schema document does not list them.
//! Source: the dumps of a fresh parse-server database (`docs/storage.md`).

use crate::model::names::{self, ClassName};
use crate::model::schema::{ClassSchema, Field, FieldType};

/// Adds the default columns of a class; existing ones are unchanged.
pub fn add_default_columns(schema: &mut ClassSchema) {
    for (field, kind) in columns(schema.name.as_str()) {
        schema.fields.entry(field.to_owned()).or_insert_with(|| Field::new(kind));
    }
}

/// The classes that exist before they have a row.
pub fn volatile() -> impl Iterator<Item = ClassSchema> {
    names::VOLATILE_CLASSES.into_iter().map(|name| {
        let mut schema = ClassSchema::new(ClassName::unchecked(name));
        add_default_columns(&mut schema);
        schema
    })
}

/// Columns that are required in a create.
#[must_use]
pub fn required_columns(class: &ClassName) -> &'static [&'static str] {
    match class.as_str() {
        names::PRODUCT => &["productIdentifier", "icon", "order", "title", "subtitle"],
        names::ROLE => &["name", "ACL"],
        _ => &[],
    }
}

/// Whether the column is a default column, which cannot be added or changed.
#[must_use]
pub fn is_default_column(class: &ClassName, field: &str) -> bool {
    matches!(field, "objectId" | "createdAt" | "updatedAt" | "ACL")
        || columns(class.as_str()).iter().any(|(name, _)| *name == field)
}

fn columns(class: &str) -> Vec<(&'static str, FieldType)> {
    use FieldType::{Array, Boolean, Date, File, Number, Object, String};
    let pointer = |class: &str| FieldType::Pointer(ClassName::unchecked(class));
    let relation = |class: &str| FieldType::Relation(ClassName::unchecked(class));
    match class {
        names::USER => vec![
            ("username", String),
            ("password", String),
            ("email", String),
            ("emailVerified", Boolean),
            ("authData", Object),
        ],
        names::INSTALLATION => vec![
            ("installationId", String),
            ("deviceToken", String),
            ("channels", Array),
            ("deviceType", String),
            ("pushType", String),
            ("GCMSenderId", String),
            ("timeZone", String),
            ("localeIdentifier", String),
            ("appVersion", String),
            ("appName", String),
            ("appIdentifier", String),
            ("parseVersion", String),
            ("badge", Number),
        ],
        names::ROLE => vec![("name", String), ("users", relation(names::USER)), ("roles", relation(names::ROLE))],
        names::SESSION => vec![
            ("user", pointer(names::USER)),
            ("installationId", String),
            ("sessionToken", String),
            ("expiresAt", Date),
            ("createdWith", Object),
        ],
        names::PRODUCT => vec![
            ("productIdentifier", String),
            ("download", File),
            ("downloadName", String),
            ("icon", File),
            ("order", Number),
            ("title", String),
            ("subtitle", String),
        ],
        names::PUSH_STATUS => vec![
            ("pushTime", String),
            ("source", String),
            ("query", String),
            ("payload", String),
            ("title", String),
            ("expiry", Number),
            ("expiration_interval", Number),
            ("status", String),
            ("numSent", Number),
            ("numFailed", Number),
            ("pushHash", String),
            ("errorMessage", Object),
            ("sentPerType", Object),
            ("failedPerType", Object),
            ("sentPerUTCOffset", Object),
            ("failedPerUTCOffset", Object),
            ("count", Number),
        ],
        names::JOB_STATUS => vec![
            ("jobName", String),
            ("source", String),
            ("status", String),
            ("message", String),
            ("params", Object),
            ("finishedAt", Date),
        ],
        names::JOB_SCHEDULE => vec![
            ("jobName", String),
            ("description", String),
            ("params", String),
            ("startAfter", String),
            ("daysOfWeek", Array),
            ("timeOfDay", String),
            ("lastRun", Number),
            ("repeatMinutes", Number),
        ],
        names::HOOKS => vec![("functionName", String), ("className", String), ("triggerName", String), ("url", String)],
        names::GLOBAL_CONFIG => vec![("objectId", String), ("params", Object), ("masterKeyOnly", Object)],
        names::GRAPHQL_CONFIG => vec![("objectId", String), ("config", Object)],
        names::AUDIENCE => {
            vec![("objectId", String), ("name", String), ("query", String), ("lastUsed", Date), ("timesUsed", Number)]
        }
        names::IDEMPOTENCY => vec![("reqId", String), ("expire", Date)],
        _ if class.starts_with("_Join:") => vec![("relatedId", String), ("owningId", String)],
        _ => Vec::new(),
    }
}
