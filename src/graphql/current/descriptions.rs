//! Descriptions of the schema of the current dialect, for introspection.

use std::borrow::Cow;

use super::catalog::{Root, Roots};
use crate::graphql::engine::{Description, SchemaElement};
use crate::graphql::parse::catalog::{Catalog, Class};
use crate::graphql::parse::describe::{self, pick};

/// The purpose of a type that belongs to a class.
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
    Event,
}

/// The types of a class: prefix and suffix of their names, purpose, description.
const CLASS_TYPES: [(&str, &str, Use, &str); 17] = [
    ("", "", Use::Object, "An object of the class `{}`."),
    ("Create", "FieldsInput", Use::Create, "The fields of a new object of the class `{}`."),
    ("Update", "FieldsInput", Use::Update, "The fields to change in an object of the class `{}`."),
    ("", "PointerInput", Use::Pointer, "Sets a pointer to the class `{}`; give exactly one of the fields."),
    ("", "RelationInput", Use::Relation, "Changes to the members of a relation to the class `{}`."),
    (
        "",
        "RelationWhereInput",
        Use::RelationWhere,
        "Conditions on the objects of the class `{}` that a field refers to.",
    ),
    ("", "WhereInput", Use::Where, "Conditions on objects of the class `{}`. All of them must hold."),
    ("", "Order", Use::Order, "The orders in which objects of the class `{}` can be listed."),
    ("", "Edge", Use::Edge, "An object of the class `{}` in a list, with its cursor."),
    ("", "Connection", Use::Connection, "A page of a list of objects of the class `{}`."),
    ("Create", "Input", Use::Mutation, "Input of the mutation that creates an object of the class `{}`."),
    ("Create", "Payload", Use::Mutation, "The result of creating an object of the class `{}`."),
    ("Update", "Input", Use::Mutation, "Input of the mutation that updates an object of the class `{}`."),
    ("Update", "Payload", Use::Mutation, "The result of updating an object of the class `{}`."),
    ("Delete", "Input", Use::Mutation, "Input of the mutation that deletes an object of the class `{}`."),
    ("Delete", "Payload", Use::Mutation, "The result of deleting an object of the class `{}`."),
    ("", "Event", Use::Event, "What happened to an object of the class `{}`."),
];

/// Describes a part of the schema.
pub fn describe(roots: &Roots, element: SchemaElement<'_>) -> Option<Description> {
    let classes = &roots.classes;
    match element {
        SchemaElement::Type(name) => match fixed_type(name) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => of_class(classes, name).map(|(class, _, text)| text.replace("{}", &class.name).into()),
        },
        SchemaElement::Field("Query", field) => roots.queries.get(field).map(root),
        SchemaElement::Field("Mutation", field) => roots.mutations.get(field).map(root),
        SchemaElement::Field("Subscription", field) => roots.subscriptions.get(field).map(root),
        SchemaElement::Field(ty, field) => match fixed_field(ty, field) {
            Some(text) => Some(Cow::Borrowed(text)),
            None => of_class(classes, ty).and_then(|(class, usage, _)| class_field(class, usage, field)),
        },
        SchemaElement::Argument(_, _, name) => {
            describe::read_argument(name).or_else(|| argument(name)).map(Cow::Borrowed)
        }
        SchemaElement::Value("ReadPreference", value) => describe::read_preference(value).map(Cow::Borrowed),
        SchemaElement::Value("LiveQueryEvent", value) => event(value).map(Cow::Borrowed),
        SchemaElement::Value(_, value) => describe::order(value),
    }
}

/// The class of a type, with the purpose and description of the type.
fn of_class<'c>(classes: &'c Catalog, type_name: &str) -> Option<(&'c Class, Use, &'static str)> {
    CLASS_TYPES.iter().find_map(|(before, after, usage, text)| {
        let name = type_name.strip_prefix(before)?.strip_suffix(after)?;
        classes.class_of_type(name).map(|class| (&**class, *usage, *text))
    })
}

