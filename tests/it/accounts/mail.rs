//! Mails, and the pages behind their links.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

use super::{log_in, raw, sign_up};
use crate::server::{Answer, TestServer, answer, each_backend};

fn options(mails: &Path) -> Json {
    json!({
        "appName": "<b>Demo</b>",
        "publicServerURL": "https://public.example/parse",
        "emailAdapter": {"module": "file", "options": {"dir": mails}},
        "verifyUserEmails": true,
        "preventLoginWithUnverifiedEmail": true,
        "emailVerifyTokenValidityDuration": 3600,
        "passwordPolicy": {"resetTokenValidityDuration": 3600, "doNotAllowUsername": true},
    })
}

/// Waits for a mail to an address and takes the path of its link, below the mount path.
async fn link(mails: &Path, to: &str) -> String {
    for _ in 0..200 {
        for entry in std::fs::read_dir(mails).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "eml") {
                continue;
            }
            let mail = std::fs::read_to_string(&path).unwrap().replace("=\r\n", "").replace("=3D", "=");
            if mail.contains(&format!("To: {to}\r\n")) {
                std::fs::remove_file(path).unwrap();
                let at = mail.find("https://public.example/parse").unwrap() + "https://public.example/parse".len();
                return mail[at..].split_whitespace().next().unwrap().to_owned();
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("no mail to {to}");
}

async fn page(server: &TestServer, path: &str) -> Answer {
    let shown = answer(server.bare(Method::GET, path)).await;
    assert_eq!(shown.header("x-content-type-options"), "nosniff", "{path}");
    shown
}

async fn post_form(server: &TestServer, path: &str, form: &str) -> Answer {
    let request = server.bare(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
    answer(request.body(form.to_owned())).await
}

#[test]
fn from_sign_up_to_a_new_password() {
    let dir = TempDir::new().unwrap();
    let mails = dir.path();
    each_backend(&options(mails), |server| async move {
        let user = json!({"username": "a", "password": "first", "email": "a@example.com"});
        let (id, token) = sign_up(&server, &user).await;
        assert!(token.is_null());
        log_in(&server, "a", "first").await.assert_refused(400, 205);
        let verify = link(mails, "a@example.com").await;
        let done = page(&server, &verify).await;
        assert_eq!(done.status, 200);
        assert!(done.text.contains("confirmed") && done.text.contains("&lt;b&gt;Demo"), "{}", done.text);
        assert_eq!(log_in(&server, "a", "first").await.status, 200);
        assert!(page(&server, &verify).await.text.contains("does not work"));

        assert_eq!(server.post("/requestPasswordReset", &json!({"email": "a@example.com"})).await.json(), json!({}));
        let reset = link(mails, "a@example.com").await;
        let form = page(&server, &reset).await;
        let token = reset.split("token=").nth(1).unwrap();
        assert!(form.text.contains("<form") && form.text.contains(token), "{}", form.text);
        let path = reset.split('?').next().unwrap();
        let refused = post_form(&server, path, &format!("token={token}&new_password=xax")).await;
        assert!(refused.text.contains("Password cannot contain your username."), "{refused:?}");
        let changed = post_form(&server, path, &format!("token={token}&new_password=second")).await;
        assert!(changed.status == 200 && changed.text.contains("has been changed"), "{changed:?}");
        log_in(&server, "a", "first").await.assert_refused(404, 101);
        assert_eq!(log_in(&server, "a", "second").await.status, 200);
        let row = raw(&server, &id).await;
        assert!(row.get("_perishable_token").is_none() && row.get("_email_verify_token").is_none(), "{row}");

        // Links do not live for ever.
        server.post("/requestPasswordReset", &json!({"email": "a@example.com"})).await;
        let late = link(mails, "a@example.com").await;
        server.clock.advance(3_601_000);
        assert!(page(&server, &late).await.text.contains("does not work"));
    });
}

/// w54v-hf9p-8856, h29g-q5c2-9h4f: who asks for a mail learns nothing about addresses.
#[test]
fn adv_w54v_h29g_no_enumeration() {
    let dir = TempDir::new().unwrap();
    each_backend(&options(dir.path()), |server| async move {
        sign_up(&server, &json!({"username": "a", "password": "p", "email": "new@example.com"})).await;
        let (id, _) = sign_up(&server, &json!({"username": "b", "password": "p", "email": "old@example.com"})).await;
        let verified = server.master(Method::PUT, &format!("/users/{id}")).json(&json!({"emailVerified": true}));
        assert_eq!(answer(verified).await.status, 200);
        for path in ["/verificationEmailRequest", "/requestPasswordReset"] {
            for email in ["new@example.com", "old@example.com", "nobody@example.com"] {
                let got = server.post(path, &json!({"email": email})).await;
                assert_eq!((got.status, got.json()), (200, json!({})), "{path} {email}");
            }
        }
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        for name in ["a", "b", "nobody"] {
            let url = format!("{}/apps/app/resend_verification_email", server.base);
            let got = client.post(url).form(&[("username", name)]).send().await.unwrap();
            assert_eq!(got.status(), 303);
            let place = got.headers()["location"].to_str().unwrap();
            assert!(place.contains("/apps/email_verification_send_success.html?"), "{place}");
        }
    });
}

/// vgjh-hmwf-c588: a token is a text.
#[test]
fn adv_vgjh_operators_are_no_tokens() {
    let dir = TempDir::new().unwrap();
    each_backend(&options(dir.path()), |server| async move {
        let (id, _) = sign_up(&server, &json!({"username": "a", "password": "p", "email": "a@example.com"})).await;
        server.post("/requestPasswordReset", &json!({"email": "a@example.com"})).await;
        for hostile in [json!({"$ne": null}), json!({"$regex": ""}), json!(["x"]), json!(7), json!(true), json!({})] {
            let body = json!({"token": hostile, "new_password": "q"});
            let request = server.bare(Method::POST, "/apps/app/request_password_reset").json(&body);
            answer(request.header("X-Requested-With", "XMLHttpRequest")).await.assert_refused(400, -1);
            server.post("/requestPasswordReset", &json!({"token": hostile})).await.assert_refused(400, 162);
            let got = server.post("/verificationEmailRequest", &json!({"email": hostile})).await;
            assert!([125, 204].contains(&got.json()["code"].as_i64().unwrap()), "{got:?}");
            let got = server.post("/verificationEmailRequest", &json!({"token": hostile})).await;
            got.assert_refused(400, 204);
        }
        for query in ["token[$ne]=x", "token[$regex]=", "token=%00", "token=", "token[]=a"] {
            for route in ["verify_email", "request_password_reset"] {
                let shown = page(&server, &format!("/apps/app/{route}?{query}")).await;
                assert!(shown.text.contains("does not work"), "{query}");
            }
        }
        assert_eq!(raw(&server, &id).await["emailVerified"], false);
    });
}

/// jhgf-2h8h-ggxv: nothing that a link brings is markup.
#[test]
fn adv_jhgf_pages_escape() {
    let dir = TempDir::new().unwrap();
    each_backend(&options(dir.path()), |server| async move {
        let evil = "%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3C!--";
        for path in [
            format!("/apps/choose_password?appId=app&token={evil}&error={evil}&publicServerUrl={evil}"),
            format!("/apps/app/verify_email?token={evil}&username={evil}&locale={evil}"),
            format!("/apps/app/request_password_reset?token={evil}&username={evil}&appName={evil}"),
            format!(
                "/apps/password_reset.html?token={evil}&error={evil}&appId={evil}&publicServerUrl=https://evil.example"
            ),
        ] {
            let shown = page(&server, &path).await;
            assert_eq!(shown.status, 200, "{path}");
            assert!(!shown.text.contains("<script") && !shown.text.contains("evil.example"), "{path}: {}", shown.text);
            let policy = shown.header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            assert_eq!(shown.header("referrer-policy"), "no-referrer");
        }
        let shown =
            post_form(&server, "/apps/app/request_password_reset", &format!("token={evil}&new_password=x")).await;
        assert!(shown.status == 200 && !shown.text.contains("<script"), "{shown:?}");
    });
}

/// hm3f-q6rw-m6wh, #10242, #10237: no file outside of the folder of pages, no locale that is a path, no line break in a header.
#[test]
fn adv_hm3f_pages_stay_in_their_folder() {
    let dir = TempDir::new().unwrap();
    let pages = dir.path().join("pages");
    std::fs::create_dir_all(pages.join("de")).unwrap();
    std::fs::create_dir_all(dir.path().join("pages-secret")).unwrap();
    std::fs::write(pages.join("own.html"), "own {{title}}").unwrap();
    std::fs::write(pages.join("de/password_reset_link_invalid.html"), "<html>DE {{locale}}</html>").unwrap();
    for place in ["secret.html", "pages-secret/secret.html", "password_reset_link_invalid.html"] {
        std::fs::write(dir.path().join(place), "canary").unwrap();
    }
    let mut options = options(dir.path());
    options["pages"] = json!({"pagesPath": pages, "enableLocalization": true, "placeholders": {"title": "T"}});
    each_backend(&options, |server| async move {
        assert_eq!(page(&server, "/apps/own.html").await.text, "own T");
        let german = page(&server, "/apps/app/request_password_reset?token=x&locale=de-AT").await;
        assert_eq!(german.text, "<html>DE de-AT</html>");
        for path in [
            "/apps/%2e%2e/secret.html",
            "/apps/..%2fsecret.html",
            "/apps/..%2f..%2fetc%2fpasswd",
            "/apps/%2fetc%2fpasswd",
            "/apps/..%2fpages-secret%2fsecret.html",
            "/apps/de%2f..%2f..%2fsecret.html",
            "/apps/..%5csecret.html",
            "/apps/own.html%00.txt",
        ] {
            let got = answer(server.bare(Method::GET, path)).await;
            assert!(got.status >= 400 && !got.text.contains("canary"), "{path}: {got:?}");
        }
        for locale in ["..", "../", "..%2f", "de%0d%0aX-Evil:%201", "%2e%2e", "de/../.."] {
            let got = page(&server, &format!("/apps/app/request_password_reset?token=x&locale={locale}")).await;
            assert!(got.status == 200 && !got.text.contains("canary"), "{locale}: {got:?}");
            assert!(got.headers.get("x-evil").is_none() && got.headers.get("x-parse-page-param-locale").is_none());
        }
    });
}
