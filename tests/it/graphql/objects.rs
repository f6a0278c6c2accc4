//! Objects of classes: all types in and out, links, relations, connections, classes that change.

use serde_json::{Value as Json, json};

use super::{Graph, options};
use crate::server::each_backend;

const CLASS: &str = r#"mutation { createClass(input: { name: "Thing", schemaFields: {
  addStrings: [{ name: "title" }] addNumbers: [{ name: "n" }] addArrays: [{ name: "list" }] addObjects: [{ name: "data" }]
  addPointers: [{ name: "parent", targetClassName: "Thing" }] addRelations: [{ name: "kids", targetClassName: "Thing" }]
} }) { class { name } } }"#;

async fn make(graph: &Graph, fields: Json) -> String {
    let query = "mutation($f: CreateThingFieldsInput) { createThing(input: { fields: $f }) { thing { objectId } } }";
    graph.data(query, json!({"f": fields})).await["createThing"]["thing"]["objectId"].as_str().unwrap().to_owned()
}

#[test]
fn fragments_aliases_and_skips() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        graph.master().data(CLASS, json!({})).await;
        let inner = make(&graph, json!({"title": "inner"})).await;
        let pointer = json!({"__type": "Pointer", "className": "Thing", "objectId": inner});
        let id = make(
            &graph,
            json!({"title": "outer", "n": 2, "list": [1, "a", {"b": [null]}, pointer], "parent": {"link": inner}}),
        )
        .await;
        let data = graph
            .data(
                r"query($id: ID!, $no: Boolean = false) {
                  a: thing(id: $id) { ...Basic t2: title n @skip(if: true) data @include(if: $no) }
                  a: thing(id: $id) { parent { title ...Basic } }
                  b: thing(id: $id) { __typename list { __typename ... on Element { value } ... on Thing { title } } }
                  __typename
                }
                fragment Basic on Thing { objectId title ... on ParseObject { objectId } ... on Node { __typename } }",
                json!({"id": id}),
            )
            .await;
        assert_eq!(
            data,
            json!({
                "a": {"objectId": id, "title": "outer", "__typename": "Thing", "t2": "outer",
                    "parent": {"title": "inner", "objectId": inner, "__typename": "Thing"}},
                "b": {"__typename": "Thing", "list": [
                    {"__typename": "Element", "value": 1}, {"__typename": "Element", "value": "a"},
                    {"__typename": "Element", "value": {"b": [null]}}, {"__typename": "Thing", "title": "inner"}]},
                "__typename": "Query",
            })
        );
    });
}

#[test]
fn a_mutation_written_twice_runs_once() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        graph.master().data(CLASS, json!({})).await;
        let data = graph
            .data(
                r#"mutation { createThing(input: { fields: { title: "x" } }) { thing { title } } ...Again }
                   fragment Again on Mutation { createThing(input: { fields: { title: "x" } }) { thing { n } } }"#,
                json!({}),
            )
            .await;
        assert_eq!(data["createThing"]["thing"], json!({"title": "x", "n": null}));
        assert_eq!(graph.data("{ things { count } }", json!({})).await["things"]["count"], 1);
    });
}

#[test]
fn nodes_by_global_id() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        graph.master().data(CLASS, json!({})).await;
        let id = make(&graph, json!({"title": "t"})).await;
        let global =
            graph.data("query($id: ID!) { thing(id: $id) { id } }", json!({"id": id})).await["thing"]["id"].clone();
        let data = graph
            .data(
                "query($id: ID!) { node(id: $id) { id __typename ... on Thing { title } ... on User { username } } }",
                json!({"id": global}),
            )
            .await;
        assert_eq!(data["node"], json!({"id": global, "__typename": "Thing", "title": "t"}));
        for id in ["X1Nlc3Npb246YWJj", "X0hvb2tzOmFiYw==", "Tm9wZTphYmM=", "eno=", "", "OjphYmM="] {
            let got = graph.run("query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
            assert_eq!((got.status, &got.json()["data"]["node"]), (200, &Json::Null), "{id}: {got:?}");
        }
    });
}

#[test]
fn relations_of_many_parents() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        graph.master().data(CLASS, json!({})).await;
        let mut kids = Vec::new();
        for n in 0..4 {
            kids.push(make(&graph, json!({"title": format!("k{n}"), "n": n})).await);
        }
        make(&graph, json!({"title": "p0", "kids": {"add": [kids[0], kids[1], kids[2]]}})).await;
        make(&graph, json!({"title": "p1", "kids": {"add": [kids[2], kids[3]]}})).await;
        make(&graph, json!({"title": "p2"})).await;
        let query = |arguments: &str| {
            format!(
                r#"{{ things(where: {{ title: {{ matchesRegex: "^p" }} }}, order: [title_ASC]) {{ edges {{ node {{
                     title kids(order: [n_DESC] {arguments}) {{ count edges {{ cursor node {{ title }} }} pageInfo {{ hasNextPage }} }} }} }} }} }}"#
            )
        };
        let titles = |data: &Json| -> Vec<Vec<String>> {
            let rows = data["things"]["edges"].as_array().unwrap().clone();
            let of = |row: &Json| {
                row["node"]["kids"]["edges"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|edge| edge["node"]["title"].as_str().unwrap().to_owned())
                    .collect()
            };
            rows.iter().map(of).collect()
        };
        let data = graph.data(&query(""), json!({})).await;
        assert_eq!(titles(&data), [vec!["k2", "k1", "k0"], vec!["k3", "k2"], vec![]]);
        assert_eq!(data["things"]["edges"][1]["node"]["kids"]["count"], 2);
        let data = graph.data(&query("where: { n: { lessThan: 3 } }"), json!({})).await;
        assert_eq!(titles(&data), [vec!["k2", "k1", "k0"], vec!["k2"], vec![]]);
        let data = graph.data(&query("first: 1"), json!({})).await;
        assert_eq!(titles(&data), [vec!["k2"], vec!["k3"], vec![]]);
        assert_eq!(data["things"]["edges"][0]["node"]["kids"]["pageInfo"]["hasNextPage"], true);
        assert_eq!(data["things"]["edges"][0]["node"]["kids"]["count"], 3);
    });
}

