//! Random rows and filters: a store finds what the in-process matcher accepts.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::model::query::path::Path;
use crate::model::query::sort::sort_key;

fn atom() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|truth| json!(truth)),
        number(),
        text(),
        (0..3_u32).prop_map(|n| pointer(&format!("p{n}"))),
        day(),
    ]
}

fn number() -> impl Strategy<Value = Json> {
    prop_oneof![(-2..4_i32).prop_map(|n| json!(n)), Just(json!(1.5)), Just(json!(-0.0)), Just(json!(1e300))]
}

fn text() -> impl Strategy<Value = Json> {
    prop_oneof![Just("a"), Just("b"), Just("ab"), Just(""), Just("É"), Just("e\u{301}"), Just("a\u{0}b"), Just("T$p1")]
        .prop_map(|text| json!(text))
}

fn day() -> impl Strategy<Value = Json> {
    (0..3_u32).prop_map(|n| date(&format!("202{n}-01-01T00:00:00.000Z")))
}

fn any_value() -> impl Strategy<Value = Json> {
    atom().prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
            proptest::collection::vec((prop_oneof![Just("k"), Just("l"), Just("0")], inner), 0..3).prop_map(|fields| {
                Json::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

fn list() -> impl Strategy<Value = Json> {
    proptest::collection::vec(any_value(), 0..4).prop_map(Json::Array)
}

fn map() -> impl Strategy<Value = Json> {
    proptest::collection::vec((prop_oneof![Just("k"), Just("l")], any_value()), 0..3)
        .prop_map(|fields| Json::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()))
}

fn maybe(
    name: &'static str,
    value: impl Strategy<Value = Json> + 'static,
) -> BoxedStrategy<Option<(&'static str, Json)>> {
    prop_oneof![1 => Just(None), 1 => Just(Some((name, json!(null)))), 4 => value.prop_map(move |value| Some((name, value)))].boxed()
}

/// Fields of a row of [`all_types`].
fn fields() -> impl Strategy<Value = Json> {
    let perm = proptest::collection::vec(prop_oneof![Just(json!("*")), Just(json!("u1")), Just(json!("u2"))], 0..3)
        .prop_map(Json::Array);
    (
        maybe("s", text()),
        maybe("n", number()),
        maybe("b", any::<bool>().prop_map(|truth| json!(truth))),
        maybe("d", day()),
        maybe("p", (0..3_u32).prop_map(|n| pointer(&format!("p{n}")))),
        maybe("a", list()),
        maybe("o", map()),
        maybe("_rperm", perm),
    )
        .prop_map(|(s, n, b, d, p, a, o, r)| {
            Json::Object(
                [s, n, b, d, p, a, o, r]
                    .into_iter()
                    .flatten()
                    // Permissions and pointers are never null in a store.
                    .filter(|(name, value)| !(value.is_null() && ["_rperm", "p"].contains(name)))
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect(),
            )
        })
}

fn path() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop_oneof![Just("s"), Just("n"), Just("b"), Just("d"), Just("p"), Just("a"), Just("o"), Just("_rperm"), Just("objectId"), Just("unknown")],
        2 => prop_oneof![Just("o.k"), Just("o.l"), Just("a.k"), Just("a.0"), Just("o.k.l"), Just("o.k.0"), Just("a.objectId")],
    ]
    .prop_map(str::to_owned)
}

fn constraint() -> impl Strategy<Value = Constraint> {
    let one = || any_value().prop_map(value);
    let atoms = || atom().prop_map(value);
    let many = || proptest::collection::vec(any_value().prop_map(value), 0..4);
    let pattern =
        prop_oneof![Just("^a"), Just("b"), Just("^\\Qa\\E"), Just("^$"), Just("^\\Qab\\E"), Just("[aé]"), Just("^ab?")];
    prop_oneof![
        4 => one().prop_map(Constraint::Eq),
        2 => one().prop_map(Constraint::Ne),
        1 => atoms().prop_map(Constraint::Lt),
        1 => atoms().prop_map(Constraint::Lte),
        1 => atoms().prop_map(Constraint::Gt),
        1 => atoms().prop_map(Constraint::Gte),
        3 => many().prop_map(Constraint::In),
        2 => many().prop_map(Constraint::NotIn),
        1 => many().prop_map(Constraint::All),
        1 => many().prop_map(Constraint::ContainedBy),
        2 => any::<bool>().prop_map(Constraint::Exists),
        1 => (pattern, prop_oneof![Just(""), Just("i")]).prop_map(|(pattern, options)| regex(pattern, options)),
    ]
}

/// How a filter is made of leaves; filters themselves cannot be copied.
#[derive(Debug, Clone)]
enum Shape {
    Field(String, Constraint),
    And(Vec<Shape>),
    Or(Vec<Shape>),
    Nor(Vec<Shape>),
}

impl Shape {
    fn build(&self) -> Resolved {
        let all = |parts: &[Self]| parts.iter().map(Self::build).collect();
        match self {
            Self::Field(path, constraint) => Filter::field(path.clone(), constraint.clone()),
            Self::And(parts) => Filter::And(all(parts)),
            Self::Or(parts) => Filter::Or(all(parts)),
            Self::Nor(parts) => Filter::Nor(all(parts)),
        }
    }
}

