//! Translates patterns of MongoDB (PCRE, UTF-8, ASCII classes) to the syntax of the engine used here.

mod escapes;
pub mod measure;

use std::iter::Peekable;
use std::str::Chars;

/// Maximum nesting of groups.
const MAX_DEPTH: usize = 200;

/// The texts that a translation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Texts {
    /// ASCII without a line break at the end, for which boundaries of words and lines are simpler.
    Plain,
    /// Any text.
    Any,
}

/// Translates a pattern. Applies the option `x`; the caller must set the others.
///
/// # Errors
/// A reason if the pattern is invalid or nested too deep.
pub fn translate(pattern: &str, options: &str, texts: Texts) -> Result<String, String> {
    let mode =
        Mode { extended: options.contains('x'), multi_line: options.contains('m'), insensitive: options.contains('i') };
    let pattern = pattern.strip_prefix("(*UTF8)").unwrap_or(pattern);
    let mut work = Work {
        input: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        mode,
        outer: Vec::new(),
        texts,
        groups: pattern.matches('(').count(),
    };
    work.run()?;
    Ok(work.out)
}

#[derive(Debug, Clone, Copy)]
struct Mode {
    extended: bool,
    multi_line: bool,
    insensitive: bool,
}

struct Work<'a> {
    input: Peekable<Chars<'a>>,
    out: String,
    mode: Mode,
    /// Modes to return to at the end of each open group.
    outer: Vec<Mode>,
    texts: Texts,
    /// No more than so many groups are in the pattern.
    groups: usize,
}

