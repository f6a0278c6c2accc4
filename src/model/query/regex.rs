//! Regular expressions of clients: MongoDB's PCRE, with limits for memory and work.

use std::borrow::Cow;

use fancy_regex::{RegexBuilder, RuntimeError};

use super::filter::Regex;
use super::pcre::measure::Measure;
use super::pcre::{self, Texts};
use crate::error::{ErrorCode, ParseError, Result};

/// Maximum bytes of a pattern, the limit of MongoDB.
pub const MAX_PATTERN: usize = 32_764;
/// Maximum number of backtracking steps of a search whose work grows linearly with the text.
const BACKTRACK_LIMIT: usize = 1_000_000;
/// Maximum number of backtracking steps of any other search, in which each step can read the whole text.
const COSTLY_BACKTRACK_LIMIT: usize = 100_000;
/// Maximum bytes of each part of a compiled pattern.
const PROGRAM_LIMIT: usize = 4 << 20;
/// Maximum bytes of the tables of a search.
const TABLE_LIMIT: usize = 2 << 20;
/// Maximum number of instructions of a compiled pattern with backtracking.
const INSTRUCTION_LIMIT: usize = 100_000;

/// A compiled pattern; compile it once per query.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// For texts of ASCII without a line break at the end.
    plain: Program,
    /// For all others, when it differs.
    any: Option<Program>,
}

#[derive(Debug, Clone)]
struct Program {
    regex: fancy_regex::Regex,
    measure: Measure,
}

impl Compiled {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// 102 if the pattern is invalid, uses unsupported features, or is too large.
    pub fn new(regex: &Regex) -> Result<Self> {
        if regex.pattern.len() > MAX_PATTERN {
            return Err(refused("Regular expression is too long".into()));
        }
        let translated =
            |texts| pcre::translate(&regex.pattern, &regex.options, texts).map_err(|reason| invalid(&reason));
        let (plain, any) = (translated(Texts::Plain)?, translated(Texts::Any)?);
        let any = if any == plain { None } else { Some(Program::new(&any, &regex.options)?) };
        Ok(Self { plain: Program::new(&plain, &regex.options)?, any })
    }

    /// Whether the pattern occurs in the text.
    ///
    /// # Errors
    /// 102 if the search exceeds its work limit.
    pub fn is_match(&self, text: &str) -> Result<bool> {
        match &self.any {
            Some(any) if !text.is_ascii() || text.ends_with('\n') => any.is_match(text),
            _ => self.plain.is_match(text),
        }
    }
}

impl Program {
    fn new(pattern: &str, options: &str) -> Result<Self> {
        let measure = Measure::of(pattern);
        let regex = RegexBuilder::new(pattern)
            .case_insensitive(options.contains('i'))
            .multi_line(options.contains('m'))
            .dot_matches_new_line(options.contains('s'))
            .backtrack_limit(if measure.is_linear() { BACKTRACK_LIMIT } else { COSTLY_BACKTRACK_LIMIT })
            .delegate_size_limit(PROGRAM_LIMIT)
            .delegate_dfa_size_limit(TABLE_LIMIT)
            .max_prog_size(INSTRUCTION_LIMIT)
            .build()
            .map_err(|error| invalid(&error))?;
        Ok(Self { regex, measure })
    }

    fn is_match(&self, text: &str) -> Result<bool> {
        if !self.measure.allows(text.len()) {
            return Err(refused("Regular expression is too costly for a text of this length".into()));
        }
        self.regex.is_match(text).map_err(|error| match error {
            fancy_regex::Error::RuntimeError(RuntimeError::BacktrackLimitExceeded | RuntimeError::StackOverflow) => {
                refused("Regular expression takes too much work".into())
            }
            other => invalid(&other),
        })
    }
}

fn invalid(reason: &dyn std::fmt::Display) -> ParseError {
    refused(format!("Regular expression is invalid: {reason}").into())
}

