//! Live queries: whoever follows a query is told of writes that matter to it.
//!
//! A write becomes an event when it is committed ([`Happened`], [`source`]). Subscriptions are kept in [`groups`] of the [`hub`]; [`judge`] decides for each group
//! what the write means to it, by the rules that hold for a find, and puts the news into the queue of each connection ([`outlet`]).
//! Connections write them, and let the app's code have a say where it wants to ([`asked`]). It is told of the connections themselves, too
//! ([`listeners`]).

pub mod asked;
pub mod bounds;
pub mod caller;
pub mod channels;
pub mod counts;
pub mod event;
pub mod groups;
pub mod hub;
pub mod judge;
mod listeners;
pub mod outlet;
pub mod progress;
pub mod published;
pub mod query;
pub mod resume;
pub mod source;

use std::sync::Arc;

use metrics::{counter, gauge};

pub use asked::{Connection, Known};
pub use bounds::Bounds;
pub use caller::Caller;
pub use counts::{Counted, Counts};
pub use event::{Delivery, Event, Happened, Member, News, Op};
pub use hub::{LiveQueries, Subscription};
pub use query::{Query, Resume};

pub use self::published::Published;
use crate::adapters::redis::Channels;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::feature::Feature;
use crate::model::measures;

/// Live queries, for the kernel.
#[must_use]
pub fn feature(options: &Options, channels: Channels) -> Feature {
    let feature = Feature::new("live_query").state(Arc::new(LiveQueries::new(options, channels)));
    Feature { gauges: Some(measure), ..feature }
}

fn measure(app: &App) {
    let Ok(live) = LiveQueries::of(app) else { return };
    measures::set(measures::LIVE_CLIENTS, live.counts.clients());
    measures::set(measures::LIVE_SUBSCRIPTIONS, live.counts.subscriptions());
    counter!(measures::LIVE_EVENTS).absolute(live.counts.events());
    let lag = u64::try_from(live.lag()).unwrap_or_default();
    gauge!(measures::LIVE_LAG).set(measures::number(lag) / 1000.0);
}

/// The published classes, if this server is to follow them in its store.
#[must_use]
pub fn followed_in_store(options: &Options) -> Option<Published> {
    let serves = is_served(options);
    let options = &options.live_query;
    let classes = options.classes.as_ref().and_then(|classes| classes.class_names.as_deref()).unwrap_or_default();
    (serves && !classes.is_empty()).then(|| Published::new(classes))
}

/// Whether this server tells anybody of changes: by Parse's protocol, or by subscriptions of GraphQL.
#[must_use]
pub fn is_served(options: &Options) -> bool {
    has_server(options) || options.own.graphql_subscriptions
}

/// Whether this server speaks Parse's protocol.
#[must_use]
pub fn has_server(options: &Options) -> bool {
    options.live_query.start_server == Some(true) || options.live_query.server.is_some()
}
