//! Sends mails to a mail server by SMTP, with pooled connections.

use std::time::Duration;

use futures_util::future::BoxFuture;
use lettre::transport::smtp::PoolConfig;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use serde_json::{Map, Value as Json};

use super::message::Composer;
use super::{EmailAdapter, Mail, OwnMail, SendError, only, text};
use crate::adapters::http::is_loopback;

/// Maximum number of pooled connections.
const CONNECTIONS: u32 = 4;
/// Default time limit of each step in milliseconds.
const TIMEOUT: u64 = 20_000;

/// The form of the URL, for error messages.
const FORM: &str = "emailAdapter smtp: url must be smtps://user:password@host (TLS), \
    smtp://user:password@host?tls=required (STARTTLS) or smtp://host (neither)";

/// A mail server.
#[derive(Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    composer: Composer,
}

/// Encryption of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protection {
    None,
    StartTls,
    Tls,
}

impl Protection {
    /// The ports of RFC 6409 and RFC 8314.
    const fn port(self) -> u16 {
        match self {
            Self::None => 25,
            Self::StartTls => 587,
            Self::Tls => 465,
        }
    }
}

impl Smtp {
    /// Options: `url` (`smtps://user:password@host:465` for TLS, `smtp://user:password@host:587?tls=required` for
    /// STARTTLS, `smtp://localhost:25` for none), `ca`, a PEM file with additional trusted certificates; `timeout`, in
    /// milliseconds; `from`, `templates`.
    ///
    /// # Errors
    /// A message for the administrator, without the URL, which can contain a password.
    pub fn open(options: &Map<String, Json>) -> Result<Self, String> {
        only(options, "smtp", &["url", "ca", "timeout", "from", "templates"])?;
        let url = Url::parse(text(options, "smtp", "url")?).map_err(|_| FORM.to_owned())?;
        let protection = protection(&url).ok_or(FORM)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(FORM)?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(url.port().unwrap_or(protection.port()))
            .timeout(Some(timeout(options)?))
            .pool_config(PoolConfig::new().max_size(CONNECTIONS).idle_timeout(Duration::from_mins(1)));
        if protection != Protection::None {
            let parameters = tls(host, options)?;
            builder = builder.tls(match protection {
                Protection::Tls => Tls::Wrapper(parameters),
                _ => Tls::Required(parameters),
            });
        }
        if !url.username().is_empty() {
            if protection == Protection::None && !is_loopback(&url) {
                return Err(
                    "emailAdapter smtp: a password is only sent encrypted: use smtps:// or ?tls=required".to_owned()
                );
            }
            let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
            builder = builder
                .credentials(Credentials::new(decode(url.username()), decode(url.password().unwrap_or_default())));
        }
        Ok(Self { transport: builder.build(), composer: Composer::open("smtp", options, None)? })
    }
}

fn protection(url: &Url) -> Option<Protection> {
    let wishes: Vec<_> = url.query_pairs().collect();
    let wish = match wishes.as_slice() {
        [] => None,
        [(name, value)] if name == "tls" => Some(value.as_ref()),
        _ => return None,
    };
    match (url.scheme(), wish) {
        ("smtps", None) => Some(Protection::Tls),
        ("smtp", Some("required")) => Some(Protection::StartTls),
        ("smtp", None) => Some(Protection::None),
        _ => None,
    }
}

fn timeout(options: &Map<String, Json>) -> Result<Duration, String> {
    match options.get("timeout") {
        None | Some(Json::Null) => Ok(Duration::from_millis(TIMEOUT)),
        Some(wish) => wish
            .as_u64()
            .filter(|millis| (1..=600_000).contains(millis))
            .map(Duration::from_millis)
            .ok_or_else(|| "emailAdapter smtp: timeout must be milliseconds, up to 600000".to_owned()),
    }
}

fn tls(host: &str, options: &Map<String, Json>) -> Result<TlsParameters, String> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if options.get("ca").is_some_and(|path| !path.is_null()) {
        let path = text(options, "smtp", "ca")?;
        let wrong = |error: &dyn std::fmt::Display| format!("emailAdapter smtp: ca {path}: {error}");
        let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
        builder = builder.add_root_certificate(Certificate::from_pem(&pem).map_err(|error| wrong(&error))?);
    }
    builder.build().map_err(|error| format!("emailAdapter smtp: {error}"))
}

impl EmailAdapter for Smtp {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { self.hand_over(self.composer.compose(mail)?).await })
    }

    fn send_own<'a>(&'a self, mail: &'a OwnMail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { self.hand_over(self.composer.compose_own(mail)?).await })
    }
}

impl Smtp {
    async fn hand_over(&self, message: lettre::Message) -> Result<(), SendError> {
        match self.transport.send(message).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(SendError::Permanent(error.to_string())),
            Err(error) => Err(SendError::Temporary(error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refusal(url: &str) -> Option<String> {
        let options = json!({"url": url, "from": "a@example.com"});
        // The transport keeps a task of its own.
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _guard = runtime.enter();
        Smtp::open(options.as_object().unwrap()).err()
    }

    #[test]
    fn addresses() {
        for good in [
            "smtps://u:p@mail.example.com",
            "smtps://mail.example.com:4465",
            "smtp://u:p%40@mail.example.com:587?tls=required",
            "smtp://mail.example.com",
            "smtp://u:p@localhost:2525",
            "smtp://u:p@127.0.0.1",
            "smtp://[::1]:25",
        ] {
            assert_eq!(refusal(good), None, "{good}");
        }
        for bad in [
            "smtp://u:hush@mail.example.com",
            "smtp://u:hush@mail.example.com?tls=opportunistic",
            "smtps://u:hush@mail.example.com?tls=none",
            "https://u:hush@mail.example.com",
            "hush",
        ] {
            let text = refusal(bad).unwrap();
            assert!(!text.contains("hush"), "{text}");
        }
    }
}
