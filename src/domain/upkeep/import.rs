//! Puts an export into a store. What is there stays as it is.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use futures_util::stream::{self, TryStreamExt as _};
use serde_json::{Map, Value as Json};

use super::lines::{ClassLine, FileLine, PairLine, row};
use super::own_indexes;
use super::parts::{CLASSES, Contents, FILES, Folder, Result, TransferError};
use super::transfer::{Data, Step, Tell, Trouble};
use crate::adapters::files::directory::Directory;
use crate::adapters::files::{FileInfo, FileStore, upkeep};
use crate::domain::kernel::system_classes;
use crate::domain::schema::bootstrap;
use crate::model::json;
use crate::model::names::{self, ClassName};
use crate::model::object::Object;
use crate::model::query::Filter;
use crate::model::query::options::FindOptions;
use crate::model::schema::ClassSchema;
use crate::random::{Random, hex};
use crate::storage::{Storage, StorageError};

/// Rows that are written at the same time. They keep their order.
const TOGETHER: usize = 64;
/// Pairs of one owner that are written at once.
const PAIRS: usize = 500;

/// How much was put in.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Objects that were made.
    pub objects: u64,
    /// Objects that were there already, alike.
    pub already: u64,
    /// Pairs in relations.
    pub pairs: u64,
    /// Files that were made or there already.
    pub files: u64,
    /// What was not put in.
    pub failed: u64,
}

/// Puts an export in. It may be run again after an interruption: an object that is there already and is alike is passed over; one
/// that differs is told and stays.
///
/// # Errors
/// `Refused` before anything is written if the export is not complete or damaged, or if a field has another type in the store.
/// If the store cannot be read or written.
pub async fn import(target: &Data<'_>, folder: &Path, tell: Tell<'_>) -> Result<Tally> {
    let folder = Folder::at(folder);
    let contents = checked(&folder).await?;
    let files = match target.files {
        Some(_) => checked_files(&folder, &contents, &target.random).await?,
        None => 0,
    };
    let storage = target.storage;
    bootstrap::prepare(storage, target.options).await?;
    let mut classes = HashMap::new();
    let mut reader = folder.read(CLASSES).await?;
    let mut lines: Vec<(ClassSchema, ClassLine)> = Vec::new();
    while let Some(line) = reader.next::<ClassLine>().await? {
        let schema = line.schema().filter(|_| is_of_app(&line.class_name));
        let schema = schema.ok_or_else(|| TransferError::Refused(format!("class {} is none", line.class_name)))?;
        if line.has_schema {
            create(storage, &schema).await?;
        }
        let mut whole = schema.clone();
        system_classes::add_default_columns(&mut whole);
        classes.insert(schema.name.to_string(), whole);
        lines.push((schema, line));
    }
    let mut tally = Tally::default();
    for name in contents.parts.keys() {
        if let Some(class) = name.strip_prefix("rows/").and_then(|rest| rest.strip_suffix(".jsonl")) {
            let schema = classes.get(class).ok_or_else(|| unknown(name))?;
            rows(storage, &folder, name, schema, &mut tally, tell).await?;
        } else if let Some(relation) = name.strip_prefix("relations/").and_then(|rest| rest.strip_suffix(".jsonl")) {
            let (field, class) = relation.split_once('.').ok_or_else(|| unknown(name))?;
            let schema = classes.get(class).ok_or_else(|| unknown(name))?;
            relation_of(storage, &folder, name, &schema.name.join(field), &mut tally, tell).await?;
        } else if name != CLASSES && name != FILES {
            return Err(unknown(name));
        }
    }
    for (schema, line) in &lines {
        indexes(target, schema, line, &mut tally, tell).await?;
    }
    if let Some(to) = target.files.filter(|_| files > 0) {
        let from = Directory::new(folder.path(), None, target.random.clone());
        let mut tell_of = |info: &FileInfo, outcome: &upkeep::Outcome| match outcome {
            upkeep::Outcome::Failed(error) => {
                tell(Step::Trouble(Trouble::File { name: info.name.clone(), why: error.to_string() }));
            }
            _ => tell(Step::Done(FILES, 1)),
        };
        let copied = upkeep::copy(&from, to, &mut tell_of).await?;
        tally.files = copied.done + copied.already;
        tally.failed += copied.failed;
    }
    Ok(tally)
}

fn unknown(part: &str) -> TransferError {
    TransferError::Refused(format!("the export has a part {part} that this version does not know"))
}

/// Whether rows of such a class are an app's. The names come from a file, and go to the database.
fn is_of_app(class: &str) -> bool {
    (names::is_valid_class_name(class) || names::VOLATILE_CLASSES.contains(&class))
        && !ClassName::unchecked(class).is_join()
}

/// The contents, when every part has the bytes that were written.
async fn checked(folder: &Folder) -> Result<Contents> {
    let none = || TransferError::Refused(format!("{} holds no export", folder.path().display()));
    let contents = folder.contents().await?.ok_or_else(none)?;
    if !contents.complete {
        return Err(TransferError::Refused("the export is not complete: run it again to its end".to_owned()));
    }
    if !contents.parts.contains_key(CLASSES) {
        return Err(none());
    }
    for (name, part) in &contents.parts {
        let is_plain = name.split('/').all(|name| !name.is_empty() && !name.starts_with('.')) && !name.contains('\\');
        if !is_plain {
            return Err(unknown(name));
        }
        folder.verify(name, part).await?;
    }
    Ok(contents)
}

