//! Finds pushes that nobody works on: those of servers that are gone, those of servers that only write them down, and those whose time has come.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::state::Pushes;
use super::{run, work};
use crate::domain::kernel::app::App;
use crate::domain::kernel::feature::Work;
use crate::error::Result;

/// Every server that sends does this: whoever takes a push has it.
#[derive(Debug)]
pub(super) struct Sweep;

impl Work for Sweep {
    fn kind(&self) -> &'static str {
        "push"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(2)
    }

    fn alone(&self) -> bool {
        false
    }

    fn round<'a>(&'a self, app: &'a Arc<App>) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let pushes = app.feature::<Pushes>()?;
            if pushes.permits.available_permits() == 0 {
                return Ok(());
            }
            let free = work::free(app, &pushes.channel).await?;
            let others = free.into_iter().filter(|id| !run::is_taken(pushes, id));
            for id in others.take(pushes.permits.available_permits()) {
                run::take_up(app, pushes, id);
            }
            Ok(())
        })
    }
}
