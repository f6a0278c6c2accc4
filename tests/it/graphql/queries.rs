//! The number of database queries per request, counted with MongoDB's command events.

use serde_json::json;

use super::{Graph, options};
use crate::server::{TestServer, each_backend};

/// The collections read by a piece of work, once for each query.
async fn reads(server: &TestServer, work: impl Future<Output = ()>) -> Vec<String> {
    server.commands.take();
    work.await;
    let mut names: Vec<String> = server
        .commands
        .take()
        .into_iter()
        // A command without a collection follows the changes of all of them.
        .filter(|(command, name)| {
            ["find", "aggregate", "count", "distinct", "getMore"].contains(&command.as_str()) && !name.is_empty()
        })
        .map(|(_, name)| name)
        .filter(|name| !name.starts_with("$cmd") && name != "_SCHEMA" && name != "_GraphQLConfig")
        .collect();
    names.sort();
    names
}

#[test]
fn one_query_per_level() {
    each_backend(&options(&json!({})), |server| async move {
        if server.mongo.is_none() {
            return;
        }
        let graph = Graph::of(&server);
        let class = r#"mutation { createClass(input: { name: "Level", schemaFields: { addStrings: [{ name: "t" }] addArrays: [{ name: "list" }]
            addPointers: [{ name: "next", targetClassName: "Level" }] addRelations: [{ name: "many", targetClassName: "Level" }] } }) { class { name } } }"#;
        graph.master().data(class, json!({})).await;
        let create =
            "mutation($f: CreateLevelFieldsInput) { createLevel(input: { fields: $f }) { level { objectId } } }";
        let mut ids: Vec<String> = Vec::new();
        for n in 0..5 {
            let last = ids.last().cloned();
            let mut fields = json!({"t": format!("{n}"), "list": ids.iter().map(|id| json!({"__type": "Pointer", "className": "Level", "objectId": id})).collect::<Vec<_>>()});
            if let Some(last) = last {
                fields["next"] = json!({"link": last});
                fields["many"] = json!({"add": ids});
            }
            ids.push(
                graph.data(create, json!({"f": fields})).await["createLevel"]["level"]["objectId"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            );
        }
        let run = |query: &'static str| {
            let graph = graph.clone();
            async move { drop(graph.data(query, json!({})).await) }
        };
        for (query, expected) in [
            ("{ levels { count } }", vec!["Level"]),
            ("{ levels { edges { node { t } } } }", vec!["Level"]),
            ("{ levels { edges { node { t next { objectId } } } } }", vec!["Level", "Level"]),
            ("{ levels { edges { node { t next { t } } } } }", vec!["Level", "Level"]),
            ("{ levels { edges { node { t next { t next { t } } } } } }", vec!["Level", "Level", "Level"]),
            ("{ levels { edges { node { list { ... on Level { t } } } } } }", vec!["Level", "Level"]),
            (
                "{ levels { edges { node { many { edges { node { t } } } } } } }",
                vec!["Level", "Level", "_Join:many:Level"],
            ),
            (
                "{ levels { edges { node { many { edges { node { many { edges { node { t } } } } } } } } } }",
                vec!["Level", "Level", "Level", "_Join:many:Level", "_Join:many:Level"],
            ),
        ] {
            assert_eq!(reads(&server, run(query)).await, expected, "{query}");
        }
        // Paged relations: at most one bounded query for each of the parents (and what permissions of its owner need).
        let paged =
            reads(&server, run("{ levels { edges { node { many(first: 1) { edges { node { t } } } } } } }")).await;
        assert!(paged.iter().filter(|name| *name == "_Join:many:Level").count() <= 5, "{paged:?}");
    });
}
