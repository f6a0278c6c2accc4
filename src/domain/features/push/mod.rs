//! Push messages: who gets one, in which batches, and what became of it.
//!
//! A request is checked ([`request`]), written down as a row of `_PushStatus` ([`status`]) and as work to do ([`work`]), and answered.
//! What follows runs in the background ([`run`]): badges are counted ([`badges`]), devices are found and handed to the sender in batches
//! ([`send`], [`batch`]), results are counted ([`tally`]). Before each batch the work says that it has been taken, so that whoever goes on with a
//! push after its server was killed leaves out that batch: no device gets a push twice, and every device is counted. [`sweep`] finds what nobody works on.

mod badges;
mod batch;
mod devices;
mod local_time;
mod payload;
mod request;
mod run;
mod send;
mod status;
mod sweep;
mod tally;
mod work;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value as Json, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::adapters::push::PushSender;
use crate::config::Options;
use crate::domain::features::Services;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::error::{ErrorCode, ParseError, Result};

/// Pushes that a server works on at the same time; further ones wait.
const AT_A_TIME: usize = 4;

/// What the feature keeps while the server runs.
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub struct Pushes {
    sender: Arc<dyn PushSender>,
    /// Servers with the same one share their work.
    channel: String,
    batch_size: u64,
    /// Whether this server sends, or only writes down what is to be sent.
    sends: bool,
    /// Whether pushes with a time wait for it.
    schedules: bool,
    /// Whether this server sends those when their time comes.
    sends_scheduled: bool,
    /// Whether tokens that are dead are removed from their installations.
    clears_dead_tokens: bool,
    stop: CancellationToken,
    /// The pushes that this server works on, or will.
    taken: Mutex<HashSet<String>>,
    permits: Semaphore,
}

/// Push messages, for the kernel.
#[must_use]
pub fn feature(options: &Options, services: &Services) -> Feature {
    let feature = Feature { server_info: Some(server_info), on_stop: Some(stop), ..Feature::new("push") };
    let (Some(sender), Some(settings)) = (&services.push, &options.push.senders) else { return feature };
    let queue = &settings.queue;
    let channel = queue.channel.clone().unwrap_or_else(|| format!("{}-parse-server-push", options.keys.app_id));
    let pushes = Pushes {
        sender: sender.clone(),
        channel,
        batch_size: queue.batch_size,
        sends: !queue.disable_push_worker,
        schedules: options.push.scheduled_push,
        sends_scheduled: options.own.send_scheduled_pushes,
        clears_dead_tokens: options.own.cleanup_invalid_installations,
        stop: CancellationToken::new(),
        taken: Mutex::default(),
        permits: Semaphore::new(AT_A_TIME),
    };
    let feature = feature.state(pushes);
    if queue.disable_push_worker { feature } else { feature.work(sweep::Sweep) }
}

fn server_info(options: &Options) -> Json {
    let configured = options.push.senders.is_some();
    json!({ "push": {
        "immediatePush": configured,
        "scheduledPush": configured && options.push.scheduled_push,
        "storedPushData": configured,
        "localization": true,
    } })
}

/// What has begun is finished, and nothing else begins.
fn stop(app: &App) {
    if let Ok(pushes) = app.feature::<Pushes>() {
        pushes.stop.cancel();
    }
}

/// Writes a push down, to be sent after the answer. Gives the id of its row in `_PushStatus`.
///
/// # Errors
/// 403 without the master key; 115 for what is no push, or when nothing can send it; when the store fails.
pub async fn send(cx: &Context, body: Map<String, Json>) -> Result<String> {
    cx.require_master_key()?;
    cx.refuse_read_only("read-only masterKey isn't allowed to send push notifications.")?;
    let condition = request::condition(&body)?;
    let Ok(pushes) = cx.app.feature::<Pushes>() else { return Err(misconfigured("Missing push configuration")) };
    let request = request::read(cx, pushes, body, condition)?;
    let id = cx.app.random.alphanumeric(usize::from(cx.app.options.database.object_id_size));
    let work = work::Work::write_down(&cx.app, pushes, &id, request).await?;
    if let Err(error) = status::create(&cx.app, &work).await {
        work.delete(&cx.app).await;
        return Err(error);
    }
    run::start(&cx.app, pushes, work);
    Ok(id)
}

/// 115.
fn misconfigured(message: impl Into<std::borrow::Cow<'static, str>>) -> ParseError {
    ParseError::new(ErrorCode::PushMisconfigured, message)
}
