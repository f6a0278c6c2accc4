//! What an object store keeps beside the bytes of a file. All of it travels as HTTP headers, and each cloud has its bounds: what is
//! beyond them is refused before a byte is sent.

use std::borrow::Cow;

use http::HeaderName;
use object_store::{Attribute, Attributes, TagSet};
use serde_json::Value as Json;

use super::super::{FileError, METADATA_NAME, METADATA_SIZE, NewFile, Result};

/// Most tags of an object, and most characters of a tag's name and of its value.
const MOST_TAGS: usize = 10;
const TAG_NAME: usize = 128;
const TAG_VALUE: usize = 256;

/// What a cloud takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Bytes of all names and values of metadata together.
    pub metadata: usize,
    /// Names of metadata must be identifiers.
    pub identifiers: bool,
    /// Signs that tags may have beside letters, digits and blanks; `None` where there are no tags: they are left out.
    pub tag_signs: Option<&'static str>,
}

impl Bounds {
    /// Amazon's.
    pub const S3: Self = Self { metadata: 2048, identifiers: false, tag_signs: Some("+-=._:/@") };
    /// Google's.
    pub const GCS: Self = Self { metadata: 8192, identifiers: false, tag_signs: None };
    /// Microsoft's.
    pub const AZURE: Self = Self { metadata: 8192, identifiers: true, tag_signs: Some("+-=._:/") };

    fn takes_name(self, name: &str) -> bool {
        let identifier = || {
            !name.starts_with(|first: char| first.is_ascii_digit())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        HeaderName::try_from(name).is_ok() && (!self.identifiers || identifier())
    }

    /// The headers and tags of a new file.
    ///
    /// # Errors
    /// [`FileError::Unsupported`] for metadata and tags that the cloud does not take.
    pub fn attributes(self, file: &NewFile) -> Result<(Attributes, TagSet)> {
        let (mut attributes, mut tags) = (Attributes::new(), TagSet::default());
        // What is no header in ASCII is no type either: the file is bytes.
        if let Some(content_type) = file.content_type.as_ref().filter(|text| is_ascii_text(text)) {
            attributes.insert(Attribute::ContentType, content_type.clone().into());
        }
        let mut bytes = 0;
        for (name, value) in &file.metadata {
            let (name, value) = (name.to_ascii_lowercase(), text(value));
            if !self.takes_name(&name) {
                return Err(FileError::Unsupported(METADATA_NAME));
            }
            if !is_ascii_text(&value) {
                return Err(FileError::Unsupported("The file store takes metadata in ASCII only."));
            }
            bytes += name.len() + value.len();
            if bytes > self.metadata {
                return Err(FileError::Unsupported(METADATA_SIZE));
            }
            attributes.insert(Attribute::Metadata(name.into()), value.into_owned().into());
        }
        let Some(signs) = self.tag_signs else { return Ok((attributes, tags)) };
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == ' ' || signs.contains(letter);
        let taken = |text: &str, most: usize| text.len() <= most && text.chars().all(allowed);
        if file.tags.len() > MOST_TAGS {
            return Err(FileError::Unsupported("The file store takes 10 tags."));
        }
        for (name, value) in &file.tags {
            let value = text(value);
            if name.is_empty() || !taken(name, TAG_NAME) || !taken(&value, TAG_VALUE) {
                return Err(FileError::Unsupported("A tag is none that the file store takes."));
            }
            tags.push(name, &value);
        }
        Ok((attributes, tags))
    }
}

/// Whether a text can stand in a header and be read there by everybody.
fn is_ascii_text(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// A value as text; texts are themselves.
fn text(value: &Json) -> Cow<'_, str> {
    value.as_str().map_or_else(|| Cow::Owned(value.to_string()), Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::date::Date;
    use serde_json::{Map, json};

    #[test]
    fn what_is_beyond_the_bounds_is_refused() {
        let taken = |bounds: Bounds, metadata: Json, tags: Json| {
            let map = |json: Json| json.as_object().cloned().unwrap_or_else(Map::new);
            let file = NewFile {
                name: "a.txt".to_owned(),
                content_type: Some("text/plain; name=ü".to_owned()),
                metadata: map(metadata),
                tags: map(tags),
                created: Date::from_millis(0),
            };
            bounds.attributes(&file).is_ok()
        };
        let none = || json!({});
        for bounds in [Bounds::S3, Bounds::GCS, Bounds::AZURE] {
            assert!(taken(bounds, json!({ "Author_1": "me", "n": 7, "o": { "a": null } }), none()));
            assert!(!taken(bounds, json!({ "author": "Zoë" }), none()));
            assert!(!taken(bounds, json!({ "Zoë": "author" }), none()));
            assert!(!taken(bounds, json!({ "a b": "1" }), none()));
            assert!(!taken(bounds, json!({ "a": "1\n2" }), none()));
            assert!(!taken(bounds, json!({ "": "1" }), none()));
            assert!(!taken(bounds, json!({ "a": "x".repeat(bounds.metadata) }), none()));
            assert!(taken(bounds, json!({ "a": "x".repeat(bounds.metadata - 1) }), none()));
            assert!(taken(bounds, none(), json!({ "kind": "a picture", "n": 1 })));
            let tags = bounds.tag_signs.is_some();
            assert_eq!(taken(bounds, none(), json!({ "kind": "Bücher" })), !tags);
            assert_eq!(taken(bounds, none(), json!({ "": "x" })), !tags);
            assert_eq!(taken(bounds, none(), json!({ "x": "y".repeat(257) })), !tags);
            let many: Map<String, Json> = (0..11).map(|number| (format!("t{number}"), "x".into())).collect();
            assert_eq!(taken(bounds, none(), Json::Object(many)), !tags);
        }
        for (name, azure) in [("a-b", false), ("1a", false), ("_a", true)] {
            assert!(taken(Bounds::S3, json!({ name: "x" }), none()), "{name}");
            assert_eq!(taken(Bounds::AZURE, json!({ name: "x" }), none()), azure, "{name}");
        }
    }
}
