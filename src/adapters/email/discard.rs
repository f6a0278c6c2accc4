//! Discards every mail, for tests and for servers that deliver tokens in other ways.

use futures_util::future::BoxFuture;

use super::{EmailAdapter, Mail, OwnMail, SendError};

/// Sends nothing.
#[derive(Debug)]
pub struct Discard;

impl EmailAdapter for Discard {
    fn send<'a>(&'a self, _mail: &'a Mail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { Ok(()) })
    }

    fn send_own<'a>(&'a self, _mail: &'a OwnMail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { Ok(()) })
    }
}
