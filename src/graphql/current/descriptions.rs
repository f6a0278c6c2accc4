//! Descriptions of the current dialect's schema, in introspection.

use std::borrow::Cow;

use super::catalog::{Root, Roots};
use crate::graphql::engine::{Description, Place};
use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::describe::{self, pick};

/// What a type that a class brings along is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    Object,
    Create,
    Update,
    Pointer,
    Relation,
    RelationWhere,
    Where,
    Order,
    Edge,
    Connection,
    Mutation,
}

/// The types that a class brings along: what stands before and after the name of its type, and what they are.
const CLASS_TYPES: [(&str, &str, Use, &str); 16] = [
    ("", "", Use::Object, "An object of the class `{}`."),
    ("Create", "FieldsInput", Use::Create, "The fields of a new object of the class `{}`."),
    ("Update", "FieldsInput", Use::Update, "The fields of an object of the class `{}` that change."),
    ("", "PointerInput", Use::Pointer, "What a pointer to the class `{}` shall point to: exactly one of the fields."),
    ("", "RelationInput", Use::Relation, "Changes to the members of a relation to the class `{}`."),
    ("", "RelationWhereInput", Use::RelationWhere, "Conditions on objects of the class `{}` that a field leads to."),
    ("", "WhereInput", Use::Where, "Conditions on objects of the class `{}`. All of them must hold."),
    ("", "Order", Use::Order, "The orders in which objects of the class `{}` can be listed."),
    ("", "Edge", Use::Edge, "An object of the class `{}` and its place in a list."),
    ("", "Connection", Use::Connection, "A page of a list of objects of the class `{}`."),
    ("Create", "Input", Use::Mutation, "What creates an object of the class `{}`."),
    ("Create", "Payload", Use::Mutation, "The result of creating an object of the class `{}`."),
    ("Update", "Input", Use::Mutation, "What changes an object of the class `{}`."),
    ("Update", "Payload", Use::Mutation, "The result of changing an object of the class `{}`."),
    ("Delete", "Input", Use::Mutation, "What deletes an object of the class `{}`."),
    ("Delete", "Payload", Use::Mutation, "The result of deleting an object of the class `{}`."),
];

/// Describes a part of the schema.
pub fn describe(roots: &Roots, place: Place<'_>) -> Option<Description> {
    let classes = &roots.classes;
    match place {
        Place::Type(name) => match fixed_type(name) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => of_class(classes, name).map(|(class, _, text)| text.replace("{}", &class.name).into()),
        },
        Place::Field("Query", field) => roots.queries.get(field).map(root),
        Place::Field("Mutation", field) => roots.mutations.get(field).map(root),
        Place::Field(ty, field) => match fixed_field(ty, field) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => of_class(classes, ty).and_then(|(class, usage, _)| class_field(class, usage, field)),
        },
        Place::Argument(_, _, name) => describe::read_argument(name).or_else(|| argument(name)).map(Cow::Borrowed),
        Place::Value("ReadPreference", value) => describe::read_preference(value).map(Cow::Borrowed),
        Place::Value(_, value) => describe::order(value),
    }
}

/// The class that brings a type along, and what that type is.
fn of_class<'c>(classes: &'c Catalog, type_name: &str) -> Option<(&'c Class, Use, &'static str)> {
    CLASS_TYPES.iter().find_map(|(before, after, usage, text)| {
        let name = type_name.strip_prefix(before)?.strip_suffix(after)?;
        classes.class_of_type(name).map(|class| (&**class, *usage, *text))
    })
}

