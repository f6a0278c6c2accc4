//! Cached documents: the cache must not outlive the schema, and must not affect the permissions of the next request.

use serde_json::{Value as Json, json};

use super::{Graph, options};
use crate::server::each_backend;

async fn make_class(graph: &Graph, name: &str, field: &str) {
    let query = "mutation($input: CreateClassInput!) { createClass(input: $input) { class { name } } }";
    let input = json!({"name": name, "schemaFields": {"addStrings": [{"name": field}]}});
    graph.master().data(query, json!({"input": input})).await;
}

#[test]
fn a_changed_schema_is_asked_anew() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let query = "{ things { edges { node { title colour } } } }";
        for _ in 0..2 {
            assert_eq!(graph.run(query, json!({})).await.status, 400);
        }
        make_class(&graph, "Thing", "title").await;
        for _ in 0..2 {
            let (status, text) = {
                let got = graph.run(query, json!({})).await;
                (got.status, got.text)
            };
            assert!(status == 400 && text.contains("Cannot query field \\\"colour\\\""), "{text}");
        }
        let update = "mutation($input: UpdateClassInput!) { updateClass(input: $input) { class { name } } }";
        let change = |change: Json| json!({"input": {"name": "Thing", "schemaFields": change}});
        graph.master().data(update, change(json!({"addStrings": [{"name": "colour"}]}))).await;
        for _ in 0..2 {
            assert_eq!(graph.data(query, json!({})).await["things"]["edges"], json!([]));
        }
        graph.master().data(update, change(json!({"remove": [{"name": "colour"}]}))).await;
        for _ in 0..2 {
            assert_eq!(graph.run(query, json!({})).await.status, 400);
        }
        graph.master().data(update, change(json!({"addNumbers": [{"name": "colour"}]}))).await;
        assert_eq!(graph.data(query, json!({})).await["things"]["edges"], json!([]));
        let filtered = "{ things(where: { colour: { equalTo: \"red\" } }) { count } }";
        assert_eq!(graph.run(filtered, json!({})).await.status, 400);
    });
}

#[test]
fn rights_are_those_of_the_caller() {
    each_backend(&options(&json!({"requestComplexity": {"graphQLFields": 3}})), |server| async move {
        let graph = Graph::of(&server);
        let message = |got: &crate::server::Answer| got.json()["errors"][0]["message"].as_str().map(str::to_owned);
        let introspection = "{ __schema { queryType { name } } }";
        let large = "{ a: health b: health c: health d: health }";
        let admin = "{ classes { name } }";
        for _ in 0..2 {
            assert_eq!(graph.master().run(introspection, json!({})).await.status, 200);
            let got = graph.run(introspection, json!({})).await;
            assert_eq!((got.status, message(&got).as_deref()), (403, Some("Introspection is not allowed")));

            assert_eq!(graph.master().run(large, json!({})).await.status, 200);
            let got = graph.run(large, json!({})).await;
            assert_eq!(
                (got.status, message(&got).as_deref()),
                (400, Some("Number of GraphQL fields (4) exceeds maximum allowed (3)"))
            );

            assert!(graph.master().run(admin, json!({})).await.json().get("errors").is_none());
            assert!(graph.run(admin, json!({})).await.json().get("errors").is_some());
        }
    });
}

#[test]
fn names_stay_hidden_from_who_may_not_introspect() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let query = "query($id: ID!) { user(id: $id) { objectId } }";
        for _ in 0..2 {
            let got = graph.run(query, json!({"id": {"x": 1}})).await;
            assert_eq!(got.json()["errors"][0]["extensions"]["code"], "BAD_USER_INPUT");
            assert!(graph.master().run(query, json!({"id": null})).await.text.contains("ID!"));
            assert!(!graph.run(query, json!({"id": null})).await.text.contains("non-nullable type"));
        }
    });
}

#[test]
fn the_operation_is_chosen_each_time() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let query = "query A { a: health } query B($n: String!) { b: __type(name: $n) { name } } mutation C { logOut(input: {}) { ok } }";
        let ask = |name: Json, variables: Json| json!({"query": query, "operationName": name, "variables": variables});
        for _ in 0..3 {
            let got = graph.master().post(&ask(json!("A"), json!({}))).await.json();
            assert_eq!(got, json!({"data": {"a": true}}));
            let got = graph.master().post(&ask(json!("B"), json!({"n": "User"}))).await.json();
            assert_eq!(got, json!({"data": {"b": {"name": "User"}}}));
            let got = graph.master().post(&ask(json!("B"), json!({}))).await;
            assert_eq!((got.status, &got.json()["errors"][0]["extensions"]["code"]), (400, &json!("BAD_USER_INPUT")));
            for (name, message) in [
                (json!("D"), "Unknown operation named \"D\"."),
                (Json::Null, "Must provide operation name if query contains multiple operations."),
            ] {
                let got = graph.master().post(&ask(name, json!({}))).await;
                assert_eq!((got.status, &got.json()["errors"][0]["message"]), (400, &json!(message)));
            }
            let got = graph.request(reqwest::Method::GET, "?query=mutation%7BlogOut(input%3A%7B%7D)%7Bok%7D%7D");
            assert_eq!(crate::server::answer(got).await.status, 405);
            let got = graph.run("mutation{logOut(input:{}){ok}}", json!({})).await;
            assert_eq!(got.status, 200);
        }
    });
}

