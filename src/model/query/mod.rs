//! Queries: the filter tree, how it is read from JSON, and what it means.

pub mod filter;
pub mod options;

pub use filter::{Constraint, Filter, Resolved, SubQuery, Unresolved};
