//! Requests that come twice: an id that was seen before is refused.

use serde_json::json;

use super::classes;
use super::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::date::Date;
use crate::model::names::IDEMPOTENCY;

/// Notes a request id for the time that `idempotencyOptions.ttl` says. The unique index decides between two requests that
/// come at once.
///
/// # Errors
/// 159 when the id was noted before.
pub async fn remember(cx: &Context, request_id: &str) -> Result<()> {
    #[expect(clippy::cast_possible_truncation, reason = "ids that are kept for more than 2^53 ms are kept for ever")]
    let kept = (cx.app.options.server.idempotency.ttl * 1000.0).clamp(0.0, 9.0e15) as i64;
    let expire = Date::from_millis(cx.now().millis().saturating_add(kept));
    let row = json!({"reqId": request_id, "expire": {"__type": "Date", "iso": expire.to_iso()}});
    let serde_json::Value::Object(row) = row else { return Ok(()) };
    match classes::create(&cx.as_master(), IDEMPOTENCY, row).await {
        Ok(_) => Ok(()),
        Err(error) if error.is(ErrorCode::DuplicateValue) => {
            Err(ParseError::new(ErrorCode::DuplicateRequest, "Duplicate request"))
        }
        Err(error) => Err(error),
    }
}