/// A text compared with a pointer field is an id when it comes from a client: the parser makes a pointer of it, and stores
/// need not know what a bare text means there.
fn suiting(path: &str, constraint: Constraint) -> Constraint {
    use Constraint::{All, ContainedBy, Eq, Gt, Gte, In, Lt, Lte, Ne, NotIn};
    let one = |value: Value| if path == "p" && value.as_str().is_some() { Value::Null } else { value };
    let many = |values: Vec<Value>| values.into_iter().map(one).collect();
    match constraint {
        Eq(value) => Eq(one(value)),
        Ne(value) => Ne(one(value)),
        Lt(value) => Lt(one(value)),
        Lte(value) => Lte(one(value)),
        Gt(value) => Gt(one(value)),
        Gte(value) => Gte(one(value)),
        In(values) => In(many(values)),
        NotIn(values) => NotIn(many(values)),
        All(values) => All(many(values)),
        ContainedBy(values) => ContainedBy(many(values)),
        other => other,
    }
}

fn shape() -> impl Strategy<Value = Shape> {
    (path(), constraint())
        .prop_map(|(path, constraint)| Shape::Field(path.clone(), suiting(&path, constraint)))
        .prop_recursive(2, 6, 3, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Shape::And),
                proptest::collection::vec(inner.clone(), 1..4).prop_map(Shape::Or),
                proptest::collection::vec(inner, 1..4).prop_map(Shape::Nor),
            ]
        })
}

/// One criterion that may be an array, and perhaps one that is none: MongoDB sorts by one array at most.
fn order() -> impl Strategy<Value = Vec<Sort>> {
    let sort = |path: String, descending| Sort { path, descending };
    let plain =
        prop_oneof![Just("s"), Just("n"), Just("b"), Just("d"), Just("p"), Just("objectId")].prop_map(str::to_owned);
    ((path(), any::<bool>()), proptest::option::of((plain, any::<bool>()))).prop_map(move |((first, down), second)| {
        // MongoDB does not sort by an index where elements have a field of that name.
        let first = first.strip_suffix(".0").map(str::to_owned).unwrap_or(first);
        let second = second.filter(|(path, _)| *path != first).map(|(path, down)| sort(path, down));
        std::iter::once(sort(first, down)).chain(second).collect()
    })
}

/// Random rows and filters: the store finds what the matcher accepts, in the matcher's order. `rounds` sets of rows, 50
/// filters each. `sparse`: half of the indexes are (MongoDB loses rows without the field for `$lte: null` then).
///
/// # Panics
/// When they differ.
pub async fn agrees_with_matches(store: &dyn Storage, rounds: usize, sparse: bool) {
    let mut schema = all_types();
    schema.name = ClassName::unchecked("Random");
    store.create_class(&schema).await.unwrap();
    let mut runner = TestRunner::new(Config::default());
    let rows = proptest::collection::vec(fields(), 12);
    let queries = proptest::collection::vec((shape(), order()), 50);
    for round in 0..rounds {
        if round == rounds / 2 {
            let specs: Vec<IndexSpec> = ["s", "n", "d", "a", "o.k", "p", "b"]
                .into_iter()
                .enumerate()
                .map(|(at, field)| spec(&format!("x{at}"), &[field], false, sparse && at % 2 == 0))
                .collect();
            store.create_indexes(&schema, &specs).await.unwrap();
        }
        let rows: Vec<Object> = rows
            .new_tree(&mut runner)
            .unwrap()
            .current()
            .into_iter()
            .enumerate()
            .map(|(at, fields)| row(&format!("p{at}"), fields))
            .collect();
        fill(store, &schema, &rows).await;
        let queries = queries.new_tree(&mut runner).unwrap().current();
        // Side by side: what a case waits for is mostly the store.
        let cases = queries.iter().map(|(shape, order)| one_case(store, &schema, &rows, shape, order));
        join_all(cases).await;
        store.delete(&schema, &Filter::All, None).await.unwrap();
    }
    store.delete_class(&schema.name).await.unwrap();
}

async fn one_case(store: &dyn Storage, schema: &ClassSchema, rows: &[Object], shape: &Shape, order: &[Sort]) {
    let filter = shape.build();
    let matcher = Matcher::new(&filter).unwrap();
    let expected: Vec<&Object> = rows.iter().filter(|row| matcher.matches(row).unwrap()).collect();
    let options = FindOptions { sort: order.to_vec(), ..FindOptions::default() };
    let got = match read(store, schema, &filter, &options).await {
        Ok(rows) => ids(&rows),
        Err(error) => panic!("{shape:?} by {order:?}: {error:?}"),
    };
    let names =
        |rows: &[&Object]| rows.iter().map(|row| row.get_str("objectId").unwrap().to_owned()).collect::<BTreeSet<_>>();
    let context = || {
        let rows: Vec<String> = rows.iter().map(|row| serde_json::to_string(&encode_object(row)).unwrap()).collect();
        format!("{shape:?}\n{order:?}\n{}", rows.join("\n"))
    };
    assert_eq!(got.iter().cloned().collect::<BTreeSet<_>>(), names(&expected), "{}", context());
    assert_eq!(got.len(), expected.len());
    let criteria: Vec<(Path, bool)> = order.iter().map(|sort| (Path::new(&sort.path), sort.descending)).collect();
    for pair in got.windows(2) {
        let place = |id: &String| {
            let row = rows.iter().find(|row| row.get_str("objectId") == Some(id)).unwrap();
            criteria.iter().map(|(path, descending)| sort_key(row, path, *descending)).collect::<Vec<_>>()
        };
        let (first, second) = (place(&pair[0]), place(&pair[1]));
        for ((first, second), (_, descending)) in first.iter().zip(&second).zip(&criteria) {
            let order = if *descending { second.cmp(first) } else { first.cmp(second) };
            assert!(order != std::cmp::Ordering::Greater, "{pair:?} out of order\n{}", context());
            if order == std::cmp::Ordering::Less {
                break;
            }
        }
    }
}
