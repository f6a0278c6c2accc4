//! Descriptions that both dialects give in introspection.

use std::borrow::Cow;

use super::catalog::Class;
use crate::graphql::engine::Description;
use crate::model::schema::FieldType;

/// What `clientMutationId` is for.
pub const CLIENT_MUTATION_ID: &str = "A text that comes back with the result.";

/// The text with this name.
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
            ("Date", "A moment in ISO 8601, such as `2030-01-31T12:00:00.000Z`, or an object with `__type` and `iso`."),
            ("Bytes", "Binary data in base64."),
            ("File", "A stored file: its name, or an object with `__type`, `name` and `url`."),
            ("Upload", "A file that comes with the request, as the multipart request specification says."),
            ("FileInfo", "A stored file."),
            ("ReadPreference", "Which members of a replica set are read from."),
        ],
    )
}

/// Describes a field that every object has.
pub fn object_field(field: &str) -> Option<&'static str> {
    pick(
        field,
        &[
            ("id", "The global id, which names the object among those of all classes."),
            ("objectId", "The id of the object within its class."),
            ("createdAt", "When the object was created."),
            ("updatedAt", "When the object was last changed."),
            ("ACL", "Who may read and write the object."),
            ("authDataResponse", "What authentication services answered; only in results of mutations."),
        ],
    )
}

/// Describes a field of a class; `before` stands in front of its name.
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
        "or" => "At least one of these must hold.",
        "and" => "All of these must hold.",
        "nor" => "None of these may hold.",
        _ => return None,
    })
}

/// Describes an operator of a condition on one field.
pub fn constraint(name: &str) -> Option<&'static str> {
    pick(
        name.trim_start_matches('_'),
        &[
            ("equalTo", "The value is this one; an array contains it."),
            ("eq", "The value is this one; an array contains it."),
            ("notEqualTo", "The value is not this one; an array does not contain it."),
            ("ne", "The value is not this one; an array does not contain it."),
            ("lessThan", "The value is less than this one."),
            ("lt", "The value is less than this one."),
            ("lessThanOrEqualTo", "The value is less than this one or equal to it."),
            ("lte", "The value is less than this one or equal to it."),
            ("greaterThan", "The value is greater than this one."),
            ("gt", "The value is greater than this one."),
            ("greaterThanOrEqualTo", "The value is greater than this one or equal to it."),
            ("gte", "The value is greater than this one or equal to it."),
            ("in", "The value is one of these."),
            ("notIn", "The value is none of these."),
            ("nin", "The value is none of these."),
            ("exists", "Whether the field has a value."),
            ("inQueryKey", "The value occurs in a field of the results of a query."),
            ("select", "The value occurs in a field of the results of a query."),
            ("notInQueryKey", "The value does not occur in a field of the results of a query."),
            ("dontSelect", "The value does not occur in a field of the results of a query."),
            ("inQuery", "The pointer leads to a result of a query."),
            ("notInQuery", "The pointer does not lead to a result of a query."),
            ("containedBy", "All elements are among these."),
            ("contains", "All of these are elements."),
            ("all", "All of these are elements."),
            ("matchesRegex", "The text matches this regular expression."),
            ("regex", "The text matches this regular expression."),
            ("options", "Flags of the regular expression: `i`, `m`, `s` and `x`."),
            ("text", "The text has the words of a search."),
            ("nearSphere", "Points near this one, the nearest first."),
            ("maxDistance", "The largest distance from the point, in radians."),
            ("maxDistanceInRadians", "The largest distance from the point, in radians."),
            ("maxDistanceInMiles", "The largest distance from the point, in miles."),
            ("maxDistanceInKilometers", "The largest distance from the point, in kilometres."),
            ("within", "The point lies in a rectangle."),
            ("geoWithin", "The point lies in a polygon or a circle."),
            ("geoIntersects", "The polygon contains a point."),
        ],
    )
}

/// Describes a part of searches and of conditions on places.
pub fn place(name: &str) -> Option<&'static str> {
    pick(
        name.trim_start_matches('_'),
        &[
            ("latitude", "Degrees north of the equator; negative in the south."),
            ("longitude", "Degrees east of Greenwich; negative in the west."),
            ("box", "The rectangle."),
            ("bottomLeft", "Its south-west corner."),
            ("upperRight", "Its north-east corner."),
            ("polygon", "The corners of the polygon."),
            ("centerSphere", "The circle."),
            ("center", "The centre of the circle."),
            ("distance", "The radius of the circle, in radians."),
            ("point", "The point."),
            ("search", "The search."),
            ("term", "The words."),
            ("language", "The language of the words, which decides what counts as the same word."),
            ("caseSensitive", "Whether upper and lower case differ."),
            ("diacriticSensitive", "Whether letters with and without accents differ."),
        ],
    )
}

/// Describes an argument that says where to read from.
pub fn read_argument(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("readPreference", "Which members of a replica set the objects are read from."),
            ("includeReadPreference", "Which members of a replica set the objects behind pointers are read from."),
            ("subqueryReadPreference", "Which members of a replica set queries inside conditions read from."),
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

/// Describes a value of an enumeration of orders.
pub fn order(value: &str) -> Option<Description> {
    let (field, direction) = match value.strip_suffix("_DESC") {
        Some(field) => (field, "largest"),
        None => (value.strip_suffix("_ASC")?, "smallest"),
    };
    Some(Cow::Owned(format!("By the field `{field}`, the {direction} value first.")))
}
