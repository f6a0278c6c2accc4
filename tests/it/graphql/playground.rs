//! The playground.

use serde_json::json;

use super::{Graph, options};
use crate::server::{MASTER, answer, each_backend};

#[test]
fn the_page_holds_the_application_id_and_no_key() {
    each_backend(&options(&json!({"javascriptKey": "jskey", "restAPIKey": "restkey"})), |server| async move {
        let client = crate::server::client();
        let root = format!("http://{}/playground", server.running.addr);
        let page = answer(client.get(&root)).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"));
        assert!(
            page.text.contains("data-application=\"app\"") && page.text.contains("data-url=\"/graphql\""),
            "{page:?}"
        );
        assert!(page.header("content-security-policy").starts_with("default-src 'none'"));
        for secret in [MASTER, "maint", "jskey", "restkey"] {
            assert!(!page.text.contains(secret), "{secret}");
        }
        assert!(!page.text.contains("http://") && !page.text.contains("https://"), "the page must work offline");
        let mut assets = 0;
        for part in page.text.split('"').filter(|part| part.starts_with("/playground/")) {
            let got =
                answer(client.get(format!("http://{}{part}", server.running.addr)).header("Accept-Encoding", "gzip"))
                    .await;
            assert_eq!(got.status, 200, "{part}");
            assets += 1;
        }
        assert_eq!(assets, 6);
        assert_eq!(answer(client.get(format!("{root}/../graphql/none.js"))).await.status, 403);
        assert_eq!(answer(client.get(format!("{root}/none.js"))).await.status, 404);
    });
}

#[test]
fn without_the_option_there_is_none() {
    each_backend(&json!({"mountGraphQL": true}), |server| async move {
        let client = crate::server::client();
        let got = answer(client.get(format!("http://{}/playground", server.running.addr))).await;
        assert_eq!(got.status, 404);
        assert_eq!(Graph::of(&server).data("{ health }", json!({})).await, json!({"health": true}));
    });
}
