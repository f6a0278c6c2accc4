//! What the feature keeps.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::adapters::push::PushSender;

/// Pushes that a server works on at the same time; further ones wait.
pub(super) const AT_A_TIME: usize = 4;

/// What the feature keeps while the server runs.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Pushes {
    pub(super) sender: Arc<dyn PushSender>,
    /// Servers with the same one share their work.
    pub(super) channel: String,
    pub(super) batch_size: u64,
    /// Whether this server sends, or only writes down what is to be sent.
    pub(super) sends: bool,
    /// Whether pushes with a time wait for it.
    pub(super) schedules: bool,
    /// Whether this server sends those when their time comes.
    pub(super) sends_scheduled: bool,
    /// Whether tokens that are dead are removed from their installations.
    pub(super) clears_dead_tokens: bool,
    pub(super) stop: CancellationToken,
    /// The pushes that this server works on, or will.
    pub(super) taken: Mutex<HashSet<String>>,
    pub(super) permits: Semaphore,
}