fn root(root: &Root) -> Description {
    let of = |class: &Class, text: &str| Cow::Owned(text.replace("{}", &class.name));
    Cow::Borrowed(match root {
        Root::Get(class) => return of(class, "Reads an object of the class `{}`."),
        Root::Find(class) => return of(class, "Lists objects of the class `{}`."),
        Root::Create(class) => return of(class, "Creates an object of the class `{}`."),
        Root::Update(class) => return of(class, "Changes an object of the class `{}`."),
        Root::Delete(class) => return of(class, "Deletes an object of the class `{}`."),
        Root::Node => "Reads an object of any class by its global id.",
        Root::Health => "True if the server is there.",
        Root::Viewer => "The user whose session the request carries.",
        Root::Class => "Reads the definition of a class. Needs the master key.",
        Root::Classes => "Lists the definitions of all classes. Needs the master key.",
        Root::CloudConfig => "Reads a parameter of the application's configuration. Needs the master key.",
        Root::CreateFile => "Stores a file.",
        Root::SignUp => "Creates a user and begins a session.",
        Root::LogIn => "Begins a session with a user name and a password.",
        Root::LogInWith => {
            "Begins a session with an identity of another service, and creates the user if nobody has that identity."
        }
        Root::LogOut => "Ends the session.",
        Root::ResetPassword => "Sends a mail with a link to set a new password.",
        Root::ConfirmResetPassword => "Sets a new password with the token from a mail.",
        Root::SendVerificationEmail => "Sends the mail again with which a user confirms an address.",
        Root::Challenge => "Asks an authentication service for a challenge.",
        Root::CreateClass => "Creates a class. Needs the master key.",
        Root::UpdateClass => "Adds fields to a class or removes them. Needs the master key.",
        Root::DeleteClass => "Deletes a class without objects. Needs the master key.",
        Root::UpdateCloudConfig => "Sets a parameter of the application's configuration. Needs the master key.",
        Root::CallCloudCode => "Calls a function of the application.",
    })
}

fn argument(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("id", "The global id, or the object's id within its class."),
            ("options", "Which members of a replica set are read from."),
            ("where", "Conditions that the objects must meet."),
            ("order", "In which order to list them; later entries count where earlier ones are equal."),
            ("skip", "How many objects to leave out at the beginning."),
            ("first", "How many objects to list from the beginning."),
            ("after", "A cursor: list objects behind it."),
            ("last", "How many objects to list at the end."),
            ("before", "A cursor: list objects in front of it."),
            ("input", "What the mutation needs to know."),
            ("name", "The name of the class."),
            ("paramName", "The name of the parameter."),
        ],
    )
}

