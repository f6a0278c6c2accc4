//! What the supervisor that started the process is told: systemd, for units of `Type=notify`. Where there is none (`NOTIFY_SOCKET` is
//! not set), nobody is told.

/// What the process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It answers requests, with the newest configuration.
    Serves,
    /// It reads its configuration again. [`Phase::Serves`] follows.
    Reloads,
    /// It ends, which may take as long as the requests in flight.
    Stops,
}

/// Tells the supervisor what the process does from now on.
#[cfg(target_os = "linux")]
pub fn tell(phase: Phase) {
    use sd_notify::NotifyState;
    let told = match phase {
        Phase::Serves => sd_notify::notify(&[NotifyState::Ready]),
        // Without the time, systemd 253 and later take a reload for a failure.
        Phase::Reloads => {
            NotifyState::monotonic_usec_now().and_then(|now| sd_notify::notify(&[NotifyState::Reloading, now]))
        }
        Phase::Stops => sd_notify::notify(&[NotifyState::Stopping]),
    };
    if let Err(error) = told {
        tracing::warn!(%error, ?phase, "the supervisor (NOTIFY_SOCKET) could not be told");
    }
}

/// Gives signs of life at half the interval that the supervisor asks for (`WATCHDOG_USEC`), until the process ends. They come from a task
/// like those that answer requests, so they stay away when these no longer run.
#[cfg(target_os = "linux")]
pub fn give_signs_of_life() {
    let Some(interval) = sd_notify::watchdog_enabled().filter(|interval| !interval.is_zero()) else { return };
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(interval / 2);
        loop {
            ticks.tick().await;
            if let Err(error) = sd_notify::notify(&[sd_notify::NotifyState::Watchdog]) {
                tracing::warn!(%error, "the watchdog (NOTIFY_SOCKET) could not be told");
            }
        }
    });
}

/// Other systems have other supervisors, which ask for nothing.
#[cfg(not(target_os = "linux"))]
pub fn tell(_: Phase) {}

/// As [`tell`].
#[cfg(not(target_os = "linux"))]
pub fn give_signs_of_life() {}
