//! Who may do what: class level permissions, pointer permissions, ACLs and protected fields.
//!
//! Permissions are filters: what a caller may not see is not asked for. [`scope::Scoped`] is the only thing
//! [`crate::domain::store`] accepts, and only this module makes it.

pub mod admit;
pub mod aggregation;
pub mod protected_fields;
pub mod scope;

pub use crate::domain::kernel::clp::Operation;
pub use scope::Scoped;
