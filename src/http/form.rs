//! Forms with files (`multipart/form-data`).

use bytes::Bytes;
use futures_util::stream;
use poem::http::HeaderMap;
use poem::http::header::CONTENT_TYPE;
use poem::web::Multipart;
use poem::{Body, FromRequest as _, Request, RequestBody};
use serde_json::{Map, Value as Json};

use crate::domain::kernel::triggers::FormFile;
use crate::error::{ErrorCode, ParseError, Result};

/// A form.
#[derive(Debug, Default)]
pub struct Form {
    /// Fields, as text. Of several with one name the last counts.
    pub fields: Map<String, Json>,
    /// Files.
    pub files: Vec<FormFile>,
}

/// Reads a form with at most `most` parts.
///
/// # Errors
/// 107 for what is no form, or one with too many parts.
pub async fn read(headers: &HeaderMap, bytes: Vec<u8>, most: usize) -> Result<Form> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.split(';').any(|parameter| parameter.trim().to_ascii_lowercase().starts_with("boundary=")) {
        return Err(invalid("Multipart: Boundary not found"));
    }
    let request = Request::builder().header(CONTENT_TYPE, kind).finish();
    let stream = stream::iter([Ok::<_, std::io::Error>(Bytes::from(bytes))]);
    let mut body = RequestBody::new(Body::from_bytes_stream(stream));
    let mut parts = Multipart::from_request(&request, &mut body).await.map_err(malformed)?;
    let mut form = Form::default();
    let mut count = 0;
    while let Some(part) = parts.next_field().await.map_err(malformed)? {
        count += 1;
        if count > most {
            return Err(invalid("too many parts"));
        }
        let name = part.name().unwrap_or_default().to_owned();
        let content_type = part.content_type().map(str::to_owned);
        let filename = part.file_name().map(str::to_owned);
        let data = Bytes::from(part.bytes().await.map_err(malformed)?);
        form.files.retain(|file| file.name != name);
        match filename {
            Some(filename) => {
                form.fields.shift_remove(&name);
                let content_type = content_type.unwrap_or_else(|| "text/plain".to_owned());
                form.files.push(FormFile { name, filename, content_type, data });
            }
            None => {
                form.fields.insert(name, String::from_utf8_lossy(&data).into_owned().into());
            }
        }
    }
    Ok(form)
}

fn invalid(reason: &str) -> ParseError {
    ParseError::new(ErrorCode::InvalidJson, format!("Invalid multipart request: {reason}"))
}

fn malformed(error: impl std::error::Error + Send + Sync + 'static) -> ParseError {
    invalid("Malformed part").with_source(error)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    async fn form(kind: &str, text: &str) -> Result<Form> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        read(&headers, text.replace('\n', "\r\n").into_bytes(), 4).await
    }

    #[tokio::test]
    async fn fields_and_files() {
        let part = |head: &str, content: &str| format!("--X\nContent-Disposition: form-data; {head}\n\n{content}\n");
        let text = [
            part("name=\"a\"", "1"),
            part("name=\"a\"", "2"),
            part("name=\"up\"; filename=\"u.bin\"\nContent-Type: image/png", "bytes"),
            part("name=\"plain\"; filename=\"u.txt\"", "text"),
            "--X--\n".to_owned(),
        ]
        .concat();
        let form = form("multipart/form-data; boundary=X", &text).await.unwrap();
        assert_eq!(Json::Object(form.fields), json!({"a": "2"}));
        let files: Vec<_> =
            form.files.iter().map(|file| (&*file.name, &*file.filename, &*file.content_type, &*file.data)).collect();
        assert_eq!(
            files,
            [("up", "u.bin", "image/png", &b"bytes"[..]), ("plain", "u.txt", "text/plain", &b"text"[..])]
        );
    }

    #[tokio::test]
    async fn what_is_no_form() {
        let many = "--X\nContent-Disposition: form-data; name=\"a\"\n\n1\n".repeat(5) + "--X--\n";
        for (kind, text) in [
            ("multipart/form-data", "x"),
            ("multipart/form-data; boundary=X", "rubbish"),
            ("multipart/form-data; boundary=X", "--X\nContent-Disposition: form-data; name=\"a\"\n\nno end"),
            ("multipart/form-data; boundary=X", &many),
        ] {
            let error = form(kind, text).await.unwrap_err();
            assert!(error.is(ErrorCode::InvalidJson), "{text:.20} {error}");
        }
    }
}
