//! Routes of the class `_Installation`.

use super::describe::{Created, Fields, ParseObject};
use super::openapi::Tag;
use super::openapi::headers::HeaderParameter::InstallationId;
use super::resource::Resource;
use super::route::{Access, Route};
use crate::model::names::INSTALLATION;

const INSTALLATIONS: Resource = Resource {
    class: Some(INSTALLATION),
    all: "/installations",
    one: "/installations/{objectId}",
    tag: Tag::Installations,
    access: Access::Application,
    triggers: true,
};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        INSTALLATIONS
            .create::<Fields, Created>("createInstallation", "Create an installation.")
            .idempotent()
            .header(InstallationId),
        INSTALLATIONS.find("findInstallations", "Query installations."),
        INSTALLATIONS.get::<ParseObject>("getInstallation", "Get an installation."),
        INSTALLATIONS.update("updateInstallation", "Update an installation.").idempotent().header(InstallationId),
        INSTALLATIONS.delete("deleteInstallation", "Delete an installation."),
    ]
}
