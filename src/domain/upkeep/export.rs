//! Takes everything out of a store.

use std::path::Path;
use std::sync::Arc;

use futures_util::TryStreamExt as _;

use super::lines::{ClassLine, FileLine, PairLine};
use super::parts::{CLASSES, Contents, FILES, FORMAT, Folder, Part, Result};
use super::transfer::{Data, Step, Tell, Trouble};
use super::{Class, classes, own_indexes, relations};
use crate::adapters::files::directory::Directory;
use crate::adapters::files::{FileStore, upkeep};
use crate::model::names;
use crate::model::schema::ClassSchema;
use crate::random::{Random, hex};
use crate::storage::Storage;

/// Classes whose rows are of no use elsewhere: ids of requests that came in.
const LEFT_OUT: [&str; 1] = [names::IDEMPOTENCY];

/// The number of files that cannot be read.
pub type Failed = u64;

/// Begins an export in a directory, or takes up one that was interrupted.
///
/// # Errors
/// `Refused` if the directory holds something else; `File`.
pub async fn begin(folder: &Path, begun: &str) -> Result<Contents> {
    let folder = Folder::at(folder);
    if let Some(contents) = folder.contents().await? {
        return Ok(contents);
    }
    let contents = Contents {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        begun: begun.to_owned(),
        complete: false,
        parts: indexmap::IndexMap::new(),
    };
    folder.note(&contents).await?;
    Ok(contents)
}

/// Writes what an export lacks.
///
/// # Errors
/// If the store or a file cannot be read or written. Files that cannot be read are told and counted.
pub async fn export(
    source: &Data<'_>,
    folder: &Path,
    mut contents: Contents,
    tell: Tell<'_>,
) -> Result<(Contents, Failed)> {
    let folder = Folder::at(folder);
    if contents.complete {
        return Ok((contents, 0));
    }
    let classes = classes(source.storage).await?;
    if !contents.parts.contains_key(CLASSES) {
        let part = export_classes(source, &folder, &classes).await?;
        note(&folder, &mut contents, CLASSES, part).await?;
    }
    for Class { schema, .. } in classes.iter().filter(|class| !LEFT_OUT.contains(&class.schema.name.as_str())) {
        let name = format!("rows/{}.jsonl", schema.name);
        if !contents.parts.contains_key(&name) {
            let part = export_rows(source.storage, &folder, schema, &name, tell).await?;
            note(&folder, &mut contents, &name, part).await?;
        }
        for (field, join, _) in relations(schema) {
            let name = format!("relations/{field}.{}.jsonl", schema.name);
            if contents.parts.contains_key(&name) {
                continue;
            }
            let mut part = folder.begin(&name).await?;
            let mut pairs = source.storage.all_pairs(&join);
            while let Some((owner, member)) = pairs.try_next().await? {
                part.line(&PairLine { owner, member }).await?;
                tell(Step::Done(&name, 1));
            }
            note(&folder, &mut contents, &name, part.end().await?).await?;
        }
    }
    let mut failed = 0;
    if let Some(files) = source.files {
        let (part, missing) = export_files(files, &folder, &source.random, tell).await?;
        failed = missing;
        if failed == 0 {
            note(&folder, &mut contents, FILES, part).await?;
        }
    }
    contents.complete = failed == 0;
    folder.note(&contents).await?;
    Ok((contents, failed))
}

async fn note(folder: &Folder, contents: &mut Contents, name: &str, part: Part) -> Result<()> {
    contents.parts.insert(name.to_owned(), part);
    folder.note(contents).await
}

async fn export_classes(source: &Data<'_>, folder: &Folder, classes: &[Class]) -> Result<Part> {
    let own = own_indexes(source.options);
    let mut part = folder.begin(CLASSES).await?;
    for class in classes {
        let name = class.schema.name.as_str();
        let mut indexes = source.storage.index_specs(&class.schema).await?;
        indexes.retain(|index| !own.get(name).is_some_and(|own| own.contains(&index.name)));
        let schema = class.stored.as_ref().unwrap_or(&class.schema);
        part.line(&ClassLine::new(schema, class.stored.is_some(), indexes)).await?;
    }
    part.end().await
}

async fn export_rows(
    storage: &dyn Storage,
    folder: &Folder,
    schema: &ClassSchema,
    name: &str,
    tell: Tell<'_>,
) -> Result<Part> {
    let mut part = folder.begin(name).await?;
    let mut rows = storage.all_rows(schema);
    while let Some(row) = rows.try_next().await? {
        part.line(&row).await?;
        tell(Step::Done(name, 1));
    }
    part.end().await
}

async fn export_files(
    files: &dyn FileStore,
    folder: &Folder,
    random: &Arc<dyn Random>,
    tell: Tell<'_>,
) -> Result<(Part, Failed)> {
    let to = Directory::new(folder.path(), None, random.clone());
    let copied = upkeep::copy(files, &to, &mut |info, outcome| {
        if let upkeep::Outcome::Failed(error) = outcome {
            tell(Step::Trouble(Trouble::File { name: info.name.clone(), why: error.to_string() }));
        } else {
            tell(Step::Done(FILES, 1));
        }
    })
    .await?;
    let mut part = folder.begin(FILES).await?;
    let mut stored = to.list().await?;
    while let Some(info) = stored.try_next().await? {
        let digest = upkeep::digest(to.open(&info.name).await?.as_ref()).await?;
        part.line(&FileLine { name: info.name, length: info.length, sha256: hex(digest.as_ref()) }).await?;
    }
    Ok((part.end().await?, copied.failed))
}
