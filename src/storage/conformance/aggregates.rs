//! Cases of aggregation.

use super::*;
use crate::storage::AggregateOptions;

#[expect(clippy::too_many_lines, reason = "a table")]
pub async fn aggregates(store: &dyn Storage) {
    let target = ClassName::unchecked("T");
    let schema = schema(
        "Agg",
        &[
            ("g", FieldType::String),
            ("n", FieldType::Number),
            ("a", FieldType::Array),
            ("o", FieldType::Object),
            ("d", FieldType::Date),
            ("p", FieldType::Pointer(target)),
            ("at", FieldType::GeoPoint),
        ],
    );
    store.create_class(&schema).await.unwrap();
    let rows = [
        row(
            "1",
            json!({"g": "a", "n": 1, "a": [1, 2], "o": {"k": "x"}, "d": date("2020-02-29T13:14:15.016Z"), "p": pointer("p1")}),
        ),
        row(
            "2",
            json!({"g": "a", "n": 3, "a": [2, 3], "o": {"k": "y", "l": [1]}, "d": date("2021-12-31T23:59:59.999Z"), "p": pointer("p2")}),
        ),
        row("3", json!({"g": "b", "n": 10, "a": [], "at": geo(1.0, 2.0), "p": pointer("p1")})),
        row("4", json!({"n": 2.5, "a": [{"k": 1}, {"k": 2}]})),
    ];
    fill(store, &schema, &rows).await;
    let day = "2026-01-01T00:00:00.000Z";
    let by_id = json!({"$sort": {"_id": 1}});
    let one = |stage: Json| json!([{"$match": {"objectId": "1"}}, stage]);
    let computed = |expression: Json| json!([{"$match": {"objectId": "1"}}, {"$project": {"_id": 0, "v": expression}}]);
    let mut failures = Vec::new();
    for (pipeline, expected) in [
        (
            json!([{"$group": {"_id": "$g", "total": {"$sum": "$n"}}}, by_id]),
            json!([{"total": 2.5, "objectId": null}, {"total": 4, "objectId": "a"}, {"total": 10, "objectId": "b"}]),
        ),
        (
            json!([{"$match": {"n": {"$gt": 1}}}, {"$project": {"n": 1}}, {"$sort": {"n": 1}}]),
            json!([{"n": 2.5, "objectId": "4"}, {"n": 3, "objectId": "2"}, {"n": 10, "objectId": "3"}]),
        ),
        (
            json!([{"$match": {"g": "b"}}]),
            json!([{"g": "b", "n": 10, "a": [], "at": geo(1.0, 2.0), "p": pointer("p1"), "createdAt": day, "updatedAt": day, "objectId": "3"}]),
        ),
        (json!([{"$count": "total"}]), json!([{"total": 4}])),
        (json!([{"$match": {"g": "zzz"}}, {"$count": "total"}]), json!([])),
        (
            json!([{"$group": {"_id": null, "total": {"$sum": "$n"}, "many": {"$sum": 1}}}]),
            json!([{"total": 16.5, "many": 4, "objectId": null}]),
        ),
        (json!([{"$match": {"createdAt": {"$gt": "2001-01-01T00:00:00.000Z"}}}, {"$count": "c"}]), json!([{"c": 4}])),
        (json!([{"$match": {"p": "p1"}}, {"$count": "c"}]), json!([{"c": 2}])),
        (
            json!([{"$match": {"d": {"$lt": {"__type": "Date", "iso": "2021-01-01T00:00:00.000Z"}}}}, {"$count": "c"}]),
            json!([{"c": 1}]),
        ),
        (
            json!([{"$match": {"$or": [{"g": "b"}, {"n": {"$lt": 2}}]}}, by_id, {"$project": {"n": 1}}]),
            json!([{"n": 1, "objectId": "1"}, {"n": 10, "objectId": "3"}]),
        ),
        (json!([{"$match": {"a": {"$size": 2}}}, {"$count": "c"}]), json!([{"c": 3}])),
        (json!([{"$match": {"a": {"$elemMatch": {"k": 2}}}}, {"$count": "c"}]), json!([{"c": 1}])),
        (json!([{"$match": {"a": {"$elemMatch": {"$gt": 2}}}}, {"$count": "c"}]), json!([{"c": 1}])),
        (json!([{"$match": {"$expr": {"$gt": ["$n", 2]}}}, {"$count": "c"}]), json!([{"c": 3}])),
        (json!([{"$match": {"n": {"$not": {"$gt": 2}}}}, {"$count": "c"}]), json!([{"c": 1}])),
        (
            json!([{"$group": {"_id": "$p", "c": {"$sum": 1}}}, by_id]),
            json!([{"c": 1, "objectId": null}, {"c": 2, "objectId": "p1"}, {"c": 1, "objectId": "p2"}]),
        ),
        (
            json!([{"$sort": {"n": 1}}, {"$group": {"_id": {"g": "$g"}, "min": {"$min": "$n"}, "max": {"$max": "$n"}, "avg": {"$avg": "$n"}, "first": {"$first": "$n"}, "last": {"$last": "$n"}, "all": {"$push": "$n"}}}, by_id]),
            json!([
                {"min": 2.5, "max": 2.5, "avg": 2.5, "first": 2.5, "last": 2.5, "all": [2.5], "objectId": {"g": null}},
                {"min": 1, "max": 3, "avg": 2, "first": 1, "last": 3, "all": [1, 3], "objectId": {"g": "a"}},
                {"min": 10, "max": 10, "avg": 10, "first": 10, "last": 10, "all": [10], "objectId": {"g": "b"}},
            ]),
        ),
        (
            json!([{"$group": {"_id": 1, "set": {"$addToSet": "$g"}, "c": {"$count": {}}}}, {"$project": {"size": {"$size": "$set"}, "c": 1}}]),
            json!([{"c": 4, "size": 2, "objectId": 1}]),
        ),
        (
            json!([{"$unwind": "$a"}, {"$group": {"_id": "$a", "c": {"$sum": 1}}}, {"$match": {"_id": 2}}]),
            json!([{"c": 2, "objectId": 2}]),
        ),
        (
            json!([{"$match": {"n": {"$gt": 2}}}, {"$unwind": {"path": "$a", "includeArrayIndex": "i", "preserveNullAndEmptyArrays": true}}, {"$project": {"a": 1, "i": 1}}, {"$sort": {"_id": 1, "i": 1}}]),
            json!([{"a": 2, "i": 0, "objectId": "2"}, {"a": 3, "i": 1, "objectId": "2"}, {"i": null, "objectId": "3"}, {"a": {"k": 1}, "i": 0, "objectId": "4"}, {"a": {"k": 2}, "i": 1, "objectId": "4"}]),
        ),
        (
            json!([{"$sort": {"n": -1}}, {"$skip": 1}, {"$limit": 2}, {"$project": {"n": 1, "_id": 0}}]),
            json!([{"n": 3}, {"n": 2.5}]),
        ),
        (json!([{"$sample": {"size": 3}}, {"$count": "c"}]), json!([{"c": 3}])),
        (
            json!([{"$addFields": {"twice": {"$multiply": ["$n", 2]}, "o.new": "$g"}}, {"$match": {"twice": 6}}, {"$project": {"twice": 1, "o": 1}}]),
            json!([{"o": {"k": "y", "l": [1], "new": "a"}, "twice": 6, "objectId": "2"}]),
        ),
        (one(json!({"$project": {"o.k": 1}})), json!([{"o": {"k": "x"}, "objectId": "1"}])),
        (
            one(json!({"$project": {"a": 0, "o": 0, "d": 0, "p": 0, "createdAt": 0}})),
            json!([{"g": "a", "n": 1, "updatedAt": day, "objectId": "1"}]),
        ),
        (computed(json!({"$concat": ["$g", "-", "x"]})), json!([{"v": "a-x"}])),
        (computed(json!({"$concat": ["$g", null]})), json!([{"v": null}])),
        (computed(json!({"$add": ["$n", 2, 3]})), json!([{"v": 6}])),
        (computed(json!({"$add": ["$d", 1000]})), json!([{"v": date("2020-02-29T13:14:16.016Z")}])),
        (computed(json!({"$subtract": [5, "$n"]})), json!([{"v": 4}])),
        (computed(json!({"$divide": ["$n", 4]})), json!([{"v": 0.25}])),
        (computed(json!({"$cond": [{"$gte": ["$n", 1]}, "yes", "no"]})), json!([{"v": "yes"}])),
        (computed(json!({"$cond": {"if": {"$eq": ["$g", "b"]}, "then": 1, "else": "$missing"}})), json!([{}])),
        (computed(json!({"$ifNull": ["$missing", "none"]})), json!([{"v": "none"}])),
        (computed(json!({"$toUpper": "$g"})), json!([{"v": "A"}])),
        (computed(json!({"$substr": ["abcdef", 1, 3]})), json!([{"v": "bcd"}])),
        (computed(json!({"$year": "$d"})), json!([{"v": 2020}])),
        (
            computed(
                json!([{"$month": "$d"}, {"$dayOfMonth": "$d"}, {"$dayOfWeek": "$d"}, {"$dayOfYear": "$d"}, {"$hour": "$d"}, {"$minute": "$d"}, {"$second": "$d"}, {"$millisecond": "$d"}, {"$week": "$d"}, {"$isoWeek": "$d"}]),
            ),
            json!([{"v": [2, 29, 7, 60, 13, 14, 15, 16, 8, 9]}]),
        ),
        (
            computed(json!({"$dateToString": {"format": "%Y-%m-%d %H:%M:%S.%L %j %u", "date": "$d"}})),
            json!([{"v": "2020-02-29 13:14:15.016 060 6"}]),
        ),
        (
            computed(json!({"$dateToString": {"format": "%d %H", "date": "$d", "timezone": "+11:00"}})),
            json!([{"v": "01 00"}]),
        ),
        (computed(json!({"$dateToString": {"date": "$missing", "onNull": "-"}})), json!([{"v": "-"}])),
        (computed(json!({"$size": "$a"})), json!([{"v": 2}])),
        (computed(json!({"$arrayElemAt": ["$a", -1]})), json!([{"v": 2}])),
        (computed(json!({"$in": [2, "$a"]})), json!([{"v": true}])),
        (computed(json!({"$and": [true, {"$not": ["$missing"]}, {"$or": [0, "$n"]}]})), json!([{"v": true}])),
        (
            computed(json!([{"$eq": ["$missing", null]}, {"$lt": ["$missing", null]}, {"$cmp": ["a", 1]}])),
            json!([{"v": [false, true, 1]}]),
        ),
        (
            computed(json!({"$map": {"input": "$a", "as": "x", "in": {"$multiply": ["$$x", 10]}}})),
            json!([{"v": [10, 20]}]),
        ),
        (computed(json!({"$filter": {"input": "$a", "cond": {"$gt": ["$$this", 1]}}})), json!([{"v": [2]}])),
        (
            computed(
                json!([{"$slice": ["$a", 1]}, {"$slice": ["$a", -1]}, {"$concatArrays": ["$a", [3]]}, {"$reverseArray": "$a"}]),
            ),
            json!([{"v": [[1], [2], [1, 2, 3], [2, 1]]}]),
        ),
        (
            computed(json!([{"$sum": "$a"}, {"$avg": "$a"}, {"$min": "$a"}, {"$max": ["$n", 7]}])),
            json!([{"v": [3, 1.5, 1, 7]}]),
        ),
        (
            computed(
                json!([{"$round": [2.5]}, {"$round": [1.25, 1]}, {"$trunc": [-1.7]}, {"$floor": -1.5}, {"$mod": [7, 4]}, {"$abs": -3}]),
            ),
            json!([{"v": [2, 1.2, -1, -2, 3, 3]}]),
        ),
        (
            computed(
                json!([{"$split": ["a,b", ","]}, {"$trim": {"input": "  x "}}, {"$strLenCP": "é"}, {"$strLenBytes": "é"}]),
            ),
            json!([{"v": [["a", "b"], "x", 1, 2]}]),
        ),
        (
            computed(json!([{"$toString": 1.5}, {"$toString": "$d"}, {"$type": "$g"}, {"$type": "$a"}])),
            json!([{"v": ["1.5", "2020-02-29T13:14:15.016Z", "string", "array"]}]),
        ),
        (computed(json!({"$literal": "$g"})), json!([{"v": "$g"}])),
        (
            computed(
                json!({"$switch": {"branches": [{"case": {"$eq": ["$n", 1]}, "then": "one"}], "default": "many"}}),
            ),
            json!([{"v": "one"}]),
        ),
        (computed(json!("$objectId")), json!([{"v": "1"}])),
        (computed(json!("$createdAt")), json!([{"v": date(day)}])),
        (computed(json!("$o.l")), json!([{}])),
        (one(json!({"$project": {"_id": 0, "k": {"x": "$o.k"}}})), json!([{"k": {"x": "x"}}])),
        (json!([{"$match": {"objectId": "4"}}, {"$project": {"_id": 0, "v": "$a.k"}}]), json!([{"v": [1, 2]}])),
        (
            json!([{"$group": {"_id": {"month": {"$month": "$createdAt"}}, "c": {"$sum": 1}}}]),
            json!([{"c": 4, "objectId": {"month": 1}}]),
        ),
    ] {
        let stages = pipeline.as_array().unwrap().clone();
        let rows = store.aggregate(&schema, stages, &AggregateOptions::default()).await;
        let rows = rows.unwrap_or_else(|error| panic!("{pipeline}: {error}"));
        let (found, expected) = (same_numbers(Json::Array(rows)), same_numbers(expected));
        if found != expected {
            failures.push(format!("{pipeline}: {found}, not {expected}"));
        }
    }
    for (stages, word) in [
        (json!([{"$nonsense": {}}]), "Unrecognized pipeline stage name: '$nonsense'"),
        (json!([{"$group": {"x": {"$sum": 1}}}]), "a group specification must include an _id"),
        (json!([{"$project": {"x": {"$nonsense": 1}}}]), "$nonsense"),
        (json!([{"$group": {"_id": null, "x": {"$nonsense": 1}}}]), "$nonsense"),
        (json!([{"$match": {"n": {"$nonsense": 1}}}]), "unknown operator: $nonsense"),
        (json!([{"$limit": 0}]), "the limit must be positive"),
        (json!([{"$project": {"a": 1, "n": 0}}]), "exclusion"),
        (json!([{"$project": {"v": {"$divide": ["$n", 0]}}}]), "can't $divide by zero"),
        (json!([{"$project": {"v": {"$concat": ["$n"]}}}]), "$concat only supports strings"),
        (json!([{"$unwind": "a"}]), "path option to $unwind stage should be prefixed with a '$'"),
        (json!([{"$sort": {"n": 2}}]), "$sort key ordering must be 1 (for ascending) or -1 (for descending)"),
    ] {
        let error = store
            .aggregate(&schema, stages.as_array().unwrap().clone(), &AggregateOptions::default())
            .await
            .unwrap_err();
        let StorageError::Refused(text) = &error else { panic!("{stages}: {error:?}") };
        if !text.contains(word) {
            failures.push(format!("{stages}: {text}"));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Whole numbers written in one way.
fn same_numbers(json: Json) -> Json {
    encode(&crate::model::json::decode_stored(json))
}
