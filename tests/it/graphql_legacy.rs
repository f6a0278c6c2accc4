//! The legacy GraphQL API over HTTP.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::graphql::files::Form;
use crate::graphql::{Graph, options};
use crate::server::{TestServer, answer, each_backend};

const PATH: &str = "/graphql/legacy";

fn legacy(server: &Arc<TestServer>) -> Graph {
    Graph::at(server, PATH)
}

/// Creates the class `GameScore`, with a field of every type.
async fn game_score(server: &TestServer) {
    let user = |kind: &str| json!({"type": kind, "targetClass": "_User"});
    let body = json!({"className": "GameScore", "fields": {
        "aString": {"type": "String"}, "aNumber": {"type": "Number"}, "aBoolean": {"type": "Boolean"}, "aDate": {"type": "Date"},
        "anObject": {"type": "Object"}, "anArray": {"type": "Array"}, "aGeoPoint": {"type": "GeoPoint"}, "aFile": {"type": "File"},
        "someBytes": {"type": "Bytes"}, "aPolygon": {"type": "Polygon"}, "player": user("Pointer"), "fans": user("Relation"),
    }});
    let got = answer(server.master(Method::POST, "/schemas/GameScore").json(&body)).await;
    assert_eq!(got.status, 200, "{got:?}");
}

async fn sign_up(graph: &Graph, name: &str) -> (String, Graph) {
    let query = "mutation($n: String!) { users { signUp(fields: {username: $n, password: \"secret\"}) { objectId sessionToken } } }";
    let mut data = graph.data(query, json!({"n": name})).await;
    let made = data["users"]["signUp"].take();
    let token = made["sessionToken"].as_str().unwrap().to_owned();
    (made["objectId"].as_str().unwrap().to_owned(), graph.with("X-Parse-Session-Token", token))
}

#[test]
fn the_first_example_and_the_own_user() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = legacy(&server);
        let data = graph
            .data(
                r#"mutation signUp {
                  users {
                    signUp(fields: { username: "johndoe", password: "ASuperStrongPassword" }) {
                      objectId
                      createdAt
                      sessionToken
                    }
                  }
                }"#,
                json!({}),
            )
            .await;
        let made = &data["users"]["signUp"];
        assert_eq!(made.as_object().unwrap().len(), 3);
        assert!(made["createdAt"].is_string());
        let token = made["sessionToken"].as_str().unwrap();
        let session = graph.with("X-Parse-Session-Token", token);
        let me = session
            .data("{ users { __typename me { __typename objectId username password sessionToken ACL } } }", json!({}))
            .await;
        let id = made["objectId"].as_str().unwrap();
        assert_eq!(
            me["users"],
            json!({"__typename": "UsersQuery", "me": {"__typename": "Me", "objectId": id, "username": "johndoe", "password": null,
                "sessionToken": token, "ACL": {id: {"read": true, "write": true}}}})
        );
        // The token is one for the other protocols too.
        let got = answer(server.request(Method::GET, "/users/me").header("X-Parse-Session-Token", token)).await;
        assert_eq!(got.json()["objectId"], id);
        let current = Graph::of(&server).with("X-Parse-Session-Token", token);
        assert_eq!(current.data("{ viewer { sessionToken } }", json!({})).await["viewer"]["sessionToken"], token);

        let log_in = "mutation { users { logIn(username: \"johndoe\", password: \"ASuperStrongPassword\") { username sessionToken email } } }";
        let data = graph.data(log_in, json!({})).await;
        let other = data["users"]["logIn"]["sessionToken"].as_str().unwrap().to_owned();
        assert!(other.starts_with("r:") && other != token);
        assert_eq!(data["users"]["logIn"]["email"], Json::Null);
        let out = "mutation { users { logOut } }";
        assert_eq!(session.data(out, json!({})).await, json!({"users": {"logOut": true}}));
        assert_eq!(graph.data(out, json!({})).await, json!({"users": {"logOut": true}}));
        assert_eq!(session.run("{ users { me { objectId } } }", json!({})).await.status, 400);
    });
}

