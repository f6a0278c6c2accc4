//! Values as REST JSON writes them, from parts that lie somewhere else: in a [`Value`](super::Value), or in the bytes of a row.

use std::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use crate::model::date;
use crate::model::value;

/// A number, written without a fraction when it has none. Not-a-number and infinities become null.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match super::integer(self.0) {
            Some(integer) => serializer.serialize_i64(integer),
            None => serializer.serialize_f64(self.0),
        }
    }
}

/// A date.
#[derive(Debug, Clone, Copy)]
pub struct Date(pub date::Date);

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = typed(serializer, "Date", 1)?;
        map.serialize_entry("iso", self.0.iso().as_str())?;
        map.end()
    }
}

/// Bytes.
#[derive(Debug, Clone, Copy)]
pub struct Bytes<'a>(pub &'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = typed(serializer, "Bytes", 1)?;
        map.serialize_entry("base64", &Displayed(Base64Display::new(self.0, &STANDARD)))?;
        map.end()
    }
}

/// A pointer.
#[derive(Debug, Clone, Copy)]
pub struct Pointer<'a> {
    /// The class pointed at.
    pub class: &'a str,
    /// The object's `objectId`.
    pub id: &'a str,
}

impl Serialize for Pointer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = typed(serializer, "Pointer", 2)?;
        map.serialize_entry("className", self.class)?;
        map.serialize_entry("objectId", self.id)?;
        map.end()
    }
}

/// A relation to a class.
#[derive(Debug, Clone, Copy)]
pub struct Relation<'a>(pub &'a str);

impl Serialize for Relation<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = typed(serializer, "Relation", 1)?;
        map.serialize_entry("className", self.0)?;
        map.end()
    }
}

/// A point on earth.
#[derive(Debug, Clone, Copy)]
pub struct GeoPoint(pub value::GeoPoint);

impl Serialize for GeoPoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = typed(serializer, "GeoPoint", 2)?;
        map.serialize_entry("latitude", &Number(self.0.latitude))?;
        map.serialize_entry("longitude", &Number(self.0.longitude))?;
        map.end()
    }
}

/// A polygon on earth.
#[derive(Debug, Clone, Copy)]
pub struct Polygon<'a>(pub &'a [value::GeoPoint]);

impl Serialize for Polygon<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = typed(serializer, "Polygon", 1)?;
        map.serialize_entry("coordinates", &Corners(self.0))?;
        map.end()
    }
}

struct Corners<'a>(&'a [value::GeoPoint]);

impl Serialize for Corners<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for corner in self.0 {
            list.serialize_element(&[Number(corner.latitude), Number(corner.longitude)])?;
        }
        list.end()
    }
}

/// A file.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Name in the file storage.
    pub name: &'a str,
    /// Address.
    pub url: Option<&'a str>,
}

impl Serialize for File<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = typed(serializer, "File", 2)?;
        map.serialize_entry("name", self.name)?;
        if let Some(url) = self.url {
            map.serialize_entry("url", url)?;
        }
        map.end()
    }
}

fn typed<S: Serializer>(serializer: S, kind: &str, more: usize) -> Result<S::SerializeMap, S::Error> {
    let mut map = serializer.serialize_map(Some(more + 1))?;
    map.serialize_entry("__type", kind)?;
    Ok(map)
}

struct Displayed<T>(T);

impl<T: fmt::Display> Serialize for Displayed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
