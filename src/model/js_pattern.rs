//! Regular expressions in JavaScript's syntax, from configurations of parse-server.

use std::fmt::{self, Write as _};

use fancy_regex::{Regex, RegexBuilder};

/// Maximum number of backtracking steps of a search.
const BACKTRACK_LIMIT: usize = 100_000;

/// A pattern in JavaScript's syntax, without flags.
#[derive(Clone)]
pub struct JsPattern {
    source: String,
    regex: Option<Regex>,
}

impl JsPattern {
    /// Compiles a pattern; [`JsPattern::is_valid`] tells whether it is valid.
    #[must_use]
    pub fn new(source: impl Into<String>) -> Self {
        let source = source.into();
        let regex = Translator::new(&source)
            .translate()
            .and_then(|translated| RegexBuilder::new(&translated).backtrack_limit(BACKTRACK_LIMIT).build().ok());
        Self { source, regex }
    }

    /// Whether the pattern is valid.
    #[must_use]
    pub const fn is_valid(&self) -> bool {
        self.regex.is_some()
    }

    /// The text of the pattern.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether the pattern occurs in the text. A search that exceeds its work limit counts as not found.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.as_ref().is_some_and(|regex| regex.is_match(text).unwrap_or(false))
    }
}

impl PartialEq for JsPattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl fmt::Debug for JsPattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "JsPattern({:?})", self.source)
    }
}

const WORD: &str = "A-Za-z0-9_";
const BOUNDARY: &str = "(?:(?<=[A-Za-z0-9_])(?![A-Za-z0-9_])|(?<![A-Za-z0-9_])(?=[A-Za-z0-9_]))";
const NO_BOUNDARY: &str = "(?:(?<=[A-Za-z0-9_])(?=[A-Za-z0-9_])|(?<![A-Za-z0-9_])(?![A-Za-z0-9_]))";

/// Translates JavaScript's syntax to the engine's, where they differ in ASCII and Unicode, and in literal and special
/// characters.
struct Translator {
    input: Vec<char>,
    at: usize,
    out: String,
}

impl Translator {
    fn new(source: &str) -> Self {
        Self { input: source.chars().collect(), at: 0, out: String::new() }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.input.get(self.at + ahead).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek(0)?;
        self.at += 1;
        Some(letter)
    }

    fn translate(mut self) -> Option<String> {
        while let Some(letter) = self.next() {
            match letter {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '.' => self.out.push_str(r"[^\n\r\x{2028}\x{2029}]"),
                '{' if !self.quantifies() => self.out.push_str(r"\{"),
                '{' => {
                    self.out.push('{');
                    while let Some(letter) = self.next() {
                        self.out.push(letter);
                        if letter == '}' {
                            break;
                        }
                    }
                }
                '}' | ']' => self.literal(letter),
                _ => self.out.push(letter),
            }
        }
        Some(self.out)
    }

    /// Whether an opening brace begins a quantifier.
    fn quantifies(&self) -> bool {
        let rest: String = self.input.iter().skip(self.at).take_while(|letter| **letter != '}').collect();
        let closed = self.input.iter().skip(self.at).any(|letter| *letter == '}');
        let mut bounds = rest.splitn(2, ',');
        let digits = |text: &str| text.chars().all(|letter| letter.is_ascii_digit());
        closed
            && bounds.next().is_some_and(|least| !least.is_empty() && digits(least))
            && bounds.next().is_none_or(digits)
    }

    fn literal(&mut self, letter: char) {
        if letter.is_ascii() && !letter.is_ascii_alphanumeric() && !letter.is_ascii_control() && letter != ' ' {
            self.out.push('\\');
        }
        self.out.push(letter);
    }

    fn hex(&mut self, digits: usize) -> Option<u32> {
        let text: String = self.input.get(self.at..self.at + digits)?.iter().collect();
        let number = u32::from_str_radix(&text, 16).ok()?;
        self.at += digits;
        Some(number)
    }

