//! Checks the direction of dependencies: parses the sources and applies the rules in `rules.rs`.
//!
//! A violation that cannot be fixed now is a line in `debts.rs`, with the reason. A line that is no longer needed fails the test too, so
//! the lists only become shorter.

mod circles;
mod debts;
mod rules;
mod sources;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use debts::{ARROWS, CLASSES, LARGEST_CIRCLE, WORDS};
use rules::{
    IMPLEMENT_ASYNC_TRAITS, MAY_COMPARE_CLASSES, NEED_RULES, PARSE_WORDS, RULES, Rule, SEPARATE_BELOW, UNRULED,
};
use sources::{Module, Sources, all_below};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Parsed once, for all tests of this module.
static SOURCES: LazyLock<Sources> = LazyLock::new(|| Sources::read(&root()));

/// Whether a module is another one or below it.
fn within(module: &str, other: &str) -> bool {
    module.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn rule_of(module: &str) -> Option<&'static Rule> {
    RULES.iter().filter(|rule| within(module, rule.of)).max_by_key(|rule| rule.of.len())
}

/// The part of `module` directly below `above`, if it is there: `a::b` of `a::b::c` below `a`.
fn directly_below<'a>(module: &'a str, above: &str) -> Option<&'a str> {
    let skipped = if above.is_empty() { 0 } else { above.len() + 2 };
    if !above.is_empty() && !within(module, above) || module.len() <= skipped {
        return None;
    }
    let rest = &module[skipped..];
    Some(&module[..skipped + rest.find("::").unwrap_or(rest.len())])
}

/// Whether a module may use another one.
fn may_name(from: &str, to: &str) -> bool {
    let Some(rule) = rule_of(from) else { return true };
    if rule.never.iter().any(|never| within(to, never)) {
        return false;
    }
    let neighbours = SEPARATE_BELOW.iter().any(|above| {
        matches!((directly_below(from, above), directly_below(to, above)), (Some(from), Some(to)) if from != to)
    });
    !neighbours && (within(to, rule.of) || rule.may.iter().any(|may| within(to, may)))
}

/// Compares the violations found with the list of debts, in both directions.
fn compare<Finding: Ord + std::fmt::Debug>(found: &BTreeSet<Finding>, debts: &BTreeSet<Finding>, advice: &str) {
    let new: Vec<_> = found.difference(debts).collect();
    assert!(new.is_empty(), "{advice}: {new:#?}");
    let paid: Vec<_> = debts.difference(found).collect();
    assert!(paid.is_empty(), "no longer needed in tests/it/architecture/debts.rs, remove: {paid:#?}");
}

#[test]
fn every_file_is_parsed() {
    let sources = &*SOURCES;
    let mut files = BTreeSet::new();
    all_below(&root(), &root(), &mut files);
    let seen: BTreeSet<_> = sources.modules.iter().map(|module| module.file.clone()).collect();
    let missed: Vec<_> =
        files.iter().filter(|file| !seen.contains(*file) && !sources.test_files.contains(*file)).collect();
    assert!(missed.is_empty(), "no `mod` item leads to {missed:?}");
}

#[test]
fn every_module_has_a_rule() {
    let sources = &*SOURCES;
    let without: BTreeSet<_> = sources
        .modules
        .iter()
        .flat_map(|module| NEED_RULES.iter().filter_map(|above| directly_below(&module.path, above)))
        .filter(|place| {
            let listed = RULES.iter().any(|rule| within(rule.of, place)) || UNRULED.contains(place);
            !listed && rule_of(place).is_none()
        })
        .collect();
    assert!(without.is_empty(), "add a rule for these modules to tests/it/architecture/rules.rs: {without:?}");
    let gone: Vec<_> =
        RULES.iter().map(|rule| rule.of).filter(|of| rule_of(of).is_none_or(|rule| rule.of != *of)).collect();
    assert!(gone.is_empty(), "two rules for one module: {gone:?}");
}

#[test]
fn debts_have_reasons() {
    let reasons = ARROWS.iter().map(|debt| debt.reason).chain(CLASSES.iter().map(|debt| debt.reason));
    for reason in
        reasons.chain(WORDS.iter().map(|(.., reason)| *reason)).chain(MAY_COMPARE_CLASSES.iter().map(|(.., why)| *why))
    {
        assert!(reason.len() > 15, "not a reason: {reason:?}");
    }
}

