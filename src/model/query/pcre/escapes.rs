//! Escapes and classes of characters.

use super::{Texts, Work};

const WORD: &str = "A-Za-z0-9_";
const SPACE: &str = "\\t\\n\\x0b\\f\\r ";
const HORIZONTAL: &str = "\\t \\xa0\\u{1680}\\u{180e}\\u{2000}-\\u{200a}\\u{202f}\\u{205f}\\u{3000}";
const VERTICAL: &str = "\\n\\x0b\\f\\r\\x85\\u{2028}\\u{2029}";

impl Work<'_> {
    /// A backslash was read.
    pub(super) fn escape(&mut self) -> Result<(), String> {
        let next = self.input.next().ok_or("\\ at end of pattern")?;
        match next {
            'Q' => self.quotation()?,
            'E' => {}
            'b' | 'B' if self.texts == Texts::Plain => {
                self.out.push('\\');
                self.out.push(next);
            }
            'b' => {
                let boundary = format!("(?:(?<=[{WORD}])(?![{WORD}])|(?<![{WORD}])(?=[{WORD}]))");
                self.exactly(&boundary);
            }
            'B' => {
                let inside = format!("(?:(?<=[{WORD}])(?=[{WORD}])|(?<![{WORD}])(?![{WORD}]))");
                self.exactly(&inside);
            }
            'Z' => self.text_end(),
            'A' | 'z' | 'G' | 'K' | 'R' => {
                self.out.push('\\');
                self.out.push(next);
            }
            'N' => self.out.push_str("[^\\n]"),
            'X' => self.out.push_str("(?:\\P{M}\\p{M}*)"),
            'C' => return Err("\\C is not supported".into()),
            'k' => {
                self.out.push_str("\\k<");
                let end = match self.input.next() {
                    Some('<') => '>',
                    Some('{') => '}',
                    Some('\'') => '\'',
                    _ => return Err("\\k without a name".into()),
                };
                self.name(end)?;
            }
            'g' => self.numbered_reference()?,
            '1'..='9' => self.back_reference(next)?,
            _ => {
                let class = class_escape(next);
                if let Some((negated, inside)) = class {
                    self.exactly(&format!("{}{inside}]", if negated { "[^" } else { "[" }));
                } else if matches!(next, 'p' | 'P') {
                    let whole = std::mem::take(&mut self.out);
                    self.character(next)?;
                    let property = std::mem::replace(&mut self.out, whole);
                    self.exactly(&property);
                } else {
                    self.character(next)?;
                }
            }
        }
        Ok(())
    }

    /// A part that ignores the option for case.
    fn exactly(&mut self, part: &str) {
        if self.mode.insensitive {
            for piece in ["(?-i:", part, ")"] {
                self.out.push_str(piece);
            }
        } else {
            self.out.push_str(part);
        }
    }

    /// `\1`; a number of more than one digit that is no group's is the octal code of a character.
    fn back_reference(&mut self, first: char) -> Result<(), String> {
        let digits: String =
            std::iter::once(first).chain(self.input.clone().take_while(char::is_ascii_digit)).take(9).collect();
        let known = digits.len() == 1 || digits.parse::<usize>().is_ok_and(|number| number <= self.groups);
        if !known && first.is_digit(8) {
            return self.character(first);
        }
        self.out.push_str("(?:\\");
        self.out.push_str(&digits);
        self.out.push(')');
        for _ in 1..digits.len() {
            self.input.next();
        }
        Ok(())
    }

    /// `\g{1}`, `\g1`, `\g{-1}`, `\g{name}`, and the calls `\g<name>`.
    fn numbered_reference(&mut self) -> Result<(), String> {
        match self.input.next() {
            Some('{') => {
                self.out.push_str("\\k<");
                self.name('}')
            }
            Some('<') => {
                self.out.push_str("\\g<");
                self.name('>')
            }
            Some(digit @ ('0'..='9' | '-')) => {
                self.out.push_str("\\k<");
                self.out.push(digit);
                while let Some(digit) = self.input.next_if(char::is_ascii_digit) {
                    self.out.push(digit);
                }
                self.out.push('>');
                Ok(())
            }
            _ => Err("\\g without a group".into()),
        }
    }

    /// An escape that stands for one character, inside and outside of classes.
    fn character(&mut self, name: char) -> Result<(), String> {
        let code = match name {
            'a' => 0x07,
            'e' => 0x1b,
            'f' => 0x0c,
            'n' => 0x0a,
            'r' => 0x0d,
            't' => 0x09,
            '0'..='7' => {
                let mut code = name.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = self.input.next_if(|next| next.is_digit(8)) else {
                        break;
                    };
                    code = code * 8 + digit.to_digit(8).unwrap_or(0);
                }
                code
            }
            'c' => {
                let letter = self.input.next().filter(char::is_ascii).ok_or("\\c at end of pattern")?;
                u32::from(letter.to_ascii_uppercase()) ^ 0x40
            }
            'x' => self.hexadecimal()?,
            'p' | 'P' => return self.property(name),
            'o' if self.take_if('{') => {
                let mut code = 0_u32;
                while let Some(digit) = self.input.next_if(|next| next.is_digit(8)) {
                    code = code.saturating_mul(8).saturating_add(digit.to_digit(8).unwrap_or(0));
                }
                if !self.take_if('}') {
                    return Err("unfinished \\o{".into());
                }
                code
            }
            // Letters without a meaning stand for themselves.
            'i' | 'j' | 'm' | 'q' | 'y' | 'F' | 'I' | 'J' | 'M' | 'O' | 'T' | 'Y' => {
                self.out.push(name);
                return Ok(());
            }
            _ if name.is_ascii_alphanumeric() => {
                return Err(format!("unrecognized escape \\{name}"));
            }
            _ => {
                self.literal(name);
                return Ok(());
            }
        };
        let character = char::from_u32(code).ok_or("character code is too large")?;
        if character.is_ascii_control() {
            for part in ["\\x", &format!("{code:02x}")] {
                self.out.push_str(part);
            }
        } else {
            self.literal(character);
        }
        Ok(())
    }

    fn hexadecimal(&mut self) -> Result<u32, String> {
        let braces = self.take_if('{');
        let most = if braces { 8 } else { 2 };
        let mut code = 0_u32;
        for _ in 0..most {
            let Some(digit) = self.input.next_if(char::is_ascii_hexdigit) else {
                break;
            };
            code = code.saturating_mul(16).saturating_add(digit.to_digit(16).unwrap_or(0));
        }
        if braces && !self.take_if('}') {
            return Err("unfinished \\x{".into());
        }
        Ok(code)
    }

    /// `\p{Lu}`, `\pL`, `\p{^Lu}`.
    fn property(&mut self, name: char) -> Result<(), String> {
        let mut negated = name == 'P';
        let mut property = String::new();
        if self.take_if('{') {
            negated ^= self.take_if('^');
            loop {
                match self.input.next() {
                    Some('}') => break,
                    Some(next) if next.is_ascii_alphanumeric() || next == '_' => property.push(next),
                    Some('&') => property.push('&'),
                    _ => return Err("malformed \\p".into()),
                }
            }
        } else {
            property.extend(self.input.next().filter(char::is_ascii_alphabetic));
        }
        if property == "Any" {
            self.out.push_str(if negated { "[^\\x00-\\u{10ffff}]" } else { "[\\x00-\\u{10ffff}]" });
            return Ok(());
        }
        let property = if property == "L&" { "LC" } else { &property };
        self.out.push_str(if negated { "\\P{" } else { "\\p{" });
        self.out.push_str(property);
        self.out.push('}');
        Ok(())
    }

    /// `[` was read.
    pub(super) fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take_if('^') {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let next = self.input.next().ok_or("missing terminating ]")?;
            match next {
                ']' if !first => {
                    self.out.push(']');
                    return Ok(());
                }
                '[' if matches!(self.input.peek(), Some(':')) && self.posix() => {}
                '-' => self.hyphen(first),
                '\\' => self.class_member()?,
                _ => self.literal(next),
            }
            first = false;
        }
    }

    /// A hyphen is a range between two members and a literal at the ends.
    fn hyphen(&mut self, first: bool) {
        let at_end = matches!(self.input.peek(), Some(']') | None);
        let after_class = self.out.ends_with(']') || self.out.ends_with("\\-");
        let before_class = {
            let ahead = self.upcoming(2);
            matches!(ahead.as_str(), "\\d" | "\\w" | "\\s" | "\\D" | "\\W" | "\\S" | "\\h" | "\\v" | "[:")
        };
        if first || at_end || after_class || before_class {
            self.out.push_str("\\-");
        } else {
            self.out.push('-');
        }
    }

    /// `[:alpha:]`, after its first bracket; false when it is none.
    fn posix(&mut self) -> bool {
        let ahead: String = self.input.clone().take(12).collect();
        let Some((name, _)) = ahead.strip_prefix(':').and_then(|rest| rest.split_once(":]")) else {
            return self.open_bracket();
        };
        let (negated, plain) = name.strip_prefix('^').map_or((false, name), |rest| (true, rest));
        let known = [
            "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper",
            "word", "xdigit",
        ];
        if !known.contains(&plain) {
            return self.open_bracket();
        }
        self.out.push_str(if negated { "[:^" } else { "[:" });
        self.out.push_str(plain);
        self.out.push_str(":]");
        for _ in 0..name.len() + 3 {
            self.input.next();
        }
        true
    }

    fn open_bracket(&mut self) -> bool {
        self.out.push_str("\\[");
        true
    }

    fn class_member(&mut self) -> Result<(), String> {
        let next = self.input.next().ok_or("\\ at end of pattern")?;
        match next {
            'Q' => self.quotation()?,
            'E' => {}
            'b' => self.out.push_str("\\x08"),
            'B' | 'N' | 'R' | 'X' => return Err(format!("\\{next} is not allowed in a class")),
            '8' | '9' => self.out.push(next),
            _ => match class_escape(next) {
                Some((false, inside)) => {
                    self.out.push('[');
                    self.out.push_str(inside);
                    self.out.push(']');
                }
                Some((true, inside)) => {
                    self.out.push_str("[^");
                    self.out.push_str(inside);
                    self.out.push(']');
                }
                None => self.character(next)?,
            },
        }
        Ok(())
    }
}

/// The members of a class with a letter of its own, and whether it is the complement.
const fn class_escape(letter: char) -> Option<(bool, &'static str)> {
    Some(match letter {
        'd' => (false, "0-9"),
        'D' => (true, "0-9"),
        'w' => (false, WORD),
        'W' => (true, WORD),
        's' => (false, SPACE),
        'S' => (true, SPACE),
        'h' => (false, HORIZONTAL),
        'H' => (true, HORIZONTAL),
        'v' => (false, VERTICAL),
        'V' => (true, VERTICAL),
        _ => return None,
    })
}
