//! GraphQL over HTTP.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Graph, options};
use crate::server::{answer, each_backend};

#[test]
fn only_requests_of_the_protocol_are_run() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        for (body, code) in [
            (json!({}), "BAD_REQUEST"),
            (json!([{"query": "{ health }"}]), "BAD_REQUEST"),
            (json!({"query": 1}), "BAD_REQUEST"),
            (json!({"query": {"kind": "Document"}}), "BAD_REQUEST"),
            (json!({"query": "{ health }", "variables": "{}"}), "BAD_REQUEST"),
            (json!({"query": "{ health }", "operationName": 1}), "BAD_REQUEST"),
            (json!({"query": "{ health }", "operationName": "X"}), "OPERATION_RESOLUTION_FAILURE"),
            (json!({"query": "query A { health } query B { health }"}), "OPERATION_RESOLUTION_FAILURE"),
            (json!({"query": "{"}), "GRAPHQL_PARSE_FAILED"),
            (json!({"query": "subscription { health }"}), "GRAPHQL_VALIDATION_FAILED"),
            (json!({"query": "{ health } { health }"}), "GRAPHQL_VALIDATION_FAILED"),
            (json!({"query": "{ ...F }"}), "GRAPHQL_VALIDATION_FAILED"),
            (json!({"query": "{ health(x: 1) }"}), "GRAPHQL_VALIDATION_FAILED"),
            (json!({"query": "query($a: Nope = 1) { health }"}), "GRAPHQL_VALIDATION_FAILED"),
            (json!({"query": "query($a: Int) { health }"}), "GRAPHQL_VALIDATION_FAILED"),
            (json!({"query": "query($id: ID!) { user(id: $id) { id } }"}), "BAD_USER_INPUT"),
        ] {
            let got = graph.post(&body).await;
            assert_eq!(
                (got.status, got.json()["errors"][0]["extensions"]["code"].as_str()),
                (400, Some(code)),
                "{body}: {got:?}"
            );
            assert!(got.header("content-type").starts_with("application/json"));
        }
        for (kind, body) in [
            ("text/plain", "{\"query\":\"{ health }\"}"),
            ("application/x-www-form-urlencoded", "query=x"),
            ("application/json", "{\"query\":"),
        ] {
            let got = answer(graph.request(Method::POST, "").header("Content-Type", kind).body(body)).await;
            assert_eq!(got.status, 400, "{kind}: {got:?}");
        }
        for method in [Method::PUT, Method::DELETE, Method::PATCH] {
            assert_eq!(answer(graph.request(method, "")).await.status, 405);
        }
    });
}

#[test]
fn queries_by_get() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let got =
            answer(graph.request(
                Method::GET,
                "?query=query($a:Boolean!){health@include(if:$a)}&variables=%7B%22a%22%3Atrue%7D",
            ))
            .await;
        assert_eq!((got.status, got.json()), (200, json!({"data": {"health": true}})));
        let got = answer(graph.request(Method::GET, "?query=mutation{logOut(input:{}){ok}}")).await;
        assert_eq!((got.status, got.header("allow").is_empty()), (405, false));
        for query in ["", "?query=", "?query={health}&variables=x", "?variables={}"] {
            assert_eq!(answer(graph.request(Method::GET, query)).await.status, 400, "{query}");
        }
    });
}

