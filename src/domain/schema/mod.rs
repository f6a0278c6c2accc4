//! Creates and changes classes: at start, from the options, by the schema API, and when a write contains a new field.

pub mod bootstrap;
pub mod change;
pub mod check;
pub mod clp_check;
pub mod defined;

pub use crate::domain::kernel::classes::{Class, Schemas};
pub use crate::domain::kernel::system_classes;
