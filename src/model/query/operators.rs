//! The operators of a condition on one field.

use serde_json::{Map, Value as Json};

use super::filter::{Constraint, Regex, TextSearch};
use super::parse::{Context, FieldContext};
use super::{atoms, geo, relative_time};
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;
use crate::model::schema::FieldType;
use crate::model::value::{GeoPoint, Pointer, Value};

/// Operators that are parsed elsewhere.
const SUBQUERIES: [&str; 4] = ["$inQuery", "$notInQuery", "$select", "$dontSelect"];

pub(super) fn bad(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, message)
}

/// Parses the operators of a field; `plain` is the value mixed with them, if any.
///
/// # Errors
/// 107 for invalid operators and operands, 102 for invalid patterns.
pub(super) fn parse(
    map: &Map<String, Json>,
    plain: Option<&Json>,
    place: &FieldContext<'_>,
    context: &Context<'_>,
) -> Result<Vec<Constraint>> {
    let mut constraints = Vec::with_capacity(map.len());
    let mut operators: Vec<(&str, &Json)> =
        map.iter().map(|(key, value)| (key.as_str(), value)).filter(|(key, _)| key.starts_with('$')).collect();
    if let Some(plain) = plain {
        operators.retain(|(name, _)| *name != "$eq");
        operators.push(("$eq", plain));
    }
    // The reference works from the end of the alphabet: of several faults it reports that one.
    operators.sort_unstable_by(|(left, _), (right, _)| right.cmp(left));
    for (name, operand) in operators {
        if SUBQUERIES.contains(&name) && is_truthy(operand) {
            continue;
        }
        if let Some(constraint) = operator(name, operand, map, place, context)? {
            constraints.push(constraint);
        }
    }
    Ok(constraints)
}

fn operator(
    name: &str,
    operand: &Json,
    map: &Map<String, Json>,
    place: &FieldContext<'_>,
    context: &Context<'_>,
) -> Result<Option<Constraint>> {
    let compared = || comparand(name, operand, place, context);
    Ok(Some(match name {
        "$eq" => Constraint::Eq(compared()?),
        "$ne" => Constraint::Ne(compared()?),
        "$lt" => Constraint::Lt(compared()?),
        "$lte" => Constraint::Lte(compared()?),
        "$gt" => Constraint::Gt(compared()?),
        "$gte" => Constraint::Gte(compared()?),
        "$exists" => {
            // An operand that could not be compared is none here either.
            compared()?;
            Constraint::Exists(match operand {
                Json::String(_) => true,
                _ => is_truthy(operand),
            })
        }
        "$in" => Constraint::In(flat_list(name, operand, place)?),
        "$nin" => Constraint::NotIn(flat_list(name, operand, place)?),
        "$all" => all(operand)?,
        "$containedBy" => {
            let list = operand.as_array().ok_or_else(|| bad("bad $containedBy: should be an array"))?;
            Constraint::ContainedBy(list.iter().map(|item| atom(item, place)).collect::<Result<_>>()?)
        }
        "$regex" => Constraint::Regex(pattern(operand, map)?),
        "$options" if map.contains_key("$regex") => return Ok(None),
        "$options" => {
            return Err(ParseError::new(ErrorCode::InvalidQuery, "$options needs a $regex"));
        }
        "$text" => Constraint::Text(text(operand)?),
        "$nearSphere" => near(operand, map)?,
        "$maxDistance" | "$maxDistanceInRadians" | "$maxDistanceInMiles" | "$maxDistanceInKilometers" => {
            if map.contains_key("$nearSphere") {
                return Ok(None);
            }
            return Err(bad(format!("{name} needs a $nearSphere")));
        }
        "$within" => within(operand)?,
        "$geoWithin" => geo_within(operand)?,
        "$geoIntersects" => {
            let point = operand.get("$point").and_then(atoms::geo_point).filter(|point| geo::is_on_map(*point));
            Constraint::IntersectsPoint(point.ok_or_else(|| bad("bad $geoIntersect value; $point should be GeoPoint"))?)
        }
        _ => {
            let shown: String = name.chars().take(200).collect();
            return Err(bad(format!("bad constraint: {shown}")));
        }
    }))
}

/// A single value to compare with.
fn atom(value: &Json, place: &FieldContext<'_>) -> Result<Value> {
    if place.inside {
        return Ok(atoms::inner(value));
    }
    // A string for a pointer field is an id.
    if let (Some(FieldType::Pointer(class)), Some(id)) = (place.kind, value.as_str()) {
        return Ok(Value::Pointer(Pointer { class: class.clone(), id: id.to_owned() }));
    }
    atoms::top(value).ok_or_else(|| bad(format!("bad atom: {}", atoms::json_text(value))))
}

