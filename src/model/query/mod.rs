//! Queries: the filter tree, how it is read from JSON, and what it means.

pub mod compare;
pub mod filter;
pub mod geo;
pub mod matches;
pub mod options;
pub mod parse;
pub mod path;
mod pcre;
pub mod regex;

pub use filter::{Constraint, Filter, Resolved, SubQuery, Unresolved};
pub use matches::Matcher;
