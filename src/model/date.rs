//! Dates with millisecond precision, in Parse's format.

mod javascript;

use std::fmt;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use compact_str::{CompactString, format_compact};

/// A date: milliseconds since 1970-01-01T00:00:00Z. Text form: `2026-01-02T03:04:05.678Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Date(i64);

/// The largest distance from 1970 that has a text form, in milliseconds (JavaScript's limit: ±100 000 000 days).
const LIMIT: i64 = 8_640_000_000_000_000;

impl Date {
    /// The date this many milliseconds after the start of 1970, limited to ±100 000 000 days.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(-LIMIT, LIMIT))
    }

    /// Milliseconds since the start of 1970.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The date `seconds` later (earlier if negative). Fractions of a millisecond are dropped.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from float saturates, which is what from_millis does as well"
    )]
    pub fn plus_seconds(self, seconds: f64) -> Self {
        Self::from_millis(self.0.saturating_add((seconds * 1000.0) as i64))
    }

    /// Parses every text that `new Date(text)` accepts in JavaScript, in the zone UTC; for values from clients.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        javascript::read(text).map(Self)
    }

    /// Parses ISO 8601: a date, or a date and time with or without fraction and zone. A time without a zone is UTC.
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

    /// The text form, without memory of its own within the years 0 to 9999; by hand, because lists of objects are full
    /// of dates, and because JavaScript's calendar is longer than that of any crate.
    #[must_use]
    pub fn iso(self) -> CompactString {
        let (year, month, day) = civil(self.0.div_euclid(DAY));
        // Less than 2^31, and small numbers are quicker to take apart.
        let small = |number: i64| u32::try_from(number).unwrap_or_default();
        let time = small(self.0.rem_euclid(DAY));
        let digit = |number: u32| b"0123456789".get((number % 10) as usize).copied().unwrap_or(b'0');
        let tens = |number: u32| digit(number / 10);
        let (y, month, day) = (small(year.abs() % 10_000), small(month), small(day));
        let (hour, minute, second, milli) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60, time % 1000);
        let text = [
            tens(y / 100),
            digit(y / 100),
            tens(y),
            digit(y),
            b'-',
            tens(month),
            digit(month),
            b'-',
            tens(day),
            digit(day),
            b'T',
            tens(hour),
            digit(hour),
            b':',
            tens(minute),
            digit(minute),
            b':',
            tens(second),
            digit(second),
            b'.',
            digit(milli / 100),
            tens(milli),
            digit(milli),
            b'Z',
        ];
        let text = CompactString::from_utf8_lossy(&text);
        match text.get(4..) {
            Some(rest) if !(0..=9999).contains(&year) => {
                format_compact!("{}{:06}{rest}", if year < 0 { '-' } else { '+' }, year.unsigned_abs())
            }
            _ => text,
        }
    }

    /// The text form.
    #[must_use]
    pub fn to_iso(self) -> String {
        self.iso().into_string()
    }
}

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar. Counted in eras of 400 years, whose
/// years begin in March, so that the leap day comes last.
const fn civil(day: i64) -> (i64, i64, i64) {
    let since_era_zero = day + 719_468;
    let era = since_era_zero.div_euclid(146_097);
    let day_of_era = since_era_zero.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let (month, next) = if month_from_march < 10 { (month_from_march + 3, 0) } else { (month_from_march - 9, 1) };
    (year_of_era + era * 400 + next, month, day_of_month)
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.iso())
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
        for day in (-1_000_000..1_000_000).step_by(97) {
            let moment = DateTime::from_timestamp_millis(day * DAY + 12_345_678).unwrap();
            let expected = moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
            let expected = match expected.strip_prefix('-') {
                Some(rest) => format!("-{rest:0>26}"),
                None => expected,
            };
            assert_eq!(Date::from_millis(moment.timestamp_millis()).to_iso(), expected);
        }
        assert_eq!(Date::from_millis(-LIMIT).to_iso(), "-271821-04-20T00:00:00.000Z");
        assert_eq!(Date::from_millis(LIMIT).to_iso(), "+275760-09-13T00:00:00.000Z");
    }
}
