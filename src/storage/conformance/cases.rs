//! Rows and filters, and which rows each filter finds. They hold for stores and for the in-process matcher.

use super::*;

pub fn query_rows() -> Vec<Object> {
    vec![
        row("none", json!({})),
        row("null", json!({"s": null, "n": null, "b": null, "d": null, "o": null, "a": null, "p": null, "f": null})),
        row(
            "one",
            json!({
                "s": "one", "n": 1, "b": true, "d": date("2020-01-01T00:00:00.000Z"), "o": {"k": 1, "deep": {"x": "y"}},
                "a": [1, "x", null, {"k": "v"}], "p": pointer("p1"), "f": {"__type": "File", "name": "a.txt"},
                "g": geo(10.0, 20.0), "by": {"__type": "Bytes", "base64": "aGVsbG8="}, "_rperm": ["*"], "_wperm": ["u1"],
            }),
        ),
        row(
            "two",
            json!({
                "s": "Two", "n": 2.5, "b": false, "d": date("2021-01-01T00:00:00.000Z"), "o": {"k": [1, 2, {"z": 3}]},
                "a": [], "p": pointer("p2"), "g": geo(-10.0, 20.0), "_rperm": ["u1", "role:X"], "_wperm": [],
            }),
        ),
        row(
            "three",
            json!({
                "s": "o\nne \"q\" é", "n": -3, "a": [[1, 2], [3]], "o": {"k": null}, "d": date("1969-12-31T23:59:59.999Z"),
                "y": {"__type": "Polygon", "coordinates": [[0, 0], [0, 10], [10, 10], [10, 0], [0, 0]]}, "_rperm": [],
            }),
        ),
        row(
            "four",
            json!({
                "s": "", "n": 0, "a": [pointer("p1"), pointer("p3"), {"k": "w", "l": [1, 5]}], "o": {"k": {"k": 1}}, "p": pointer("p10"),
            }),
        ),
        row(
            "five",
            json!({
                "s": "ones", "n": 9_007_199_254_740_991_i64, "a": ["x", "y", date("2020-01-01T00:00:00.000Z"), true], "o": {},
                "g": geo(10.0, 20.5),
            }),
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub fn query_cases() -> Vec<(Resolved, Vec<&'static str>)> {
    use Constraint::{All, AllRegex, ContainedBy, Exists, Gt, Gte, In, Lt, Lte, Ne, NotIn};
    let all = vec!["none", "null", "one", "two", "three", "four", "five"];
    let v = value;
    vec![
        (Filter::All, all.clone()),
        (Filter::Never, vec![]),
        (Filter::And(vec![]), all.clone()),
        // Equality.
        (eq("s", json!("one")), vec!["one"]),
        (eq("s", json!("ONE")), vec![]),
        (eq("s", json!("")), vec!["four"]),
        (eq("s", json!("o\nne \"q\" é")), vec!["three"]),
        (eq("s", json!(1)), vec![]),
        (eq("n", json!(1)), vec!["one"]),
        (eq("n", json!(1.0)), vec!["one"]),
        (eq("n", json!(-0.0)), vec!["four"]),
        (eq("n", json!("1")), vec![]),
        (eq("n", json!(9_007_199_254_740_991_i64)), vec!["five"]),
        (eq("b", json!(true)), vec!["one"]),
        (eq("b", json!(1)), vec![]),
        (eq("d", date("2020-01-01T00:00:00.000Z")), vec!["one"]),
        (eq("d", json!("2020-01-01T00:00:00.000Z")), vec![]),
        (eq("p", pointer("p1")), vec!["one"]),
        (eq("p", json!("p1")), vec![]),
        (eq("f", json!({"__type": "File", "name": "a.txt"})), vec!["one"]),
        (eq("objectId", json!("two")), vec!["two"]),
        (eq("objectId", json!(2)), vec![]),
        (eq("objectId", json!(null)), vec![]),
        (eq("unknown", json!(1)), vec![]),
        // Null and missing.
        (eq("s", json!(null)), vec!["none", "null", "two"].into_iter().filter(|id| *id != "two").collect()),
        (eq("p", json!(null)), vec!["none", "null", "three", "five"]),
        (eq("unknown", json!(null)), all.clone()),
        (eq("a", json!(null)), vec!["none", "null", "one"]),
        (eq("o.k", json!(null)), vec!["none", "null", "three", "five"]),
        (is("s", Ne(v(json!(null)))), vec!["one", "two", "three", "four", "five"]),
        (is("s", Exists(true)), vec!["null", "one", "two", "three", "four", "five"]),
        (is("s", Exists(false)), vec!["none"]),
        (is("o.k", Exists(true)), vec!["one", "two", "three", "four"]),
        (is("o.deep.x", Exists(false)), vec!["none", "null", "two", "three", "four", "five"]),
        (is("objectId", Exists(true)), all.clone()),
        (is("createdAt", Exists(false)), vec![]),
        // Comparison stays within a type.
        (is("n", Gt(v(json!(0)))), vec!["one", "two", "five"]),
        (is("n", Gte(v(json!(0)))), vec!["one", "two", "four", "five"]),
        (is("n", Lt(v(json!(1)))), vec!["three", "four"]),
        (is("n", Lte(v(json!(1)))), vec!["one", "three", "four"]),
        (is("n", Gt(v(json!("")))), vec![]),
        (is("s", Gt(v(json!("a")))), vec!["one", "three", "five"]),
        (is("s", Lt(v(json!("a")))), vec!["two", "four"]),
        (is("s", Lte(v(json!("one")))), vec!["one", "two", "three", "four"]),
        (is("s", Lt(v(json!(5)))), vec![]),
        (is("b", Lt(v(json!(true)))), vec!["two"]),
        (is("d", Lt(v(date("2020-06-01T00:00:00.000Z")))), vec!["one", "three"]),
        (is("d", Gte(v(date("2020-01-01T00:00:00.000Z")))), vec!["one", "two"]),
        (is("d", Gt(v(json!("2019-01-01T00:00:00.000Z")))), vec![]),
        (is("createdAt", Gte(v(date("2026-01-01T00:00:00.000Z")))), all.clone()),
        (is("createdAt", Gt(v(json!("2001-01-01")))), vec![]),
        (is("p", Gt(v(pointer("p1")))), vec!["two", "four"]),
        (is("objectId", Gt(v(json!("o")))), vec!["one", "two", "three"]),
        (is("a", Gt(v(json!("x")))), vec!["five"]),
        (is("a", Lt(v(json!(2)))), vec!["one"]),
        // Not equal, not in.
        (is("n", Ne(v(json!(1)))), vec!["none", "null", "two", "three", "four", "five"]),
        (is("a", Ne(v(json!("x")))), vec!["none", "null", "two", "three", "four"]),
        (is("n", NotIn(values(json!([1, 2.5])))), vec!["none", "null", "three", "four", "five"]),
        (is("n", NotIn(values(json!([1, null])))), vec!["two", "three", "four", "five"]),
        (is("n", NotIn(vec![])), all.clone()),
        (is("objectId", Ne(v(json!("one")))), vec!["none", "null", "two", "three", "four", "five"]),
        (is("objectId", NotIn(values(json!(["one", "two", 3])))), vec!["none", "null", "three", "four", "five"]),
        // In.
        (is("n", In(values(json!([1, 2.5, "x"])))), vec!["one", "two"]),
        (is("n", In(vec![])), vec![]),
        (is("s", In(values(json!(["one", null])))), vec!["none", "null", "one"]),
        (is("p", In(values(json!([pointer("p1"), pointer("p2")])))), vec!["one", "two"]),
        (is("objectId", In(values(json!(["one", "five", "zzz"])))), vec!["one", "five"]),
        (is("a", In(values(json!(["y", 1])))), vec!["one", "five"]),
        (is("n", In((0..1000).map(|n| Value::Number(f64::from(n))).collect())), vec!["one", "four"]),
        (
            is("s", In((0..1000).map(|n| Value::from(format!("x{n}"))).chain([Value::from("Two")]).collect())),
            vec!["two"],
        ),
        (is("_rperm", In(values(json!([null, "*", "u1"])))), vec!["none", "null", "one", "two", "four", "five"]),
        (is("_wperm", In(values(json!([null, "*"])))), vec!["none", "null", "three", "four", "five"]),
        // Arrays.
        (eq("a", json!("x")), vec!["one", "five"]),
        (eq("a", json!(["x"])), vec![]),
        (eq("a", json!([])), vec!["two"]),
        (eq("a", json!([1, 2])), vec!["three"]),
        (eq("a", json!([[1, 2], [3]])), vec!["three"]),
        (eq("a", pointer("p1")), vec!["four"]),
        (eq("a", date("2020-01-01T00:00:00.000Z")), vec!["five"]),
        (eq("a", json!({"k": "v"})), vec!["one"]),
        (eq("a.k", json!("v")), vec!["one"]),
        (eq("a.0", json!(1)), vec!["one"]),
        (eq("a.2.l", json!(5)), vec!["four"]),
        (eq("a.l", json!(5)), vec!["four"]),
        (eq("a.objectId", json!("p3")), vec!["four"]),
        (is("a", All(values(json!(["x", 1])))), vec!["one"]),
        (is("a", All(values(json!(["x"])))), vec!["one", "five"]),
        (is("a", All(values(json!([pointer("p1"), pointer("p3")])))), vec!["four"]),
        (is("a", All(vec![])), vec![]),
        (is("a", AllRegex(vec![Regex { pattern: "^\\Qx\\E".into(), options: String::new() }])), vec!["one", "five"]),
        (is("a", ContainedBy(values(json!(["x", "y", 1, null, {"k": "v"}])))), vec!["none", "null", "one", "two"]),
        // Objects.
        (eq("o", json!({})), vec!["five"]),
        (eq("o", json!({"k": null})), vec!["three"]),
        (eq("o.k", json!(1)), vec!["one", "two"]),
        (eq("o.k.z", json!(3)), vec!["two"]),
        (eq("o.k.k", json!(1)), vec!["four"]),
        (eq("o.deep.x", json!("y")), vec!["one"]),
        (eq("o.deep", json!({"x": "y"})), vec!["one"]),
        (is("o.k", Gt(v(json!(1)))), vec!["two"]),
        (is("o.k", In(values(json!([1, 7])))), vec!["one", "two"]),
        // Patterns.
        (is("s", regex("^one", "")), vec!["one", "five"]),
        (is("s", regex("^\\Qone\\E", "")), vec!["one", "five"]),
        (is("s", regex("^\\Qone\\E$", "")), vec!["one"]),
        (is("s", regex("^\\Qo\\E?", "")), vec!["one", "two", "three", "four", "five"]),
        (is("s", regex("^TWO$", "i")), vec!["two"]),
        (is("s", regex("^ne", "m")), vec!["three"]),
        (is("s", regex("o.ne", "s")), vec!["three"]),
        (is("s", regex("one|Two", "")), vec!["one", "two", "five"]),
        (is("s", regex("^one|wo", "")), vec!["one", "two", "five"]),
        (is("a", regex("^x$", "")), vec!["one", "five"]),
        (is("n", regex("1", "")), vec![]),
        // Together.
        (Filter::Or(vec![eq("n", json!(1)), eq("s", json!("Two"))]), vec!["one", "two"]),
        (Filter::Or(vec![eq("n", json!(1)), is("s", regex("^T", ""))]), vec!["one", "two"]),
        (Filter::Or(vec![eq("n", json!(1)), Filter::All]), all.clone()),
        (Filter::And(vec![is("n", Gt(v(json!(0)))), is("n", Lt(v(json!(2))))]), vec!["one"]),
        (Filter::Nor(vec![eq("n", json!(1)), eq("b", json!(false))]), vec!["none", "null", "three", "four", "five"]),
        (Filter::Nor(vec![is("s", regex("o", "")), eq("n", json!(0))]), vec!["none", "null"]),
        (Filter::Nor(vec![Filter::All]), vec![]),
        (Filter::Nor(vec![Filter::Never]), all.clone()),
        (
            Filter::And(vec![
                Filter::Or(vec![eq("b", json!(true)), eq("b", json!(false))]),
                Filter::Nor(vec![eq("a", json!(1))]),
            ]),
            vec!["two"],
        ),
        // Places.
        (is("g", Constraint::WithinSphere { center: point(10.0, 20.0), radius: 0.001 }), vec!["one"]),
        (is("g", Constraint::WithinSphere { center: point(10.0, 20.0), radius: 0.01 }), vec!["one", "five"]),
        (
            is("g", Constraint::WithinBox { bottom_left: point(0.0, 0.0), upper_right: point(30.0, 30.0) }),
            vec!["one", "five"],
        ),
        (
            is(
                "g",
                Constraint::WithinPolygon(vec![
                    point(-20.0, 10.0),
                    point(-20.0, 30.0),
                    point(0.0, 30.0),
                    point(0.0, 10.0),
                ]),
            ),
            vec!["two"],
        ),
        (is("y", Constraint::IntersectsPoint(point(5.0, 5.0))), vec!["three"]),
        (is("y", Constraint::IntersectsPoint(point(15.0, 5.0))), vec![]),
        (eq("g", geo(10.0, 20.0)), vec!["one"]),
        (eq("by", json!({"__type": "Bytes", "base64": "aGVsbG8="})), vec!["one"]),
    ]
}