fn comparand(name: &str, operand: &Json, place: &FieldContext<'_>, context: &Context<'_>) -> Result<Value> {
    let Some(relative) = operand.get("$relativeTime").filter(|time| is_truthy(time)) else {
        return atom(operand, place);
    };
    if place.kind.is_some_and(|kind| *kind != FieldType::Date) {
        return Err(bad("$relativeTime can only be used with Date field"));
    }
    if !matches!(name, "$lt" | "$lte" | "$gt" | "$gte") {
        return Err(bad("$relativeTime can only be used with the $lt, $lte, $gt, and $gte operators"));
    }
    let moment = relative
        .as_str()
        .ok_or_else(|| "Time should be text".to_owned())
        .and_then(|text| relative_time::resolve(text, context.now));
    moment.map(Value::Date).map_err(|reason| bad(format!("bad $relativeTime ({name}) value. {reason}")))
}

/// The list of `$in` and `$nin`, flattened by one level.
fn flat_list(name: &str, operand: &Json, place: &FieldContext<'_>) -> Result<Vec<Value>> {
    let list = operand.as_array().ok_or_else(|| bad(format!("bad {name} value")))?;
    let mut flat = Vec::with_capacity(list.len());
    for item in list {
        match item {
            Json::Array(items) => {
                for item in items {
                    flat.push(element(item, place)?);
                }
            }
            _ => flat.push(element(item, place)?),
        }
    }
    Ok(flat)
}

/// A value in a list, which must not be an object that the database could treat as an operator.
fn element(item: &Json, place: &FieldContext<'_>) -> Result<Value> {
    if let Some(key) = item.as_object().and_then(|map| map.keys().find(|key| key.starts_with('$')))
        && place.inside
    {
        let shown: String = key.chars().take(200).collect();
        return Err(bad(format!("bad constraint: {shown}")));
    }
    atom(item, place)
}

fn all(operand: &Json) -> Result<Constraint> {
    let list = operand.as_array().ok_or_else(|| bad("bad $all value"))?;
    let patterns = list.iter().filter(|item| item.get("$regex").is_some()).count();
    let is_unknown = |item: &Json| item.as_object().is_some_and(|map| map.keys().any(|key| key.starts_with('$')));
    if patterns == 0 && list.iter().any(is_unknown) {
        // No element can be equal to an operator.
        return Ok(Constraint::In(Vec::new()));
    }
    if patterns == 0 {
        let place = FieldContext { kind: None, inside: true };
        return Ok(Constraint::All(list.iter().map(|item| element(item, &place)).collect::<Result<_>>()?));
    }
    let prefixes: Vec<Regex> = list
        .iter()
        .filter_map(|item| item.get("$regex")?.as_str())
        .filter(|pattern| pattern.starts_with("^\\Q") && pattern.contains("\\E"))
        .map(|pattern| Regex { pattern: pattern.to_owned(), options: String::new() })
        .collect();
    if prefixes.len() == list.len() {
        return Ok(Constraint::AllRegex(prefixes));
    }
    let shown = list.iter().take(100).map(|item| match item.get("$regex") {
        Some(pattern) => Json::String(format!("/{}/", atoms::javascript_text(pattern).replace('/', "\\/"))),
        None => item.clone(),
    });
    let shown = atoms::javascript_text(&Json::Array(shown.collect()));
    Err(bad(format!("All $all values must be of regex type or none: {shown}")))
}

/// Its form was checked with the names.
fn pattern(operand: &Json, map: &Map<String, Json>) -> Result<Regex> {
    let text = |value: &Json| value.as_str().map(str::to_owned);
    Ok(Regex {
        pattern: text(operand)
            .ok_or_else(|| ParseError::new(ErrorCode::InvalidQuery, "$regex value must be a string"))?,
        options: map.get("$options").and_then(text).unwrap_or_default(),
    })
}

fn text(operand: &Json) -> Result<TextSearch> {
    let search =
        operand.get("$search").and_then(Json::as_object).ok_or_else(|| bad("bad $text: $search, should be object"))?;
    let term = search.get("$term").and_then(Json::as_str).ok_or_else(|| bad("bad $text: $term, should be string"))?;
    let given = |key: &str| search.get(key).filter(|value| is_truthy(value));
    let language = match given("$language") {
        None => None,
        Some(Json::String(language)) => Some(language.clone()),
        Some(_) => return Err(bad("bad $text: $language, should be string")),
    };
    let flag = |key: &str| match given(key) {
        None => Ok(false),
        Some(Json::Bool(flag)) => Ok(*flag),
        Some(_) => Err(bad(format!("bad $text: {key}, should be boolean"))),
    };
    Ok(TextSearch {
        term: term.to_owned(),
        language,
        case_sensitive: flag("$caseSensitive")?,
        diacritic_sensitive: flag("$diacriticSensitive")?,
    })
}

