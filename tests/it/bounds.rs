//! Bounds are options: what fits a bound is accepted, twice as much is refused.

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{Answer, TestServer, answer, each_backend};

/// One bound.
struct Bound {
    /// Its option in `limits`.
    option: &'static str,
    /// Its value in this test.
    value: usize,
    /// The greatest number that fits.
    fits: usize,
    /// Status and code of the refusal; no code: the body has none.
    refusal: (u16, Option<i64>),
}

const fn bound(option: &'static str, value: usize, fits: usize, status: u16, code: i64) -> Bound {
    Bound { option, value, fits, refusal: (status, if code == 0 { None } else { Some(code) }) }
}

const BOUNDS: [Bound; 15] = [
    bound("headerBytes", 8192, 6000, 431, 0),
    bound("headers", 20, 10, 431, 0),
    bound("jsonBytes", 20_000, 19_000, 413, 0),
    bound("values", 1000, 900, 400, 107),
    bound("names", 10, 10, 400, 102),
    bound("includedObjects", 10, 10, 400, 102),
    bound("batchParts", 4, 4, 400, 107),
    bound("transactionParts", 4, 4, 400, 107),
    bound("graphQLBytes", 16_000, 15_000, 400, 0),
    bound("graphQLTokens", 600, 500, 400, 0),
    bound("graphQLAliases", 4, 4, 400, 0),
    bound("graphQLVariables", 4, 4, 400, 0),
    bound("graphQLFragments", 4, 4, 400, 0),
    bound("graphQLSelections", 700, 600, 400, 0),
    bound("pushBytes", 2000, 1800, 400, 116),
];

async fn graphql(server: &TestServer, query: String) -> Answer {
    answer(server.request(Method::POST, "/../graphql").json(&json!({ "query": query }))).await
}

/// A request of size `count`.
async fn ask(server: &TestServer, option: &str, count: usize) -> Answer {
    let get = |path: &str| server.request(Method::GET, path);
    let parts = |key: &str| {
        let part = json!({"method": "POST", "path": "/parse/classes/Part", "body": {}});
        json!({"requests": vec![part; count], key: true})
    };
    match option {
        "headerBytes" => answer(get("/classes/X").header("X-Long", "x".repeat(count))).await,
        "headers" => {
            let many = (0..count).fold(get("/classes/X"), |request, index| request.header(format!("X-{index}"), "x"));
            answer(many).await
        }
        "jsonBytes" => server.post("/classes/X", &json!({"text": "x".repeat(count)})).await,
        "values" => server.post("/classes/X", &json!({"list": vec![1; count]})).await,
        "names" => {
            let names: Vec<String> = (0..count).map(|index| format!("n{index}")).collect();
            answer(get("/classes/X").query(&[("keys", names.join(","))])).await
        }
        "includedObjects" => {
            let target = server.post("/classes/Target", &json!({})).await.json();
            let pointer = json!({"__type": "Pointer", "className": "Target", "objectId": target["objectId"]});
            let holder = server.post("/classes/Holder", &json!({"list": vec![pointer; count]})).await.json();
            answer(get(&format!("/classes/Holder/{}?include=list", holder["objectId"].as_str().unwrap()))).await
        }
        "batchParts" => server.post("/batch", &parts("plain")).await,
        "transactionParts" => answer(server.master(Method::POST, "/batch").json(&parts("transaction"))).await,
        "graphQLBytes" => graphql(server, format!("{{ health #{}\n }}", "x".repeat(count))).await,
        "graphQLTokens" => graphql(server, format!("{{ {} }}", "health ".repeat(count))).await,
        "graphQLAliases" => {
            let fields: Vec<String> = (0..count).map(|index| format!("a{index}: health")).collect();
            graphql(server, format!("{{ {} }}", fields.join(" "))).await
        }
        "graphQLVariables" => {
            let names: Vec<String> = (0..count).map(|index| format!("$v{index}: Boolean = true")).collect();
            let uses: Vec<String> = (0..count).map(|index| format!("health @include(if: $v{index})")).collect();
            graphql(server, format!("query({}) {{ {} }}", names.join(" "), uses.join(" "))).await
        }
        "graphQLFragments" => {
            let fragments: Vec<String> =
                (0..count).map(|index| format!("fragment F{index} on Query {{ health }}")).collect();
            let uses: Vec<String> = (0..count).map(|index| format!("...F{index}")).collect();
            graphql(server, format!("{{ {} }} {}", uses.join(" "), fragments.join(" "))).await
        }
        // Few are written, many are meant.
        "graphQLSelections" => {
            let uses = "...F ".repeat(count / 10);
            graphql(server, format!("{{ {uses} }} fragment F on Query {{ {} }}", "health ".repeat(9))).await
        }
        "pushBytes" => {
            let push = json!({"where": {"nobody": true}, "data": {"alert": "x".repeat(count)}});
            answer(server.master(Method::POST, "/push").json(&push)).await
        }
        other => unreachable!("{other}"),
    }
}

