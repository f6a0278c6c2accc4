//! Requests with files as multipart forms: a part `operations`, a part `map`, and the files.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_graphql::{Value as ConstValue, Variables};
use bytes::{Bytes, BytesMut};
use poem::http::HeaderMap;
use poem::http::header::CONTENT_TYPE;
use serde_json::{Map, Value as Json};
use tokio::io::AsyncReadExt as _;

use super::error::Refusal;

/// Maximum number of files in a request.
const MAX_FILES: usize = 20;
/// Bytes that the parts which are no files may have, each.
pub const OPERATION: u64 = 1 << 20;
/// Bytes that are read at once.
const PIECE: usize = 16 << 10;

/// A request from a form.
#[derive(Debug)]
pub struct Form {
    /// The operation as in a JSON body.
    pub operations: Map<String, Json>,
    /// The files.
    pub uploads: Uploads,
}

/// Files in a request.
#[derive(Debug, Default)]
pub struct Uploads {
    files: Vec<Upload>,
    /// Paths of the files in the operation, such as `variables.file`, by index of the file.
    places: Vec<(String, usize)>,
}

/// A file that came with a request.
#[derive(Debug)]
pub struct Upload {
    /// The name its sender gives.
    pub filename: String,
    /// The type its sender gives.
    pub content_type: Option<String>,
    /// Its bytes; `None`: there were more than allowed.
    pub bytes: Option<Bytes>,
    /// How often it may still be used: as often as the map names it, so that a short request costs little.
    uses: AtomicUsize,
}

/// How much a form may hold.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of one file. What is above is read and thrown away.
    pub file: u64,
    /// Bytes of everything.
    pub all: u64,
}

impl Uploads {
    /// The file that a value of an input of type `Upload` stands for; `None` when it was used as often as the map names it.
    #[must_use]
    pub fn take(&self, upload: &Json) -> Option<&Upload> {
        let file = self.files.get(usize::try_from(upload.as_u64()?).ok()?)?;
        let left = file.uses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |uses| uses.checked_sub(1));
        left.is_ok().then_some(file)
    }

    /// Sets the variables that the form's map assigns to files.
    ///
    /// # Errors
    /// 400 if a path does not exist.
    pub fn place(&self, variables: &mut Variables) -> Result<(), Refusal> {
        place(variables, &self.places)
    }
}

fn bad(text: &str) -> Refusal {
    Refusal::bad_request(text)
}

fn malformed() -> Refusal {
    bad("Malformed multipart form.")
}

fn too_large() -> Refusal {
    Refusal::new(413, "BAD_REQUEST", "The form is too large.")
}

/// Reads the bytes of a part; above `most` they are thrown away, and the answer is `None`. `room` is asked before bytes are kept.
async fn bytes_of(
    part: poem::web::Field,
    most: u64,
    left: &mut u64,
    room: &mut (dyn FnMut(usize) -> Result<(), Refusal> + Send),
) -> Result<Option<Bytes>, Refusal> {
    let mut reader = part.into_async_read();
    let (mut kept, mut length) = (BytesMut::new(), 0_u64);
    loop {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = reader.read_buf(&mut piece).await.map_err(|_| malformed())? as u64;
        if read == 0 {
            return Ok((length <= most).then(|| kept.freeze()));
        }
        *left = left.checked_sub(read).ok_or_else(too_large)?;
        length += read;
        if length > most {
            kept = BytesMut::new();
            continue;
        }
        room(piece.len())?;
        kept.extend_from_slice(&piece);
    }
}

/// Reads a form while it arrives.
///
/// # Errors
/// 400 for a form that does not keep to the multipart request specification; 413 above the bounds; what `room` refuses.
pub async fn read(
    headers: &HeaderMap,
    body: poem::Body,
    bounds: Bounds,
    room: &mut (dyn FnMut(usize) -> Result<(), Refusal> + Send),
) -> Result<Form, Refusal> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let request = poem::Request::builder().header(CONTENT_TYPE, kind).finish();
    let mut body = poem::RequestBody::new(body);
    let form = <poem::web::Multipart as poem::FromRequest>::from_request(&request, &mut body).await;
    let mut form = form.map_err(|_| malformed())?;
    let mut operations = None;
    let mut map: Option<Map<String, Json>> = None;
    let mut indices: HashMap<String, usize> = HashMap::new();
    let mut files = Vec::new();
    let mut left = bounds.all;
    while let Some(part) = form.next_field().await.map_err(|_| malformed())? {
        let name = part.name().unwrap_or_default().to_owned();
        match (name.as_str(), &operations, &map) {
            ("operations", None, _) => {
                let text = bytes_of(part, OPERATION, &mut left, room).await?.ok_or_else(too_large)?;
                let invalid = || bad("Invalid JSON in the 'operations' multipart field.");
                operations = Some(object(&text).ok_or_else(invalid)?);
            }
            ("map", Some(_), None) => {
                let text = bytes_of(part, OPERATION, &mut left, room).await?.ok_or_else(too_large)?;
                map = Some(object(&text).ok_or_else(|| bad("Invalid JSON in the 'map' multipart field."))?);
            }
            // A part that the map does not name is nobody's.
            (name, Some(_), Some(map)) if !map.contains_key(name) => {}
            (_, Some(_), Some(_)) if files.len() < MAX_FILES => {
                let filename = part.file_name().unwrap_or_default().to_owned();
                let content_type = part.content_type().map(str::to_owned);
                let bytes = bytes_of(part, bounds.file, &mut left, room).await?;
                indices.insert(name, files.len());
                files.push(Upload { filename, content_type, bytes, uses: AtomicUsize::new(0) });
            }
            (_, Some(_), Some(_)) => return Err(Refusal::new(413, "BAD_REQUEST", "Too many files.")),
            _ => return Err(bad("Misordered multipart fields; 'operations' and 'map' come first.")),
        }
    }
    let operations = operations.ok_or_else(|| bad("Missing multipart field 'operations'."))?;
    let mut places = Vec::new();
    for (name, paths) in map.ok_or_else(|| bad("Missing multipart field 'map'."))? {
        let index = *indices.get(&name).ok_or_else(|| bad("File missing in the request."))?;
        let invalid = || bad("Invalid type for the 'map' multipart field.");
        for path in paths.as_array().ok_or_else(invalid)? {
            places.push((path.as_str().ok_or_else(invalid)?.to_owned(), index));
            if let Some(file) = files.get_mut(index) {
                *file.uses.get_mut() += 1;
            }
        }
    }
    if places.len() > MAX_FILES {
        return Err(Refusal::new(413, "BAD_REQUEST", "Too many files."));
    }
    Ok(Form { operations, uploads: Uploads { files, places } })
}

