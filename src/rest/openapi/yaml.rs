//! Writes JSON as YAML in block style.
//!
//! It uses a small part of YAML 1.2: block mappings and sequences, plain scalars that every version of YAML reads as
//! strings, and double-quoted scalars in JSON's notation for all other strings.

use std::fmt::Write as _;

use serde_json::Value as Json;

/// The YAML of a value.
#[must_use]
pub fn of(value: &Json) -> String {
    let mut out = String::new();
    match value {
        Json::Object(map) if !map.is_empty() => mapping(&mut out, map.iter(), 0, false),
        Json::Array(list) if !list.is_empty() => sequence(&mut out, list, 0),
        other => {
            scalar(&mut out, other);
            out.push('\n');
        }
    }
    out
}

/// `inline`: the first line continues the current line, after the dash of a sequence.
fn mapping<'a>(out: &mut String, entries: impl Iterator<Item = (&'a String, &'a Json)>, depth: usize, inline: bool) {
    for (index, (key, value)) in entries.enumerate() {
        if index > 0 || !inline {
            indent(out, depth);
        }
        text(out, key);
        out.push(':');
        below(out, value, depth);
    }
}

fn sequence(out: &mut String, list: &[Json], depth: usize) {
    for item in list {
        indent(out, depth);
        out.push('-');
        match item {
            Json::Object(map) if !map.is_empty() => {
                out.push(' ');
                mapping(out, map.iter(), depth + 1, true);
            }
            _ => below(out, item, depth),
        }
    }
}

/// Writes the value after a key or a dash.
fn below(out: &mut String, value: &Json, depth: usize) {
    match value {
        Json::Object(map) if !map.is_empty() => {
            out.push('\n');
            mapping(out, map.iter(), depth + 1, false);
        }
        Json::Array(list) if !list.is_empty() => {
            out.push('\n');
            sequence(out, list, depth + 1);
        }
        other => {
            out.push(' ');
            scalar(out, other);
            out.push('\n');
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn scalar(out: &mut String, value: &Json) {
    match value {
        Json::String(value) => text(out, value),
        // Empty lists and maps, numbers, booleans and null are written as in JSON.
        other => out.push_str(&other.to_string()),
    }
}

fn text(out: &mut String, value: &str) {
    if is_plain(value) {
        out.push_str(value);
    } else {
        // A YAML parser treats Unicode line breaks as the end of a line.
        let quoted = Json::from(value).to_string();
        for letter in quoted.chars() {
            match letter {
                '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                    let _ = write!(out, "\\u{:04x}", u32::from(letter));
                }
                other => out.push(other),
            }
        }
    }
}

/// Whether every YAML parser reads the text as a string: letters that form no keyword, and few other characters.
fn is_plain(value: &str) -> bool {
    let sign = |letter: char| {
        letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.' | '-' | '/' | ' ' | ',' | ';' | '(' | ')')
    };
    value.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && !value.ends_with(' ')
        && value.chars().all(sign)
        && !matches!(
            value.to_ascii_lowercase().as_str(),
            "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n"
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn blocks() {
        let value = json!({
            "openapi": "3.0.0",
            "empty": {}, "none": [],
            "list": [1, "a: b", { "x": null, "y": [true, []] }, [[2]], {}],
            "200": { "Yes": "no", "": " ", "text": "line\nbreak\u{2028}", "plain": "Make an object." },
        });
        let expected = r#"openapi: "3.0.0"
empty: {}
none: []
list:
  - 1
  - "a: b"
  - x: null
    "y":
      - true
      - []
  -
    -
      - 2
  - {}
"200":
  "Yes": "no"
  "": " "
  text: "line\nbreak\u2028"
  plain: Make an object.
"#;
        assert_eq!(of(&value), expected);
        assert_eq!(of(&json!("no")), "\"no\"\n");
        assert_eq!(of(&json!([1])), "- 1\n");
    }
}
