//! Web hooks as functions and triggers of the app.

mod bounds;
mod declarations;
mod files;
mod finds;
mod functions;
pub mod hook_server;
mod payloads;
mod saves;
mod users;
