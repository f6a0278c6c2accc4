//! Paths below a mount path.

/// The part of a path below a mount path, in any case; `None` when it is elsewhere.
#[must_use]
pub fn below<'a>(mount: &str, path: &'a str) -> Option<&'a str> {
    let mount = mount.trim_end_matches('/');
    let (head, rest) = (path.get(..mount.len())?, path.get(mount.len()..)?);
    (head.eq_ignore_ascii_case(mount) && (rest.is_empty() || rest.starts_with('/'))).then_some(rest)
}

/// A path below the mount path, without the slashes that do not count: one at the end, a second one at the start.
#[must_use]
pub fn trim(path: &str) -> &str {
    let path = if path.starts_with("//") { path.get(1..).unwrap_or(path) } else { path };
    match path.strip_suffix('/') {
        Some(shorter) if !shorter.is_empty() => shorter,
        _ => path,
    }
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
}
