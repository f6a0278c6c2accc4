//! The context of a request for its fields.

use super::catalog::Catalog;
use super::fetch::Fetcher;
use super::gate::GateCheck;
use crate::domain::kernel::context::Context;
use crate::graphql::engine::multipart::Uploads;

/// The context of a request, which root fields receive.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// The caller.
    pub cx: &'a Context,
    /// Rate limits and allowed routes of the fields.
    pub gate: &'a GateCheck,
    /// The classes.
    pub catalog: &'a Catalog,
    /// Files in the request.
    pub uploads: &'a Uploads,
}

impl<'a> Run<'a> {
    /// Reads objects for the request.
    #[must_use]
    pub const fn fetcher(self) -> Fetcher<'a> {
        Fetcher { cx: self.cx, catalog: self.catalog }
    }

    /// Whether sensitive error messages are hidden.
    #[must_use]
    pub fn sanitizes(self) -> bool {
        self.cx.app.options.security.enable_sanitized_error_response
    }
}