#[test]
fn errors_and_what_they_make_null() {
    each_backend(&options(&json!({"enableSanitizedErrorResponse": false})), |server| async move {
        let graph = legacy(&server);
        let (id, session) = sign_up(&graph, "taken").await;
        let (_, other) = sign_up(&graph, "other").await;
        let fails = |graph: Graph, query: String, code: i64, text: &'static str, data: Json| async move {
            let got = graph.run(&query, json!({})).await;
            let body = got.json();
            assert_eq!(
                (
                    got.status,
                    &body["errors"][0]["extensions"]["code"],
                    body["errors"][0]["message"].as_str(),
                    &body["data"]
                ),
                (200, &json!(code), Some(text), &data),
                "{query}: {}",
                got.text
            );
        };
        let none = || json!({"users": null});
        let text = "Account already exists for this username.";
        fails(
            graph.clone(),
            "mutation { users { signUp(fields: {username: \"taken\", password: \"x\"}) { objectId } } }".into(),
            202,
            text,
            none(),
        )
        .await;
        fails(
            graph.clone(),
            "mutation { users { signUp { objectId } } }".into(),
            200,
            "bad or missing username",
            none(),
        )
        .await;
        let text = "Invalid username/password.";
        fails(
            graph.clone(),
            "mutation { users { logIn(username: \"taken\", password: \"x\") { objectId } } }".into(),
            101,
            text,
            none(),
        )
        .await;
        fails(graph.clone(), "{ users { me { objectId } } }".into(), 209, "Invalid session token", none()).await;
        let nothing = || json!({"objects": null});
        fails(
            graph.clone(),
            "{ objects { get_User(objectId: \"none\") { objectId } } }".into(),
            101,
            "Object not found.",
            nothing(),
        )
        .await;
        let change = format!(
            "mutation {{ objects {{ update_User(objectId: \"{id}\", fields: {{email: \"a@b.c\"}}) {{ updatedAt }} }} }}"
        );
        let got = graph.run(&change, json!({})).await.json();
        assert_eq!(got["data"], json!({"objects": {"update_User": null}}));
        assert_eq!(got["errors"][0]["path"], json!(["objects", "update_User"]));
        assert_eq!(got["errors"][0]["extensions"]["code"], 206);
        assert_eq!(got["errors"][0]["message"], format!("Cannot modify user {id}."));
        let unchanged = json!({"objects": {"update_User": null}});
        fails(other, change.clone(), 206, "Insufficient auth.", unchanged).await;
        let got = session.data(&change, json!({})).await;
        assert!(got["objects"]["update_User"]["updatedAt"].is_string());
        let delete = format!("mutation {{ objects {{ delete_User(objectId: \"{id}\") }} }}");
        fails(graph.clone(), delete.clone(), 206, "Insufficient auth to delete user", nothing()).await;
        assert_eq!(session.data(&delete, json!({})).await, json!({"objects": {"delete_User": true}}));
        for document in [
            "mutation { users { signUp(fields: {username: \"x\"}) { objectId } } }",
            "{ objects { nope } }",
            "{ users { me } }",
            "mutation { users { logIn(username: \"x\") { objectId } } }",
            "{ objects { find_Session(where: {user: {_eq: {className: \"_Role\", __type: \"Pointer\", objectId: \"x\"}}}) { count } } }",
        ] {
            assert_eq!(graph.run(document, json!({})).await.status, 400, "{document}");
        }
    });
}

