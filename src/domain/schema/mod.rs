//! How classes come about and change: by the start of the server, by options, by the schema API, by a write that brings a field.

pub mod bootstrap;
pub mod change;
pub mod check;
pub mod clp_check;
pub mod defined;

pub use crate::domain::kernel::classes::{Class, Schemas};
pub use crate::domain::kernel::system_classes;
