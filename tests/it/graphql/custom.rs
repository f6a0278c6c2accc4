//! Fields that the app adds to the schema, and functions of the app as mutations.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use reparse::adapters::cloud::handler::{Answer, Call, Handler, Target};
use reparse::config::Options;
use reparse::domain::kernel::triggers::Source;
use reparse::error::{ErrorCode, ParseError, Result};
use reparse::server::{Environment, Server};
use reqwest::Method;
use serde_json::{Value as Json, json};

use super::Graph;
use crate::server::{TestServer, answer, each_backend};

const SCHEMA: &str = r#"
    enum Mood { GOOD BAD }
    interface Named { name: String }
    type Cat implements Named { name: String lives: Int! }
    type Dog implements Named { name: String }
    type Report { total: Int! label: String mood: Mood when: Date pets: [Named] }
    input ReportInput { label: String! }
    extend type Query {
      hello: String! @resolve(to: "greet")
      greet(a: Int, b: String): String @resolve
      mocked: String @mock(with: "a mock")
      nothing: String
      health: Boolean! @mock(with: false)
      best: GameScore @resolve(to: "best")
    }
    extend type Mutation { report(input: ReportInput!): Report @resolve(to: "report") }
"#;

/// Answers what the test says; without such an answer, with its parameters.
#[derive(Debug)]
struct Says(Option<Json>);

impl Handler for Says {
    fn call(&self, call: Call) -> BoxFuture<'_, Result<Answer>> {
        Box::pin(async move {
            if call.payload["params"]["b"] == "fail" {
                return Err(ParseError::new(ErrorCode::ScriptFailed, "no such greeting"));
            }
            let result = self.0.clone().or_else(|| Some(Json::from(call.payload["params"].to_string())));
            Ok(Answer { result, ..Answer::default() })
        })
    }
}

fn define(server: &Arc<TestServer>, name: &str, says: Option<Json>) {
    let handler: Arc<dyn Handler> = Arc::new(Says(says));
    server.running.app.triggers.register(Source::JavaScript, [(Target::Function(name.to_owned()), handler)]);
}

async fn graph(server: &Arc<TestServer>, query: &str) -> Json {
    Graph::of(server).master().run(query, json!({})).await.json()
}

async fn make_score(server: &Arc<TestServer>) -> String {
    let made = answer(server.master(Method::POST, "/classes/GameScore").json(&json!({"score": 5}))).await.json();
    made["objectId"].as_str().unwrap().to_owned()
}

#[test]
fn functions_and_fixed_values_answer_fields_of_the_app() {
    let options = json!({"mountGraphQL": true, "graphQLSchema": SCHEMA});
    each_backend(&options, |server| async move {
        let id = make_score(&server).await;
        define(&server, "greet", None);
        let got = graph(&server, "{ hello a: greet(a: 1, b: \"x\") mocked nothing health }").await;
        let expected =
            json!({"hello": "{}", "a": "{\"a\":1,\"b\":\"x\"}", "mocked": "a mock", "nothing": null, "health": false});
        assert_eq!(got, json!({ "data": expected }));

        let report = json!({
            "total": "3", "label": 5, "mood": "GOOD", "when": {"__type": "Date", "iso": "2024-05-06T07:08:09.010Z"},
            "pets": [{"__typename": "Cat", "name": "Tom", "lives": 9}, {"__typename": "Dog", "name": "Rex"}],
        });
        define(&server, "report", Some(report));
        let query = "mutation { report(input: { label: \"l\" }) { __typename total label mood when pets { name ... on Cat { lives } } } }";
        let expected = json!({
            "__typename": "Report", "total": 3, "label": "5", "mood": "GOOD", "when": "2024-05-06T07:08:09.010Z",
            "pets": [{"name": "Tom", "lives": 9}, {"name": "Rex"}],
        });
        assert_eq!(graph(&server, query).await, json!({"data": {"report": expected}}));

        // An object of a class, as functions answer one.
        define(
            &server,
            "best",
            Some(json!({"__type": "Object", "className": "GameScore", "objectId": id, "score": 5})),
        );
        let got = graph(&server, "{ best { id objectId score } }").await["data"]["best"].clone();
        let global =
            graph(&server, &format!("{{ gameScore(id: \"{id}\") {{ id }} }}")).await["data"]["gameScore"]["id"].clone();
        assert_eq!(got, json!({"id": global, "objectId": id, "score": 5}));
    });
}

