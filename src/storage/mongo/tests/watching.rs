//! Changes that other processes make.

use std::time::Duration;

use bson::doc;
use futures_util::StreamExt as _;
use serde_json::json;

use super::{clean, object, store};
use crate::model::names::ClassName;
use crate::model::schema::{ClassSchema, Field, FieldType};
use crate::storage::{Event, Storage as _};

#[tokio::test]
async fn changes_of_others_are_seen() {
    let storage = store("watching").await;
    let users = ClassSchema::new(ClassName::unchecked("_User"));
    let join = ClassName::unchecked("_Role").join("users");
    let mut events =
        storage.watch(&[users.name.clone(), join.clone()]).await.unwrap().expect("a replica set has change streams");
    let plain = ClassSchema::new(ClassName::unchecked("Plain"));
    storage.insert(&plain, object(json!({"objectId": "unseen"})), None).await.unwrap();
    storage.insert(&users, object(json!({"objectId": "u1"})), None).await.unwrap();
    storage.add_field(&users.name, "x", &Field::new(FieldType::String)).await.unwrap();
    storage.link(&join, "role", &["u1".to_owned()], None).await.unwrap();
    storage.delete_class(&users.name).await.unwrap();
    let mut next = async || tokio::time::timeout(Duration::from_secs(5), events.next()).await.unwrap().unwrap();
    assert_eq!(next().await, Event::Row { class: users.name.clone(), id: Some("u1".to_owned()) });
    assert_eq!(next().await, Event::Schema);
    assert!(matches!(next().await, Event::Row { class, id: Some(_) } if class == join));
    assert_eq!(next().await, Event::Row { class: users.name.clone(), id: None });
    assert_eq!(next().await, Event::Schema);
    // Dropping the database ends the stream, and it begins anew.
    storage.database.drop().await.unwrap();
    loop {
        if next().await == Event::Lost {
            break;
        }
    }
    assert_eq!(next().await, Event::Lost);
    storage.schemas().insert_one(doc! {"_id": "Later"}).await.unwrap();
    assert_eq!(next().await, Event::Schema);
    clean(storage).await;
}
