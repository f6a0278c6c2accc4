//! Caches documents that have been parsed, measured and validated.
//!
//! An entry depends only on the text and the schema. Each schema has its own [`Documents`], so that no entry outlives
//! it.
//! Everything that depends on the request (operation, variables, permissions, limits) is checked each time.

use std::sync::Arc;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition};
use async_graphql::{Pos, Positioned};

use super::document::{self, Bounds, Measure, Size};
use super::error::Refusal;
use super::generations::Generations;

/// Maximum bytes of the cached documents of a schema, by an estimate that is about three times too high for most.
const ROOM: usize = 16 << 20;

/// Maximum bytes of a parsed token: a field in a list with spare capacity for as many more, and a name.
const TOKEN: usize = 512;

/// A parsed and measured document.
#[derive(Debug)]
pub struct Prepared {
    /// The document.
    pub document: ExecutableDocument,
    /// Whether it contains introspection.
    pub introspects: bool,
    /// The sizes of its operations, by their positions.
    sizes: Vec<(Pos, Size)>,
    tokens: usize,
}

impl Prepared {
    /// Parses and measures a document.
    ///
    /// # Errors
    /// 400 if it is malformed or exceeds a limit.
    pub fn parse(text: &str, bounds: Bounds) -> Result<Self, Refusal> {
        let tokens = document::scan(text, bounds)?;
        let document = document::parse(text)?;
        let Measure { introspects, sizes, .. } = Measure::of(&document, bounds)?;
        Ok(Self { document, introspects, sizes, tokens })
    }

    /// The size of one of its operations.
    #[must_use]
    pub fn size(&self, operation: &Positioned<OperationDefinition>) -> Size {
        self.sizes.iter().find(|(place, _)| *place == operation.pos).map(|(_, size)| *size).unwrap_or_default()
    }

    fn weight(&self, text: &str) -> usize {
        text.len().saturating_mul(2).saturating_add(self.tokens.saturating_mul(TOKEN))
    }
}

/// The bounded cache of the valid documents of a schema.
#[derive(Debug)]
pub struct Documents(Generations<Arc<Prepared>>);

impl Default for Documents {
    fn default() -> Self {
        Self(Generations::new(usize::MAX, ROOM))
    }
}

impl Documents {
    /// The document with this text, if it is cached.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<Arc<Prepared>> {
        self.0.get(text)
    }

    /// Caches a valid document unless it is too large.
    pub fn keep(&self, text: &str, prepared: &Arc<Prepared>) {
        self.0.keep(text, prepared, prepared.weight(text));
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::Value;
    use async_graphql::parser::types::{Directive, Selection};
    use async_graphql::{Name, Positioned as At};

    use super::*;

    fn prepared(text: &str) -> Arc<Prepared> {
        let bounds =
            Bounds { bytes: 256 << 10, tokens: 20_000, aliases: 100, fragments: 10, variables: 10, selections: 20_000 };
        Arc::new(Prepared::parse(text, bounds).unwrap())
    }

    #[test]
    fn room_is_bounded_and_what_is_asked_for_stays() {
        let documents = Documents::default();
        let often = "{ health }";
        documents.keep(often, &prepared(often));
        for number in 0..3_000 {
            let text = format!("{{ a{number}: health b: health c: health d: health }}");
            documents.keep(&text, &prepared(&text));
            assert!(documents.get(often).is_some(), "{number}");
            assert!(documents.0.size().1 <= ROOM);
        }
        assert!(documents.0.size().0 > 100, "{:?}", documents.0.size());
        assert!(documents.get("{ a0: health b: health c: health d: health }").is_none());
        assert!(documents.get("{ a2999: health b: health c: health d: health }").is_some());
    }

    #[test]
    fn large_documents_are_not_kept() {
        let documents = Documents::default();
        let many = format!("{{ {} }}", "a ".repeat(5_000));
        let long = format!("{{ a(x: \"{}\") }}", "x".repeat(250_000));
        for text in [many, long] {
            for _ in 0..10 {
                documents.keep(&text, &prepared(&text));
            }
            assert!(documents.get(&text).is_none_or(|known| known.weight(&text) <= ROOM / 8));
        }
        assert!(documents.0.size().1 <= ROOM / 8);
    }

    #[test]
    fn a_token_takes_no_more_than_is_counted() {
        let name = 16 + 16;
        for (what, bytes, tokens) in [
            ("field", size_of::<At<Selection>>() + name, 1),
            ("argument", size_of::<(At<Name>, At<Value>)>() + name, 3),
            ("directive", size_of::<At<Directive>>() + name, 2),
            ("element", size_of::<Value>() + 16, 1),
        ] {
            println!("{what}: {bytes}");
            assert!(2 * bytes <= tokens * TOKEN, "{what} takes {bytes}");
        }
    }

    #[test]
    fn operations_have_their_own_sizes() {
        let prepared = prepared("query A { a { b } c } query B { ...F } fragment F on Query { x { y { z } } }");
        let size = |name| {
            let size = prepared.size(document::operation(&prepared.document, Some(name)).unwrap());
            (size.fields, size.depth)
        };
        assert_eq!(size("A"), (3, 2));
        assert_eq!(size("B"), (3, 3));
    }
}
