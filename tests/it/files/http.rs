//! Files over HTTP: upload, download, parts, conditions, who may do what, and what is refused.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mongodb::bson::{Document, doc};
use reqwest::Method;
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::raw;
use crate::server::{Answer, TestServer, answer, each_backend};

/// Anybody may upload, names stay as they are, at most 64 KiB.
fn open() -> Json {
    json!({
        "fileUpload": {"enableForPublic": true, "enableForAnonymousUser": true},
        "preserveFileName": true,
        "maxUploadSize": "64kb",
        "readOnlyMasterKey": "reader",
        "requestTimeoutMs": 2000,
    })
}

async fn upload(server: &TestServer, name: &str, content_type: &str, bytes: impl Into<reqwest::Body>) -> Answer {
    answer(server.request(Method::POST, &format!("/files/{name}")).header("Content-Type", content_type).body(bytes))
        .await
}

async fn download(server: &TestServer, name: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = server.bare(Method::GET, &format!("/files/app/{name}"));
    for (header, value) in headers {
        request = request.header(*header, *value);
    }
    answer(request).await
}

/// What the store holds of files: documents of files and of chunks, or files in the data directory.
async fn stored(server: &TestServer) -> Option<(u64, u64)> {
    let database = server.mongo.as_ref()?;
    let count = async |name: &str| database.collection::<Document>(name).count_documents(doc! {}).await.unwrap();
    Some((count("fs.files").await, count("fs.chunks").await))
}

