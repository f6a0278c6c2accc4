//! Files. There is no file storage yet.

use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use super::describe;
use super::openapi::Tag;
use super::payload::{Answer, Body, Caller, MasterCaller, unavailable};
use crate::error::{ErrorCode, ParseError};

/// Files.
pub struct FilesApi;

#[OpenApi(tag = "Tag::Files")]
impl FilesApi {
    /// Upload a file without a name, which is refused.
    #[oai(path = "/files", method = "post", operation_id = "uploadUnnamedFile")]
    async fn unnamed(&self, _caller: Caller) -> Answer<describe::Fields> {
        Err(ParseError::new(ErrorCode::InvalidFileName, "Filename not provided.").into())
    }

    /// Upload a file.
    #[oai(path = "/files/:fileName", method = "post", operation_id = "uploadFile")]
    async fn upload(
        &self,
        _caller: Caller,
        #[oai(name = "fileName")] _name: Path<String>,
        _body: Body<describe::Fields>,
    ) -> Answer<describe::Fields, 201> {
        Err(unavailable("File storage"))
    }

    /// Delete a file.
    #[oai(path = "/files/:fileName", method = "delete", operation_id = "deleteFile")]
    async fn delete(
        &self,
        caller: MasterCaller,
        #[oai(name = "fileName")] _name: Path<String>,
    ) -> Answer<describe::Nothing> {
        caller.0.require_master()?;
        Err(unavailable("File storage"))
    }
}
