//! Files in a request.

use futures_util::stream;
use serde_json::{Value as Json, json};

use super::run::Run;
use crate::domain::features::files::{self, Content, Upload};
use crate::error::{ErrorCode, ParseError, Result};
use crate::graphql::engine::multipart;
use crate::model::files::types;

/// Stores a file, as `POST /files/NAME` does; `upload` is the value of an input of type `Upload`. Gives its name and address as a value
/// of a field.
///
/// # Errors
/// 130 for a file that is too large or was used before; what the upload of a file refuses.
pub async fn store(run: Run<'_>, upload: &Json) -> Result<Json> {
    let refuse = |message: String| ParseError::new(ErrorCode::FileSaveError, message);
    let used = || refuse("A file is used more often than the form says.".to_owned());
    let multipart::Upload { filename, content_type, bytes, .. } = run.uploads.take(upload).ok_or_else(used)?;
    let most = run.cx.app.options.server.max_upload_size.bytes;
    let truncated = || refuse(format!("File truncated as it exceeds the {most} byte size limit."));
    let bytes = bytes.clone().ok_or_else(truncated)?;
    let content_type = content_type.clone();
    let upload = Upload { name: named(filename, content_type.as_deref()), content_type, ..Upload::default() };
    let stored = files::put(run.cx, upload, async || {
        if bytes.is_empty() {
            return Err(refuse("Invalid file upload.".to_owned()));
        }
        let length = Some(bytes.len() as u64);
        Ok(Content { bytes: Box::pin(stream::iter([Ok(bytes)])), length, streamed: false })
    })
    .await?;
    Ok(json!({ "__type": "File", "name": stored.name, "url": stored.url }))
}

/// The name of a file with the usual extension of its type, unless its own goes with that type.
fn named(filename: &str, content_type: Option<&str>) -> String {
    let bare = |content_type: &str| content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let usual = content_type.and_then(types::usual_extension);
    match usual {
        Some(usual) if types::of_name(filename).map(str::to_owned) != content_type.map(bare) => {
            if types::extension(filename) == usual { filename.to_owned() } else { format!("{filename}.{usual}") }
        }
        _ => filename.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_in_the_extension_of_their_type() {
        for (filename, content_type, expected) in [
            ("pic", Some("image/png"), "pic.png"),
            ("a.jpeg", Some("image/jpeg"), "a.jpeg"),
            ("a.jpg", Some("image/jpeg; x=y"), "a.jpg"),
            ("a.txt", Some("image/png"), "a.txt.png"),
            ("a", Some("x/unknown"), "a"),
            ("a.md", None, "a.md"),
        ] {
            assert_eq!(named(filename, content_type), expected, "{filename}");
        }
    }
}