impl Work<'_> {
    fn run(&mut self) -> Result<(), String> {
        while let Some(next) = self.input.next() {
            match next {
                '\\' => self.escape()?,
                '[' => self.class()?,
                '(' => self.group()?,
                ')' => {
                    self.mode = self.outer.pop().ok_or("unmatched parenthesis")?;
                    self.out.push(')');
                }
                '{' => self.brace()?,
                '}' => self.out.push_str("\\}"),
                ']' => self.out.push_str("\\]"),
                '$' if !self.mode.multi_line => self.text_end(),
                '^' if self.mode.multi_line && self.texts == Texts::Any => self.line_start(),
                '#' if self.mode.extended => {
                    // The database reads a comment without end as one that hides its own bracket around the pattern.
                    if !self.input.any(|passed| passed == '\n') {
                        return Err("missing ) after comment".into());
                    }
                }
                _ if self.mode.extended && next.is_ascii_whitespace() => {}
                _ => self.out.push(next),
            }
        }
        if self.outer.is_empty() { Ok(()) } else { Err("missing parenthesis".into()) }
    }

    fn take_if(&mut self, wanted: char) -> bool {
        self.input.next_if_eq(&wanted).is_some()
    }

    /// What comes next, without taking it.
    fn upcoming(&self, count: usize) -> String {
        self.input.clone().take(count).collect()
    }

    /// The end of the text, or of what is before a last line break.
    fn text_end(&mut self) {
        self.out.push_str(if self.texts == Texts::Plain { "\\z" } else { "(?=\\n?\\z)" });
    }

    /// The start of a line; what follows the last line break of a text is none.
    fn line_start(&mut self) {
        let mut ahead = self.input.clone();
        let takes_a_character =
            ahead.next().is_some_and(char::is_alphanumeric) && !matches!(ahead.next(), Some('*' | '?' | '{' | '|'));
        self.out.push_str(if takes_a_character { "^" } else { "(?:\\A|^(?!\\z))" });
    }

    /// A literal, escaped where it means something.
    fn literal(&mut self, literal: char) {
        if "\\.+*?()|[]{}^$#&-~".contains(literal) {
            self.out.push('\\');
        }
        self.out.push(literal);
    }

    /// `\Q` was read: everything up to `\E` is literal.
    fn quotation(&mut self) -> Result<(), String> {
        while let Some(next) = self.input.next() {
            if next == '\\' && self.take_if('E') {
                return Ok(());
            }
            self.literal(next);
        }
        Err("missing \\E".into())
    }

    /// `{` begins a repetition only if it looks like one; otherwise it is a literal.
    fn brace(&mut self) -> Result<(), String> {
        let ahead = self.input.clone();
        let text: String =
            ahead.take_while(|next| next.is_ascii_digit() || *next == ',' || *next == '}').take(24).collect();
        let repetition = text.split_once('}').is_some_and(|(inside, _)| {
            let (low, high) = inside.split_once(',').unwrap_or((inside, ""));
            !low.is_empty() && !high.contains(',') && low.bytes().chain(high.bytes()).all(|byte| byte.is_ascii_digit())
        });
        if !repetition {
            self.out.push_str("\\{");
            return Ok(());
        }
        let too_large = |number: &str| number.parse::<u32>().map_or(!number.is_empty(), |number| number > 65_535);
        if text.split(['}', ',']).take(2).any(too_large) {
            return Err("number too big in {} quantifier".into());
        }
        let bounds = text.split_once('}').and_then(|(inside, _)| inside.split_once(','));
        if let Some((Ok(low), Ok(high))) = bounds.map(|(low, high)| (low.parse::<u32>(), high.parse::<u32>()))
            && low > high
        {
            return Err("numbers out of order in {} quantifier".into());
        }
        self.out.push('{');
        for next in self.input.by_ref() {
            self.out.push(next);
            if next == '}' {
                break;
            }
        }
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        if self.outer.len() >= MAX_DEPTH {
            return Err("groups are nested too deep".into());
        }
        if self.input.peek() == Some(&'*') {
            return Err("verbs are not supported".into());
        }
        if !self.take_if('?') {
            self.outer.push(self.mode);
            self.out.push('(');
            return Ok(());
        }
        let ahead = self.upcoming(3);
        let mut begins = ahead.chars();
        match (begins.next(), begins.next()) {
            (Some('#'), _) => {
                if !self.input.any(|next| next == ')') {
                    return Err("missing ) after (?#".into());
                }
                Ok(())
            }
            (Some('P'), Some('<')) | (Some('<'), Some('A'..='Z' | 'a'..='z' | '_')) => self.named('>'),
            (Some('\''), _) => self.named('\''),
            (Some('P'), Some('=')) => self.reference("\\k<"),
            (Some('P'), Some('>')) | (Some('&' | 'R' | '0'..='9'), _) | (Some('+' | '-'), Some('0'..='9')) => {
                self.reference("\\g<")
            }
            (Some('|'), _) => Err("branch reset is not supported".into()),
            (Some('('), _) => self.condition(),
            (Some('=' | '!' | '>'), _) | (Some('<'), Some('=' | '!')) => {
                self.outer.push(self.mode);
                self.out.push_str("(?");
                if self.take_if('<') {
                    self.out.push('<');
                }
                if let Some(kind) = self.input.next() {
                    self.out.push(kind);
                }
                Ok(())
            }
            _ => self.flags(),
        }
    }

    /// `(?P<name>`, `(?<name>` and `(?'name'`.
    fn named(&mut self, end: char) -> Result<(), String> {
        self.take_if('P');
        self.input.next();
        self.outer.push(self.mode);
        self.out.push_str("(?<");
        self.name(end)?;
        Ok(())
    }

    /// Copies a name up to its end, which is written as `>`.
    fn name(&mut self, end: char) -> Result<(), String> {
        for next in self.input.by_ref() {
            if next == end {
                self.out.push('>');
                return Ok(());
            }
            if !next.is_ascii_alphanumeric() && next != '_' && next != '-' && next != '+' {
                return Err("bad name of a group".into());
            }
            self.out.push(next);
        }
        Err("unfinished name of a group".into())
    }

    /// `(?P=name)` and the calls `(?R)`, `(?1)`, `(?&name)`, `(?P>name)`.
    fn reference(&mut self, begin: &str) -> Result<(), String> {
        self.out.push_str(begin);
        if self.take_if('P') || self.input.peek() == Some(&'&') {
            self.input.next();
        } else if self.take_if('R') {
            self.out.push('0');
        }
        self.name(')')
    }

    /// `(?(1)yes|no)` and `(?(<name>)yes|no)`.
    fn condition(&mut self) -> Result<(), String> {
        self.outer.push(self.mode);
        self.out.push_str("(?");
        // The bracket of the condition is read again as a group of its own, unless it names a group.
        self.input.next();
        if self.input.peek() == Some(&'?') {
            self.out.push('(');
            return Err("conditions by lookaround are not supported".into());
        }
        self.out.push('(');
        for next in self.input.by_ref() {
            self.out.push(next);
            if next == ')' {
                return Ok(());
            }
        }
        Err("unfinished condition".into())
    }

    /// `(?flags)` and `(?flags:`.
    fn flags(&mut self) -> Result<(), String> {
        let mut mode = self.mode;
        let mut on = true;
        let (mut set, mut unset) = (String::new(), String::new());
        loop {
            let next = self.input.next().ok_or("unfinished group")?;
            match next {
                '-' => on = false,
                'x' => mode.extended = on,
                'i' | 's' | 'U' | 'm' => {
                    match next {
                        'm' => mode.multi_line = on,
                        'i' => mode.insensitive = on,
                        _ => {}
                    }
                    if on { set.push(next) } else { unset.push(next) }
                }
                'J' => {}
                ')' | ':' => {
                    let flags = if unset.is_empty() { set } else { format!("{set}-{unset}") };
                    if next == ':' {
                        self.outer.push(self.mode);
                        self.out.push_str("(?");
                        self.out.push_str(&flags);
                        self.out.push(':');
                    } else if !flags.is_empty() {
                        self.out.push_str("(?");
                        self.out.push_str(&flags);
                        self.out.push(')');
                    }
                    self.mode = mode;
                    return Ok(());
                }
                _ => return Err("unrecognized character after (?".into()),
            }
        }
    }
}
