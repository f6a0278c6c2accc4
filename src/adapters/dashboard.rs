//! npm's parse-dashboard on this machine: where it is installed, its files, and its configuration file. It is not part of this
//! program; its licence is its own.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json};

/// The script that every page of the dashboard loads.
const MAIN: &str = "bundles/dashboard.bundle.js";
/// Maximum length of the path of a file.
const LONGEST_PATH: usize = 200;

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

/// A file of the dashboard.
#[derive(Debug)]
pub struct PublicFile {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Its content type.
    pub kind: &'static str,
    /// Its version: changes when the file does.
    pub tag: String,
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
        read(&self.public(), path).await
    }
}

/// What to type to get the package.
#[must_use]
pub fn how_to_get(data: &Path) -> String {
    format!("install it with: npm install --prefix {} parse-dashboard", data.display())
}

/// A file in a folder of files that everybody may read; `None` if there is none, or if the path leads elsewhere.
pub async fn read(folder: &Path, path: &str) -> Option<PublicFile> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let fits = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain);
    if path.len() > LONGEST_PATH || !path.split('/').all(fits) {
        return None;
    }
    let file = folder.join(path);
    let about = tokio::fs::metadata(&file).await.ok().filter(std::fs::Metadata::is_file)?;
    let changed = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let tag = format!("{:x}-{:x}", changed.as_millis(), about.len());
    Some(PublicFile { bytes: tokio::fs::read(&file).await.ok()?, kind: kind_of(path), tag })
}

fn kind_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "ico" => "image/x-icon",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "woff2" => "font/woff2",
        "json" | "map" => "application/json",
        _ => "application/octet-stream",
    }
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

    #[tokio::test]
    async fn only_files_of_the_folder_are_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("public/bundles")).unwrap();
        std::fs::write(folder.path().join("public/bundles/a.js"), "1").unwrap();
        std::fs::write(folder.path().join("secret"), "2").unwrap();
        let public = folder.path().join("public");
        assert_eq!(read(&public, "bundles/a.js").await.unwrap().bytes, b"1");
        for path in [
            "",
            "bundles",
            "bundles/",
            "../secret",
            "bundles/../../secret",
            "bundles//a.js",
            "/etc/passwd",
            ".a",
            "a%2e",
        ] {
            assert!(read(&public, path).await.is_none(), "{path}");
        }
        assert!(read(&public, &"a/".repeat(200)).await.is_none());
    }

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
