//! Snapshots of all classes, which are immutable and shared by requests.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use foldhash::fast::RandomState;

use super::clp::ClassPermissions;
use super::failure::failure;
use super::system_classes;
use crate::config::rules::ProtectedFields;
use crate::error::Result;
use crate::model::names::{ClassName, is_valid_class_name};
use crate::model::schema::ClassSchema;
use crate::storage::Storage;

/// A class: its schema with the default columns of system classes, and its parsed permissions.
#[derive(Debug)]
pub struct Class {
    /// Fields, stored permissions, indexes.
    pub schema: ClassSchema,
    /// Parsed permissions.
    pub permissions: ClassPermissions,
    /// Whether the database has a schema document for it (volatile classes live in memory until their first row).
    pub stored: bool,
}

/// A snapshot of all classes.
#[derive(Debug, Default)]
pub struct Schemas {
    classes: HashMap<ClassName, Arc<Class>, RandomState>,
}

impl Schemas {
    /// A class, if it exists.
    #[must_use]
    pub fn get(&self, name: &ClassName) -> Option<&Arc<Class>> {
        self.classes.get(name)
    }

    /// Whether rows can be in a class of this name: it exists, or it may once be created.
    #[must_use]
    pub fn may_hold(&self, name: &ClassName) -> bool {
        self.classes.contains_key(name) || is_valid_class_name(name.as_str())
    }

    /// All classes, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Class>> {
        self.classes.values()
    }
}

/// Holds the current snapshot and replaces it when a class changes on this or another server.
#[derive(Debug)]
pub struct SchemaCache {
    storage: Arc<dyn Storage>,
    protected: ProtectedFields,
    current: ArcSwap<Schemas>,
    /// Held during a reload, so that an older snapshot never replaces a newer one.
    reloading: tokio::sync::Mutex<()>,
}

impl SchemaCache {
    /// A cache without classes; call [`SchemaCache::reload`].
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>, protected: ProtectedFields) -> Self {
        Self { storage, protected, current: ArcSwap::default(), reloading: tokio::sync::Mutex::new(()) }
    }

    /// The current snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Schemas> {
        self.current.load_full()
    }

    /// Reads all classes and replaces the snapshot.
    ///
    /// # Errors
    /// If the database cannot be read; the old snapshot is kept.
    pub async fn reload(&self) -> Result<Arc<Schemas>> {
        let _one = self.reloading.lock().await;
        let stored = self.storage.classes().await.map_err(failure)?;
        let mut classes: HashMap<ClassName, Arc<Class>, RandomState> = system_classes::volatile()
            .map(|schema| (schema.name.clone(), Arc::new(self.class(schema, false))))
            .collect();
        for mut schema in stored {
            system_classes::add_default_columns(&mut schema);
            classes.insert(schema.name.clone(), Arc::new(self.class(schema, true)));
        }
        let snapshot = Arc::new(Schemas { classes });
        self.current.store(snapshot.clone());
        Ok(snapshot)
    }

    /// A class that is not in the snapshot: with the default columns only, open to everyone.
    #[must_use]
    pub fn unknown_class(&self, name: &ClassName) -> Arc<Class> {
        let mut schema = ClassSchema::new(name.clone());
        system_classes::add_default_columns(&mut schema);
        Arc::new(self.class(schema, false))
    }

    fn class(&self, schema: ClassSchema, stored: bool) -> Class {
        let permissions =
            ClassPermissions::read(schema.permissions.as_ref(), self.protected.0.get(schema.name.as_str()));
        Class { schema, permissions, stored }
    }
}
