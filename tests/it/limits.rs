//! Rate limits and `routeAllowList` apply however a request is written.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value as Json, json};

use crate::server::{Answer, TestServer, answer, each_backend};

/// A request to a path that is not below the mount path.
fn at_root(server: &TestServer, path: &str) -> RequestBuilder {
    let path = format!("/..{path}");
    server.request(Method::POST, &path)
}

async fn graphql(server: &TestServer, query: &str) -> Json {
    answer(at_root(server, "/graphql").json(&json!({"query": query}))).await.json()
}

/// Ways to say "log in".
async fn log_in(server: &TestServer, way: usize) -> Answer {
    let body = json!({"username": "u", "password": "p"});
    let request = match way {
        0 => server.request(Method::POST, "/login").json(&body),
        1 => server.request(Method::POST, "/LOGIN/").json(&body),
        2 => server.request(Method::GET, "/login").query(&[("username", "u"), ("password", "p")]),
        3 => server.request(Method::POST, "/login").json(&json!({"_method": "GET", "username": "u", "password": "p"})),
        4 => server
            .bare(Method::POST, "//Login")
            .json(&json!({"_ApplicationId": "app", "username": "u", "password": "p"})),
        5 => server.request(Method::POST, "/login").header("X-Forwarded-For", "7.7.7.7").json(&body),
        6 => at_root(server, "/graphql").json(&json!({
            "query": r#"mutation { logIn(input: {username: "u", password: "p"}) { clientMutationId } }"#,
        })),
        7 => at_root(server, "/graphql/legacy").json(&json!({
            "query": r#"mutation { users { logIn(username: "u", password: "p") { objectId } } }"#,
        })),
        _ => server
            .request(Method::POST, "/batch")
            .json(&json!({"requests": [{"method": "POST", "path": "/parse/login", "body": body}]})),
    };
    answer(request).await
}

#[test]
fn all_ways_share_one_counter() {
    let limit = json!({"mountGraphQL": true, "rateLimit": [{"requestPath": "/login", "requestTimeWindow": 60000, "requestCount": 2, "includeInternalRequests": true, "errorResponseMessage": "Slow down."}]});
    each_backend(&limit, |server| async move {
        for way in 0..=8 {
            for used in 0..2 {
                let got = log_in(&server, if used == 0 { 0 } else { way }).await;
                assert!(!got.text.contains("Slow down."), "way {way}: {got:?}");
            }
            let got = log_in(&server, way).await;
            assert!(got.text.contains("Slow down."), "way {way}: {got:?}");
            if way < 6 {
                got.assert_refused(429, 100);
                assert!(got.header("retry-after").parse::<u32>().unwrap() <= 60);
            }
            server.clock.advance(60_001);
        }
        for _ in 0..4 {
            let got =
                answer(server.master(Method::POST, "/login").json(&json!({"username": "u", "password": "p"}))).await;
            assert_eq!(got.status, 404, "{got:?}");
        }
    });
}

#[test]
fn only_listed_routes() {
    each_backend(&json!({"routeAllowList": ["classes/Open.*", "batch", "users"]}), |server| async move {
        assert_eq!(server.get("/classes/Open").await.status, 200);
        for refused in ["/classes/Secret", "/users/x", "/login", "/health", "/config"] {
            server.get(refused).await.assert_refused(400, 119);
        }
        assert_eq!(answer(server.master(Method::GET, "/classes/Secret")).await.status, 200);
        let got = server.post("/batch", &json!({"requests": [{"method": "GET", "path": "/parse/classes/Secret"}, {"method": "GET", "path": "/parse/classes/Open"}]})).await;
        got.assert_refused(400, 119);
        let got = server.post("/batch", &json!({"requests": [{"method": "GET", "path": "/parse/classes/Open"}]})).await;
        assert_eq!(got.json()[0]["success"]["results"], json!([]), "{got:?}");
    });
}

