//! Text of the store's own shape → the JSON its readers see. What is plain JSON in the store is copied.

use super::read::Reader;
use super::{CodecError, Result};
use crate::model::acl::Acl;
use crate::model::json::fields::Fields;
use crate::model::json::forms;
use crate::model::shape::{self, Shape};
use crate::model::value::Value;

/// Appends a row as its readers see it; `score`: that of a text search, which stands in place of a field of that name.
///
/// # Errors
/// [`CodecError`] when the text was not made by [`write_object`](super::write_object).
pub fn present(text: &[u8], score: Option<f64>, shape: &Shape, out: &mut Vec<u8>) -> Result<()> {
    let mut fields = Fields::begin(out);
    let mut reader = Reader::new(text);
    let (mut readers, mut writers) = (None, None);
    reader.fields(|reader, key| {
        let field = super::read::unescape_key(key);
        match &*field {
            "_rperm" => readers = Some(reader.value(1)?),
            "_wperm" => writers = Some(reader.value(1)?),
            "score" if score.is_some() => reader.skip()?,
            field if !shape.shows(field) => reader.skip()?,
            field if shape::is_plain_date(field) => {
                let mut value = reader.value(1)?;
                if let Value::Date(date) = value {
                    value = Value::String(date.to_iso());
                }
                fields.put(field, &value).map_err(unwritten)?;
            }
            field => {
                let raw = reader.raw()?;
                if is_plain_json(raw) {
                    fields.put_json(field, raw).map_err(unwritten)?;
                } else {
                    let mut value = Reader::new(raw).value(1)?;
                    shape.complete_file(&mut value);
                    fields.put(field, &value).map_err(unwritten)?;
                }
            }
        }
        Ok(true)
    })?;
    if let Some(score) = score.filter(|_| shape.shows("score")) {
        fields.put("score", &forms::Number(score)).map_err(unwritten)?;
    }
    if let Some(acl) = Acl::from_permissions(readers.as_ref(), writers.as_ref()) {
        fields.put("ACL", &acl).map_err(unwritten)?;
    }
    for (name, target) in &shape.relations {
        fields.put(name, &forms::Relation(target.as_str())).map_err(unwritten)?;
    }
    fields.end();
    Ok(())
}

/// Whether a value is the same in the store and on the wire: nothing typed, no key with a sign in front, no negative zero.
/// A no may be wrong: texts can look like such things.
fn is_plain_json(raw: &[u8]) -> bool {
    let mut rest = raw.iter();
    while let Some(byte) = rest.next() {
        match (byte, rest.as_slice()) {
            (b'"', [b'$', ..]) | (b'-', [b'0'] | [b'0', b',' | b']' | b'}', ..]) => return false,
            _ => {}
        }
    }
    true
}

/// A value that cannot be written does not come out of a row that is whole.
fn unwritten(_: serde_json::Error) -> CodecError {
    CodecError::Damaged(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;
    use crate::model::files::addresses::FileAddresses;
    use crate::model::json;
    use crate::model::names::ClassName;
    use crate::model::object::Object;

    fn shape() -> Shape {
        Shape {
            hidden: ["secret".to_owned()].into_iter().collect(),
            exclude: ["unwanted".to_owned()].into_iter().collect(),
            relations: vec![("likes".into(), ClassName::unchecked("Thing"))],
            files: FileAddresses { base: "http://x/files/".to_owned(), ..FileAddresses::default() },
            ..Shape::default()
        }
    }

    /// Both ways to the wire give the same.
    fn same(row: Object) {
        let shape = shape();
        let mut written = Vec::new();
        present(super::super::to_text(&row).unwrap().as_bytes(), None, &shape, &mut written).unwrap();
        let written: Json = serde_json::from_slice(&written).unwrap();
        let presented = json::encode_object(&shape.present(row));
        assert_eq!(written, Json::Object(presented));
    }

    #[test]
    fn rows_look_as_if_they_had_been_objects() {
        use crate::model::value::{File, GeoPoint};
        let list = |list: Vec<Value>| Value::Array(list);
        let file = Value::File(File { name: "a b.txt".to_owned(), url: None });
        let date = Value::Date(crate::model::date::Date::from_millis(1_600_000_000_123));
        let row: Object = [
            ("objectId", Value::from("id")),
            ("createdAt", date.clone()),
            ("_rperm", list(vec!["*".into(), "u".into()])),
            ("_wperm", list(vec!["u".into(), "role:r".into()])),
            ("_internal", "x".into()),
            ("secret", "x".into()),
            ("unwanted", "x".into()),
            ("nobody", Value::Null),
            ("null", Value::Null),
            ("date", date.clone()),
            ("file", file.clone()),
            ("place", Value::GeoPoint(GeoPoint { latitude: 1.5, longitude: -2.0 })),
            ("zero", Value::Number(-0.0)),
            ("zeroes", list(vec![Value::Number(-0.0), Value::Number(-0.5), "-0,".into(), "a\"$d\"".into()])),
            ("deep", list(vec![Value::Object([("$dollar", file), ("d", date)].into_iter().collect())])),
            ("plain", Value::Object([("a\n", list(vec![true.into(), "é\u{1}\"".into()]))].into_iter().collect())),
        ]
        .into_iter()
        .collect();
        same(row);
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Boolean),
            proptest::num::f64::NORMAL.prop_map(Value::Number),
            any::<i32>().prop_map(|number| Value::Number(f64::from(number))),
            "[$\"\\\\{},:0-]{0,4}".prop_map(Value::String),
            any::<String>().prop_map(Value::String),
            any::<i64>().prop_map(|millis| Value::Date(crate::model::date::Date::from_millis(millis))),
            any::<Vec<u8>>().prop_map(Value::Bytes),
            "[a-z]{1,3}".prop_map(|id| Value::pointer(&ClassName::unchecked("Thing"), id)),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::vec(("[$a-c]{0,3}", inner), 0..4)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn whatever_the_values(fields in proptest::collection::vec(("[a-f]{1,2}", values()), 0..6)) {
            same(fields.into_iter().collect());
        }
    }
}
