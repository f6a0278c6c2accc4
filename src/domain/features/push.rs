//! Push messages. No push service can be configured yet.

use serde_json::{Map, Value as Json};

use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::json::is_truthy;

/// Sends a message.
///
/// # Errors
/// 403 without the master key; 115 when the request does not name receivers in exactly one way, and always as long as no
/// service can be configured.
pub fn send(cx: &Context, request: &Map<String, Json>) -> Result<()> {
    cx.require_master()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to send push notifications.")?;
    let given = |key: &str| request.get(key).is_some_and(is_truthy);
    let message = match (given("channels"), given("where")) {
        (true, true) => "Channels and query can not be set at the same time.",
        (false, false) => "Sending a push requires either \"channels\" or a \"where\" query.",
        _ => "Missing push configuration",
    };
    Err(ParseError::new(ErrorCode::PushMisconfigured, message))
}
