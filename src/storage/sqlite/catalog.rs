//! What the store keeps in memory of its tables: which indexes there are, so that conditions are written as they need.

use std::collections::HashMap;
use std::sync::Arc;

use indexmap::IndexMap;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::names::ClassName;
use crate::model::schema::IndexKeys;

/// An index as the store remembers it.
#[expect(clippy::struct_excessive_bools, reason = "four independent properties of an index")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// Its keys in the database's terms, as the schema API shows them.
    pub keys: IndexKeys,
    /// Its fields in REST terms.
    pub fields: Vec<String>,
    /// Whether rows without the field are left out.
    pub sparse: bool,
    /// Whether texts are compared without case.
    pub folded: bool,
    /// Whether values must differ.
    pub unique: bool,
    /// Seconds after the date in the field when the row goes away.
    pub expire_after_seconds: Option<u64>,
    /// Whether there is an index of SQLite behind it (there is none for points, polygons and full text).
    pub real: bool,
}

/// The indexes of a class.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// By name.
    pub indexes: IndexMap<String, Index>,
}

impl Table {
    /// Whether the index that begins with this field is sparse; `None` when there is none.
    #[must_use]
    pub fn sparse(&self, path: &str, folded: bool) -> Option<bool> {
        self.indexes
            .values()
            .filter(|index| {
                index.real && index.folded == folded && index.fields.first().is_some_and(|field| field == path)
            })
            .map(|index| index.sparse)
            .min()
    }

    /// The fields of the full text index; none when there is no such index.
    #[must_use]
    pub fn text_fields(&self) -> &[String] {
        let text = |index: &&Index| index.keys.values().any(|kind| kind.as_str() == Some("text"));
        self.indexes.values().find(text).map_or(&[], |index| &index.fields)
    }
}

/// All classes that have indexes.
#[derive(Debug, Clone, Default)]
pub struct Catalog(HashMap<ClassName, Arc<Table>>);

impl Catalog {
    /// Reads what the database holds.
    ///
    /// # Errors
    /// SQLite's.
    pub fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut classes: HashMap<ClassName, Table> = HashMap::new();
        let mut statement = connection.prepare_cached("SELECT class, name, definition FROM _indexes ORDER BY rowid")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let class: String = row.get(0)?;
            let definition: String = row.get(2)?;
            let Ok(index) = serde_json::from_str::<Index>(&definition) else { continue };
            classes.entry(ClassName::unchecked(class)).or_default().indexes.insert(row.get(1)?, index);
        }
        Ok(Self(classes.into_iter().map(|(class, table)| (class, Arc::new(table))).collect()))
    }

    /// The indexes of a class.
    #[must_use]
    pub fn table(&self, class: &ClassName) -> Arc<Table> {
        self.0.get(class).cloned().unwrap_or_default()
    }

    /// Classes with rows that go away by themselves.
    pub fn expiring(&self) -> impl Iterator<Item = (&ClassName, &Index)> {
        self.0.iter().flat_map(|(class, table)| {
            table.indexes.values().filter(|index| index.expire_after_seconds.is_some()).map(move |index| (class, index))
        })
    }
}

/// Whether keys name an index that SQLite can have: only directions, no kinds such as `2dsphere`.
#[must_use]
pub fn is_real(keys: &IndexKeys) -> bool {
    !keys.is_empty() && keys.values().all(Json::is_number)
}
