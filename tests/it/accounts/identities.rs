//! Identity providers: which tokens and codes are accepted, and which are rejected.

use std::sync::{Arc, LazyLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{log_in, put, sign_up};
use crate::server::{each_backend, runtime};

static KEY: LazyLock<EcdsaKeyPair> = LazyLock::new(|| {
    let random = SystemRandom::new();
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap()
});

fn encoded(json: &Json) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// A token with these claims on top of good ones.
fn token(header: &Json, claims: &Json) -> String {
    let mut all = json!({"iss": "https://issuer.example", "aud": "client", "sub": "u1", "exp": 1_580_706_000, "nbf": 1_580_700_000});
    for (name, value) in claims.as_object().unwrap() {
        all[name] = value.clone();
    }
    let mut head = json!({"alg": "ES256", "kid": "k1"});
    for (name, value) in header.as_object().unwrap() {
        head[name] = value.clone();
    }
    let signed = format!("{}.{}", encoded(&head), encoded(&all));
    let signature = KEY.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// A provider on this machine: its keys at `/keys`; `/introspect/NAME` knows the token `NAME-token` of user `u1` and app `NAME`.
fn provider() -> String {
    let point = KEY.public_key().as_ref().to_vec();
    let keys = json!({"keys": [
        {"kty": "EC", "crv": "P-256", "kid": "k1", "alg": "ES256", "use": "sig",
         "x": URL_SAFE_NO_PAD.encode(&point[1..33]), "y": URL_SAFE_NO_PAD.encode(&point[33..])},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0"},
    ]});
    let listener = runtime().block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    runtime().spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let keys = keys.clone();
            tokio::spawn(async move {
                let mut request = String::new();
                let mut buffer = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                    request.push_str(&String::from_utf8_lossy(&buffer[..count]));
                    if request.starts_with("GET") || request.contains("token=") {
                        break;
                    }
                }
                let answer = match request.split(' ').nth(1).unwrap().strip_prefix("/introspect/") {
                    None => keys,
                    Some(name) if request.ends_with(&format!("token={name}-token")) => {
                        json!({"active": true, "sub": "u1", "client_id": name})
                    }
                    Some(_) => json!({"active": false, "client_id": "other"}),
                };
                let body = answer.to_string();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
                let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
            });
        }
    });
    base
}

/// 4q3h-vp4r-prv2, x6fw-778m-wr9v: tokens are signed by the issuer, by a pinned kind of signature, for us, now, and for this user.
#[test]
fn adv_4q3h_x6fw_tokens() {
    let base = provider();
    let options = json!({"auth": {"corp": {"module": "oidc", "options":
        {"issuer": "https://issuer.example", "clientId": ["client", "client2"], "jwksUrl": format!("{base}/keys")}}}});
    each_backend(&options, |server| async move {
        let show = async |id: &str, token: Json| {
            server.post("/users", &json!({"authData": {"corp": {"id": id, "id_token": token}}})).await
        };
        let none = json!({});
        let tampered = {
            let good = token(&none, &none);
            let parts: Vec<&str> = good.split('.').collect();
            format!(
                "{}.{}.{}",
                parts[0],
                encoded(&json!({"iss": "https://issuer.example", "aud": "client", "sub": "u2", "exp": 1_580_706_000})),
                parts[2]
            )
        };
        for (name, id, bad) in [
            ("subject", "u2", json!(token(&none, &none))),
            ("tampered", "u2", json!(tampered)),
            ("audience", "u1", json!(token(&none, &json!({"aud": "other"})))),
            ("no audience", "u1", json!(token(&none, &json!({"aud": null})))),
            ("issuer", "u1", json!(token(&none, &json!({"iss": "https://issuer.example.evil"})))),
            ("expired", "u1", json!(token(&none, &json!({"exp": 1_580_700_000})))),
            ("no expiry", "u1", json!(token(&none, &json!({"exp": null})))),
            ("not yet", "u1", json!(token(&none, &json!({"nbf": 1_580_705_000})))),
            ("none", "u1", json!(token(&json!({"alg": "none"}), &none))),
            (
                "none without signature",
                "u1",
                json!(format!("{}.", token(&json!({"alg": "none"}), &none).rsplit_once('.').unwrap().0)),
            ),
            ("shared secret", "u1", json!(token(&json!({"alg": "HS256"}), &none))),
            ("other algorithm", "u1", json!(token(&json!({"alg": "RS256"}), &none))),
            ("unknown key", "u1", json!(token(&json!({"kid": "k2"}), &none))),
            ("symmetric key", "u1", json!(token(&json!({"kid": "shared", "alg": "HS256"}), &none))),
            ("no key", "u1", json!(token(&json!({"kid": null}), &none))),
            ("critical", "u1", json!(token(&json!({"crit": ["x"]}), &none))),
            ("key inside", "u1", json!(token(&json!({"kid": "k3", "jwk": {"kty": "oct", "k": "x"}}), &none))),
            ("garbage", "u1", json!("a.b.c")),
            ("object", "u1", json!({"$ne": null})),
            ("missing", "u1", Json::Null),
        ] {
            let got = show(id, bad).await;
            assert_eq!((got.status, got.json()["code"].as_i64()), (404, Some(101)), "{name}: {got:?}");
        }
        assert_eq!(show("u1", token(&none, &none).into()).await.status, 201);
        assert_eq!(show("u1", token(&none, &json!({"aud": ["x", "client2"]})).into()).await.status, 200);
        // 8w3j-g983-8jh5: who has no good token does not learn whose identity it is.
        let (id, session) = sign_up(&server, &json!({"username": "a", "password": "p"})).await;
        let link = async |id_token: String, of: &str| {
            put(&server, &id, &session, &json!({"authData": {"corp": {"id": of, "id_token": id_token}}})).await
        };
        let taken = link("a.b.c".to_owned(), "u1").await;
        taken.assert_refused(400, 206);
        let free = link("a.b.c".to_owned(), "u7").await;
        assert_eq!((taken.status, taken.text), (free.status, free.text));
        link(token(&none, &none), "u1").await.assert_refused(400, 208);
        // mr43-w6c2-mvjq: an identity shown along with a password is checked too.
        let body = json!({"username": "a", "password": "p", "authData": {"corp": {"id": "u1", "id_token": "a.b.c"}}});
        server.post("/login", &body).await.assert_refused(404, 101);
        let body = json!({"username": "a", "password": "p", "authData": {"corp": {"id": "u1", "id_token": token(&none, &none)}}});
        server.post("/login", &body).await.assert_refused(400, 208);
        let body = json!({"challengeData": {"corp": {}}, "authData": {"corp": {"id": "u1", "id_token": "a.b.c"}}});
        server.post("/challenge", &body).await.assert_refused(404, 101);
        assert_eq!(log_in(&server, "a", "p").await.status, 200);
        // 5fw2-8jcv-xh87: ids are texts.
        for id in [json!({"$ne": null}), json!({"$regex": ""}), json!(["u1"]), json!(1)] {
            let got = server
                .post("/users", &json!({"authData": {"corp": {"id": id, "id_token": token(&none, &none)}}}))
                .await;
            got.assert_refused(400, 162);
        }
        // pfj7-wv7c-22pr: a known id is no log in by itself.
        server.post("/users", &json!({"authData": {"corp": {"id": "u1"}}})).await.assert_refused(404, 101);
    });
}

