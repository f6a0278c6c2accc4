//! The routes of REST that the root fields stand for.

use poem::http::Method;

use super::catalog::Root;
use super::root_field::RootField;
use crate::graphql::parse::gate::Route;
use crate::graphql::parse::ids;
use crate::model::names;

/// The route that a root field stands for; `None` for those that only say what the server is.
#[must_use]
pub fn route_of(field: &RootField) -> Option<Route> {
    let text = |key: &str| field.arguments.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
    let id = |class: &str| ids::local(class, text("id"));
    let schema = |method| Route::on(method, "/schemas", Some(text("name")));
    Some(match &field.root {
        Root::Health => Route::fixed(Method::GET, "/health"),
        Root::Node => {
            let (class, id) = ids::split(text("id"))?;
            Route::get(&class, &id)
        }
        Root::Get(class) => Route::get(&class.name, &id(&class.name)),
        Root::Find(class) => Route::find(&class.name),
        Root::Create(class) => Route::create(&class.name),
        Root::Update(class) => Route::update(&class.name, &id(&class.name)),
        Root::Delete(class) => Route::delete(&class.name, &id(&class.name)),
        Root::Viewer => Route::ME,
        Root::Class => schema(Method::GET),
        Root::Classes => Route::fixed(Method::GET, "/schemas"),
        Root::CreateClass => schema(Method::POST),
        Root::UpdateClass => schema(Method::PUT),
        Root::DeleteClass => schema(Method::DELETE),
        Root::CloudConfig => Route::fixed(Method::GET, "/config"),
        Root::UpdateCloudConfig => Route::fixed(Method::PUT, "/config"),
        Root::CallCloudCode => Route::on(Method::POST, "/functions", Some(text("functionName"))),
        Root::CreateFile => Route::CREATE_FILE,
        Root::SignUp | Root::LogInWith => Route::create(names::USER),
        Root::LogIn => Route::LOG_IN,
        Root::LogOut => Route::LOG_OUT,
        Root::ResetPassword | Root::ConfirmResetPassword => Route::fixed(Method::POST, "/requestPasswordReset"),
        Root::SendVerificationEmail => Route::fixed(Method::POST, "/verificationEmailRequest"),
        Root::Challenge => Route::fixed(Method::POST, "/challenge"),
    })
}
