//! Relations: collections of pairs `{owningId, relatedId}`.

use bson::{Bson, Document, doc};
use futures_util::StreamExt as _;
use mongodb::options::{Acknowledgment, FindOptions};

use super::transaction::{Held, enter};
use super::{MongoStorage, error};
use crate::model::names::ClassName;
use crate::storage::{Result, StorageError, Transaction};

/// Column with the id of the row that has the relation.
pub(super) const OWNER: &str = "owningId";
/// Column with the id of a member.
pub(super) const MEMBER: &str = "relatedId";

/// Pairs written with one command.
const CHUNK: usize = 1000;

/// Puts members into a relation: pairs are upserted, and the server makes their ids.
pub(super) async fn link(
    storage: &MongoStorage,
    join: &ClassName,
    owner: &str,
    members: &[String],
    tx: Option<&Transaction>,
) -> Result<()> {
    let mut held = enter(tx).await?;
    for members in members.chunks(CHUNK) {
        let updates: Vec<Document> = members
            .iter()
            .map(|member| {
                let pair = doc! { OWNER: owner, MEMBER: member };
                doc! { "q": pair.clone(), "u": { "$set": pair }, "upsert": true }
            })
            .collect();
        let mut command =
            doc! { "update": storage.collection_name(join.as_str()), "updates": updates, "ordered": false };
        if held.is_none() {
            command.insert("writeConcern", write_concern(storage));
        }
        // Commands of this kind are not repeated by the driver; upserts may be.
        let reply = match send(storage, command.clone(), held.as_mut()).await {
            Err(StorageError::Unavailable(_)) if held.is_none() => send(storage, command, None).await?,
            result => result?,
        };
        if let Some(problem) = reply.get_array("writeErrors").ok().and_then(|problems| problems.first()) {
            return Err(StorageError::Other(problem.to_string().into()));
        }
        if let Ok(problem) = reply.get_document("writeConcernError") {
            return Err(StorageError::Unavailable(problem.to_string().into()));
        }
    }
    Ok(())
}

async fn send(storage: &MongoStorage, command: Document, held: Option<&mut Held<'_>>) -> Result<Document> {
    let mut action = storage.database.run_command(command);
    if let Some(held) = held {
        action = action.session(held.session()?);
    }
    storage.run(action).await
}

/// The client's write concern as commands state it: plain commands do not get it from the driver.
fn write_concern(storage: &MongoStorage) -> Document {
    let mut document = Document::new();
    let Some(concern) = storage.client.write_concern() else { return document };
    match &concern.w {
        Some(Acknowledgment::Nodes(nodes)) => {
            document.insert("w", i64::from(*nodes));
        }
        Some(Acknowledgment::Custom(name)) => {
            document.insert("w", name);
        }
        _ => {
            document.insert("w", "majority");
        }
    }
    if let Some(journal) = concern.journal {
        document.insert("j", journal);
    }
    if let Some(timeout) = concern.w_timeout {
        document.insert("wtimeout", super::find::millis(timeout));
    }
    document
}

/// Takes members out of a relation.
pub(super) async fn unlink(
    storage: &MongoStorage,
    join: &ClassName,
    owner: &str,
    members: &[String],
    tx: Option<&Transaction>,
) -> Result<()> {
    if members.is_empty() {
        return Ok(());
    }
    let rows = storage.rows(join);
    let mut held = enter(tx).await?;
    let mut action = rows.delete_many(doc! { OWNER: owner, MEMBER: { "$in": members } });
    if let Some(held) = &mut held {
        action = action.session(held.session()?);
    }
    storage.run(action).await.map(|_| ())
}

/// The pairs whose `column` is one of `ids`.
pub(super) async fn pairs(
    storage: &MongoStorage,
    join: &ClassName,
    column: &str,
    ids: &[String],
    tx: Option<&Transaction>,
) -> Result<Vec<(String, String)>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = storage.rows(join).clone_with_type::<bson::RawDocumentBuf>();
    let wanted = match ids {
        [only] => Bson::String(only.clone()),
        ids => Bson::Document(doc! { "$in": ids }),
    };
    let options = FindOptions::builder()
        .projection(doc! { "_id": 0, OWNER: 1, MEMBER: 1 })
        .batch_size(10_000)
        .max_time(storage.max_time)
        .build();
    let action = rows.find(doc! { column: wanted }).with_options(options);
    let mut held = enter(tx).await?;
    let mut found = Vec::new();
    let mut read = |document: mongodb::error::Result<bson::RawDocumentBuf>| -> Result<()> {
        let document = document.map_err(error::storage)?;
        if let (Ok(owner), Ok(member)) = (document.get_str(OWNER), document.get_str(MEMBER)) {
            found.push((owner.to_owned(), member.to_owned()));
        }
        Ok(())
    };
    storage
        .within(async {
            if let Some(held) = &mut held {
                let session = held.session()?;
                let mut cursor = action.session(&mut *session).await.map_err(error::storage)?;
                let mut stream = cursor.stream(session);
                while let Some(document) = stream.next().await {
                    read(document)?;
                }
            } else {
                let mut stream = action.await.map_err(error::storage)?;
                while let Some(document) = stream.next().await {
                    read(document)?;
                }
            }
            Ok(())
        })
        .await?;
    Ok(found)
}
