//! Hostile documents: each is refused before the database is asked, and the server goes on.

use std::fmt::Write as _;

use serde_json::json;

use super::{Graph, options};
use crate::server::each_backend;

#[test]
fn adv_mfj6_hostile_documents_cost_little() {
    let mut doubling = String::from("{ ...F0 }");
    for index in 0..50 {
        write!(doubling, " fragment F{index} on Query {{ ...F{next} ...F{next} }}", next = index + 1).unwrap();
    }
    doubling.push_str(" fragment F50 on Query { health }");
    let aliases = format!(
        "{{ {} }}",
        (0..5_000).fold(String::new(), |mut text, index| {
            write!(text, "a{index}: users {{ count }} ").unwrap();
            text
        })
    );
    let filter = format!("{{ users(where: {}{}) {{ count }} }}", "{ OR: [".repeat(40), "] }".repeat(40));
    let documents = [
        doubling,
        aliases,
        filter,
        "{".repeat(50_000),
        format!("{{ users(where: {}", "[".repeat(50_000)),
        "{ ...F } fragment F on Query { ...F }".to_owned(),
        format!(
            "query({}) {{ health }}",
            (0..5_000).fold(String::new(), |mut text, index| {
                write!(text, "$v{index}: Int ").unwrap();
                text
            })
        ),
        format!("{{ health {} }}", "@skip(if: false) ".repeat(9_000)),
        format!("{{ {} }}", "nope ".repeat(19_000)),
    ];
    each_backend(&options(&json!({})), move |server| {
        let documents = documents.clone();
        async move {
            let graph = Graph::of(&server);
            graph.data("{ health }", json!({})).await;
            for document in documents {
                server.commands.take();
                let got = graph.run(&document, json!({})).await;
                // The server may still be reading its own classes: what counts is what the document asks for.
                let asked =
                    |(command, collection): &(String, String)| command == "find" && collection.ends_with("_User");
                let reads = server.commands.take().iter().filter(|sent| asked(sent)).count();
                assert_eq!(got.status, 400, "{}: {}", &document[..40], got.text);
                assert!(got.text.len() < 100_000, "{} bytes for {}", got.text.len(), &document[..40]);
                // A document that doubles with every step would never end if its size were not measured first.
                assert_eq!(reads, 0, "the database was asked for {}", &document[..40]);
            }
            let deep = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
            let body = format!("{{\"query\":\"{{ health }}\",\"variables\":{deep}}}");
            let got = crate::server::answer(
                graph.request(reqwest::Method::POST, "").header("Content-Type", "application/json").body(body),
            )
            .await;
            assert_eq!(got.status, 400);
            assert_eq!(graph.data("{ health }", json!({})).await, json!({"health": true}));
        }
    });
}