#[test]
fn any_class_users_included() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = legacy(&server);
        let create = "mutation($c: String!, $f: Object) { objects { create(className: $c, fields: $f) { objectId createdAt } } }";
        let user = json!({"c": "_User", "f": {"username": "any", "password": "plain"}});
        let id = graph.data(create, user.clone()).await["objects"]["create"]["objectId"].as_str().unwrap().to_owned();
        assert_eq!(graph.error(create, user).await.1, 202);
        let get = "query($id: ID!) { objects { get(className: \"_User\", objectId: $id) } }";
        assert_eq!(graph.error(get, json!({"id": id})).await.1, 101);
        let seen = graph.master().data(get, json!({"id": id})).await["objects"]["get"].take();
        assert_eq!(
            (seen["username"].as_str(), seen.get("password"), seen["ACL"].is_object()),
            (Some("any"), None, true),
            "{seen}"
        );
        assert!(!seen.to_string().contains("plain") && !seen.to_string().contains("$2"), "{seen}");
        let log_in = |password: &str| {
            let query = format!(
                "mutation {{ users {{ logIn(username: \"any\", password: \"{password}\") {{ sessionToken }} }} }}"
            );
            let graph = graph.clone();
            async move {
                graph.run(&query, json!({})).await.json()["data"]["users"]["logIn"]["sessionToken"]
                    .as_str()
                    .map(str::to_owned)
            }
        };
        let session = graph.with("X-Parse-Session-Token", log_in("plain").await.unwrap());
        let update = "mutation($id: ID!, $f: Object) { objects { update(className: \"_User\", objectId: $id, fields: $f) { updatedAt } } }";
        assert_eq!(graph.error(update, json!({"id": id, "f": {"password": "new"}})).await.1, 206);
        session.data(update, json!({"id": id, "f": {"password": "new"}})).await;
        assert!(log_in("plain").await.is_none() && log_in("new").await.is_some());
        let find = "query($w: Object) { objects { find(className: \"_User\", where: $w, keys: \"username\", limit: 10) { results count } } }";
        let found = graph
            .master()
            .data(find, json!({"w": {"_or": [{"username": {"_regex": "^a"}}, {"username": {"_in": ["b"]}}]}}))
            .await;
        assert_eq!(found["objects"]["find"]["count"], 1);
        assert_eq!(found["objects"]["find"]["results"][0]["username"], "any");
        let delete = format!("mutation {{ objects {{ delete(className: \"_User\", objectId: \"{id}\") }} }}");
        assert_eq!(graph.error(&delete, json!({})).await.1, 206);
        assert_eq!(graph.master().data(&delete, json!({})).await, json!({"objects": {"delete": true}}));
        for class in ["_Hooks", "_SCHEMA", "_GraphQLConfig", "_Join:users:_Role", "", "a b", "$where"] {
            for query in [
                "query($c: String!) { objects { find(className: $c) { results } } }",
                "query($c: String!) { objects { get(className: $c, objectId: \"x\") } }",
                "mutation($c: String!) { objects { create(className: $c, fields: {a: 1}) { objectId } } }",
                "mutation($c: String!) { objects { update(className: $c, objectId: \"x\", fields: {a: 1}) { updatedAt } } }",
                "mutation($c: String!) { objects { delete(className: $c, objectId: \"x\") } }",
            ] {
                let got = graph.run(query, json!({"c": class})).await;
                let body = got.json();
                let empty = body["data"]["objects"]["find"]["results"] == json!([]);
                assert!(
                    empty || body["errors"][0]["extensions"]["code"].as_i64().is_some_and(|code| code > 1),
                    "{class} {query}: {}",
                    got.text
                );
            }
        }
    });
}

