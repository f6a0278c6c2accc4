//! What belongs to one object is written with it, or not at all.

use futures_util::future::join_all;
use mongodb::IndexModel;
use mongodb::bson::doc;
use mongodb::options::IndexOptions;
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{answer, each_backend};

#[test]
fn a_refused_sign_up_leaves_no_session() {
    each_backend(&json!({}), |server| async move {
        let user = json!({"username": "twin", "password": "p"});
        let answers = join_all((0..20).map(|_| server.post("/users", &user))).await;
        let made: Vec<&crate::server::Answer> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        answers.iter().filter(|answer| answer.status != 201).for_each(|answer| answer.assert_refused(400, 202));
        let sessions = answer(server.master(Method::GET, "/sessions")).await.json();
        let tokens: Vec<&Json> =
            sessions["results"].as_array().unwrap().iter().map(|row| &row["sessionToken"]).collect();
        assert_eq!(tokens, [&made[0].json()["sessionToken"]]);
    });
}

#[test]
fn a_refused_object_leaves_no_members() {
    each_backend(&json!({}), |server| async move {
        // Only MongoDB has unique indexes that the server did not make.
        let Some(database) = server.mongo.clone() else { return };
        let target = server.post("/classes/Target", &json!({})).await.json();
        let pointer = json!({"__type": "Pointer", "className": "Target", "objectId": target["objectId"]});
        let body = json!({"n": 1, "r": {"__op": "AddRelation", "objects": [pointer]}});
        let first = server.post("/classes/Whole", &body).await;
        assert_eq!(first.status, 201, "{first:?}");
        let unique = IndexModel::builder().keys(doc! {"n": 1}).options(IndexOptions::builder().unique(true).build());
        database.collection::<mongodb::bson::Document>("Whole").create_index(unique.build()).await.unwrap();
        server.post("/classes/Whole", &body).await.assert_refused(400, 137);
        let members = database.collection::<mongodb::bson::Document>("_Join:r:Whole");
        assert_eq!(members.count_documents(doc! {}).await.unwrap(), 1);
    });
}

#[test]
fn an_object_and_its_members_come_together() {
    each_backend(&json!({}), |server| async move {
        let target = server.post("/classes/Target", &json!({})).await.json();
        let pointer = json!({"__type": "Pointer", "className": "Target", "objectId": target["objectId"]});
        let add = json!({"__op": "AddRelation", "objects": [pointer]});
        let made = server.post("/classes/Whole", &json!({"r": add})).await.json();
        let id = made["objectId"].as_str().unwrap();
        let members = || async {
            let of = json!({"$relatedTo": {"object": {"__type": "Pointer", "className": "Whole", "objectId": id}, "key": "r"}});
            let query = server.request(Method::GET, "/classes/Target").query(&[("where", of.to_string())]);
            answer(query).await.json()["results"].as_array().unwrap().len()
        };
        assert_eq!(members().await, 1);
        let remove = json!({"__op": "RemoveRelation", "objects": [pointer]});
        let changed =
            answer(server.request(Method::PUT, &format!("/classes/Whole/{id}")).json(&json!({"r": remove}))).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(members().await, 0);
        // A role and its users: rights follow at once.
        let user = server.post("/users", &json!({"username": "u", "password": "p"})).await.json();
        let member = json!({"__type": "Pointer", "className": "_User", "objectId": user["objectId"]});
        let role = json!({"name": "mods", "ACL": {"*": {"read": true}}, "users": {"__op": "AddRelation", "objects": [member]}});
        let role = answer(server.master(Method::POST, "/roles").json(&role)).await;
        assert_eq!(role.status, 201, "{role:?}");
        let secret = server.post("/classes/Secret", &json!({"ACL": {"role:mods": {"read": true}}})).await.json();
        let read = server
            .request(Method::GET, &format!("/classes/Secret/{}", secret["objectId"].as_str().unwrap()))
            .header("X-Parse-Session-Token", user["sessionToken"].as_str().unwrap());
        assert_eq!(answer(read).await.status, 200);
    });
}
