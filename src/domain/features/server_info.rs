//! `/serverInfo`: the features of the server in parse-server's form, which dashboards use. Everything is `false` unless
//! a registered feature sets it.

use serde_json::{Value as Json, json};

use crate::domain::kernel::context::Context;
use crate::error::Result;

/// The version of parse-server that this server is compatible with; SDKs and dashboards use it.
pub const PARSE_SERVER_VERSION: &str = "9.10.0";

/// The response of `/serverInfo`.
///
/// # Errors
/// 403 without a master key.
pub fn get(cx: &Context) -> Result<Json> {
    cx.require_master()?;
    let mut features = nothing();
    for part in cx.app.server_info() {
        merge(&mut features, part);
    }
    Ok(json!({ "features": features, "parseServerVersion": PARSE_SERVER_VERSION }))
}

/// The response of a server without features.
fn nothing() -> Json {
    let none = json!({ "create": false, "read": false, "update": false, "delete": false });
    json!({
        "globalConfig": none,
        "hooks": none,
        "cloudCode": { "jobs": false },
        "logs": { "level": false, "size": false, "order": false, "until": false, "from": false },
        "push": {
            "immediatePush": false,
            "scheduledPush": false,
            "storedPushData": false,
            "pushAudiences": false,
            "localization": false,
        },
        "schemas": {
            "addField": false,
            "removeField": false,
            "addClass": false,
            "removeClass": false,
            "clearAllDataFromClass": false,
            "exportClass": false,
            "editClassLevelPermissions": false,
            "editPointerPermissions": false,
        },
        "settings": { "securityCheck": false },
    })
}

/// Merges an object into another recursively.
fn merge(into: &mut Json, part: Json) {
    match (into, part) {
        (Json::Object(into), Json::Object(part)) => {
            for (key, value) in part {
                merge(into.entry(key).or_insert(Json::Null), value);
            }
        }
        (into, part) => *into = part,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up() {
        let mut features = nothing();
        merge(&mut features, json!({ "push": { "pushAudiences": true } }));
        merge(&mut features, json!({ "settings": { "securityCheck": true }, "new": { "a": true } }));
        assert_eq!(features["push"]["pushAudiences"], true);
        assert_eq!(features["push"]["immediatePush"], false);
        assert_eq!((&features["settings"]["securityCheck"], &features["new"]["a"]), (&json!(true), &json!(true)));
    }
}
