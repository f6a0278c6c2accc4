//! How many queries a request leads to, counted by MongoDB's profiler.

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use serde_json::json;

use super::{Graph, options};
use crate::server::each_backend;

/// The namespaces of the reads that a piece of work made.
async fn reads(database: &mongodb::Database, work: impl Future<Output = ()>) -> Vec<String> {
    let profile = database.collection::<Document>("system.profile");
    database.run_command(doc! {"profile": 0}).await.unwrap();
    profile.drop().await.unwrap();
    database.run_command(doc! {"profile": 2}).await.unwrap();
    work.await;
    database.run_command(doc! {"profile": 0}).await.unwrap();
    let rows: Vec<Document> =
        profile.find(doc! {"op": {"$in": ["query", "command"]}}).await.unwrap().try_collect().await.unwrap();
    let mut names: Vec<String> = rows
        .iter()
        .filter(|row| {
            let command = row.get_document("command").unwrap();
            command.contains_key("find") || command.contains_key("aggregate") || command.contains_key("count")
        })
        .map(|row| row.get_str("ns").unwrap().split_once('.').unwrap().1.to_owned())
        .filter(|name| !name.starts_with("system.") && name != "_SCHEMA" && name != "_GraphQLConfig")
        .collect();
    names.sort();
    names
}

#[test]
fn one_query_per_level() {
    each_backend(&options(&json!({})), |server| async move {
        let uri = server.running.app.options.database.uri.clone();
        let reparse::config::DatabaseUri::Mongo { uri } = uri else { return };
        let client = mongodb::Client::with_uri_str(uri.expose()).await.unwrap();
        let database = client.default_database().unwrap();
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
            assert_eq!(reads(&database, run(query)).await, expected, "{query}");
        }
        // Paged relations: at most one bounded query for each of the parents (and what permissions of its owner need).
        let paged =
            reads(&database, run("{ levels { edges { node { many(first: 1) { edges { node { t } } } } } } }")).await;
        assert!(paged.iter().filter(|name| *name == "_Join:many:Level").count() <= 5, "{paged:?}");
    });
}
