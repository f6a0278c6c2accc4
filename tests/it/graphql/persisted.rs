//! Automatic persisted queries.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{Graph, options};
use crate::server::{answer, each_backend};

const HEALTH: &str = "{ health }";
const HASH: &str = "d2c7e7d0b1839e8324b9165a4224dd7bbe5ff66e461953489ecb2cf220129571";
const INTROSPECTION: &str = "{ __schema { queryType { name } } }";
const INTROSPECTION_HASH: &str = "3158fa8cd4c4b15c9b6bae16e2b19ee8ecde105ee3b48f444c48391d30c6132e";

fn asked(query: Option<&str>, hash: &str) -> Json {
    let mut body = json!({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash}}});
    if let Some(query) = query {
        body["query"] = query.into();
    }
    body
}

#[test]
fn a_document_is_sent_once() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let unknown = graph.post(&asked(None, HASH)).await;
        assert_eq!(unknown.status, 200);
        assert_eq!(
            unknown.json(),
            json!({"errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"}}]})
        );
        let wrong = graph.post(&asked(Some("{ __typename }"), HASH)).await;
        assert_eq!(
            (wrong.status, wrong.json()["errors"][0]["message"].as_str()),
            (400, Some("provided sha does not match query"))
        );
        let mut version = asked(Some(HEALTH), HASH);
        version["extensions"]["persistedQuery"]["version"] = json!(2);
        assert_eq!(graph.post(&version).await.json()["errors"][0]["message"], "Unsupported persisted query version");
        assert_eq!(
            graph.post(&asked(None, HASH)).await.json()["errors"][0]["extensions"]["code"],
            "PERSISTED_QUERY_NOT_FOUND"
        );

        for body in [asked(Some(HEALTH), HASH), asked(None, HASH)] {
            assert_eq!(graph.post(&body).await.json(), json!({"data": {"health": true}}));
        }
        let extensions =
            format!("%7B%22persistedQuery%22%3A%7B%22version%22%3A1%2C%22sha256Hash%22%3A%22{HASH}%22%7D%7D");
        let got = answer(graph.request(Method::GET, &format!("?extensions={extensions}"))).await;
        assert_eq!(got.json(), json!({"data": {"health": true}}), "by GET");
    });
}

/// A document that does not fit is not kept, and one that the master key left behind is refused to others all the same.
#[test]
fn the_hash_opens_nothing() {
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        assert_eq!(graph.master().post(&asked(Some(INTROSPECTION), INTROSPECTION_HASH)).await.status, 200);
        let refused = graph.post(&asked(None, INTROSPECTION_HASH)).await;
        assert_eq!(
            (refused.status, refused.json()["errors"][0]["message"].as_str()),
            (403, Some("Introspection is not allowed"))
        );
        let bad = "{ nothing }";
        let hash = "919c0b7aa452b0b2fb42688461501bb8b0c3ef3b9d05ce7b9afd4f28bbe96ceb";
        assert_eq!(graph.post(&asked(Some(bad), hash)).await.status, 400);
        assert_eq!(
            graph.post(&asked(None, hash)).await.json()["errors"][0]["extensions"]["code"],
            "PERSISTED_QUERY_NOT_FOUND"
        );
    });
}

#[test]
fn none_are_kept_where_the_option_is_0() {
    each_backend(&options(&json!({"graphQLPersistedQueries": 0})), |server| async move {
        let graph = Graph::of(&server);
        let got = graph.post(&asked(None, HASH)).await;
        assert_eq!(got.json()["errors"][0]["extensions"]["code"], "PERSISTED_QUERY_NOT_SUPPORTED");
        assert_eq!(graph.post(&asked(Some(HEALTH), HASH)).await.json(), json!({"data": {"health": true}}));
    });
}
