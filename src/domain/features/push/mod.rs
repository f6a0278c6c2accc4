//! Push messages: who gets one, in which batches, and what became of it.
//!
//! A request is checked ([`request`]), written down as a row of `_PushStatus` ([`status`]) and as work to do ([`work`]), and answered.
//! What follows runs in the background ([`run`]): badges are counted ([`badges`]), devices are found and handed to the sender in batches
//! ([`send`], [`batch`]), results are counted ([`tally`]). Before each batch the work says that it has been taken, so that whoever goes on with a
//! push after its server was killed leaves out that batch: no device gets a push twice, and every device is counted. [`sweep`] finds what nobody works on.

mod badge;
mod badges;
mod batch;
mod devices;
mod local_time;
mod payload;
mod refusal;
mod request;
mod run;
mod send;
mod state;
mod status;
mod sweep;
mod tally;
mod work;

use std::sync::Mutex;

use serde_json::{Map, Value as Json, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::refusal::misconfigured;
pub use self::state::Pushes;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::feature::Feature;
use crate::domain::kernel::services::Services;
use crate::error::Result;

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
        permits: Semaphore::new(state::AT_A_TIME),
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
    cx.require_master()?;
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