fn root(root: &Root) -> Description {
    let of = |class: &Class, text: &str| Cow::Owned(text.replace("{}", &class.name));
    Cow::Borrowed(match root {
        Root::Get(class) => return of(class, "Gets an object of the class `{}`."),
        Root::Find(class) => return of(class, "Finds objects of the class `{}`."),
        Root::Follow(class) => return of(class, "Reports changes of objects of the class `{}`, as they are written."),
        Root::Create(class) => return of(class, "Creates an object of the class `{}`."),
        Root::Update(class) => return of(class, "Updates an object of the class `{}`."),
        Root::Delete(class) => return of(class, "Deletes an object of the class `{}`."),
        Root::Node => "Gets an object of any class by its global id.",
        Root::Health => "Always true if the server is running.",
        Root::Viewer => "The current session and its user.",
        Root::Class => "Gets the definition of a class. Needs the master key.",
        Root::Classes => "Gets the definitions of all classes. Needs the master key.",
        Root::CloudConfig => "Gets a parameter of the application's configuration. Needs the master key.",
        Root::CreateFile => "Uploads a file.",
        Root::SignUp => "Signs up: creates a user and a session.",
        Root::LogIn => "Logs in with a username and a password.",
        Root::LogInWith => {
            "Logs in with an identity of another service; creates the user if no user has that identity."
        }
        Root::LogOut => "Logs out: deletes the current session.",
        Root::ResetPassword => "Sends a mail with a link to set a new password.",
        Root::ConfirmResetPassword => "Sets a new password with the token from a mail.",
        Root::SendVerificationEmail => "Sends the mail again with which a user verifies an email address.",
        Root::Challenge => "Requests a challenge from an identity provider.",
        Root::CreateClass => "Creates a class. Needs the master key.",
        Root::UpdateClass => "Adds fields to a class or deletes them. Needs the master key.",
        Root::DeleteClass => "Deletes a class without objects. Needs the master key.",
        Root::UpdateCloudConfig => "Sets a parameter of the application's configuration. Needs the master key.",
        Root::CallCloudCode => "Calls a function of the application.",
        Root::Custom(_) => "Added by the application.",
    })
}

fn argument(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("id", "The global id, or the object's id within its class."),
            ("options", "Members of the replica set to read from."),
            ("where", "Conditions that the objects must match."),
            ("order", "The sort order; later entries apply where earlier ones are equal."),
            ("skip", "Number of objects to skip at the start."),
            ("first", "Number of objects to return from the start."),
            ("after", "A cursor: return the objects after it."),
            ("last", "Number of objects to return from the end."),
            ("before", "A cursor: return the objects before it."),
            ("input", "The input of the mutation."),
            ("events", "What to report; by default everything."),
            ("resume", "The token of the last event that was heard of: report what happened since."),
            ("watch", "Report a creation or an update only if one of these fields changed."),
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
            return Some(describe::field(class, field, "A new value, or null to delete it, for the field"));
        }
        Use::Create | Use::Update => &[("ACL", "Permissions to read and write the object.")],
        Use::Pointer => {
            &[("link", "The id of an existing object."), ("createAndLink", "The fields of an object to create.")]
        }
        Use::Relation => &[
            ("add", "The ids of objects to add."),
            ("remove", "The ids of objects to remove."),
            ("createAndAdd", "The fields of objects to create and add."),
        ],
        Use::RelationWhere => &[
            ("have", "The field refers to an object that matches these conditions."),
            ("haveNot", "The field refers to no object that matches these conditions."),
            ("exists", "Whether the field refers to any object."),
        ],
        Use::Where => match describe::joiner(field) {
            Some(text) => return Some(Cow::Borrowed(text)),
            None if field == "id" => {
                return Some(Cow::Borrowed("Conditions on the id of the object; global ids are accepted too."));
            }
            None => return Some(describe::field(class, field, "Conditions on the field")),
        },
        Use::Edge => &[("node", "The object."), ("cursor", "The cursor of the object in the list.")],
        Use::Connection => &[
            ("pageInfo", "The position of the page in the list."),
            ("edges", "The objects of the page."),
            ("count", "Number of objects in the whole list."),
        ],
        Use::Mutation if field == class.singular => {
            return Some(Cow::Borrowed("The object after the mutation, or the deleted object."));
        }
        Use::Mutation => &[
            ("id", "The global id, or the object's id within its class."),
            ("fields", "The fields and their values."),
            ("clientMutationId", describe::CLIENT_MUTATION_ID),
        ],
        Use::Event => &[
            ("event", "What happened."),
            ("object", "The object as it is now. One that is gone, or may not be read any more, as it was."),
            ("resumeToken", "With this the subscription can go on after the event."),
            ("original", "The object as it was before, if it was there and could be read."),
        ],
        Use::Order => &[],
    };
    pick(field, fixed).map(Cow::Borrowed)
}