/// The number of files, when each has the bytes that were written.
async fn checked_files(folder: &Folder, contents: &Contents, random: &Arc<dyn Random>) -> Result<u64> {
    if !contents.parts.contains_key(FILES) {
        return Ok(0);
    }
    let files = Directory::new(folder.path(), None, random.clone());
    let mut reader = folder.read(FILES).await?;
    let mut count = 0;
    while let Some(line) = reader.next::<FileLine>().await? {
        let file = files.open(&line.name).await?;
        let digest = upkeep::digest(file.as_ref()).await?;
        if file.info().length != line.length || hex(digest.as_ref()) != line.sha256 {
            return Err(TransferError::Refused(format!(
                "the file {} is damaged: its checksum is another one",
                line.name
            )));
        }
        count += 1;
    }
    Ok(count)
}

/// Makes a class, or adds the fields that it lacks.
async fn create(storage: &dyn Storage, schema: &ClassSchema) -> Result<()> {
    match storage.create_class(schema).await {
        Ok(()) => return Ok(()),
        Err(StorageError::Duplicate { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let standard = ClassSchema::new(schema.name.clone());
    for (name, field) in schema.fields.iter().filter(|(name, _)| !standard.fields.contains_key(*name)) {
        match storage.add_field(&schema.name, name, field).await {
            Ok(()) => {}
            Err(StorageError::FieldExists(kind)) => {
                let class = &schema.name;
                return Err(TransferError::Refused(format!(
                    "{class}.{name} is {} in the export and {kind} in the store",
                    field.kind
                )));
            }
            Err(error) => return Err(error.into()),
        }
        if field.required || field.default.is_some() {
            storage.set_field_options(&schema.name, name, field).await?;
        }
    }
    if schema.permissions.is_some() {
        storage.set_permissions(&schema.name, schema.permissions.as_ref()).await?;
    }
    Ok(())
}

async fn rows(
    storage: &dyn Storage,
    folder: &Folder,
    name: &str,
    schema: &ClassSchema,
    tally: &mut Tally,
    tell: Tell<'_>,
) -> Result<()> {
    let reader = folder.read(name).await?;
    let lines = stream::try_unfold(reader, |mut reader| async move {
        let line = reader.next::<Map<String, Json>>().await?;
        Ok::<_, TransferError>(line.map(|line| (line, reader)))
    });
    let mut written = std::pin::pin!(lines.map_ok(|line| put(storage, schema, row(line))).try_buffered(TOGETHER));
    while let Some(outcome) = written.try_next().await? {
        match outcome {
            Put::Made => tally.objects += 1,
            Put::Already => tally.already += 1,
            Put::Failed(id, why) => {
                tally.failed += 1;
                tell(Step::Trouble(Trouble::Row { class: schema.name.clone(), id, why }));
            }
        }
        tell(Step::Done(name, 1));
    }
    Ok(())
}

/// What became of a row.
enum Put {
    Made,
    Already,
    Failed(String, String),
}

async fn put(storage: &dyn Storage, schema: &ClassSchema, row: Object) -> Result<Put> {
    let id = row.get_str("objectId").unwrap_or_default().to_owned();
    match storage.insert(schema, row.clone(), None).await {
        Ok(()) => Ok(Put::Made),
        Err(StorageError::Duplicate { index }) => {
            let found =
                storage.find(schema, &Filter::eq("objectId", id.as_str()), &FindOptions::default(), None).await?;
            Ok(match found.first() {
                Some(there) if json::encode_object(there) == json::encode_object(&row) => Put::Already,
                Some(_) => Put::Failed(id, "another object has this objectId".to_owned()),
                None => Put::Failed(id, format!("another object has the same value in index {index}")),
            })
        }
        Err(StorageError::Refused(why)) => Ok(Put::Failed(id, why)),
        Err(error) => Err(error.into()),
    }
}

async fn relation_of(
    storage: &dyn Storage,
    folder: &Folder,
    name: &str,
    join: &ClassName,
    tally: &mut Tally,
    tell: Tell<'_>,
) -> Result<()> {
    if !names::is_valid_class_name(join.as_str()) {
        return Err(unknown(name));
    }
    storage.create_indexes(&ClassSchema::new(join.clone()), &bootstrap::join_indexes()).await?;
    let mut reader = folder.read(name).await?;
    let mut held: Option<(String, Vec<String>)> = None;
    loop {
        let line = reader.next::<PairLine>().await?;
        let goes_on = match (&line, &held) {
            (Some(line), Some((owner, members))) => line.owner == *owner && members.len() < PAIRS,
            _ => false,
        };
        if !goes_on && let Some((owner, members)) = held.take() {
            storage.link(join, &owner, &members, None).await?;
            tally.pairs += members.len() as u64;
            tell(Step::Done(name, members.len() as u64));
        }
        let Some(PairLine { owner, member }) = line else { return Ok(()) };
        held.get_or_insert_with(|| (owner, Vec::new())).1.push(member);
    }
}

async fn indexes(
    target: &Data<'_>,
    schema: &ClassSchema,
    line: &ClassLine,
    tally: &mut Tally,
    tell: Tell<'_>,
) -> Result<()> {
    let own = own_indexes(target.options);
    let own = own.get(schema.name.as_str());
    let there = target.storage.indexes(&schema.name).await?;
    for index in line.indexes() {
        if there.contains_key(&index.name) || own.is_some_and(|own| own.contains(&index.name)) {
            continue;
        }
        let name = index.name.clone();
        match target.storage.create_indexes(schema, &[index]).await {
            Ok(()) => {}
            Err(why @ (StorageError::Duplicate { .. } | StorageError::Refused(_))) => {
                tally.failed += 1;
                tell(Step::Trouble(Trouble::Index { class: schema.name.clone(), name, why }));
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
