//! Looks for what does not fit together in a database: what crashes of other programs, hands at the database and servers without
//! transactions leave behind.
//!
//! The ids of classes with relations and those of users are held in memory while it runs: some 40 bytes for each object.

use std::collections::{HashMap, HashSet};
use std::fmt;

use futures_util::TryStreamExt as _;

use super::{Class, classes, relations};
use crate::adapters::files::FileStore;
use crate::model::names::{self, ClassName};
use crate::model::object::{FieldName, Object};
use crate::model::schema::ClassSchema;
use crate::model::value::Value;
use crate::storage::Storage;

/// Something that does not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// The store's own structures are damaged.
    Damaged(String),
    /// A relation names an owner or a member that there is not.
    Relation {
        /// The join class.
        join: ClassName,
        /// The object that has the relation.
        owner: String,
        /// The object in the relation.
        member: String,
        /// The class and id that is missing.
        missing: String,
    },
    /// A join class belongs to no relation field.
    Join(ClassName),
    /// A session of a user who is gone.
    Session {
        /// The session's `objectId`.
        session: String,
        /// The user's; empty if it names none.
        user: String,
    },
    /// Users whose names or addresses differ in case only.
    Alike {
        /// `username` or `email`.
        field: &'static str,
        /// Their values, in lower case.
        value: String,
        /// Their `objectId`s.
        users: Vec<String>,
    },
    /// An object names a file that is not in the file store.
    File {
        /// The file.
        name: String,
        /// The class of the first object that names it.
        class: ClassName,
        /// That object.
        object: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(what) => write!(formatter, "damaged: {what}"),
            Self::Relation { join, owner, member, missing } => {
                write!(formatter, "relation of something missing: {join} {owner} → {member}: there is no {missing}")
            }
            Self::Join(join) => write!(formatter, "relation of no field: {join}"),
            Self::Session { session, user } => {
                write!(formatter, "session without a user: {session}: there is no user {user}")
            }
            Self::Alike { field, value, users } => {
                write!(formatter, "users with one {field}: {value}: {}", users.join(", "))
            }
            Self::File { name, class, object } => {
                write!(formatter, "file is missing: {name}, named by {class} {object}")
            }
        }
    }
}

/// How much was looked at.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Classes.
    pub classes: u64,
    /// Objects.
    pub objects: u64,
    /// Pairs in relations.
    pub pairs: u64,
    /// Files in the file store; `None`: it was not asked.
    pub files: Option<u64>,
    /// Those of them that no object names. An upload that was not saved into an object is one, so it is no fault.
    pub unnamed_files: u64,
}

