//! Which route of REST a field stands for. Rate limits and the list of allowed routes are about routes; a field counts as the
//! route that does the same, so that GraphQL is no way around them.

use std::borrow::Cow;
use std::sync::Arc;

use poem::http::Method;

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

/// Applies the rate limits and the list of allowed routes to the fields of one request.
#[derive(Debug)]
pub struct GateCheck {
    /// Rate limits and allowed routes.
    pub gate: Arc<Gate>,
    /// Whether the caller's address is that of the connection, not one that a proxy reported.
    pub direct: bool,
    /// Where GraphQL is mounted: who lists that path allows everything below.
    pub mount: Arc<str>,
}

impl GateCheck {
    /// Counts a use of a route and checks that it is allowed.
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

    /// A route without a variable part.
    #[must_use]
    pub const fn fixed(method: Method, path: &'static str) -> Self {
        Self { method, path: Cow::Borrowed(path) }
    }

    /// A route below another one.
    #[must_use]
    pub fn on(method: Method, parent: &str, id: Option<&str>) -> Self {
        let mut path = parent.to_owned();
        if let Some(id) = id {
            path.push('/');
            // As REST's limits see it: decoded, but for slashes.
            path.push_str(&id.replace('/', "%2F"));
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
}
