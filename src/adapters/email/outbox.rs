//! The queue of mails: sends them in the background, a few at a time, with retries after temporary failures and a
//! limited length.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{EmailAdapter, Mail, OwnMail, Purpose, SendError};
use crate::traces::{self, Kind};

/// Pauses before retries after a temporary failure. Greylisting mail servers require some minutes.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];
/// Maximum number of mails that are sent at the same time.
const AT_ONCE: usize = 4;
/// Maximum number of queued mails, including those that wait for a retry. Further mails are dropped, so that an
/// unavailable mail server does not fill the memory.
const WAITING: usize = 1000;

/// The queue.
#[derive(Debug)]
pub struct Outbox {
    adapter: Arc<dyn EmailAdapter>,
    pauses: &'static [Duration],
    free: Arc<Semaphore>,
    turns: Semaphore,
    closing: CancellationToken,
}

/// A slot for one mail.
#[derive(Debug)]
pub struct Reservation(#[expect(dead_code, reason = "held until the mail is gone")] OwnedSemaphorePermit);

impl Outbox {
    /// An empty queue.
    #[must_use]
    pub fn new(adapter: Arc<dyn EmailAdapter>) -> Self {
        Self {
            adapter,
            pauses: &PAUSES,
            free: Arc::new(Semaphore::new(WAITING)),
            turns: Semaphore::new(AT_ONCE),
            closing: CancellationToken::new(),
        }
    }

    /// Reserves a slot for a mail. If the queue is full, logs that and returns `None`.
    #[must_use]
    pub fn reserve(&self) -> Option<Reservation> {
        let reservation = Arc::clone(&self.free).try_acquire_owned().ok().map(Reservation);
        if reservation.is_none() {
            tracing::error!(waiting = WAITING, "mail dropped: the queue is full");
        }
        reservation
    }

    /// Sends a mail, with retries. Logs if it cannot be sent.
    pub async fn deliver(&self, reservation: Reservation, mail: &Mail) {
        let mut pauses = self.pauses.iter();
        loop {
            let sent = match self.turns.acquire().await {
                Ok(_turn) => traced(kind(mail.kind), self.adapter.send(mail)).await,
                Err(closed) => Err(SendError::Permanent(closed.to_string())),
            };
            let reason = match sent {
                Ok(()) => break,
                Err(SendError::Temporary(reason)) => reason,
                Err(SendError::Permanent(reason)) => {
                    tracing::error!(mail = mail.id, reason, "the mail server refused a mail");
                    break;
                }
            };
            let Some(pause) = pauses.next().filter(|_| !self.closing.is_cancelled()) else {
                tracing::error!(mail = mail.id, reason, "failed to send a mail; no more retries");
                break;
            };
            tracing::warn!(mail = mail.id, reason, "failed to send a mail; it will be retried");
            // On shutdown each mail is tried once more, immediately.
            let _ = tokio::time::timeout(*pause, self.closing.cancelled()).await;
        }
        drop(reservation);
    }

    /// Sends a mail in the app's own words, once.
    ///
    /// # Errors
    /// Why it was not sent.
    pub async fn send_own(&self, mail: &OwnMail) -> Result<(), SendError> {
        match self.turns.acquire().await {
            Ok(_turn) => traced("own", self.adapter.send_own(mail)).await,
            Err(closed) => Err(SendError::Permanent(closed.to_string())),
        }
    }

    /// The server stops: nothing waits for a later try any more.
    pub fn close(&self) {
        self.closing.cancel();
    }
}

const fn kind(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Verification => "verification",
        Purpose::PasswordReset => "passwordReset",
    }
}

/// Sends a mail, with a span for it.
async fn traced(kind: &'static str, sending: impl Future<Output = Result<(), SendError>>) -> Result<(), SendError> {
    let mut span = traces::child(Kind::Producer, || "send mail".into());
    span.set("messaging.operation.type", "send");
    span.set("reparse.mail.kind", kind);
    let sent = span.scope(sending).await;
    match &sent {
        Ok(()) => {}
        Err(SendError::Temporary(_)) => span.fail("temporary"),
        Err(SendError::Permanent(_)) => span.fail("permanent"),
    }
    sent
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::BoxFuture;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, Default)]
    struct Moody {
        tries: AtomicUsize,
        good_at: usize,
    }

    impl EmailAdapter for Moody {
        fn send_own<'a>(&'a self, _mail: &'a OwnMail) -> BoxFuture<'a, Result<(), SendError>> {
            Box::pin(async move { Ok(()) })
        }

        fn send<'a>(&'a self, _mail: &'a Mail) -> BoxFuture<'a, Result<(), SendError>> {
            Box::pin(async move {
                let tries = self.tries.fetch_add(1, Ordering::Relaxed) + 1;
                if tries >= self.good_at { Ok(()) } else { Err(SendError::Temporary("later".to_owned())) }
            })
        }
    }

    fn mail() -> Mail {
        Mail {
            id: "m".into(),
            millis: 0,
            kind: Purpose::PasswordReset,
            to: "u@example.com".into(),
            app_name: String::new(),
            link: String::new(),
            username: String::new(),
            user: serde_json::Value::Null,
            locale: None,
        }
    }

    async fn tries(good_at: usize, close: bool) -> usize {
        const SHORT: [Duration; 5] = [Duration::from_millis(1); 5];
        let moody = Arc::new(Moody { good_at, ..Moody::default() });
        let outbox = Outbox { pauses: &SHORT, ..Outbox::new(moody.clone()) };
        let reservation = outbox.reserve().unwrap();
        if close {
            outbox.close();
        }
        outbox.deliver(reservation, &mail()).await;
        moody.tries.load(Ordering::Relaxed)
    }

    #[tokio::test]
    async fn temporary_failures_are_tried_again() {
        assert_eq!(tries(3, false).await, 3);
        assert_eq!(tries(100, false).await, 6);
        assert_eq!(tries(100, true).await, 1);
    }

    #[test]
    fn there_are_so_many_places() {
        let outbox = Outbox::new(Arc::new(Moody::default()));
        let reserved: Vec<_> = (0..WAITING).map(|_| outbox.reserve().unwrap()).collect();
        assert!(outbox.reserve().is_none());
        drop(reserved);
        assert!(outbox.reserve().is_some());
    }
}
