//! Who may use whom: reads the sources and enforces the directions.

use std::fs;
use std::path::{Path, PathBuf};

/// Modules of the crate that each module may use. `server`, `program` and `main` may use anything.
const MAY_USE: [(&str, &[&str]); 14] = [
    ("error", &[]),
    ("clock", &["model"]),
    ("random", &[]),
    ("config", &["random"]),
    // It also keeps the last lines where the domain can show them.
    ("logging", &["config", "clock", "domain"]),
    ("model", &["error", "config"]),
    ("storage", &["model", "error"]),
    ("adapters", &["model", "error", "random"]),
    ("domain", &["model", "error", "config", "clock", "random", "storage", "adapters"]),
    ("http", &["domain", "model", "error", "config"]),
    ("rest", &["domain", "model", "error", "config", "http"]),
    ("pages", &["rest", "domain", "model", "error", "config", "http"]),
    ("graphql", &["domain", "model", "error", "config", "http"]),
    // The early dialect is a room beside the current one and shares its machinery; never the other way round.
    ("graphql_legacy", &["graphql", "domain", "model", "error"]),
];

/// Crates that a module must not name.
const MUST_NOT_NAME: [(&str, &[&str]); 8] = [
    ("model", &["tokio", "poem", "mongodb", "rusqlite", "async_graphql", "futures_util"]),
    ("domain", &["poem", "poem_openapi", "hyper", "async_graphql", "mongodb", "rusqlite", "bson"]),
    ("storage", &["poem", "poem_openapi", "async_graphql"]),
    ("rest", &["mongodb", "rusqlite", "bson", "async_graphql"]),
    ("pages", &["mongodb", "rusqlite", "bson", "async_graphql", "poem_openapi"]),
    ("graphql", &["mongodb", "rusqlite", "bson", "poem_openapi"]),
    ("graphql_legacy", &["mongodb", "rusqlite", "bson", "poem", "poem_openapi"]),
    ("http", &["mongodb", "rusqlite", "bson", "async_graphql", "poem_openapi"]),
];

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests") {
            continue;
        }
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            found.push(path);
        }
    }
}

/// The code of a file without comments and without its tests.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let text = text.split("#[cfg(test)]").next().unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The words that follow `prefix` in a text, where no other word precedes it; of a list in braces, the first word of each entry.
fn named<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    let mut words = Vec::new();
    for (at, _) in text.match_indices(prefix) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_' || before == ':') {
            continue;
        }
        let rest = &text[at + prefix.len()..];
        if let Some(list) = rest.strip_prefix('{') {
            let mut depth = 1;
            let mut start = true;
            for (index, character) in list.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => start = true,
                    _ if start && character.is_alphabetic() => {
                        words.push(word(&list[index..]));
                        start = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        } else {
            words.push(word(rest));
        }
    }
    words
}

fn word(text: &str) -> &str {
    text.split(|character: char| !character.is_alphanumeric() && character != '_').next().unwrap()
}

#[test]
fn directions_hold() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 40);
    let mut wrong = Vec::new();
    for file in files {
        let relative = file.strip_prefix(&root).unwrap();
        let module =
            relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        let code = code(&file);
        if let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) {
            for used in named(&code, "crate::") {
                let inner = used.starts_with(char::is_uppercase);
                if used != module && !inner && !allowed.contains(&used) {
                    wrong.push(format!("{} uses crate::{used}", relative.display()));
                }
            }
        }
        if let Some((_, banned)) = MUST_NOT_NAME.iter().find(|(name, _)| *name == module) {
            let implementation = module == "storage" || module == "adapters";
            for name in *banned {
                if !implementation && code.contains(&format!("{name}::"))
                    || implementation && code.contains(&format!("use {name}::"))
                {
                    wrong.push(format!("{} names {name}", relative.display()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Class names with rules of their own are written down once.
#[test]
fn system_classes_are_named_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let wrong: Vec<_> = files
        .iter()
        .filter(|file| !file.ends_with("model/names.rs") && code(file).contains("\"_User\""))
        .map(|file| file.strip_prefix(&root).unwrap().display().to_string())
        .collect();
    // The options know the one default that is about users.
    assert_eq!(wrong, ["config/rules.rs"]);
}
