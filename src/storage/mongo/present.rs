//! Converts BSON directly to the JSON that readers see, for rows in the form that this server and parse-server write. A
//! row that contains anything else is converted through [`decode`].

use bson::{RawArray, RawBsonRef, RawDocument};
use compact_str::CompactString;
use serde::ser::{Error as _, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::decode::{self, MAX_DEPTH};
use super::names::{self, POINTER};
use crate::model::acl::Acl;
use crate::model::date::Date;
use crate::model::json::fields::Fields;
use crate::model::json::forms;
use crate::model::names::ClassName;
use crate::model::rows::JsonRows;
use crate::model::schema::{ClassSchema, FieldType};
use crate::model::shape::{self, Shape};
use crate::storage::{Result, StorageError};

/// Columns that are not part of any schema.
const INTERNAL_COLUMNS: usize = 4;

/// How the columns of a class are written for a query. Most rows have the same columns in the same order, so the result
/// of the look-up is cached by position.
pub(super) struct Columns<'a> {
    schema: &'a ClassSchema,
    shape: &'a Shape,
    known: Vec<Column<'a>>,
}

struct Column<'a> {
    name: CompactString,
    /// The name of its field, as [`Fields::key`] gives it.
    key: CompactString,
    meaning: Meaning<'a>,
}

#[derive(Clone, Copy)]
enum Meaning<'a> {
    Unseen,
    Readers,
    Writers,
    Id,
    PlainDate,
    Pointer(&'a ClassName),
    Value(Option<&'a FieldType>),
    /// Not in the form that this server or parse-server writes.
    Odd,
}

/// A row cannot be converted directly.
struct Unusual;

impl<E: std::error::Error> From<E> for Unusual {
    fn from(_: E) -> Self {
        Self
    }
}

impl<'a> Columns<'a> {
    pub(super) fn new(schema: &'a ClassSchema, shape: &'a Shape) -> Self {
        Self { schema, shape, known: Vec::with_capacity(schema.fields.len() + INTERNAL_COLUMNS) }
    }

    /// Writes a stored document as a row.
    pub(super) fn row(&mut self, document: &RawDocument, rows: &mut JsonRows) -> Result<()> {
        if rows.write(|text| self.write(document, text)).is_ok() {
            return Ok(());
        }
        let row = self.shape.present(decode::row(self.schema, document)?);
        rows.push(&row).map_err(|error| StorageError::Other(Box::new(error)))
    }

    fn write(&mut self, document: &RawDocument, text: &mut Vec<u8>) -> std::result::Result<(), Unusual> {
        let mut fields = Fields::begin(text);
        let (mut readers, mut writers) = (None, None);
        for (place, element) in document.iter_elements().enumerate() {
            let element = element?;
            let shape = self.shape;
            let column = self.column(place, element.key().as_str());
            let key = &column.key;
            match column.meaning {
                Meaning::Unseen => {}
                Meaning::Odd => return Err(Unusual),
                Meaning::Readers => readers = Some(element.value()?),
                Meaning::Writers => writers = Some(element.value()?),
                Meaning::Id => fields.put_at(key, &Id(element.value()?))?,
                Meaning::PlainDate => {
                    let RawBsonRef::DateTime(date) = element.value()? else { return Err(Unusual) };
                    fields.put_at(key, Date::from_millis(date.timestamp_millis()).iso().as_str())?;
                }
                Meaning::Pointer(class) => {
                    if let Some(text) = element.value()?.as_str() {
                        let id = decode::pointer_id(class, text);
                        fields.put_at(key, &forms::Pointer { class: class.as_str(), id })?;
                    }
                }
                Meaning::Value(kind) => fields.put_at(key, &Typed { kind, value: element.value()?, shape })?,
            }
        }
        if readers.is_some() || writers.is_some() {
            fields.put("ACL", &acl(readers, writers))?;
        }
        for (name, target) in &self.shape.relations {
            fields.put(name, &forms::Relation(target.as_str()))?;
        }
        fields.end();
        Ok(())
    }

    fn column(&mut self, place: usize, name: &str) -> &Column<'a> {
        let is_it = |column: &Column<'_>| column.name == name;
        let place = if self.known.get(place).is_some_and(is_it) {
            place
        } else if let Some(place) = self.known.iter().position(is_it) {
            place
        } else {
            let (field, meaning) = self.meaning(name);
            self.known.push(Column { name: name.into(), key: Fields::key(field), meaning });
            self.known.len() - 1
        };
        #[expect(clippy::indexing_slicing, reason = "found or put there just now")]
        &self.known[place]
    }

    /// The field of a column, and how it is written.
    fn meaning<'n>(&self, column: &'n str) -> (&'n str, Meaning<'a>) {
        match column {
            "_acl" => return (column, Meaning::Unseen),
            "_rperm" => return (column, Meaning::Readers),
            "_wperm" => return (column, Meaning::Writers),
            "_id" => return ("objectId", Meaning::Id),
            _ => {}
        }
        if let Some(field) = column.strip_prefix(POINTER) {
            let meaning = match self.schema.kind(field) {
                Some(FieldType::Pointer(class)) if self.shape.shows(field) => Meaning::Pointer(class),
                _ => Meaning::Unseen,
            };
            return (field, meaning);
        }
        let renamed = names::field_of(column);
        let field = renamed.unwrap_or(column);
        let meaning = if !self.shape.shows(field) {
            Meaning::Unseen
        } else if renamed.is_none() && (names::renamed(column).is_some() || column == "ACL") {
            // The name of another column's field.
            Meaning::Odd
        } else if shape::is_plain_date(field) {
            Meaning::PlainDate
        } else {
            match self.schema.kind(field) {
                Some(FieldType::Pointer(_)) => Meaning::Odd,
                Some(FieldType::Relation(_)) => Meaning::Unseen,
                kind => Meaning::Value(kind),
            }
        };
        (field, meaning)
    }
}

