//! How much one query may ask (`requestComplexity`); masters may ask anything.

use super::request::ReadRequest;
use crate::domain::context::Context;
use crate::error::{ErrorCode, ParseError, Result};

/// Checks a query against the limits.
///
/// # Errors
/// 102 that names the limit.
pub fn check(cx: &Context, request: &ReadRequest) -> Result<()> {
    if cx.auth.is_master() {
        return Ok(());
    }
    let limits = &cx.app.options.security.request_complexity;
    let refuse = |text: String| Err(ParseError::new(ErrorCode::InvalidQuery, text));
    let deepest = request.include.iter().map(|path| path.split('.').count()).max().unwrap_or(0);
    if let Some(most) =
        limits.include_depth.get().filter(|most| limits.include_depth.is_exceeded_by(deepest) && *most < u64::MAX)
    {
        return refuse(format!("Include depth of {deepest} exceeds maximum allowed depth of {most}"));
    }
    let count = request.include.len();
    if limits.include_count.is_exceeded_by(count) {
        let most = limits.include_count.get().unwrap_or_default();
        return refuse(format!("Number of include fields ({count}) exceeds maximum allowed ({most})"));
    }
    if limits.query_depth.is_exceeded_by(request.filter.condition_depth()) {
        let most = limits.query_depth.get().unwrap_or_default();
        return refuse(format!("Query condition nesting depth exceeds maximum allowed depth of {most}"));
    }
    if limits.subquery_depth.is_exceeded_by(request.filter.subquery_depth()) {
        let most = limits.subquery_depth.get().unwrap_or_default();
        return refuse(format!("Subquery nesting depth exceeds maximum allowed depth of {most}"));
    }
    Ok(())
}
