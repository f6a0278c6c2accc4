//! Files that depend on each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

type Arrows<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

fn reachable<'a>(from: &'a str, arrows: &Arrows<'a>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut next = vec![from];
    while let Some(node) = next.pop() {
        next.extend(arrows.get(node).into_iter().flatten().copied().filter(|to| seen.insert(*to)));
    }
    seen
}

/// The largest set in which every file leads to every other one.
pub fn largest<'a>(arrows: &Arrows<'a>) -> BTreeSet<&'a str> {
    let from: BTreeMap<_, _> = arrows.keys().map(|node| (*node, reachable(node, arrows))).collect();
    let circle = |node: &&'a str| {
        let back = from[node].iter().copied().filter(|other| from.get(other).is_some_and(|to| to.contains(node)));
        back.collect::<BTreeSet<_>>()
    };
    arrows.keys().map(circle).max_by_key(BTreeSet::len).unwrap_or_default()
}

#[test]
fn a_circle_is_found() {
    let arrows = [("a", ["b"]), ("b", ["c"]), ("c", ["a"]), ("d", ["a"]), ("e", ["d"])];
    let arrows = arrows.into_iter().map(|(from, to)| (from, to.into_iter().collect())).collect();
    assert_eq!(largest(&arrows), BTreeSet::from(["a", "b", "c"]));
}