fn acl(readers: Option<RawBsonRef<'_>>, writers: Option<RawBsonRef<'_>>) -> Acl {
    let texts = |list: Option<RawBsonRef<'_>>| -> Vec<String> {
        let list = list.and_then(RawBsonRef::as_array).into_iter().flatten();
        list.filter_map(|item| item.ok()?.as_str().map(str::to_owned)).collect()
    };
    Acl::from_lists(texts(readers), texts(writers))
}

/// The `_id`, which is always written as a string.
struct Id<'a>(RawBsonRef<'a>);

impl Serialize for Id<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.0.as_str() {
            Some(id) => serializer.serialize_str(id),
            None => decode::id(self.0).serialize(serializer),
        }
    }
}

/// A value whose column has a type.
struct Typed<'a> {
    kind: Option<&'a FieldType>,
    value: RawBsonRef<'a>,
    shape: &'a Shape,
}

impl Serialize for Typed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match (self.kind, self.value) {
            (Some(FieldType::File), RawBsonRef::String(name)) => {
                forms::File { name, url: Some(&self.shape.files.of(name)) }.serialize(serializer)
            }
            (
                Some(kind @ (FieldType::GeoPoint | FieldType::Polygon)),
                RawBsonRef::Array(_) | RawBsonRef::Document(_),
            )
            | (Some(kind @ FieldType::Date), RawBsonRef::String(_)) => {
                decode::of_kind(kind, self.value).serialize(serializer)
            }
            _ => Nested { value: self.value, shape: self.shape, depth: 0 }.serialize(serializer),
        }
    }
}

/// Any value, at any depth.
struct Nested<'a> {
    value: RawBsonRef<'a>,
    shape: &'a Shape,
    depth: usize,
}

impl<'a> Nested<'a> {
    fn inside(&self, value: RawBsonRef<'a>) -> Self {
        Self { value, shape: self.shape, depth: self.depth + 1 }
    }

    fn list<S: Serializer>(&self, list: &'a RawArray, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(None)?;
        for item in list {
            sequence.serialize_element(&self.inside(item.map_err(S::Error::custom)?))?;
        }
        sequence.end()
    }

