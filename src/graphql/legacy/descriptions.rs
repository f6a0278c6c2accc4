//! Descriptions of the schema of the legacy dialect, for introspection.

use std::borrow::Cow;

use super::schema::ME;
use crate::graphql::engine::{Description, SchemaElement};
use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::describe::{self, pick};
use crate::model::names::USER;

/// The types of a class: suffix of their names, description.
const CLASS_TYPES: [(&str, &str); 9] = [
    ("Class", "An object of the class `{}`."),
    ("SignUpFields", "The fields of a new object of the class `{}`."),
    ("Fields", "The fields of an object of the class `{}` and their values."),
    ("Constraints", "Conditions on objects of the class `{}`. All of them must hold."),
    ("Order", "The orders in which objects of the class `{}` can be listed."),
    ("FindResult", "Objects of the class `{}` and their number."),
    ("PointerConstraint", "Conditions on a pointer to the class `{}`."),
    (
        "Pointer",
        "A pointer to an object of the class `{}`: its id, or an object with `__type`, `className` and `objectId`.",
    ),
    ("RelationOp", "Changes to the members of a relation to the class `{}`."),
];

/// Describes a part of the schema.
pub fn describe(catalog: &Catalog, element: SchemaElement<'_>) -> Option<Description> {
    match element {
        SchemaElement::Type(name) => match describe::shared_type(name).or_else(|| fixed_type(name)) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => of_class(catalog, name).map(|(class, _, text)| text.replace("{}", &class.name).into()),
        },
        SchemaElement::Field("ObjectsQuery" | "ObjectsMutation", field) => member(catalog, field),
        SchemaElement::Field(ME, "sessionToken") => {
            Some(Cow::Borrowed("The session token, to be sent with further requests."))
        }
        SchemaElement::Field(ME, field) => class_field(catalog.class(USER)?, "Class", field),
        SchemaElement::Field(ty, field) => match fixed_type(ty).or_else(|| describe::shared_type(ty)) {
            Some(_) => fixed_field(ty, field).map(Cow::Borrowed),
            None => of_class(catalog, ty).and_then(|(class, suffix, _)| class_field(class, suffix, field)),
        },
        SchemaElement::Argument(_, field, name) => argument(field, name).map(Cow::Borrowed),
        SchemaElement::Value("ReadPreference", value) => describe::read_preference(value).map(Cow::Borrowed),
        SchemaElement::Value("RelationOp", value) => pick(
            value,
            &[
                ("Batch", "Several changes in order."),
                ("AddRelation", "Adds members."),
                ("RemoveRelation", "Removes members."),
            ],
        )
        .map(Cow::Borrowed),
        SchemaElement::Value(_, value) => describe::order(value),
    }
}

/// The class of a type, with the suffix and description of the type.
fn of_class<'c>(catalog: &'c Catalog, type_name: &str) -> Option<(&'c Class, &'static str, &'static str)> {
    CLASS_TYPES.iter().find_map(|(after, text)| {
        let class = catalog.class(type_name.strip_suffix(after)?)?;
        Some((&**class, *after, *text))
    })
}

fn member(catalog: &Catalog, name: &str) -> Option<Description> {
    const VERBS: [(&str, &str, &str); 5] = [
        ("get", "Gets an object of the class `{}`.", "Gets an object of any class."),
        ("find", "Finds objects of the class `{}`.", "Finds objects of any class."),
        ("create", "Creates an object of the class `{}`.", "Creates an object of any class."),
        ("update", "Updates an object of the class `{}`.", "Updates an object of any class."),
        ("delete", "Deletes an object of the class `{}`.", "Deletes an object of any class."),
    ];
    VERBS.iter().find_map(|(verb, text, any)| {
        let rest = name.strip_prefix(verb)?;
        if rest.is_empty() {
            return Some(Cow::Borrowed(*any));
        }
        catalog.class(rest).map(|class| Cow::Owned(text.replace("{}", &class.name)))
    })
}

fn argument(field: &str, name: &str) -> Option<&'static str> {
    describe::read_argument(name).or_else(|| {
        pick(
            name,
            &[
                ("objectId", "The id of the object."),
                ("className", "The name of the class."),
                ("where", "Conditions that the objects must match."),
                ("order", "The sort order; later entries apply where earlier ones are equal."),
                ("skip", "Number of objects to skip at the start."),
                ("limit", "Maximum number of objects to return."),
                ("keys", "The names of the fields to read, separated by commas."),
                ("include", "The names of pointers to include, separated by commas."),
                ("includeAll", "Whether to include the objects of all pointers."),
                ("fields", if field == "signUp" { "The fields of the user." } else { "The fields and their values." }),
                ("file", "The file."),
                ("username", "The username."),
                ("password", "The password of the user."),
            ],
        )
    })
}

