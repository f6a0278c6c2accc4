//! Jobs of the app's code: started by a request, by a schedule or at the command line. They go on when the request is answered, without a
//! time limit; a row of `_JobStatus` tells how far they are.

mod run;
mod scheduler;
pub mod schedules;
mod timetable;

use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

pub use self::run::{End, Run, Starter, message, start};
use self::scheduler::Scheduler;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::feature::Feature;

/// What runs have in common.
#[derive(Debug, Default)]
struct Jobs {
    /// Cancelled when the server stops.
    stop: CancellationToken,
}

/// Jobs, for the kernel.
#[must_use]
pub fn feature() -> Feature {
    Feature { server_info: Some(server_info), on_stop: Some(stop), ..Feature::new("jobs") }
        .state(Jobs::default())
        .work(Scheduler::default())
}

fn server_info(_options: &Options) -> Json {
    json!({ "cloudCode": { "jobs": true } })
}

fn stop(app: &App) {
    if let Ok(jobs) = app.feature::<Jobs>() {
        jobs.stop.cancel();
    }
}
