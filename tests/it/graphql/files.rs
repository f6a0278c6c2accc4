//! Files that come with a request: the multipart request form.

use std::fmt::Write as _;

use reqwest::{Method, RequestBuilder};
use serde_json::{Map, Value as Json, json};

use super::{Graph, options};
use crate::server::{Answer, TestServer, answer, each_backend};

/// A form in the making.
pub struct Form {
    operations: Json,
    map: Map<String, Json>,
    files: String,
}

impl Form {
    /// A form for an operation.
    pub fn of(query: &str, variables: &Json) -> Self {
        Self { operations: json!({"query": query, "variables": variables}), map: Map::new(), files: String::new() }
    }

    /// With a file (name, type, content) at these paths.
    pub fn file(mut self, paths: &[&str], (name, content_type, content): (&str, &str, &str)) -> Self {
        let part = self.map.len().to_string();
        let disposition = format!("Content-Disposition: form-data; name=\"{part}\"; filename=\"{name}\"");
        write!(self.files, "--X\r\n{disposition}\r\nContent-Type: {content_type}\r\n\r\n{content}\r\n").unwrap();
        self.map.insert(part, json!(paths));
        self
    }

    /// The request.
    pub fn to(self, graph: &Graph) -> RequestBuilder {
        let part = |name: &str, value: Json| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let head = part("operations", self.operations) + &part("map", self.map.into());
        let request = graph.request(Method::POST, "").header("Content-Type", "multipart/form-data; boundary=X");
        request.body(head + &self.files + "--X--\r\n")
    }
}

const CREATE: &str = "mutation($u: Upload!) { createFile(input: {upload: $u, clientMutationId: \"m\"}) { fileInfo { name url } clientMutationId } }";

fn create(graph: &Graph, file: (&str, &str, &str)) -> RequestBuilder {
    Form::of(CREATE, &json!({"u": null})).file(&["variables.u"], file).to(graph)
}

fn refusal(got: &Answer) -> (Json, String) {
    let error = &got.json()["errors"][0];
    (error["extensions"]["code"].clone(), error["message"].as_str().unwrap_or_default().to_owned())
}

async fn download(server: &TestServer, name: &Json) -> Answer {
    answer(server.bare(Method::GET, &format!("/files/app/{}", name.as_str().unwrap()))).await
}

fn open() -> Json {
    options(&json!({"fileUpload": {"enableForPublic": true}, "maxUploadSize": "1kb"}))
}

#[test]
fn a_file_is_created() {
    each_backend(&open(), |server| async move {
        let graph = Graph::of(&server);
        for (given, content_type, stored) in [
            ("a b.txt", "text/plain", "a b.txt"),
            ("pic", "image/png", "pic.png"),
            ("a.jpeg", "image/jpeg", "a.jpeg"),
            ("a", "x/unknown", "a"),
        ] {
            let got = answer(create(&graph, (given, content_type, "data"))).await;
            let payload = got.json()["data"]["createFile"].clone();
            assert_eq!(payload["clientMutationId"], "m", "{got:?}");
            let name = payload["fileInfo"]["name"].as_str().unwrap();
            assert_eq!(&name[33..], stored);
            let url = format!("{}/files/app/{}", server.base, name.replace(' ', "%20"));
            assert_eq!(payload["fileInfo"]["url"], url);
            assert_eq!(download(&server, &payload["fileInfo"]["name"]).await.text, "data");
        }
    });
}

#[test]
fn what_may_not_be_uploaded_is_refused_with_its_reason() {
    each_backend(&open(), |server| async move {
        let graph = Graph::of(&server);
        let large = "x".repeat(1025);
        for (file, code, message) in [
            (("a.html", "text/html", "data"), 130, "File upload of extension html is disabled."),
            (("page", "text/html", "data"), 130, "File upload of extension html is disabled."),
            (("..", "text/plain", "data"), 122, "Filename contains invalid characters."),
            (("", "x/y", "data"), 122, "Filename not provided."),
            (("a.txt", "text/plain", ""), 130, "Invalid file upload."),
            (("a.txt", "text/plain", large.as_str()), 130, "File truncated as it exceeds the 1024 byte size limit."),
        ] {
            let got = answer(create(&graph, file)).await;
            assert_eq!((got.status, refusal(&got)), (200, (json!(code), message.to_owned())), "{file:?}");
            assert_eq!(got.json()["data"]["createFile"], Json::Null);
        }
        let exactly = &large[..1024];
        assert!(answer(create(&graph, ("a.txt", "text/plain", exactly))).await.json()["errors"].is_null());
        let beyond = "x".repeat(5 << 20);
        assert_eq!(answer(create(&graph, ("a.txt", "text/plain", &beyond))).await.status, 413);
        for forged in [json!("0"), json!(0), json!({"__type": "File", "name": "x"}), json!([0])] {
            let got = graph.run(CREATE, json!({"u": forged})).await;
            assert_eq!((got.status, refusal(&got).0), (400, json!("BAD_USER_INPUT")), "{forged}");
        }
        // A short request cannot have a file stored again and again.
        let again = "mutation($u: Upload!) { a: createFile(input: {upload: $u}) { fileInfo { name } } b: createFile(input: {upload: $u}) { fileInfo { name } } }";
        let got = answer(
            Form::of(again, &json!({"u": null})).file(&["variables.u"], ("a.txt", "text/plain", "data")).to(&graph),
        )
        .await;
        assert_eq!(refusal(&got), (json!(130), "A file is used more often than the form says.".to_owned()));
    });
    each_backend(&options(&json!({})), |server| async move {
        let graph = Graph::of(&server);
        let got = answer(create(&graph, ("a.txt", "text/plain", "data"))).await;
        assert_eq!(refusal(&got), (json!(130), "File upload by public is disabled.".to_owned()));
        let got = answer(create(&graph.master(), ("a.html", "text/html", "data"))).await;
        assert!(got.json()["errors"].is_null(), "{got:?}");
    });
}