fn class_field(class: &Class, usage: Use, field: &str) -> Option<Description> {
    let fixed: &[(&str, &'static str)] = match usage {
        Use::Object => {
            if let Some(text) = describe::object_field(field) {
                return Some(Cow::Borrowed(text));
            }
            return Some(describe::field(class, field, "The field"));
        }
        Use::Create if field != "ACL" => return Some(describe::field(class, field, "A value for the field")),
        Use::Update if field != "ACL" => {
            return Some(describe::field(class, field, "A new value, or null to remove it, for the field"));
        }
        Use::Create | Use::Update => &[("ACL", "Who may read and write the object.")],
        Use::Pointer => {
            &[("link", "The id of an object that exists."), ("createAndLink", "The fields of an object to create.")]
        }
        Use::Relation => &[
            ("add", "The ids of objects to add."),
            ("remove", "The ids of objects to remove."),
            ("createAndAdd", "The fields of objects to create and add."),
        ],
        Use::RelationWhere => &[
            ("have", "The field leads to an object that meets these conditions."),
            ("haveNot", "The field leads to no object that meets these conditions."),
            ("exists", "Whether the field leads to an object at all."),
        ],
        Use::Where => match describe::joiner(field) {
            Some(text) => return Some(Cow::Borrowed(text)),
            None if field == "id" => {
                return Some(Cow::Borrowed("Conditions on the object's id; global ids are understood."));
            }
            None => return Some(describe::field(class, field, "Conditions on the field")),
        },
        Use::Edge => &[("node", "The object."), ("cursor", "Its place in the list.")],
        Use::Connection => &[
            ("pageInfo", "Where the page stands in the list."),
            ("edges", "The objects of the page."),
            ("count", "How many objects the whole list has."),
        ],
        Use::Mutation if field == class.singular => {
            return Some(Cow::Borrowed("The object after the mutation; of a deleted object, as it was."));
        }
        Use::Mutation => &[
            ("id", "The global id, or the object's id within its class."),
            ("fields", "The fields and their values."),
            ("clientMutationId", describe::CLIENT_MUTATION_ID),
        ],
        Use::Order => &[],
    };
    pick(field, fixed).map(Cow::Borrowed)
}

fn fixed_type(name: &str) -> Option<&'static str> {
    if let Some(text) = describe::shared_type(name) {
        return Some(text);
    }
    if let Some(kind) = name.strip_prefix("Schema").and_then(|name| name.strip_suffix("FieldInput")) {
        return Some(if kind.is_empty() { "A field to remove from a class." } else { "A field to add to a class." });
    }
    if name.starts_with("Schema") && name.ends_with("Field") {
        return Some("A field in the definition of a class.");
    }
    pick(
        name,
        &[
            ("Query", "What can be read."),
            ("Mutation", "What can be changed."),
            ("Node", "An object with a global id."),
            ("ParseObject", "The fields that every object has."),
            (
                "ArrayResult",
                "An element of an array: a plain value, or an object that a pointer in the array leads to.",
            ),
            ("Element", "A plain value in an array."),
            ("FileInput", "A file: a new one, or one that is stored already."),
            ("GeoPointInput", "A point on the earth."),
            ("GeoPoint", "A point on the earth."),
            ("ReadOptionsInput", "Which members of a replica set are read from."),
            ("SearchInput", "What to search for."),
            ("TextInput", "A search for words."),
            ("BoxInput", "A rectangle on the map."),
            ("WithinInput", "An area that a point must lie in."),
            ("CenterSphereInput", "A circle on the earth."),
            ("GeoWithinInput", "An area that a point must lie in: a polygon or a circle."),
            ("GeoIntersectsInput", "What a polygon must contain."),
            ("KeyValueInput", "A value inside an object."),
            ("SubqueryInput", "A query inside a condition."),
            ("SelectInput", "A query and the field of its results to compare with."),
            ("IdWhereInput", "Conditions on an id."),
            ("StringWhereInput", "Conditions on a text."),
            ("NumberWhereInput", "Conditions on a number."),
            ("BooleanWhereInput", "Conditions on a truth value."),
            ("ArrayWhereInput", "Conditions on an array."),
            ("ObjectWhereInput", "Conditions on values inside an object."),
            ("DateWhereInput", "Conditions on a date."),
            ("BytesWhereInput", "Conditions on binary data."),
            ("FileWhereInput", "Conditions on a file."),
            ("GeoPointWhereInput", "Conditions on a point on the earth."),
            ("PolygonWhereInput", "Conditions on a polygon."),
            ("ACLInput", "Who may read and write an object. Whoever is not named may do neither."),
            ("UserACLInput", "The rights of a user."),
            ("RoleACLInput", "The rights of the users in a role."),
            ("PublicACLInput", "The rights of everybody."),
            ("ACL", "Who may read and write an object."),
            ("UserACL", "The rights of a user."),
            ("RoleACL", "The rights of the users in a role."),
            ("PublicACL", "The rights of everybody."),
            ("PointerFieldInput", "A field to add that points to an object of a class."),
            ("RelationFieldInput", "A field to add that holds a relation to a class."),
            ("SchemaFieldsInput", "Changes to the fields of a class."),
            ("Class", "The definition of a class."),
            ("PageInfo", "Where a page stands in a list."),
            ("ConfigValue", "A parameter of the application's configuration."),
            ("Viewer", "A session and its user."),
            ("UserLoginWithInput", "The fields of the user, if one is created."),
            ("CreateFileInput", "What `createFile` needs to know."),
            ("CreateFilePayload", "The result of `createFile`."),
            ("CreateClassInput", "What `createClass` needs to know."),
            ("CreateClassPayload", "The result of `createClass`."),
            ("UpdateClassInput", "What `updateClass` needs to know."),
            ("UpdateClassPayload", "The result of `updateClass`."),
            ("DeleteClassInput", "What `deleteClass` needs to know."),
            ("DeleteClassPayload", "The result of `deleteClass`."),
            ("UpdateCloudConfigInput", "What `updateCloudConfig` needs to know."),
            ("UpdateCloudConfigPayload", "The result of `updateCloudConfig`."),
            ("SignUpInput", "What `signUp` needs to know."),
            ("SignUpPayload", "The result of `signUp`."),
            ("LogInWithInput", "What `logInWith` needs to know."),
            ("LogInWithPayload", "The result of `logInWith`."),
            ("LogInInput", "What `logIn` needs to know."),
            ("LogInPayload", "The result of `logIn`."),
            ("LogOutInput", "What `logOut` needs to know."),
            ("LogOutPayload", "The result of `logOut`."),
            ("ResetPasswordInput", "What `resetPassword` needs to know."),
            ("ResetPasswordPayload", "The result of `resetPassword`."),
            ("ConfirmResetPasswordInput", "What `confirmResetPassword` needs to know."),
            ("ConfirmResetPasswordPayload", "The result of `confirmResetPassword`."),
            ("SendVerificationEmailInput", "What `sendVerificationEmail` needs to know."),
            ("SendVerificationEmailPayload", "The result of `sendVerificationEmail`."),
            ("ChallengeInput", "What `challenge` needs to know."),
            ("ChallengePayload", "The result of `challenge`."),
        ],
    )
}