/// 2cjm-2gwv-m892, 69xg-f649-w5g2, fr88-w35c-r596: of two providers each knows its own tokens, and only its users.
#[test]
fn adv_2cjm_providers_do_not_mix() {
    let base = provider();
    let provider = |name: &str| json!({"oauth2": true, "tokenIntrospectionEndpointUrl": format!("{base}/introspect/{name}"), "appidField": "client_id", "appIds": [name]});
    let options =
        json!({"auth": {"one": provider("one"), "two": provider("two"), "off": {"oauth2": true, "enabled": false}}});
    each_backend(&options, |server| async move {
        let show = async |provider: &str, id: &str, token: Json| {
            let mut data = json!({"id": id});
            data["access_token"] = token;
            server.post("/users", &json!({"authData": {provider: data}})).await
        };
        assert_eq!(show("one", "u1", json!("one-token")).await.status, 201);
        assert_eq!(show("two", "u1", json!("two-token")).await.status, 201);
        for (provider, id, token) in [
            ("one", "u1", json!("two-token")),
            ("two", "u1", json!("one-token")),
            ("one", "u2", json!("one-token")),
            ("one", "u1", json!({"toString": "one-token"})),
            ("one", "u1", Json::Null),
        ] {
            show(provider, id, token).await.assert_refused(404, 101);
        }
        // g4cf-xj29-wqqr: providers the server does not have are refused, whatever their name.
        for unknown in ["off", "github", "ldap", "nowhere", "toString"] {
            show(unknown, "u1", json!("x")).await.assert_refused(400, 252);
        }
        // These are words that no request may hold.
        for denied in ["constructor", "__proto__"] {
            show(denied, "u1", json!("x")).await.assert_refused(400, 105);
        }
    });
}

/// wjqw-r9x4-j59v: an empty identity is none.
#[test]
fn adv_wjqw_empty_identities() {
    each_backend(&json!({"auth": {"mfa": {"options": ["TOTP"]}}}), |server| async move {
        let server = Arc::clone(&server);
        for empty in [json!({}), json!({"anonymous": {}}), json!({"mfa": {}}), json!({"mfa": null})] {
            server.post("/users", &json!({"authData": empty})).await.assert_refused(400, 200);
        }
        server.post("/users", &json!({"authData": {"mfa": {"token": "1"}}})).await.assert_refused(400, 141);
    });
}
