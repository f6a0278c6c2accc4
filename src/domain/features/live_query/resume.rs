//! Resuming: a client that was away names the last event that it heard of, and gets what it missed.
//!
//! What was missed is read from the store's own history where changes come from there, so that it does not matter which server the client
//! comes to, nor whether that server was there; else from a [`Log`] that this process keeps once a client has asked for tokens.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use futures_util::stream::{self, BoxStream, StreamExt as _};

use super::event::Happened;
use super::hub::LiveQueries;
use super::source::{Following, happened};
use crate::domain::kernel::app::App;
use crate::domain::kernel::failure::failure;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::date::Date;
use crate::model::names::ClassName;
use crate::storage::After;

/// What was missed, in order.
pub(super) type Missed = BoxStream<'static, Result<Happened>>;

/// The last writes of this process, of all published classes.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// Names the process in its tokens.
    process: OnceLock<String>,
    kept: AtomicBool,
    events: Mutex<Events>,
}

/// The log, while nobody else writes.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Whether a client has asked for tokens. Until then nothing is kept.
    kept: bool,
    /// With the milliseconds of their times.
    known: VecDeque<(i64, Happened)>,
    /// The last place of which nothing is known any more.
    forgotten: u64,
}

impl Log {
    /// Whether writes are kept.
    pub fn keeps(&self) -> bool {
        self.kept.load(Ordering::Acquire)
    }

    /// Opens the log. Writes get their places while it is open, so that it has them in their order.
    pub fn open(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Events {
    /// Notes what happened, and forgets what is too old and too much.
    pub fn note(&mut self, app: &App, happened: &Happened) {
        if !self.kept {
            return;
        }
        let limits = &app.options.own.limits;
        let now = app.clock.now().millis();
        self.known.push_back((now, happened.clone()));
        let oldest = now.saturating_sub(i64::from(limits.live_resume_seconds) * 1000);
        while let Some((at, first)) = self.known.front()
            && (*at < oldest || self.known.len() > limits.live_resume_events)
        {
            self.forgotten = first.position;
            self.known.pop_front();
        }
    }

    fn between(&self, class: &ClassName, after: u64, until: u64) -> Option<Vec<Happened>> {
        if !self.kept || after < self.forgotten {
            return None;
        }
        let wanted = |happened: &&Happened| {
            happened.position > after && happened.position <= until && happened.written.class == *class
        };
        Some(self.known.iter().map(|(_, happened)| happened).filter(wanted).cloned().collect())
    }
}

impl LiveQueries {
    /// The token of a place in the order of writes.
    #[must_use]
    pub fn token(&self, position: u64, mark: Option<&str>) -> String {
        let from = self.progress.store.get().or_else(|| self.log.process.get()).map_or("", String::as_str);
        format!("{from}.{position:x}.{}", mark.unwrap_or_default())
    }

    /// What a client missed of a class since the event with this token, up to a place that has been reached.
    ///
    /// # Errors
    /// 102 for what is no token, 162 if nobody knows any more what was missed.
    pub(super) async fn missed(
        self: &Arc<Self>,
        app: &Arc<App>,
        class: &ClassName,
        token: &str,
        until: u64,
    ) -> Result<Missed> {
        let mut parts = token.splitn(3, '.');
        let (Some(from), Some(position), Some(mark)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(no_token());
        };
        let position = u64::from_str_radix(position, 16).map_err(|_| no_token())?;
        if !mark.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(no_token());
        }
        let store = self.progress.store.get();
        if store.or_else(|| self.log.process.get()).is_none_or(|own| own != from) || position > until {
            return Err(gone());
        }
        if store.is_none() {
            let known = self.log.open().between(class, position, until).ok_or_else(gone)?;
            return Ok(stream::iter(known.into_iter().map(Ok)).boxed());
        }
        let kept = i64::from(app.options.own.limits.live_resume_seconds) * 1000;
        let oldest = Date::from_millis(app.clock.now().millis() - kept);
        let follower = Arc::new(Following::of_class(self, app, class));
        let after = After { position, mark: (!mark.is_empty()).then(|| Arc::from(mark)) };
        let changes =
            app.storage.changes_between(follower, after, until, oldest).await.map_err(failure)?.ok_or_else(gone)?;
        Ok(changes.map(|change| change.map(|row| happened(row, Vec::new())).map_err(failure)).boxed())
    }

    /// Keeps what happens from now on, where the store does not. Messages of other servers have no place that is theirs alone.
    pub(super) fn keep_log(&self, app: &App) {
        if self.progress.store.get().is_some() || self.channels.listen.is_some() {
            return;
        }
        self.log.process.get_or_init(|| app.random.hex(8));
        // Before the log is open to them, writes come here; then they have their place.
        self.log.kept.store(true, Ordering::Release);
        let mut events = self.log.open();
        if !events.kept {
            events.kept = true;
            events.forgotten = self.progress.position.load(Ordering::Acquire);
        }
    }
}

fn no_token() -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, "This is no token of a live query's event.")
}

/// Nobody knows any more what was missed.
pub(super) fn gone() -> ParseError {
    ParseError::new(
        ErrorCode::InvalidValue,
        "The live query cannot be resumed: what was written since is not known any more.",
    )
}