    fn escape(&mut self, in_class: bool) -> Option<()> {
        let letter = self.next()?;
        let set = |translator: &mut Self, negated: bool, inner: &str| match (in_class, negated) {
            (true, false) => translator.out.push_str(inner),
            (_, negated) => {
                translator.out.push_str(if negated { "[^" } else { "[" });
                translator.out.push_str(inner);
                translator.out.push(']');
            }
        };
        match letter {
            'd' => set(self, false, "0-9"),
            'D' => set(self, true, "0-9"),
            'w' => set(self, false, WORD),
            'W' => set(self, true, WORD),
            'b' if in_class => self.out.push_str(r"\x08"),
            'b' => self.out.push_str(BOUNDARY),
            'B' if !in_class => self.out.push_str(NO_BOUNDARY),
            's' | 'S' | 't' | 'n' | 'r' | 'f' | 'v' => {
                self.out.push('\\');
                self.out.push(letter);
            }
            '1'..='9' | 'k' if !in_class => {
                self.out.push('\\');
                self.out.push(letter);
            }
            '0' => self.out.push_str(r"\x00"),
            'c' => {
                let control = self.next().filter(char::is_ascii_alphabetic)?;
                self.character(u32::from(control) % 32)?;
            }
            'x' => match self.hex(2) {
                Some(code) => self.character(code)?,
                None => self.out.push('x'),
            },
            'u' => self.unicode()?,
            other => self.literal(other),
        }
        Some(())
    }

    /// `\uHHHH`, also as a pair of surrogates; anything else is the letter itself.
    fn unicode(&mut self) -> Option<()> {
        let Some(first) = self.hex(4) else {
            self.out.push('u');
            return Some(());
        };
        if (0xD800..0xDC00).contains(&first) && self.peek(0) == Some('\\') && self.peek(1) == Some('u') {
            self.at += 2;
            let second = self.hex(4).filter(|second| (0xDC00..0xE000).contains(second))?;
            return self.character(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        }
        self.character(first)
    }

    fn character(&mut self, code: u32) -> Option<()> {
        char::from_u32(code)?;
        write!(self.out, r"\x{{{code:x}}}").ok()?;
        Some(())
    }

    fn class(&mut self) -> Option<()> {
        let negated = self.peek(0) == Some('^');
        if negated {
            self.at += 1;
        }
        if self.peek(0) == Some(']') {
            self.at += 1;
            self.out.push_str(if negated { r"[\s\S]" } else { r"(?!)" });
            return Some(());
        }
        self.out.push_str(if negated { "[^" } else { "[" });
        let start = self.out.len();
        loop {
            match self.next()? {
                ']' => break,
                '\\' => self.escape(true)?,
                '-' if self.out.len() > start && self.peek(0) != Some(']') => self.out.push('-'),
                letter => self.literal(letter),
            }
        }
        self.out.push(']');
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javascript_is_understood() {
        for (pattern, text, matches) in [
            (r"^(?=.*[a-z])(?=.*[0-9]).{8,}$", "abcdef123", true),
            (r"^(?=.*[a-z])(?=.*[0-9]).{8,}$", "short1", false),
            (r"\d", "٣", false),
            (r"^\w+$", "ä", false),
            (r"^[^\d]+$", "abc", true),
            (r"^[\w-]+$", "a-b", true),
            (r"[[]", "[", true),
            (r"a{", "a{", true),
            (r"a{2}", "aa", true),
            (r"^[^]$", "\n", true),
            (r"^.$", "\n", false),
            (r"\/", "/", true),
            (r"\u0041\x42", "AB", true),
            (r"\ud83d\ude00", "😀", true),
            (r"\bfoo\b", "a foo b", true),
            (r"\bfoo\b", "afoo", false),
            (r"[!@#$%^&*]", "&", true),
            (r"[a&&b]", "&", true),
            (r"(a)\1", "aa", true),
        ] {
            assert_eq!(JsPattern::new(pattern).is_match(text), matches, "{pattern} on {text:?}");
        }
        for broken in ["(", "[a", r"\", "*", "a{2}{3}("] {
            assert!(!JsPattern::new(broken).is_valid(), "{broken}");
        }
    }
}
