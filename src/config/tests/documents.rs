//! The table of options against parse-server's, and the documents made from it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::config::declare::{OptionType, Spec};
use crate::config::{Options, help};

/// Names, variables, types and defaults of parse-server 9.10's options.
const UPSTREAM: &str = include_str!("../parse_server_9_10.json");

/// The option that holds each of parse-server's groups.
const GROUPS: &[(&str, &[&str])] = &[
    ("AccountLockoutOptions", &["accountLockout"]),
    ("PasswordPolicyOptions", &["passwordPolicy"]),
    ("IdempotencyOptions", &["idempotencyOptions"]),
    ("RateLimitOptions", &["rateLimit"]),
    ("RequestComplexityOptions", &["requestComplexity"]),
    ("FileUploadOptions", &["fileUpload"]),
    ("FileDownloadOptions", &["fileDownload"]),
    ("InstallationOptions", &["installation"]),
    ("SecurityOptions", &["security"]),
    ("PagesOptions", &["pages"]),
    ("PagesCustomUrlsOptions", &["pages", "customUrls"]),
    ("CustomPagesOptions", &["customPages"]),
    ("SchemaOptions", &["schema"]),
    ("QueryServerOptions", &["query"]),
    ("LogLevels", &["logLevels"]),
    ("DatabaseOptions", &["databaseOptions"]),
    ("LiveQueryOptions", &["liveQuery"]),
    ("LiveQueryServerOptions", &["liveQueryServerOptions"]),
];

fn group(name: &str, specs: Vec<Spec>) -> Vec<Spec> {
    let path = GROUPS.iter().find(|(group, _)| *group == name).map_or(&[][..], |(_, path)| path);
    path.iter().fold(specs, |specs, key| specs.into_iter().find(|spec| spec.key == *key).expect(key).group)
}

/// Defaults that say nothing.
fn blank(value: &Value) -> bool {
    value.is_null()
        || value == ""
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(serde_json::Map::is_empty)
}

#[test]
fn every_option_of_parse_server_is_here_with_its_variable_and_default() {
    let rows: Vec<BTreeMap<String, Value>> = serde_json::from_str(UPSTREAM).unwrap();
    let mut seen: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in &rows {
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        let (name, key) = (text("group"), text("key"));
        let specs = group(&name, Options::specs());
        let spec = specs.iter().find(|spec| spec.key == key).unwrap_or_else(|| panic!("{name}.{key} is missing"));
        assert_eq!(spec.env, text("env"), "{name}.{key}");
        let same = match (spec.default.as_f64(), row["default"].as_f64()) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() < 1e-9,
            _ => spec.default == row["default"] || (blank(&spec.default) && blank(&row["default"])),
        };
        // 1337 is the port of parse-server's live query server that runs alone.
        let same = same || (name.as_str(), key.as_str()) == ("LiveQueryServerOptions", "port");
        assert!(same, "{name}.{key}: {} is not {}", spec.default, row["default"]);
        let kinds: &[OptionType] = match text("type").as_str() {
            "boolean" | "boolean or function" => &[OptionType::Boolean],
            "number" => &[OptionType::Number, OptionType::Object],
            // Functions are texts in its table.
            "text" => &[OptionType::Text, OptionType::Object],
            "list" => &[OptionType::List],
            "object" | "module or object" => &[OptionType::Object, OptionType::List],
            _ => &[OptionType::Group],
        };
        assert!(kinds.contains(&spec.kind), "{name}.{key} is {:?}", spec.kind);
        seen.entry(name).or_default().insert(key);
    }
    assert_eq!(rows.len(), seen.values().map(BTreeSet::len).sum::<usize>());
    let own: BTreeSet<&str> = Options::areas()
        .into_iter()
        .filter(|(title, _)| title.contains("reparse"))
        .flat_map(|(_, specs)| specs)
        .map(|spec| spec.key)
        .collect();
    for (name, keys) in &seen {
        for spec in group(name, Options::specs()) {
            let ours = name.is_empty() && own.contains(spec.key);
            assert_ne!(ours, keys.contains(spec.key), "{name}.{} is neither ours nor parse-server's", spec.key);
        }
    }
}

#[test]
fn keys_and_variables_are_unique() {
    let (mut names, mut variables) = (BTreeSet::new(), BTreeSet::new());
    for place in crate::config::merge::places() {
        assert!(names.insert(place.name()), "{}", place.name());
        assert!(variables.insert(place.env), "{}", place.env);
    }
    let own = Options::areas().pop().unwrap().1;
    assert!(own.iter().all(|spec| spec.env.starts_with("REPARSE_")));
}

#[test]
fn the_document_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/options.md");
    let wanted = help::markdown();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(found == wanted, "docs/options.md is stale: run `UPDATE=1 cargo test --lib config`");
}

#[test]
fn help_lists_every_option_with_its_default() {
    let text = help::text();
    for place in crate::config::merge::places() {
        let removed = ["encodeParseObjectInCloudFunction", "pages.enableRouter", "serverStartComplete"];
        if !removed.contains(&place.name().as_str()) {
            assert!(text.contains(&format!("--{} <", place.name())), "{}", place.name());
        }
    }
    assert!(text.contains("--defaultLimit <number>  PARSE_SERVER_DEFAULT_LIMIT  [default: 100]"), "{text}");
}