fn fixed_field(ty: &str, field: &str) -> Option<&'static str> {
    fixed_type(ty)?;
    let particular = match (ty, field) {
        ("Node", "id") => "The global id, which names an object among those of all classes.",
        ("CreateFileInput", "upload") => "The file.",
        ("FileInput", "file") => "A file that is stored already.",
        ("FileInput", "upload") => "A new file.",
        ("SchemaFieldsInput", "remove") => "Fields to remove.",
        ("SchemaFieldsInput", _) => "Fields of this type to add.",
        ("Class" | "CreateClassInput" | "UpdateClassInput" | "DeleteClassInput", "name") => "The name of the class.",
        (ty, "name") if ty.contains("Field") => "The name of the field.",
        ("ObjectWhereInput", "in") => "A value inside the object is one of these.",
        ("ObjectWhereInput", "notIn") => "A value inside the object is none of these.",
        ("UserLoginWithInput", "ACL") => "Who may read and write the user.",
        ("UserLoginWithInput", _) => "A value for the field of this name.",
        ("KeyValueInput", "key") => "Where the value stands, with dots for objects inside objects.",
        ("KeyValueInput", "value") => "The value to compare with.",
        ("ConfigValue" | "UpdateCloudConfigInput", "value") => "The value, as text.",
        ("SelectInput", "key") => "The field of the results.",
        ("ConfirmResetPasswordInput", "username") => "The name of the user. The token alone counts.",
        ("ConfirmResetPasswordInput", "password") => "The new password.",
        ("ResetPasswordInput" | "SendVerificationEmailInput", "email") => "The address of the user.",
        ("LogOutPayload", "viewer") => "The session that has ended, and its user.",
        ("SignUpInput", "userFields") => "As `fields`, under the name that older servers use.",
        ("LogInWithInput", "fields") => "The fields of the user, if one is created.",
        _ => "",
    };
    if !particular.is_empty() {
        return Some(particular);
    }
    describe::object_field(field)
        .or_else(|| describe::constraint(field))
        .or_else(|| describe::place(field))
        .or_else(|| describe::read_argument(field))
        .or_else(|| {
            pick(
                field,
                &[
                    ("value", "The value."),
                    ("name", "The name."),
                    ("url", "The address."),
                    ("read", "Whether reading is allowed."),
                    ("write", "Whether writing is allowed."),
                    ("userId", "The id of the user."),
                    ("roleName", "The name of the role."),
                    ("users", "The rights of single users."),
                    ("roles", "The rights of roles."),
                    ("public", "The rights of everybody."),
                    ("query", "The query."),
                    ("where", "Conditions that the objects must meet."),
                    ("className", "The name of the class."),
                    ("targetClassName", "The name of the class it leads to."),
                    ("schemaFields", "The fields of the class."),
                    ("class", "The definition of the class."),
                    ("cloudConfig", "The parameter."),
                    ("paramName", "The name of the parameter."),
                    ("isMasterKeyOnly", "Whether only the master key may read the parameter."),
                    ("fileInfo", "The stored file."),
                    ("hasNextPage", "Whether the list goes on behind the page."),
                    ("hasPreviousPage", "Whether the list has something in front of the page."),
                    ("startCursor", "The place of the first object of the page."),
                    ("endCursor", "The place of the last object of the page."),
                    ("sessionToken", "The token to send with requests of the session."),
                    ("user", "The user."),
                    ("viewer", "The session and its user."),
                    ("fields", "The fields of the user."),
                    ("username", "The name of the user."),
                    ("password", "The password of the user."),
                    ("token", "The token from the mail."),
                    ("authData", "Data of authentication services, by the name of the service."),
                    ("challengeData", "Data for the challenge, by the name of the service."),
                    ("ok", "True if all went well."),
                    ("clientMutationId", describe::CLIENT_MUTATION_ID),
                ],
            )
        })
}