    fn object<S: Serializer>(&self, object: &'a RawDocument, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        // An object in the form of a typed value is one at any depth.
        let typed = |key: &str| matches!(key, "__type" | "sub_type");
        if object.iter_elements().flatten().any(|element| typed(element.key().as_str())) {
            let mut value = decode::value_at(self.value, self.depth);
            if self.depth == 0 {
                self.shape.complete_file(&mut value);
            }
            return value.serialize(serializer);
        }
        let mut map = serializer.serialize_map(None)?;
        for element in object.iter_elements() {
            let element = element.map_err(S::Error::custom)?;
            let value = element.value().map_err(S::Error::custom)?;
            map.serialize_entry(element.key().as_str(), &self.inside(value))?;
        }
        map.end()
    }
}

impl Serialize for Nested<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self.value {
            RawBsonRef::Boolean(truth) => serializer.serialize_bool(truth),
            RawBsonRef::Double(number) => forms::Number(number).serialize(serializer),
            RawBsonRef::Int32(number) => serializer.serialize_i32(number),
            RawBsonRef::String(text) => serializer.serialize_str(text),
            RawBsonRef::DateTime(date) => forms::Date(Date::from_millis(date.timestamp_millis())).serialize(serializer),
            RawBsonRef::Binary(binary) => forms::Bytes(binary.bytes).serialize(serializer),
            RawBsonRef::Array(list) if self.depth < MAX_DEPTH => self.list(list, serializer),
            RawBsonRef::Document(object) if self.depth < MAX_DEPTH => self.object(object, serializer),
            other => decode::value_at(other, self.depth).serialize(serializer),
        }
    }
}

#[cfg(test)]
mod tests {
    use bson::{Bson, Document, RawDocumentBuf, doc};
    use proptest::prelude::*;
    use serde_json::Value as Json;

    use super::*;
    use crate::model::files::addresses::FileAddresses;
    use crate::model::json;
    use crate::model::names::ClassName;
    use crate::model::schema::Field;

    fn schema() -> ClassSchema {
        let thing = || ClassName::unchecked("Thing");
        let mut schema = ClassSchema::new(thing());
        for (name, kind) in [
            ("friend", FieldType::Pointer(thing())),
            ("nobody", FieldType::Pointer(thing())),
            ("likes", FieldType::Relation(thing())),
            ("place", FieldType::GeoPoint),
            ("area", FieldType::Polygon),
            ("file", FieldType::File),
            ("at", FieldType::Date),
            ("a", FieldType::Number),
        ] {
            schema.fields.insert(name.to_owned(), Field::new(kind));
        }
        schema
    }

    /// Both ways to the wire give the same; tells whether the short one was taken.
    fn same(document: &Document) -> bool {
        let schema = schema();
        let mut shape =
            Shape::of(&schema, FileAddresses { base: "http://x/files/".to_owned(), ..FileAddresses::default() });
        shape.hidden = ["secret".to_owned()].into_iter().collect();
        shape.exclude = ["unwanted".to_owned()].into_iter().collect();
        let raw = RawDocumentBuf::try_from(document).unwrap();
        let mut rows = JsonRows::default();
        // Twice, for the second row goes by what is known of the first.
        let mut columns = Columns::new(&schema, &shape);
        columns.row(&raw, &mut JsonRows::default()).unwrap();
        columns.row(&raw, &mut rows).unwrap();
        let written: Json = serde_json::from_slice(rows.as_bytes()).unwrap();
        let presented = shape.present(decode::row(&schema, &raw).unwrap());
        assert_eq!(written, Json::Object(json::encode_object(&presented)));
        columns.write(&raw, &mut Vec::new()).is_ok()
    }

    fn base() -> Document {
        let now = bson::DateTime::from_millis(1_600_000_000_123);
        doc! { "_id": "id", "_created_at": now, "_updated_at": now }
    }

    fn with(more: Document) -> Document {
        base().into_iter().chain(more).collect()
    }

