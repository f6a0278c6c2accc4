//! Files: bytes in, bytes out.

mod download;
mod upload;

use poem::http::Method;
use poem::{Response, http::StatusCode};
use poem_openapi::registry::{MetaMediaType, MetaResponse, Registry};

use super::call::Call;
use super::describe::{FileMetadata, Nothing, StoredFile};
use super::openapi::Tag;
use super::openapi::answers;
use super::openapi::headers::HeaderParameter::{FileDirectory, FileMetadata as MetadataHeader, FileTags, UploadMode};
use super::route::{Access, Form, Outcome, Route};
use crate::domain::features::files;
use crate::error::{ErrorCode, ParseError};

/// The routes.
pub fn routes() -> Vec<Route> {
    let routes = vec![
        Route::hidden(Method::POST, "/files", "uploadUnnamedFile", upload_unnamed)
            .documented::<StoredFile>(Tag::Files, "Upload a file without a name, which is refused.")
            .stream(),
        Route::hidden(Method::POST, "/files/{fileName}", "uploadFile", upload::upload)
            .documented::<StoredFile>(Tag::Files, "Upload a file.")
            .description(
                "The body is the file, whatever its type. The answer has the name under which it was stored: a random \
                 prefix is added unless the server is configured otherwise.",
            )
            .bytes()
            .header(UploadMode)
            .header(MetadataHeader)
            .header(FileTags)
            .header(FileDirectory)
            .creates(),
        Route::hidden(Method::GET, "/files/{appId}/metadata/{*fileName}", "getFileMetadata", download::metadata)
            .access(Access::OptionalKey)
            .documented::<FileMetadata>(Tag::Files, "Metadata of a file; nothing for a file that does not exist."),
        Route::hidden(Method::GET, "/files/{appId}/{*fileName}", "downloadFile", download::download)
            .access(Access::OptionalKey)
            .documented::<Nothing>(Tag::Files, "Download a file.")
            .description(
                "The type of the answer is that of the file. `Range`, `If-None-Match`, `If-Modified-Since` and `If-Range` \
                 are answered with 206, 304, 412 and 416, as HTTP says.",
            )
            .responses(register_download, download_answers),
        Route::hidden(Method::DELETE, "/files/{*fileName}", "deleteFile", delete)
            .access(Access::Master)
            .documented::<Nothing>(Tag::Files, "Delete a file.")
            .responses(register_nothing, delete_answers),
    ];
    routes.into_iter().map(Route::unlisted).collect()
}

fn register_download(registry: &mut Registry) {
    (Form::bytes().register)(registry);
}

/// The whole file. Parts of it, and answers to conditions, come only to clients that ask for them by headers, which generators do not.
fn download_answers() -> Vec<MetaResponse> {
    let form = Form::bytes();
    let content = vec![MetaMediaType { content_type: "application/octet-stream", schema: (form.schema)() }];
    let file =
        MetaResponse { description: "The file.", status: Some(200), status_range: None, content, headers: Vec::new() };
    answers::with_refusals(vec![file])
}

fn register_nothing(_registry: &mut Registry) {}

fn delete_answers() -> Vec<MetaResponse> {
    let deleted = MetaResponse {
        description: "The file is gone.",
        status: Some(200),
        status_range: None,
        content: Vec::new(),
        headers: Vec::new(),
    };
    answers::with_refusals(vec![deleted])
}

async fn upload_unnamed(_call: Call) -> Outcome {
    Err(ParseError::new(ErrorCode::InvalidFileName, "Filename not provided."))
}

async fn delete(call: Call) -> Outcome {
    files::delete(&call.cx, call.path("fileName")?).await?;
    Ok(Response::builder().status(StatusCode::OK).finish())
}
