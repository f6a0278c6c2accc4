//! Who follows what.

use std::sync::Arc;

use serde_json::Number;

use super::caller::Caller;
use super::counts::Counts;
use super::event::{Delivery, Member};
use super::groups::{Group, Groups};
use super::outlet::Outlet;
use super::progress::Progress;
use super::published::Published;
use super::query::Query;
use crate::adapters::pubsub::Channels;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::read::standing::{Condition, Reader};
use crate::error::Result;
use crate::model::names::ClassName;

/// The live queries of one server.
#[derive(Debug)]
pub struct LiveQueries {
    /// How much there is of everything.
    pub counts: Arc<Counts>,
    /// The classes of which it tells.
    pub published: Arc<Published>,
    pub(super) groups: Groups,
    pub(super) progress: Arc<Progress>,
    pub(super) channels: Channels,
}

impl LiveQueries {
    pub(super) fn new(options: &Options, channels: Channels) -> Self {
        let classes = options.live_query.classes.as_ref().and_then(|classes| classes.class_names.as_deref());
        Self {
            counts: Arc::default(),
            published: Arc::new(Published::new(classes.unwrap_or_default())),
            groups: Groups::default(),
            progress: Arc::default(),
            channels,
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
        outlet: Outlet<Delivery>,
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
    pub(super) fn tells(&self, class: &ClassName) -> bool {
        self.groups.follow(class) && self.published.covers(class.as_str())
    }

    /// Ends every connection that follows anything: events were missed.
    pub(super) fn close_all(&self) {
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
