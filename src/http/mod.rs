//! What REST and GraphQL share of HTTP: the door every request passes, who the caller says to be, bodies, errors, pages.

pub mod answer;
pub mod body;
pub mod client;
pub mod conditional;
pub mod cors;
pub mod credentials;
pub mod door;
pub mod gate;
pub mod page;
pub mod range;
pub mod serve;