#[test]
fn variables_are_those_of_the_request() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        make_class(&graph, "Thing", "title").await;
        let query = r"query($title: String!, $more: Boolean = false, $first: Int) {
            things(where: { title: { equalTo: $title } }, first: $first) { count @include(if: $more) edges { node { title } } } }";
        for title in ["a", "b"] {
            let make =
                "mutation($f: CreateThingFieldsInput) { createThing(input: { fields: $f }) { thing { title } } }";
            let answer = graph.data(make, json!({"f": {"title": title}})).await;
            assert_eq!(answer["createThing"]["thing"], json!({"title": title}));
        }
        for _ in 0..2 {
            for title in ["a", "b"] {
                let edges = json!([{"node": {"title": title}}]);
                let got = graph.data(query, json!({"title": title})).await;
                assert_eq!(got["things"], json!({"edges": edges}));
                let got = graph.data(query, json!({"title": title, "more": true, "first": 1})).await;
                assert_eq!(got["things"], json!({"count": 1, "edges": edges}));
            }
            for wrong in [json!({}), json!({"title": null}), json!({"title": 1}), json!({"title": "a", "first": "x"})] {
                let got = graph.run(query, wrong.clone()).await;
                assert_eq!(got.json()["errors"][0]["extensions"]["code"], "BAD_USER_INPUT", "{wrong}");
            }
        }
    });
}

/// What a mutation answers is what a read would, with all its rules: also where the object is not read again.
#[test]
fn what_was_saved_is_told_as_it_would_be_read() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let class = "mutation($input: CreateClassInput!) { createClass(input: $input) { class { name } } }";
        let fields = json!({
            "addStrings": [{"name": "title"}, {"name": "secret"}], "addNumbers": [{"name": "n"}], "addBooleans": [{"name": "yes"}],
            "addDates": [{"name": "at"}], "addArrays": [{"name": "list"}],
        });
        graph.master().data(class, json!({"input": {"name": "Thing", "schemaFields": fields}})).await;
        // Selecting an array makes the server read; without it, the written row tells all.
        let create = |more: &str| {
            format!(
                "mutation($f: CreateThingFieldsInput) {{ createThing(input: {{ fields: $f }}) {{ thing {{
                  id objectId createdAt updatedAt title secret n yes at {more} }} }} }}"
            )
        };
        let update = |more: &str| {
            format!(
                "mutation($id: ID!, $f: UpdateThingFieldsInput) {{ updateThing(input: {{ id: $id, fields: $f }}) {{ thing {{
                  id objectId createdAt updatedAt title secret n yes at {more} }} }} }}"
            )
        };
        let get = "query($id: ID!) { thing(id: $id) { id objectId createdAt updatedAt title secret n yes at } }";
        let values = [
            json!({"title": "t\u{0}\u{1F600}", "n": 0.1, "yes": false, "at": "2020-01-02T03:04:05.678Z", "secret": "s"}),
            json!({"n": -0.0, "title": "", "at": "1969-12-31T23:59:59.999Z"}),
            json!({"n": 1e300, "title": null}),
            json!({"n": 9_007_199_254_740_993_i64, "yes": true}),
            json!({}),
        ];
        let permissions = |clp: Json| json!({"className": "Thing", "classLevelPermissions": clp});
        let open = json!({"find": {"*": true}, "get": {"*": true}, "create": {"*": true}, "update": {"*": true}, "addField": {"*": true}});
        let with = |key: &str, value: Json| {
            let mut clp = open.clone();
            clp[key] = value;
            clp
        };
        let mut cases = vec![
            (open.clone(), json!({})),
            (with("protectedFields", json!({"*": ["secret"]})), json!({})),
            (with("get", json!({})), json!({})),
            (with("get", json!({"requiresAuthentication": true})), json!({})),
            (with("get", json!({"pointerFields": ["owner"]})), json!({})),
        ];
        for acl in [
            json!({"public": {"read": true, "write": true}}),
            json!({"public": {"read": false, "write": true}}),
            json!({"roles": [{"roleName": "none", "read": true, "write": true}]}),
        ] {
            cases.push((open.clone(), acl));
        }
        graph.master().data(
            "mutation { updateClass(input: { name: \"Thing\", schemaFields: { addPointers: [{ name: \"owner\", targetClassName: \"_User\" }] } }) { class { name } } }",
            json!({}),
        ).await;
        for (clp, acl) in cases {
            let set = server.master(reqwest::Method::PUT, "/schemas/Thing").json(&permissions(clp.clone()));
            assert_eq!(crate::server::answer(set).await.status, 200);
            for value in &values {
                let case = format!("{clp} {acl} {value}");
                let mut fields = value.clone();
                if acl != json!({}) {
                    fields["ACL"] = acl.clone();
                }
                let told = graph.run(&create(""), json!({"f": fields})).await.json();
                let read = graph.run(&create("list { __typename }"), json!({"f": fields})).await.json();
                assert_eq!(told.get("errors").is_some(), read.get("errors").is_some(), "{case}: {told} {read}");
                if told.get("errors").is_some() {
                    assert_eq!(told["errors"][0]["message"], read["errors"][0]["message"], "{case}");
                    assert_eq!(told["errors"][0]["extensions"], read["errors"][0]["extensions"], "{case}");
                    assert_eq!(told["data"], read["data"], "{case}");
                    continue;
                }
                let told = &told["data"]["createThing"]["thing"];
                let id = told["objectId"].clone();
                assert_eq!(*told, graph.data(get, json!({"id": id})).await["thing"], "{case}");
                let change = json!({"title": "new", "n": 7});
                let changed = graph.run(&update(""), json!({"id": id, "f": change})).await.json();
                assert_eq!(
                    changed["data"]["updateThing"]["thing"],
                    graph.data(get, json!({"id": id})).await["thing"],
                    "{case}: {changed}"
                );
            }
        }
    });
}
