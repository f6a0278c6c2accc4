//! Checks before a call runs, in every protocol: is the route allowed, is a rate limit exceeded. All protocols share one
//! gate, so that no call is counted twice and no protocol bypasses the limits of another.

mod allow_list;
mod counters;
pub mod operations;
mod path_pattern;
pub mod rate_limit;

use std::sync::Arc;

use arc_swap::ArcSwap;
use poem::http::Method;

use super::body::Parsing;
use crate::config::Options;
use crate::config::rate_limit::RateLimit;
use crate::error::Result;
use allow_list::RouteAllowList;
use counters::Servers;
use operations::Operations;
use rate_limit::{Identity, LimitState, RateLimits, Surroundings};

/// The checks that all protocols share.
#[derive(Debug)]
pub struct Gate {
    /// Rate limits of the options.
    limits: ArcSwap<RateLimits>,
    /// How often functions and triggers may be used that say so themselves.
    declared: ArcSwap<RateLimits>,
    surroundings: Surroundings,
    /// Routes that clients may call.
    pub allowed: RouteAllowList,
    /// The routes that calls of other protocols count as.
    pub operations: Operations,
    /// Limit of JSON that is parsed at the same time.
    pub parsing: Parsing,
}

impl Gate {
    /// Builds the gate from the options.
    ///
    /// # Errors
    /// A message that names the invalid rate limit or pattern.
    pub fn new(options: &Options, operations: Operations) -> std::result::Result<Self, String> {
        let (security, limits) = (&options.security, &options.own.limits);
        let surroundings = Surroundings { app_id: options.keys.app_id.clone(), servers: Servers::default() };
        Ok(Self {
            limits: ArcSwap::from_pointee(RateLimits::new(&security.rate_limit, &surroundings)?),
            declared: ArcSwap::default(),
            surroundings,
            allowed: RouteAllowList::new(security.route_allow_list.as_deref())?,
            operations,
            parsing: Parsing::new(limits.parsing_bytes as u64, limits.values),
        })
    }

    /// Whether every call of every route may pass.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.limits.load().is_empty() && self.allowed.is_empty() && self.declared.load().is_empty()
    }

    /// Replaces the limits of the options. Those that stay as they are go on counting.
    ///
    /// # Errors
    /// A text naming what is wrong with a limit; the others hold.
    pub fn change(&self, limits: &[RateLimit]) -> std::result::Result<(), String> {
        self.replace(&self.limits, limits)
    }

    /// Replaces the limits that functions and triggers declare. Those that stay as they are go on counting.
    ///
    /// # Errors
    /// A text naming what is wrong with a limit; the others hold.
    pub fn declare(&self, limits: &[RateLimit]) -> std::result::Result<(), String> {
        self.replace(&self.declared, limits)
    }

    fn replace(&self, known: &ArcSwap<RateLimits>, limits: &[RateLimit]) -> std::result::Result<(), String> {
        let mut wrong = Vec::new();
        known.store(Arc::new(known.load().changed_to(limits, &self.surroundings, &mut wrong)));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Counts a call under every limit on its route in zones that need the session (`with_session`) or do not.
    ///
    /// # Errors
    /// 429, code 100, if a limit is exceeded.
    pub async fn count(
        &self,
        with_session: bool,
        method: &Method,
        path: &str,
        who: &Identity<'_>,
        now: i64,
    ) -> Result<Option<LimitState>> {
        let mut standing = None;
        for limits in [&self.limits, &self.declared] {
            if !limits.load().is_empty() {
                let limits = limits.load_full();
                standing = standing.or(limits.count(with_session, method, path, who, now).await?);
            }
        }
        Ok(standing)
    }

    /// Counts a call of a caller whose session has been looked up, for every limit of its route.
    ///
    /// # Errors
    /// 429, code 100, if a limit is exceeded.
    pub async fn count_all(&self, method: &Method, path: &str, who: &Identity<'_>, now: i64) -> Result<()> {
        self.count(false, method, path, who, now).await?;
        self.count(true, method, path, who, now).await.map(|_| ())
    }
}
