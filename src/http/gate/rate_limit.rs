//! `rateLimit`: how often a caller may call a route.
//!
//! A call is counted once, under its route after method override, normalisation of the path, and batching. So a client
//! cannot avoid a limit by writing the same call in another way.

use std::net::IpAddr;
use std::sync::Arc;

use fancy_regex::Regex;
use poem::Response;
use poem::http::{HeaderName, HeaderValue, Method};
use serde_json::json;

use super::counters::{Counters, Servers, Window};
use super::path_pattern::PathPattern;
use crate::config::rate_limit::RateLimit;
use crate::config::values::RateLimitZone;
use crate::domain::kernel::auth::Auth;
use crate::error::{ErrorCode, ParseError, Result};

/// All limits.
#[derive(Debug, Default)]
pub struct RateLimits(Vec<Arc<Limit>>);

#[derive(Debug)]
struct Limit {
    option: RateLimit,
    pattern: PathPattern,
    methods: Option<Methods>,
    count: u64,
    zone: RateLimitZone,
    message: String,
    counts_masters: bool,
    counts_internal: bool,
    counters: Counters,
}

/// The caller of a counted call.
#[derive(Debug)]
pub struct Identity<'a> {
    /// The caller's address.
    pub ip: IpAddr,
    /// Whether the address is that of the connection, not one from a proxy's header.
    pub direct: bool,
    /// The caller; its session has been looked up.
    pub auth: &'a Auth,
}

/// State of a limit after a call, for the `X-RateLimit-…` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitState {
    limit: u64,
    remaining: u64,
    /// Seconds since 1970.
    reset: i64,
}

/// The error of a call above a limit, with the state of that limit.
#[derive(Debug, thiserror::Error)]
#[error("a rate limit is exceeded")]
pub struct Exceeded(LimitState);

impl Exceeded {
    /// Adds the headers of the exceeded limit to an error response.
    pub fn add_headers(error: &ParseError, response: &mut Response) {
        if let Some(Self(standing)) = error.source.as_ref().and_then(|source| source.downcast_ref()) {
            standing.apply(response);
        }
    }
}

/// What limits need of the server that applies them.
#[derive(Debug, Default)]
pub struct Surroundings {
    /// The app's id: apps may share a Redis server.
    pub app_id: String,
    /// The Redis servers.
    pub servers: Servers,
}

impl RateLimits {
    /// # Errors
    /// A message that names the invalid limit.
    pub fn new(options: &[RateLimit], surroundings: &Surroundings) -> std::result::Result<Self, String> {
        let limit = |option: &RateLimit| Limit::new(option, surroundings).map(Arc::new);
        Ok(Self(options.iter().map(limit).collect::<std::result::Result<_, _>>()?))
    }

    /// Whether there is no limit.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Other limits in place of these; what is the same goes on counting. Notes what is `wrong` with some, which are left out.
    #[must_use]
    pub fn changed_to(&self, options: &[RateLimit], surroundings: &Surroundings, wrong: &mut Vec<String>) -> Self {
        let known = |option: &RateLimit| self.0.iter().find(|limit| limit.option == *option).cloned();
        let mut limits = Vec::with_capacity(options.len());
        for option in options {
            match known(option).map_or_else(|| Limit::new(option, surroundings).map(Arc::new), Ok) {
                Ok(limit) => limits.push(limit),
                Err(reason) => wrong.push(reason),
            }
        }
        Self(limits)
    }

    /// Counts a call for the limits of its route: those whose zone needs the session (`with_session`), or the others.
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
        for limit in &self.0 {
            let needs_session = matches!(limit.zone, RateLimitZone::User | RateLimitZone::Session);
            if needs_session == with_session && limit.concerns(method, path, who) {
                let counted = limit.count(limit.key(who), now).await?;
                standing = standing.or(Some(counted));
            }
        }
        Ok(standing)
    }
}

/// The methods that a limit counts: a list of names, or one pattern.
#[derive(Debug)]
enum Methods {
    Names(Vec<String>),
    Pattern(Regex),
}

impl Methods {
    fn new(texts: &[String]) -> std::result::Result<Option<Self>, String> {
        match texts {
            [] => Ok(None),
            [pattern] => Regex::new(&format!("(?i){pattern}"))
                .map(|regex| Some(Self::Pattern(regex)))
                .map_err(|error| format!("requestMethods: \"{pattern}\" is not a valid regular expression: {error}")),
            names => Ok(Some(Self::Names(names.to_vec()))),
        }
    }

    fn include(&self, method: &Method) -> bool {
        match self {
            Self::Names(names) => names.iter().any(|name| name.eq_ignore_ascii_case(method.as_str())),
            Self::Pattern(pattern) => pattern.is_match(method.as_str()).unwrap_or(true),
        }
    }
}

