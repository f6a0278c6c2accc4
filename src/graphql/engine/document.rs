//! The document of a request: checked against limits before it is parsed, measured afterwards.
//!
//! All of this takes time linear in the size of the text. The limits are far above what clients send; a document that
//! exceeds one is refused before validation.

use std::collections::HashMap;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::parser::{Error as SyntaxError, parse_query};
use async_graphql::{Pos, Positioned};

use super::error::Refusal;

/// Maximum nesting of brackets, and of selections after fragments are expanded. Fixed, because parsing and validation
/// recurse and must fit the stack of a thread.
pub const MAX_NESTING: usize = 60;

/// Maximum size of a document.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes of text.
    pub bytes: usize,
    /// Number of tokens: names, numbers, strings and punctuators.
    pub tokens: usize,
    /// Number of aliases.
    pub aliases: usize,
    /// Number of fragment definitions.
    pub fragments: usize,
    /// Number of variables of an operation.
    pub variables: usize,
    /// Number of selections of an operation after fragments are expanded.
    pub selections: u64,
}

/// Parses a document that [`scan`] accepted.
///
/// # Errors
/// 400 if it is malformed.
pub fn parse(text: &str) -> Result<ExecutableDocument, Refusal> {
    parse_query(text).map_err(|error| match &error {
        SyntaxError::Syntax { start, .. } => Refusal::at(
            400,
            "GRAPHQL_PARSE_FAILED",
            "Syntax Error: Unexpected character or end of the document.",
            &[*start],
        ),
        SyntaxError::MultipleOperations { anonymous, .. } => {
            Refusal::invalid("This anonymous operation must be the only defined operation.", &[*anonymous])
        }
        SyntaxError::OperationDuplicated { first, second, .. } => {
            Refusal::invalid("There can be only one operation of a name.", &[*first, *second])
        }
        SyntaxError::FragmentDuplicated { first, second, .. } => {
            Refusal::invalid("There can be only one fragment of a name.", &[*first, *second])
        }
        _ => Refusal::new(400, "GRAPHQL_PARSE_FAILED", "Syntax Error: The document is malformed."),
    })
}

fn too(what: &str) -> Refusal {
    Refusal::invalid(&format!("The document {what}."), &[])
}

/// Counts tokens and nesting without recursion; returns the number of tokens.
///
/// # Errors
/// 400 if the text is too large or nested too deep.
pub fn scan(text: &str, bounds: Bounds) -> Result<usize, Refusal> {
    if text.len() > bounds.bytes {
        return Err(too("is too large"));
    }
    let bytes = text.as_bytes();
    let at = |index: usize| bytes.get(index).copied();
    let (mut index, mut tokens, mut nesting) = (0_usize, 0_usize, 0_usize);
    while let Some(byte) = at(index) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' | b',' | 0xEF | 0xBB | 0xBF => {
                index += 1;
                continue;
            }
            b'#' => {
                while at(index).is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    index += 1;
                }
                continue;
            }
            b'"' => index = end_of_string(bytes, index),
            b'{' | b'[' | b'(' => {
                nesting += 1;
                if nesting > MAX_NESTING {
                    return Err(too("is nested too deep"));
                }
                index += 1;
            }
            b'}' | b']' | b')' => {
                nesting = nesting.saturating_sub(1);
                index += 1;
            }
            byte if is_word(byte) => {
                while at(index).is_some_and(is_word) {
                    index += 1;
                }
            }
            _ => index += 1,
        }
        tokens += 1;
        if tokens > bounds.tokens {
            return Err(too("has too many tokens"));
        }
    }
    Ok(tokens)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// The index after the string that begins at `start`, or the end of the text if the string is not closed.
fn end_of_string(bytes: &[u8], start: usize) -> usize {
    let rest = bytes.get(start..).unwrap_or_default();
    if rest.starts_with(b"\"\"\"") {
        let mut index = 3;
        while let Some(tail) = rest.get(index..).filter(|tail| !tail.is_empty()) {
            if tail.starts_with(b"\\\"\"\"") {
                index += 4;
            } else if tail.starts_with(b"\"\"\"") {
                return start + index + 3;
            } else {
                index += 1;
            }
        }
        return bytes.len();
    }
    let mut index = 1;
    while let Some(byte) = rest.get(index) {
        match byte {
            b'\\' => index += 2,
            b'"' => return start + index + 1,
            b'\n' | b'\r' => return start + index,
            _ => index += 1,
        }
    }
    bytes.len()
}

/// Chooses the operation to run.
///
/// # Errors
/// 400 if no operation has the name, or the name is missing and there are several operations.
pub fn operation<'a>(
    document: &'a ExecutableDocument,
    name: Option<&str>,
) -> Result<&'a Positioned<OperationDefinition>, Refusal> {
    let refuse = |message: &str| Refusal::new(400, "OPERATION_RESOLUTION_FAILURE", message);
    let found = match (&document.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Single(_), Some(_)) => None,
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) => {
            let mut all = operations.values();
            match (all.next(), all.next()) {
                (Some(only), None) => Some(only),
                _ => return Err(refuse("Must provide operation name if query contains multiple operations.")),
            }
        }
    };
    found.ok_or_else(|| {
        refuse(&format!("Unknown operation named \"{}\".", super::error::shorten(name.unwrap_or_default())))
    })
}

