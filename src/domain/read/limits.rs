//! Limits for `include` (`requestComplexity`), which do not apply to the master key. Limits for conditions are checked
//! where conditions are parsed.

use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::query::parameters::QueryParameters;

/// Checks a query against the limits.
///
/// # Errors
/// 102 that names the limit.
pub fn check(cx: &Context, parameters: &QueryParameters) -> Result<()> {
    if cx.auth.is_master() {
        return Ok(());
    }
    let limits = &cx.app.options.security.request_complexity;
    let refuse = |text: String| Err(ParseError::new(ErrorCode::InvalidQuery, text));
    let deepest = parameters.include.named.iter().map(|path| path.split('.').count()).max().unwrap_or(0);
    if limits.include_depth.is_exceeded_by(deepest) {
        let most = limits.include_depth.get().unwrap_or_default();
        return refuse(format!("Include depth of {deepest} exceeds maximum allowed depth of {most}"));
    }
    let count = parameters.include.named.len();
    if limits.include_count.is_exceeded_by(count) {
        let most = limits.include_count.get().unwrap_or_default();
        return refuse(format!("Number of include fields ({count}) exceeds maximum allowed ({most})"));
    }
    Ok(())
}
