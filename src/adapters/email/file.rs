//! Writes each mail to a directory as an `.eml` file, for development.

use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

use super::message::Composer;
use super::{EmailAdapter, Mail, SendError, only, text};

/// A directory of mails.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    composer: Composer,
}

impl Folder {
    /// Options: `dir`, the directory, which is created if it is missing; `from`; `templates`.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(options: &Map<String, Json>) -> Result<Self, String> {
        only(options, "file", &["dir", "from", "templates"])?;
        let dir = PathBuf::from(text(options, "file", "dir")?);
        std::fs::create_dir_all(&dir).map_err(|error| format!("emailAdapter file: {}: {error}", dir.display()))?;
        Ok(Self { dir, composer: Composer::open("file", options, Some("reparse <noreply@localhost>"))? })
    }
}

#[async_trait]
impl EmailAdapter for Folder {
    async fn send(&self, mail: &Mail) -> Result<(), SendError> {
        let message = self.composer.compose(mail)?;
        let path = self.dir.join(format!("{}.eml", mail.id));
        // Other programs see only complete mails in the directory.
        let part = self.dir.join(format!(".{}.part", mail.id));
        let failed = |error: std::io::Error| SendError::Temporary(format!("{}: {error}", self.dir.display()));
        tokio::fs::write(&part, message.formatted()).await.map_err(failed)?;
        tokio::fs::rename(&part, &path).await.map_err(failed)
    }
}
