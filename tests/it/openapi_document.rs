//! The checked-in document of the API is the one the code serves.

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