fn object(bytes: &[u8]) -> Option<Map<String, Json>> {
    serde_json::from_slice(bytes).ok()
}

fn place(variables: &mut Variables, places: &[(String, usize)]) -> Result<(), Refusal> {
    for (path, index) in places {
        let bad = || Refusal::bad_request("Invalid object path in the 'map' multipart field.");
        let mut steps = path.strip_prefix("variables.").ok_or_else(bad)?.split('.');
        let mut target = steps.next().and_then(|name| variables.get_mut(name)).ok_or_else(bad)?;
        for step in steps {
            target = match target {
                ConstValue::Object(map) => map.get_mut(step).ok_or_else(bad)?,
                ConstValue::List(list) => list.get_mut(step.parse::<usize>().map_err(|_| bad())?).ok_or_else(bad)?,
                _ => return Err(bad()),
            };
        }
        *target = ConstValue::Binary(index.to_string().into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn uploads_go_where_the_map_says() {
        let mut variables = Variables::from_json(json!({"file": null, "list": [{"f": null}]}));
        place(&mut variables, &[("variables.file".to_owned(), 0), ("variables.list.0.f".to_owned(), 1)]).unwrap();
        assert_eq!(variables.get("file"), Some(&ConstValue::Binary("0".into())));
        let mut variables = Variables::from_json(json!({"file": null}));
        for path in ["file", "variables.other", "variables.file.x", "variables."] {
            assert!(place(&mut variables, &[(path.to_owned(), 0)]).is_err(), "{path}");
        }
    }

    async fn form(parts: &str) -> Result<Form, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "multipart/form-data; boundary=X".parse().unwrap());
        let body = poem::Body::from(parts.replace('\n', "\r\n"));
        read(&headers, body, Bounds { file: 4, all: 1000 }, &mut |_| Ok(())).await
    }

    #[tokio::test]
    async fn forms() {
        let part =
            |name: &str, content: &str| format!("--X\nContent-Disposition: form-data; name=\"{name}\"\n\n{content}\n");
        let operations = part("operations", r#"{"query":"{ health }"}"#);
        let map = part("map", r#"{"0":["variables.file"]}"#);
        let file = part("0", "data");
        let good = form(&format!("{operations}{map}{file}--X--\n")).await.unwrap();
        assert_eq!(good.uploads.places, [("variables.file".to_owned(), 0)]);
        let first = json!(0);
        assert_eq!(good.uploads.take(&first).unwrap().bytes.as_deref(), Some(&b"data"[..]));
        assert!(good.uploads.take(&first).is_none() && good.uploads.take(&json!(1)).is_none());
        let large = form(&format!("{operations}{map}{}--X--\n", part("0", "large"))).await.unwrap();
        assert_eq!(large.uploads.take(&first).unwrap().bytes, None);
        let unnamed = form(&format!("{operations}{map}{file}{}--X--\n", part("1", "x"))).await.unwrap();
        assert_eq!(unnamed.uploads.files.len(), 1);
        for bad in [
            format!("{map}{operations}{file}--X--\n"),
            format!("{operations}{map}--X--\n"),
            format!("{operations}--X--\n"),
            "--X--\n".to_owned(),
            "rubbish".to_owned(),
            format!("{}{map}{file}--X--\n", part("operations", "[1]")),
            format!("{operations}{}--X--\n", part("map", "{\"0\":1}")),
            format!("{operations}{map}{}--X--\n", part("0", &"x".repeat(1000))),
            format!("{operations}{map}{}", &file[..file.len() - 6]),
        ] {
            assert!(form(&bad).await.is_err(), "{bad}");
        }
    }
}
