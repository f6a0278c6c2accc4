//! Sends one batch.

use std::sync::Arc;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::devices;
use super::payload::Group;
use crate::adapters::push::{Outcome, Push, PushSender};
use crate::domain::kernel::app::App;
use crate::traces::{self, Kind};

/// Groups of a batch that are sent at the same time.
const AT_A_TIME: usize = 16;

/// Sends to the devices of a batch. With `clear`, tokens that turn out to be dead are removed from their installations.
pub(super) async fn send(
    sender: Arc<dyn PushSender>,
    status_id: String,
    groups: Vec<Group>,
    clear: Option<Arc<App>>,
) -> Vec<Outcome> {
    let mut span = traces::child(Kind::Producer, || "send push".into());
    let devices = groups.iter().map(|group| group.devices.len()).sum::<usize>();
    span.set("messaging.operation.type", "send");
    span.set("messaging.batch.message_count", i64::try_from(devices).unwrap_or(i64::MAX));
    let sent = stream::iter(groups).map(|Group { body, devices }| {
        let (sender, push) = (sender.clone(), Push { body, status_id: status_id.clone() });
        async move { sender.send(&push, &devices).await }
    });
    let outcomes = span.scope(sent.buffer_unordered(AT_A_TIME).concat()).await;
    drop(span);
    if let Some(app) = clear {
        let dead = outcomes.iter().filter(|outcome| outcome.token_is_dead());
        let dead: Vec<String> = dead.filter_map(|outcome| outcome.device_token.clone()).collect();
        if !dead.is_empty()
            && let Err(error) = devices::clear_tokens(&app, dead).await
        {
            tracing::warn!(push = status_id, %error, "dead tokens could not be removed");
        }
    }
    outcomes
}