fn event(name: &str) -> Option<&'static str> {
    pick(
        name,
        &[
            ("CREATE", "It was created, and matches."),
            ("ENTER", "It was changed, and matches now."),
            ("UPDATE", "It was changed, matched before and still does."),
            ("LEAVE", "It was changed, and does not match any more."),
            ("DELETE", "It was deleted."),
        ],
    )
}

fn fixed_type(name: &str) -> Option<&'static str> {
    if let Some(text) = describe::shared_type(name) {
        return Some(text);
    }
    if let Some(kind) = name.strip_prefix("Schema").and_then(|name| name.strip_suffix("FieldInput")) {
        return Some(if kind.is_empty() { "A field to delete from a class." } else { "A field to add to a class." });
    }
    if name.starts_with("Schema") && name.ends_with("Field") {
        return Some("A field in the definition of a class.");
    }
    pick(
        name,
        &[
            ("Query", "Operations that read data."),
            ("Mutation", "Operations that change data."),
            ("Subscription", "Operations that report changes."),
            ("LiveQueryEvent", "What happens to objects."),
            ("Node", "An object with a global id."),
            ("ParseObject", "The fields that every object has."),
            ("ArrayResult", "An element of an array: a plain value, or the object of a pointer in the array."),
            ("Element", "A plain value in an array."),
            ("FileInput", "A file: a new one, or one that is already stored."),
            ("GeoPointInput", "A point on the earth."),
            ("GeoPoint", "A point on the earth."),
            ("ReadOptionsInput", "Members of the replica set to read from."),
            ("SearchInput", "The terms and options of a text search."),
            ("TextInput", "A text search."),
            ("BoxInput", "A rectangle on the map."),
            ("WithinInput", "An area that a point must lie in."),
            ("CenterSphereInput", "A circle on the earth."),
            ("GeoWithinInput", "An area that a point must lie in: a polygon or a circle."),
            ("GeoIntersectsInput", "The point that a polygon must contain."),
            ("KeyValueInput", "A value inside an object."),
            ("SubqueryInput", "A query inside a condition."),
            ("SelectInput", "A query and the field of its results to compare with."),
            ("IdWhereInput", "Conditions on an id."),
            ("StringWhereInput", "Conditions on a string."),
            ("NumberWhereInput", "Conditions on a number."),
            ("BooleanWhereInput", "Conditions on a boolean."),
            ("ArrayWhereInput", "Conditions on an array."),
            ("ObjectWhereInput", "Conditions on values inside an object."),
            ("DateWhereInput", "Conditions on a date."),
            ("BytesWhereInput", "Conditions on binary data."),
            ("FileWhereInput", "Conditions on a file."),
            ("GeoPointWhereInput", "Conditions on a point on the earth."),
            ("PolygonWhereInput", "Conditions on a polygon."),
            ("ACLInput", "Permissions to read and write an object. Users and roles that are not listed have none."),
            ("UserACLInput", "The permissions of a user."),
            ("RoleACLInput", "The permissions of the users in a role."),
            ("PublicACLInput", "The permissions of everyone."),
            ("ACL", "Permissions to read and write an object."),
            ("UserACL", "The permissions of a user."),
            ("RoleACL", "The permissions of the users in a role."),
            ("PublicACL", "The permissions of everyone."),
            ("PointerFieldInput", "A field to add that points to an object of a class."),
            ("RelationFieldInput", "A field to add that is a relation to a class."),
            ("SchemaFieldsInput", "Changes to the fields of a class."),
            ("Class", "The definition of a class."),
            ("PageInfo", "The position of a page in a list."),
            ("ConfigValue", "A parameter of the application's configuration."),
            ("Viewer", "A session and its user."),
            ("UserLoginWithInput", "The fields of the user, if one is created."),
            ("CreateFileInput", "The input of `createFile`."),
            ("CreateFilePayload", "The result of `createFile`."),
            ("CreateClassInput", "The input of `createClass`."),
            ("CreateClassPayload", "The result of `createClass`."),
            ("UpdateClassInput", "The input of `updateClass`."),
            ("UpdateClassPayload", "The result of `updateClass`."),
            ("DeleteClassInput", "The input of `deleteClass`."),
            ("DeleteClassPayload", "The result of `deleteClass`."),
            ("UpdateCloudConfigInput", "The input of `updateCloudConfig`."),
            ("UpdateCloudConfigPayload", "The result of `updateCloudConfig`."),
            ("SignUpInput", "The input of `signUp`."),
            ("SignUpPayload", "The result of `signUp`."),
            ("LogInWithInput", "The input of `logInWith`."),
            ("LogInWithPayload", "The result of `logInWith`."),
            ("LogInInput", "The input of `logIn`."),
            ("LogInPayload", "The result of `logIn`."),
            ("LogOutInput", "The input of `logOut`."),
            ("LogOutPayload", "The result of `logOut`."),
            ("ResetPasswordInput", "The input of `resetPassword`."),
            ("ResetPasswordPayload", "The result of `resetPassword`."),
            ("ConfirmResetPasswordInput", "The input of `confirmResetPassword`."),
            ("ConfirmResetPasswordPayload", "The result of `confirmResetPassword`."),
            ("SendVerificationEmailInput", "The input of `sendVerificationEmail`."),
            ("SendVerificationEmailPayload", "The result of `sendVerificationEmail`."),
            ("ChallengeInput", "The input of `challenge`."),
            ("ChallengePayload", "The result of `challenge`."),
        ],
    )
}

