//! `filesAdapter` as parse-server configurations have it, and the addresses clients get.

use std::path::PathBuf;

use reparse::adapters::files::open::{Home, Opened, open};
use serde_json::{Value as Json, json};

use super::conformance::{get, put};
use super::places::{configured, random, s3_setting, unique};

fn opened(setting: &Json) -> Result<Opened, String> {
    open(Some(setting), Home::Embedded(PathBuf::from("/nowhere")), None, random(), &|_| None)
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let s3 = |options: Json| json!({ "module": "@parse/s3-files-adapter", "options": options });
    for (setting, text) in [
        (json!(7), "must be the name of a module"),
        (json!({ "options": {} }), "filesAdapter.module must be a text"),
        (json!({ "module": "@parse/fs-files-adapter", "options": { "folder": "x" } }), "has no option folder"),
        (s3(json!({})), "needs the option bucket (or the variable S3_BUCKET)"),
        (s3(json!({ "bucket": "b", "generateKey": "f" })), "generateKey"),
        (s3(json!({ "bucket": "b", "bucketprefix": "f" })), "has no option bucketprefix"),
        (s3(json!({ "bucket": "b", "directAccess": "maybe" })), "directAccess must be true or false"),
        (s3(json!({ "bucket": "b", "ServerSideEncryption": "rot13" })), "ServerSideEncryption"),
        (s3(json!({ "bucket": "b", "s3overrides": { "endpoint": "http://[" } })), "s3overrides.endpoint"),
        (json!("@parse/gcs-files-adapter"), "needs the option bucket (or the variable GCS_BUCKET)"),
        (json!("azure"), "needs the option accountName"),
    ] {
        let error = opened(&setting).unwrap_err();
        assert!(error.contains(text), "{setting}: {error}");
    }
    let Opened::NeedsJavaScript { module, options } =
        opened(&json!({ "module": "./my-adapter.js", "options": { "a": 1 } })).unwrap()
    else {
        panic!("a module of its own was opened");
    };
    assert_eq!((module.as_str(), Json::Object(options)), ("./my-adapter.js", json!({ "a": 1 })));
}

#[tokio::test]
async fn addresses_are_those_of_the_npm_adapter() {
    let name = "dir/a b@c.txt";
    let base =
        json!({ "bucket": "b", "bucketPrefix": "p/", "accessKey": "id", "secretKey": "secret", "region": "eu-west-1" });
    let with = |more: &Json| {
        let mut options = base.clone();
        for (key, value) in more.as_object().unwrap() {
            options[key] = value.clone();
        }
        configured(&json!({ "module": "@parse/s3-files-adapter", "options": options }))
    };
    assert!(!with(&json!({})).has_locations());
    assert_eq!(with(&json!({})).location(name), None);
    for (more, expected) in [
        (json!({ "directAccess": true }), "https://b.s3.amazonaws.com/p/dir/a%20b%40c.txt"),
        (
            json!({ "directAccess": "true", "baseUrl": "https://cdn.example" }),
            "https://cdn.example/p/dir/a%20b%40c.txt",
        ),
        (
            json!({ "directAccess": true, "baseUrl": "https://cdn.example", "baseUrlDirect": true }),
            "https://cdn.example/dir/a%20b%40c.txt",
        ),
        (json!({ "baseUrl": "https://cdn.example" }), ""),
    ] {
        assert_eq!(with(&more).location(name).unwrap_or_default(), expected);
    }
    let signed = with(&json!({ "directAccess": true, "presignedUrl": true, "presignedUrlExpires": 60 }));
    let url = signed.location(name).unwrap();
    assert!(url.starts_with("https://b.s3.eu-west-1.amazonaws.com/p/dir/a%20b%40c.txt?X-Amz-"), "{url}");
    assert!(url.contains("X-Amz-Expires=60") && url.contains("X-Amz-Signature="), "{url}");
    let signed = with(&json!({ "directAccess": true, "presignedUrl": true, "baseUrl": "https://cdn.example" }));
    let url = signed.location(name).unwrap();
    assert!(url.starts_with("https://cdn.example/p/dir/a%20b%40c.txt?X-Amz-"), "{url}");
    let gcs = configured(
        &json!({ "module": "@parse/gcs-files-adapter", "options": { "bucket": "b", "directAccess": true, "apiEndpoint": "http://127.0.0.1:1" } }),
    );
    assert_eq!(gcs.location(name).unwrap(), "https://storage.googleapis.com/b/dir/a%20b%40c.txt");
}

/// The access list reaches S3, signed, for whole objects and for those in parts; a signed address can be read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn direct_access_makes_objects_public() {
    let prefix = format!("{}/", unique());
    let setting = s3_setting(
        &json!({ "bucketPrefix": prefix, "directAccess": true, "presignedUrl": true, "globalCacheControl": "public, max-age=60", "ServerSideEncryption": "AES256" }),
    );
    let store = configured(&setting);
    let endpoint = std::env::var("REPARSE_TEST_S3").unwrap();
    for (name, length) in [("small.txt", 10), ("large.bin", 6_000_000)] {
        put(store.as_ref(), name, &vec![b'x'; length]).await;
        assert_eq!(get(store.as_ref(), name).await.len(), length);
        let acl =
            reqwest::get(format!("{endpoint}/parse-files/{prefix}{name}?acl")).await.unwrap().text().await.unwrap();
        assert!(acl.contains("AllUsers") && acl.contains("READ"), "{name}: {acl}");
        let answer = reqwest::get(store.location(name).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["cache-control"], "public, max-age=60");
        assert_eq!(answer.headers()["x-amz-server-side-encryption"], "AES256");
        assert_eq!(answer.bytes().await.unwrap().len(), length);
    }
}
