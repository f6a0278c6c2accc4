//! Parse's live query protocol: JSON messages over web sockets.
//!
//! [`endpoint`] takes over a connection whose client asks for a web socket, [`socket`] carries frames, [`connection`] answers messages and
//! writes what the domain tells.

pub mod bell;
pub mod connection;
pub mod endpoint;
pub mod frame;
pub mod message;
pub mod settings;
pub mod socket;

pub use endpoint::LiveQueryEndpoint;
