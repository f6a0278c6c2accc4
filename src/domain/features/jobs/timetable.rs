//! When a schedule runs its job. The rows are Parse Dashboard's:
//!
//! | Field | Meaning |
//! |---|---|
//! | `startAfter` | no run before this moment (ISO 8601) |
//! | `repeatMinutes` | pause between two runs; missing or 0: the job runs once, at `startAfter` |
//! | `timeOfDay` | `HH:MM`, `HH:MM:SS` or `HH:MM:SS.mmm`, then the time zone: `Z` (or nothing) for UTC, or an offset such as `+02:00`. The runs of a day begin at this time, and go on until midnight |
//! | `daysOfWeek` | seven flags, Sunday first (`[1,1,1,1,1,1,1]`), or the numbers of the days (0 or 7: Sunday); missing or empty: every day |
//! | `lastRun` | when a run was started last, in milliseconds since 1970 |

use crate::model::date::Date;
use crate::model::object::Object;
use crate::model::value::Value;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
/// 1970 began on a Thursday.
const FIRST_DAY_OF_WEEK: i64 = 4;
/// What was due before the schedule was written is not made up for, except right before.
const SLACK: i64 = MINUTE;
/// A schedule that never ran makes up for what was due so long ago: schedules that were written for another program, or for no program at
/// all, do not all run when this server starts first.
const FIRST_RUN_WITHIN: i64 = DAY;

