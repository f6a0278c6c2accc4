//! Addresses of files.

use std::fmt;
use std::sync::Arc;

use crate::model::url_component;

/// A place that gives files addresses of its own, so that clients read them there.
pub trait Elsewhere: fmt::Debug + Send + Sync {
    /// The address of a file. It is asked for each file field of each object, so it waits for nobody: `None` where it would have to.
    fn address(&self, name: &str) -> Option<String>;
}

/// What addresses of files are made of.
#[derive(Debug, Clone, Default)]
pub struct FileAddresses {
    /// What the addresses of this server's files begin with.
    pub base: String,
    /// The key of an application that was moved from the old hosted service (`fileKey`): the names of its files there are
    /// known by how they begin.
    pub hosted_key: Option<String>,
    /// Where files have addresses of their own.
    pub elsewhere: Option<Arc<dyn Elsewhere>>,
}

impl FileAddresses {
    /// The address of a file.
    #[must_use]
    pub fn of(&self, name: &str) -> String {
        if let (Some(key), Some(host)) = (&self.hosted_key, hosted_at(name)) {
            return format!("http://{host}/{key}/{}", url_component::encode(name));
        }
        let elsewhere = self.elsewhere.as_ref().and_then(|elsewhere| elsewhere.address(name));
        elsewhere.unwrap_or_else(|| format!("{}{}", self.base, url_component::encode_path(name)))
    }
}

/// The host of the old hosted service that has a file of this name.
fn hosted_at(name: &str) -> Option<&'static str> {
    if name.starts_with("tfss-") {
        return Some("files.parsetfss.com");
    }
    let uuid = name.get(..37)?.bytes().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 | 36 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    uuid.then_some("files.parse.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hosted_service_are_known() {
        let mut addresses = FileAddresses { base: "http://x/files/app/".to_owned(), ..FileAddresses::default() };
        let uuid = "12345678-1234-1234-1234-123456789012-x y.txt";
        assert_eq!(addresses.of("a/b c.txt"), "http://x/files/app/a/b%20c.txt");
        assert_eq!(addresses.of("tfss-a.txt"), "http://x/files/app/tfss-a.txt");
        addresses.hosted_key = Some("k".to_owned());
        assert_eq!(addresses.of("tfss-a.txt"), "http://files.parsetfss.com/k/tfss-a.txt");
        let expected = "http://files.parse.com/k/12345678-1234-1234-1234-123456789012-x%20y.txt";
        assert_eq!(addresses.of(uuid), expected);
        for own in ["a.txt", "1234567-12345-1234-1234-123456789012-x", "12345678-1234-1234-1234-12345678901é"] {
            assert!(addresses.of(own).starts_with("http://x/"), "{own}");
        }
    }
}
