//! Callers who may not introspect learn no names from error messages that they did not send themselves.

use std::fmt::Write as _;

use serde_json::json;

use super::{Graph, options};
use crate::server::each_backend;

const CLASS: &str = r#"mutation { createClass(input: { name: "CanaryClass", schemaFields: {
  addStrings: [{ name: "canaryText" }] addPointers: [{ name: "canaryLink", targetClassName: "CanaryTarget" }]
  addRelations: [{ name: "canaryMany", targetClassName: "CanaryTarget" }]
} }) { class { name } } }"#;

const TARGET: &str = r#"mutation { createClass(input: { name: "CanaryTarget", schemaFields: {
  addStrings: [{ name: "canaryNeeded" }]
} }) { class { name } } }"#;

async fn make_classes(graph: &Graph) {
    for class in [TARGET, CLASS] {
        graph.master().data(class, json!({})).await;
    }
}

#[test]
fn adv_48q3_q5q9_introspection_is_refused() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        for query in [
            "{ __schema { types { name } } }",
            "{ x: __schema { queryType { name } } }",
            "{ __type(name: \"User\") { name } }",
            "{ ... on Query { __type(name: \"User\") { name } } }",
            "{ ... @include(if: true) { y: __type(name: \"User\") { name } } }",
            "{ ...F } fragment F on Query { __schema { types { name } } }",
            "query A { health } query B { __schema { types { name } } }",
        ] {
            let body = json!({"query": query, "operationName": query.starts_with("query A").then_some("A")});
            let got = graph.post(&body).await;
            assert_eq!(
                (got.status, got.json()["errors"][0]["message"].as_str()),
                (403, Some("Introspection is not allowed")),
                "{query}: {got:?}"
            );
            assert_eq!(graph.master().post(&body).await.status, 200, "{query}");
            let maintenance = graph.with("X-Parse-Maintenance-Key", "maint");
            assert_eq!(maintenance.post(&body).await.status, 200, "{query}");
        }
        let data = graph.data("{ __typename health users { __typename } }", json!({})).await;
        assert_eq!(data["__typename"], "Query");
    });
}

#[test]
fn introspection_may_be_public_and_stays_bounded() {
    each_backend(&options(&json!({"graphQLPublicIntrospection": true})), |server| async move {
        let graph = Graph::of(&server);
        let data = graph
            .data("{ __schema { types { name } directives { name } } a: __type(name: \"RolePointerInput\") { kind inputFields { name type { kind ofType { name } } } } b: __type(name: \"Nope\") { name } }", json!({}))
            .await;
        let names: Vec<&str> =
            data["__schema"]["types"].as_array().unwrap().iter().map(|ty| ty["name"].as_str().unwrap()).collect();
        for name in ["Query", "User", "RolePointerInput", "FileInput", "ArrayResult", "__Type", "Int", "Upload"] {
            assert!(names.contains(&name), "{name}");
        }
        assert_eq!(data["a"]["kind"], "INPUT_OBJECT");
        assert_eq!(data["b"], serde_json::Value::Null);
        let nested =
            format!("{{ __schema {{ types {{ {} name {} }} }} }}", "fields { type { ".repeat(6), "} }".repeat(6));
        assert_eq!(graph.run(&nested, json!({})).await.status, 400);
    });
}

/// A small generator, so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }

    fn pick<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.roll(list.len())]
    }
}

/// `adv_8cph`, `adv_9g8f`, `adv_2fgh`, `adv_r2g6`, `adv_6m77`: no message of any kind names a class or field the caller did not write.
#[test]
fn no_message_names_what_the_caller_did_not_write() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        make_classes(&graph).await;
        // What a stranger can guess; the canaries come out of the schema alone.
        let words = [
            "users",
            "user",
            "canary",
            "canaryclas",
            "canarLink",
            "canaryTex",
            "health",
            "node",
            "id",
            "edges",
            "count",
            "where",
            "have",
            "equalTo",
            "first",
            "order",
            "createUser",
            "signUp",
            "fields",
            "input",
            "x",
            "viewer",
            "username",
            "User",
            "Query",
        ];
        let values = ["1", "\"x\"", "$v", "{ x: 1 }", "[x_ASC]", "null", "{ OR: [{ canar: 1 }] }", "username_AS"];
        let types = ["Int", "ID!", "UserWhereInput", "CanaryClas", "[Nope]", "CreateUserFieldsInput!"];
        let mut dice = Dice(0x5eed);
        for _ in 0..600 {
            let mut document = String::new();
            if dice.roll(3) == 0 {
                write!(document, "query Q($v: {}) ", dice.pick(&types)).unwrap();
            } else if dice.roll(4) == 0 {
                document += "mutation ";
            }
            document += "{ ";
            let mut open = 1;
            for _ in 0..=dice.roll(5) {
                document += dice.pick(&words);
                if dice.roll(2) == 0 {
                    write!(document, "({}: {})", dice.pick(&words), dice.pick(&values)).unwrap();
                }
                match dice.roll(4) {
                    0 => {
                        document += " { ";
                        open += 1;
                    }
                    1 => {
                        write!(document, " {{ ... on {} {{ ", dice.pick(&words)).unwrap();
                        open += 2;
                    }
                    _ => document += " ",
                }
            }
            document += "id";
            document += &" }".repeat(open);
            let got = graph.run(&document, json!({"v": {"x": 1, "canar": {"equalTo": 1}}})).await;
            for canary in [
                "CanaryClass",
                "CanaryTarget",
                "canaryText",
                "canaryLink",
                "canaryMany",
                "canaryNeeded",
                "Did you mean",
            ] {
                assert!(!got.text.contains(canary), "{document}\n{}", got.text);
            }
            assert!(got.status < 500, "{document}\n{}", got.text);
        }
    });
}

/// One step into the class, whose name the caller knows: its links do not tell where they lead.
#[test]
fn links_do_not_tell_where_they_lead() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        make_classes(&graph).await;
        for (document, variables) in [
            ("{ canaryClasses { edges { node { canaryLink } } } }", json!({})),
            ("{ canaryClasses { edges { node { canaryLink { x } } } } }", json!({})),
            ("{ canaryClasses { edges { node { canaryMany(x: 1) { count } } } } }", json!({})),
            ("{ canaryClasses(where: { canaryLink: { x: 1 } }) { count } }", json!({})),
            ("{ canaryClasses { edges { node { canaryLink { ... on User { id } } } } } }", json!({})),
            (
                "mutation { createCanaryClass(input: { fields: { canaryLink: { createAndLink: { x: 1 } } } }) { clientMutationId } }",
                json!({}),
            ),
            (
                "mutation($f: CreateCanaryClassFieldsInput) { createCanaryClass(input: { fields: $f }) { clientMutationId } }",
                json!({"f": {"canaryLink": {"createAndLink": {"x": 1}}}}),
            ),
            (
                "mutation($f: CreateCanaryClassFieldsInput) { createCanaryClass(input: { fields: $f }) { clientMutationId } }",
                json!({"f": {"canaryLink": 1}}),
            ),
            ("query($w: ID) { canaryClasses(where: { canaryLink: $w }) { count } }", json!({"w": "x"})),
        ] {
            let got = graph.run(document, variables).await;
            assert_eq!(got.status, 400, "{document}: {got:?}");
            assert!(
                !got.text.contains("CanaryTarget") && !got.text.contains("canaryNeeded"),
                "{document}: {}",
                got.text
            );
        }
    });
}
