//! Which content type goes with which extension.
//!
//! The table is what parse-server 9.10 answers with; extensions that are not in it are unknown to it, too. Which ones
//! are known decides what may be uploaded, so a table of another origin would be another rule.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A type in each line, and its extensions; the usual one comes first. After a star: a file with this extension has another type.
const TABLE: &str = include_str!("types.txt");

struct Types {
    by_extension: HashMap<&'static str, &'static str>,
    usual: HashMap<&'static str, &'static str>,
}

static TYPES: LazyLock<Types> = LazyLock::new(|| {
    let mut types = Types { by_extension: HashMap::with_capacity(1300), usual: HashMap::with_capacity(1000) };
    for line in TABLE.lines() {
        let mut words = line.split(' ');
        let Some(content_type) = words.next() else { continue };
        for (position, extension) in words.enumerate() {
            let bare = extension.trim_start_matches('*');
            if bare == extension {
                types.by_extension.insert(extension, content_type);
            }
            if position == 0 {
                types.usual.insert(content_type, bare);
            }
        }
    }
    types
});

/// The extension of a name: what follows its last dot, as it is; empty if there is none.
#[must_use]
pub fn extension(name: &str) -> &str {
    name.rsplit('/').next().and_then(|last| last.rsplit_once('.')).map_or("", |(_, extension)| extension)
}

/// The type that goes with the extension of a name, if that is known. Upper and lower case are the same.
#[must_use]
pub fn of_name(name: &str) -> Option<&'static str> {
    let extension = extension(name);
    // The longest known extension has 24 letters.
    if extension.is_empty() || extension.len() > 24 {
        return None;
    }
    TYPES.by_extension.get(extension.to_ascii_lowercase().as_str()).copied()
}

/// The usual extension of a type; parameters do not count.
#[must_use]
pub fn usual_extension(content_type: &str) -> Option<&'static str> {
    let bare = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.usual.get(bare.as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_extensions_go_together() {
        for (name, content_type) in [
            ("a.txt", Some("text/plain")),
            ("K.PNG", Some("image/png")),
            ("a.b.jpeg", Some("image/jpeg")),
            ("m.js", Some("text/javascript")),
            ("s.m4a", Some("audio/mp4")),
            ("dir.txt/name", None),
            ("txt", None),
            ("j.", None),
            ("f.xyzzy", None),
            ("a.svg", Some("image/svg+xml")),
        ] {
            assert_eq!(of_name(name), content_type, "{name}");
        }
        for (content_type, extension) in [
            ("image/jpeg", Some("jpg")),
            ("text/plain; charset=utf-8", Some("txt")),
            (" IMAGE/PNG ", Some("png")),
            ("application/x-unknown-thing", None),
            ("", None),
        ] {
            assert_eq!(usual_extension(content_type), extension, "{content_type}");
        }
        for line in TABLE.lines() {
            let (content_type, extensions) = line.split_once(' ').unwrap();
            for extension in extensions.split(' ').filter(|extension| !extension.starts_with('*')) {
                assert_eq!(of_name(&format!("x.{extension}")), Some(content_type), "{line}");
            }
        }
    }
}
