//! Files. There is no file storage yet.

use poem::http::Method;

use super::call::Call;
use super::describe::{Fields, Nothing};
use super::openapi::Tag;
use super::reply;
use super::route::{Access, Outcome, Route};
use crate::error::{ErrorCode, ParseError};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        Route::hidden(Method::POST, "/files", "uploadUnnamedFile", upload_unnamed)
            .documented::<Fields>(Tag::Files, "Upload a file without a name, which is refused.")
            .stream(),
        Route::hidden(Method::POST, "/files/{fileName}", "uploadFile", upload)
            .documented::<Fields>(Tag::Files, "Upload a file.")
            .json::<Fields>()
            .creates()
            .stream(),
        Route::hidden(Method::DELETE, "/files/{fileName}", "deleteFile", delete)
            .access(Access::Master)
            .documented::<Nothing>(Tag::Files, "Delete a file."),
    ]
}

async fn upload_unnamed(_call: Call) -> Outcome {
    Err(ParseError::new(ErrorCode::InvalidFileName, "Filename not provided."))
}

async fn upload(_call: Call) -> Outcome {
    Err(reply::unavailable("File storage"))
}

async fn delete(_call: Call) -> Outcome {
    Err(reply::unavailable("File storage"))
}
