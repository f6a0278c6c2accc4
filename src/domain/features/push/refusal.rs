//! What is no push.

use std::borrow::Cow;

use crate::error::{ErrorCode, ParseError};

/// 115.
pub(super) fn misconfigured(message: impl Into<Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::PushMisconfigured, message)
}