#[test]
fn objects_of_a_class_with_every_type() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = legacy(&server);
        // The schema follows the classes.
        assert_eq!(graph.run("{ objects { findGameScore { count } } }", json!({})).await.status, 400);
        game_score(&server).await;
        let (user, session) = sign_up(&graph, "player").await;
        let fields = json!({
            "aString": "s", "aNumber": 1.5, "aBoolean": true, "aDate": "2020-01-02T03:04:05.678Z", "anObject": {"k": [1]},
            "anArray": [1, "x", {"y": null}], "aGeoPoint": {"latitude": 1, "longitude": 2},
            "aFile": {"__type": "File", "name": "f.txt"}, "someBytes": "AQID", "player": user,
            "aPolygon": [{"latitude": 0, "longitude": 0}, {"latitude": 0, "longitude": 4}, {"latitude": 4, "longitude": 4}],
            "fans": {"_op": "Batch", "ops": [{"_op": "AddRelation", "objects": [user, {"__type": "Pointer", "className": "_User", "objectId": "gone"}]},
                {"_op": "RemoveRelation", "objects": ["gone"]}]},
            "ACL": {"*": {"read": true, "write": true}},
        });
        let create = "mutation($f: GameScoreFields) { objects { createGameScore(fields: $f) { objectId createdAt } } }";
        let data = session.data(create, json!({"f": fields})).await;
        let id = data["objects"]["createGameScore"]["objectId"].as_str().unwrap().to_owned();
        let all = "aString aNumber aBoolean aDate anObject anArray aGeoPoint { latitude longitude } aFile { name url } someBytes
            aPolygon { latitude longitude } player { username } fans(where: {username: {_eq: \"player\"}}, order: [username_DESC], skip: 0, limit: 5) { results { username } count } ACL";
        let get = format!("query($id: ID!) {{ objects {{ getGameScore(objectId: $id) {{ __typename {all} }} }} }}");
        let mut got = session.data(&get, json!({"id": id})).await["objects"]["getGameScore"].take();
        assert!(got["aFile"]["url"].as_str().unwrap().ends_with("f.txt"));
        got["aFile"]["url"].take();
        assert_eq!(
            got,
            json!({"__typename": "GameScoreClass", "aString": "s", "aNumber": 1.5, "aBoolean": true, "aDate": "2020-01-02T03:04:05.678Z",
                "anObject": {"k": [1]}, "anArray": [1, "x", {"y": null}], "aGeoPoint": {"latitude": 1, "longitude": 2},
                "aFile": {"name": "f.txt", "url": null}, "someBytes": "AQID",
                "aPolygon": got["aPolygon"], "player": {"username": "player"}, "fans": {"results": [{"username": "player"}], "count": 1},
                "ACL": {"*": {"read": true, "write": true}}})
        );
        assert_eq!(got["aPolygon"][1], json!({"latitude": 0, "longitude": 4}));

        let count = |filter: Json| {
            let session = session.clone();
            async move {
                let query = "query($w: GameScoreConstraints) { objects { findGameScore(where: $w) { count } } }";
                session.data(query, json!({"w": filter})).await["objects"]["findGameScore"]["count"].as_i64().unwrap()
            }
        };
        for (filter, expected) in [
            (json!({"aString": {"_eq": "s"}}), 1),
            (json!({"aString": {"_regex": "^S", "_options": "i"}}), 1),
            (json!({"aNumber": {"_gt": 1, "_lt": 2}}), 1),
            (json!({"aNumber": {"_nin": [1.5]}}), 0),
            (json!({"aBoolean": {"_ne": true}}), 0),
            (json!({"aDate": {"_lte": "2020-01-02T03:04:05.678Z"}}), 1),
            (json!({"anArray": {"_all": [1, "x"]}}), 1),
            (json!({"anArray": {"_containedBy": [1]}}), 0),
            (json!({"aFile": {"_exists": true}}), 1),
            (json!({"someBytes": {"_eq": "AQID"}}), 1),
            (json!({"player": {"_eq": user}}), 1),
            (json!({"player": {"_in": [{"__type": "Pointer", "className": "_User", "objectId": user}]}}), 1),
            (json!({"player": {"_inQuery": {"className": "_User", "where": {"username": {"_eq": "player"}}}}}), 1),
            (json!({"player": {"_notInQuery": {"className": "_User", "where": {"username": {"_eq": "player"}}}}}), 0),
            (json!({"aString": {"_select": {"query": {"className": "GameScore", "where": {}}, "key": "aString"}}}), 1),
            (
                json!({"aGeoPoint": {"_geoWithin": {"_centerSphere": {"center": {"latitude": 1, "longitude": 2}, "distance": 0.1}}}}),
                1,
            ),
            (
                json!({"aGeoPoint": {"_within": {"_box": {"bottomLeft": {"latitude": 5, "longitude": 5}, "upperRight": {"latitude": 6, "longitude": 6}}}}}),
                0,
            ),
            (json!({"aPolygon": {"_geoIntersects": {"_point": {"latitude": 1, "longitude": 2}}}}), 1),
            (
                json!({"_or": [{"aString": {"_eq": "no"}}, {"_and": [{"aNumber": {"_gte": 1.5}}]}], "_nor": [{"aBoolean": {"_eq": false}}]}),
                1,
            ),
            (json!({"objectId": {"_eq": id}, "createdAt": {"_exists": true}}), 1),
        ] {
            assert_eq!(count(filter.clone()).await, expected, "{filter}");
        }
        let find = "{ objects { findGameScore(order: [aNumber_DESC, objectId_ASC], skip: 0, limit: 1) { __typename results { objectId } } } }";
        assert_eq!(
            session.data(find, json!({})).await["objects"]["findGameScore"],
            json!({"__typename": "GameScoreFindResult", "results": [{"objectId": id}]})
        );
        let update = "mutation($id: ID!, $f: GameScoreFields) { objects { updateGameScore(objectId: $id, fields: $f) { updatedAt } } }";
        let change = json!({"aString": "t", "aNumber": null, "fans": {"_op": "RemoveRelation", "objects": [user]}, "player": null});
        session.data(update, json!({"id": id, "f": change})).await;
        let got = session.data(&get, json!({"id": id})).await["objects"]["getGameScore"].take();
        assert_eq!(
            (&got["aString"], &got["aNumber"], &got["player"], &got["fans"]["count"]),
            (&json!("t"), &Json::Null, &Json::Null, &json!(0))
        );
        let several = format!(
            "mutation {{ objects {{ a: createGameScore {{ objectId }} b: deleteGameScore(objectId: \"{id}\") }} users {{ logOut }} }}"
        );
        let data = session.data(&several, json!({})).await;
        assert_eq!((&data["objects"]["b"], &data["users"]["logOut"]), (&json!(true), &json!(true)));
        assert_eq!(graph.error(&get, json!({"id": id})).await.1, 101);
    });
}

