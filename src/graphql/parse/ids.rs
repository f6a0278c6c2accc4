//! Global ids and cursors: base64 of `CLASS:objectId` and of `arrayconnection:INDEX`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Padding is optional, as in clients' decoders.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

const CURSOR: &str = "arrayconnection:";

/// The global id of an object.
#[must_use]
pub fn global(class: &str, id: &str) -> String {
    STANDARD.encode(format!("{class}:{id}"))
}

/// Class and `objectId` of a global id; `None` if the text is not one.
#[must_use]
pub fn split(text: &str) -> Option<(String, String)> {
    let plain = String::from_utf8(LENIENT.decode(text).ok()?).ok()?;
    let (class, id) = plain.split_once(':')?;
    (!class.is_empty()).then(|| (class.to_owned(), id.to_owned()))
}

/// The `objectId` in a global id of the class; otherwise the text itself.
#[must_use]
pub fn local(class: &str, text: &str) -> String {
    match split(text) {
        Some((of, id)) if of == class => id,
        _ => text.to_owned(),
    }
}

/// The cursor of the row with this index.
#[must_use]
pub fn cursor(index: u64) -> String {
    STANDARD.encode(format!("{CURSOR}{index}"))
}

/// The index of a cursor; `None` if the text is not one.
#[must_use]
pub fn index(cursor: &str) -> Option<u64> {
    let plain = String::from_utf8(LENIENT.decode(cursor).ok()?).ok()?;
    plain.strip_prefix(CURSOR)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_cursors() {
        assert_eq!(global("_User", "abc"), "X1VzZXI6YWJj");
        assert_eq!(local("_User", "X1VzZXI6YWJj"), "abc");
        assert_eq!(local("Other", "X1VzZXI6YWJj"), "X1VzZXI6YWJj");
        assert_eq!(local("_User", "abc"), "abc");
        assert_eq!(cursor(0), "YXJyYXljb25uZWN0aW9uOjA=");
        assert_eq!(index("YXJyYXljb25uZWN0aW9uOjA="), Some(0));
        assert_eq!(index("zz"), None);
        assert_eq!(split("zz"), None);
    }
}
