//! Permissions: class level permissions (CLP), pointer permissions, ACLs and protected fields.
//!
//! Permissions become conditions of the query, so the store never returns rows that the caller may not see.
//! [`crate::domain::store`] accepts only filters of the type [`scope::Scoped`], and only this module can create one.

pub mod admit;
pub mod aggregation;
pub mod protected_fields;
pub mod scope;

pub use crate::domain::kernel::clp::Operation;
pub use scope::Scoped;
