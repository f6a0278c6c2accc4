//! Texts that JavaScript's `Date` reads. Clients of Parse send what `new Date(text)` takes, which is more than ISO 8601:
//! `2020`, `2020-01`, `01/02/2020`, `Jan 2, 2020 3:04 PM`, `+020200-01-01T00:00:00.000Z`, `2020-02-30` (1 March).
//!
//! ISO forms follow ECMAScript ("Date Time String Format"); everything else follows what browsers and Node agree on. A time
//! without a zone counts as UTC, as on a server that runs in UTC.

use super::{DAY, LIMIT};

/// Milliseconds since 1970 of the moment a text stands for; `None` when JavaScript makes an invalid date of it.
pub(super) fn read(text: &str) -> Option<i64> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let moment = iso(text.as_bytes()).or_else(|| Loose::default().read(text))?;
    (moment.abs() <= LIMIT).then_some(moment)
}

/// Longest text that is looked at; the longest form in use, that of `Date.toString`, has 80 characters.
const MAX_LENGTH: usize = 200;

/// Milliseconds since 1970 of the first moment of a day. Days beyond the end of a month belong to the next one.
fn day_start(year: i64, month: i64, day: i64) -> i64 {
    // Counted in eras of 400 years whose years begin in March, so that the leap day comes last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let year_of_era = year.rem_euclid(400);
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + (153 * month + 2) / 5 + day - 1;
    (year.div_euclid(400) * 146_097 + day_of_era - 719_468) * DAY
}

/// A time of day in milliseconds; 24:00 is the only one of the hour 24.
fn time_of_day(hour: i64, minute: i64, second: i64, milli: i64) -> Option<i64> {
    let in_day = hour < 24 || (hour == 24 && minute == 0 && second == 0 && milli == 0);
    (in_day && minute < 60 && second < 60).then(|| hour * 3_600_000 + minute * 60_000 + second * 1000 + milli)
}

/// The first three of the digits after a decimal point, as milliseconds.
fn millis(digits: &[u8]) -> i64 {
    (0..3).fold(0, |millis, at| millis * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0')))
}

/// What is left of an ISO text.
struct Iso<'a>(&'a [u8]);

impl<'a> Iso<'a> {
    fn skip(&mut self, byte: u8) -> bool {
        let rest = self.0.strip_prefix(&[byte]);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn digits(&mut self) -> &'a [u8] {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits
    }

    /// A number of exactly so many digits.
    fn number(&mut self, length: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        digits.iter().try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + i64::from(digit - b'0')))
    }

    fn number_between(&mut self, least: i64, most: i64) -> Option<i64> {
        self.number(2).filter(|number| (least..=most).contains(number))
    }
}