#[test]
fn what_does_not_fit_is_an_error_and_null() {
    let options = json!({"mountGraphQL": true, "graphQLSchema": SCHEMA});
    each_backend(&options, |server| async move {
        make_score(&server).await;
        define(&server, "greet", Some(Json::Null));
        let got = graph(&server, "{ hello }").await;
        assert_eq!(got["data"], Json::Null);
        assert_eq!(got["errors"][0]["message"], "Cannot return null for non-nullable field Query.hello.");
        define(&server, "report", Some(json!({"total": "many", "mood": "SAD"})));
        let got = graph(&server, "mutation { report(input: { label: \"l\" }) { total mood } }").await;
        assert_eq!(got["data"], json!({"report": null}));
        assert_eq!(got["errors"][0]["path"], json!(["report", "total"]));
        let got = graph(&server, "{ greet(b: \"fail\") }").await;
        assert_eq!((&got["data"], &got["errors"][0]["message"]), (&json!({"greet": null}), &json!("no such greeting")));
        assert_eq!(got["errors"][0]["extensions"]["code"], 141);
        let unknown = graph(&server, "{ best { id } }").await;
        assert_eq!(unknown["errors"][0]["message"], "Invalid function: \"best\"");
        let wrong = graph(&server, "mutation { report(input: {}) { total } }").await;
        assert_eq!(wrong["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    });
}

#[test]
fn an_addition_that_does_not_fit_yet_is_left_out() {
    let options = json!({"mountGraphQL": true, "graphQLSchema": "extend type Query { best: Nowhere @resolve }"});
    each_backend(&options, |server| async move {
        assert_eq!(graph(&server, "{ health }").await, json!({"data": {"health": true}}));
        let got = graph(&server, "{ best { id } }").await;
        assert_eq!(got["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
    });
}

#[test]
fn functions_can_be_called_as_soon_as_they_are_defined() {
    each_backend(&json!({"mountGraphQL": true}), |server| async move {
        let call = "mutation { callCloudCode(input: { functionName: later, params: { a: 1 }, clientMutationId: \"m\" }) { result clientMutationId } }";
        assert_eq!(graph(&server, call).await["errors"][0]["extensions"]["code"], "GRAPHQL_VALIDATION_FAILED");
        define(&server, "later", None);
        define(&server, "no.name", None);
        let expected = json!({"callCloudCode": {"result": "{\"a\":1}", "clientMutationId": "m"}});
        assert_eq!(graph(&server, call).await, json!({ "data": expected }));
        let names = graph(&server, "{ __type(name: \"CloudCodeFunction\") { enumValues { name } } }").await;
        assert_eq!(names["data"]["__type"]["enumValues"], json!([{"name": "later"}]));
    });
}

#[tokio::test]
async fn a_server_with_a_broken_schema_does_not_start() {
    let directory = tempfile::TempDir::new().unwrap();
    let options = json!({
        "appId": "app", "masterKey": "master", "host": "127.0.0.1", "port": 0, "mountGraphQL": true,
        "databaseURI": format!("file:{}", directory.path().display()), "graphQLSchema": "extend type Query {",
    });
    let opened = Box::pin(Server::open(Options::from_json(options).unwrap(), Environment::default())).await;
    assert!(opened.unwrap_err().to_string().starts_with("option graphQLSchema: "));
}
