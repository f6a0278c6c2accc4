//! The checked-in OpenAPI document is the one the code serves, and no operation is renamed or removed.

use std::collections::BTreeSet;
use std::path::Path;

/// Renew with `UPDATE=1 cargo test --test it openapi`.
#[test]
fn the_checked_in_document_is_fresh() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/openapi.json");
    let mut served = serde_json::to_string_pretty(&reparse::rest::document("/parse")).unwrap();
    served.push('\n');
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, &served).unwrap();
    }
    let checked_in = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(checked_in == served, "openapi/openapi.json is stale: run `UPDATE=1 cargo test --test it openapi`");
}

/// Generators make the names of methods and modules from operation ids and tags: these are an API. A line of the list may
/// only go when the API is meant to break; new operations are added with `UPDATE=1 cargo test --test it openapi`.
#[test]
fn operations_keep_their_names() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi/operations.txt");
    let document = reparse::rest::document("/parse");
    let mut served = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let tags: Vec<&str> =
                operation["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap()).collect();
            let id = operation["operationId"].as_str().unwrap();
            served.insert(format!("{id} {} {} {path}", tags.join(","), method.to_uppercase()));
        }
    }
    let listed = || -> BTreeSet<String> {
        std::fs::read_to_string(&file).unwrap_or_default().lines().map(str::to_owned).collect()
    };
    if std::env::var_os("UPDATE").is_some() {
        let both: Vec<String> = listed().union(&served).cloned().collect();
        std::fs::write(&file, format!("{}\n", both.join("\n"))).unwrap();
    }
    let listed = listed();
    let gone: Vec<_> = listed.difference(&served).collect();
    assert!(gone.is_empty(), "operations were renamed or removed, which breaks generated clients: {gone:#?}");
    let new: Vec<_> = served.difference(&listed).collect();
    assert!(new.is_empty(), "not in openapi/operations.txt yet: {new:#?}");
}
