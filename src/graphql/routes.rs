//! Which route of REST a field stands for. Rate limits and the list of allowed routes are about routes; a field counts as the
//! route that does the same, so that GraphQL is no way around them.

use std::borrow::Cow;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::Method;

use super::catalog::Root;
use super::ids;
use super::job::Job;
use crate::domain::kernel::context::Context;
use crate::error::Result;
use crate::http::gate::Gate;
use crate::http::gate::rate_limit::Identity;
use crate::model::names;

/// A route, and the method it is used with.
#[derive(Debug)]
pub struct Route {
    method: Method,
    path: Cow<'static, str>,
}

/// A request at the gate.
#[derive(Debug)]
pub struct Passage {
    /// The gate.
    pub gate: Arc<Gate>,
    /// Whether the caller's address is the connection's own, not one a proxy told.
    pub direct: bool,
    /// Where GraphQL is mounted: who lists that path allows everything below.
    pub mount: Arc<str>,
}

impl Passage {
    /// Lets a field pass, or not.
    ///
    /// # Errors
    /// 429, code 100, when its route was used too often; 119, sanitised, when it is not allowed.
    pub fn admit(&self, cx: &Context, route: &Route) -> Result<()> {
        let Route { method, path } = route;
        let who = Identity { ip: cx.client.ip, direct: self.direct, auth: &cx.auth };
        self.gate.count(method, path, &who, cx.now().millis())?;
        let allowed = &self.gate.allowed;
        let is_master = cx.auth.is_master();
        allowed.check(is_master, &Method::POST, &self.mount).or_else(|_| allowed.check(is_master, method, path))
    }
}

impl Route {
    /// `/login`.
    pub const LOG_IN: Self = Self::fixed(Method::POST, "/login");
    /// `/logout`.
    pub const LOG_OUT: Self = Self::fixed(Method::POST, "/logout");
    /// The caller's own user.
    pub const ME: Self = Self::fixed(Method::GET, "/users/me");
    /// The store of a file.
    pub const CREATE_FILE: Self = Self::fixed(Method::POST, "/files/file");

    const fn fixed(method: Method, path: &'static str) -> Self {
        Self { method, path: Cow::Borrowed(path) }
    }

    fn on(method: Method, parent: &str, id: Option<&str>) -> Self {
        let mut path = parent.to_owned();
        if let Some(id) = id {
            path.push('/');
            path.extend(utf8_percent_encode(id, NON_ALPHANUMERIC));
        }
        Self { method, path: path.into() }
    }

    fn object(method: Method, class: &str, id: Option<&str>) -> Self {
        match class {
            names::USER => Self::on(method, "/users", id),
            names::ROLE => Self::on(method, "/roles", id),
            names::SESSION => Self::on(method, "/sessions", id),
            names::INSTALLATION => Self::on(method, "/installations", id),
            class => Self::on(method, &format!("/classes/{class}"), id),
        }
    }

    /// Reads an object.
    #[must_use]
    pub fn get(class: &str, id: &str) -> Self {
        Self::object(Method::GET, class, Some(id))
    }

    /// Reads rows.
    #[must_use]
    pub fn find(class: &str) -> Self {
        Self::object(Method::GET, class, None)
    }

    /// Creates an object; of users, a sign up.
    #[must_use]
    pub fn create(class: &str) -> Self {
        Self::object(Method::POST, class, None)
    }

    /// Changes an object.
    #[must_use]
    pub fn update(class: &str, id: &str) -> Self {
        Self::object(Method::PUT, class, Some(id))
    }

    /// Deletes an object.
    #[must_use]
    pub fn delete(class: &str, id: &str) -> Self {
        Self::object(Method::DELETE, class, Some(id))
    }

    /// The route that a root field stands for; `None` for those that only say what the server is.
    #[must_use]
    pub fn of(job: &Job) -> Option<Self> {
        let text = |key: &str| job.arguments.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
        let id = |class: &str| ids::local(class, text("id"));
        let schema = |method| Self::on(method, "/schemas", Some(text("name")));
        Some(match &job.root {
            Root::Health => Self::fixed(Method::GET, "/health"),
            Root::Node => {
                let (class, id) = ids::split(text("id"))?;
                Self::get(&class, &id)
            }
            Root::Get(class) => Self::get(&class.name, &id(&class.name)),
            Root::Find(class) => Self::find(&class.name),
            Root::Create(class) => Self::create(&class.name),
            Root::Update(class) => Self::update(&class.name, &id(&class.name)),
            Root::Delete(class) => Self::delete(&class.name, &id(&class.name)),
            Root::Viewer => Self::ME,
            Root::Class => schema(Method::GET),
            Root::Classes => Self::fixed(Method::GET, "/schemas"),
            Root::CreateClass => schema(Method::POST),
            Root::UpdateClass => schema(Method::PUT),
            Root::DeleteClass => schema(Method::DELETE),
            Root::CloudConfig => Self::fixed(Method::GET, "/config"),
            Root::UpdateCloudConfig => Self::fixed(Method::PUT, "/config"),
            Root::CreateFile => Self::CREATE_FILE,
            Root::SignUp | Root::LogInWith => Self::create(names::USER),
            Root::LogIn => Self::LOG_IN,
            Root::LogOut => Self::LOG_OUT,
            Root::ResetPassword | Root::ConfirmResetPassword => Self::fixed(Method::POST, "/requestPasswordReset"),
            Root::SendVerificationEmail => Self::fixed(Method::POST, "/verificationEmailRequest"),
            Root::Challenge => Self::fixed(Method::POST, "/challenge"),
        })
    }
}