/// Looks at everything and tells each finding. Without `files` files are not looked at.
///
/// # Errors
/// If the store or the file store cannot be read.
pub async fn check(
    storage: &dyn Storage,
    files: Option<&dyn FileStore>,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> Result<Seen, Box<dyn std::error::Error + Send + Sync>> {
    let mut seen = Seen::default();
    for damage in storage.damage().await? {
        tell(Finding::Damaged(damage));
    }
    let classes: Vec<ClassSchema> = classes(storage).await?.into_iter().map(|Class { schema, .. }| schema).collect();
    let mut objects = Objects::of(&classes);
    for class in &classes {
        seen.classes += 1;
        seen.objects += objects.read(storage, class).await?;
    }
    seen.pairs = check_relations(storage, &classes, &objects.ids, tell).await?;
    check_sessions(storage, &classes, &objects.ids, tell).await?;
    check_names(storage, &classes, tell).await?;
    if let Some(files) = files {
        let mut named = objects.files;
        let mut stored = files.list().await?;
        let mut count = 0;
        while let Some(file) = stored.try_next().await? {
            count += 1;
            seen.unnamed_files += u64::from(named.remove(file.name.as_str()).is_none());
        }
        seen.files = Some(count);
        let mut missing: Vec<_> = named.into_iter().collect();
        missing.sort();
        for (name, (class, object)) in missing {
            tell(Finding::File { name, class, object });
        }
    }
    Ok(seen)
}

/// What is kept in memory of the objects.
struct Objects {
    /// The ids of the classes that somebody refers to.
    ids: HashMap<ClassName, HashSet<FieldName>>,
    /// The files that objects name, each with the first object.
    files: HashMap<String, (ClassName, String)>,
}

impl Objects {
    fn of(classes: &[ClassSchema]) -> Self {
        let mut ids = HashMap::from([(ClassName::unchecked(names::USER), HashSet::new())]);
        for class in classes {
            for (_, _, target) in relations(class) {
                ids.entry(class.name.clone()).or_default();
                ids.entry(target.clone()).or_default();
            }
        }
        Self { ids, files: HashMap::new() }
    }

    /// Reads the objects of a class; returns their number.
    async fn read(&mut self, storage: &dyn Storage, class: &ClassSchema) -> crate::storage::Result<u64> {
        let mut ids = self.ids.get_mut(&class.name);
        let mut count = 0;
        let mut rows = storage.all_rows(class);
        while let Some(row) = rows.try_next().await? {
            count += 1;
            let id = row.get_str("objectId").unwrap_or_default();
            if let Some(ids) = &mut ids {
                ids.insert(id.into());
            }
            each_file(&row, &mut |name| {
                if !self.files.contains_key(name) {
                    self.files.insert(name.to_owned(), (class.name.clone(), id.to_owned()));
                }
            });
        }
        Ok(count)
    }
}

/// The files in the file store that an object names. One with an address of its own is elsewhere.
fn each_file(object: &Object, call: &mut dyn FnMut(&str)) {
    for (_, value) in object {
        file_of(value, call);
    }
}

fn file_of(value: &Value, call: &mut dyn FnMut(&str)) {
    match value {
        Value::File(file) if file.url.is_none() => call(&file.name),
        Value::Array(list) => list.iter().for_each(|value| file_of(value, call)),
        Value::Object(object) => each_file(object, call),
        _ => {}
    }
}

type Ids = HashMap<ClassName, HashSet<FieldName>>;

async fn check_relations(
    storage: &dyn Storage,
    classes: &[ClassSchema],
    ids: &Ids,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> crate::storage::Result<u64> {
    let mut count = 0;
    let is_missing = |class: &ClassName, id: &str| !ids.get(class).is_some_and(|ids| ids.contains(id));
    let mut known = HashSet::new();
    for class in classes {
        for (_, join, target) in relations(class) {
            known.insert(join.clone());
            let mut pairs = storage.all_pairs(&join);
            while let Some((owner, member)) = pairs.try_next().await? {
                count += 1;
                let missing = if is_missing(&class.name, &owner) {
                    format!("{} {owner}", class.name)
                } else if is_missing(target, &member) {
                    format!("{target} {member}")
                } else {
                    continue;
                };
                tell(Finding::Relation { join: join.clone(), owner, member, missing });
            }
        }
    }
    for join in storage.stored_classes().await? {
        // An empty one is left by a field that was deleted, and takes no room.
        if join.is_join() && !known.contains(&join) && storage.all_pairs(&join).try_next().await?.is_some() {
            tell(Finding::Join(join));
        }
    }
    Ok(count)
}

fn named<'a>(classes: &'a [ClassSchema], name: &str) -> Option<&'a ClassSchema> {
    classes.iter().find(|class| class.name.as_str() == name)
}

async fn check_sessions(
    storage: &dyn Storage,
    classes: &[ClassSchema],
    ids: &Ids,
    tell: &mut (dyn FnMut(Finding) + Send),
) -> crate::storage::Result<()> {
    let Some(class) = named(classes, names::SESSION) else { return Ok(()) };
    let users = ids.get(&ClassName::unchecked(names::USER));
    let mut rows = storage.all_rows(class);
    while let Some(row) = rows.try_next().await? {
        let user = match row.get("user") {
            Some(Value::Pointer(user)) => user.id.as_str(),
            _ => "",
        };
        if !users.is_some_and(|users| users.contains(user)) {
            let session = row.get_str("objectId").unwrap_or_default().to_owned();
            tell(Finding::Session { session, user: user.to_owned() });
        }
    }
    Ok(())
}

/// Servers look users up without regard to case.
async fn check_names(
    storage: &dyn Storage,
    classes: &[ClassSchema],
    tell: &mut (dyn FnMut(Finding) + Send),
) -> crate::storage::Result<()> {
    let Some(class) = named(classes, names::USER) else { return Ok(()) };
    for field in ["username", "email"] {
        let mut users: HashMap<String, Vec<String>> = HashMap::new();
        let mut rows = storage.all_rows(class);
        while let Some(row) = rows.try_next().await? {
            if let (Some(value), Some(id)) = (row.get_str(field), row.get_str("objectId")) {
                users.entry(value.to_lowercase()).or_default().push(id.to_owned());
            }
        }
        let mut alike: Vec<_> = users.into_iter().filter(|(_, users)| users.len() > 1).collect();
        alike.sort();
        for (value, users) in alike {
            tell(Finding::Alike { field, value, users });
        }
    }
    Ok(())
}
