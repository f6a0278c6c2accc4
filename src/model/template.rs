//! Text templates for mails and pages. Values are escaped unless the administrator wrote them.
//!
//! `{{name}}` inserts a value, `{{#name}}…{{/name}}` is kept only if the value is not empty, `{{^name}}…{{/name}}` only
//! if it is, `{{! …}}` is a comment. `{{{name}}}` and `{{&name}}` insert HTML unescaped if the administrator wrote the
//! value; values from requests are escaped there too. Unknown names are empty.

use std::collections::HashMap;

/// How `<`, `>`, `&` and quotes are escaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// For HTML, also inside quoted attributes.
    Html,
    /// For plain text: nothing is escaped.
    None,
}

#[derive(Debug, Clone)]
enum Entry {
    /// From a request or a user.
    Untrusted(String),
    /// Written by the administrator; may contain placeholders for values from requests.
    Trusted(String),
}

/// Values by name.
#[derive(Debug, Clone, Default)]
pub struct Values(HashMap<String, Entry>);

impl Values {
    /// No values.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a value that is always escaped.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), Entry::Untrusted(value.into()));
    }

    /// Sets a value that the administrator wrote.
    pub fn set_own(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), Entry::Trusted(value.into()));
    }

    /// The value with its own placeholders filled.
    fn text(&self, name: &str, escape: Escape, raw: bool) -> String {
        match self.0.get(name) {
            None => String::new(),
            Some(Entry::Untrusted(text)) => escaped(text, escape),
            // If a value of the administrator is inserted as HTML, only values from requests in it are escaped.
            Some(Entry::Trusted(text)) if raw => self.fill(text, escape),
            Some(Entry::Trusted(text)) => escaped(&self.fill(text, Escape::None), escape),
        }
    }

    /// Fills plain placeholders, one level deep.
    fn fill(&self, text: &str, escape: Escape) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let Some((name, tail)) = after.split_once("}}") else { break };
            out.push_str(before);
            match self.0.get(name.trim()) {
                Some(Entry::Untrusted(value)) => out.push_str(&escaped(value, escape)),
                Some(Entry::Trusted(value)) => out.push_str(value),
                None => {}
            }
            rest = tail;
        }
        out.push_str(rest);
        out
    }

    fn is_set(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|entry| match entry {
            Entry::Untrusted(text) | Entry::Trusted(text) => !text.is_empty(),
        })
    }
}

/// Fills a template.
#[must_use]
pub fn render(template: &str, values: &Values, escape: Escape) -> String {
    let mut out = String::with_capacity(template.len());
    let mut rest = template;
    // For each open section: its name, and whether its content is left out.
    let mut sections: Vec<(&str, bool)> = Vec::new();
    loop {
        let hidden = sections.iter().any(|(_, hidden)| *hidden);
        let Some((before, after)) = rest.split_once("{{") else { break };
        if !hidden {
            out.push_str(before);
        }
        let raw = after.starts_with('{');
        let closing = if raw { "}}}" } else { "}}" };
        let Some((tag, tail)) = after.trim_start_matches('{').split_once(closing) else {
            rest = "";
            if !hidden {
                out.push_str("{{");
                out.push_str(after);
            }
            break;
        };
        rest = tail;
        let tag = tag.trim();
        let name = tag.get(1..).unwrap_or_default().trim();
        match tag.chars().next() {
            Some('#') => sections.push((name, !values.is_set(name))),
            Some('^') => sections.push((name, values.is_set(name))),
            Some('/') => {
                if let Some(open) = sections.iter().rposition(|(open, _)| *open == name) {
                    sections.truncate(open);
                }
            }
            Some('!') => {}
            Some('&') if !hidden => out.push_str(&values.text(name, escape, true)),
            _ if !hidden => out.push_str(&values.text(tag, escape, raw)),
            _ => {}
        }
    }
    if !sections.iter().any(|(_, hidden)| *hidden) {
        out.push_str(rest);
    }
    out
}

fn escaped(text: &str, escape: Escape) -> String {
    match escape {
        Escape::None => text.to_owned(),
        Escape::Html => {
            let mut out = String::with_capacity(text.len());
            for letter in text.chars() {
                match letter {
                    '&' => out.push_str("&amp;"),
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '"' => out.push_str("&quot;"),
                    '\'' => out.push_str("&#39;"),
                    '/' => out.push_str("&#x2F;"),
                    '`' => out.push_str("&#x60;"),
                    '=' => out.push_str("&#x3D;"),
                    _ => out.push(letter),
                }
            }
            out
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> String {
        let mut values = Values::new();
        values.set("evil", "<script>\"'`");
        values.set("app", "Demo");
        values.set_own("hello", "Hello <b>{{evil}}</b>");
        render(template, &values, Escape::Html)
    }

    #[test]
    fn placeholders() {
        assert_eq!(filled("{{evil}}"), "&lt;script&gt;&quot;&#39;&#x60;");
        assert_eq!(filled("{{{evil}}}"), filled("{{evil}}"));
        assert_eq!(filled("{{& evil }}"), filled("{{evil}}"));
        assert_eq!(filled("{{{hello}}}"), format!("Hello <b>{}</b>", filled("{{evil}}")));
        assert_eq!(filled("{{hello}}"), "Hello &lt;b&gt;&lt;script&gt;&quot;&#39;&#x60;&lt;&#x2F;b&gt;");
        assert_eq!(filled("a{{nothing}}b{{! c }}d"), "abd");
        assert_eq!(filled("{{#app}}x{{^nothing}}y{{/nothing}}{{/app}}{{#nothing}}z{{app}}{{/nothing}}w"), "xyw");
        assert_eq!(filled("{{#app}}open"), "open");
        assert_eq!(filled("a{{app"), "a{{app");
    }
}
