//! Queries with an index on a class of a hundred thousand objects examine no more rows than on a small class.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::bulk;
use crate::server::{TestServer, answer, each_backend};

const MANY: i32 = 100_000;
const FEW: i32 = 1000;

/// Conditions that reach at most [`REACHED`] rows, and what else is asked.
fn queries() -> [(Json, &'static str); 5] {
    [
        (json!({"n": 777}), ""),
        (json!({"name": "row 500"}), ""),
        (json!({"n": {"$gte": 300, "$lt": 310}, "kind": {"$ne": 3}}), "order=-n"),
        (json!({"$or": [{"n": 5}, {"name": {"$in": ["row 6", "row 7"]}}]}), ""),
        (json!({"n": {"$gt": 400, "$lte": 405}}), "count=1&limit=0"),
    ]
}
const REACHED: i64 = 10;

async fn plant(server: &TestServer, class: &str, count: i32) {
    let made = answer(server.master(Method::POST, &format!("/schemas/{class}")).json(&json!({
        "className": class,
        "fields": {"n": {"type": "Number"}, "name": {"type": "String"}, "kind": {"type": "Number"}},
    })));
    assert_eq!(made.await.status, 200);
    let rows = (0..count).map(|n| {
        vec![
            ("objectId", format!("id{n}").into()),
            ("n", n.into()),
            ("name", format!("row {n}").into()),
            ("kind", (n % 7).into()),
        ]
    });
    bulk::insert(server, class, rows).await;
    let indexes = json!({"className": class, "indexes": {"by_n": {"n": 1}, "by_name": {"name": 1}}});
    let changed = answer(server.master(Method::PUT, &format!("/schemas/{class}")).json(&indexes)).await;
    assert_eq!(changed.status, 200, "{changed:?}");
}

/// Asks as a client, so that permissions are part of the query.
async fn ask(server: &TestServer, class: &str, condition: &Json, rest: &str) -> Json {
    let got = answer(
        server.request(Method::GET, &format!("/classes/{class}?{rest}")).query(&[("where", condition.to_string())]),
    )
    .await;
    assert_eq!(got.status, 200, "{got:?}");
    got.json()
}

/// The store's plan of a query, with what it examined.
async fn plan(server: &TestServer, class: &str, condition: &Json, rest: &str) -> Json {
    ask(server, class, condition, &format!("{rest}&explain=executionStats")).await["results"].take()
}

#[test]
fn a_query_with_an_index_does_not_grow_with_the_class() {
    each_backend(&json!({"databaseOptions": {"allowPublicExplain": true}}), |server| async move {
        plant(&server, "Many", MANY).await;
        plant(&server, "Few", FEW).await;
        for (condition, rest) in queries() {
            let got = ask(&server, "Many", &condition, rest).await;
            assert_eq!(got, ask(&server, "Few", &condition, rest).await, "{condition}");
            assert!(!got["results"].as_array().unwrap().is_empty() || got["count"].as_u64().unwrap_or(0) > 0);

            let (plan, of_few) =
                (plan(&server, "Many", &condition, rest).await, plan(&server, "Few", &condition, rest).await);
            let winning = plan["queryPlanner"]["winningPlan"].to_string();
            if server.mongo.is_some() {
                assert!(winning.contains("IXSCAN") && !winning.contains("COLLSCAN"), "{condition}: {winning}");
                let examined = |plan: &Json| {
                    let stats = &plan["executionStats"];
                    (stats["totalDocsExamined"].as_i64().unwrap(), stats["totalKeysExamined"].as_i64().unwrap())
                };
                let (rows, keys) = examined(&plan);
                assert!(rows <= REACHED && keys <= 2 * REACHED, "{condition}: {plan}");
                assert_eq!((rows, keys), examined(&of_few), "{condition}: the work of {MANY} rows and of {FEW}");
            } else {
                assert!(winning.contains("USING INDEX") && !winning.contains("SCAN"), "{condition}: {winning}");
                assert_eq!(plan["queryPlanner"]["rowsTestedOneByOne"], false, "{condition}: {plan}");
                assert_eq!(of_few["queryPlanner"]["rowsTestedOneByOne"], false, "{condition}: {of_few}");
            }
        }
    });
}
