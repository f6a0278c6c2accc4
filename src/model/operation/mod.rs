//! Updates: the changes of a write.

pub mod apply;
pub mod denylist;
pub mod parse;
pub mod tree;

pub use tree::{Change, Update};
