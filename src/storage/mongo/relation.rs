//! Relations: collections of pairs `{owningId, relatedId}`.

use std::collections::HashSet;

use bson::{Bson, Document, RawDocument, RawDocumentBuf, doc};
use futures_util::{Stream, StreamExt as _};
use mongodb::options::{Acknowledgment, AggregateOptions, FindOptions};
use mongodb::{ClientSession, Cursor, SessionCursor};

use super::transaction::{Held, enter};
use super::{MongoStorage, error};
use crate::model::names::ClassName;
use crate::storage::{Ancestry, Result, StorageError, Transaction};

/// Column with the id of the row that has the relation.
pub(super) const OWNER: &str = "owningId";
/// Column with the id of a member.
pub(super) const MEMBER: &str = "relatedId";

/// Maximum number of pairs in a command.
const CHUNK: usize = 1000;

/// Adds members to a relation: pairs are upserted, and the database server generates their ids.
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
        // The driver does not retry such commands; upserts can be retried safely.
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

/// The write concern of the client, because the driver does not add it to plain commands.
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

/// Removes members from a relation.
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

/// The pairs whose `column` is one of `ids`; `None`: all pairs.
pub(super) async fn pairs(
    storage: &MongoStorage,
    join: &ClassName,
    column: &str,
    ids: Option<&[String]>,
    tx: Option<&Transaction>,
) -> Result<Vec<(String, String)>> {
    let rows = storage.rows(join).clone_with_type::<RawDocumentBuf>();
    let wanted = match ids {
        None => Document::new(),
        Some([]) => return Ok(Vec::new()),
        Some([only]) => doc! { column: only },
        Some(ids) => doc! { column: { "$in": ids } },
    };
    let options = FindOptions::builder()
        .projection(doc! { "_id": 0, OWNER: 1, MEMBER: 1 })
        .batch_size(10_000)
        .max_time(storage.max_time)
        .build();
    let action = rows.find(wanted).with_options(options);
    let mut found = Vec::new();
    let read = |document: &RawDocument| {
        if let (Ok(owner), Ok(member)) = (document.get_str(OWNER), document.get_str(MEMBER)) {
            found.push((owner.to_owned(), member.to_owned()));
        }
    };
    each(storage, tx, read, async |session| match session {
        Some(session) => action.session(&mut *session).await.map(|cursor| Rows::Held(cursor, session)),
        None => action.await.map(Rows::Free),
    })
    .await?;
    Ok(found)
}

/// The owners in `direct` that have the member, the owners in `nested` that have one of these, and so on. If one query
/// exceeds the limit of the database (100 MiB, some hundred thousand pairs), the levels are read one by one.
pub(super) async fn ancestors(
    storage: &MongoStorage,
    direct: &ClassName,
    nested: &ClassName,
    member: &str,
    tx: Option<&Transaction>,
) -> Result<Ancestry> {
    match closure(storage, direct, nested, member, tx).await {
        // An error inside a transaction aborts it.
        Err(StorageError::Refused(_)) if tx.is_none() => by_level(storage, direct, nested, member).await,
        result => result,
    }
}

async fn closure(
    storage: &MongoStorage,
    direct: &ClassName,
    nested: &ClassName,
    member: &str,
    tx: Option<&Transaction>,
) -> Result<Ancestry> {
    let first = format!("${OWNER}");
    let pair = |owner: &str, member: Bson| doc! { OWNER: owner, MEMBER: member };
    let pipeline = [
        doc! { "$match": { MEMBER: member } },
        doc! { "$group": { "_id": null, "ids": { "$addToSet": &first } } },
        doc! { "$graphLookup": {
            "from": storage.collection_name(nested.as_str()),
            "startWith": "$ids",
            "connectFromField": OWNER,
            "connectToField": MEMBER,
            "as": "nested",
        } },
        doc! { "$project": { "_id": 0, "pair": { "$concatArrays": [
            { "$map": { "input": "$ids", "in": pair("$$this", Bson::Null) } },
            { "$map": {
                "input": "$nested",
                "in": pair(&format!("$$this.{OWNER}"), format!("$$this.{MEMBER}").into()),
            } },
        ] } } },
        doc! { "$unwind": "$pair" },
        doc! { "$replaceRoot": { "newRoot": "$pair" } },
    ];
    let rows = storage.rows(direct);
    let options = AggregateOptions::builder().batch_size(10_000).max_time(storage.max_time).build();
    let action = rows.aggregate(pipeline).with_options(options).with_type::<RawDocumentBuf>();
    let mut found = Ancestry::default();
    let read = |document: &RawDocument| {
        let Ok(owner) = document.get_str(OWNER).map(str::to_owned) else { return };
        match document.get_str(MEMBER) {
            Ok(member) => found.nested.push((owner, member.to_owned())),
            Err(_) => found.direct.push(owner),
        }
    };
    each(storage, tx, read, async |session| match session {
        Some(session) => action.session(&mut *session).await.map(|cursor| Rows::Held(cursor, session)),
        None => action.await.map(Rows::Free),
    })
    .await?;
    Ok(found)
}

async fn by_level(storage: &MongoStorage, direct: &ClassName, nested: &ClassName, member: &str) -> Result<Ancestry> {
    let mut found = Ancestry::default();
    let mut known: HashSet<String> = HashSet::new();
    let first = pairs(storage, direct, MEMBER, Some(&[member.to_owned()]), None).await?;
    found.direct.extend(first.into_iter().map(|(owner, _)| owner));
    let mut level = found.direct.clone();
    while !level.is_empty() {
        let new: Vec<String> = level.into_iter().filter(|owner| known.insert(owner.clone())).collect();
        let above = pairs(storage, nested, MEMBER, Some(&new), None).await?;
        level = above.iter().map(|(owner, _)| owner.clone()).collect();
        found.nested.extend(above);
    }
    Ok(found)
}

/// The cursor of a query, with or without the session of a transaction.
enum Rows<'s> {
    Free(Cursor<RawDocumentBuf>),
    Held(SessionCursor<RawDocumentBuf>, &'s mut ClientSession),
}

/// Runs a query, in the transaction if there is one, and reads all rows.
async fn each(
    storage: &MongoStorage,
    tx: Option<&Transaction>,
    read: impl FnMut(&RawDocument),
    ask: impl for<'s> AsyncFnOnce(Option<&'s mut ClientSession>) -> mongodb::error::Result<Rows<'s>>,
) -> Result<()> {
    let mut held = enter(tx).await?;
    storage
        .within(async {
            let session = held.as_mut().map(Held::session).transpose()?;
            match ask(session).await.map_err(error::storage)? {
                Rows::Free(cursor) => drain(cursor, read).await,
                Rows::Held(mut cursor, session) => drain(cursor.stream(session), read).await,
            }
        })
        .await
}

/// Reads a cursor to its end.
async fn drain(
    mut documents: impl Stream<Item = mongodb::error::Result<RawDocumentBuf>> + Unpin,
    mut read: impl FnMut(&RawDocument),
) -> Result<()> {
    while let Some(document) = documents.next().await {
        read(&document.map_err(error::storage)?);
    }
    Ok(())
}