/// Size of an operation after fragments are expanded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Size {
    /// Number of fields.
    pub fields: u64,
    /// Depth of nested fields.
    pub depth: u64,
    /// Number of fields, inline fragments and spreads.
    selections: u64,
    /// Depth of nested selections.
    nesting: u64,
}

impl Size {
    fn join(&mut self, other: Self, below: u64) {
        self.fields = self.fields.saturating_add(other.fields);
        self.selections = self.selections.saturating_add(other.selections);
        self.depth = self.depth.max(other.depth.saturating_add(below));
        self.nesting = self.nesting.max(other.nesting.saturating_add(1));
    }
}

/// Measures every operation and fragment of a document, each fragment once.
#[derive(Debug)]
pub struct Measure<'a> {
    document: &'a ExecutableDocument,
    bounds: Bounds,
    /// `None` while a fragment is being measured.
    fragments: HashMap<&'a str, Option<Size>>,
    aliases: usize,
    /// Whether the document contains introspection.
    pub introspects: bool,
    /// The sizes of the operations, by their positions.
    pub sizes: Vec<(Pos, Size)>,
}

impl<'a> Measure<'a> {
    /// Measures the document.
    ///
    /// # Errors
    /// 400 if it exceeds a limit, or if a fragment contains itself.
    pub fn of(document: &'a ExecutableDocument, bounds: Bounds) -> Result<Self, Refusal> {
        let mut measure =
            Self { document, bounds, fragments: HashMap::new(), aliases: 0, introspects: false, sizes: Vec::new() };
        if document.fragments.len() > bounds.fragments {
            return Err(too("has too many fragments"));
        }
        for name in document.fragments.keys() {
            measure.fragment(name.as_str(), 0)?;
        }
        for (_, operation) in document.operations.iter() {
            if operation.node.variable_definitions.len() > bounds.variables {
                return Err(too("has too many variables"));
            }
            let size = measure.set(&operation.node.selection_set.node, 0)?;
            measure.sizes.push((operation.pos, size));
        }
        Ok(measure)
    }

    fn fragment(&mut self, name: &'a str, level: usize) -> Result<Size, Refusal> {
        match self.fragments.get(name) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => {
                return Err(Refusal::invalid(&format!("Cannot spread fragment \"{name}\" within itself."), &[]));
            }
            None => {}
        }
        // The validator reports missing fragments.
        let Some(fragment) = self.document.fragments.get(name) else { return Ok(Size::default()) };
        self.fragments.insert(name, None);
        let size = self.set(&fragment.node.selection_set.node, level + 1)?;
        self.fragments.insert(name, Some(size));
        Ok(size)
    }

    fn set(&mut self, set: &'a SelectionSet, level: usize) -> Result<Size, Refusal> {
        if level > MAX_NESTING * 2 {
            return Err(too("is nested too deep"));
        }
        let mut size = Size::default();
        for selection in &set.items {
            size.selections = size.selections.saturating_add(1);
            match &selection.node {
                Selection::Field(field) => {
                    let field = &field.node;
                    self.introspects |= matches!(field.name.node.as_str(), "__schema" | "__type");
                    self.aliases += usize::from(field.alias.is_some());
                    size.fields = size.fields.saturating_add(1);
                    size.depth = size.depth.max(1);
                    size.nesting = size.nesting.max(1);
                    if !field.selection_set.node.items.is_empty() {
                        let inner = self.set(&field.selection_set.node, level + 1)?;
                        size.join(inner, 1);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let inner = self.set(&fragment.node.selection_set.node, level + 1)?;
                    size.join(inner, 0);
                }
                Selection::FragmentSpread(spread) => {
                    let inner = self.fragment(spread.node.fragment_name.node.as_str(), level + 1)?;
                    size.join(inner, 0);
                }
            }
        }
        if self.aliases > self.bounds.aliases {
            return Err(too("has too many aliases"));
        }
        if size.selections > self.bounds.selections {
            return Err(too("selects too much"));
        }
        if size.nesting > MAX_NESTING as u64 {
            return Err(too("is nested too deep"));
        }
        Ok(size)
    }
}

#[cfg(test)]
mod tests {
    use super::super::prepared::Prepared;
    use super::*;
    use std::fmt::Write as _;

    const BOUNDS: Bounds =
        Bounds { bytes: 200_000, tokens: 15_000, aliases: 800, fragments: 500, variables: 10, selections: 12_000 };

    fn measure(text: &str) -> Result<Size, Refusal> {
        let prepared = Prepared::parse(text, BOUNDS)?;
        Ok(prepared.size(operation(&prepared.document, None)?))
    }

    #[test]
    fn sizes_are_those_of_the_expanded_document() {
        let size =
            measure("{ a ...F b { c { d } } } fragment F on Query { x { y } ...G } fragment G on Query { z }").unwrap();
        assert_eq!((size.fields, size.depth), (7, 3));
    }

