//! Cloud code with real Node processes: a server with it; and the channel, its supervision, modules, where the server's part is
//! played by a host of the tests.

mod app;
mod channel;
mod code;
pub mod host;
mod hostile;
mod modules;
mod supervision;
