//! Names of files: the one a client gives, the directory, and what is made of them.

use std::borrow::Cow;

use super::types;
use crate::error::{ErrorCode, ParseError, Result};

/// Most characters of a given name.
const MAX_NAME: usize = 128;
/// Most characters of a directory.
const MAX_DIRECTORY: usize = 256;

fn refuse(message: &'static str) -> ParseError {
    ParseError::new(ErrorCode::InvalidFileName, message)
}

/// Checks the name a client gives.
///
/// # Errors
/// 122 with the reason.
pub fn check(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(refuse("Filename not provided."));
    }
    if name.encode_utf16().count() > MAX_NAME {
        return Err(refuse("Filename too long."));
    }
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if first && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"@. ~_-".contains(&byte)) {
        Ok(())
    } else {
        Err(refuse("Filename contains invalid characters."))
    }
}

/// Checks a directory. That it is a text, and that the caller has the master key, is checked before.
///
/// # Errors
/// 122 with the reason.
pub fn check_directory(directory: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_/-".contains(&byte);
    Err(refuse(if directory.is_empty() {
        "Directory must not be empty."
    } else if directory.encode_utf16().count() > MAX_DIRECTORY {
        "Directory path is too long."
    } else if directory.contains("..") {
        "Directory must not contain \"..\"."
    } else if directory.starts_with('/') || directory.ends_with('/') {
        "Directory must not start or end with \"/\"."
    } else if directory.contains("//") {
        "Directory must not contain consecutive slashes."
    } else if directory == "metadata" || directory.starts_with("metadata/") {
        "Directory must not start with reserved segment \"metadata\"."
    } else if !directory.starts_with(|first: char| first.is_ascii_alphanumeric()) || !directory.bytes().all(allowed) {
        "Directory contains invalid characters."
    } else {
        return Ok(());
    }))
}

/// A name with its type's usual extension, if it has none and the type is known.
#[must_use]
pub fn with_extension<'a>(name: &'a str, content_type: Option<&str>) -> Cow<'a, str> {
    match content_type.and_then(types::usual_extension) {
        Some(usual) if types::extension(name).is_empty() => {
            Cow::Owned(format!("{}.{usual}", name.strip_suffix('.').unwrap_or(name)))
        }
        _ => Cow::Borrowed(name),
    }
}

/// The type a file has: that of its extension; that of the upload if the extension is unknown.
#[must_use]
pub fn content_type<'a>(name: &str, given: Option<&'a str>) -> Option<&'a str> {
    types::of_name(name).or(given)
}

/// The name a file is stored under. `prefix`: 32 hexadecimal digits; none with `preserveFileName`.
#[must_use]
pub fn stored(directory: Option<&str>, prefix: Option<&str>, name: &str) -> String {
    let mut stored = String::new();
    if let Some(directory) = directory {
        stored.push_str(directory);
        stored.push('/');
    }
    if let Some(prefix) = prefix {
        stored.push_str(prefix);
        stored.push('_');
    }
    stored.push_str(name);
    stored
}

/// The given name in a stored one: without directory and random prefix.
#[must_use]
pub fn given(stored: &str) -> &str {
    let name = stored.rsplit('/').next().unwrap_or(stored);
    match name.split_at_checked(32) {
        Some((prefix, rest)) if prefix.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            rest.strip_prefix('_').unwrap_or(name)
        }
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let long = "a".repeat(128);
        for name in ["a.txt", "two words.txt", "at@sign.txt", "t~x", "_under.txt", "9.txt", "a..b", "j.", &long] {
            check(name).unwrap();
        }
        let longer = "é".repeat(129);
        for (name, message) in [
            ("", "Filename not provided."),
            (longer.as_str(), "Filename too long."),
            ("-dash.txt", "Filename contains invalid characters."),
            (".hidden", "Filename contains invalid characters."),
            (" blank", "Filename contains invalid characters."),
            ("~x", "Filename contains invalid characters."),
            ("a/b.txt", "Filename contains invalid characters."),
            ("a\\b", "Filename contains invalid characters."),
            ("plus+", "Filename contains invalid characters."),
            ("é.txt", "Filename contains invalid characters."),
            ("a\0b", "Filename contains invalid characters."),
            ("a\n", "Filename contains invalid characters."),
        ] {
            let error = check(name).unwrap_err();
            assert!(error.is(ErrorCode::InvalidFileName));
            assert_eq!(error.message, message, "{name:?}");
        }
    }

    #[test]
    fn directories_are_checked() {
        for directory in ["a", "a/b", "A-1/_b", "metadata2", "a/metadata"] {
            check_directory(directory).unwrap();
        }
        let long = "a".repeat(257);
        for (directory, message) in [
            ("", "Directory must not be empty."),
            (long.as_str(), "Directory path is too long."),
            ("a/../b", "Directory must not contain \"..\"."),
            ("/a", "Directory must not start or end with \"/\"."),
            ("a/", "Directory must not start or end with \"/\"."),
            ("a//b", "Directory must not contain consecutive slashes."),
            ("metadata", "Directory must not start with reserved segment \"metadata\"."),
            ("metadata/a", "Directory must not start with reserved segment \"metadata\"."),
            ("_a", "Directory contains invalid characters."),
            ("a b", "Directory contains invalid characters."),
            ("ä", "Directory contains invalid characters."),
        ] {
            assert_eq!(check_directory(directory).unwrap_err().message, message, "{directory:?}");
        }
    }

    #[test]
    fn extensions_are_added() {
        for (name, content_type, expected) in [
            ("c", Some("image/jpeg"), "c.jpg"),
            ("d", Some("text/plain; charset=utf-8"), "d.txt"),
            ("j.", Some("image/png"), "j.png"),
            ("j.", Some("x/unknown"), "j."),
            ("a.gif", Some("image/png"), "a.gif"),
            ("f.xyzzy", Some("image/png"), "f.xyzzy"),
            ("e", None, "e"),
        ] {
            assert_eq!(with_extension(name, content_type), expected, "{name}");
        }
        assert_eq!(content_type("x.txt", Some("text/html")), Some("text/plain"));
        assert_eq!(content_type("g.xyzzy", Some("image/gif")), Some("image/gif"));
    }

    #[test]
    fn names_are_put_together_and_taken_apart() {
        let prefix = "0123456789abcdef0123456789abcdef";
        assert_eq!(stored(Some("a/b"), Some(prefix), "x.txt"), format!("a/b/{prefix}_x.txt"));
        assert_eq!(stored(None, None, "x.txt"), "x.txt");
        assert_eq!(given(&format!("a/b/{prefix}_x_y.txt")), "x_y.txt");
        assert_eq!(given("x.txt"), "x.txt");
        assert_eq!(given(prefix), prefix);
        assert_eq!(given("ééééééééééééééééééééééééééééééééééé"), "ééééééééééééééééééééééééééééééééééé");
    }
}