fn refused(message: Cow<'static, str>) -> ParseError {
    ParseError::new(ErrorCode::InvalidQuery, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(pattern: &str, options: &str, text: &str) -> bool {
        Compiled::new(&Regex { pattern: pattern.into(), options: options.into() }).unwrap().is_match(text).unwrap()
    }

    #[test]
    fn speaks_pcre() {
        for (pattern, options, text, expected) in [
            ("^Hello", "", "Hello World", true),
            ("^\\QHello\\E", "", "Hello", true),
            ("\\Qa.b*c\\E", "", "xa.b*cx", true),
            ("\\Qa.b\\E.", "", "a.bc", true),
            ("\\Qa\\E\\\\E\\Qb\\E", "", "a\\Eb", true),
            ("hello", "i", "HELLO", true),
            ("^Hello", "m", "Goodbye\nHello", true),
            ("^Hello", "", "Goodbye\nHello", false),
            ("hello # comment\n", "x", "hello there", true),
            ("h e # [\n l", "x", "hel", true),
            ("[ #]", "x", "#", true),
            ("a b", "", "a b", true),
            ("a.b", "", "a\nb", false),
            ("a.b", "s", "a\nb", true),
            ("end$", "", "the end\n", true),
            ("end$", "", "the end\n\n", false),
            ("end$", "m", "the end\nmore", true),
            ("(?<=a)b", "", "ab", true),
            ("(?<!a)b", "", "ab", false),
            ("(a|b)\\1", "", "abb", true),
            ("(?>a+)ab", "", "aaab", false),
            ("a++b", "", "aab", true),
            ("\\w", "", "ä", false),
            ("\\bfoo\\b", "", "a foo!", true),
            ("\\bfoo\\b", "", "afoo", false),
            ("\\d{2,3}", "", "12", true),
            ("\\d{,3}", "", "1{,3}", true),
            ("a{", "", "a{", true),
            ("[[]", "", "[", true),
            ("[]a]", "", "]", true),
            ("[^]a]", "", "]", false),
            ("[a&&b]", "", "&", true),
            ("[a--z]", "", "-", false),
            ("[[:alpha:]]+", "", "abc", true),
            ("[\\w-]+", "", "-", true),
            ("\\x41\\x{42}\\103", "", "ABC", true),
            ("\\<a\\>", "", "<a>", true),
            ("\\h", "", " ", true),
            ("\\h", "", "a", false),
            ("(?i)ABC", "", "abc", true),
            ("(?x) a b (?-x)c d", "", "abc d", true),
            ("(?#note)a", "", "a", true),
            (
                r##"\Q\E\\E\Q' !"#$%&'()*+,-./09:;<=>?@AZ[\]^_`az{|}~'\E"##,
                "",
                r##"zax\E' !"#$%&'()*+,-./09:;<=>?@AZ[\]^_`az{|}~'qub"##,
                true,
            ),
            ("(?P<n>a)(?P=n)", "", "aa", true),
            ("\\/", "", "/", true),
            ("", "", "anything", true),
            ("ÄÖ", "i", "äö", true),
            ("\\p{Lu}", "", "a", false),
            ("^\\S+$", "", "abc", true),
            ("}", "", "}", true),
            ("a]", "", "a]", true),
        ] {
            assert_eq!(search(pattern, options, text), expected, "/{pattern}/{options} on {text:?}");
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for pattern in
            ["(", ")", "\\Qa.b*c", "a{65536}", "[", "a**", "*a", "(?<=a", "\\", "(?<n", "[z-a]", "(?P<", "a{3,2}"]
        {
            let error = Compiled::new(&Regex { pattern: pattern.into(), options: String::new() }).unwrap_err();
            assert!(error.is(ErrorCode::InvalidQuery), "{pattern}: {error}");
        }
    }

    /// What becomes of a search: its answer, or the reason why it is refused.
    fn outcome(pattern: &str, text: &str) -> String {
        let compiled = Compiled::new(&Regex { pattern: pattern.into(), options: String::new() });
        match compiled.and_then(|compiled| compiled.is_match(text)) {
            Ok(found) => found.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// The fewest steps back with which the engine gives an answer.
    fn steps_back(pattern: &str, text: &str) -> usize {
        let answers = |limit: usize| {
            let regex = RegexBuilder::new(pattern).backtrack_limit(limit).build().unwrap();
            regex.is_match(text).is_ok()
        };
        let (mut least, mut most) = (0, 1 << 24);
        while least < most {
            let middle = usize::midpoint(least, most);
            if answers(middle) { most = middle } else { least = middle + 1 }
        }
        least
    }

    #[test]
    fn a_search_ends_at_the_limit_of_steps_back() {
        let pattern = "(a*)*\\1b";
        let text = |length: usize| "a".repeat(length);
        // each letter doubles the work
        assert_eq!(steps_back(pattern, &text(10)), 6 * (1 << 10) - 3);
        let refused = (1..24).find(|length| outcome(pattern, &text(*length)).contains("too much work")).unwrap();
        let (before, after) = (steps_back(pattern, &text(refused - 1)), steps_back(pattern, &text(refused)));
        assert!(before <= BACKTRACK_LIMIT && after > COSTLY_BACKTRACK_LIMIT, "{refused}: {before}, {after}");
        assert_eq!(outcome(pattern, &text(refused - 1)), "false");
    }

    /// Each is answered without many steps back, or refused: by the estimate before the search, or when it is compiled.
    #[test]
    fn costly_patterns_are_refused() {
        let long = "a".repeat(40_000);
        let (open, alternatives, recursions) = ("(".repeat(10_000), "a|".repeat(16_000), "(?R)".repeat(100));
        let costly = "too costly for a text of this length";
        let surprises: Vec<_> = [
            ("(a+)+$", "true"),
            ("^(?=(a+)+b)", "false"),
            ("(a*)*\\1b", costly),
            ("(?:a|a)*(?=b)", costly),
            ("(.*)(.*)(.*)(.*)\\1x", costly),
            ("(?=.*b)c", costly),
            (&open, "nested too deep"),
            ("((((a{99}){99}){99}){99}){99}", "error building NFA"),
            (&alternatives, costly),
            (&recursions, "Left-recursive"),
            ("(a(?1)?){50}", "true"),
        ]
        .into_iter()
        .map(|(pattern, expected)| (&pattern[..pattern.len().min(30)], expected, outcome(pattern, &long)))
        .filter(|(_, expected, got)| !got.contains(expected))
        .collect();
        assert!(surprises.is_empty(), "{surprises:#?}");
    }
}
