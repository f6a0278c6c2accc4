//! Discards every mail, for tests and for servers that deliver tokens in other ways.

use async_trait::async_trait;

use super::{EmailAdapter, Mail, OwnMail, SendError};

/// Sends nothing.
#[derive(Debug)]
pub struct Discard;

#[async_trait]
impl EmailAdapter for Discard {
    async fn send(&self, _mail: &Mail) -> Result<(), SendError> {
        Ok(())
    }

    async fn send_own(&self, _mail: &OwnMail) -> Result<(), SendError> {
        Ok(())
    }
}
