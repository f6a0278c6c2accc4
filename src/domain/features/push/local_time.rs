//! Pushes that go by the clocks of their devices: each time zone has its own moment.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;

use crate::model::date::Date;
use crate::model::query::{Constraint, Filter, Resolved};
use crate::model::value::Value;

/// How much earlier than in UTC a day begins where it begins first, in milliseconds.
const EARLIEST: i64 = 14 * 3_600_000;
/// Milliseconds of an hour and of a minute.
const HOUR: i64 = 3_600_000;
const MINUTE: i64 = 60_000;

/// Devices whose clocks show the time at the same moment.
pub(super) struct Round {
    /// The moment, in milliseconds since 1970.
    pub moment: i64,
    /// How far their clocks are ahead of UTC then, in hours: `2`, `-3:30`.
    pub offset: String,
    /// Their time zones.
    pub devices: Resolved,
}

/// The first moment at which clocks anywhere show a time.
pub(super) fn earliest(wall: i64) -> Date {
    Date::from_millis(wall.saturating_sub(EARLIEST))
}

/// The first round after a moment. `wall`: what the clocks are to show, as if in UTC. Devices without a time zone, or with one that nobody
/// knows, go by UTC.
pub(super) fn next(wall: i64, zones: &[Value], after: Option<i64>) -> Option<Round> {
    let mut rounds: BTreeMap<i64, Vec<Value>> = BTreeMap::from([(wall, vec![Value::Null])]);
    for zone in zones {
        let moment = zone.as_str().and_then(|zone| zone.parse().ok()).and_then(|zone| moment_in(zone, wall));
        rounds.entry(moment.unwrap_or(wall)).or_default().push(zone.clone());
    }
    let (moment, zones) = rounds.into_iter().find(|(moment, _)| after.is_none_or(|after| *moment > after))?;
    Some(Round { moment, offset: offset(wall - moment), devices: Filter::field("timeZone", Constraint::In(zones)) })
}

/// The first moment at which the clocks of a zone show a time; where they jump over it, the moment of the jump.
fn moment_in(zone: Tz, wall: i64) -> Option<i64> {
    let wall = DateTime::from_timestamp_millis(wall)?.naive_utc();
    let moment = zone.from_local_datetime(&wall).earliest();
    let moment = moment.or_else(|| zone.from_local_datetime(&wall.checked_add_signed(TimeDelta::hours(1))?).earliest());
    moment.map(|moment| moment.timestamp_millis())
}

fn offset(millis: i64) -> String {
    let sign = if millis < 0 { "-" } else { "" };
    let (hours, minutes) = (millis.abs() / HOUR, millis.abs() % HOUR / MINUTE);
    if minutes == 0 { format!("{sign}{hours}") } else { format!("{sign}{hours}:{minutes:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_follow_the_sun() {
        let wall = Date::parse("2030-07-01T09:00:00Z").unwrap().millis();
        let zones: Vec<Value> =
            ["Europe/Berlin", "America/St_Johns", "Europe/Paris", "Nowhere/Land"].map(Value::from).into();
        let mut seen = Vec::new();
        let mut after = None;
        while let Some(round) = next(wall, &zones, after) {
            let Filter::Field { constraint: Constraint::In(zones), .. } = round.devices else { panic!() };
            seen.push((Date::from_millis(round.moment).to_iso(), round.offset, zones.len()));
            after = Some(round.moment);
        }
        let expected = [
            ("2030-07-01T07:00:00.000Z", "2", 2),
            ("2030-07-01T09:00:00.000Z", "0", 2),
            ("2030-07-01T11:30:00.000Z", "-2:30", 1),
        ];
        assert_eq!(seen, expected.map(|(moment, offset, zones)| (moment.to_owned(), offset.to_owned(), zones)));
    }

    #[test]
    fn an_hour_that_clocks_jump_over() {
        let wall = Date::parse("2030-03-31T02:30:00Z").unwrap().millis();
        let moment = moment_in("Europe/Berlin".parse().unwrap(), wall).unwrap();
        assert_eq!(Date::from_millis(moment).to_iso(), "2030-03-31T01:30:00.000Z");
    }
}
