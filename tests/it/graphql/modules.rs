//! The modules of GraphQL: the engine knows nothing of Parse, and the dialects do not know each other.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// The files of a module of `src/graphql` in which one of these words stands.
fn naming(module: &str, words: &[&str]) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/graphql").join(module);
    let mut files = Vec::new();
    sources(&root, &mut files);
    assert!(files.len() > 3, "{module} has {} files", files.len());
    let mut found = Vec::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        for word in words {
            if text.contains(word) {
                found.push(format!("{} names {word}", file.display()));
            }
        }
    }
    found
}

#[test]
fn the_engine_knows_nothing_of_parse() {
    let found = naming(
        "engine",
        &[
            "crate::",
            "super::super::parse",
            "super::super::current",
            "super::super::legacy",
            "Parse's",
            "objectId",
            "master key",
        ],
    );
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn dialects_use_the_engine_and_what_they_share() {
    let found: Vec<String> = [
        naming("current", &["graphql::legacy", "super::legacy"]),
        naming("legacy", &["graphql::current", "super::current"]),
        naming("parse", &["graphql::current", "graphql::legacy", "super::current", "super::legacy"]),
    ]
    .concat();
    assert!(found.is_empty(), "{found:#?}");
}