    #[test]
    fn ordinary_rows_are_written_at_once() {
        let date = bson::DateTime::from_millis(-1);
        let bytes = bson::Binary { subtype: bson::spec::BinarySubtype::Generic, bytes: vec![1, 2, 255] };
        for more in [
            doc! {},
            doc! { "_rperm": ["*", "u"], "_wperm": ["u", "role:r"], "_acl": { "u": { "w": true } } },
            doc! { "_rperm": [] },
            doc! { "_p_friend": "Thing$abc", "_p_nobody": Bson::Null, "_p_stranger": "Thing$abc", "likes": 1 },
            doc! { "place": [1.5, -2.0], "area": { "type": "Polygon", "coordinates": [[[0.0, 1.0], [2.0, 3.5], [0.0, 1.0]]] } },
            doc! { "place": "nowhere", "area": [1], "at": "2020-01-02T03:04:05.678Z", "file": "a b.txt" },
            doc! { "at": date, "secret": 1, "unwanted": 1, "_hashed_password": "x", "_last_used": date, "times_used": 3 },
            doc! { "a": 1, "b": 1_i64 << 60, "c": 1.5, "d": f64::NAN, "e": -0.0, "f": 1e300, "g": "1\n\u{1}\"é😀" },
            doc! { "bytes": bytes, "id": bson::oid::ObjectId::from_bytes([7; 12]), "null": Bson::Null, "max": Bson::MaxKey },
            doc! { "list": [1, [true, { "k": [date, Bson::Null] }], "x"], "empty": [], "object": { "": {}, "x.y": 1 } },
            doc! { "list": [{ "__type": "File", "name": "n" }, { "__type": "Date", "iso": "2020-01-02" }, { "__type": "?" }] },
            doc! { "odd": { "buffer": { "0": 1, "1": 255 }, "sub_type": 0, "position": 2 }, "time": bson::Timestamp { time: 5, increment: 1 } },
            doc! { "pattern": bson::Regex { pattern: bson::cstr!("a").into(), options: bson::cstr!("i").into() } },
        ] {
            assert!(same(&with(more.clone())), "{more}");
        }
        let mut numbered = base();
        numbered.insert("_id", 1);
        assert!(same(&numbered));
    }

    #[test]
    fn odd_rows_take_the_long_way() {
        for more in [
            doc! { "_created_at": "2020-01-02T03:04:05.678Z" },
            doc! { "createdAt": 1 },
            doc! { "objectId": "other" },
            doc! { "friend": "Thing$abc" },
            doc! { "friend": Bson::Null },
            doc! { "ACL": 1 },
        ] {
            assert!(!same(&with(more.clone())), "{more}");
        }
    }

    fn values() -> impl Strategy<Value = Bson> {
        let leaf = prop_oneof![
            Just(Bson::Null),
            any::<bool>().prop_map(Bson::Boolean),
            proptest::num::f64::ANY.prop_map(Bson::Double),
            any::<i32>().prop_map(Bson::Int32),
            any::<i64>().prop_map(Bson::Int64),
            any::<String>().prop_map(Bson::String),
            any::<i64>().prop_map(|millis| Bson::DateTime(bson::DateTime::from_millis(millis))),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let names = prop_oneof!["[a-c$.]{0,2}", Just("__type".to_owned()), Just("sub_type".to_owned())];
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Bson::Array),
                proptest::collection::vec((names, inner), 0..4)
                    .prop_map(|fields| Bson::Document(fields.into_iter().collect())),
            ]
        })
    }

    fn columns() -> impl Strategy<Value = String> {
        let known = ["place", "area", "file", "at", "a", "friend", "_p_friend", "likes", "_rperm", "_wperm", "secret"];
        prop_oneof![proptest::sample::select(known.to_vec()).prop_map(str::to_owned), "[a-d_]{1,3}"]
    }

    proptest! {
        #[test]
        fn whatever_the_values(fields in proptest::collection::vec((columns(), values()), 0..6)) {
            same(&with(fields.into_iter().collect()));
        }
    }
}
