//! Rows ⇄ documents, without a server.

use bson::{Binary, Bson, Decimal128, Document, doc, oid::ObjectId, spec::BinarySubtype};
use serde_json::{Value as Json, json};

use super::super::{decode, encode};
use super::{object, rest, thing};
use crate::model::json;
use crate::model::names::ClassName;
use crate::model::object::Object;
use crate::model::schema::ClassSchema;
use crate::model::value::Value;
use crate::storage::StorageError;

fn date(millis: i64) -> Bson {
    Bson::DateTime(bson::DateTime::from_millis(millis))
}

fn written(row: Json) -> Document {
    encode::row(&thing(), object(row)).unwrap()
}

fn read(document: &Document) -> Json {
    rest(&decode::row_of(&thing(), document).unwrap())
}

#[test]
fn a_full_row_is_stored_as_parse_server_does() {
    let pointer = json!({"__type": "Pointer", "className": "Target", "objectId": "8x"});
    let geo = json!({"__type": "GeoPoint", "latitude": 1, "longitude": 2});
    let file = json!({"__type": "File", "name": "x.txt", "url": "http://h/x.txt"});
    let when = json!({"__type": "Date", "iso": "2021-01-01T00:00:00.000Z"});
    let row = json!({
        "objectId": "kW", "s": "text", "i": 42, "big": 9_007_199_254_740_991_i64, "f": 1.5, "whole": 2, "b": true,
        "d": {"__type": "Date", "iso": "2020-02-03T04:05:06.789Z"},
        "o": {"a": 1, "when": when, "p": pointer, "g": geo, "f": file},
        "a": [1, "x", null, {"k": "v"}, when, pointer, geo, file, {"__type": "Bytes", "base64": "aGk="}],
        "g": {"__type": "GeoPoint", "latitude": 40.5, "longitude": -30.25},
        "by": {"__type": "Bytes", "base64": "aGVsbG8="},
        "p": pointer, "fi": {"__type": "File", "name": "a.txt"},
        "po": {"__type": "Polygon", "coordinates": [[0, 0], [0, 1], [1, 1], [1, 0]]},
        "r": {"__type": "Relation", "className": "Target"},
        "nul": null,
        "_wperm": ["role:Mods"], "_rperm": ["*", "role:Mods"],
        "createdAt": "2026-01-01T00:00:00.000Z", "updatedAt": "2026-01-01T00:00:00.000Z",
    });
    let stored_pointer = doc! {"__type": "Pointer", "className": "Target", "objectId": "8x"};
    let stored_geo = doc! {"__type": "GeoPoint", "latitude": 1, "longitude": 2};
    let stored_file = doc! {"__type": "File", "name": "x.txt", "url": "http://h/x.txt"};
    let stored_when = date(1_609_459_200_000);
    let hi = Bson::Binary(Binary { subtype: BinarySubtype::Generic, bytes: b"hi".to_vec() });
    let document = doc! {
        "_id": "kW", "s": "text", "i": 42, "big": 9_007_199_254_740_991.0, "f": 1.5, "whole": 2, "b": true,
        "d": date(1_580_702_706_789),
        "o": {"a": 1, "when": &stored_when, "p": &stored_pointer, "g": &stored_geo, "f": &stored_file},
        "a": [1, "x", Bson::Null, {"k": "v"}, &stored_when, &stored_pointer, &stored_geo, &stored_file, hi],
        "g": [-30.25, 40.5],
        "by": Binary { subtype: BinarySubtype::Generic, bytes: b"hello".to_vec() },
        "_p_p": "Target$8x", "fi": "a.txt",
        "po": {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]]},
        "nul": Bson::Null,
        "_wperm": ["role:Mods"], "_rperm": ["*", "role:Mods"],
        "_created_at": date(1_767_225_600_000), "_updated_at": date(1_767_225_600_000),
        "_acl": {"role:Mods": {"w": true, "r": true}, "*": {"r": true}},
    };
    assert_eq!(written(row.clone()), document);

    let mut expected = row;
    let fields = expected.as_object_mut().unwrap();
    fields.remove("r");
    fields["po"]["coordinates"].as_array_mut().unwrap().push(json!([0, 0]));
    for field in ["createdAt", "updatedAt"] {
        fields[field] = json!({"__type": "Date", "iso": fields[field]});
    }
    assert_eq!(read(&document), expected);
}

#[test]
fn permissions_of_nobody_and_of_all() {
    assert_eq!(written(json!({"_rperm": [], "_wperm": []})), doc! {"_rperm": [], "_wperm": [], "_acl": {}});
    assert_eq!(written(json!({"s": "x"})), doc! {"s": "x"});
}

