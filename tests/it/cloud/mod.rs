//! Cloud code with real Node processes: the channel, its supervision, modules. The server's part is played by a host of
//! the tests.

mod channel;
mod host;
mod hostile;
mod modules;
mod supervision;
