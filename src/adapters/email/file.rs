//! Writes each mail to a directory as an `.eml` file, for development.

use std::path::PathBuf;

use futures_util::future::BoxFuture;
use serde_json::{Map, Value as Json};

use super::message::Composer;
use super::{EmailAdapter, Mail, OwnMail, SendError, only, text};

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

impl EmailAdapter for Folder {
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { self.write(&mail.id, &self.composer.compose(mail)?).await })
    }

    fn send_own<'a>(&'a self, mail: &'a OwnMail) -> BoxFuture<'a, Result<(), SendError>> {
        Box::pin(async move { self.write(&mail.id, &self.composer.compose_own(mail)?).await })
    }
}

impl Folder {
    async fn write(&self, id: &str, message: &lettre::Message) -> Result<(), SendError> {
        let path = self.dir.join(format!("{id}.eml"));
        // A reader of the folder sees whole mails only.
        let part = self.dir.join(format!(".{id}.part"));
        let failed = |error: std::io::Error| SendError::Temporary(format!("{}: {error}", self.dir.display()));
        tokio::fs::write(&part, message.formatted()).await.map_err(failed)?;
        tokio::fs::rename(&part, &path).await.map_err(failed)
    }
}
