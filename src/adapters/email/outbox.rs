//! Mails on their way: sent beside the requests that asked for them, few at a time, again after a temporary failure, and never
//! more of them than fit.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::{EmailAdapter, Mail, SendError};

/// Pauses before a mail is tried again after a temporary failure. Servers that greylist want some minutes.
const PAUSES: [Duration; 5] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_mins(1),
    Duration::from_mins(5),
    Duration::from_mins(15),
];
/// Mails that are handed over at the same time.
const AT_ONCE: usize = 4;
/// Mails that wait at most, for their turn or for another try; what comes on top of them is dropped, so that a mail server that
/// is down does not fill the memory.
const WAITING: usize = 1000;

/// The mails of a server.
#[derive(Debug)]
pub struct Outbox {
    adapter: Arc<dyn EmailAdapter>,
    pauses: &'static [Duration],
    places: Arc<Semaphore>,
    turns: Semaphore,
    closing: CancellationToken,
}

/// A place for one mail.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held until the mail is gone")] OwnedSemaphorePermit);

impl Outbox {
    /// An empty one.
    #[must_use]
    pub fn new(adapter: Arc<dyn EmailAdapter>) -> Self {
        Self {
            adapter,
            pauses: &PAUSES,
            places: Arc::new(Semaphore::new(WAITING)),
            turns: Semaphore::new(AT_ONCE),
            closing: CancellationToken::new(),
        }
    }

    /// A place for a mail; `None`, noted in the log, when too many wait already.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok().map(Place);
        if place.is_none() {
            tracing::error!(waiting = WAITING, "a mail is dropped: too many wait for the mail server");
        }
        place
    }

    /// Sends a mail; ends when it is gone, or given up, which the log tells.
    pub async fn deliver(&self, place: Place, mail: &Mail) {
        let mut pauses = self.pauses.iter();
        loop {
            let sent = match self.turns.acquire().await {
                Ok(_turn) => self.adapter.send(mail).await,
                Err(closed) => Err(SendError::Permanent(closed.to_string())),
            };
            let reason = match sent {
                Ok(()) => break,
                Err(SendError::Temporary(reason)) => reason,
                Err(SendError::Permanent(reason)) => {
                    tracing::error!(mail = mail.id, reason, "a mail was refused");
                    break;
                }
            };
            let Some(pause) = pauses.next().filter(|_| !self.closing.is_cancelled()) else {
                tracing::error!(mail = mail.id, reason, "a mail could not be sent and is given up");
                break;
            };
            tracing::warn!(mail = mail.id, reason, "a mail could not be sent yet");
            // When the server stops there is one more try, at once.
            let _ = tokio::time::timeout(*pause, self.closing.cancelled()).await;
        }
        drop(place);
    }

    /// The server stops: nothing waits for a later try any more.
    pub fn close(&self) {
        self.closing.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::email::Kind;
    use async_trait::async_trait;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Debug, Default)]
    struct Moody {
        tries: AtomicUsize,
        good_at: usize,
    }

    #[async_trait]
    impl EmailAdapter for Moody {
        async fn send(&self, _mail: &Mail) -> Result<(), SendError> {
            let tries = self.tries.fetch_add(1, Ordering::Relaxed) + 1;
            if tries >= self.good_at { Ok(()) } else { Err(SendError::Temporary("later".to_owned())) }
        }
    }

    fn mail() -> Mail {
        Mail {
            id: "m".into(),
            millis: 0,
            kind: Kind::PasswordReset,
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
        let place = outbox.place().unwrap();
        if close {
            outbox.close();
        }
        outbox.deliver(place, &mail()).await;
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
        let places: Vec<_> = (0..WAITING).map(|_| outbox.place().unwrap()).collect();
        assert!(outbox.place().is_none());
        drop(places);
        assert!(outbox.place().is_some());
    }
}
