//! Descriptions of the early dialect's schema, in introspection.

use std::borrow::Cow;

use super::schema::ME;
use crate::graphql::engine::{Description, Place};
use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::describe::{self, pick};
use crate::model::names::USER;

/// The types that a class brings along: what stands after its name, and what they are.
const CLASS_TYPES: [(&str, &str); 9] = [
    ("Class", "An object of the class `{}`."),
    ("SignUpFields", "The fields of a new object of the class `{}`."),
    ("Fields", "The fields of an object of the class `{}` and their values."),
    ("Constraints", "Conditions on objects of the class `{}`. All of them must hold."),
    ("Order", "The orders in which objects of the class `{}` can be listed."),
    ("FindResult", "Objects of the class `{}`, and how many there are."),
    ("PointerConstraint", "Conditions on a pointer to the class `{}`."),
    (
        "Pointer",
        "A pointer to an object of the class `{}`: its id, or an object with `__type`, `className` and `objectId`.",
    ),
    ("RelationOp", "Changes to the members of a relation to the class `{}`."),
];

/// Describes a part of the schema.
pub fn describe(catalog: &Catalog, place: Place<'_>) -> Option<Description> {
    match place {
        Place::Type(name) => match describe::shared_type(name).or_else(|| fixed_type(name)) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => of_class(catalog, name).map(|(class, _, text)| text.replace("{}", &class.name).into()),
        },
        Place::Field("ObjectsQuery" | "ObjectsMutation", field) => member(catalog, field),
        Place::Field(ME, "sessionToken") => Some(Cow::Borrowed("The token to send with requests of the session.")),
        Place::Field(ME, field) => class_field(catalog.class(USER)?, "Class", field),
        Place::Field(ty, field) => match fixed_type(ty).or_else(|| describe::shared_type(ty)) {
            Some(_) => fixed_field(ty, field).map(Cow::Borrowed),
            None => of_class(catalog, ty).and_then(|(class, suffix, _)| class_field(class, suffix, field)),
        },
        Place::Argument(_, field, name) => argument(field, name).map(Cow::Borrowed),
        Place::Value("ReadPreference", value) => describe::read_preference(value).map(Cow::Borrowed),
        Place::Value("RelationOp", value) => pick(
            value,
            &[
                ("Batch", "Several changes one after the other."),
                ("AddRelation", "Adds members."),
                ("RemoveRelation", "Removes members."),
            ],
        )
        .map(Cow::Borrowed),
        Place::Value(_, value) => describe::order(value),
    }
}

/// The class that a type belongs to, and what stands after its name.
fn of_class<'c>(catalog: &'c Catalog, type_name: &str) -> Option<(&'c Class, &'static str, &'static str)> {
    CLASS_TYPES.iter().find_map(|(after, text)| {
        let class = catalog.class(type_name.strip_suffix(after)?)?;
        Some((&**class, *after, *text))
    })
}

fn member(catalog: &Catalog, name: &str) -> Option<Description> {
    const VERBS: [(&str, &str, &str); 5] = [
        ("get", "Reads an object of the class `{}`.", "Reads an object of any class."),
        ("find", "Lists objects of the class `{}`.", "Lists objects of any class."),
        ("create", "Creates an object of the class `{}`.", "Creates an object of any class."),
        ("update", "Changes an object of the class `{}`.", "Changes an object of any class."),
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
                ("where", "Conditions that the objects must meet."),
                ("order", "In which order to list them; later entries count where earlier ones are equal."),
                ("skip", "How many objects to leave out at the beginning."),
                ("limit", "How many objects to list."),
                ("keys", "The names of the fields to read, with commas between them."),
                ("include", "The names of pointers to follow, with commas between them."),
                ("includeAll", "Whether to follow all pointers."),
                ("fields", if field == "signUp" { "The fields of the user." } else { "The fields and their values." }),
                ("file", "The file."),
                ("username", "The name of the user."),
                ("password", "The password of the user."),
            ],
        )
    })
}

