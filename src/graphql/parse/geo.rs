//! Converts points and polygons of inputs to REST's form.

use serde_json::{Value as Json, json};

/// A point of the input as REST writes it.
#[must_use]
pub fn point(value: &Json) -> Json {
    json!({ "__type": "GeoPoint", "latitude": value.get("latitude"), "longitude": value.get("longitude") })
}

/// Corners of the input as REST writes a polygon.
#[must_use]
pub fn polygon(value: &Json) -> Json {
    let corners = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let coordinates: Vec<Json> =
        corners.iter().map(|corner| json!([corner.get("latitude"), corner.get("longitude")])).collect();
    json!({ "__type": "Polygon", "coordinates": coordinates })
}
