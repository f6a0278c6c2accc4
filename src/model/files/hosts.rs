//! Which hosts File values of requests may point at: the option `fileUpload.allowedFileUrlDomains`.

use serde_json::{Map, Value as Json};
use url::Url;

use crate::error::{ErrorCode, ParseError, Result};

/// The hosts of the option.
#[derive(Debug, Default)]
pub struct AllowedHosts {
    /// `None`: all.
    hosts: Option<Vec<String>>,
}

impl AllowedHosts {
    /// Entries are hosts, `*.example.org` for those below `example.org`, or `*` for all.
    #[must_use]
    pub fn new(entries: &[String]) -> Self {
        let all = entries.iter().any(|entry| entry == "*");
        Self { hosts: (!all).then(|| entries.iter().map(|entry| entry.to_lowercase()).collect()) }
    }

    /// Checks every File value with an address in data, at any depth.
    ///
    /// # Errors
    /// 130 for the first whose host is not allowed, or whose address is none.
    pub fn check_map(&self, data: &Map<String, Json>) -> Result<()> {
        let Some(hosts) = &self.hosts else { return Ok(()) };
        // Data may be nested at will.
        let mut open: Vec<&Json> = data.values().collect();
        while let Some(next) = open.pop() {
            match next {
                Json::Array(list) => open.extend(list),
                Json::Object(map) => {
                    let is_file = map.get("__type").and_then(Json::as_str) == Some("File");
                    if let (true, Some(url)) = (is_file, map.get("url").and_then(Json::as_str)) {
                        check(hosts, url)?;
                    }
                    open.extend(map.values());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn check(hosts: &[String], url: &str) -> Result<()> {
    if url.is_empty() {
        return Ok(());
    }
    let refuse = |message: String| Err(ParseError::new(ErrorCode::FileSaveError, message));
    let Ok(url) = Url::parse(url) else { return refuse("Invalid file URL.".to_owned()) };
    let host = url.host_str().unwrap_or_default().to_lowercase();
    let allowed = hosts.iter().any(|entry| match entry.strip_prefix('*') {
        Some(below) if below.starts_with('.') => host.ends_with(below) && host.len() > below.len(),
        _ => *entry == host,
    });
    if allowed { Ok(()) } else { refuse(format!("File URL domain '{host}' is not allowed.")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hosts_are_checked() {
        let hosts = AllowedHosts::new(&["cdn.example.com".to_owned(), "*.Example.org".to_owned()]);
        let told = |url: &str| {
            let Json::Object(data) = json!({"a": [{"b": {"__type": "File", "name": "x", "url": url}}]}) else {
                panic!()
            };
            hosts.check_map(&data).err().map(|error| error.message.into_owned())
        };
        for allowed in ["", "http://CDN.example.com:81/a", "https://a.b.example.org", "http://u:p@cdn.example.com/"] {
            assert_eq!(told(allowed), None, "{allowed}");
        }
        for (url, host) in [
            ("http://example.org/a", "example.org"),
            ("http://cdn.example.com@bad.example.net/", "bad.example.net"),
            ("http://cdn.example.com.bad.example.net/", "cdn.example.com.bad.example.net"),
            ("http://xcdn.example.com", "xcdn.example.com"),
            ("javascript:alert(1)", ""),
        ] {
            assert_eq!(told(url), Some(format!("File URL domain '{host}' is not allowed.")), "{url}");
        }
        assert_eq!(told("not a url"), Some("Invalid file URL.".to_owned()));
        assert!(AllowedHosts::new(&["*".to_owned()]).hosts.is_none());
    }
}
