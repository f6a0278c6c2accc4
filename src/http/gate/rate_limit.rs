//! `rateLimit`: how often a caller may call a route.
//!
//! A call is counted once, under its route after method override, normalisation of the path, and batching. So a client
//! cannot avoid a limit by writing the same call in another way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use fancy_regex::Regex;
use poem::Response;
use poem::http::{HeaderName, HeaderValue, Method};

use super::path_pattern::PathPattern;
use crate::config::rate_limit::RateLimit;
use crate::config::values::RateLimitZone;
use crate::domain::kernel::auth::Auth;
use crate::error::{ErrorCode, ParseError, Result};

/// Maximum number of counters of a limit. If a window has more callers, the further ones share one counter.
const COUNTERS: usize = 100_000;

/// All limits.
#[derive(Debug, Default)]
pub struct RateLimits(Vec<Arc<Limit>>);

#[derive(Debug)]
struct Limit {
    option: RateLimit,
    pattern: PathPattern,
    methods: Option<Methods>,
    count: u64,
    window: i64,
    zone: RateLimitZone,
    message: String,
    counts_masters: bool,
    counts_internal: bool,
    counters: Mutex<HashMap<String, Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: i64,
    count: u64,
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

impl RateLimits {
    /// # Errors
    /// A message that names the invalid limit.
    pub fn new(options: &[RateLimit]) -> std::result::Result<Self, String> {
        let limit = |option: &RateLimit| Limit::new(option).map(Arc::new);
        Ok(Self(options.iter().map(limit).collect::<std::result::Result<_, _>>()?))
    }

    /// Whether there is no limit.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Other limits in place of these; what is the same goes on counting. Notes what is `wrong` with some, which are left out.
    #[must_use]
    pub fn changed_to(&self, options: &[RateLimit], wrong: &mut Vec<String>) -> Self {
        let known = |option: &RateLimit| self.0.iter().find(|limit| limit.option == *option).cloned();
        let mut limits = Vec::with_capacity(options.len());
        for option in options {
            match known(option).map_or_else(|| Limit::new(option).map(Arc::new), Ok) {
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
    pub fn count(
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
                let counted = limit.count(limit.key(who), now)?;
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
    fn new(option: &RateLimit) -> std::result::Result<Self, String> {
        #[expect(clippy::cast_possible_truncation, reason = "windows of more than 2^53 ms do not end")]
        let window = option.request_time_window.unwrap_or(0.0).ceil().clamp(0.0, 9.0e15) as i64;
        Ok(Self {
            pattern: PathPattern::new(&option.request_path)?,
            methods: Methods::new(option.request_methods.as_ref().map_or(&[], |list| &list.0))?,
            count: option.request_count.unwrap_or(u64::MAX),
            window,
            zone: option.zone,
            message: option.error_response_message.clone(),
            counts_masters: option.include_master_key,
            counts_internal: option.include_internal_requests,
            counters: Mutex::default(),
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

    fn count(&self, key: String, now: i64) -> Result<LimitState> {
        let mut counters = self.counters.lock().unwrap_or_else(PoisonError::into_inner);
        if counters.len() >= COUNTERS && !counters.contains_key(&key) {
            counters.retain(|_, window| window.ends > now);
        }
        let key =
            if counters.len() >= COUNTERS && !counters.contains_key(&key) { "the others".to_owned() } else { key };
        let fresh = Window { ends: now.saturating_add(self.window), count: 0 };
        let window = counters.entry(key).or_insert(fresh);
        if window.ends <= now {
            *window = fresh;
        }
        window.count = window.count.saturating_add(1);
        let Window { ends, count } = *window;
        drop(counters);
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
        RateLimits::new(&[option]).unwrap()
    }

    fn call(limits: &RateLimits, ip: &str, direct: bool, auth: &Auth, now: i64) -> Option<u32> {
        let who = Identity { ip: ip.parse().unwrap(), direct, auth };
        limits.count(false, &Method::POST, "/login", &who, now).err().and_then(|error| error.retry_after)
    }

    #[test]
    fn the_third_call_of_a_window_is_refused() {
        let limits = limits(RateLimitZone::Ip, false);
        for (now, expected) in [(0, None), (1, None), (2, Some(1)), (999, Some(1)), (1000, None)] {
            assert_eq!(call(&limits, "9.9.9.9", true, &Auth::Anonymous, now), expected, "{now}");
        }
        assert_eq!(call(&limits, "9.9.9.8", true, &Auth::Anonymous, 2), None);
    }

    #[test]
    fn masters_and_direct_calls_from_here_are_exempt() {
        let limits = limits(RateLimitZone::Global, false);
        for _ in 0..5 {
            assert_eq!(call(&limits, "127.0.0.1", true, &Auth::Anonymous, 0), None);
            assert_eq!(call(&limits, "9.9.9.9", true, &Auth::Master, 0), None);
        }
        // A proxy that says 127.0.0.1 does not make a call internal.
        let refused = (0..3).filter_map(|_| call(&limits, "127.0.0.1", false, &Auth::Anonymous, 0)).count();
        assert_eq!(refused, 1);
    }

    #[test]
    fn addresses_of_one_household_share_a_counter() {
        let limits = limits(RateLimitZone::Ip, true);
        assert_eq!(call(&limits, "2001:db8::1", true, &Auth::Anonymous, 0), None);
        assert_eq!(call(&limits, "2001:db8::2", true, &Auth::Anonymous, 0), None);
        assert!(call(&limits, "2001:db8::3", true, &Auth::Anonymous, 0).is_some());
    }
}
