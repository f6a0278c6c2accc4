//! The multipart form of requests with files: a part `operations`, a part `map`, and the files.

use std::collections::HashMap;

use async_graphql::{Value as ConstValue, Variables};
use futures_util::stream;
use poem::http::HeaderMap;
use poem::http::header::CONTENT_TYPE;
use serde_json::{Map, Value as Json};

use super::error::Refusal;

/// Files that one request may hold.
const MAX_FILES: usize = 20;

/// A request from a form.
#[derive(Debug)]
pub struct Form {
    /// The operation, as a JSON body would hold it.
    pub operations: Map<String, Json>,
    /// The files.
    pub uploads: Uploads,
}

/// Files that came with a request.
#[derive(Debug, Default)]
pub struct Uploads {
    /// Sizes of the files, in bytes.
    sizes: Vec<u64>,
    /// Where in the operation the files belong: paths such as `variables.file`, by index of the file.
    places: Vec<(String, usize)>,
}

impl Uploads {
    /// The size in bytes of the file that a value of an input of type `Upload` stands for.
    #[must_use]
    pub fn size(&self, upload: &Json) -> Option<u64> {
        self.sizes.get(usize::try_from(upload.as_u64()?).ok()?).copied()
    }

    /// Puts the files into variables, where the form's map says.
    ///
    /// # Errors
    /// 400 when a path leads nowhere.
    pub fn place(&self, variables: &mut Variables) -> Result<(), Refusal> {
        place(variables, &self.places)
    }
}

/// Reads a form.
///
/// # Errors
/// 400 for a form that does not keep to the multipart request specification.
pub async fn read(headers: &HeaderMap, bytes: Vec<u8>) -> Result<Form, Refusal> {
    let bad = |text: &str| Refusal::bad_request(text);
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut request = poem::Request::builder()
        .header(CONTENT_TYPE, kind)
        .body(poem::Body::from_bytes_stream(stream::iter([Ok::<_, std::io::Error>(bytes::Bytes::from(bytes))])));
    let (parts, mut body) = {
        let body = poem::RequestBody::new(request.take_body());
        (request, body)
    };
    let mut form = <poem::web::Multipart as poem::FromRequest>::from_request(&parts, &mut body)
        .await
        .map_err(|_| bad("Malformed multipart form."))?;
    let mut operations = None;
    let mut map: Option<Map<String, Json>> = None;
    let mut files: HashMap<String, usize> = HashMap::new();
    let mut sizes = Vec::new();
    loop {
        let part = match form.next_field().await {
            Ok(Some(part)) => part,
            Ok(None) => break,
            Err(_) => return Err(bad("Malformed multipart form.")),
        };
        let name = part.name().unwrap_or_default().to_owned();
        let content = part.bytes().await.map_err(|_| bad("Malformed multipart form."))?;
        match (name.as_str(), &operations, &map) {
            ("operations", None, _) => {
                operations =
                    Some(object(&content).ok_or_else(|| bad("Invalid JSON in the 'operations' multipart field."))?);
            }
            ("map", Some(_), None) => {
                map = Some(object(&content).ok_or_else(|| bad("Invalid JSON in the 'map' multipart field."))?);
            }
            (_, Some(_), Some(_)) if files.len() < MAX_FILES => {
                files.insert(name, sizes.len());
                sizes.push(content.len() as u64);
            }
            (_, Some(_), Some(_)) => return Err(Refusal::new(413, "BAD_REQUEST", "Too many files.")),
            _ => return Err(bad("Misordered multipart fields; 'operations' and 'map' come first.")),
        }
    }
    let operations = operations.ok_or_else(|| bad("Missing multipart field 'operations'."))?;
    let mut places = Vec::new();
    for (name, paths) in map.ok_or_else(|| bad("Missing multipart field 'map'."))? {
        let index = *files.get(&name).ok_or_else(|| bad("File missing in the request."))?;
        let paths = paths.as_array().ok_or_else(|| bad("Invalid type for the 'map' multipart field."))?;
        for path in paths {
            places.push((
                path.as_str().ok_or_else(|| bad("Invalid type for the 'map' multipart field."))?.to_owned(),
                index,
            ));
        }
    }
    Ok(Form { operations, uploads: Uploads { sizes, places } })
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
        read(&headers, parts.replace('\n', "\r\n").into_bytes()).await
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
        assert_eq!(good.uploads.sizes, [4]);
        for bad in [
            format!("{map}{operations}{file}--X--\n"),
            format!("{operations}{map}--X--\n"),
            format!("{operations}--X--\n"),
            "--X--\n".to_owned(),
            "rubbish".to_owned(),
            format!("{}{map}{file}--X--\n", part("operations", "[1]")),
            format!("{operations}{}--X--\n", part("map", "{\"0\":1}")),
        ] {
            assert!(form(&bad).await.is_err(), "{bad}");
        }
    }
}