fn class_field(class: &Class, suffix: &str, field: &str) -> Option<Description> {
    let fixed = match suffix {
        "Class" => describe::object_field(field),
        "Fields" | "SignUpFields" if field == "ACL" => Some("Who may read and write the object."),
        "Constraints" => describe::joiner(field),
        "FindResult" => pick(field, &[("results", "The objects."), ("count", "How many objects meet the conditions.")]),
        "PointerConstraint" => return describe::constraint(field).map(Cow::Borrowed),
        "RelationOp" => {
            let texts = [
                ("_op", "What to do."),
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
            Some(describe::field(class, field, "A value, or null to remove it, for the field"))
        }
        "Constraints" => Some(describe::field(class, field, "Conditions on the field")),
        _ => None,
    }
}

fn fixed_type(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("Query", "What can be read."),
            ("Mutation", "What can be changed."),
            ("ObjectsQuery", "Reads objects of classes."),
            ("ObjectsMutation", "Changes objects of classes."),
            ("FilesMutation", "Stores files."),
            ("UsersQuery", "Reads the caller's own user."),
            ("UsersMutation", "Creates users, and begins and ends sessions."),
            (ME, "The caller's own user and its session."),
            ("Class", "The fields that every object has."),
            ("CreateResult", "The result of creating an object."),
            ("UpdateResult", "The result of changing an object."),
            ("FindResult", "Objects of any class, and how many there are."),
            ("SignUpResult", "A new user and its session."),
            ("GeoPoint", "A point on the earth."),
            ("GeoPointInfo", "A point on the earth."),
            ("RelationOp", "The kinds of changes to a relation."),
            ("ArrayConstraint", "Conditions on an array."),
            ("BooleanConstraint", "Conditions on a truth value."),
            ("BytesConstraint", "Conditions on binary data."),
            ("DateConstraint", "Conditions on a date."),
            ("FileConstraint", "Conditions on a file."),
            ("GeoPointConstraint", "Conditions on a point on the earth."),
            ("NumberConstraint", "Conditions on a number."),
            ("ObjectConstraint", "Conditions on an object."),
            ("PolygonConstraint", "Conditions on a polygon."),
            ("StringConstraint", "Conditions on a text."),
            ("BoxOperator", "A rectangle on the map."),
            ("CenterSphereOperator", "A circle on the earth."),
            ("GeoIntersectsOperator", "What a polygon must contain."),
            ("GeoWithinOperator", "An area that a point must lie in: a polygon or a circle."),
            ("WithinOperator", "An area that a point must lie in."),
            ("SearchOperator", "What to search for."),
            ("TextOperator", "A search for words."),
            ("SelectOperator", "A query and the field of its results to compare with."),
            ("Subquery", "A query inside a condition."),
        ],
    )
}

fn fixed_field(ty: &str, field: &str) -> Option<&'static str> {
    match (ty, field) {
        ("Query", "health") => Some("True if the server is there."),
        ("Query" | "Mutation", "objects") => Some("Objects of classes."),
        ("Query" | "Mutation", "users") => Some("Users and sessions."),
        ("Mutation", "files") => Some("Stored files."),
        ("SelectOperator", "key") => Some("The field of the results."),
        _ => describe::object_field(field)
            .or_else(|| describe::constraint(field))
            .or_else(|| describe::place(field))
            .or_else(|| {
                pick(
                    field,
                    &[
                        ("name", "The name."),
                        ("url", "The address."),
                        ("create", "Stores a file."),
                        ("signUp", "Creates a user and begins a session."),
                        ("logIn", "Begins a session with a user name and a password."),
                        ("logOut", "Ends the session."),
                        ("me", "The user whose session the request carries."),
                        ("sessionToken", "The token to send with requests of the session."),
                        ("results", "The objects."),
                        ("count", "How many objects meet the conditions."),
                        ("query", "The query."),
                        ("className", "The name of the class."),
                        ("where", "Conditions that the objects must meet."),
                    ],
                )
            }),
    }
}