#[test]
fn numbers() {
    for (number, stored) in [
        (0.0, Bson::Int32(0)),
        (-0.0, Bson::Double(-0.0)),
        (2_147_483_647.0, Bson::Int32(i32::MAX)),
        (-2_147_483_648.0, Bson::Int32(i32::MIN)),
        (2_147_483_648.0, Bson::Double(2_147_483_648.0)),
        (0.1, Bson::Double(0.1)),
        (f64::INFINITY, Bson::Double(f64::INFINITY)),
    ] {
        assert_eq!(encode::number(number), stored);
    }
    assert!(matches!(encode::number(f64::NAN), Bson::Double(number) if number.is_nan()));
}

#[test]
fn null_pointers_have_the_column_of_pointers() {
    assert_eq!(written(json!({"p": null})), doc! {"p": Bson::Null});
    assert_eq!(read(&doc! {"_p_p": Bson::Null}), json!({}));
    let fetched = json!({"__type": "Object", "className": "Target", "objectId": "t", "name": "x"});
    assert_eq!(written(json!({"p": fetched})), doc! {"_p_p": "Target$t"});
}

#[test]
fn what_others_have_written_is_read() {
    for (document, row) in [
        (doc! {"_id": ObjectId::from_bytes([1; 12])}, json!({"objectId": "010101010101010101010101"})),
        (doc! {"_id": 1}, json!({"objectId": "1"})),
        (doc! {"n": 7_i64}, json!({"n": 7})),
        (doc! {"n": Bson::Decimal128("1.5".parse::<Decimal128>().unwrap())}, json!({"n": 1.5})),
        (doc! {"_p_unknown": "A$b", "_acl": {"*": {"r": true}}}, json!({})),
        (
            doc! {"_created_at": "2020-01-01T00:00:00.000Z"},
            json!({"createdAt": {"__type": "Date", "iso": "2020-01-01T00:00:00.000Z"}}),
        ),
        (
            doc! {"_session_token": "r:x", "times_used": 3, "_last_used": date(0)},
            json!({"sessionToken": "r:x", "timesUsed": 3, "lastUsed": {"__type": "Date", "iso": "1970-01-01T00:00:00.000Z"}}),
        ),
        (
            doc! {"_hashed_password": "h", "_auth_data_anonymous": {"id": "a"}},
            json!({"_hashed_password": "h", "_auth_data_anonymous": {"id": "a"}}),
        ),
        (
            doc! {"o": {"by": {"buffer": {"0": 104, "1": 105}, "sub_type": 0, "position": 2}}},
            json!({"o": {"by": {"__type": "Bytes", "base64": "aGk="}}}),
        ),
        (
            doc! {"o": {"buffer": {"0": "x"}, "sub_type": 0, "position": 1}},
            json!({"o": {"buffer": {"0": "x"}, "sub_type": 0, "position": 1}}),
        ),
        (doc! {"o": {"__type": "Pointer"}}, json!({"o": {"__type": "Pointer"}})),
        (doc! {"g": ["x", "y"], "po": {"type": "Polygon"}}, json!({"g": ["x", "y"], "po": {"type": "Polygon"}})),
        (doc! {"r": "left over"}, json!({})),
        (
            doc! {"o": {"m": Bson::MinKey, "u": Bson::Undefined, "s": Bson::Symbol("y".into())}},
            json!({"o": {"m": null, "u": null, "s": "y"}}),
        ),
    ] {
        assert_eq!(read(&document), row, "{document}");
    }
}

#[test]
fn numeric_ids_of_the_configuration() {
    let schema = ClassSchema::new(ClassName::unchecked("_GlobalConfig"));
    let row = object(json!({"objectId": "1"}));
    assert_eq!(encode::row(&schema, row).unwrap(), doc! {"_id": 1});
}

#[test]
fn hostile_names_and_depths_are_refused() {
    let refused = |row: Object| matches!(encode::row(&thing(), row), Err(StorageError::Refused(_)));
    assert!(refused(object(json!({"a\0b": 1}))));
    assert!(refused(object(json!({"o": {"a\0b": 1}}))));
    let nested = |levels: usize| {
        let mut value = Value::Null;
        for _ in 0..levels {
            value = Value::Array(vec![value]);
        }
        let mut row = Object::new();
        row.insert("a", value);
        row
    };
    assert!(!refused(nested(99)));
    assert!(refused(nested(100)));
    assert!(refused(nested(1000)));
}

#[test]
fn every_value_comes_back() {
    let row = json!({
        "objectId": "x", "o": {"n": -0.5, "list": [[], {}, [null]], "po": {"__type": "Polygon", "coordinates": [[0, 1], [2, 3], [4, 5]]}},
        "a": [{"__type": "Relation", "className": "T"}, {"__type": "Object", "className": "T", "objectId": "i", "x": 1}],
    });
    assert_eq!(read(&written(row.clone())), row);
    assert_eq!(json::encode(&json::decode(row.clone()).unwrap()), row);
}
