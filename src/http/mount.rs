//! Paths below a mount path.

/// The part of a path below a mount path, ignoring case; `None` if the path is not below it.
#[must_use]
pub fn below<'a>(mount: &str, path: &'a str) -> Option<&'a str> {
    let mount = mount.trim_end_matches('/');
    let (head, rest) = (path.get(..mount.len())?, path.get(mount.len()..)?);
    (head.eq_ignore_ascii_case(mount) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

/// A path below the mount path, without ignored slashes: one at the end, a second one at the start.
#[must_use]
pub fn trim(path: &str) -> &str {
    let path = if path.starts_with("//") { path.get(1..).unwrap_or(path) } else { path };
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    }
}

/// The path of a url, without a slash at the end: the mount path that its clients see. `None`: it is no url.
#[must_use]
pub fn of_url(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let path = rest.find('/').and_then(|start| rest.get(start..)).unwrap_or_default();
    Some(path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slashes_that_do_not_count() {
        assert_eq!(below("/parse", "/PARSE//classes/X/").map(trim), Some("/classes/X"));
        assert_eq!(below("/parse", "/parser/x"), None);
        assert_eq!(below("/", "/classes/X"), Some("/classes/X"));
        assert_eq!(trim("/classes/X//"), "/classes/X/");
    }

    #[test]
    fn the_path_of_a_url() {
        assert_eq!(of_url("https://a.example/api/parse/"), Some("/api/parse"));
        assert_eq!(of_url("http://localhost:1337"), Some(""));
        assert_eq!(of_url("nothing"), None);
    }
}
