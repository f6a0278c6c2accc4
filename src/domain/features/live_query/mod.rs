//! Live queries: whoever follows a query is told of writes that matter to it.
//!
//! A write becomes an event when it is committed ([`Happened`]). Subscriptions are kept in [`groups`]; [`judge`] decides for each group
//! what the write means to it, by the rules that hold for a find, and puts the news into the queue of each connection ([`outlet`]).
//! Connections write them, and let the app's code have a say where it wants to ([`asked`]).

pub mod asked;
pub mod caller;
pub mod counts;
pub mod event;
pub mod groups;
pub mod judge;
pub mod outlet;
pub mod published;
pub mod query;
pub mod source;

use std::sync::Arc;

use serde_json::Number;

pub use asked::Connection;
pub use caller::Caller;
pub use counts::{Counted, Counts};
pub use event::{Delivery, Event, Member, News, Op};
pub use outlet::{Inbox, Outlet};
pub use query::Query;

use self::groups::{Group, Groups};
use self::published::Published;
use self::source::Progress;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::events::Written;
use crate::domain::kernel::feature::Feature;
use crate::domain::read::standing::{Condition, Reader};
use crate::error::Result;
use crate::model::names::ClassName;

/// Live queries, for the kernel.
#[must_use]
pub fn feature(options: &Options) -> Feature {
    Feature::new("live_query").state(Arc::new(LiveQueries::new(options)))
}

/// The published classes, if this server is to follow them in its store.
#[must_use]
pub fn followed_in_store(options: &Options) -> Option<Published> {
    let options = &options.live_query;
    let serves = options.start_server == Some(true) || options.server.is_some();
    let classes = options.classes.as_ref().and_then(|classes| classes.class_names.as_deref()).unwrap_or_default();
    (serves && !classes.is_empty()).then(|| Published::new(classes))
}

/// A committed write.
#[derive(Debug)]
pub struct Happened {
    /// What was written.
    pub written: Arc<Written>,
    /// Its place in the order of writes: a number that grows.
    pub position: u64,
    /// Whether the row was there before, and nobody knows how.
    pub unknown_before: bool,
}

/// The live queries of one server.
#[derive(Debug)]
pub struct LiveQueries {
    /// How much there is of everything.
    pub counts: Counts,
    published: Published,
    groups: Groups,
    progress: Progress,
}

impl LiveQueries {
    fn new(options: &Options) -> Self {
        let classes = options.live_query.classes.as_ref().and_then(|classes| classes.class_names.as_deref());
        Self {
            counts: Counts::default(),
            published: Published::new(classes.unwrap_or_default()),
            groups: Groups::default(),
            progress: Progress::default(),
        }
    }

    /// Those of an app.
    ///
    /// # Errors
    /// 1 for an app without them.
    pub fn of(app: &App) -> Result<&Arc<Self>> {
        app.feature::<Arc<Self>>()
    }

    /// Follows a query. The subscription ends when its handle is dropped.
    ///
    /// # Errors
    /// 102 for a condition that cannot be judged; 101, 119, 209 for who may not search like that.
    pub async fn subscribe(
        self: &Arc<Self>,
        app: &Arc<App>,
        caller: Arc<Caller>,
        query: Query,
        request_id: Number,
        outlet: Outlet,
    ) -> Result<Subscription> {
        let contexts = caller.contexts(app).await?;
        let mut condition = None;
        let mut refusal = None;
        for cx in contexts {
            let judged = match &condition {
                Some(judged) => judged,
                None => condition.insert(Condition::read(&cx, &query.class, query.condition.clone())?),
            };
            match Reader::admit(cx, &query.class, judged, &query.watch).await {
                Ok(_) => {
                    refusal = None;
                    break;
                }
                Err(error) => {
                    refusal.get_or_insert(error);
                }
            }
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        let keys = query.keys.clone().map(|mut keys| {
            keys.sort_unstable();
            keys
        });
        let since = self.progress.position(app).await?;
        let member = Arc::new(Member { request_id, keys, since, outlet });
        let group = self.groups.add(&caller, query, member.clone());
        self.counts.add_subscription();
        Ok(Subscription { live: self.clone(), group, caller, member })
    }

    /// Whether writes of a class are told to anybody.
    fn tells(&self, class: &ClassName) -> bool {
        self.groups.follow(class) && self.published.covers(class.as_str())
    }

    /// Ends every connection that follows anything: events were missed.
    fn close_all(&self) {
        for group in self.groups.all() {
            group.each(None, |member| member.outlet.give_up());
        }
    }
}

/// A subscription; dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    live: Arc<LiveQueries>,
    group: Arc<Group>,
    caller: Arc<Caller>,
    member: Arc<Member>,
}

impl Subscription {
    /// Whether a delivery is for this subscription.
    #[must_use]
    pub fn gets(&self, delivery: &Delivery) -> bool {
        Arc::ptr_eq(&self.member, &delivery.member)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.live.groups.remove(&self.group, &self.caller, &self.member);
        self.live.counts.remove_subscription();
    }
}