fn class_field(class: &Class, suffix: &str, field: &str) -> Option<Description> {
    let fixed = match suffix {
        "Class" => describe::object_field(field),
        "Fields" | "SignUpFields" if field == "ACL" => Some("Permissions to read and write the object."),
        "Constraints" => describe::joiner(field),
        "FindResult" => {
            pick(field, &[("results", "The objects."), ("count", "Number of objects that match the conditions.")])
        }
        "PointerConstraint" => return describe::constraint(field).map(Cow::Borrowed),
        "RelationOp" => {
            let texts = [
                ("_op", "The kind of change."),
                ("ops", "The changes, for `Batch`."),
                ("objects", "Pointers to the members, for the other changes."),
            ];
            return pick(field, &texts).map(Cow::Borrowed);
        }
        _ => None,
    };
    if let Some(text) = fixed {
        return Some(Cow::Borrowed(text));
    }
    match suffix {
        "Class" => Some(describe::field(class, field, "The field")),
        "Fields" | "SignUpFields" => {
            Some(describe::field(class, field, "A value, or null to delete it, for the field"))
        }
        "Constraints" => Some(describe::field(class, field, "Conditions on the field")),
        _ => None,
    }
}

fn fixed_type(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("Query", "Operations that read data."),
            ("Mutation", "Operations that change data."),
            ("ObjectsQuery", "Operations that read objects."),
            ("ObjectsMutation", "Operations that change objects."),
            ("FilesMutation", "Operations that upload files."),
            ("UsersQuery", "Operations that read the current user."),
            ("UsersMutation", "Operations that sign up, log in and log out."),
            (ME, "The current user and the session token."),
            ("Class", "The fields that every object has."),
            ("CreateResult", "The result of creating an object."),
            ("UpdateResult", "The result of updating an object."),
            ("FindResult", "Objects of any class and their number."),
            ("SignUpResult", "A new user and its session."),
            ("GeoPoint", "A point on the earth."),
            ("GeoPointInfo", "A point on the earth."),
            ("RelationOp", "The kinds of changes to a relation."),
            ("ArrayConstraint", "Conditions on an array."),
            ("BooleanConstraint", "Conditions on a boolean."),
            ("BytesConstraint", "Conditions on binary data."),
            ("DateConstraint", "Conditions on a date."),
            ("FileConstraint", "Conditions on a file."),
            ("GeoPointConstraint", "Conditions on a point on the earth."),
            ("NumberConstraint", "Conditions on a number."),
            ("ObjectConstraint", "Conditions on an object."),
            ("PolygonConstraint", "Conditions on a polygon."),
            ("StringConstraint", "Conditions on a string."),
            ("BoxOperator", "A rectangle on the map."),
            ("CenterSphereOperator", "A circle on the earth."),
            ("GeoIntersectsOperator", "The point that a polygon must contain."),
            ("GeoWithinOperator", "An area that a point must lie in: a polygon or a circle."),
            ("WithinOperator", "An area that a point must lie in."),
            ("SearchOperator", "The terms and options of a text search."),
            ("TextOperator", "A text search."),
            ("SelectOperator", "A query and the field of its results to compare with."),
            ("Subquery", "A query inside a condition."),
        ],
    )
}

fn fixed_field(ty: &str, field: &str) -> Option<&'static str> {
    match (ty, field) {
        ("Query", "health") => Some("Always true if the server is running."),
        ("Query" | "Mutation", "objects") => Some("Operations on objects."),
        ("Query" | "Mutation", "users") => Some("Operations on users and sessions."),
        ("Mutation", "files") => Some("Operations on files."),
        ("SelectOperator", "key") => Some("The field of the results."),
        _ => describe::object_field(field)
            .or_else(|| describe::constraint(field))
            .or_else(|| describe::place(field))
            .or_else(|| {
                pick(
                    field,
                    &[
                        ("name", "The name."),
                        ("url", "The URL of the file."),
                        ("create", "Uploads a file."),
                        ("signUp", "Signs up: creates a user and a session."),
                        ("logIn", "Logs in with a username and a password."),
                        ("logOut", "Logs out: deletes the current session."),
                        ("me", "The current user."),
                        ("sessionToken", "The session token, to be sent with further requests."),
                        ("results", "The objects."),
                        ("count", "Number of objects that match the conditions."),
                        ("query", "The query."),
                        ("className", "The name of the class."),
                        ("where", "Conditions that the objects must match."),
                    ],
                )
            }),
    }
}
