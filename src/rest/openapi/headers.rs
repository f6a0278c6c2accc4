//! Headers that some operations look at, besides those that tell who is calling.

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
}

/// As the document lists one.
#[must_use]
pub fn meta(header: HeaderParameter) -> MetaOperationParam {
    let (name, about) = match header {
        HeaderParameter::InstallationId => (
            "X-Parse-Installation-Id",
            "The installation that calls, by an id that the client made up for itself. A new session belongs to it.",
        ),
        HeaderParameter::RequestId => (
            "X-Parse-Request-Id",
            "Names the request: sent again, it is refused (159) instead of carried out again, where the server is configured so.",
        ),
        HeaderParameter::CloudContext => ("X-Parse-Cloud-Context", "A JSON object that triggers get to see."),
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