#[test]
fn relations_obey_permissions() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let master = graph.master();
        master.data(CLASS, json!({})).await;
        let hidden = json!({"public": {"read": false, "write": false}});
        let open = make(&graph, json!({"title": "open"})).await;
        let closed = master
            .data(
                "mutation($f: CreateThingFieldsInput) { createThing(input: { fields: $f }) { thing { objectId } } }",
                json!({"f": {"title": "closed", "ACL": hidden}}),
            )
            .await["createThing"]["thing"]["objectId"]
            .clone();
        for title in ["a", "b"] {
            make(&master, json!({"title": title, "kids": {"add": [open, closed]}, "parent": {"link": closed}})).await;
        }
        let query = r#"{ things(where: { title: { in: ["a", "b"] } }) { edges { node { kids { count edges { node { title } } } parent { objectId title } } } } }"#;
        let data = graph.data(query, json!({})).await;
        for edge in data["things"]["edges"].as_array().unwrap() {
            assert_eq!(edge["node"]["kids"], json!({"count": 1, "edges": [{"node": {"title": "open"}}]}), "{data}");
            assert_eq!(edge["node"]["parent"]["title"], Json::Null);
        }
        assert_eq!(master.data(query, json!({})).await["things"]["edges"][0]["node"]["kids"]["count"], 2);
        // An object that the caller may not read is not there, whatever is selected of it.
        for selection in ["objectId", "title", "kids { count }"] {
            let query = format!(
                "{{ things(where: {{ title: {{ equalTo: \"a\" }} }}) {{ edges {{ node {{ parent {{ {selection} }} }} }} }} }}"
            );
            assert_eq!(
                graph.data(&query, json!({})).await["things"]["edges"][0]["node"],
                json!({"parent": null}),
                "{selection}"
            );
        }
    });
}

#[test]
fn the_schema_follows_its_classes() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let master = graph.master();
        master.data(CLASS, json!({})).await;
        let id = make(&graph, json!({"title": "t", "n": 1})).await;
        let update = "mutation { updateClass(input: { name: \"Thing\", schemaFields: { addStrings: [{ name: \"more\" }], remove: [{ name: \"n\" }] } }) { class { name } } }";
        master.data(update, json!({})).await;
        let data = graph.data("query($id: ID!) { thing(id: $id) { more title } }", json!({"id": id})).await;
        assert_eq!(data["thing"], json!({"more": null, "title": "t"}));
        assert_eq!(graph.run("query($id: ID!) { thing(id: $id) { n } }", json!({"id": id})).await.status, 400);
        // Requests that run while the schema changes are answered by the one or the other.
        let mut running = Vec::new();
        for number in 0..20 {
            let (graph, master) = (graph.clone(), master.clone());
            running.push(tokio::spawn(async move {
                if number % 4 == 0 {
                    let query =
                        format!("mutation {{ createClass(input: {{ name: \"C{number}\" }}) {{ class {{ name }} }} }}");
                    master.data(&query, json!({})).await;
                }
                graph.data("{ things { count } health }", json!({})).await
            }));
        }
        for run in running {
            assert_eq!(run.await.unwrap()["things"]["count"], 1);
        }
        assert_eq!(graph.data("{ c16s { count } }", json!({})).await["c16s"]["count"], 0);
    });
}

#[test]
fn values_that_do_not_fit_are_refused() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        graph.master().data(CLASS, json!({})).await;
        let create =
            "mutation($f: CreateThingFieldsInput) { createThing(input: { fields: $f }) { thing { objectId } } }";
        for fields in [
            json!({"title": 1}),
            json!({"n": "1"}),
            json!({"nope": 1}),
            json!({"list": {"a": 1}, "title": {"__op": "Delete"}}),
            json!({"parent": "x"}),
            json!({"kids": []}),
            json!([]),
            json!("x"),
            json!({"ACL": {"public": {"read": true}}}),
        ] {
            let got = graph.run(create, json!({"f": fields})).await;
            assert_eq!(
                (got.status, got.json()["errors"][0]["extensions"]["code"].as_str()),
                (400, Some("BAD_USER_INPUT")),
                "{fields}: {got:?}"
            );
        }
        for literal in [
            "{ title: 1 }",
            "{ nope: 1 }",
            "{ n: \"x\" }",
            "{ parent: { link: true } }",
            "{ ACL: { public: { read: true } } }",
        ] {
            let got = graph
                .run(
                    &format!("mutation {{ createThing(input: {{ fields: {literal} }}) {{ thing {{ objectId }} }} }}"),
                    json!({}),
                )
                .await;
            assert_eq!(
                (got.status, got.json()["errors"][0]["extensions"]["code"].as_str()),
                (400, Some("GRAPHQL_VALIDATION_FAILED")),
                "{literal}: {got:?}"
            );
        }
        // A literal with a variable in it is looked at, too.
        let got = graph.run("mutation($t: String) { createThing(input: { fields: { title: $t, nope: 1 } }) { thing { objectId } } }", json!({"t": "x"})).await;
        assert_eq!(got.status, 400, "{got:?}");
        assert_eq!(graph.data("{ things { count } }", json!({})).await["things"]["count"], 0);
    });
}