#[test]
fn a_file_comes_back() {
    each_backend(&json!({"fileUpload": {"enableForPublic": true}}), |server| async move {
        let sent = upload(&server, "two%20words.txt", "text/plain", "hello").await;
        assert_eq!(sent.status, 201, "{sent:?}");
        let name = sent.json()["name"].as_str().unwrap().to_owned();
        let (prefix, given) = name.split_at(33);
        assert!(prefix.bytes().take(32).all(|byte| byte.is_ascii_hexdigit()) && given == "two words.txt", "{name}");
        let url = sent.json()["url"].as_str().unwrap().to_owned();
        assert_eq!(
            (url.as_str(), sent.header("location")),
            (format!("{}/files/app/{prefix}two%20words.txt", server.base).as_str(), url.as_str())
        );

        let got = download(&server, &name, &[]).await;
        assert_eq!((got.status, got.text.as_str()), (200, "hello"));
        for (header, value) in [
            ("content-type", "text/plain; charset=utf-8"),
            ("content-length", "5"),
            ("accept-ranges", "bytes"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(got.header(header), value, "{header}");
        }
        assert!(got.header("content-security-policy").contains("sandbox"));
        let head = answer(server.bare(Method::HEAD, &format!("/files/app/{name}"))).await;
        assert_eq!((head.status, head.header("content-length"), head.text.as_str()), (200, "5", ""));
        assert_eq!(
            (head.header("etag"), head.header("content-type")),
            (got.header("etag"), got.header("content-type"))
        );

        assert_eq!(
            server
                .post("/classes/Note", &json!({"f": {"__type": "File", "name": name, "url": "http://elsewhere/"}}))
                .await
                .status,
            201
        );
        let found = server.get("/classes/Note").await.json()["results"][0]["f"].clone();
        assert_eq!(found, json!({"__type": "File", "name": name, "url": url}));

        let path = format!("/files/{name}");
        assert_eq!(answer(server.request(Method::DELETE, &path)).await.status, 403);
        assert_eq!(answer(server.master(Method::DELETE, &path)).await.status, 200);
        answer(server.master(Method::DELETE, &path)).await.assert_refused(400, 153);
        let gone = download(&server, &name, &[]).await;
        assert_eq!(
            (gone.status, gone.text.as_str(), gone.header("content-type")),
            (404, "File not found.", "text/plain")
        );
    });
}

#[test]
fn parts_and_conditions() {
    each_backend(&open(), |server| async move {
        assert_eq!(upload(&server, "d.txt", "text/plain", "0123456789").await.status, 201);
        let whole = download(&server, "d.txt", &[]).await;
        let (etag, modified) = (whole.header("etag").to_owned(), whole.header("last-modified").to_owned());
        for (range, status, text, content_range) in [
            ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
            ("bytes=7-", 206, "789", "bytes 7-9/10"),
            ("bytes=-2", 206, "89", "bytes 8-9/10"),
            ("bytes=5-99", 206, "56789", "bytes 5-9/10"),
            ("bytes=0-1,50-60", 206, "01", "bytes 0-1/10"),
            ("bytes=10-", 416, "", "bytes */10"),
            ("bytes=-0", 416, "", "bytes */10"),
            ("bytes=5-2", 200, "0123456789", ""),
            ("items=0-1", 200, "0123456789", ""),
            ("bytes=", 200, "0123456789", ""),
            ("bytes=a-b", 200, "0123456789", ""),
            ("bytes=0-5,3-8", 200, "0123456789", ""),
            ("bytes=99999999999999999999-", 416, "", "bytes */10"),
        ] {
            let got = download(&server, "d.txt", &[("Range", range)]).await;
            assert_eq!(
                (got.status, got.text.as_str(), got.header("content-range")),
                (status, text, content_range),
                "{range}"
            );
        }
        let several = download(&server, "d.txt", &[("Range", "bytes=0-1,8-9")]).await;
        assert_eq!(several.status, 206);
        assert!(several.header("content-type").starts_with("multipart/byteranges; boundary="), "{several:?}");
        assert_eq!(several.header("content-length"), several.text.len().to_string());
        assert!(
            several.text.contains("bytes 0-1/10\r\n\r\n01\r\n") && several.text.contains("bytes 8-9/10\r\n\r\n89\r\n")
        );

        for (header, value, status) in [
            ("If-None-Match", etag.as_str(), 304),
            ("If-None-Match", "\"other\"", 200),
            ("If-Modified-Since", &modified, 304),
            ("If-Match", "\"other\"", 412),
            ("If-Match", &etag, 200),
        ] {
            let got = download(&server, "d.txt", &[(header, value)]).await;
            assert_eq!((got.status, got.text.is_empty()), (status, status != 200), "{header} {value}");
        }
        for (tag, status) in [(etag.as_str(), 206), ("\"other\"", 200)] {
            assert_eq!(download(&server, "d.txt", &[("Range", "bytes=0-0"), ("If-Range", tag)]).await.status, status);
        }
        // Of two files of one name the newer is served, under another tag.
        server.clock.advance(5000);
        assert_eq!(upload(&server, "d.txt", "text/plain", "other").await.status, 201);
        let newer = download(&server, "d.txt", &[("If-None-Match", &etag)]).await;
        assert_eq!((newer.status, newer.text.as_str()), (200, "other"));
    });
}

#[test]
fn names_and_sizes() {
    each_backend(&open(), |server| async move {
        let long = "a".repeat(300);
        for (name, message) in [
            (".txt", "Filename contains invalid characters."),
            ("..", ""),
            ("a%2Fb.txt", "Filename contains invalid characters."),
            ("a%5Cb.txt", "Filename contains invalid characters."),
            ("%2e%2e%2fx.txt", "Filename contains invalid characters."),
            ("a%00.txt", "Filename contains invalid characters."),
            ("%20a.txt", "Filename contains invalid characters."),
            ("%F0%9F%98%80.txt", "Filename contains invalid characters."),
            (&long, "Filename too long."),
        ] {
            let path = format!(
                "POST /parse/files/{name} HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Type: text/plain\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"
            );
            let got = raw::exchange(server.running.addr, path.as_bytes()).await;
            assert!((400..500).contains(&raw::status(&got)), "{name}: {got}");
            assert!(got.contains(message), "{name}: {got}");
        }
        assert_eq!(upload(&server, "plain", "image/png", "x").await.json()["name"], "plain.png");
        assert_eq!(upload(&server, "odd", "application/x-nothing", "x").await.json()["name"], "odd");
        for name in ["a.html", "a.SVG", "a.xml"] {
            upload(&server, name, "text/plain", "x").await.assert_refused(400, 130);
        }
        upload(&server, "page", "text/html", "<script>").await.assert_refused(400, 130);
        upload(&server, "broken", "text", "x").await.assert_refused(400, 130);

        let limit = 64 << 10;
        assert_eq!(upload(&server, "limit.bin", "application/octet-stream", vec![7_u8; limit]).await.status, 201);
        let got = server.bare(Method::GET, "/files/app/limit.bin").send().await.unwrap().bytes().await.unwrap();
        assert!(got.len() == limit && got.iter().all(|byte| *byte == 7));
        let before = stored(&server).await;
        let over = upload(&server, "over.bin", "application/octet-stream", vec![7_u8; limit + 1]).await;
        assert_eq!((over.status, over.json()), (413, json!({"error": "request entity too large"})));
        // Without a length, the bytes are counted as they arrive.
        let head = "POST /parse/files/over.bin HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
        let chunked = format!("{head}{}0\r\n\r\n", chunk.repeat(5));
        let over = raw::exchange(server.running.addr, chunked.as_bytes()).await;
        assert_eq!(raw::status(&over), 413, "{over}");
        upload(&server, "empty.txt", "text/plain", "").await.assert_refused(400, 130);
        assert_eq!(stored(&server).await, before);
        assert_eq!(download(&server, "over.bin", &[]).await.status, 404);

        let stream = |name: &str, bytes: Vec<u8>| {
            server.request(Method::POST, &format!("/files/{name}")).header("X-Parse-Upload-Mode", "stream").body(bytes)
        };
        assert_eq!(answer(stream("empty.txt", Vec::new())).await.status, 201);
        let empty = download(&server, "empty.txt", &[]).await;
        assert_eq!((empty.status, empty.text.as_str(), empty.header("content-length")), (200, "", "0"));
        assert_eq!(download(&server, "empty.txt", &[("Range", "bytes=0-")]).await.status, 416);
        let over = answer(stream("over.bin", vec![7; limit + 1])).await;
        assert_eq!(over.json(), json!({"code": 130, "error": "File size exceeds maximum allowed: 65536 bytes."}));
        let more = server.master(Method::POST, "/files/more.bin").header("X-Parse-File-Max-Upload-Size", "1mb");
        assert_eq!(answer(more.body(vec![7_u8; limit + 1])).await.status, 201);
        let more = server.request(Method::POST, "/files/more.bin").header("X-Parse-File-Max-Upload-Size", "1mb");
        assert_eq!(answer(more.body(vec![7_u8; 10])).await.status, 403);
    });
}

#[test]
fn files_in_json() {
    each_backend(&open(), |server| async move {
        let post = async |body: Json| answer(server.bare(Method::POST, "/files/j.txt").json(&body)).await;
        let body = |base64: Json| json!({"_ApplicationId": "app", "_ContentType": "text/plain", "base64": base64});
        assert_eq!(post(body(STANDARD.encode("héllo").into())).await.status, 201);
        assert_eq!(download(&server, "j.txt", &[]).await.text, "héllo");
        // Cut off in the middle: what is there is taken, as JavaScript does.
        server.clock.advance(1000);
        assert_eq!(post(body("aGVsbG8gd29ybG".into())).await.status, 201);
        assert_eq!(download(&server, "j.txt", &[]).await.text, "hello worl");
        for empty in [json!(""), json!("***"), Json::Null] {
            post(body(empty)).await.assert_refused(400, 130);
        }
        for unknown in [
            json!({"base64": "aGVsbG8="}),
            json!({"_ApplicationId": "nope", "base64": "aGVsbG8="}),
            json!({"_ApplicationId": "app", "base64": ["aGVsbG8="]}),
            json!({"_ApplicationId": "app", "base64": "aGVsbG8=", "_ContentType": {}}),
        ] {
            let got = post(unknown.clone()).await;
            assert_eq!((got.status, got.json()), (403, json!({"error": "unauthorized"})), "{unknown}");
        }
        let no_json = answer(server.bare(Method::POST, "/files/j.txt").body("no JSON")).await;
        assert_eq!((no_json.status, no_json.json()), (403, json!({"error": "unauthorized"})));

        let data = json!({"metadata": {"author": "me"}, "tags": {"a": "b"}, "directory": "in/here"});
        let mut full = body("aGVsbG8=".into());
        full["fileData"] = data;
        let refused = post(full.clone()).await;
        assert_eq!(refused.json()["error"], "Directory can only be set using the Master Key.");
        full["_MasterKey"] = json!("master");
        let sent = post(full.clone()).await;
        assert_eq!((sent.status, &sent.json()["name"]), (201, &json!("in/here/j.txt")));
        let metadata = answer(server.bare(Method::GET, "/files/app/metadata/in/here/j.txt")).await;
        assert_eq!(metadata.json(), json!({"metadata": {"author": "me"}}));
        assert_eq!(answer(server.bare(Method::GET, "/files/app/metadata/none.txt")).await.json(), json!({}));
        assert_eq!(answer(server.bare(Method::GET, "/files/other/metadata/in/here/j.txt")).await.json(), json!({}));
        for directory in [json!("../up"), json!("/a"), json!("metadata/x"), json!(""), json!(5)] {
            full["fileData"]["directory"] = directory.clone();
            assert_eq!(post(full.clone()).await.json()["code"], 122, "{directory}");
        }
        full["fileData"] = json!({"metadata": "text"});
        post(full).await.assert_refused(400, 107);
    });
}

#[test]
fn who_may() {
    let closed = json!({
        "readOnlyMasterKey": "reader",
        "fileUpload": {"enableForAuthenticatedUser": true},
        "fileDownload": {"enableForPublic": false, "enableForAuthenticatedUser": true},
    });
    each_backend(&closed, |server| async move {
        let user = server.post("/users", &json!({"username": "u", "password": "p"})).await.json();
        let token = user["sessionToken"].as_str().unwrap().to_owned();
        let as_user = async |method: Method, path: &str| {
            answer(server.request(method, path).header("X-Parse-Session-Token", &token).body("hello")).await
        };
        let public = upload(&server, "a.txt", "text/plain", "x").await;
        assert_eq!(public.json(), json!({"code": 130, "error": "File upload by public is disabled."}));
        let name = as_user(Method::POST, "/files/a.txt").await.json()["name"].as_str().unwrap().to_owned();
        let path = format!("/files/app/{name}");
        let refused = answer(server.bare(Method::GET, &path)).await;
        assert_eq!(
            (refused.status, refused.json()),
            (400, json!({"code": 119, "error": "File download by public is disabled."}))
        );
        assert_eq!(answer(server.bare(Method::GET, "/files/app/none.txt")).await.status, 400);
        assert_eq!(answer(server.bare(Method::GET, &format!("/files/app/metadata/{name}"))).await.status, 403);
        assert_eq!(as_user(Method::GET, &path).await.text, "hello");
        let bad = answer(server.bare(Method::GET, &path).header("X-Parse-Session-Token", "r:bad")).await;
        bad.assert_refused(400, 209);
        let other = answer(server.bare(Method::GET, &format!("/files/other/{name}"))).await;
        assert_eq!((other.status, other.json()), (403, json!({"error": "Permission denied"})));

        let reader = |method, path: &str| server.request(method, path).header("X-Parse-Master-Key", "reader");
        assert_eq!(answer(reader(Method::GET, &path)).await.status, 200);
        let refused = answer(reader(Method::POST, "/files/b.txt").body("x")).await;
        assert_eq!((refused.status, refused.json()), (403, json!({"error": "Permission denied"})));
        assert_eq!(answer(reader(Method::DELETE, &format!("/files/{name}"))).await.status, 403);
        assert_eq!(as_user(Method::GET, &path).await.status, 200);
        // A client that waits for permission to send is refused without its bytes.
        let head = "POST /parse/files/a.txt HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n";
        let got = raw::exchange(server.running.addr, head.as_bytes()).await;
        assert!(got.starts_with("HTTP/1.1 400") && got.contains("File upload by public is disabled."), "{got}");
    });
}

#[test]
fn a_client_that_leaves_leaves_nothing() {
    each_backend(&open(), |server| async move {
        assert_eq!(upload(&server, "first.txt", "text/plain", "x").await.status, 201);
        let before = stored(&server).await;
        let head = "POST /parse/files/half.bin HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Length: 60000\r\n\r\n";
        for close in [true, false] {
            let mut stream = TcpStream::connect(server.running.addr).await.unwrap();
            stream.write_all(head.as_bytes()).await.unwrap();
            stream.write_all(&vec![7; 30_000]).await.unwrap();
            if close {
                drop(stream);
            } else {
                // Says more than it sends, and waits: it is given up.
                let mut told = Vec::new();
                let read = stream.read_to_end(&mut told).await;
                let told = String::from_utf8_lossy(&told);
                assert_eq!((read.is_ok(), raw::status(&told)), (true, 408), "{read:?} {told}");
            }
        }
        assert_eq!(download(&server, "half.bin", &[]).await.status, 404);
        assert_eq!(stored(&server).await, before);
        // Sends more than it says: the rest is another request, and none.
        let lie = "POST /parse/files/lie.bin HTTP/1.1\r\nHost: x\r\nX-Parse-Application-Id: app\r\nContent-Length: 3\r\n\r\nabcdef";
        let told = raw::exchange(server.running.addr, lie.as_bytes()).await;
        assert_eq!(raw::status(&told), 201, "{told}");
        assert_eq!(download(&server, "lie.bin", &[]).await.text, "abc");
    });
}

#[test]
fn browsers_run_nothing() {
    each_backend(&open(), |server| async move {
        let master = async |name: &str, bytes: &'static str| {
            let sent = answer(server.master(Method::POST, &format!("/files/{name}")).body(bytes)).await;
            assert_eq!(sent.status, 201, "{name}: {sent:?}");
        };
        master("page.html", "<script>alert(1)</script>").await;
        master("picture.png", "<!doctype html><script>alert(1)</script>").await;
        for name in ["page.html", "picture.png"] {
            for headers in [&[][..], &[("Range", "bytes=2-20")]] {
                let got = download(&server, name, headers).await;
                assert!(got.header("content-disposition").starts_with("attachment"), "{name}: {got:?}");
                assert_eq!(got.header("x-content-type-options"), "nosniff");
                assert!(got.header("content-security-policy").contains("default-src 'none'"), "{name}");
                assert!(!got.header("content-type").starts_with("image/"), "{name}");
            }
        }
    });
}

