//! Who follows what.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use futures_util::{StreamExt as _, TryStreamExt as _};
use serde_json::Number;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::caller::Caller;
use super::counts::Counts;
use super::event::{Delivery, Happened, Member};
use super::groups::{Group, Groups};
use super::judge;
use super::listeners::Listeners;
use super::outlet::Outlet;
use super::progress::Progress;
use super::published::Published;
use super::query::{Query, Resume};
use super::resume::{self, Log};
use crate::adapters::redis::Channels;
use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::read::standing::{Condition, Reader};
use crate::error::{ParseError, Result};
use crate::model::names::ClassName;

/// Clients of which it is read at the same time what they missed.
const RESUMING: usize = 4;

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
    pub(super) log: Log,
    pub(super) listeners: Listeners,
    /// Clients of which it is read what they missed.
    resuming: Semaphore,
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
            log: Log::default(),
            listeners: Listeners::default(),
            resuming: Semaphore::new(RESUMING),
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
    /// 102 for a condition that cannot be judged; 101, 119, 209 for who may not search like that; 162 if nobody knows any more what a client
    /// missed that resumes.
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
        let resume = query.resume.clone();
        if resume != Resume::Never {
            self.keep_log(app);
        }
        let resumes = matches!(resume, Resume::After(_));
        let since = AtomicU64::new(if resumes { 0 } else { self.progress.position(app).await? });
        let held = Mutex::new(resumes.then(Vec::new));
        let member = Arc::new(Member { request_id, keys, since, tokens: resume != Resume::Never, outlet, held });
        let class = query.class.clone();
        let group = self.groups.add(&caller, query, member.clone());
        self.counts.add_subscription();
        let mut subscription = Subscription { live: self.clone(), group, caller, member, telling: None };
        if let Resume::After(token) = resume {
            // Only now: what others are told before the member has its place must be in the history.
            let until = self.progress.position(app).await?;
            subscription.member.since.store(until, Ordering::Release);
            let missed = self.missed_by(app, &class, &token, until).await?;
            subscription.tell(app, missed);
        }
        Ok(subscription)
    }

    /// What a client missed, if it is not too much.
    async fn missed_by(
        self: &Arc<Self>,
        app: &Arc<App>,
        class: &ClassName,
        token: &str,
        until: u64,
    ) -> Result<Vec<Happened>> {
        let _one = self.resuming.acquire().await.map_err(ParseError::internal)?;
        let most = app.options.own.limits.live_resume_events;
        let missed = self.missed(app, class, token, until).await?;
        let missed: Vec<Happened> = missed.take(most.saturating_add(1)).try_collect().await?;
        if missed.len() > most { Err(resume::gone()) } else { Ok(missed) }
    }

    /// Whether writes of a class are noted: somebody is told of them, or may ask for them later.
    pub(super) fn notes(&self, class: &ClassName) -> bool {
        self.published.covers(class.as_str()) && (self.log.keeps() || self.groups.follow(class))
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
    telling: Option<JoinHandle<()>>,
}

impl Subscription {
    /// Tells what the client missed, then what happened meanwhile.
    fn tell(&mut self, app: &Arc<App>, missed: Vec<Happened>) {
        let (app, counts) = (app.clone(), self.live.counts.clone());
        let (group, caller, member) = (self.group.clone(), self.caller.clone(), self.member.clone());
        self.telling = Some(tokio::spawn(async move {
            for happened in missed {
                for delivery in judge::judge_for(&app, &counts, (&group, &caller, &member), &happened).await {
                    if !member.outlet.put_in_time(delivery).await {
                        return;
                    }
                }
            }
            member.release();
        }));
    }

    /// The token of the place after which the subscription tells what happens, if the client wants tokens.
    #[must_use]
    pub fn token(&self) -> Option<String> {
        self.member.tokens.then(|| self.live.token(self.member.since(), None))
    }

    /// The token of a delivery, if the client wants tokens.
    #[must_use]
    pub fn token_of(&self, delivery: &Delivery) -> Option<String> {
        self.member.tokens.then(|| self.live.token(delivery.position, delivery.mark.as_deref()))
    }

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
        if let Some(telling) = &self.telling {
            telling.abort();
        }
        // They name the subscription, which would name itself for ever.
        self.member.held().take();
    }
}
