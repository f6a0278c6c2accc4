//! Tokens that are valid once are used once, with many clients at the same time and through two servers.

use reqwest::Method;
use serde_json::{Value as Json, json};

use super::{all_at_once, log_in, put, raw, sign_up};
use crate::server::{answer, each_backend_twice};

const AT_ONCE: usize = 200;

fn post_options() -> Json {
    json!({"appName": "Demo", "publicServerURL": "http://127.0.0.1:1/parse", "emailAdapter": "discard", "hashQueue": 1000})
}

/// r3xq-68wh-gwvh: one reset token sets one password.
#[test]
fn adv_r3xq_reset_tokens_are_good_once() {
    each_backend_twice(&post_options(), |servers| async move {
        let server = &servers[0];
        let (id, _) = sign_up(server, &json!({"username": "a", "password": "old", "email": "a@example.com"})).await;
        assert_eq!(server.post("/requestPasswordReset", &json!({"email": "a@example.com"})).await.status, 200);
        let token = raw(server, &id).await["_perishable_token"].as_str().unwrap().to_owned();
        let answers = all_at_once(&servers, AT_ONCE, move |server, index| {
            let body = json!({"token": token, "new_password": format!("new{index}")});
            async move {
                let request = server.bare(Method::POST, "/apps/app/request_password_reset").json(&body);
                answer(request.header("X-Requested-With", "XMLHttpRequest")).await
            }
        })
        .await;
        let won: Vec<usize> = (0..AT_ONCE).filter(|index| answers[*index].status == 200).collect();
        assert_eq!(won.len(), 1);
        for lost in answers.iter().filter(|answer| answer.status != 200) {
            lost.assert_refused(400, -1);
        }
        assert_eq!(log_in(server, "a", &format!("new{}", won[0])).await.status, 200);
    });
}

/// #10266: failures are counted exactly, and no attempt gets in behind the last one.
#[test]
fn lockout_is_exact() {
    let mut options = post_options();
    options["accountLockout"] = json!({"threshold": 7, "duration": 5});
    each_backend_twice(&options, |servers| async move {
        let server = &servers[0];
        let (id, _) = sign_up(server, &json!({"username": "a", "password": "right"})).await;
        let answers = all_at_once(&servers, 60, |server, _| async move { log_in(&server, "a", "wrong").await }).await;
        let plain = answers.iter().filter(|answer| answer.json()["error"] == "Invalid username/password.").count();
        assert_eq!(plain, 7);
        assert!(answers.iter().all(|answer| answer.status == 404));
        assert_eq!(raw(server, &id).await["_failed_login_count"], 7);
        let locked = log_in(server, "a", "right").await;
        assert_eq!(
            locked.json()["error"],
            "Your account is locked due to multiple failed login attempts. Please try again after 5 minute(s)"
        );
        for server in &servers {
            server.clock.advance(5 * 60_000 + 1);
        }
        // The count still stands: one more failure locks at once.
        let again = log_in(server, "a", "wrong").await;
        assert!(again.text.contains("locked"), "{again:?}");
        assert!(log_in(server, "a", "right").await.text.contains("locked"));
        for server in &servers {
            server.clock.advance(5 * 60_000 + 1);
        }
        assert_eq!(log_in(server, "a", "right").await.status, 200);
        assert_eq!(raw(server, &id).await["_failed_login_count"], 0);
        let fine = all_at_once(&servers, 20, |server, _| async move { log_in(&server, "a", "right").await }).await;
        assert!(fine.iter().all(|answer| answer.status == 200));
    });
}

/// 2299-ghjr-6vjp, w73w-g5xw-rwhf, 4hf6-3x24-c9m8: a recovery code is good once, in its stored form as parse-server's and hashed.
#[test]
fn adv_2299_recovery_codes_are_good_once() {
    for hashed in [false, true] {
        let mut options = post_options();
        options["auth"] = json!({"mfa": {"options": ["TOTP"], "hashRecoveryCodes": hashed}});
        each_backend_twice(&options, |servers| async move {
            let server = &servers[0];
            let (id, token) = sign_up(server, &json!({"username": "a", "password": "p"})).await;
            // The clock of the tests stands still: 2020-02-03T04:05:06Z.
            let enrol =
                json!({"authData": {"mfa": {"secret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "token": one_time_code()}}});
            let enrolled = put(server, &id, &token, &enrol).await;
            assert_eq!(enrolled.status, 200, "{enrolled:?}");
            let codes = enrolled.json()["authDataResponse"]["mfa"]["recovery"].as_str().unwrap().to_owned();
            let code = codes.split(", ").next().unwrap().to_owned();
            let stored = raw(server, &id).await["_auth_data_mfa"]["recovery"][0].as_str().unwrap().to_owned();
            assert_eq!(stored == code, !hashed);
            let body = json!({"username": "a", "password": "p", "authData": {"mfa": {"token": code}}});
            let answers = all_at_once(&servers, AT_ONCE, move |server, _| {
                let body = body.clone();
                async move { server.post("/login", &body).await }
            })
            .await;
            assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
            for lost in answers.iter().filter(|answer| answer.status != 200) {
                lost.assert_refused(400, 141);
            }
            assert_eq!(raw(server, &id).await["_auth_data_mfa"]["recovery"].as_array().unwrap().len(), 1);
            let missing = log_in(server, "a", "p").await;
            assert_eq!(missing.json(), json!({"code": -1, "error": "Missing additional authData mfa"}));
        });
    }
}

/// The code of the secret above at the time the tests' clock shows.
fn one_time_code() -> String {
    use ring::hmac;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, b"Hello!\xDE\xAD\xBE\xEFHello!\xDE\xAD\xBE\xEF");
    let counter = 1_580_702_706_u64 / 30;
    let tag = hmac::sign(&key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let at = usize::from(bytes[19] & 15);
    let number = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}
