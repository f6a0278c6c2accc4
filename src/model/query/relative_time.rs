//! Times relative to now: `in 3 days 2 hours`, `1 week ago`, `now`.

use crate::model::date::Date;

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Parses a relative time.
///
/// # Errors
/// The reason, in Parse's message.
pub fn resolve(text: &str, now: Date) -> Result<Date, String> {
    let text = text.to_lowercase();
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let future = words.first() == Some(&"in");
    let past = words.last() == Some(&"ago");
    if !future && !past {
        return match words.as_slice() {
            ["now"] => Ok(now),
            _ => Err("Time should either start with 'in' or end with 'ago'".into()),
        };
    }
    if future && past {
        return Err("Time cannot have both 'in' and 'ago'".into());
    }
    if future {
        words.remove(0);
    } else {
        words.pop();
    }
    if !words.len().is_multiple_of(2) {
        return Err("Invalid time string. Dangling unit or number.".into());
    }
    let mut distance = 0_i64;
    for pair in words.chunks_exact(2) {
        let [number, unit] = pair else { continue };
        let amount = integer(number).ok_or_else(|| format!("'{}' is not an integer.", shorten(number)))?;
        let length = length_of(unit).ok_or_else(|| format!("Invalid interval: '{}'", shorten(unit)))?;
        distance = distance.saturating_add(amount.saturating_mul(length));
    }
    let distance = if future { distance } else { distance.saturating_neg() };
    Ok(Date::from_millis(now.millis().saturating_add(distance)))
}

/// A number without fraction, however it is written.
#[expect(clippy::cast_possible_truncation, reason = "the cast saturates, and so do the dates made of it")]
fn integer(text: &str) -> Option<i64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite() && number.fract() == 0.0).map(|number| number as i64)
}

fn length_of(unit: &str) -> Option<i64> {
    Some(match unit {
        "yr" | "yrs" | "year" | "years" => 365 * DAY,
        "wk" | "wks" | "week" | "weeks" => 7 * DAY,
        "d" | "day" | "days" => DAY,
        "hr" | "hrs" | "h" | "hour" | "hours" => HOUR,
        "min" | "mins" | "m" | "minute" | "minutes" => MINUTE,
        "sec" | "secs" | "s" | "second" | "seconds" => SECOND,
        _ => return None,
    })
}

fn shorten(text: &str) -> String {
    text.chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let now = Date::from_millis(1_000_000_000_000);
        for (text, expected) in [
            ("now", Ok(0)),
            (" NOW ", Ok(0)),
            ("in 1 day", Ok(DAY)),
            ("in 12 days 5 hours 24 mins 11 secs", Ok(12 * DAY + 5 * HOUR + 24 * MINUTE + 11 * SECOND)),
            ("1 yr 2 wks ago", Ok(-(379 * DAY))),
            ("in -1 d", Ok(-DAY)),
            ("in 1e3 s", Ok(1000 * SECOND)),
            ("in", Ok(0)),
            ("x", Err("Time should either start with 'in' or end with 'ago'")),
            ("in 1 day ago", Err("Time cannot have both 'in' and 'ago'")),
            ("in 1", Err("Invalid time string. Dangling unit or number.")),
            ("in x days", Err("'x' is not an integer.")),
            ("in 1.5 days", Err("'1.5' is not an integer.")),
            ("1 month ago", Err("Invalid interval: 'month'")),
        ] {
            let expected = expected.map(|distance| Date::from_millis(now.millis() + distance)).map_err(str::to_owned);
            assert_eq!(resolve(text, now), expected, "{text}");
        }
        assert!(resolve("in 9999999999999999999 years", now).is_ok());
    }
}
