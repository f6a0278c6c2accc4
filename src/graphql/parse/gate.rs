//! Rate limits and the list of allowed routes, for fields. They are about routes of REST; a field counts as the route that does the
//! same, so that GraphQL is no way around them.

use std::sync::Arc;

use poem::http::Method;

use crate::domain::kernel::context::Context;
use crate::error::{ParseError, Result};
use crate::http::gate::Gate;
use crate::http::gate::operations::Operation;
use crate::http::gate::rate_limit::Identity;

/// Applies the rate limits and the list of allowed routes to the fields of one request.
#[derive(Debug, Clone)]
pub struct GateCheck {
    /// Rate limits and allowed routes.
    pub gate: Arc<Gate>,
    /// Whether the caller's address is that of the connection, not one that a proxy reported.
    pub direct: bool,
    /// Where GraphQL is mounted: who lists that path allows everything below.
    pub mount: Arc<str>,
}

impl GateCheck {
    /// Counts an operation as a use of its route, and checks that the route is allowed.
    ///
    /// # Errors
    /// 429, code 100, when its route was used too often; 119, sanitised, when it is not allowed.
    pub async fn admit(&self, cx: &Context, operation: &Operation) -> Result<()> {
        if self.gate.is_open() {
            return Ok(());
        }
        let (method, path) = self
            .gate
            .operations
            .route_of(operation)
            .ok_or_else(|| ParseError::internal(format!("no route for {operation:?}")))?;
        let who = Identity { ip: cx.client.ip, direct: self.direct, auth: &cx.auth };
        self.gate.count_all(method, &path, &who, cx.now().millis()).await?;
        let allowed = &self.gate.allowed;
        let is_master = cx.auth.is_master();
        allowed.check(is_master, &Method::POST, &self.mount).or_else(|_| allowed.check(is_master, method, &path))
    }
}
