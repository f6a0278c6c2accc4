//! Live queries: what subscribers are told, who is told what, and what a client can cost.

mod bounds;
pub mod client;
mod events;
mod rights;

use serde_json::{Value as Json, json};

/// Options with which classes whose names begin with `Live`, and all classes of the system, are published.
fn options() -> Json {
    json!({
        "liveQuery": { "classNames": ["Live.*", "_.*"] },
        "liveQueryServerOptions": { "keyPairs": { "masterKey": "master", "clientKey": "ck" } },
    })
}

/// What an ordinary client connects with.
fn client_key() -> Json {
    json!({ "clientKey": "ck" })
}
