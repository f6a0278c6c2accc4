//! Pipelines.

use serde_json::{Value as Json, json};

use super::super::MongoStorage;
use super::{clean, fill, store, thing};
use crate::storage::{AggregateOptions, Storage as _, StorageError};

fn pointer(id: &str) -> Json {
    json!({"__type": "Pointer", "className": "Target", "objectId": id})
}

fn day(day: &str) -> Json {
    json!({"__type": "Date", "iso": format!("2020-01-{day}T00:00:00.000Z")})
}

fn created(day: &str) -> String {
    format!("2021-01-{day}T00:00:00.000Z")
}

/// A store with three rows.
async fn filled(name: &str) -> MongoStorage {
    let storage = store(name).await;
    fill(
        &storage,
        vec![
            json!({"n": 1, "s": "a", "p": pointer("t"), "d": day("01"), "createdAt": created("01"), "_rperm": ["*"], "a": [1, 2], "g": {"__type": "GeoPoint", "latitude": 1, "longitude": 2}}),
            json!({"n": 3, "s": "a", "p": pointer("t"), "d": day("02"), "createdAt": created("02"), "a": []}),
            json!({"n": 10, "s": "b", "p": pointer("u"), "d": day("03"), "createdAt": created("03"), "fi": {"__type": "File", "name": "f"}}),
        ],
    )
    .await;
    storage
}

#[tokio::test]
async fn pipelines() {
    let storage = filled("pipelines").await;
    let options = AggregateOptions::default();
    let ids = |ids: &[&str]| ids.iter().map(|id| json!({"objectId": id})).collect::<Vec<Json>>();
    for (pipeline, expected) in [
        (
            json!([{"$group": {"_id": "$s", "total": {"$sum": "$n"}}}, {"$sort": {"_id": 1}}]),
            vec![json!({"total": 4, "objectId": "a"}), json!({"total": 10, "objectId": "b"})],
        ),
        (json!([{"$group": {"_id": null, "total": {"$sum": "$n"}}}]), vec![json!({"total": 14, "objectId": null})]),
        (json!([{"$group": {"_id": "$n"}}, {"$sort": {"objectId": -1}}, {"$limit": 1}]), vec![json!({"objectId": 10})]),
        (
            json!([{"$match": {"n": {"$gt": 1}}}, {"$project": {"n": 1}}, {"$sort": {"n": 1}}]),
            vec![json!({"n": 3, "objectId": "1"}), json!({"n": 10, "objectId": "2"})],
        ),
        (
            json!([{"$match": {"objectId": "2"}}]),
            vec![
                json!({"objectId": "2", "n": 10, "s": "b", "p": pointer("u"), "d": day("03"), "createdAt": created("03"), "fi": {"__type": "File", "name": "f"},
                    "r": {"__type": "Relation", "className": "Target"}}),
            ],
        ),
        (
            json!([{"$match": {"createdAt": {"$gte": "2021-01-03T00:00:00.000Z"}}}, {"$project": {"objectId": 1}}]),
            ids(&["2"]),
        ),
        (
            json!([{"$match": {"createdAt": {"$gte": {"__type": "Date", "iso": "2021-01-03T00:00:00.000Z"}}}}, {"$project": {"_id": 1}}]),
            ids(&["2"]),
        ),
        (json!([{"$match": {"d": "2020-01-02T00:00:00.000Z"}}, {"$project": {"_id": 1}}]), ids(&["1"])),
        (json!([{"$match": {"p": "u"}}, {"$project": {"_id": 1}}]), ids(&["2"])),
        (json!([{"$match": {"p": pointer("u")}}, {"$project": {"_id": 1}}]), ids(&["2"])),
        (
            json!([{"$match": {"$or": [{"p": {"$in": ["u"]}}, {"objectId": "0"}]}}, {"$sort": {"createdAt": -1}}, {"$project": {"_id": 1}}]),
            ids(&["2", "0"]),
        ),
        (
            json!([{"$match": {"$expr": {"$gt": ["$createdAt", {"$dateFromString": {"dateString": "2021-01-02"}}]}}}, {"$project": {"_id": 1}}]),
            ids(&["2"]),
        ),
        (
            json!([{"$group": {"_id": "$p", "last": {"$max": "$createdAt"}}}, {"$sort": {"_id": 1}}]),
            vec![
                json!({"objectId": "t", "last": {"__type": "Date", "iso": created("02")}}),
                json!({"objectId": "u", "last": {"__type": "Date", "iso": created("03")}}),
            ],
        ),
        (
            json!([{"$project": {"x": "$createdAt", "y": "$p", "createdAt": 1, "_id": 0}}, {"$sort": {"createdAt": 1}}, {"$limit": 1}]),
            vec![json!({"x": {"__type": "Date", "iso": created("01")}, "y": "Target$t", "createdAt": created("01")})],
        ),
        (
            json!([{"$unwind": "$a"}, {"$project": {"a": 1}}]),
            vec![json!({"objectId": "0", "a": 1}), json!({"objectId": "0", "a": 2})],
        ),
        (
            json!([{"$match": {"a": {"$size": 2}}}, {"$project": {"g": 1}}]),
            vec![json!({"objectId": "0", "g": {"__type": "GeoPoint", "latitude": 1, "longitude": 2}})],
        ),
        (json!([{"$count": "total"}]), vec![json!({"total": 3})]),
        (
            json!([{"$facet": {"byDate": [{"$sort": {"createdAt": -1}}, {"$limit": 1}, {"$project": {"n": 1, "_id": 0}}], "c": [{"$count": "n"}]}}]),
            vec![json!({"byDate": [{"n": 10}], "c": [{"n": 3}]})],
        ),
    ] {
        let Json::Array(stages) = pipeline.clone() else { panic!() };
        let rows = storage.aggregate(&thing(), stages, &options).await.unwrap();
        assert_eq!(rows, expected, "{pipeline}");
    }
    clean(storage).await;
}