impl Limit {
    fn new(option: &RateLimit, surroundings: &Surroundings) -> std::result::Result<Self, String> {
        #[expect(clippy::cast_possible_truncation, reason = "windows of more than 2^53 ms do not end")]
        let window = option.request_time_window.unwrap_or(0.0).ceil().clamp(0.0, 9.0e15) as i64;
        let RateLimit { request_path, request_methods, zone, .. } = option;
        // Servers whose options say the same count together.
        let methods = request_methods.as_ref().map(|methods| &methods.0);
        let limit = json!([surroundings.app_id, request_path, methods, window, format!("{zone:?}")]).to_string();
        let shared = option.redis_url.as_ref().map(|url| (&surroundings.servers, url.expose(), limit.as_str()));
        Ok(Self {
            pattern: PathPattern::new(&option.request_path)?,
            methods: Methods::new(option.request_methods.as_ref().map_or(&[], |list| &list.0))?,
            count: option.request_count.unwrap_or(u64::MAX),
            zone: option.zone,
            message: option.error_response_message.clone(),
            counts_masters: option.include_master_key,
            counts_internal: option.include_internal_requests,
            counters: Counters::new(window, shared)?,
            option: option.clone(),
        })
    }

    fn concerns(&self, method: &Method, path: &str, who: &Identity<'_>) -> bool {
        let internal = who.direct && who.ip.is_loopback();
        (self.counts_internal || !internal)
            && (self.counts_masters || !who.auth.is_master())
            && self.methods.as_ref().is_none_or(|methods| methods.include(method))
            && self.pattern.matches(path)
    }

    fn key(&self, who: &Identity<'_>) -> String {
        let ip = || match who.ip {
            IpAddr::V4(ip) => ip.to_string(),
            // One client usually controls a whole /64, so IPv6 addresses are counted by their /64.
            IpAddr::V6(ip) => format!("{:x}", u128::from(ip) >> 64),
        };
        match self.zone {
            RateLimitZone::Global => String::new(),
            RateLimitZone::Ip => ip(),
            RateLimitZone::User => who.auth.user_id().map_or_else(ip, |id| format!("user {id}")),
            RateLimitZone::Session => who.auth.user().map_or_else(ip, |user| format!("session {}", user.session_token)),
        }
    }

    async fn count(&self, caller: String, now: i64) -> Result<LimitState> {
        let Window { ends, count } = self.counters.count(caller, now).await;
        let standing = LimitState {
            limit: self.count,
            remaining: self.count.saturating_sub(count),
            reset: ends.saturating_add(999).div_euclid(1000),
        };
        if count > self.count {
            let seconds =
                u32::try_from(ends.saturating_sub(now).saturating_add(999).div_euclid(1000).max(1)).unwrap_or(u32::MAX);
            let error =
                ParseError::new(ErrorCode::ConnectionFailed, self.message.clone()).with_source(Exceeded(standing));
            return Err(ParseError { status: 429, retry_after: Some(seconds), ..error });
        }
        Ok(standing)
    }
}

impl LimitState {
    /// Adds headers with the number of calls left.
    pub fn apply(self, response: &mut Response) {
        let headers = response.headers_mut();
        headers.insert(HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(self.limit));
        headers.insert(HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(self.remaining));
        headers.insert(HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(self.reset));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(zone: RateLimitZone, internal: bool) -> RateLimits {
        let option = RateLimit {
            request_path: "/login".into(),
            request_time_window: Some(1000.0),
            request_count: Some(2),
            include_internal_requests: internal,
            zone,
            ..RateLimit::default()
        };
        RateLimits::new(&[option], &Surroundings::default()).unwrap()
    }

    async fn call(limits: &RateLimits, ip: &str, direct: bool, auth: &Auth, now: i64) -> Option<u32> {
        let who = Identity { ip: ip.parse().unwrap(), direct, auth };
        limits.count(false, &Method::POST, "/login", &who, now).await.err().and_then(|error| error.retry_after)
    }

    #[tokio::test]
    async fn the_third_call_of_a_window_is_refused() {
        let limits = limits(RateLimitZone::Ip, false);
        for (now, expected) in [(0, None), (1, None), (2, Some(1)), (999, Some(1)), (1000, None)] {
            assert_eq!(call(&limits, "9.9.9.9", true, &Auth::Anonymous, now).await, expected, "{now}");
        }
        assert_eq!(call(&limits, "9.9.9.8", true, &Auth::Anonymous, 2).await, None);
    }

    #[tokio::test]
    async fn masters_and_direct_calls_from_here_are_exempt() {
        let limits = limits(RateLimitZone::Global, false);
        for _ in 0..5 {
            assert_eq!(call(&limits, "127.0.0.1", true, &Auth::Anonymous, 0).await, None);
            assert_eq!(call(&limits, "9.9.9.9", true, &Auth::Master, 0).await, None);
        }
        // A proxy that says 127.0.0.1 does not make a call internal.
        for refused in [None, None, Some(1)] {
            assert_eq!(call(&limits, "127.0.0.1", false, &Auth::Anonymous, 0).await, refused);
        }
    }

    #[tokio::test]
    async fn addresses_of_one_household_share_a_counter() {
        let limits = limits(RateLimitZone::Ip, true);
        assert_eq!(call(&limits, "2001:db8::1", true, &Auth::Anonymous, 0).await, None);
        assert_eq!(call(&limits, "2001:db8::2", true, &Auth::Anonymous, 0).await, None);
        assert!(call(&limits, "2001:db8::3", true, &Auth::Anonymous, 0).await.is_some());
    }
}