fn fixed_field(ty: &str, field: &str) -> Option<&'static str> {
    fixed_type(ty)?;
    let particular = match (ty, field) {
        ("Node", "id") => "The global id, which is unique among objects of all classes.",
        ("CreateFileInput", "upload") => "The file.",
        ("FileInput", "file") => "A file that is already stored.",
        ("FileInput", "upload") => "A new file.",
        ("SchemaFieldsInput", "remove") => "Fields to delete.",
        ("SchemaFieldsInput", _) => "Fields of this type to add.",
        ("Class" | "CreateClassInput" | "UpdateClassInput" | "DeleteClassInput", "name") => "The name of the class.",
        (ty, "name") if ty.contains("Field") => "The name of the field.",
        ("ObjectWhereInput", "in") => "A value inside the object is one of these.",
        ("ObjectWhereInput", "notIn") => "A value inside the object is none of these.",
        ("UserLoginWithInput", "ACL") => "Permissions to read and write the user.",
        ("UserLoginWithInput", _) => "A value for the field of this name.",
        ("KeyValueInput", "key") => "The path of the value; dots separate nested keys.",
        ("KeyValueInput", "value") => "The value to compare with.",
        ("ConfigValue" | "UpdateCloudConfigInput", "value") => "The value as a string.",
        ("SelectInput", "key") => "The field of the results.",
        ("ConfirmResetPasswordInput", "username") => "The username, which is ignored: the token identifies the user.",
        ("ConfirmResetPasswordInput", "password") => "The new password.",
        ("ResetPasswordInput" | "SendVerificationEmailInput", "email") => "The email address of the user.",
        ("LogOutPayload", "viewer") => "The session that has ended, and its user.",
        ("SignUpInput", "userFields") => "An older name of `fields`.",
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
                    ("url", "The URL of the file."),
                    ("read", "Whether reading is allowed."),
                    ("write", "Whether writing is allowed."),
                    ("userId", "The id of the user."),
                    ("roleName", "The name of the role."),
                    ("users", "The permissions of individual users."),
                    ("roles", "The permissions of roles."),
                    ("public", "The permissions of everyone."),
                    ("query", "The query."),
                    ("where", "Conditions that the objects must match."),
                    ("className", "The name of the class."),
                    ("targetClassName", "The name of the target class."),
                    ("schemaFields", "The fields of the class."),
                    ("class", "The definition of the class."),
                    ("cloudConfig", "The parameter."),
                    ("paramName", "The name of the parameter."),
                    ("isMasterKeyOnly", "Whether only the master key may read the parameter."),
                    ("fileInfo", "The stored file."),
                    ("hasNextPage", "Whether there are objects after the page."),
                    ("hasPreviousPage", "Whether there are objects before the page."),
                    ("startCursor", "The cursor of the first object of the page."),
                    ("endCursor", "The cursor of the last object of the page."),
                    ("sessionToken", "The session token, to be sent with further requests."),
                    ("user", "The user."),
                    ("viewer", "The session and its user."),
                    ("fields", "The fields of the user."),
                    ("username", "The username."),
                    ("password", "The password of the user."),
                    ("token", "The token from the mail."),
                    ("authData", "Data of identity providers, by the name of the provider."),
                    ("challengeData", "Data for the challenge, by the name of the provider."),
                    ("ok", "True if the mutation succeeded."),
                    ("clientMutationId", describe::CLIENT_MUTATION_ID),
                ],
            )
        })
}
