//! Moments in time, to the millisecond, as Parse writes them.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

/// A moment: milliseconds since 1970-01-01T00:00:00Z. Text form: `2026-01-02T03:04:05.678Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(i64);

/// The largest distance from 1970 that has a text form, in milliseconds (JavaScript's limit: ±100 000 000 days).
const LIMIT: i64 = 8_640_000_000_000_000;

impl Date {
    /// The moment so many milliseconds after 1970 began; beyond ±100 000 000 days it is cut off there.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(-LIMIT, LIMIT))
    }

    /// Milliseconds since 1970 began.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later (earlier if negative). Fractions of a millisecond are dropped.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from float saturates, which is what from_millis does as well"
    )]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self::from_millis(self.0.saturating_add((seconds * 1000.0) as i64))
    }

    /// Reads ISO 8601: a date, or a date and time with or without fraction and zone. Without a zone a time counts as UTC.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::from_millis(moment.timestamp_millis()));
        }
        for pattern in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%MZ"] {
            if let Ok(moment) = NaiveDateTime::parse_from_str(text, pattern) {
                return Some(Self::from_millis(moment.and_utc().timestamp_millis()));
            }
        }
        if let Ok(moment) = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z") {
            return Some(Self::from_millis(moment.timestamp_millis()));
        }
        if let Ok(moment) = DateTime::parse_from_rfc2822(text) {
            return Some(Self::from_millis(moment.timestamp_millis()));
        }
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(Self::from_millis(day.and_hms_opt(0, 0, 0)?.and_utc().timestamp_millis()))
    }

    /// Appends the text form; by hand, because lists of objects are full of dates.
    pub fn write_iso(self, out: &mut String) {
        let Some(moment) = DateTime::from_timestamp_millis(self.0) else {
            out.push_str("1970-01-01T00:00:00.000Z");
            return;
        };
        let year = moment.year();
        if (0..=9999).contains(&year) {
            push_digits(out, year.unsigned_abs(), 4);
        } else {
            out.push(if year < 0 { '-' } else { '+' });
            push_digits(out, year.unsigned_abs(), 6);
        }
        for (separator, number, width) in [
            ('-', moment.month(), 2),
            ('-', moment.day(), 2),
            ('T', moment.hour(), 2),
            (':', moment.minute(), 2),
            (':', moment.second(), 2),
            ('.', moment.timestamp_subsec_millis(), 3),
        ] {
            out.push(separator);
            push_digits(out, number, width);
        }
        out.push('Z');
    }

    /// The text form.
    #[must_use]
    pub fn to_iso(self) -> String {
        let mut text = String::with_capacity(24);
        self.write_iso(&mut text);
        text
    }
}

fn push_digits(out: &mut String, number: u32, width: u32) {
    for place in (0..width).rev() {
        let digit = number / 10_u32.pow(place) % 10;
        out.push(char::from_digit(digit, 10).unwrap_or('0'));
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.to_iso())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_iso() {
        for (text, iso) in [
            ("2026-01-02T03:04:05.678Z", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05+01:00", "2026-01-02T02:04:05.000Z"),
            ("2026-01-02", "2026-01-02T00:00:00.000Z"),
            ("0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000Z"),
        ] {
            assert_eq!(Date::parse(text).map(Date::to_iso).as_deref(), Some(iso), "{text}");
        }
        assert_eq!(Date::parse("not a date"), None);
    }
}
