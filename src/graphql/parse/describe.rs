//! Descriptions that both dialects use in introspection.

use std::borrow::Cow;

use super::catalog::Class;
use crate::graphql::engine::Description;
use crate::model::schema::FieldType;

/// The description of `clientMutationId`.
pub const CLIENT_MUTATION_ID: &str = "Any string; the result contains the same string.";

/// Finds the description with this name.
pub fn pick(name: &str, texts: &[(&'static str, &'static str)]) -> Option<&'static str> {
    texts.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// Describes a type that both dialects have.
pub fn shared_type(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("Any", "A value of any type."),
            ("Object", "An object with any fields."),
            ("Date", "A date in ISO 8601, such as `2030-01-31T12:00:00.000Z`, or an object with `__type` and `iso`."),
            ("Bytes", "Binary data in base64."),
            ("File", "A stored file: its name, or an object with `__type`, `name` and `url`."),
            ("Upload", "A file in the request, as defined by the GraphQL multipart request specification."),
            ("FileInfo", "A stored file."),
            ("ReadPreference", "Members of the replica set to read from."),
        ],
    )
}

/// Describes a field that every object has.
pub fn object_field(field: &str) -> Option<&'static str> {
    pick(
        field,
        &[
            ("id", "The global id, which is unique among objects of all classes."),
            ("objectId", "The id of the object within its class."),
            ("createdAt", "When the object was created."),
            ("updatedAt", "When the object was last updated."),
            ("ACL", "Permissions to read and write the object."),
            ("authDataResponse", "Responses of identity providers; only in results of mutations."),
        ],
    )
}

/// Describes a field of a class; `before` is the text before its name.
pub fn field(class: &Class, name: &str, before: &str) -> Description {
    let kind = match class.fields.get(name) {
        Some(FieldType::Pointer(target)) => format!("a pointer to the class `{target}`"),
        Some(FieldType::Relation(target)) => format!("a relation to the class `{target}`"),
        Some(kind) => format!("of type `{}`", kind.name()),
        None => return Cow::Owned(format!("{before} `{name}`.")),
    };
    Cow::Owned(format!("{before} `{name}`, {kind}."))
}

/// Describes an operator that joins conditions.
pub fn joiner(name: &str) -> Option<&'static str> {
    Some(match name.trim_start_matches('_').to_ascii_lowercase().as_str() {
        "or" => "At least one of these conditions must match.",
        "and" => "All of these conditions must match.",
        "nor" => "None of these conditions may match.",
        _ => return None,
    })
}

/// Describes an operator of a condition on one field.
pub fn constraint(name: &str) -> Option<&'static str> {
    pick(
        name.trim_start_matches('_'),
        &[
            ("equalTo", "The value equals this one, or the array contains it."),
            ("eq", "The value equals this one, or the array contains it."),
            ("notEqualTo", "The value does not equal this one, or the array does not contain it."),
            ("ne", "The value does not equal this one, or the array does not contain it."),
            ("lessThan", "The value is less than this one."),
            ("lt", "The value is less than this one."),
            ("lessThanOrEqualTo", "The value is less than or equal to this one."),
            ("lte", "The value is less than or equal to this one."),
            ("greaterThan", "The value is greater than this one."),
            ("gt", "The value is greater than this one."),
            ("greaterThanOrEqualTo", "The value is greater than or equal to this one."),
            ("gte", "The value is greater than or equal to this one."),
            ("in", "The value is one of these."),
            ("notIn", "The value is none of these."),
            ("nin", "The value is none of these."),
            ("exists", "Whether the field has a value."),
            ("inQueryKey", "The value occurs in a field of a query's results."),
            ("select", "The value occurs in a field of a query's results."),
            ("notInQueryKey", "The value does not occur in a field of a query's results."),
            ("dontSelect", "The value does not occur in a field of a query's results."),
            ("inQuery", "The pointer refers to a result of a query."),
            ("notInQuery", "The pointer does not refer to a result of a query."),
            ("containedBy", "The array contains only these elements."),
            ("contains", "The array contains all of these elements."),
            ("all", "The array contains all of these elements."),
            ("matchesRegex", "The string matches this regular expression."),
            ("regex", "The string matches this regular expression."),
            ("options", "Flags of the regular expression: `i`, `m`, `s` and `x`."),
            ("text", "The text matches a search."),
            ("nearSphere", "The point is near this one; results are sorted by distance."),
            ("maxDistance", "The maximum distance from the point, in radians."),
            ("maxDistanceInRadians", "The maximum distance from the point, in radians."),
            ("maxDistanceInMiles", "The maximum distance from the point, in miles."),
            ("maxDistanceInKilometers", "The maximum distance from the point, in kilometres."),
            ("within", "The point lies in a rectangle."),
            ("geoWithin", "The point lies in a polygon or a circle."),
            ("geoIntersects", "The polygon contains a point."),
        ],
    )
}

/// Describes a part of a text search or of a geographic condition.
pub fn place(name: &str) -> Option<&'static str> {
    pick(
        name.trim_start_matches('_'),
        &[
            ("latitude", "Latitude in degrees; negative in the south."),
            ("longitude", "Longitude in degrees; negative in the west."),
            ("box", "The rectangle."),
            ("bottomLeft", "Its south-west corner."),
            ("upperRight", "Its north-east corner."),
            ("polygon", "The corners of the polygon."),
            ("centerSphere", "The circle."),
            ("center", "The centre of the circle."),
            ("distance", "The radius of the circle, in radians."),
            ("point", "The point."),
            ("search", "The search."),
            ("term", "The words to search for."),
            ("language", "The language of the words, for stemming and stop words."),
            ("caseSensitive", "Whether the search is case-sensitive."),
            ("diacriticSensitive", "Whether the search distinguishes accents."),
        ],
    )
}

/// Describes an argument with a read preference.
pub fn read_argument(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("readPreference", "Members of the replica set to read the objects from."),
            ("includeReadPreference", "Members of the replica set to read included objects from."),
            ("subqueryReadPreference", "Members of the replica set to run subqueries on."),
        ],
    )
}

/// Describes a value of `ReadPreference`.
pub fn read_preference(value: &str) -> Option<&'static str> {
    pick(
        value,
        &[
            ("PRIMARY", "The primary, always."),
            ("PRIMARY_PREFERRED", "The primary; a secondary if there is none."),
            ("SECONDARY", "A secondary, always."),
            ("SECONDARY_PREFERRED", "A secondary; the primary if there is none."),
            ("NEAREST", "The member that answers fastest."),
        ],
    )
}

/// Describes a value of an enumeration of sort orders.
pub fn order(value: &str) -> Option<Description> {
    let (field, direction) = match value.strip_suffix("_DESC") {
        Some(field) => (field, "largest"),
        None => (value.strip_suffix("_ASC")?, "smallest"),
    };
    Some(Cow::Owned(format!("Sort by the field `{field}`, {direction} value first.")))
}
