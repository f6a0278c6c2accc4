//! Parts of dates, and dates as text.

use chrono::{DateTime, Datelike as _, FixedOffset, Timelike as _};

use super::operators::Part;
use super::refused;
use crate::model::date::Date;
use crate::model::value::Value;
use crate::storage::Result;

/// A date at an offset from UTC: `+HH:MM`, `+HHMM`, `+HH`, `UTC`, `GMT` or nothing.
///
/// # Errors
/// `Refused` for zones by name, which the embedded store does not know.
pub fn at(date: Date, zone: Option<&Value>) -> Result<DateTime<FixedOffset>> {
    let offset = match zone {
        None | Some(Value::Null) => Some(0),
        Some(Value::String(zone)) => offset(zone),
        Some(_) => None,
    };
    let Some(offset) = offset.and_then(FixedOffset::east_opt) else {
        return refused("the embedded database knows time zones by their offset alone, as +02:00");
    };
    match DateTime::from_timestamp_millis(date.millis()) {
        Some(moment) => Ok(moment.with_timezone(&offset)),
        None => refused("the date is out of range"),
    }
}

fn offset(zone: &str) -> Option<i32> {
    if matches!(zone, "UTC" | "GMT" | "Etc/UTC" | "Z") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    let digits: String = rest.chars().filter(|letter| *letter != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        2 => (digits.parse::<i32>().ok()?, 0),
        4 => (digits.get(..2)?.parse::<i32>().ok()?, digits.get(2..)?.parse::<i32>().ok()?),
        _ => return None,
    };
    Some(sign * (hours * 3600 + minutes * 60))
}

/// A part of a date as a number.
#[must_use]
pub fn part(moment: &DateTime<FixedOffset>, part: Part) -> f64 {
    let number = match part {
        Part::Year => return f64::from(moment.year()),
        Part::IsoWeekYear => return f64::from(moment.iso_week().year()),
        Part::Month => moment.month(),
        Part::DayOfMonth => moment.day(),
        Part::DayOfWeek => moment.weekday().num_days_from_sunday() + 1,
        Part::DayOfYear => moment.ordinal(),
        Part::Hour => moment.hour(),
        Part::Minute => moment.minute(),
        Part::Second => moment.second(),
        Part::Millisecond => moment.timestamp_subsec_millis(),
        Part::Week => (moment.ordinal0() + 7 - moment.weekday().num_days_from_sunday()) / 7,
        Part::IsoWeek => moment.iso_week().week(),
        Part::IsoDayOfWeek => moment.weekday().number_from_monday(),
    };
    f64::from(number)
}

/// A date as text, by MongoDB's format.
///
/// # Errors
/// `Refused` for an unknown specifier.
pub fn format(moment: &DateTime<FixedOffset>, pattern: &str) -> Result<String> {
    let mut out = String::new();
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let whole = |kind| part(moment, kind);
        let (number, width) = match letters.next() {
            Some('Y') => (whole(Part::Year), 4),
            Some('G') => (whole(Part::IsoWeekYear), 4),
            Some('m') => (whole(Part::Month), 2),
            Some('d') => (whole(Part::DayOfMonth), 2),
            Some('H') => (whole(Part::Hour), 2),
            Some('M') => (whole(Part::Minute), 2),
            Some('S') => (whole(Part::Second), 2),
            Some('L') => (whole(Part::Millisecond), 3),
            Some('j') => (whole(Part::DayOfYear), 3),
            Some('w') => (whole(Part::DayOfWeek), 1),
            Some('u') => (whole(Part::IsoDayOfWeek), 1),
            Some('U') => (whole(Part::Week), 2),
            Some('V') => (whole(Part::IsoWeek), 2),
            Some('z') => {
                out.push_str(&moment.format("%z").to_string());
                continue;
            }
            Some('Z') => (f64::from(moment.offset().local_minus_utc() / 60), 1),
            Some('%') => {
                out.push('%');
                continue;
            }
            _ => return refused("Invalid format character in format string"),
        };
        out.push_str(&format!("{number:0width$}"));
    }
    Ok(out)
}
