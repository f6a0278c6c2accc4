//! Roles: the class of the same name under routes of its own.

use super::describe::{Created, Fields, ParseObject};
use super::openapi::Tag;
use super::resource::Resource;
use super::route::{Access, Route};
use crate::model::names::ROLE;

const ROLES: Resource = Resource {
    class: Some(ROLE),
    all: "/roles",
    one: "/roles/{objectId}",
    tag: Tag::Roles,
    access: Access::Application,
    triggers: true,
};

/// The routes.
pub fn routes() -> Vec<Route> {
    vec![
        ROLES.create::<Fields, Created>("createRole", "Make a role."),
        ROLES.find("findRoles", "Query roles."),
        ROLES.get::<ParseObject>("getRole", "Get a role."),
        ROLES.update("updateRole", "Change a role."),
        ROLES.delete("deleteRole", "Delete a role."),
    ]
}
