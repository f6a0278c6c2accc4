//! Estimates how much work a translated pattern can cause before it runs: the engine bounds backtracking, not all steps.

use std::iter::Peekable;
use std::str::Chars;

/// Work that one search may take, in steps of a few nanoseconds.
const BUDGET: f64 = 1e8;

/// What a pattern, or a part of one, can cost.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measure {
    /// About how many states the pattern has.
    size: f64,
    /// How many parts it has that run on their own: lookaround, atomic groups, references.
    parts: f64,
    /// Their work grows with this power of the length of the text, at each place where an attempt begins.
    exponent: i32,
    /// Whether it can take any number of characters.
    unbounded: bool,
    /// Whether attempts begin only at the start of the text.
    anchored: bool,
}

impl Measure {
    /// Measures a pattern in the engine's language.
    #[must_use]
    pub fn of(pattern: &str) -> Self {
        // A lookahead at the very end costs nothing of its own.
        let body = pattern.strip_suffix("(?=\\n?\\z)").unwrap_or(pattern);
        let mut measure = Scan { input: body.chars().peekable(), open: vec![Group::default()] }.run();
        let begins = pattern.starts_with("\\A") || pattern.starts_with('^');
        measure.anchored = begins && !pattern.contains('|') && !pattern.contains("(?m");
        measure
    }

    /// Whether a search in a text of so many bytes stays within its bounds.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn allows(&self, length: usize) -> bool {
        let length = length.max(1) as f64;
        let alone = self.parts * (self.size / 200.0).max(1.0) * length.powi(self.power());
        length * self.size <= BUDGET && (self.parts == 0.0 || alone <= BUDGET)
    }

    /// Whether its work grows no faster than the text.
    #[must_use]
    pub fn is_linear(&self) -> bool {
        self.parts == 0.0 || self.power() <= 1
    }

    /// With all places where attempts begin.
    fn power(&self) -> i32 {
        self.exponent.max(i32::from(self.unbounded)) + i32::from(!self.anchored)
    }

    fn atom(size: f64) -> Self {
        Self { size, ..Self::default() }
    }

    /// A part that runs on its own.
    fn part() -> Self {
        Self { size: 1.0, parts: 1.0, ..Self::default() }
    }

    fn and(self, next: Self) -> Self {
        Self {
            size: self.size + next.size,
            parts: self.parts + next.parts,
            exponent: self.exponent.max(next.exponent),
            unbounded: self.unbounded || next.unbounded,
            anchored: false,
        }
    }

    /// Repeated at least so often; `most`: at most so often.
    fn repeated(self, least: f64, most: Option<f64>) -> Self {
        let times = most.unwrap_or(least + 1.0).max(1.0);
        let exponent = if most.is_none() && self.parts > 0.0 { self.exponent + 1 } else { self.exponent };
        Self {
            size: self.size * times,
            parts: self.parts * times,
            exponent,
            unbounded: self.unbounded || most.is_none(),
            anchored: false,
        }
    }
}

/// An open group.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    /// All but the last atom.
    before: Measure,
    /// The last atom, to which a repetition belongs.
    last: Measure,
    /// Whether the group runs on its own.
    alone: bool,
}

struct Scan<'a> {
    input: Peekable<Chars<'a>>,
    open: Vec<Group>,
}

