//! Conditional requests (RFC 9110, 13) for resources with a version and a date.

use std::time::{Duration, UNIX_EPOCH};

use crate::model::date::Date;

/// The conditional headers of a request, as they were sent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Conditions<'a> {
    /// `If-Match`.
    pub if_match: Option<&'a str>,
    /// `If-None-Match`.
    pub if_none_match: Option<&'a str>,
    /// `If-Modified-Since`.
    pub if_modified_since: Option<&'a str>,
    /// `If-Unmodified-Since`.
    pub if_unmodified_since: Option<&'a str>,
    /// `If-Range`.
    pub if_range: Option<&'a str>,
}

/// The outcome of the conditions of a GET or HEAD request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Send the resource; `Range` applies.
    Send,
    /// Send all of it, because `Range` was meant for another version.
    SendWhole,
    /// Answer 304.
    NotModified,
    /// Answer 412.
    Failed,
}

/// The `ETag` header for a version (without quotes).
#[must_use]
pub fn etag(version: &str) -> String {
    let plain: String = version.chars().filter(|letter| matches!(letter, '!'..='~') && *letter != '"').collect();
    format!("\"{plain}\"")
}

/// Formats a date as in HTTP headers, to the second.
#[must_use]
pub fn http_date(date: Date) -> String {
    let since = Duration::from_secs(u64::try_from(date.millis() / 1000).unwrap_or_default());
    httpdate::fmt_http_date(UNIX_EPOCH + since)
}

/// Parses a date of an HTTP header to seconds since 1970.
fn seconds(text: &str) -> Option<u64> {
    let date = httpdate::parse_http_date(text.trim()).ok()?;
    date.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// Whether a list of tags contains this one; `*` matches any. Weak comparison: `W/` is ignored.
fn lists(list: &str, etag: &str) -> bool {
    list.trim() == "*" || list.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag)
}

/// Evaluates the conditions in the order of RFC 9110, 13.2.2. `etag` is the header as it would be sent.
#[must_use]
pub fn decide(conditions: Conditions<'_>, etag: &str, modified: Date) -> Decision {
    let modified = u64::try_from(modified.millis() / 1000).unwrap_or_default();
    // An invalid date is ignored.
    let not_after = |text: Option<&str>| text.and_then(seconds).map(|date| modified <= date);
    let holds = match conditions.if_match {
        Some(list) => lists(list, etag) && !list.trim_start().starts_with("W/"),
        None => not_after(conditions.if_unmodified_since).unwrap_or(true),
    };
    if !holds {
        return Decision::Failed;
    }
    let unchanged = match conditions.if_none_match {
        Some(list) => lists(list, etag),
        None => not_after(conditions.if_modified_since).unwrap_or(false),
    };
    if unchanged {
        return Decision::NotModified;
    }
    match conditions.if_range.map(str::trim) {
        None => Decision::Send,
        Some(tag) if tag.starts_with('"') => {
            if tag == etag {
                Decision::Send
            } else {
                Decision::SendWhole
            }
        }
        // A date must be equal; a weak tag never matches.
        Some(date) => {
            if seconds(date) == Some(modified) {
                Decision::Send
            } else {
                Decision::SendWhole
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_decided() {
        let modified = Date::from_millis(784_111_777_900);
        let (same, before, after) =
            ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:36 GMT", "Sun, 06 Nov 1994 08:49:38 GMT");
        assert_eq!(http_date(modified), same);
        let none = Conditions::default();
        for (conditions, expected) in [
            (none, Decision::Send),
            (Conditions { if_none_match: Some("\"v\""), ..none }, Decision::NotModified),
            (Conditions { if_none_match: Some("\"a\", W/\"v\""), ..none }, Decision::NotModified),
            (Conditions { if_none_match: Some("*"), ..none }, Decision::NotModified),
            (Conditions { if_none_match: Some("\"a\""), ..none }, Decision::Send),
            (Conditions { if_none_match: Some("v"), ..none }, Decision::Send),
            // The tag wins over the date.
            (Conditions { if_none_match: Some("\"a\""), if_modified_since: Some(after), ..none }, Decision::Send),
            (Conditions { if_modified_since: Some(same), ..none }, Decision::NotModified),
            (Conditions { if_modified_since: Some(after), ..none }, Decision::NotModified),
            (Conditions { if_modified_since: Some(before), ..none }, Decision::Send),
            (Conditions { if_modified_since: Some("yesterday"), ..none }, Decision::Send),
            (Conditions { if_match: Some("\"v\""), ..none }, Decision::Send),
            (Conditions { if_match: Some("*"), ..none }, Decision::Send),
            (Conditions { if_match: Some("\"a\""), ..none }, Decision::Failed),
            (Conditions { if_unmodified_since: Some(before), ..none }, Decision::Failed),
            (Conditions { if_unmodified_since: Some(same), ..none }, Decision::Send),
            (Conditions { if_range: Some("\"v\""), ..none }, Decision::Send),
            (Conditions { if_range: Some("\"a\""), ..none }, Decision::SendWhole),
            (Conditions { if_range: Some("W/\"v\""), ..none }, Decision::SendWhole),
            (Conditions { if_range: Some(same), ..none }, Decision::Send),
            (Conditions { if_range: Some(after), ..none }, Decision::SendWhole),
        ] {
            assert_eq!(decide(conditions, &etag("v"), modified), expected, "{conditions:?}");
        }
        assert_eq!(etag("a\"b\r\nc é"), "\"abc\"");
    }
}
