//! Texts as parts of addresses.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What JavaScript's `encodeURIComponent` leaves alone.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// A text as JavaScript's `encodeURIComponent` writes it, which is how parse-server and its clients do.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, KEPT).to_string()
}

/// A path, each of whose segments is written as [`encode`] does; slashes stay.
#[must_use]
pub fn encode_path(path: &str) -> String {
    path.split('/').map(encode).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_javascript() {
        assert_eq!(super::encode("a-_.!~*'()b"), "a-_.!~*'()b");
        assert_eq!(super::encode("a/b?c=d&e #ü+"), "a%2Fb%3Fc%3Dd%26e%20%23%C3%BC%2B");
        assert_eq!(super::encode_path("a b/c@d~.txt"), "a%20b/c%40d~.txt");
    }
}
