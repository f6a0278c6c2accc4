//! Names in the database file.
//!
//! SQLite's names ignore case, Parse's do not. So capital letters, and all characters except letters, digits and `_`,
//! are escaped. Tables of the store itself begin with `_`, those of classes with `c_`, those of join classes with `j_`.

use std::fmt::Write as _;

use crate::model::names::ClassName;

/// The table of a class for use in a statement, quoted if necessary.
#[must_use]
pub fn table(class: &ClassName) -> String {
    let mut name = String::from(if class.is_join() { "\"j_" } else { "\"c_" });
    escape(class.as_str(), &mut name);
    name.push('"');
    name
}

/// The SQLite name of an index, without quotes, from which class and name can be recovered.
#[must_use]
pub fn index(class: &ClassName, name: &str) -> String {
    let mut out = String::from("i_");
    escape(class.as_str(), &mut out);
    out.push('.');
    escape(name, &mut out);
    out
}

/// The name of an index, from its SQLite name.
#[must_use]
pub fn index_of(name: &str) -> Option<String> {
    unescape(name.strip_prefix("i_")?.split_once('.')?.1)
}

/// The class of a table, from the name of the table without quotes; `None` for tables of the store itself.
#[must_use]
pub fn class_of(table: &str) -> Option<ClassName> {
    let name = table.strip_prefix("c_").or_else(|| table.strip_prefix("j_"))?;
    unescape(name).map(ClassName::unchecked)
}

/// A name in double quotes.
#[must_use]
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A string in single quotes, for statements that cannot have parameters (indexes). Paths with NUL have been refused
/// before; if there is one, it must not terminate the statement.
#[must_use]
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', "\u{FFFD}"))
}

fn escape(name: &str, out: &mut String) {
    for letter in name.chars() {
        if letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_' {
            out.push(letter);
        } else if letter.is_ascii_uppercase() {
            out.push('^');
            out.push(letter.to_ascii_lowercase());
        } else {
            let _ = write!(out, "%{:x};", u32::from(letter));
        }
    }
}

fn unescape(name: &str) -> Option<String> {
    let mut out = String::new();
    let mut letters = name.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '^' => out.push(letters.next()?.to_ascii_uppercase()),
            '%' => {
                let (code, rest) = letters.as_str().split_once(';')?;
                out.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                letters = rest.chars();
            }
            other => out.push(other),
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_differ_in_case_and_come_back() {
        let class = |name: &str| ClassName::unchecked(name);
        assert_eq!(table(&class("Game")), "\"c_^game\"");
        assert_ne!(table(&class("Game")).to_lowercase(), table(&class("game")).to_lowercase());
        assert_eq!(table(&class("_Join:users:_Role")), "\"j__^join%3a;users%3a;_^role\"");
        for name in ["Game", "_Join:users:_Role", "_User"] {
            assert_eq!(class_of(table(&class(name)).trim_matches('"')), Some(class(name)));
        }
        assert_eq!(class_of("_classes"), None);
        for name in ["username_1", "_auth_data_anonymous_id", "A \"b\" 'c' é.x", "_id_"] {
            let full = index(&class("_User"), name);
            assert_eq!(index_of(&full).as_deref(), Some(name), "{full}");
            assert!(!full.contains('"') && !full.contains('\''));
        }
    }
}
