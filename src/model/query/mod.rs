//! Queries: the filter tree, its parser and its evaluation in memory.

mod atoms;
pub mod compare;
pub mod filter;
pub mod geo;
pub mod matches;
mod operators;
pub mod options;
pub mod parameters;
pub mod parse;
pub mod path;
mod pcre;
pub mod regex;
mod relative_time;
mod shape;
pub mod sort;
pub mod unparse;

pub use atoms::javascript_text;
pub use filter::{Constraint, Filter, Resolved, SubQuery, Unresolved};
