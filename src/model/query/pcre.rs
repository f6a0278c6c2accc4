//! From the pattern language of MongoDB (PCRE, UTF-8, classes of ASCII) to that of the engine used here.

mod escapes;

use std::iter::Peekable;
use std::str::Chars;

/// A pattern for the engine.
#[derive(Debug)]
pub struct Translated {
    /// In the engine's language; the option `x` is already worked off.
    pub pattern: String,
    /// Whether it has parts whose work may grow faster than the text.
    pub costly: bool,
}

/// Deepest nesting of groups.
const MAX_DEPTH: usize = 200;

/// Translates a pattern.
///
/// # Errors
/// A reason when the pattern cannot be right, or is nested too deep.
pub fn translate(pattern: &str, extended: bool, multi_line: bool) -> Result<Translated, String> {
    let mode = Mode { extended, multi_line };
    let mut work = Work {
        input: pattern.chars().peekable(),
        out: String::with_capacity(pattern.len() + 16),
        mode,
        outer: Vec::new(),
        costly: false,
        groups: pattern.matches('(').count(),
    };
    work.run()?;
    Ok(Translated { pattern: work.out, costly: work.costly })
}

#[derive(Debug, Clone, Copy)]
struct Mode {
    extended: bool,
    multi_line: bool,
}

struct Work<'a> {
    input: Peekable<Chars<'a>>,
    out: String,
    mode: Mode,
    /// Modes to return to at the end of each open group.
    outer: Vec<Mode>,
    costly: bool,
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
                '$' if !self.mode.multi_line => self.out.push_str("(?=\\n?\\z)"),
                '#' if self.mode.extended => {
                    // MongoDB puts the pattern into a group, whose end would be part of the comment.
                    if !self.input.any(|passed| passed == '\n') {
                        return Err("missing )".into());
                    }
                }
                _ if self.mode.extended && next.is_ascii_whitespace() => {}
                '+' if self.out.ends_with(['*', '+', '?', '}']) => {
                    // A possessive repetition.
                    self.costly = true;
                    self.out.push('+');
                }
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

    /// A literal, escaped where it means something.
    fn literal(&mut self, literal: char) {
        // Others must stay bare: `\<` is the beginning of a word.
        if matches!(
            literal,
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' | '#' | '&' | '-' | '~'
        ) {
            self.out.push('\\');
        }
        self.out.push(literal);
    }

    /// `\Q` was read: everything up to `\E` is literal.
    fn quotation(&mut self) {
        while let Some(next) = self.input.next() {
            if next == '\\' && self.take_if('E') {
                return;
            }
            self.literal(next);
        }
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
                self.costly = true;
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
        self.costly = true;
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
        self.costly = true;
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
                    if next == 'm' {
                        mode.multi_line = on;
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