/// The schema, as introspection tells it.
struct Schema(HashMap<String, Json>);

impl Schema {
    async fn of(graph: &Graph) -> Self {
        let ty = "type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";
        let query = format!(
            "{{ __schema {{ types {{ kind name enumValues {{ name }} inputFields {{ name {ty} }} fields {{ name {ty} args {{ name {ty} }} }} }} }} }}"
        );
        let mut data = graph.data(&query, json!({})).await;
        let types = data["__schema"]["types"].as_array_mut().unwrap();
        Self(types.drain(..).map(|ty| (ty["name"].as_str().unwrap().to_owned(), ty)).collect())
    }

    fn fields(&self, ty: &str) -> &[Json] {
        self.0[ty]["fields"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// A selection of every field of a type, `depth` levels of objects deep.
    fn select(&self, ty: &str, depth: usize) -> String {
        if self.fields(ty).is_empty() {
            return String::new();
        }
        let mut text = String::from("{ __typename ");
        for field in self.fields(ty) {
            let inner = named(&field["type"]);
            let leaf = self.fields(inner).is_empty();
            if leaf || depth > 0 {
                write!(text, "{} {} ", field["name"].as_str().unwrap(), self.select(inner, depth.saturating_sub(1)))
                    .unwrap();
            }
        }
        text + "}"
    }

    /// A literal of this type.
    fn literal(&self, ty: &Json, depth: usize) -> String {
        match ty["kind"].as_str().unwrap() {
            "NON_NULL" => return self.literal(&ty["ofType"], depth),
            "LIST" => return format!("[{}]", self.literal(&ty["ofType"], depth)),
            _ => {}
        }
        let name = ty["name"].as_str().unwrap();
        match (ty["kind"].as_str().unwrap(), name) {
            ("ENUM", name) => self.0[name]["enumValues"][0]["name"].as_str().unwrap().to_owned(),
            ("INPUT_OBJECT", "Subquery") => "{ className: \"GameScore\", where: { aNumber: { _gt: 0 } } }".to_owned(),
            ("INPUT_OBJECT", name) => {
                let mut text = String::from("{ ");
                for field in self.0[name]["inputFields"].as_array().unwrap() {
                    if depth > 0 || field["type"]["kind"] == "NON_NULL" {
                        write!(
                            text,
                            "{}: {} ",
                            field["name"].as_str().unwrap(),
                            self.literal(&field["type"], depth.saturating_sub(1))
                        )
                        .unwrap();
                    }
                }
                text + "}"
            }
            (_, "Boolean") => "true".to_owned(),
            (_, "Int") => "1".to_owned(),
            (_, "Float") => "1.5".to_owned(),
            (_, "Object") => "{ a: 1 }".to_owned(),
            (_, "Date") => "\"2020-01-01T00:00:00.000Z\"".to_owned(),
            (_, "Bytes") => "\"AQID\"".to_owned(),
            _ => "\"aaaaaaaaaa\"".to_owned(),
        }
    }
}

/// The name inside lists and non-nulls.
fn named(ty: &Json) -> &str {
    ty["name"].as_str().unwrap_or_else(|| named(&ty["ofType"]))
}

/// Runs a document that must fit the schema; what the domain says to its values is another matter, but it says it by a code of Parse.
async fn fits(graph: &Graph, document: &str) {
    let got = graph.run(document, json!({})).await;
    assert_eq!(got.status, 200, "{document}\n{}", got.text);
    for error in got.json()["errors"].as_array().map(Vec::as_slice).unwrap_or_default() {
        assert!(error["extensions"]["code"].as_i64().is_some_and(|code| code > 1), "{document}\n{error}");
    }
}

#[test]
fn every_field_of_the_schema() {
    each_backend(
        &options(&json!({"requestComplexity": {"graphQLDepth": -1, "graphQLFields": -1}})),
        |server| async move {
            game_score(&server).await;
            let graph = legacy(&server).master();
            let (user, _) = sign_up(&legacy(&server), "walker").await;
            let make = "mutation($u: _UserPointer!) { objects { createGameScore(fields: {aString: \"s\", player: $u, fans: {_op: AddRelation, objects: [$u]}}) { objectId } } }";
            let id = graph.data(make, json!({"u": user})).await["objects"]["createGameScore"]["objectId"]
                .as_str()
                .unwrap()
                .to_owned();
            let schema = Schema::of(&graph).await;

            // Every field of every class, through both reads.
            let mut walked = 0;
            for field in schema.fields("ObjectsQuery") {
                let (name, ty) = (field["name"].as_str().unwrap(), named(&field["type"]));
                if let Some(class) = name.strip_prefix("find").filter(|class| !class.is_empty()) {
                    walked += 1;
                    graph.data(&format!("{{ objects {{ {name} {} }} }}", schema.select(ty, 3)), json!({})).await;
                    for kind in ["Constraints", "Order"] {
                        let definition = &schema.0[&format!("{class}{kind}")];
                        for value in definition["enumValues"].as_array().map(Vec::as_slice).unwrap_or_default() {
                            fits(
                                &graph,
                                &format!(
                                    "{{ objects {{ {name}(order: [{}]) {{ results {{ objectId }} }} }} }}",
                                    value["name"].as_str().unwrap()
                                ),
                            )
                            .await;
                        }
                        for constraint in definition["inputFields"].as_array().map(Vec::as_slice).unwrap_or_default() {
                            let (on, ty) = (constraint["name"].as_str().unwrap(), named(&constraint["type"]));
                            if on.starts_with('_') {
                                fits(&graph, &format!("{{ objects {{ {name}(where: {{ {on}: [{{ objectId: {{ _eq: \"x\" }} }}] }}) {{ count }} }} }}")).await;
                                continue;
                            }
                            for word in schema.0[ty]["inputFields"].as_array().unwrap() {
                                let (operator, value) =
                                    (word["name"].as_str().unwrap(), schema.literal(&word["type"], 3));
                                fits(&graph, &format!("{{ objects {{ {name}(where: {{ {on}: {{ {operator}: {value} }} }}) {{ count }} }} }}")).await;
                            }
                        }
                    }
                }
                let mut arguments = String::new();
                for argument in field["args"].as_array().unwrap() {
                    let literal = match argument["name"].as_str().unwrap() {
                        "where" => "{}".to_owned(),
                        "className" => "\"GameScore\"".to_owned(),
                        "objectId" => format!("\"{}\"", if name.ends_with("_User") { &user } else { &id }),
                        "keys" | "order" if !name.contains('G') && !name.contains('_') => "\"aString\"".to_owned(),
                        "include" => "\"player\"".to_owned(),
                        _ => schema.literal(&argument["type"], 1),
                    };
                    write!(arguments, "{}: {literal} ", argument["name"].as_str().unwrap()).unwrap();
                }
                fits(&graph, &format!("{{ objects {{ {name}({arguments}) {} }} }}", schema.select(ty, 2))).await;
            }
            assert!(walked >= 4, "{walked}");

            // Every mutation with every argument and every input field, and all that they answer.
            for group in ["ObjectsMutation", "UsersMutation"] {
                for field in schema.fields(group) {
                    let (name, ty) = (field["name"].as_str().unwrap(), named(&field["type"]));
                    let mut arguments = String::new();
                    for argument in field["args"].as_array().unwrap() {
                        let literal = match argument["name"].as_str().unwrap() {
                            "className" => "\"Walked\"".to_owned(),
                            _ => schema.literal(&argument["type"], 2),
                        };
                        write!(arguments, "{}: {literal} ", argument["name"].as_str().unwrap()).unwrap();
                    }
                    let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
                    let root = if group == "ObjectsMutation" { "objects" } else { "users" };
                    fits(
                        &graph,
                        &format!("mutation {{ {root} {{ __typename {name}{arguments} {} }} }}", schema.select(ty, 2)),
                    )
                    .await;
                }
            }
            let session = sign_up(&legacy(&server), "walker2").await.1;
            session.data(&format!("{{ health users {{ me {} }} }}", schema.select("Me", 3)), json!({})).await;

            let query = "mutation($u: Upload!) { files { create(file: $u) { name url } } }";
            let file = ("a.txt", "text/plain", "data");
            let got = answer(Form::of(query, &json!({"u": null})).file(&["variables.u"], file).to(&graph)).await;
            let info = got.json()["data"]["files"]["create"].clone();
            let name = info["name"].as_str().unwrap();
            assert_eq!(info, json!({"name": name, "url": format!("{}/files/app/{name}", server.base)}));
            assert_eq!(answer(server.bare(Method::GET, &format!("/files/app/{name}"))).await.text, "data");
        },
    );
}

#[test]
fn nothing_is_open_that_is_closed_at_the_current_endpoint() {
    let limits = json!({"graphQLDepth": 4, "graphQLFields": 6});
    each_backend(
        &options(&json!({"requestComplexity": limits, "allowOrigin": ["http://a.example"]})),
        |server| async move {
            let graph = legacy(&server);
            for query in ["{ __schema { types { name } } }", "{ x: __type(name: \"_UserClass\") { name } }"] {
                assert_eq!(graph.run(query, json!({})).await.status, 403, "{query}");
                assert_eq!(graph.master().run(query, json!({})).await.status, 200, "{query}");
            }
            for (query, own) in
                [("{ objects { find_Use { count } } }", "find_User"), ("{ users { me { x } } }", "username")]
            {
                let got = graph.run(query, json!({})).await;
                assert!(got.status == 400 && !got.text.contains(own), "{query}: {}", got.text);
            }
            let deep = "{ objects { find_Role { results { users { results { objectId } } } } } }";
            let wide = "{ a: health b: health c: health d: health e: health f: health g: health }";
            for query in [deep, wide] {
                assert_eq!(graph.run(query, json!({})).await.status, 400, "{query}");
                assert_eq!(graph.master().run(query, json!({})).await.status, 200, "{query}");
            }
            let got = answer(graph.request(Method::OPTIONS, "").header("Origin", "http://b.example")).await;
            assert_eq!(got.header("access-control-allow-origin"), "http://a.example", "{got:?}");
            assert_eq!(
                answer(graph.request(Method::GET, "?query={health}")).await.json(),
                json!({"data": {"health": true}})
            );
            let got = answer(graph.request(Method::GET, "?query=mutation{users{logOut}}")).await;
            assert_eq!(got.status, 405);
            // Texts are sanitised as anywhere, and users are private.
            let (id, _) = sign_up(&graph, "private").await;
            let (_, other) = sign_up(&graph, "curious").await;
            let delete = format!("mutation {{ objects {{ delete_User(objectId: \"{id}\") }} }}");
            assert!(other.run(&delete, json!({})).await.json()["errors"][0]["message"].is_string());
            assert_eq!(
                other
                    .error(&format!("{{ objects {{ get_User(objectId: \"{id}\") {{ username }} }} }}"), json!({}))
                    .await
                    .1,
                101
            );
            // What the configuration of GraphQL hides is hidden here too, for operations on any class as well.
            let config = json!({"params": {"disabledForClasses": ["_User"]}});
            let got = answer(server.master(Method::PUT, "/graphql-config").json(&config)).await;
            assert_eq!(got.status, 200, "{got:?}");
            assert_eq!(other.run("{ users { me { objectId } } }", json!({})).await.status, 400);
            assert_eq!(other.error("{ objects { find(className: \"_User\") { results } } }", json!({})).await.1, 119);
        },
    );
}

#[test]
fn the_path_is_an_option() {
    each_backend(&options(&json!({"graphQLLegacyPath": "/old"})), |server| async move {
        assert_eq!(Graph::at(&server, "/old").data("{ health }", json!({})).await, json!({"health": true}));
        assert!(legacy(&server).run("{ users { me { objectId } } }", json!({})).await.status >= 400);
    });
}
