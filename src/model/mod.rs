//! Plain data and its rules: no async, no I/O, no clock.

pub mod acl;
pub mod columns;
pub mod date;
pub mod files;
pub mod js_pattern;
pub mod json;
pub mod measures;
pub mod names;
pub mod object;
pub mod operation;
pub mod query;
pub mod rows;
pub mod schema;
pub mod shape;
pub mod template;
pub mod trigger;
pub mod url_component;
pub mod value;

pub use date::Date;
pub use value::Value;
