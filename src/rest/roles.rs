//! Routes of the class `_Role`.

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
        ROLES.create::<Fields, Created>("createRole", "Create a role."),
        ROLES.find("findRoles", "Query roles."),
        ROLES.get::<ParseObject>("getRole", "Get a role."),
        ROLES.update("updateRole", "Update a role."),
        ROLES.delete("deleteRole", "Delete a role."),
    ]
}