impl Scan<'_> {
    fn run(mut self) -> Measure {
        while let Some(next) = self.input.next() {
            match next {
                '\\' => self.escape(),
                '[' => self.class(),
                '(' => self.group(),
                ')' => self.close(),
                '*' => self.repeat(0.0, None),
                '+' => self.repeat(1.0, None),
                '?' => self.repeat(0.0, Some(1.0)),
                '{' => self.counted(),
                '.' => self.atom(Measure::atom(10.0)),
                _ => self.atom(Measure::atom(if next.is_ascii() { 1.0 } else { 4.0 })),
            }
        }
        while self.open.len() > 1 {
            self.close();
        }
        self.open.pop().map_or_else(Measure::default, |group| group.before.and(group.last))
    }

    fn atom(&mut self, atom: Measure) {
        if let Some(group) = self.open.last_mut() {
            group.before = group.before.and(group.last);
            group.last = atom;
        }
    }

    fn repeat(&mut self, least: f64, most: Option<f64>) {
        // A repetition that gives nothing back runs on its own.
        let possessive = self.input.next_if_eq(&'+').is_some();
        if !possessive {
            self.input.next_if_eq(&'?');
        }
        if let Some(group) = self.open.last_mut() {
            group.last = group.last.repeated(least, most);
            if possessive {
                group.last = alone(group.last);
            }
        }
    }

    fn counted(&mut self) {
        let text: String = self.input.by_ref().take_while(|next| *next != '}').collect();
        let (low, high) = text.split_once(',').unwrap_or((&text, &text));
        let least = low.parse().unwrap_or(0.0);
        self.repeat(least, high.parse().ok());
    }

    fn group(&mut self) {
        let mut group = Group::default();
        if self.input.next_if_eq(&'?').is_some() {
            match self.input.next() {
                Some('=' | '!' | '>' | '(') => group.alone = true,
                Some('<') => match self.input.peek() {
                    Some('=' | '!') => {
                        self.input.next();
                        group.alone = true;
                    }
                    _ => while self.input.next().is_some_and(|next| next != '>') {},
                },
                Some(':') | None => {}
                // Flags, for a group or for what follows.
                Some(_) => loop {
                    match self.input.next() {
                        Some(')') => return,
                        Some(':') | None => break,
                        Some(_) => {}
                    }
                },
            }
        }
        self.open.push(group);
    }

    fn close(&mut self) {
        if self.open.len() < 2 {
            return;
        }
        if let Some(group) = self.open.pop() {
            let whole = group.before.and(group.last);
            self.atom(if group.alone { alone(whole) } else { whole });
        }
    }

    fn escape(&mut self) {
        match self.input.next() {
            Some('1'..='9' | 'k' | 'g' | 'K' | 'G') => self.atom(Measure::part()),
            Some('p' | 'P') => {
                self.braces();
                self.atom(Measure::atom(100.0));
            }
            Some('x' | 'u') => {
                self.braces();
                self.atom(Measure::atom(4.0));
            }
            _ => self.atom(Measure::atom(1.0)),
        }
    }

    fn braces(&mut self) {
        if self.input.next_if_eq(&'{').is_some() {
            while self.input.next().is_some_and(|next| next != '}') {}
        }
    }

    fn class(&mut self) {
        let mut size = 10.0;
        let mut depth = 1_u32;
        while depth > 0 {
            match self.input.next() {
                Some('\\') => {
                    if matches!(self.input.next(), Some('p' | 'P')) {
                        size += 100.0;
                    }
                }
                Some('[') => depth += 1,
                Some(']') => depth -= 1,
                Some(_) => size += 0.2,
                None => break,
            }
        }
        self.atom(Measure::atom(size));
    }
}

/// The same, run on its own.
fn alone(inner: Measure) -> Measure {
    let exponent = inner.exponent.max(i32::from(inner.unbounded));
    Measure { parts: inner.parts + 1.0, exponent, ..inner }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        for (pattern, linear, power) in [
            ("foo.*bar", true, 2),
            ("(?=.*b)c", false, 2),
            ("^(?=.*b)(?=.*c)", true, 1),
            ("(?<!b)c", true, 1),
            ("(?>(?:(?=.*a)a)*)x", false, 3),
            ("(?:(?=(?>(?:(?=.*a)a)*))a)*", false, 4),
            ("a++b", false, 2),
            ("(a|b)\\1", true, 1),
            ("foo(?=\\n?\\z)", true, 1),
        ] {
            let measure = Measure::of(pattern);
            assert_eq!((measure.is_linear(), measure.power()), (linear, power), "{pattern}");
        }
    }

    #[test]
    fn lengths() {
        assert!(Measure::of("(?=.*b)c").allows(5_000));
        assert!(!Measure::of("(?=.*b)c").allows(50_000));
        assert!(Measure::of("^(?=.*b)c").allows(1_000_000));
        assert!(Measure::of("[a-z]+@[a-z]+").allows(1_000_000));
        assert!(!Measure::of(&"[ab]".repeat(5_000)).allows(60_000));
        assert!(!Measure::of("(?:(?:a{1000}){1000}){1000}").allows(1_000));
    }
}
