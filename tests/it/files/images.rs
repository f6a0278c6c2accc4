//! Images in another size or format, over HTTP.

use std::io::Cursor;
use std::sync::Arc;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{TestServer, answer, each_backend};

fn on(more: &Json) -> Json {
    let mut options = json!({
        "fileUpload": {"enableForPublic": true},
        "preserveFileName": true,
        "files": {"transforms": true, "transformSide": 500, "transformPixels": 40_000, "transformBytes": 200_000},
    });
    for (key, value) in more.as_object().unwrap() {
        options["files"][key] = value.clone();
    }
    options
}

fn picture(width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let colour = |x: u32, y: u32| Rgb([x, y, x ^ y].map(|value| u8::try_from(value % 256).unwrap()));
    let mut out = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_fn(width, height, colour)).write_to(&mut out, format).unwrap();
    out.into_inner()
}

async fn upload(server: &TestServer, name: &str, bytes: Vec<u8>) {
    let sent = answer(server.request(Method::POST, &format!("/files/{name}")).body(bytes)).await;
    assert_eq!(sent.status, 201, "{sent:?}");
}

/// Status, type and size of the answer.
async fn get(server: &TestServer, path: &str) -> (u16, String, Option<(u32, u32)>) {
    let got = server.bare(Method::GET, &format!("/files/app/{path}")).send().await.unwrap();
    let content_type = got.headers()["content-type"].to_str().unwrap().to_owned();
    let status = got.status().as_u16();
    let bytes = got.bytes().await.unwrap();
    (status, content_type, image::load_from_memory(&bytes).ok().map(|image| (image.width(), image.height())))
}

#[test]
fn images_are_served_in_the_size_that_is_asked_for() {
    each_backend(&on(&json!({})), |server| async move {
        upload(&server, "wide.png", picture(200, 100, ImageFormat::Png)).await;
        upload(&server, "tall.jpg", picture(100, 200, ImageFormat::Jpeg)).await;
        upload(&server, "noext", picture(100, 100, ImageFormat::Gif)).await;
        for (path, content_type, size) in [
            ("wide.png?width=50", "image/png", (50, 25)),
            ("wide.png?height=50&x=y", "image/png", (100, 50)),
            ("wide.png?width=50&height=50&fit=cover", "image/png", (50, 50)),
            ("wide.png?width=50&height=50&fit=fill", "image/png", (50, 50)),
            ("wide.png?width=50&height=50", "image/png", (50, 25)),
            ("wide.png?width=500", "image/png", (200, 100)),
            ("wide.png?format=webp", "image/webp", (200, 100)),
            ("wide.png?format=jpeg&width=20", "image/jpeg", (20, 10)),
            ("tall.jpg?width=50", "image/jpeg", (50, 100)),
            ("noext.txt?width=50", "image/png", (50, 50)),
        ] {
            assert_eq!(get(&server, path).await, (200, content_type.to_owned(), Some(size)), "{path}");
        }
        let path = "/files/app/wide.png?width=50";
        let first = answer(server.bare(Method::GET, path)).await;
        assert!(first.header("content-security-policy").contains("sandbox"));
        let whole = answer(server.bare(Method::GET, "/files/app/wide.png")).await;
        assert_ne!(first.header("etag"), whole.header("etag"));
        let again = server.bare(Method::GET, path).header("If-None-Match", first.header("etag"));
        assert_eq!(answer(again).await.status, 304);
        let part = answer(server.bare(Method::GET, path).header("Range", "bytes=0-3")).await;
        assert_eq!((part.status, part.header("content-length")), (206, "4"));
        let head = answer(server.bare(Method::HEAD, path)).await;
        assert_eq!(head.header("content-length"), first.header("content-length"));
        // A name that is used again has another image.
        upload(&server, "wide.png", picture(80, 100, ImageFormat::Png)).await;
        assert_eq!(get(&server, "wide.png?width=50").await.2, Some((50, 63)));
    });
}

#[test]
fn what_cannot_be_changed_is_refused() {
    each_backend(&on(&json!({})), |server| async move {
        upload(&server, "a.png", picture(200, 200, ImageFormat::Png)).await;
        upload(&server, "large.png", picture(201, 200, ImageFormat::Png)).await;
        upload(&server, "long.png", vec![0; 200_001]).await;
        upload(&server, "a.txt", b"text".to_vec()).await;
        let png = picture(100, 100, ImageFormat::Png);
        upload(&server, "half.png", png[..png.len() / 2].to_vec()).await;
        for (path, says) in [
            ("a.png?width=501", "width must be a number from 1 to 500"),
            ("a.png?width=0", "width must be a number from 1 to 500"),
            ("a.png?height=x", "height must be a number from 1 to 500"),
            ("a.png?fit=none", "fit must be contain, cover or fill"),
            ("a.png?format=svg", "format must be jpeg, png or webp"),
            ("a.txt?width=5", "The file is no JPEG, PNG, WebP or GIF image."),
            ("half.png?width=5", "The image is broken."),
            ("large.png?width=5", "The image is too large."),
            ("long.png?width=5", "The image is too large."),
        ] {
            let got = answer(server.bare(Method::GET, &format!("/files/app/{path}"))).await;
            got.assert_refused(400, 102);
            assert_eq!(got.json()["error"], says, "{path}");
        }
        assert_eq!(answer(server.bare(Method::GET, "/files/app/none.png?width=5")).await.status, 404);
        assert_eq!(get(&server, "a.png?width=5").await.2, Some((5, 5)));
    });
}

#[test]
fn nothing_is_changed_unless_it_is_on() {
    each_backend(&on(&json!({"transforms": false})), |server| async move {
        upload(&server, "a.png", picture(200, 200, ImageFormat::Png)).await;
        for query in ["width=5", "width=x", "format=webp"] {
            let got = get(&server, &format!("a.png?{query}")).await;
            assert_eq!(got, (200, "image/png".to_owned(), Some((200, 200))), "{query}");
        }
    });
}

/// Many at once: all are answered, by the same bytes.
#[test]
fn many_may_ask_at_once() {
    each_backend(&on(&json!({})), |server| async move {
        upload(&server, "a.png", picture(200, 200, ImageFormat::Png)).await;
        let tasks: Vec<_> = (0..40)
            .map(|number| {
                let server: Arc<TestServer> = server.clone();
                let path = format!("/files/app/a.png?width={}&format=jpeg", 100 + number % 4);
                tokio::spawn(async move {
                    (number % 4, server.bare(Method::GET, &path).send().await.unwrap().bytes().await.unwrap())
                })
            })
            .collect();
        let mut seen = std::collections::HashMap::new();
        for task in tasks {
            let (size, bytes) = task.await.unwrap();
            assert_eq!(seen.entry(size).or_insert_with(|| bytes.clone()), &bytes);
        }
        assert_eq!(seen.len(), 4);
    });
}
