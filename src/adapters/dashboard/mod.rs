//! npm's parse-dashboard on this machine: where it is installed, its files, and its configuration file. It is not part of this
//! program; its licence is its own.

mod files;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

pub use files::{Compressed, PublicFile};

/// The script that every page of the dashboard loads.
const MAIN: &str = "bundles/dashboard.bundle.js";

/// An installed parse-dashboard.
#[derive(Debug, Clone)]
pub struct Package {
    /// Its folder.
    pub folder: PathBuf,
    /// Its version.
    pub version: String,
}

/// An installed parse-dashboard with its own configuration file.
#[derive(Clone)]
pub struct Installed {
    /// Where it is.
    pub package: Package,
    /// The configuration file; empty if there is none.
    pub settings: Map<String, Json>,
}

impl std::fmt::Debug for Installed {
    /// Omits the settings, which contain keys.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Installed").field("package", &self.package).finish_non_exhaustive()
    }
}

impl Package {
    /// Finds the package in the folder that the options name, otherwise in `node_modules` of the data directory, then of the
    /// working directory.
    ///
    /// # Errors
    /// A message that says where it was looked for and how to get it.
    pub fn find(named: Option<&Path>, data: &Path) -> Result<Self, String> {
        let places = match named {
            Some(folder) => vec![folder.to_owned()],
            None => [data, Path::new(".")].map(|base| base.join("node_modules/parse-dashboard")).to_vec(),
        };
        if let Some(package) = places.iter().find_map(|folder| Self::at(folder)) {
            return Ok(package);
        }
        let places: Vec<String> = places.iter().map(|folder| folder.display().to_string()).collect();
        Err(format!("parse-dashboard is not in {}; {}", places.join(" or "), how_to_get(data)))
    }

    fn at(folder: &Path) -> Option<Self> {
        let about: Json = serde_json::from_slice(&std::fs::read(folder.join("package.json")).ok()?).ok()?;
        if about.get("name")?.as_str()? != "parse-dashboard" {
            return None;
        }
        let version = about.get("version")?.as_str()?.to_owned();
        let package = Self { folder: folder.to_owned(), version };
        package.public().join(MAIN).is_file().then_some(package)
    }

    fn public(&self) -> PathBuf {
        self.folder.join("Parse-Dashboard/public")
    }

    /// A file that the pages load; `None` if there is none of this name.
    pub async fn file(&self, path: &str) -> Option<PublicFile> {
        PublicFile::find(&self.public(), path).await
    }
}

/// What to type to get the package.
#[must_use]
pub fn how_to_get(data: &Path) -> String {
    format!("install it with: npm install --prefix {} parse-dashboard", data.display())
}

/// Reads a configuration file of Parse Dashboard. A relative `iconsFolder` becomes one beside the file.
///
/// # Errors
/// A message that names the file.
pub fn configuration(file: &Path) -> Result<Map<String, Json>, String> {
    let fail = |why: String| format!("the dashboard's configuration {}: {why}", file.display());
    let text = std::fs::read(file).map_err(|error| fail(error.to_string()))?;
    let mut settings: Map<String, Json> = serde_json::from_slice(&text).map_err(|error| fail(error.to_string()))?;
    if let (Some(Json::String(icons)), Some(folder)) = (settings.get("iconsFolder"), file.parent()) {
        let icons = folder.join(icons).to_string_lossy().into_owned();
        settings.insert("iconsFolder".to_owned(), icons.into());
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_package_says_how_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let error = Package::find(None, folder.path()).unwrap_err();
        assert!(error.contains("npm install --prefix"), "{error}");
        let home = folder.path().join("node_modules/parse-dashboard");
        std::fs::create_dir_all(home.join("Parse-Dashboard/public/bundles")).unwrap();
        std::fs::write(home.join("Parse-Dashboard/public").join(MAIN), "").unwrap();
        std::fs::write(home.join("package.json"), r#"{"name":"parse-dashboard","version":"9.2.0"}"#).unwrap();
        assert_eq!(Package::find(None, folder.path()).unwrap().version, "9.2.0");
        std::fs::write(home.join("package.json"), r#"{"name":"other","version":"9.2.0"}"#).unwrap();
        assert!(Package::find(Some(&home), folder.path()).is_err());
    }
}