#[test]
fn twice_as_much_as_fits_is_refused() {
    let limits: serde_json::Map<String, Json> =
        BOUNDS.iter().map(|bound| (bound.option.to_owned(), bound.value.into())).collect();
    // Nobody listens there, and no installation is sent anything.
    let push = json!({"adapter": {"module": "webhook", "options": {"url": "http://127.0.0.1:1", "path": "push"}}});
    each_backend(&json!({"mountGraphQL": true, "push": push, "reparse": {"limits": limits}}), |server| async move {
        let mut surprises = Vec::new();
        for Bound { option, fits, refusal, .. } in &BOUNDS {
            let inside = ask(&server, option, *fits).await;
            if inside.status >= 300 {
                surprises.push(format!("{option}, inside: {inside:?}"));
            }
            let outside = ask(&server, option, fits * 2).await;
            let code = serde_json::from_str::<Json>(&outside.text).ok().and_then(|body| body["code"].as_i64());
            if (outside.status, code) != *refusal {
                surprises.push(format!("{option}, outside: {outside:?}"));
            }
        }
        assert!(surprises.is_empty(), "{surprises:#?}");
    });
}

/// What a read costs of `answerBytes` is known when it has its answer, so only a few parts of a batch read at once.
#[test]
fn a_batch_reads_no_more_when_its_answer_is_full() {
    each_backend(&json!({"reparse": {"limits": {"answerBytes": 100_000}}}), |server| async move {
        for n in 0..4 {
            let made = server.post("/classes/Large", &json!({"n": n, "text": "x".repeat(20_000)})).await;
            assert_eq!(made.status, 201, "{made:?}");
        }
        // Different requests, so that no two share a read.
        let parts = |query: &str| -> Vec<Json> {
            (0..60).map(|n| json!({"method": "GET", "path": format!("/parse/classes/Large?{query}&skip=0&limit={}", n + 4)})).collect()
        };
        for query in ["where={\"n\":{\"$gte\":0}}", "include=n&where={\"n\":{\"$gte\":0}}"] {
            server.commands.take();
            let got = server.post("/batch", &json!({"requests": parts(query)})).await;
            assert_eq!(got.status, 200, "{got:?}");
            let body = got.json();
            let parts = body.as_array().unwrap();
            let read = parts.iter().filter(|part| part.get("success").is_some()).count();
            assert_eq!(read, 1, "{query}: two answers are more than fits");
            let refused = parts.iter().filter(|part| part["error"]["code"] == 102).count();
            assert_eq!(
                refused,
                parts.len() - 1,
                "{query}: {}",
                parts.iter().find(|part| part.get("success").is_none()).unwrap()
            );
            let asked = server.commands.take();
            let finds = asked.iter().filter(|(command, class)| command == "find" && class == "Large").count();
            assert!(finds < 20, "{query}: {finds} of {} parts were read", parts.len());
        }
    });
}

/// Other writers wait for a transaction on the embedded store: a dozen passwords take longer to hash than it may last.
#[test]
fn passwords_are_hashed_before_a_transaction_begins() {
    let options = json!({"bcryptCost": 12, "passwordPolicy": {"maxPasswordHistory": 2}});
    each_backend(&options, |server| async move {
        let body = |n: usize| json!({"username": format!("user{n}"), "password": format!("password {n}")});
        let sign_ups: Vec<Json> =
            (0..12).map(|n| json!({"method": "POST", "path": "/parse/users", "body": body(n)})).collect();
        let made = server.post("/batch", &json!({"transaction": true, "requests": sign_ups})).await;
        assert_eq!(made.status, 200, "{made:?}");
        let made = made.json();
        let logged_in = server.post("/login", &body(11)).await;
        assert_eq!(logged_in.status, 200, "{logged_in:?}");

        // A new password is compared with the current one, too.
        let changes = |offset: usize| -> Vec<Json> {
            let change = |n: usize| {
                let path = format!("/parse/users/{}", made[n]["success"]["objectId"].as_str().unwrap());
                json!({"method": "PUT", "path": path, "body": {"password": format!("password {}", n + offset)}})
            };
            (0..6).map(change).collect()
        };
        let batch = |changes: Vec<Json>| {
            let request = json!({"transaction": true, "requests": changes});
            answer(server.master(Method::POST, "/batch").json(&request))
        };
        let renewed = batch(changes(100)).await;
        assert_eq!(renewed.status, 200, "{renewed:?}");
        let body = json!({"username": "user5", "password": "password 105"});
        assert_eq!(server.post("/login", &body).await.status, 200);
        batch(changes(0)).await.assert_refused(400, 142);
    });
}
