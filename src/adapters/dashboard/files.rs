//! Files that everybody may read, as they are or compressed.

use std::collections::HashMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::sync::Mutex;

/// Maximum length of the path of a file.
const LONGEST_PATH: usize = 200;
/// The smallest and the largest file that is compressed, in bytes.
const WORTH_IT: std::ops::RangeInclusive<u64> = 1024..=16 << 20;
/// Bytes that compressed files may take in memory.
const KEPT: usize = 16 << 20;

/// A file of the dashboard.
#[derive(Debug)]
pub struct PublicFile {
    /// Its content type.
    pub kind: &'static str,
    /// Its version: changes when the file does.
    pub tag: String,
    place: PathBuf,
    length: u64,
    is_text: bool,
}

impl PublicFile {
    /// A file in a folder of files that everybody may read; `None` if there is none, or if the path leads elsewhere.
    pub async fn find(folder: &Path, path: &str) -> Option<Self> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
        let fits = |part: &str| !part.is_empty() && !part.starts_with('.') && part.chars().all(plain);
        if path.len() > LONGEST_PATH || !path.split('/').all(fits) {
            return None;
        }
        let place = folder.join(path);
        let about = tokio::fs::metadata(&place).await.ok().filter(std::fs::Metadata::is_file)?;
        let changed = about.modified().ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
        let tag = format!("{:x}-{:x}", changed.as_millis(), about.len());
        let (kind, is_text) = kind_of(path);
        Some(Self { kind, tag, place, length: about.len(), is_text })
    }

    /// Whether it gets shorter when it is compressed.
    #[must_use]
    pub fn is_compressible(&self) -> bool {
        self.is_text && WORTH_IT.contains(&self.length)
    }

    /// Its bytes; `None` if it is gone.
    pub async fn read(&self) -> Option<Bytes> {
        tokio::fs::read(&self.place).await.ok().map(Bytes::from)
    }
}

/// The content type of a file by its name, and whether it is text.
fn kind_of(path: &str) -> (&'static str, bool) {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" => ("text/javascript; charset=utf-8", true),
        "css" => ("text/css; charset=utf-8", true),
        "txt" => ("text/plain; charset=utf-8", true),
        "svg" => ("image/svg+xml", true),
        "json" | "map" => ("application/json", true),
        "ico" => ("image/x-icon", false),
        "png" => ("image/png", false),
        "jpg" | "jpeg" => ("image/jpeg", false),
        "gif" => ("image/gif", false),
        "webp" => ("image/webp", false),
        "woff2" => ("font/woff2", false),
        _ => ("application/octet-stream", false),
    }
}

/// Compressed files, each made once for each version of the file and kept in memory, within a bound.
#[derive(Debug, Default)]
pub struct Compressed(Mutex<HashMap<PathBuf, (String, Bytes)>>);

impl Compressed {
    /// A file compressed with gzip. `None`: it is gone, or there is no room to keep it.
    pub async fn of(&self, file: &PublicFile) -> Option<Bytes> {
        // Held while a file is compressed, so that whoever asks meanwhile waits instead of compressing it as well.
        let mut kept = self.0.lock().await;
        if let Some((tag, bytes)) = kept.get(&file.place)
            && *tag == file.tag
        {
            return Some(bytes.clone());
        }
        kept.remove(&file.place);
        let taken: usize = kept.values().map(|(_, bytes)| bytes.len()).sum();
        // A text gets shorter.
        if taken.saturating_add(usize::try_from(file.length).ok()?) > KEPT {
            return None;
        }
        let plain = file.read().await?;
        let packed = tokio::task::spawn_blocking(move || gzip(&plain)).await.ok()??;
        kept.insert(file.place.clone(), (file.tag.clone(), packed.clone()));
        Some(packed)
    }
}

fn gzip(plain: &[u8]) -> Option<Bytes> {
    let mut packer = GzEncoder::new(Vec::with_capacity(plain.len() / 3), Compression::default());
    packer.write_all(plain).ok()?;
    packer.finish().ok().map(Bytes::from)
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::GzDecoder;

    use super::*;

    #[tokio::test]
    async fn only_files_of_the_folder_are_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("public/bundles")).unwrap();
        std::fs::write(folder.path().join("public/bundles/a.js"), "1").unwrap();
        std::fs::write(folder.path().join("secret"), "2").unwrap();
        let public = folder.path().join("public");
        let found = PublicFile::find(&public, "bundles/a.js").await.unwrap();
        assert_eq!(found.read().await.unwrap(), "1");
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
            assert!(PublicFile::find(&public, path).await.is_none(), "{path}");
        }
        assert!(PublicFile::find(&public, &"a/".repeat(200)).await.is_none());
    }

    #[tokio::test]
    async fn a_file_is_compressed_once_for_each_version_and_within_a_bound() {
        let folder = tempfile::tempdir().unwrap();
        let compressed = Compressed::default();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        let unpacked = |bytes: Bytes| {
            let mut text = String::new();
            GzDecoder::new(&*bytes).read_to_string(&mut text).unwrap();
            text
        };
        write("a.js", &"one ".repeat(1000));
        let file = PublicFile::find(folder.path(), "a.js").await.unwrap();
        assert!(file.is_compressible());
        let first = compressed.of(&file).await.unwrap();
        assert_eq!(unpacked(first.clone()), "one ".repeat(1000));
        assert_eq!(compressed.of(&file).await.unwrap().as_ptr(), first.as_ptr(), "it was compressed again");
        write("a.js", &"two ".repeat(1001));
        let file = PublicFile::find(folder.path(), "a.js").await.unwrap();
        assert_eq!(unpacked(compressed.of(&file).await.unwrap()), "two ".repeat(1001));
        let full = Bytes::from(vec![0; KEPT]);
        compressed.0.lock().await.insert(PathBuf::from("other"), (String::new(), full));
        write("b.js", &"three ".repeat(1000));
        let other = PublicFile::find(folder.path(), "b.js").await.unwrap();
        assert!(compressed.of(&other).await.is_none());
        write("c.js", "short");
        assert!(!PublicFile::find(folder.path(), "c.js").await.unwrap().is_compressible());
    }
}
