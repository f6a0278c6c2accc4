//! Updates: what a write does to each field.

pub mod apply;
pub mod denylist;
pub mod parse;
pub mod tree;

pub use tree::{Change, Update};