/// When a job runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Timetable {
    start: i64,
    repeat: Repeat,
    days: Days,
    last_run: Option<i64>,
    written: i64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Repeat {
    Never,
    /// Every so many milliseconds since the start.
    Every(i64),
    /// On each day at a time of its own, in milliseconds after midnight, and every so many milliseconds until the next midnight.
    Daily {
        at: TimeOfDay,
        every: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct TimeOfDay {
    millis: i64,
    /// Milliseconds by which the zone's clocks are ahead of UTC.
    offset: i64,
}

/// On which days of the week, Sunday first.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Days([bool; 7]);

impl Timetable {
    /// The timetable of a row of `_JobSchedule`.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn of(row: &Object) -> Result<Self, String> {
        let start = match row.get("startAfter") {
            None | Some(Value::Null) => moment(row, "createdAt"),
            Some(Value::String(text)) => Date::read(text).map(Date::millis),
            Some(Value::Date(date)) => Some(date.millis()),
            Some(_) => None,
        };
        let start = start.ok_or("startAfter is no date")?;
        let days = Days::of(row.get("daysOfWeek"))?;
        let last_run = match row.get("lastRun") {
            Some(Value::Number(millis)) => Some(whole(*millis)),
            _ => None,
        };
        let repeat = match row.get("repeatMinutes") {
            None | Some(Value::Null) => Repeat::Never,
            Some(Value::Number(minutes)) if *minutes == 0.0 => Repeat::Never,
            Some(Value::Number(minutes)) if *minutes >= 1.0 => {
                let every = whole(minutes.min(1e9)) * MINUTE;
                match row.get("timeOfDay") {
                    None | Some(Value::Null) => Repeat::Every(every),
                    Some(Value::String(text)) => {
                        let at = TimeOfDay::read(text).ok_or("timeOfDay is no time of day")?;
                        Repeat::Daily { at, every }
                    }
                    Some(_) => return Err("timeOfDay is no text".to_owned()),
                }
            }
            Some(_) => return Err("repeatMinutes is no number of minutes".to_owned()),
        };
        let written = moment(row, "updatedAt").unwrap_or(start);
        Ok(Self { start, repeat, days, last_run, written })
    }

    /// Whether the job is to be started now. However many runs were missed, one makes up for all of them.
    #[must_use]
    pub fn is_due(&self, now: Date) -> bool {
        let now = now.millis();
        let Some(latest) = self.latest(now) else { return false };
        match (self.last_run, self.repeat) {
            (Some(last), _) if latest <= last => false,
            (None, _) if latest < now - FIRST_RUN_WITHIN => false,
            (_, Repeat::Never) => true,
            _ => latest >= self.written - SLACK,
        }
    }

    /// The last moment up to now at which the job was to be started.
    fn latest(&self, now: i64) -> Option<i64> {
        if now < self.start {
            return None;
        }
        match self.repeat {
            Repeat::Never => Some(self.start),
            Repeat::Every(every) => self.latest_since(self.start, every, 0, now),
            Repeat::Daily { at, every } if every > DAY => {
                let first = at.first_from(self.start);
                self.latest_since(first, every, at.offset, now)
            }
            Repeat::Daily { at, every } => self.latest_of_day(at, every, now),
        }
    }

    /// The last of `first`, `first + every`, … up to now that is on a day of the timetable.
    fn latest_since(&self, first: i64, every: i64, offset: i64, now: i64) -> Option<i64> {
        let mut until = now;
        for _ in 0..=7 {
            if until < first {
                return None;
            }
            let moment = first + (until - first) / every * every;
            let day = (moment + offset).div_euclid(DAY);
            if self.days.has(day) {
                return Some(moment);
            }
            until = day * DAY - offset - 1;
        }
        None
    }

    fn latest_of_day(&self, at: TimeOfDay, every: i64, now: i64) -> Option<i64> {
        let today = (now + at.offset).div_euclid(DAY);
        let moments = (0..=7).map(|back| today - back).filter(|day| self.days.has(*day)).filter_map(|day| {
            let midnight = day * DAY - at.offset;
            let (first, last) = (midnight + at.millis, now.min(midnight + DAY - 1));
            (first <= last).then(|| first + (last - first) / every * every)
        });
        moments.take(1).find(|moment| *moment >= self.start)
    }
}

impl TimeOfDay {
    fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let zone = text.find(['Z', 'z', '+', '-']).unwrap_or(text.len());
        let (time, zone) = text.split_at_checked(zone)?;
        let mut parts = time.split(':');
        let hours = number(parts.next()?, 23)?;
        let minutes = number(parts.next()?, 59)?;
        let seconds = match parts.next() {
            None => 0,
            // Fractions of a second do not count.
            Some(seconds) => number(seconds.split('.').next()?, 59)?,
        };
        if parts.next().is_some() {
            return None;
        }
        let millis = (hours * 60 + minutes) * MINUTE + seconds * 1000;
        Some(Self { millis, offset: offset(zone)? })
    }

    /// The first moment from `start` on at this time of a day.
    fn first_from(self, start: i64) -> i64 {
        let midnight = (start + self.offset).div_euclid(DAY) * DAY - self.offset;
        let first = midnight + self.millis;
        if first < start { first + DAY } else { first }
    }
}

/// `Z`, nothing, `+02:00`, `+0200`, `+02`.
fn offset(zone: &str) -> Option<i64> {
    let digits = match zone.get(..1) {
        None | Some("Z" | "z") if zone.len() <= 1 => return Some(0),
        Some("+" | "-") => zone.get(1..)?,
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let hours = number(digits.get(..2)?, 14)?;
    let minutes = match digits.get(2..)? {
        "" => 0,
        minutes => number(minutes, 59)?,
    };
    let offset = (hours * 60 + minutes) * MINUTE;
    Some(if zone.starts_with('-') { -offset } else { offset })
}

fn number(text: &str, most: i64) -> Option<i64> {
    let digits = text.len() <= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number <= most)
}

