//! Which classes are published.

use crate::model::js_pattern::JsPattern;

/// The classes of the option `liveQuery.classNames`: each entry is a pattern in JavaScript's syntax that the whole name must meet.
#[derive(Debug, Default)]
pub struct Published(Vec<JsPattern>);

impl PartialEq for Published {
    fn eq(&self, other: &Self) -> bool {
        self.patterns().eq(other.patterns())
    }
}

impl Published {
    /// The classes of these entries.
    #[must_use]
    pub fn new(entries: &[String]) -> Self {
        Self(entries.iter().map(|entry| JsPattern::new(format!("^{entry}$"))).collect())
    }

    /// Whether no class is published.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The patterns, without their ends.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|pattern| pattern.source().strip_prefix('^')?.strip_suffix('$'))
    }

    /// Whether a class is published.
    #[must_use]
    pub fn covers(&self, class: &str) -> bool {
        self.0.iter().any(|pattern| pattern.is_match(class))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_patterns_of_whole_names() {
        let published = Published::new(&["Live.*".to_owned(), "Exact".to_owned()]);
        for (class, covered) in
            [("Live", true), ("LiveX", true), ("Exact", true), ("Exact2", false), ("NoLive", false), ("live", false)]
        {
            assert_eq!(published.covers(class), covered, "{class}");
        }
        assert!(Published::default().is_empty());
    }
}
