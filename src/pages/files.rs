//! Files in the directory of custom pages (`pages.pagesPath`). Requests cannot reach files outside it.

use std::path::{Component, Path, PathBuf};

/// Maximum size of a file that is served, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// Path of a file inside the directory; `None` if the file does not exist or its path leads out of the directory.
fn place(folder: &Path, path: &str) -> Option<PathBuf> {
    let plain = !path.contains(['\\', '\0'])
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
        && !path.split('/').any(|part| part.starts_with('.'));
    if !plain {
        return None;
    }
    // Symbolic links are resolved first.
    let found = std::fs::canonicalize(folder.join(path)).ok()?;
    let about = std::fs::metadata(&found).ok()?;
    (found.starts_with(folder) && about.is_file() && about.len() <= MAX_FILE).then_some(found)
}

/// Reads a text file.
pub fn text(folder: &Path, path: &str) -> Option<String> {
    std::fs::read_to_string(place(folder, path)?).ok()
}

/// Reads a file, with its content type.
pub async fn bytes(folder: &Path, path: &str) -> Option<(&'static str, Vec<u8>)> {
    let found = place(folder, path)?;
    let extension = found.extension()?.to_str()?.to_ascii_lowercase();
    let content_type = match extension.as_str() {
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "svg" => "image/svg+xml",
        "ico" => "image/x-icon",
        "woff" => "font/woff",
        "woff2" => "font/woff2",
        _ => return None,
    };
    Some((content_type, tokio::fs::read(found).await.ok()?))
}

/// The directory of a locale, or of its language, that contains a file.
pub fn localized_folder(folder: &Path, locale: &str, file: &str) -> Option<String> {
    let language = locale.split('-').next().unwrap_or_default();
    [locale, language].into_iter().find(|name| place(folder, &format!("{name}/{file}")).is_some()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("pages");
        std::fs::create_dir_all(folder.join("de")).unwrap();
        std::fs::create_dir_all(root.path().join("pages2")).unwrap();
        std::fs::write(folder.join("a.html"), "a").unwrap();
        std::fs::write(folder.join("de/a.html"), "de").unwrap();
        std::fs::write(folder.join(".env"), "secret").unwrap();
        std::fs::write(root.path().join("secret.html"), "secret").unwrap();
        std::fs::write(root.path().join("pages2/x.html"), "secret").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret.html"), folder.join("link.html")).unwrap();
        let folder = std::fs::canonicalize(folder).unwrap();
        assert_eq!(text(&folder, "a.html").as_deref(), Some("a"));
        assert_eq!(text(&folder, "de/a.html").as_deref(), Some("de"));
        for bad in [
            "../secret.html",
            "de/../../secret.html",
            "/etc/passwd",
            "link.html",
            ".env",
            "../pages2/x.html",
            "..\\a",
            "a\0",
            "",
            "de",
        ] {
            assert_eq!(text(&folder, bad), None, "{bad}");
        }
        assert_eq!(localized_folder(&folder, "de-AT", "a.html").as_deref(), Some("de"));
        assert_eq!(localized_folder(&folder, "..", "secret.html"), None);
    }
}
