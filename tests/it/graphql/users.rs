//! Users: the examples of the guide, word for word, and what no answer may reveal.

use serde_json::json;

use super::{Graph, options};
use crate::server::each_backend;

#[test]
fn the_examples_of_the_users_chapter() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let data = graph
            .data(
                r#"mutation signUp {
                  signUp(
                    input: {
                      userFields: {
                        username: "johndoe"
                        password: "ASuperStrongPassword"
                        email: "john.doe@email.com"
                      }
                    }
                  ) {
                    viewer {
                      sessionToken
                      user {
                        username
                        email
                      }
                    }
                  }
                }"#,
                json!({}),
            )
            .await;
        assert_eq!(data["signUp"]["viewer"]["user"], json!({"username": "johndoe", "email": "john.doe@email.com"}));
        assert!(data["signUp"]["viewer"]["sessionToken"].as_str().unwrap().starts_with("r:"));

        let data = graph
            .data(
                r#"mutation logIn {
                  logIn(input: { username: "johndoe", password: "ASuperStrongPassword" }) {
                    viewer {
                      sessionToken
                      user {
                        username
                        email
                      }
                    }
                  }
                }"#,
                json!({}),
            )
            .await;
        let token = data["logIn"]["viewer"]["sessionToken"].as_str().unwrap().to_owned();
        let session = graph.with("X-Parse-Session-Token", token.clone());

        let data = session.data("query me { viewer { sessionToken user { username email } } }", json!({})).await;
        assert_eq!(data["viewer"]["sessionToken"], token.as_str());

        let data = session
            .data(
                r#"mutation logOut {
                  logOut(input: { clientMutationId: "logOut" }) {
                    clientMutationId
                    viewer {
                      sessionToken
                      user {
                        username
                        email
                      }
                    }
                  }
                }"#,
                json!({}),
            )
            .await;
        assert_eq!(
            data["logOut"],
            json!({"clientMutationId": "logOut", "viewer": {"sessionToken": token,
                "user": {"username": "johndoe", "email": "john.doe@email.com"}}})
        );
        let ended = session.run("{ viewer { sessionToken } }", json!({})).await;
        ended.assert_refused(400, 209);
        let data = graph.data("mutation { logOut(input: {}) { ok viewer { sessionToken } } }", json!({})).await;
        assert_eq!(data["logOut"], json!({"ok": true, "viewer": null}));
    });
}

#[test]
fn fields_and_user_fields_together_are_refused() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let got = graph
            .run(
                r#"mutation { signUp(input: { fields: { username: "a", password: "b" } userFields: { username: "c", password: "d" } })
                { viewer { sessionToken } } }"#,
                json!({}),
            )
            .await;
        assert_eq!(
            (got.status, got.json()["errors"][0]["extensions"]["code"].as_str()),
            (400, Some("BAD_USER_INPUT")),
            "{got:?}"
        );
        assert_eq!(graph.master().data("{ users { count } }", json!({})).await["users"]["count"], 0);
    });
}

#[test]
fn what_fails_tells_parses_code() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let sign_up =
            "mutation($f: CreateUserFieldsInput) { signUp(input: { fields: $f }) { viewer { sessionToken } } }";
        graph.data(sign_up, json!({"f": {"username": "u", "password": "p", "email": "u@example.com"}})).await;
        for (fields, message, code) in [
            (json!({"username": "u", "password": "x"}), "Account already exists for this username.", 202),
            (
                json!({"username": "v", "password": "x", "email": "u@example.com"}),
                "Account already exists for this email address.",
                203,
            ),
            (json!({"username": "v"}), "password is required", 201),
            (json!({"password": "x"}), "bad or missing username", 200),
        ] {
            assert_eq!(graph.error(sign_up, json!({"f": fields})).await, (message.to_owned(), json!(code)));
        }
        let (message, code) = graph
            .error(
                "mutation { logIn(input: { username: \"u\", password: \"x\" }) { viewer { sessionToken } } }",
                json!({}),
            )
            .await;
        assert_eq!((message.as_str(), code), ("Invalid username/password.", json!(101)));
        let (message, code) = graph.error("{ viewer { sessionToken } }", json!({})).await;
        assert_eq!((message.as_str(), code), ("Permission denied", json!(209)));
        // Private by default: the maker of a user cannot read it back.
        let create = "mutation { createUser(input: { fields: { username: \"w\", password: \"p\" } }) { user { id } } }";
        assert_eq!(graph.error(create, json!({})).await, ("Object not found.".to_owned(), json!(101)));
        let silent = "mutation { createUser(input: { fields: { username: \"x\", password: \"p\" }, clientMutationId: \"c\" }) { clientMutationId } }";
        assert_eq!(graph.data(silent, json!({})).await["createUser"]["clientMutationId"], "c");
    });
}