impl Days {
    fn of(value: Option<&Value>) -> Result<Self, String> {
        let wrong = || "daysOfWeek is no list of days".to_owned();
        let list = match value {
            None | Some(Value::Null) => return Ok(Self([true; 7])),
            Some(Value::Array(list)) => list,
            Some(_) => return Err(wrong()),
        };
        let day = |value: &Value| match value {
            Value::Number(day) if (0.0..=7.0).contains(day) => Some(whole(*day)),
            Value::String(text) => number(text.trim(), 7),
            Value::Boolean(on) => Some(i64::from(*on)),
            _ => None,
        };
        let numbers: Vec<i64> = list.iter().map(day).collect::<Option<_>>().ok_or_else(wrong)?;
        if numbers.is_empty() {
            return Ok(Self([true; 7]));
        }
        let mut days = [false; 7];
        if numbers.len() == days.len() && numbers.iter().all(|flag| *flag <= 1) {
            days.iter_mut().zip(&numbers).for_each(|(day, flag)| *day = *flag == 1);
        } else {
            for number in numbers {
                if let Some(day) = usize::try_from(number % 7).ok().and_then(|number| days.get_mut(number)) {
                    *day = true;
                }
            }
        }
        Ok(Self(days))
    }

    /// Whether a day is among them: its number since 1970 began.
    fn has(self, day: i64) -> bool {
        let weekday = usize::try_from((day + FIRST_DAY_OF_WEEK).rem_euclid(7)).unwrap_or_default();
        self.0.get(weekday).copied().unwrap_or_default()
    }
}

