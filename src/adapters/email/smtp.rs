//! Hands mails to a mail server by SMTP, over kept connections.

use std::time::Duration;

use async_trait::async_trait;
use lettre::transport::smtp::PoolConfig;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use serde_json::{Map, Value as Json};

use super::message::Composer;
use super::{EmailAdapter, Mail, SendError, only, text};

/// Connections kept at most.
const CONNECTIONS: u32 = 4;
/// How long a mail server may take for each step.
const TIMEOUT: Duration = Duration::from_secs(20);

/// A mail server.
#[derive(Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    composer: Composer,
}

impl Smtp {
    /// Options: `url` (`smtps://user:password@host:465` for TLS, `smtp://user:password@host:587?tls=required` for STARTTLS,
    /// `smtp://localhost:25` for none), `from`, `templates`.
    ///
    /// # Errors
    /// A text for the person who configured it; without the address, which holds a password.
    pub fn open(options: &Map<String, Json>) -> Result<Self, String> {
        only(options, "smtp", &["url", "from", "templates"])?;
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(text(options, "smtp", "url")?).map_err(|_| {
            "emailAdapter smtp: url must be smtps://user:password@host or smtp://user:password@host?tls=required"
                .to_owned()
        })?;
        let pool = PoolConfig::new().max_size(CONNECTIONS).idle_timeout(Duration::from_mins(1));
        let transport = builder.timeout(Some(TIMEOUT)).pool_config(pool).build();
        Ok(Self { transport, composer: Composer::open("smtp", options, None)? })
    }
}

#[async_trait]
impl EmailAdapter for Smtp {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let message = self.composer.compose(mail)?;
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SendError::Permanent(error.to_string())),
            Err(error) => Err(SendError::Temporary(error.to_string())),
        }
    }
}
