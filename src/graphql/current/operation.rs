//! The operations of REST that the root fields do.

use super::catalog::Root;
use super::root_field::RootField;
use crate::graphql::parse::custom::Source;
use crate::graphql::parse::ids;
use crate::http::gate::operations::{Operation, Verb};
use crate::model::names;

/// The operation that a root field does; `None` for an id of nothing.
#[must_use]
pub fn operation_of(field: &RootField) -> Option<Operation> {
    let text = |key: &str| field.arguments.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    let all = |verb, class: &str| Operation::Object(verb, class.to_owned(), String::new());
    let one = |verb, class: &str| Operation::Object(verb, class.to_owned(), ids::local(class, text("id")));
    let schema = |operation| Operation::On(operation, text("name").to_owned());
    Some(match &field.root {
        Root::Health => Operation::Named("getHealth"),
        Root::Node => {
            let (class, id) = ids::split(text("id"))?;
            Operation::Object(Verb::Get, class, id)
        }
        Root::Get(class) => one(Verb::Get, &class.name),
        Root::Find(class) | Root::Follow(class) => all(Verb::Find, &class.name),
        Root::Create(class) => all(Verb::Create, &class.name),
        Root::Update(class) => one(Verb::Update, &class.name),
        Root::Delete(class) => one(Verb::Delete, &class.name),
        Root::Viewer => Operation::Named("getCurrentUser"),
        Root::Class => schema("getSchema"),
        Root::Classes => Operation::Named("listSchemas"),
        Root::CreateClass => schema("createNamedSchema"),
        Root::UpdateClass => schema("updateSchema"),
        Root::DeleteClass => schema("deleteSchema"),
        Root::CloudConfig => Operation::Named("getConfig"),
        Root::UpdateCloudConfig => Operation::Named("updateConfig"),
        Root::CallCloudCode => Operation::On("callFunction", text("functionName").to_owned()),
        Root::Custom(custom) => match &custom.source {
            Source::Function(name) => Operation::On("callFunction", name.clone()),
            Source::Fixed(_) => return None,
        },
        Root::CreateFile => Operation::On("uploadFile", "file".to_owned()),
        Root::SignUp | Root::LogInWith => all(Verb::Create, names::USER),
        Root::LogIn => Operation::Named("logIn"),
        Root::LogOut => Operation::Named("logOut"),
        Root::ResetPassword | Root::ConfirmResetPassword => Operation::Named("requestPasswordReset"),
        Root::SendVerificationEmail => Operation::Named("requestVerificationEmail"),
        Root::Challenge => Operation::Named("challenge"),
    })
}