#[test]
fn directions_hold() {
    let sources = &*SOURCES;
    let found = sources
        .modules
        .iter()
        .flat_map(|module| module.uses.iter().map(|to| (module.path.as_str(), to.as_str())))
        .filter(|(from, to)| !may_name(from, to))
        .collect();
    let debts = ARROWS.iter().flat_map(|debt| debt.arrows.iter().copied()).collect();
    compare(&found, &debts, "these modules must not use these others (docs/architecture.md, rules of direction)");
}

#[test]
fn crates_are_used_only_where_allowed() {
    let sources = &*SOURCES;
    let named = |module: &Module| -> Vec<String> {
        let banned = rule_of(&module.path).map_or(&[][..], |rule| rule.never_crates);
        let named = banned.iter().filter(|name| module.crates.contains(**name));
        named.map(|name| format!("{} uses the crate {name}", module.file)).collect()
    };
    let found: Vec<_> = sources.modules.iter().flat_map(named).collect();
    assert!(found.is_empty(), "{found:#?}");
}

/// Traits of our own return boxed futures; see docs/decisions/async-traits.md.
#[test]
fn async_trait_is_for_traits_of_other_crates() {
    let modules = SOURCES.modules.iter().filter(|module| module.crates.contains("async_trait"));
    let found: Vec<_> = modules.map(|module| module.path.as_str()).collect();
    assert_eq!(found, IMPLEMENT_ASYNC_TRAITS);
}

/// The kernel and the pipelines treat all classes alike: the rules of a special class are in its feature.
#[test]
fn classes_are_not_compared_by_name() {
    let sources = &*SOURCES;
    let names = sources::class_names(&root().join("model/names.rs"));
    assert!(names.iter().any(|(constant, name)| constant == "USER" && name == "_User"));
    let mut found = BTreeSet::new();
    for module in &sources.modules {
        let allowed = |constant: &str| {
            MAY_COMPARE_CLASSES.iter().any(|(known, constants, _)| {
                within(&module.path, known) && (constants.is_empty() || constants.contains(&constant))
            })
        };
        for (constant, name) in names.iter().filter(|(constant, _)| !allowed(constant)) {
            // the literal is wrong anywhere, the constant where something is compared with it
            if module.texts.contains(name) || module.compared.contains(&format!("model::names::{constant}")) {
                found.insert((module.path.as_str(), constant.as_str()));
            }
        }
    }
    let debts = CLASSES.iter().flat_map(|debt| debt.names.iter().map(|name| (debt.module, *name))).collect();
    compare(&found, &debts, "these modules treat a class differently by its name");
}

#[test]
fn the_graphql_engine_contains_no_parse_words() {
    let sources = &*SOURCES;
    let found = sources
        .modules
        .iter()
        .filter(|module| within(&module.path, "graphql::engine"))
        .flat_map(|module| {
            let words = PARSE_WORDS.iter().filter(|word| module.words.contains(**word));
            words.map(|word| (module.path.as_str(), *word))
        })
        .collect();
    let debts = WORDS.iter().map(|(module, word, _)| (*module, *word)).collect();
    compare(&found, &debts, "words of Parse in the engine");
}

#[test]
fn the_circle_in_the_domain_does_not_grow() {
    let sources = &*SOURCES;
    let arrows = sources.arrows_within("domain");
    let circle = circles::largest(&arrows);
    let inside = arrows.iter().filter(|(from, _)| circle.contains(*from));
    let arrows = inside.flat_map(|(_, to)| to.iter().filter(|to| circle.contains(*to))).count();
    println!("the largest circle in the domain: {} files, {arrows} arrows: {circle:#?}", circle.len());
    assert!(
        circle.len() == LARGEST_CIRCLE,
        "{} files of the domain depend on each other in a circle, {LARGEST_CIRCLE} is checked in (a smaller figure belongs there too): {circle:#?}",
        circle.len()
    );
}

/// A field of GraphQL counts as an operation of REST, which it names by its id: each id is in the list that the document of the API is
/// checked against.
#[test]
fn graphql_names_operations_that_rest_has() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let known = std::fs::read_to_string(manifest.join("openapi/operations.txt")).unwrap();
    let known: BTreeSet<&str> = known.split_whitespace().collect();
    let mut named = BTreeSet::new();
    for file in ["current/operation.rs", "legacy/resolve.rs"] {
        let text = std::fs::read_to_string(root().join("graphql").join(file)).unwrap();
        for way in ["Operation::Named(\"", "Operation::On(\"", "schema(\""] {
            named.extend(text.split(way).skip(1).filter_map(|rest| rest.split('"').next()).map(str::to_owned));
        }
    }
    assert!(named.len() > 10, "{named:?}");
    let unknown: Vec<_> = named.iter().filter(|id| !known.contains(id.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
