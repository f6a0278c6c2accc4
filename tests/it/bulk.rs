//! Tests with tens of thousands of rows insert them directly into the store, because creating them over HTTP would take
//! longer than the tests.

use bson::{Document, doc};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};
use mongodb::Collection;
use reparse::model::Value;
use reparse::model::names::ClassName;
use reparse::model::object::Object;

use crate::server::TestServer;

/// Columns with strings and numbers; the first is the `objectId`.
pub type Row = Vec<(&'static str, bson::Bson)>;

const AT_ONCE: usize = 256;
const CHUNK: usize = 5000;

/// Stores rows of a class that exists.
pub async fn insert(server: &TestServer, class: &str, rows: impl Iterator<Item = Row>) {
    let Some(database) = &server.mongo else {
        let app = &server.running.app;
        let schema = &app.schemas.snapshot().get(&ClassName::unchecked(class)).unwrap().schema.clone();
        let rows = rows.map(|row| {
            let mut object = Object::new();
            for (name, value) in row {
                let value: Value = match value {
                    bson::Bson::String(text) => text.into(),
                    number => f64::from(number.as_i32().unwrap()).into(),
                };
                object.insert(name, value);
            }
            Ok(object)
        });
        let insert = |row| app.storage.insert(schema, row, None);
        return stream::iter(rows).try_for_each_concurrent(AT_ONCE, insert).await.unwrap();
    };
    let documents = rows.map(|row| {
        row.into_iter().map(|(name, value)| (if name == "objectId" { "_id" } else { name }.to_owned(), value)).collect()
    });
    fill(&database.collection(class), documents).await;
}

/// Puts pairs of owner and member into a relation.
pub async fn link(server: &TestServer, class: &str, field: &str, pairs: Vec<(String, Vec<String>)>) {
    let join = ClassName::unchecked(class).join(field);
    if let Some(database) = &server.mongo {
        let pairs = pairs.into_iter().flat_map(|(owner, members)| {
            members.into_iter().map(move |member| doc! {"owningId": &owner, "relatedId": member})
        });
        fill(&database.collection(join.as_str()), pairs).await;
    } else {
        let storage = &server.running.app.storage;
        let link = |(owner, members): (String, Vec<String>)| {
            let join = &join;
            async move { storage.link(join, &owner, &members, None).await.unwrap() }
        };
        stream::iter(pairs).for_each_concurrent(AT_ONCE, link).await;
    }
}

async fn fill(collection: &Collection<Document>, documents: impl Iterator<Item = Document>) {
    let mut documents = documents.peekable();
    while documents.peek().is_some() {
        let chunk: Vec<Document> = documents.by_ref().take(CHUNK).collect();
        collection.insert_many(chunk).ordered(false).await.unwrap();
    }
}
