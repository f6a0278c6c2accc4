//! What the fields of one request work with.

use super::catalog::Catalog;
use super::fetch::Fetcher;
use super::gate::GateCheck;
use crate::domain::kernel::context::Context;
use crate::graphql::engine::multipart::Uploads;

/// One request, as root fields see it.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Who asks.
    pub cx: &'a Context,
    /// The limits of the routes that fields stand for.
    pub gate: &'a GateCheck,
    /// The classes.
    pub catalog: &'a Catalog,
    /// Files that came along.
    pub uploads: &'a Uploads,
}

impl<'a> Run<'a> {
    /// Reads objects for the request.
    #[must_use]
    pub const fn fetcher(self) -> Fetcher<'a> {
        Fetcher { cx: self.cx, catalog: self.catalog }
    }

    /// Whether sensitive texts of errors are hidden.
    #[must_use]
    pub fn sanitizes(self) -> bool {
        self.cx.app.options.security.enable_sanitized_error_response
    }
}
