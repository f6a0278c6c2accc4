//! HTTP code that all protocols share: connections, middleware, the caller's credentials, bodies, errors, pages.

pub mod answer;
pub mod body;
pub mod caller;
pub mod client;
pub mod conditional;
mod connection;
pub mod connections;
pub mod cors;
pub mod credentials;
pub mod dashboard_session;
pub mod detach;
pub mod form;
pub mod gate;
pub mod handed;
mod http2;
pub mod long;
pub mod metrics;
pub mod middleware;
pub mod mount;
pub mod page;
pub mod query;
pub mod range;
pub mod serve;
pub mod tls;
pub mod web_socket;
mod wire;