#[test]
fn file_fields_take_uploads() {
    each_backend(&open(), |server| async move {
        let fields = json!({"className": "Doc", "fields": {"f": {"type": "File"}, "g": {"type": "File"}}});
        answer(server.master(Method::POST, "/schemas/Doc").json(&fields)).await;
        let graph = Graph::of(&server);
        let query = "mutation($fields: CreateDocFieldsInput!) { createDoc(input: {fields: $fields}) { doc { objectId f { name url } g { name } } } }";
        let variables = json!({"fields": {"f": {"upload": null}, "g": {"file": {"__type": "File", "name": "x.txt"}}}});
        let form = Form::of(query, &variables).file(&["variables.fields.f.upload"], ("f.txt", "text/plain", "one"));
        let got = answer(form.to(&graph)).await;
        let doc = got.json()["data"]["createDoc"]["doc"].clone();
        assert_eq!(doc["g"]["name"], "x.txt", "{got:?}");
        assert_eq!(download(&server, &doc["f"]["name"]).await.text, "one");
        assert_eq!(doc["f"]["url"], format!("{}/files/app/{}", server.base, doc["f"]["name"].as_str().unwrap()));
        let query = "mutation($id: ID!, $fields: UpdateDocFieldsInput!) { updateDoc(input: {id: $id, fields: $fields}) { doc { f { name } g { name } } } }";
        let variables = json!({"id": doc["objectId"], "fields": {"f": null, "g": {"upload": null}}});
        let form = Form::of(query, &variables).file(&["variables.fields.g.upload"], ("g.txt", "text/plain", "two"));
        let got = answer(form.to(&graph)).await;
        let doc = got.json()["data"]["updateDoc"]["doc"].clone();
        assert_eq!((&doc["f"], &doc["g"]["name"].as_str().unwrap()[33..]), (&Json::Null, "g.txt"), "{got:?}");
        // An upload that is refused makes no object.
        let query = "mutation($u: Upload!) { createDoc(input: {fields: {f: {upload: $u}}}) { doc { objectId } } }";
        let form = Form::of(query, &json!({"u": null})).file(&["variables.u"], ("f.html", "text/html", "one"));
        assert_eq!(refusal(&answer(form.to(&graph)).await).0, 130);
        let count = answer(server.master(Method::GET, "/classes/Doc?count=1&limit=0")).await.json();
        assert_eq!(count["count"], 1);
    });
}

#[test]
fn forms_that_break_off_are_refused() {
    each_backend(&open(), |server| async move {
        let graph = Graph::of(&server);
        let query = json!({"query": CREATE, "variables": {"u": null}}).to_string();
        let part = |name: &str, content: &str| {
            format!("--X\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
        };
        let (operations, map) = (part("operations", &query), part("map", r#"{"0":["variables.u"]}"#));
        for body in [
            String::new(),
            "--X".to_owned(),
            operations.clone(),
            format!("{operations}{map}"),
            format!("{operations}{map}--X--\r\n"),
            format!("{map}{operations}{}--X--\r\n", part("0", "x")),
            format!("{operations}{}{}--X--\r\n", part("map", r#"{"0":["variables.none"]}"#), part("0", "x")),
            format!("{operations}{}{}--X--\r\n", part("map", r#"{"0":["query"]}"#), part("0", "x")),
            format!("{}{map}{}--X--\r\n", part("operations", "[]"), part("0", "x")),
        ] {
            let request = graph.request(Method::POST, "").header("Content-Type", "multipart/form-data; boundary=X");
            let got = answer(request.body(body.clone())).await;
            assert_eq!(got.status, 400, "{body}: {got:?}");
        }
        let request = graph.request(Method::POST, "").header("Content-Type", "multipart/form-data").body("--X--\r\n");
        assert_eq!(answer(request).await.status, 400);
    });
}