    #[test]
    fn hostile_documents_are_refused_by_the_first_limit_they_exceed() {
        // Fewer than may be nested: fragments are measured in no order, and whoever begins with the first of more is told that.
        let mut doubling = String::from("{ ...F0 }");
        for index in 0..50 {
            write!(doubling, " fragment F{index} on Query {{ ...F{next} ...F{next} }}", next = index + 1).unwrap();
        }
        doubling.push_str(" fragment F50 on Query { health }");
        let mut chain = String::from("{ ...F0 }");
        for index in 0..450 {
            write!(chain, " fragment F{index} on Query {{ ...F{next} }}", next = index + 1).unwrap();
        }
        let aliases = format!("{{ {}a }}", "a: health ".repeat(1_500));
        let deep = "nested too deep";
        let documents = [
            // 2^50 selections: only a sum over fragments that are measured once ever ends
            (doubling, "selects too much"),
            (chain, deep),
            (aliases, "too many aliases"),
            ("{ ...F } fragment F on Query { ...F }".to_owned(), "within itself"),
            ("{ ...F } fragment F on Query { ...G } fragment G on Query { node { ...F } }".to_owned(), "within itself"),
            ("{".repeat(100_000), deep),
            (format!("{{ a(x: {}1{}) }}", "[".repeat(50_000), "]".repeat(50_000)), deep),
            (format!("query($a: {}T{}) {{ a }}", "[".repeat(5_000), "]".repeat(5_000)), deep),
            (format!("{{ {} }}", "a ".repeat(30_000)), "too many tokens"),
            (format!("{{ a(x: \"{}\") }}", "x".repeat(300_000)), "too large"),
            ("\"".repeat(80_000), "Syntax Error"),
            (format!("{{ a {} }}", "@skip(if: true) ".repeat(10_000)), "too many tokens"),
        ];
        let surprises: Vec<_> = documents
            .iter()
            .map(|(document, limit)| {
                let refusal = measure(document).expect_err(&document[..20]);
                (&document[..20], limit, serde_json::Value::from(refusal.errors).to_string())
            })
            .filter(|(_, limit, message)| !message.contains(**limit))
            .collect();
        assert!(surprises.is_empty(), "{surprises:#?}");
    }

    #[test]
    fn each_bound_is_met_by_twice_what_fits() {
        let bounds = Bounds { bytes: 400, tokens: 60, aliases: 4, fragments: 3, variables: 2, selections: 20 };
        let fits = |text: &str| Prepared::parse(text, bounds).map(|_| ());
        let numbered = |count: usize, make: fn(usize) -> String| (0..count).map(make).collect::<Vec<_>>().concat();
        let long = |count: usize| format!("{{ a(x: \"{}\") }}", "x".repeat(count));
        let tokens = |count: usize| format!("{{ {} }}", "a(x: [1]) ".repeat(count));
        let aliases = |count: usize| format!("{{ {} }}", "b: a ".repeat(count));
        let fragments = |count: usize| {
            format!("{{ a }} {}", numbered(count, |index| format!("fragment F{index} on Query {{ a }} ")))
        };
        let variables =
            |count: usize| format!("query({}) {{ a }}", numbered(count, |index| format!("$v{index}: Int ")));
        let expanded = |count: usize| format!("{{ {} }} fragment F on Query {{ a b c d }}", "...F ".repeat(count));
        for (message, inside, outside) in [
            ("is too large", long(350), long(700)),
            ("too many tokens", tokens(7), tokens(14)),
            ("too many aliases", aliases(4), aliases(8)),
            ("too many fragments", fragments(3), fragments(6)),
            ("too many variables", variables(2), variables(4)),
            ("selects too much", expanded(4), expanded(8)),
        ] {
            assert!(fits(&inside).is_ok(), "{inside}: {:?}", fits(&inside));
            let refusal = serde_json::Value::from(fits(&outside).expect_err(&outside).errors).to_string();
            assert!(refusal.contains(message), "{outside}: {refusal}");
        }
    }

    #[test]
    fn nesting_up_to_the_bound_fits_the_stack() {
        let deep = format!("{}a{}", "{ a ".repeat(MAX_NESTING - 1).trim_end(), " }".repeat(MAX_NESTING - 1))
            .replace("a}", "a }");
        assert!(measure(&deep).is_ok(), "{:?}", measure(&deep));
        let list = format!("{{ a(x: {}1{}) }}", "[".repeat(MAX_NESTING - 2), "]".repeat(MAX_NESTING - 2));
        assert!(parse(&list).is_ok());
    }

    #[test]
    fn introspection_is_found_everywhere() {
        for document in [
            "{ __schema { queryType { name } } }",
            "{ x: __type(name: \"User\") { name } }",
            "{ ... on Query { __type(name: \"User\") { name } } }",
            "{ ...F } fragment F on Query { a: __schema { types { name } } }",
            "{ health ... @include(if: true) { __schema { types { name } } } }",
        ] {
            assert!(Prepared::parse(document, BOUNDS).unwrap().introspects, "{document}");
        }
        assert!(!Prepared::parse("{ __typename health(x: \"__schema\") }", BOUNDS).unwrap().introspects);
    }
}
