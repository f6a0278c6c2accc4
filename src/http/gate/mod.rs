//! What is asked of a call before it runs, whatever protocol it comes by: is its route allowed, is it used too often. There is one
//! gate for a server, so that nothing is counted twice and no protocol is a way around another's limits.

mod allow_list;
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
use operations::Operations;
use rate_limit::{Identity, RateLimits, Standing};

/// The gate.
#[derive(Debug)]
pub struct Gate {
    /// How often routes may be used.
    limits: RateLimits,
    /// How often functions and triggers may be used that say so themselves.
    declared: ArcSwap<RateLimits>,
    /// Which may be used at all.
    pub allowed: RouteAllowList,
    /// The routes that calls of other protocols count as.
    pub operations: Operations,
    /// How much of bodies is parsed at a time.
    pub parsing: Parsing,
}

impl Gate {
    /// The gate that the options describe.
    ///
    /// # Errors
    /// A text naming the rate limit or allow-list pattern that is none.
    pub fn new(options: &Options, operations: Operations) -> std::result::Result<Self, String> {
        let (security, limits) = (&options.security, &options.own.limits);
        Ok(Self {
            limits: RateLimits::new(&security.rate_limit)?,
            declared: ArcSwap::default(),
            allowed: RouteAllowList::new(security.route_allow_list.as_deref())?,
            operations,
            parsing: Parsing::new(limits.parsing_bytes as u64, limits.values),
        })
    }

    /// Whether every call of every route may pass.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.limits.is_empty() && self.allowed.is_empty() && self.declared.load().is_empty()
    }

    /// Replaces the limits that functions and triggers declare. Those that stay as they are go on counting.
    ///
    /// # Errors
    /// A text naming what is wrong with a limit; the others hold.
    pub fn declare(&self, limits: &[RateLimit]) -> std::result::Result<(), String> {
        let mut wrong = Vec::new();
        self.declared.store(Arc::new(self.declared.load().changed_to(limits, &mut wrong)));
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// Counts a call under every limit on its route in zones that need the session (`with_session`) or do not.
    ///
    /// # Errors
    /// 429, code 100, when there were too many.
    pub fn count(
        &self,
        with_session: bool,
        method: &Method,
        path: &str,
        who: &Identity<'_>,
        now: i64,
    ) -> Result<Option<Standing>> {
        let standing = self.limits.count(with_session, method, path, who, now)?;
        let declared = self.declared.load().count(with_session, method, path, who, now)?;
        Ok(standing.or(declared))
    }

    /// Counts a call of a caller whose session is known already, under every limit on its route.
    ///
    /// # Errors
    /// 429, code 100, when there were too many.
    pub fn count_all(&self, method: &Method, path: &str, who: &Identity<'_>, now: i64) -> Result<()> {
        self.count(false, method, path, who, now)?;
        self.count(true, method, path, who, now).map(|_| ())
    }
}