fn iso(text: &[u8]) -> Option<i64> {
    let mut text = Iso(text);
    let year = if text.skip(b'+') {
        text.number(6)?
    } else if text.skip(b'-') {
        // There is no year minus zero.
        -text.number(6).filter(|year| *year != 0)?
    } else {
        text.number(4)?
    };
    let month = if text.skip(b'-') { text.number_between(1, 12)? } else { 1 };
    let day = if text.skip(b'-') { text.number_between(1, 31)? } else { 1 };
    let start = day_start(year, month, day);
    if text.0.is_empty() {
        return Some(start);
    }
    if !(text.skip(b'T') || text.skip(b't') || text.skip(b' ')) {
        return None;
    }
    let hour = text.number(2)?;
    let minute = if text.skip(b':') { text.number(2)? } else { return None };
    let second = if text.skip(b':') { text.number(2)? } else { 0 };
    let milli = if text.skip(b'.') { millis(Some(text.digits()).filter(|digits| !digits.is_empty())?) } else { 0 };
    let moment = start + time_of_day(hour, minute, second, milli)?;
    let offset = if text.skip(b'Z') || text.skip(b'z') || text.0.is_empty() {
        0
    } else {
        let sign = if text.skip(b'-') {
            -1
        } else if text.skip(b'+') {
            1
        } else {
            return None;
        };
        let hours = text.number_between(0, 23)?;
        text.skip(b':');
        sign * (hours * 60 + text.number_between(0, 59)?)
    };
    text.0.is_empty().then_some(moment - offset * 60_000)
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Zones with a name, in hours.
const ZONES: [(&str, i64); 12] = [
    ("utc", 0),
    ("gmt", 0),
    ("z", 0),
    ("ut", 0),
    ("est", -5),
    ("edt", -4),
    ("cst", -6),
    ("cdt", -5),
    ("mst", -7),
    ("mdt", -6),
    ("pst", -8),
    ("pdt", -7),
];

/// A part of a text that is not ISO 8601.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Token<'a> {
    Number(&'a str),
    Word(&'a str),
    Sign(i64),
    Symbol(char),
    Space,
}

/// What was read so far of a text that is not ISO 8601.
#[derive(Debug, Default)]
struct Loose {
    /// Numbers that belong to the day, at most three.
    day: Vec<i64>,
    month: Option<i64>,
    /// Hour, minute, second, milliseconds.
    time: Vec<i64>,
    /// Whether the time can go on: a colon or a point came last.
    time_open: bool,
    /// 0 for AM, 12 for PM.
    half: Option<i64>,
    /// Offset from UTC in minutes.
    offset: Option<i64>,
    has_number: bool,
}

impl Loose {
    fn read(mut self, text: &str) -> Option<i64> {
        let tokens = tokens(text)?;
        let mut rest = tokens.as_slice();
        while let Some((token, after)) = rest.split_first() {
            rest = match token {
                Token::Number(digits) => self.number(digits, after)?,
                Token::Word(word) => self.word(word, after)?,
                Token::Sign(sign) if self.offset == Some(0) || !self.time.is_empty() => self.zone(*sign, after)?,
                Token::Sign(_) | Token::Symbol(')') if self.has_number => return None,
                Token::Sign(_) | Token::Symbol(_) | Token::Space => after,
            };
        }
        Some(self.day_start()? + self.time_of_day()? - self.offset.unwrap_or(0) * 60_000)
    }

    fn number<'t, 's>(&mut self, digits: &'s str, after: &'t [Token<'s>]) -> Option<&'t [Token<'s>]> {
        self.has_number = true;
        let number = value(digits)?;
        match after {
            [Token::Symbol(':'), rest @ ..] if self.time.len() < 3 => {
                self.time.push(number);
                self.time_open = true;
                return Some(rest);
            }
            [Token::Symbol(':'), ..] => return None,
            [Token::Symbol('.'), Token::Number(fraction), rest @ ..] if self.time_open && self.time.len() == 2 => {
                self.time.extend([number, millis(fraction.as_bytes())]);
                self.time_open = false;
                return Some(rest);
            }
            _ => {}
        }
        if self.time_open {
            self.time.push(number);
            self.time_open = false;
            let ends = match after.first() {
                None | Some(Token::Space | Token::Sign(_)) => true,
                Some(Token::Word(word)) => word.eq_ignore_ascii_case("z"),
                Some(_) => false,
            };
            return ends.then_some(after);
        }
        if self.day.len() == 3 {
            return None;
        }
        self.day.push(number);
        Some(after.strip_prefix(&[Token::Sign(-1)]).unwrap_or(after))
    }

    fn word<'t, 's>(&mut self, word: &str, after: &'t [Token<'s>]) -> Option<&'t [Token<'s>]> {
        let word = word.to_ascii_lowercase();
        let month = MONTHS.iter().zip(1..).find(|(name, _)| word.starts_with(**name));
        if let (false, Some(half)) = (self.time.is_empty(), ["am", "pm"].iter().position(|half| *half == word)) {
            self.half = Some(if half == 0 { 0 } else { 12 });
        } else if let Some((_, month)) = month {
            self.month = Some(month);
            if let [Token::Sign(-1), rest @ ..] = after {
                return Some(rest);
            }
        } else if let (true, Some((_, hours))) = (self.has_number, ZONES.iter().find(|(name, _)| *name == word)) {
            self.offset = Some(hours * 60);
        } else if self.has_number || matches!(after.first(), Some(Token::Number(_))) {
            // Words that mean nothing may only stand before the first number, apart from it.
            return None;
        }
        Some(after)
    }

    /// An offset from UTC: `+1`, `+01`, `+0130`, `+01:30`.
    fn zone<'t, 's>(&mut self, sign: i64, after: &'t [Token<'s>]) -> Option<&'t [Token<'s>]> {
        self.has_number = true;
        let [Token::Number(digits), rest @ ..] = after else {
            self.offset = Some(0);
            return Some(after);
        };
        let number = value(digits)?;
        let (minutes, rest) = match (rest, digits.len()) {
            ([Token::Symbol(':'), Token::Number(minutes), rest @ ..], _) => (number * 60 + value(minutes)?, rest),
            (rest, 1 | 2) => (number * 60, rest),
            (rest, 3 | 4) => (number / 100 * 60 + number % 100, rest),
            _ => return None,
        };
        self.offset = Some(sign * minutes);
        Some(rest)
    }

    fn day_start(&self) -> Option<i64> {
        let part = |at: usize| self.day.get(at).copied().unwrap_or(1);
        let first = *self.day.first()?;
        let is_day = (1..=31).contains(&first);
        let (year, month, day) = match self.month {
            None if is_day => (part(2), first, part(1)),
            None => (first, part(1), part(2)),
            Some(month) if is_day => (part(1), month, first),
            Some(month) => (first, month, part(1)),
        };
        let year = match year {
            0..=49 => year + 2000,
            50..=99 => year + 1900,
            _ => year,
        };
        ((1..=12).contains(&month) && (1..=31).contains(&day)).then(|| day_start(year, month, day))
    }

    fn time_of_day(&self) -> Option<i64> {
        let part = |at: usize| self.time.get(at).copied().unwrap_or(0);
        let hour = match self.half {
            None => part(0),
            Some(half) if (0..=12).contains(&part(0)) => part(0) % 12 + half,
            Some(_) => return None,
        };
        time_of_day(hour, part(1), part(2), part(3))
    }
}

