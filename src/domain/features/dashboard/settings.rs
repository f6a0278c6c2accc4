//! What the pages are told about the apps.

use std::path::PathBuf;

use serde_json::{Map, Value as Json};

use super::users::Access;
use crate::config::Options;
use crate::error::{ParseError, Result};

/// Keys of an app that stay on the server.
const SECRET: [&str; 6] = ["masterKey", "masterKeyTtl", "readOnlyMasterKey", "maintenanceKey", "webhookKey", "fileKey"];

/// The apps and settings of the dashboard.
pub(super) struct Settings {
    pub(super) app_id: String,
    pub(super) caches_files: bool,
    pub(super) icons: Option<PathBuf>,
    /// The app of this server, without keys and addresses.
    own: Map<String, Json>,
    /// Path of the REST API and of the GraphQL API.
    paths: (String, Option<String>),
    others: Vec<Map<String, Json>>,
}

impl Settings {
    pub(super) fn new(options: &Options, mut file: Map<String, Json>) -> Self {
        let app_id = options.keys.app_id.clone();
        let is_own = |app: &Map<String, Json>| app.get("appId").and_then(Json::as_str) == Some(app_id.as_str());
        let listed = match file.remove("apps") {
            Some(Json::Array(apps)) => {
                apps.into_iter().filter_map(|app| if let Json::Object(app) = app { Some(app) } else { None }).collect()
            }
            _ => Vec::new(),
        };
        let (own, mut others): (Vec<_>, Vec<_>) = listed.into_iter().partition(is_own);
        let mut own = own.into_iter().next().unwrap_or_default();
        for key in SECRET.into_iter().chain(["serverURL", "graphQLServerURL"]) {
            own.remove(key);
        }
        let name = options.server.app_name.clone().unwrap_or_else(|| app_id.clone());
        own.entry("appName").or_insert_with(|| name.into());
        own.insert("appId".to_owned(), app_id.clone().into());
        if let Some(key) = &options.keys.javascript_key {
            own.insert("javascriptKey".to_owned(), key.expose().into());
        }
        for app in &mut others {
            let name = app.get("appId").cloned().unwrap_or_default();
            app.entry("appName").or_insert(name);
        }
        let graphql = options.graphql.mount.then(|| options.graphql.path.clone());
        Self {
            app_id,
            caches_files: file.get("enableResourceCache") == Some(&Json::Bool(true)),
            icons: file.get("iconsFolder").and_then(Json::as_str).map(PathBuf::from),
            own,
            paths: (options.server.mount_path.trim_end_matches('/').to_owned(), graphql),
            others,
        }
    }

    /// The apps; the own one with `key`, at the address that the browser sees.
    pub(super) fn apps(&self, base: &str, key: &str) -> Vec<Map<String, Json>> {
        let mut own = self.own.clone();
        own.insert("masterKey".to_owned(), key.into());
        own.insert("serverURL".to_owned(), format!("{base}{}", self.paths.0).into());
        if let Some(path) = &self.paths.1 {
            own.insert("graphQLServerURL".to_owned(), format!("{base}{path}").into());
        }
        let mut apps = vec![own];
        apps.extend(self.others.iter().cloned());
        apps
    }
}

/// An app of another server, whose key the page needs.
pub(super) fn elsewhere(mut app: Map<String, Json>, access: Access) -> Result<Map<String, Json>> {
    let read_only = app.remove("readOnlyMasterKey");
    if access == Access::ReadOnly {
        app.remove("maintenanceKey");
        let key =
            read_only.ok_or_else(|| ParseError::internal("An app has no readOnlyMasterKey for a read-only user."))?;
        app.insert("masterKey".to_owned(), key);
    }
    Ok(app)
}
