//! Headers of particular operations, besides those that identify the caller.

use poem_openapi::registry::{MetaOperationParam, MetaParamIn, MetaSchema, MetaSchemaRef};

/// A header, in the order of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HeaderParameter {
    /// `X-Parse-Installation-Id`.
    InstallationId,
    /// `X-Parse-Request-Id`.
    RequestId,
    /// `X-Parse-Cloud-Context`.
    CloudContext,
    /// `X-Parse-Upload-Mode`.
    UploadMode,
    /// `X-Parse-File-Metadata`.
    FileMetadata,
    /// `X-Parse-File-Tags`.
    FileTags,
    /// `X-Parse-File-Directory`.
    FileDirectory,
}

/// The header as poem-openapi describes it.
#[must_use]
pub fn meta(header: HeaderParameter) -> MetaOperationParam {
    let (name, about) = match header {
        HeaderParameter::InstallationId => (
            "X-Parse-Installation-Id",
            "Id of the calling installation, which the client generates. New sessions are assigned to it.",
        ),
        HeaderParameter::RequestId => (
            "X-Parse-Request-Id",
            "Unique id of the request. If idempotency is configured, a repeated request with the same id is refused with 159.",
        ),
        HeaderParameter::CloudContext => ("X-Parse-Cloud-Context", "A JSON object that is passed to triggers."),
        HeaderParameter::UploadMode => ("X-Parse-Upload-Mode", "`stream`: the file may be empty."),
        HeaderParameter::FileMetadata => ("X-Parse-File-Metadata", "Metadata of the file, a JSON object."),
        HeaderParameter::FileTags => {
            ("X-Parse-File-Tags", "Tags of the file, a JSON object; ignored by stores without tags.")
        }
        HeaderParameter::FileDirectory => {
            ("X-Parse-File-Directory", "Directory to store the file in; only with the master key.")
        }
    };
    MetaOperationParam {
        name: name.to_owned(),
        schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("string"))),
        in_type: MetaParamIn::Header,
        description: Some(about.to_owned()),
        required: false,
        deprecated: false,
        explode: true,
        style: None,
    }
}