#[test]
fn the_password_is_readable_in_no_way() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let data = graph
            .data(
                r#"mutation { signUp(input: { fields: { username: "u", password: "Canary-Word-1" } }) { viewer { sessionToken user { id authData } } } }"#,
                json!({}),
            )
            .await;
        let session = graph.with("X-Parse-Session-Token", data["signUp"]["viewer"]["sessionToken"].as_str().unwrap());
        for graph in [&graph, &session, &graph.master()] {
            let got = graph.run("{ users { edges { node { password } } } }", json!({})).await;
            assert_eq!(got.status, 400, "{got:?}");
            for (query, variables) in [
                (
                    "query($w: UserWhereInput) { users(where: $w) { count } }",
                    json!({"w": {"password": {"matchesRegex": "^"}}}),
                ),
                (
                    "query($w: UserWhereInput) { users(where: $w) { edges { node { id } } } }",
                    json!({"w": {"OR": [{"password": {"exists": true}}]}}),
                ),
                ("query { users(order: [password_ASC]) { edges { node { id } } } }", json!({})),
                (
                    "query($w: Object!) { users(where: { username: { inQueryKey: { query: { className: \"_User\", where: $w }, key: \"password\" } } }) { count } }",
                    json!({"w": {"password": {"matchesRegex": "^C"}}}),
                ),
            ] {
                let got = graph.run(query, variables).await;
                assert!(!got.text.contains("Canary") && !got.text.contains("$2"), "{query}: {got:?}");
            }
        }
        // A user sees itself, but finds nothing by its password, right or wrong: a filter is no oracle.
        assert_eq!(session.data("{ users { count } }", json!({})).await["users"]["count"], 1);
        for constraint in [
            json!({"matchesRegex": "^"}),
            json!({"equalTo": "Canary-Word-1"}),
            json!({"exists": true}),
            json!({"greaterThan": ""}),
        ] {
            let got = session
                .run("query($w: UserWhereInput) { users(where: $w) { count } }", json!({"w": {"password": constraint}}))
                .await;
            let body = got.json();
            assert!(body.get("errors").is_some() || body["data"]["users"]["count"] == 0, "{constraint}: {got:?}");
        }
    });
}

/// Whoever signs up gets a session, the holder of the master key too.
#[test]
fn a_sign_up_with_the_master_key_begins_a_session() {
    each_backend(&options(&json!({})), |server| async move {
        let current = Graph::of(&server);
        let sign_up = "mutation($n: String!) { signUp(input: {fields: {username: $n, password: \"secret\"}}) { viewer { sessionToken user { username } } } }";
        let data = current.master().data(sign_up, json!({"n": "by-master"})).await;
        assert_eq!(data["signUp"]["viewer"]["user"]["username"], "by-master");
        let token = data["signUp"]["viewer"]["sessionToken"].as_str().unwrap().to_owned();
        let data =
            current.with("X-Parse-Session-Token", token).data("{ viewer { user { username } } }", json!({})).await;
        assert_eq!(data["viewer"]["user"]["username"], "by-master");

        let early = Graph::at(&server, "/graphql/legacy").master();
        let sign_up =
            "mutation { users { signUp(fields: {username: \"early\", password: \"secret\"}) { sessionToken } } }";
        let data = early.data(sign_up, json!({})).await;
        assert!(data["users"]["signUp"]["sessionToken"].as_str().unwrap().starts_with("r:"));
    });
}

/// An id that names no object is the caller's mistake, not the server's.
#[test]
fn node_refuses_what_is_no_global_id() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        for id in ["xx", "", "abc:def", "X1VzZXI"] {
            let (message, code) = graph.error("query($id: ID!) { node(id: $id) { id } }", json!({"id": id})).await;
            assert_eq!((message.as_str(), code), ("The id is not a valid global id", json!(102)), "{id}");
        }
    });
}

/// Counts the described parts of an answer, and notes those without a description.
fn walk(value: &serde_json::Value, path: &str, count: &mut usize, missing: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            let name = map.get("name").and_then(|name| name.as_str()).unwrap_or_default();
            let path = format!("{path}.{name}");
            if let Some(description) = map.get("description") {
                *count += 1;
                if description.as_str().is_none_or(str::is_empty) {
                    missing.push(path.clone());
                }
            }
            map.values().for_each(|value| walk(value, &path, count, missing));
        }
        serde_json::Value::Array(list) => list.iter().for_each(|value| walk(value, path, count, missing)),
        _ => {}
    }
}

/// Descriptions reach clients that may introspect, for types, fields, arguments, values and directives.
#[test]
fn introspection_describes_the_schema() {
    each_backend(&options(&json!({})), |server| async move {
        for path in ["/graphql", "/graphql/legacy"] {
            let graph = Graph::at(&server, path).master();
            let described = "name description";
            let query = format!(
                "{{ __schema {{ types {{ {described} fields {{ {described} args {{ {described} }} }} inputFields {{ {described} }} \
                 enumValues {{ {described} }} }} directives {{ {described} args {{ {described} }} }} }} }}"
            );
            let data = graph.data(&query, json!({})).await;
            let (mut count, mut missing) = (0, Vec::new());
            walk(&data, "", &mut count, &mut missing);
            assert!(count > 500 && missing.is_empty(), "{path}: {count}, without: {missing:#?}");
        }
    });
}