fn near(operand: &Json, map: &Map<String, Json>) -> Result<Constraint> {
    let point = atoms::coordinates(operand).ok_or_else(|| bad("bad $nearSphere value; should be GeoPoint"))?;
    if !geo::is_on_map(point) {
        return Err(bad("bad $nearSphere value; point is out of bounds"));
    }
    let mut max_distance = None;
    // Of several the first one counts.
    for (name, radius) in [
        ("$maxDistance", 1.0),
        ("$maxDistanceInKilometers", geo::KILOMETERS),
        ("$maxDistanceInMiles", geo::MILES),
        ("$maxDistanceInRadians", 1.0),
    ] {
        let Some(distance) = map.get(name) else {
            continue;
        };
        let distance = distance.as_f64().ok_or_else(|| bad(format!("{name} must be a number")))?;
        if distance < 0.0 {
            return Err(bad(format!("{name} must be non-negative")));
        }
        max_distance = max_distance.or(Some(distance / radius));
    }
    Ok(Constraint::Near { point, max_distance })
}

fn within(operand: &Json) -> Result<Constraint> {
    let malformed = || bad("malformatted $within arg");
    let corners = operand.get("$box").and_then(Json::as_array).ok_or_else(malformed)?;
    let [bottom_left, upper_right] = corners.as_slice() else {
        return Err(malformed());
    };
    Ok(Constraint::WithinBox {
        bottom_left: atoms::coordinates(bottom_left).ok_or_else(malformed)?,
        upper_right: atoms::coordinates(upper_right).ok_or_else(malformed)?,
    })
}

fn geo_within(operand: &Json) -> Result<Constraint> {
    if let Some(polygon) = operand.get("$polygon") {
        return polygon_of(polygon).map(Constraint::WithinPolygon);
    }
    let circle = operand.get("$centerSphere").ok_or_else(|| bad("bad $geoWithin value"))?;
    let (Some(center), Some(radius)) = (circle.get(0), circle.get(1)) else {
        return Err(bad("bad $geoWithin value; $centerSphere should be an array of Parse.GeoPoint and distance"));
    };
    let center = atoms::pair(center)
        .or_else(|| atoms::geo_point(center))
        .filter(|point| geo::is_on_map(*point))
        .ok_or_else(|| bad("bad $geoWithin value; $centerSphere geo point invalid"))?;
    let radius = radius
        .as_f64()
        .filter(|radius| *radius >= 0.0)
        .ok_or_else(|| bad("bad $geoWithin value; $centerSphere distance invalid"))?;
    Ok(Constraint::WithinSphere { center, radius })
}

fn polygon_of(polygon: &Json) -> Result<Vec<GeoPoint>> {
    const TOO_FEW: usize = 3;
    let corners: Option<Vec<GeoPoint>> = if let Some(list) = polygon.as_array() {
        if list.len() < TOO_FEW {
            return Err(bad("bad $geoWithin value; $polygon should contain at least 3 GeoPoints"));
        }
        list.iter().map(|corner| atoms::pair(corner).or_else(|| atoms::geo_point(corner))).collect()
    } else if polygon.get("__type").and_then(Json::as_str) == Some("Polygon") {
        let list = polygon.get("coordinates").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        if list.len() < TOO_FEW {
            return Err(bad("bad $geoWithin value; Polygon.coordinates should contain at least 3 lon/lat pairs"));
        }
        // Unlike elsewhere, longitude comes first here.
        list.iter().map(atoms::pair).collect()
    } else {
        return Err(bad("bad $geoWithin value; $polygon should be Polygon object or Array of Parse.GeoPoint's"));
    };
    let corners = corners.ok_or_else(|| bad("bad $geoWithin value"))?;
    if corners.iter().all(|corner| geo::is_on_map(*corner)) {
        Ok(corners)
    } else {
        // parse-server's code; its status is that of an internal error.
        let message = "bad $geoWithin value; a corner of $polygon is out of bounds";
        Err(ParseError { status: 400, ..ParseError::new(ErrorCode::InternalServerError, message) })
    }
}
