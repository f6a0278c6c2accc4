//! Modules that options name.

use bytes::Bytes;
use reparse::adapters::cloud::node::{Argument, CloudError, Origin, Returned};
use serde_json::json;

use super::host::TestApp;

const ADAPTER: &str = "
class Adapter {
  constructor(options) { this.options = options; this.files = new Map(); }
  async createFile(name, data, contentType) { this.files.set(name, data); return { name, contentType, prefix: this.options.prefix }; }
  getFileData(name) { return this.files.get(name); }
  kinds(...values) { return values.map(v => Buffer.isBuffer(v) ? 'bytes' : v instanceof Date ? v.getUTCFullYear() : typeof v); }
  when() { return { at: new Date(0) }; }
  nothing() {}
  fail() { throw new Parse.Error(4711, 'from the adapter'); }
}
module.exports = Adapter;";

#[tokio::test(flavor = "multi_thread")]
async fn adapters_are_constructed_called_and_survive_a_restart() {
    let app = TestApp::start("").await;
    std::fs::write(app.folder.path().join("adapter.js"), ADAPTER).unwrap();
    let adapter = app.cloud.load_module("./adapter.js", Some(json!({"prefix": "p"}))).await.unwrap();
    assert!(adapter.has("createFile") && !adapter.has("constructor") && !adapter.is_callable());
    let call =
        async |method, arguments: &[Argument]| adapter.call(&Origin::default(), Some(method), arguments, None).await;
    let bytes = Bytes::from_static(b"\x00\xffbytes");
    let arguments = [json!("a.txt").into(), Argument::Bytes(bytes.clone()), json!("text/plain").into()];
    let created = call("createFile", &arguments).await.unwrap();
    assert_eq!(created, Returned::Json(json!({"name": "a.txt", "contentType": "text/plain", "prefix": "p"})));
    assert_eq!(call("getFileData", &[json!("a.txt").into()]).await.unwrap(), Returned::Bytes(bytes.clone()));
    let arguments = [
        Argument::Undefined,
        Argument::Bytes(bytes.clone()),
        Argument::Date("2024-05-06T07:08:09.010Z".to_owned()),
        Argument::Bytes(Bytes::new()),
        json!(null).into(),
    ];
    let kinds = call("kinds", &arguments).await.unwrap();
    assert_eq!(kinds, Returned::Json(json!(["undefined", "bytes", 2024, "bytes", "object"])));
    let date = json!({"at": {"__type": "Date", "iso": "1970-01-01T00:00:00.000Z"}});
    assert_eq!(call("when", &[]).await.unwrap(), Returned::Json(date));
    assert_eq!(call("nothing", &[]).await.unwrap(), Returned::Undefined);
    assert!(matches!(call("fail", &[]).await, Err(CloudError::Thrown(thrown)) if thrown.code == 4711));
    assert!(matches!(call("absent", &[]).await, Err(CloudError::Thrown(_))));

    app.cloud.reload();
    while call("getFileData", &[json!("a.txt").into()]).await != Ok(Returned::Undefined) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(call("createFile", &[json!("b").into(), Argument::Bytes(bytes)]).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_used_as_they_are_and_missing_modules_are_refused() {
    let app = TestApp::start("").await;
    std::fs::write(app.folder.path().join("callback.mjs"), "export default async password => password.length > 5;")
        .unwrap();
    let callback = app.cloud.load_module("./callback.mjs", None).await.unwrap();
    let long = callback.call(&Origin::default(), None, &[json!("long enough").into()], None).await.unwrap();
    assert_eq!(long, Returned::Json(json!(true)));
    let error = app.cloud.load_module("./missing.js", None).await.unwrap_err();
    assert!(error.message().contains("Cannot find module"), "{error}");
}
