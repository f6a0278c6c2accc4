//! Files that come with a request.

use serde_json::Value as Json;

use super::run::Run;
use crate::error::{ErrorCode, ParseError, Result};

/// Stores a file; `upload` is the value of an input of type `Upload`.
///
/// # Errors
/// 130: for a file that is too large, and as long as there is no file storage for any.
pub fn store(run: Run<'_>, upload: &Json) -> Result<Json> {
    let most = run.cx.app.options.server.max_upload_size.bytes;
    let message = if run.uploads.size(upload).unwrap_or(0) > most {
        format!("File truncated as it exceeds the {most} byte size limit.")
    } else {
        "File storage is not configured.".to_owned()
    };
    Err(ParseError::new(ErrorCode::FileSaveError, message))
}
