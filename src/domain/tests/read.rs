//! The read pipeline.

use super::*;
use crate::domain::kernel::commands::{FindQuery, GetQuery};
use crate::domain::read::{self, CachedRow};
use crate::model::names::ClassName;
use crate::model::query::parameters::QueryParameters;

/// Objects of the class `Number` with `n` of 1 to `count`.
async fn numbers(server: &Fixture, count: u32) {
    for n in 1..=count {
        save(&server.master(), "Number", json!({ "n": n, "even": n % 2 == 0 })).await.unwrap();
    }
}

fn values(rows: &[Json]) -> Vec<i64> {
    rows.iter().map(|row| row["n"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn conditions_orders_and_pages() {
    let server = fixture(json!({})).await;
    numbers(&server, 6).await;
    let anybody = server.anybody();
    for (parameters, expected) in [
        (json!({ "where": { "n": { "$gt": 4 } }, "order": "n" }), vec![5, 6]),
        (json!({ "where": { "even": true }, "order": "-n" }), vec![6, 4, 2]),
        (json!({ "order": "n", "skip": 1, "limit": 2 }), vec![2, 3]),
        (json!({ "where": { "$or": [{ "n": 1 }, { "n": 6 }] }, "order": "n" }), vec![1, 6]),
        (json!({ "limit": 0 }), vec![]),
    ] {
        assert_eq!(values(&find(&anybody, "Number", parameters.clone()).await.unwrap()), expected, "{parameters}");
    }
}

#[tokio::test]
async fn a_count_is_of_all_matches() {
    let server = fixture(json!({})).await;
    numbers(&server, 5).await;
    let parameters = object(json!({ "where": { "n": { "$gt": 1 } }, "count": 1, "limit": 2 }));
    let found = classes::find(&server.anybody(), "Number", parameters).await.unwrap();
    assert_eq!((found.results.len(), found.count), (2, Some(4)));
}

#[tokio::test]
async fn keys_choose_fields() {
    let server = fixture(json!({})).await;
    numbers(&server, 1).await;
    let anybody = server.anybody();
    let chosen = &find(&anybody, "Number", json!({ "keys": "n" })).await.unwrap()[0];
    assert!(chosen.get("even").is_none() && chosen.get("objectId").is_some() && chosen.get("createdAt").is_some());
    let left = &find(&anybody, "Number", json!({ "excludeKeys": "n" })).await.unwrap()[0];
    assert!(left.get("n").is_none() && left.get("even").is_some());
}

#[tokio::test]
async fn json_rows_are_the_objects() {
    let server = fixture(json!({})).await;
    numbers(&server, 3).await;
    let cx = server.anybody();
    let rows = classes::find_json(&cx, "Number", object(json!({ "order": "n" }))).await.unwrap().results;
    let text = [b"[", rows.as_bytes(), b"]"].concat();
    let parsed: Vec<Json> = serde_json::from_slice(&text).unwrap();
    assert_eq!(parsed, find(&cx, "Number", json!({ "order": "n" })).await.unwrap());
}

#[tokio::test]
async fn unknown_objects_and_classes() {
    let server = fixture(json!({ "allowClientClassCreation": false })).await;
    numbers(&server, 1).await;
    assert_eq!(code(get(&server.anybody(), "Number", "nobody").await), 101);
    assert_eq!(code(find(&server.anybody(), "Stranger", json!({})).await), 119);
    assert_eq!(find(&server.master(), "Stranger", json!({})).await.unwrap().len(), 0);
    assert_eq!(find(&server.master(), "no class can be called so", json!({})).await.unwrap().len(), 0);
}

#[tokio::test]
async fn pointers_are_followed_as_far_as_the_caller_may_read() {
    let server = fixture(json!({})).await;
    let master = server.master();
    let open = save(&master, "Target", json!({ "name": "open" })).await.unwrap();
    let closed = save(&master, "Target", json!({ "name": "closed", "ACL": {} })).await.unwrap();
    let id = save(&master, "From", json!({ "one": pointer("Target", &open), "two": pointer("Target", &closed) }))
        .await
        .unwrap();
    let parameters = object(json!({ "include": "one,two" }));
    let row = classes::get(&server.anybody(), "From", &id, parameters).await.unwrap();
    let row = serde_json::to_value(&row).unwrap();
    assert_eq!((&row["one"]["name"], row.get("two")), (&json!("open"), None));
    assert_eq!(get(&server.anybody(), "From", &id).await.unwrap()["two"]["objectId"], closed.as_str());
}

#[tokio::test]
async fn includes_have_limits_for_clients() {
    let server = fixture(json!({ "requestComplexity": { "includeDepth": 1, "includeCount": 2 } })).await;
    let (anybody, master) = (server.anybody(), server.master());
    for (include, expected) in [("a,b", 0), ("a,b,c", 102), ("a.b", 102)] {
        assert_eq!(code(find(&anybody, "From", json!({ "include": include })).await), expected, "{include}");
        assert_eq!(code(find(&master, "From", json!({ "include": include })).await), 0, "{include}");
    }
}

#[tokio::test]
async fn sub_queries_find_what_the_caller_may_read() {
    let server = fixture(json!({})).await;
    let master = server.master();
    for (name, acl) in [("open", json!({ "*": { "read": true } })), ("closed", json!({}))] {
        let id = save(&master, "Target", json!({ "name": name, "ACL": acl })).await.unwrap();
        save(&master, "From", json!({ "to": pointer("Target", &id), "name": name })).await.unwrap();
    }
    let parameters = json!({ "where": { "to": { "$inQuery": { "className": "Target", "where": {} } } } });
    let found = find(&server.anybody(), "From", parameters.clone()).await.unwrap();
    assert_eq!(found.iter().map(|row| &row["name"]).collect::<Vec<_>>(), ["open"]);
    assert_eq!(find(&master, "From", parameters).await.unwrap().len(), 2);
}

#[tokio::test]
async fn members_of_a_relation() {
    let server = fixture(json!({})).await;
    let master = server.master();
    let member = save(&master, "Member", json!({})).await.unwrap();
    save(&master, "Member", json!({})).await.unwrap();
    let relation = json!({ "__op": "AddRelation", "objects": [pointer("Member", &member)] });
    let owner = save(&master, "Owner", json!({ "members": relation, "ACL": {} })).await.unwrap();
    let condition = json!({ "$relatedTo": { "object": pointer("Owner", &owner), "key": "members" } });
    let found = find(&master, "Member", json!({ "where": condition })).await.unwrap();
    assert_eq!(found.iter().map(|row| &row["objectId"]).collect::<Vec<_>>(), [member.as_str()]);
    // The owner is not to be read by anybody.
    assert_eq!(find(&server.anybody(), "Member", json!({ "where": condition })).await.unwrap().len(), 0);
}

#[tokio::test]
async fn plans_are_for_masters() {
    let server = fixture(json!({})).await;
    numbers(&server, 1).await;
    assert_eq!(code(find(&server.anybody(), "Number", json!({ "explain": true })).await), 102);
    let found = classes::find(&server.master(), "Number", object(json!({ "explain": true }))).await.unwrap();
    assert!(found.plan.is_some());
}

#[tokio::test]
async fn typed_commands_are_what_maps_are_read_into() {
    let server = fixture(json!({})).await;
    numbers(&server, 4).await;
    let cx = server.anybody();
    let condition = object(json!({ "even": true }));
    let parameters = QueryParameters { limit: Some(1), ..QueryParameters::selecting(vec!["n".to_owned()], Vec::new()) };
    let typed = FindQuery::new(&cx, ClassName::unchecked("Number"), condition, parameters).unwrap();
    let read = json!({ "where": { "even": true }, "limit": 1, "keys": "n" });
    let parsed = FindQuery::read(&cx, "Number", object(read)).unwrap();
    assert_eq!(format!("{:?}", typed.filter), format!("{:?}", parsed.filter));
    assert_eq!(typed.parameters, parsed.parameters);
    let rows = read::find(&cx, typed).await.unwrap().results;
    assert_eq!(rows.len(), 1);
}

#[tokio::test]
async fn a_row_just_written_is_not_asked_for_again() {
    let server = fixture(json!({})).await;
    save(&server.master(), "Number", json!({ "n": 1 })).await.unwrap();
    // The store has no such row, so the answer can only come from what is given.
    let mut row = crate::model::object::Object::new();
    row.insert("objectId", "given");
    row.insert("n", 5.0);
    let query = || GetQuery::new("Number", "given", QueryParameters::selecting(vec!["n".to_owned()], Vec::new()));
    let cx = server.anybody();
    let read = read::get_known(&cx, query(), CachedRow::Written(row.clone())).await.unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap()["n"], 5);
    assert_eq!(code(read::get_known(&cx, query(), CachedRow::None).await), 101);
    // Its ACL holds as for any row.
    row.insert("_rperm", crate::model::value::Value::Array(Vec::new()));
    assert_eq!(code(read::get_known(&cx, query(), CachedRow::Written(row)).await), 101);
}