#[test]
fn credentials_count_in_headers_alone() {
    each_backend(&options(&json!({"javascriptKey": "jskey"})), |server| async move {
        let url = format!("http://{}/graphql", server.running.addr);
        let client = crate::server::client();
        let body =
            json!({"query": "{ health }", "_ApplicationId": "app", "_MasterKey": "master", "_JavaScriptKey": "jskey"});
        for headers in [
            vec![],
            vec![("X-Parse-Application-Id", "app")],
            vec![("X-Parse-Application-Id", "other"), ("X-Parse-Javascript-Key", "jskey")],
        ] {
            let request =
                headers.iter().fold(client.post(&url), |request, (name, value)| request.header(*name, *value));
            let got = answer(request.json(&body)).await;
            assert_eq!((got.status, got.json()), (403, json!({"error": "unauthorized"})), "{headers:?}");
        }
        let good = client.post(&url).header("X-Parse-Application-Id", "app").header("X-Parse-Javascript-Key", "jskey");
        assert_eq!(answer(good.json(&body)).await.status, 200);
        let got = answer(
            client
                .post(&url)
                .header("X-Parse-Application-Id", "app")
                .header("X-Parse-Javascript-Key", "jskey")
                .header("X-Parse-Session-Token", "r:0")
                .json(&json!({"query": "mutation { logOut(input: {}) { ok } }"})),
        )
        .await;
        got.assert_refused(400, 209);
    });
}

#[test]
fn cross_origin_headers_are_those_of_rest() {
    each_backend(&options(&json!({"allowOrigin": ["http://a.example"]})), |server| async move {
        let graph = Graph::of(&server);
        for request in [
            graph.request(Method::OPTIONS, ""),
            graph.request(Method::GET, "?query={health}"),
            graph.request(Method::POST, ""),
        ] {
            let got = answer(request.header("Origin", "http://b.example")).await;
            assert_eq!(got.header("access-control-allow-origin"), "http://a.example", "{got:?}");
        }
    });
}

#[test]
fn complexity_is_bounded_for_clients() {
    each_backend(
        &options(&json!({"requestComplexity": {"graphQLDepth": 4, "graphQLFields": 6}})),
        |server| async move {
            let graph = Graph::of(&server);
            let deep = "{ users { edges { node { ACL { public { read } } } } } }";
            let wide = "{ a: health b: health c: health ...F } fragment F on Query { d: health e: health f: health g: health }";
            for (query, message) in [
                (deep, "GraphQL query depth of 6 exceeds maximum allowed depth of 4"),
                (wide, "Number of GraphQL fields (7) exceeds maximum allowed (6)"),
            ] {
                let got = graph.run(query, json!({})).await;
                assert_eq!((got.status, got.json()["errors"][0]["message"].as_str()), (400, Some(message)), "{got:?}");
                assert_eq!(graph.master().run(query, json!({})).await.status, 200);
            }
            assert_eq!(graph.data("{ health }", json!({})).await, json!({"health": true}));
        },
    );
}

#[test]
fn the_configuration_takes_effect_at_once() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let put = |params: Json| answer(server.master(Method::PUT, "/graphql-config").json(&json!({"params": params})));
        assert_eq!(graph.data("{ roles { count } }", json!({})).await["roles"]["count"], 0);
        let got = put(json!({"classConfigs": [{"className": "_Role", "query": {"findAlias": "groups", "get": false}, "mutation": {"destroy": false}}]})).await;
        assert_eq!((got.status, got.json()), (200, json!({"response": {"result": true}})));
        assert_eq!(graph.data("{ groups { count } }", json!({})).await["groups"]["count"], 0);
        for query in [
            "{ roles { count } }",
            "{ role(id: \"x\") { id } }",
            "mutation { deleteRole(input: { id: \"x\" }) { clientMutationId } }",
        ] {
            assert_eq!(graph.run(query, json!({})).await.status, 400, "{query}");
        }
        assert_eq!(put(json!({"disabledForClasses": ["_User"]})).await.status, 200);
        for query in ["{ viewer { sessionToken } }", "{ users { count } }", "mutation { logOut(input: {}) { ok } }"] {
            assert_eq!(graph.run(query, json!({})).await.status, 400, "{query}");
        }
        assert_eq!(put(json!({"nonsense": 1})).await.status, 400);
        assert_eq!(put(json!({})).await.status, 200);
        assert_eq!(graph.data("{ users { count } }", json!({})).await["users"]["count"], 0);
        let refused = answer(server.request(Method::PUT, "/graphql-config").json(&json!({"params": {}}))).await;
        assert_eq!(refused.status, 403);
    });
}