/// GraphQL counts as the routes that do the same; every field and every object made on the way counts.
#[test]
fn graphql_is_no_way_around() {
    let limit = |path: &str, methods: &str| json!({"requestPath": path, "requestMethods": methods, "requestTimeWindow": 60000, "requestCount": 2, "includeInternalRequests": true});
    let options = json!({"mountGraphQL": true, "rateLimit": [limit("/users", "POST"), limit("/classes/:name", "POST"), limit("/classes/:name/:id", "GET")]});
    each_backend(&options, |server| async move {
        let limited = |answer: &Json| answer.to_string().matches("Too many requests.").count();
        let made = answer(server.master(Method::POST, "/schemas/Pet").json(&json!({
            "className": "Pet", "fields": {"owner": {"type": "Pointer", "targetClass": "Home"}},
        })));
        assert_eq!(made.await.status, 200);
        assert_eq!(answer(server.master(Method::POST, "/schemas/Home").json(&json!({}))).await.status, 200);
        let sign_up = |name: &str| {
            format!(
                r#"{name}: signUp(input: {{fields: {{username: "{name}", password: "p"}}}}) {{ clientMutationId }}"#
            )
        };
        let got = graphql(
            &server,
            &format!("mutation {{ {} {} {} {} }}", sign_up("a"), sign_up("b"), sign_up("c"), sign_up("d")),
        )
        .await;
        assert_eq!((limited(&got), got["errors"][0]["extensions"]["code"].as_i64()), (2, Some(100)), "{got}");
        assert_eq!(got["data"]["c"], Json::Null, "{got}");

        let create = "createPet(input: {fields: {owner: {createAndLink: {}}}}) { pet { objectId } }";
        let got = graphql(&server, &format!("mutation {{ a: {create} b: {create} }}")).await;
        assert_eq!(limited(&got), 1, "two of one and one of the other: {got}");

        let id = got["data"]["a"]["pet"]["objectId"].as_str().unwrap();
        let get = format!(r#"pet(id: "{id}") {{ objectId }}"#);
        let got = graphql(&server, &format!("{{ a: {get} b: {get} c: {get} }}")).await;
        assert_eq!(limited(&got), 1, "{got}");
    });
}

#[test]
fn listed_routes_hold_for_graphql() {
    each_backend(&json!({"mountGraphQL": true, "routeAllowList": ["classes/Open.*", "users"]}), |server| async move {
        for class in ["Open", "Secret"] {
            assert_eq!(
                answer(server.master(Method::POST, &format!("/schemas/{class}")).json(&json!({}))).await.status,
                200
            );
        }
        let code = |got: &Json| got["errors"][0]["extensions"]["code"].as_i64();
        for allowed in [
            "{ opens { count } }",
            "mutation { createOpen(input: {}) { open { objectId } } }",
            r#"mutation { signUp(input: {fields: {username: "u", password: "p"}}) { viewer { user { username } } } }"#,
        ] {
            let got = graphql(&server, allowed).await;
            assert_eq!(code(&got), None, "{allowed}: {got}");
        }
        for refused in [
            "{ secrets { count } }",
            "{ health }",
            r#"{ secret(id: "x") { objectId } }"#,
            r#"mutation { logIn(input: {username: "u", password: "p"}) { clientMutationId } }"#,
            r#"mutation { deleteSecret(input: {id: "x"}) { clientMutationId } }"#,
        ] {
            let got = graphql(&server, refused).await;
            assert_eq!(code(&got), Some(119), "{refused}: {got}");
        }
        let as_master = at_root(&server, "/graphql").header("X-Parse-Master-Key", "master");
        let got = answer(as_master.json(&json!({"query": "{ secrets { count } }"}))).await.json();
        assert_eq!(got["data"]["secrets"]["count"], 0, "{got}");
    });
    // Who lists the path of GraphQL means all of it.
    each_backend(&json!({"mountGraphQL": true, "routeAllowList": ["graphql"]}), |server| async move {
        assert_eq!(graphql(&server, "{ health users { count } }").await["data"]["health"], true);
        server.get("/users").await.assert_refused(400, 119);
    });
}

#[test]
fn a_trusted_proxy_names_the_caller() {
    let options = json!({
        "trustProxy": 1,
        "rateLimit": [{"requestPath": "/classes/*path", "requestTimeWindow": 60000, "requestCount": 1, "zone": "ip"}],
    });
    each_backend(&options, |server| async move {
        let call = async |forwarded: &str| {
            answer(server.request(Method::GET, "/classes/X").header("X-Forwarded-For", forwarded)).await.status
        };
        assert_eq!(call("1.1.1.1").await, 200);
        assert_eq!(call("9.9.9.9, 1.1.1.1").await, 429);
        assert_eq!(call("127.0.0.1, 1.1.1.1").await, 429);
        assert_eq!(call("1.1.1.2").await, 200);
        // Whoever claims to be this machine is counted like any other.
        assert_eq!(call("127.0.0.1").await, 200);
        assert_eq!(call("127.0.0.1").await, 429);
    });
}

/// The addresses of files are in data, those of pages in mails: who has one follows it.
#[test]
fn files_and_pages_need_no_listing() {
    let options = json!({"routeAllowList": ["users"], "fileUpload": {"enableForPublic": true}});
    each_backend(&options, |server| async move {
        let stored =
            answer(server.request(Method::POST, "/files/a.txt").header("Content-Type", "text/plain").body("hello"))
                .await;
        assert_eq!(stored.status, 201, "{stored:?}");
        let name = stored.json()["name"].as_str().unwrap().to_owned();
        let read = answer(server.bare(Method::GET, &format!("/files/app/{name}"))).await;
        assert_eq!((read.status, read.text.as_str()), (200, "hello"));
        let page = answer(server.bare(Method::GET, "/apps/app/request_password_reset?token=none")).await;
        assert!(!page.text.contains("119"), "{page:?}");
        server.get("/health").await.assert_refused(400, 119);
    });
}