#[test]
fn encrypted_at_rest() {
    let mut options = open();
    options["fileKey"] = json!("file secret");
    each_backend(&options, |server| async move {
        assert_eq!(upload(&server, "s.txt", "text/plain", "0123456789").await.status, 201);
        assert_eq!(download(&server, "s.txt", &[]).await.text, "0123456789");
        let part = download(&server, "s.txt", &[("Range", "bytes=2-4")]).await;
        assert_eq!((part.status, part.text.as_str()), (206, "234"));
        if let Some(database) = &server.mongo {
            let file = database.collection::<Document>("fs.files").find_one(doc! {}).await.unwrap().unwrap();
            assert_eq!(file.get_i32("length").ok().map(i64::from).or(file.get_i64("length").ok()), Some(42));
        }
    });
}

#[test]
fn addresses_of_other_hosts() {
    let options = json!({"fileUpload": {"allowedFileUrlDomains": ["cdn.example.com"]}});
    each_backend(&options, |server| async move {
        let file = |url: &str| json!({"list": [{"__type": "File", "name": "a.txt", "url": url}]});
        assert_eq!(server.post("/classes/Note", &file("https://cdn.example.com/a")).await.status, 201);
        server.post("/classes/Note", &file("https://cdn.example.com@bad.example.net/a")).await.assert_refused(400, 130);
        let found = server.get("/classes/Note").await.json();
        assert_eq!(found["results"][0]["list"][0]["url"], "https://cdn.example.com/a");
    });
}