/// A number that a date can have; nine digits are more than any needs.
fn value(digits: &str) -> Option<i64> {
    digits.parse().ok().filter(|_| digits.len() <= 9)
}

/// Takes a text apart; what stands in parentheses means nothing.
fn tokens(text: &str) -> Option<Vec<Token<'_>>> {
    let mut tokens = Vec::new();
    let mut depth = 0_usize;
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let of = |wanted: fn(char) -> bool| rest.find(|letter| !wanted(letter)).unwrap_or(rest.len());
        let (token, length) = match first {
            '(' => {
                depth += 1;
                rest = rest.get(1..)?;
                continue;
            }
            ')' if depth > 0 => {
                depth -= 1;
                rest = rest.get(1..)?;
                continue;
            }
            first if first.is_ascii_digit() => {
                let length = of(|letter| letter.is_ascii_digit());
                (Token::Number(rest.get(..length)?), length)
            }
            first if first.is_alphabetic() => {
                let length = of(char::is_alphabetic);
                (Token::Word(rest.get(..length)?), length)
            }
            '+' => (Token::Sign(1), 1),
            '-' => (Token::Sign(-1), 1),
            first if first.is_whitespace() => (Token::Space, of(char::is_whitespace)),
            first => (Token::Symbol(first), first.len_utf8()),
        };
        if depth == 0 {
            tokens.push(token);
        }
        rest = rest.get(length..)?;
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::super::Date;

    /// What Node in UTC makes of these texts.
    #[test]
    fn reads_what_node_reads() {
        for (text, iso) in [
            ("2020", "2020-01-01T00:00:00.000Z"),
            ("2020-01", "2020-01-01T00:00:00.000Z"),
            ("2020-01-02", "2020-01-02T00:00:00.000Z"),
            ("2020-02-30", "2020-03-01T00:00:00.000Z"),
            ("2020-02-30T00:00:00Z", "2020-03-01T00:00:00.000Z"),
            ("2020-01-01T24:00:00Z", "2020-01-02T00:00:00.000Z"),
            ("2020-01-02T03:04Z", "2020-01-02T03:04:00.000Z"),
            ("2020-01-02T03:04:05.6789Z", "2020-01-02T03:04:05.678Z"),
            ("2020-01-02T03:04:05.6+02:30", "2020-01-02T00:34:05.600Z"),
            ("2020-01-02 03:04:05", "2020-01-02T03:04:05.000Z"),
            ("+020200-01-01T00:00:00.000Z", "+020200-01-01T00:00:00.000Z"),
            ("-000001-01-01T00:00:00.000Z", "-000001-01-01T00:00:00.000Z"),
            ("01/02/2020", "2020-01-02T00:00:00.000Z"),
            ("2020/03/04", "2020-03-04T00:00:00.000Z"),
            ("1/2/99", "1999-01-02T00:00:00.000Z"),
            ("1/2/20 3:04 PM", "2020-01-02T15:04:00.000Z"),
            ("12:30 AM 1/2/2020", "2020-01-02T00:30:00.000Z"),
            ("Jan 2, 2020", "2020-01-02T00:00:00.000Z"),
            ("2 January 2020 10:00 GMT+1", "2020-01-02T09:00:00.000Z"),
            ("January 2020", "2020-01-01T00:00:00.000Z"),
            ("Thu, 02 Jan 2020 03:04:05 GMT", "2020-01-02T03:04:05.000Z"),
            ("Thu Jan 02 2020 03:04:05 GMT+0100 (Central European Standard Time)", "2020-01-02T02:04:05.000Z"),
            ("2020-1-2", "2020-01-02T00:00:00.000Z"),
            ("2 Jan 2020 03:04:05.5 EST", "2020-01-02T08:04:05.500Z"),
        ] {
            assert_eq!(Date::read(text).map(Date::to_iso).as_deref(), Some(iso), "{text}");
        }
        for text in [
            "",
            " ",
            "not a date",
            "2020-13-01",
            "2020-01-32",
            "2020-01-01T25:00:00Z",
            "2020-01-01T24:00:01Z",
            "2020-01-02Tx",
            "-000000-01-01T00:00:00.000Z",
            "+275760-09-13T00:00:00.001Z",
            "13/13/2020",
            "1/2/2020 25:00",
            "1/2/3/4",
            "2020-01-02T03:04:05+0",
            "2 foo 2020",
            "99999999999999999999",
        ] {
            assert_eq!(Date::read(text).map(Date::to_iso), None, "{text}");
        }
    }
}