fn moment(row: &Object, field: &str) -> Option<i64> {
    match row.get(field) {
        Some(Value::Date(date)) => Some(date.millis()),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast from float saturates, and Date cuts off what is too far away"
)]
fn whole(number: f64) -> i64 {
    Date::from_millis(number as i64).millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(fields: &[(&str, Value)]) -> Object {
        let mut row = Object::new();
        row.insert("createdAt", date("2026-03-01T00:00:00.000Z"));
        row.insert("updatedAt", date("2026-03-01T00:00:00.000Z"));
        row.insert("startAfter", "2026-03-01T00:00:00.000Z");
        for (field, value) in fields {
            row.insert(*field, value.clone());
        }
        row
    }

    fn date(text: &str) -> Date {
        Date::parse(text).unwrap()
    }

    fn latest(fields: &[(&str, Value)], now: &str) -> Option<String> {
        let latest = Timetable::of(&row(fields)).unwrap().latest(date(now).millis());
        latest.map(|millis| Date::from_millis(millis).to_iso())
    }

    fn due(fields: &[(&str, Value)], now: &str) -> bool {
        Timetable::of(&row(fields)).unwrap().is_due(date(now))
    }

    const fn every(minutes: f64) -> (&'static str, Value) {
        ("repeatMinutes", Value::Number(minutes))
    }

    fn at(time: &str) -> (&'static str, Value) {
        ("timeOfDay", time.into())
    }

    fn days(days: &[f64]) -> (&'static str, Value) {
        ("daysOfWeek", Value::Array(days.iter().map(|day| Value::Number(*day)).collect()))
    }

    fn ran(moment: &str) -> (&'static str, Value) {
        #[expect(clippy::cast_precision_loss, reason = "a date of today")]
        ("lastRun", Value::Number(date(moment).millis() as f64))
    }

    /// Fields of a row, a moment, and when the job was to be started last by then.
    type Case<'a> = (&'a [(&'static str, Value)], &'a str, Option<&'a str>);

    #[test]
    fn moments_of_a_timetable() {
        // 2026-03-04 is a Wednesday.
        let weekdays = [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 0.0];
        let cases: &[Case] = &[
            (&[], "2026-02-28T23:59:59Z", None),
            (&[], "2026-03-04T10:00:00Z", Some("2026-03-01T00:00:00.000Z")),
            (&[every(1440.0), at("08:00:00.000Z")], "2026-03-04T10:00:00Z", Some("2026-03-04T08:00:00.000Z")),
            (&[every(1440.0), at("08:00:00.000Z")], "2026-03-04T07:59:59Z", Some("2026-03-03T08:00:00.000Z")),
            (&[every(1440.0), at("08:00:00.000Z")], "2026-03-01T07:00:00Z", None),
            (&[every(1440.0), at("08:00+02:00")], "2026-03-04T07:00:00Z", Some("2026-03-04T06:00:00.000Z")),
            (&[every(1440.0), at("23:30-0500")], "2026-03-04T05:00:00Z", Some("2026-03-04T04:30:00.000Z")),
            (&[every(15.0), at("12:00:00.000Z")], "2026-03-04T12:44:00Z", Some("2026-03-04T12:30:00.000Z")),
            (&[every(15.0), at("12:00:00.000Z")], "2026-03-04T11:59:00Z", Some("2026-03-03T23:45:00.000Z")),
            (&[every(2880.0), at("12:00")], "2026-03-04T12:00:00Z", Some("2026-03-03T12:00:00.000Z")),
            (&[every(10.0)], "2026-03-04T12:44:00Z", Some("2026-03-04T12:40:00.000Z")),
            (&[every(1440.0), at("08:00"), days(&weekdays)], "2026-03-08T10:00:00Z", Some("2026-03-06T08:00:00.000Z")),
            (&[every(60.0), days(&[1.0, 7.0])], "2026-03-04T10:00:00Z", Some("2026-03-02T23:00:00.000Z")),
            (&[every(60.0), days(&[5.0])], "2026-03-04T10:00:00Z", None),
        ];
        for (fields, now, expected) in cases {
            assert_eq!(latest(fields, now).as_deref(), *expected, "{fields:?} at {now}");
        }
    }

    #[test]
    fn missed_runs_are_made_up_for_once() {
        let daily = [every(1440.0), at("08:00")];
        let with = |last: &str| [daily[0].clone(), daily[1].clone(), ran(last)];
        assert!(!due(&with("2026-03-04T08:00:01Z"), "2026-03-04T10:00:00Z"));
        assert!(due(&with("2026-03-03T08:00:01Z"), "2026-03-04T10:00:00Z"));
        assert!(due(&with("2026-03-01T08:00:01Z"), "2026-03-04T10:00:00Z"), "three missed");
        assert!(!due(&with("2026-03-04T10:00:00Z"), "2026-03-05T07:00:00Z"), "one made up for them");
        let ran_once = [ran("2026-03-01T00:00:03Z")];
        assert!(!due(&ran_once, "2026-03-04T10:00:00Z"));
        assert!(due(&[], "2026-03-01T10:00:00Z"));
    }

    #[test]
    fn what_was_due_before_a_schedule_was_written_does_not_run() {
        let written = ("updatedAt", Value::Date(date("2026-03-04T09:00:00Z")));
        assert!(!due(&[every(1440.0), at("08:00"), written.clone()], "2026-03-04T09:00:05Z"));
        assert!(due(&[every(1440.0), at("08:59:30"), written], "2026-03-04T09:00:05Z"), "just now");
        assert!(!due(&[], "2026-03-04T10:00:00Z"), "never ran, and long ago");
    }

    #[test]
    fn schedules_that_are_none() {
        let wrong: &[(&str, Value)] = &[
            ("startAfter", "soon".into()),
            ("repeatMinutes", Value::Number(0.5)),
            ("repeatMinutes", Value::Number(-5.0)),
            ("repeatMinutes", Value::Number(f64::NAN)),
            ("timeOfDay", "25:00".into()),
            ("timeOfDay", "8".into()),
            ("timeOfDay", "08:00 CET".into()),
            ("timeOfDay", "08:00+99:00".into()),
            ("timeOfDay", "+1:00".into()),
            ("daysOfWeek", "Monday".into()),
            ("daysOfWeek", Value::Array(vec![Value::Number(9.0)])),
        ];
        for (field, value) in wrong {
            let mut row = row(&[every(60.0)]);
            row.insert(*field, value.clone());
            assert!(Timetable::of(&row).is_err(), "{field} {value:?}");
        }
    }
}
