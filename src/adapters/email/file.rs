//! Writes each mail into a folder, as `.eml`: for development.

use std::path::PathBuf;

use async_trait::async_trait;
use serde_json::{Map, Value as Json};

use super::message::Composer;
use super::{EmailAdapter, Mail, SendError, only, text};

/// A folder of mails.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    composer: Composer,
}

impl Folder {
    /// Options: `dir`, the folder, made when it is missing; `from`; `templates`.
    ///
    /// # Errors
    /// A text for the person who configured it.
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
        // A reader of the folder sees whole mails only.
        let part = self.dir.join(format!(".{}.part", mail.id));
        let failed = |error: std::io::Error| SendError::Temporary(format!("{}: {error}", self.dir.display()));
        tokio::fs::write(&part, message.formatted()).await.map_err(failed)?;
        tokio::fs::rename(&part, &path).await.map_err(failed)
    }
}