#[tokio::test]
async fn raw_values_plans_and_refusals() {
    let storage = filled("raw").await;
    let options = AggregateOptions::default();
    let raw = AggregateOptions { raw_values: true, ..AggregateOptions::default() };
    let rows = storage
        .aggregate(&thing(), vec![json!({"$match": {"d": {"$date": "2020-01-03T00:00:00Z"}}})], &raw)
        .await
        .unwrap();
    assert_eq!(
        rows,
        [
            json!({"n": 10, "s": "b", "_p_p": "Target$u", "d": {"$date": "2020-01-03T00:00:00Z"}, "_created_at": {"$date": "2021-01-03T00:00:00Z"}, "fi": "f", "objectId": "2"})
        ]
    );
    let names = AggregateOptions { raw_field_names: true, ..AggregateOptions::default() };
    let rows = storage
        .aggregate(
            &thing(),
            vec![json!({"$match": {"_id": "2"}}), json!({"$project": {"_p_p": 1, "_created_at": 1}})],
            &names,
        )
        .await
        .unwrap();
    assert_eq!(rows, [json!({"_id": "2", "_p_p": "Target$u", "_created_at": "2021-01-03T00:00:00.000Z"})]);
    let explained = AggregateOptions { explain: Some("queryPlanner".to_owned()), ..AggregateOptions::default() };
    let rows = storage.aggregate(&thing(), vec![json!({"$match": {}})], &explained).await.unwrap();
    assert!(rows[0].get("queryPlanner").is_some(), "{rows:?}");

    for (stage, text) in [
        (json!({"$nonsense": {}}), "Unrecognized pipeline stage name: '$nonsense'"),
        (json!({"$sort": "x"}), "the $sort key specification must be an object"),
        (json!("x"), "Each element of the pipeline must be an object"),
    ] {
        let error = storage.aggregate(&thing(), vec![stage], &options).await.unwrap_err();
        assert!(matches!(&error, StorageError::Refused(refusal) if refusal == text), "{error:?}");
    }
    let mut deep = json!(1);
    for _ in 0..500 {
        deep = json!([deep]);
    }
    assert!(matches!(
        storage.aggregate(&thing(), vec![json!({"$match": {"n": deep}})], &options).await,
        Err(StorageError::Refused(_))
    ));
    clean(storage).await;
}
