//! The schema API.
