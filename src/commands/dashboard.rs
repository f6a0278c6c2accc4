//! `reparse dashboard`: says where Parse Dashboard is installed, or how to get it.

use std::path::Path;
use std::process::ExitCode;

use super::{fail, say};
use crate::adapters::dashboard::Package;
use crate::config::Loaded;

/// Looks for the package where the server would; succeeds if it is there.
pub fn find(loaded: &Loaded) -> ExitCode {
    let options = &loaded.options;
    let own = &options.own.dashboard;
    match Package::find(own.package.as_deref().map(Path::new), options.data_dir()) {
        Ok(Package { folder, version }) => {
            let server = &options.server;
            let how = if own.enabled { "It is served" } else { "With --dashboard.enabled it is served" };
            say(&format!(
                "parse-dashboard {version} is in {}.\n{how} at http://localhost:{}{}.",
                folder.display(),
                server.port,
                own.path
            ));
            ExitCode::SUCCESS
        }
        Err(error) => fail(&format!("error: {error}")),
    }
}
