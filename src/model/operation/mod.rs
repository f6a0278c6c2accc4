//! Updates: what a write does to each field.

pub mod apply;
pub mod tree;

pub use tree::{Change, Update};
