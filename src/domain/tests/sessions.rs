//! Sessions: made, found by their token, ended.

use super::*;
use crate::domain::features::users;

fn token(cx: &Context) -> String {
    cx.session_token.clone().unwrap()
}

#[tokio::test]
async fn a_sign_up_makes_a_session() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    assert!(token(&ann).starts_with("r:"));
    let me = serde_json::to_value(users::me(&ann).await.unwrap()).unwrap();
    assert_eq!((&me["username"], me["sessionToken"].as_str()), (&json!("ann"), ann.session_token.as_deref()));
    assert!(me.get("password").is_none() && me.get("_hashed_password").is_none());
}

#[tokio::test]
async fn unknown_tokens_are_refused() {
    let server = fixture(json!({})).await;
    server.sign_up("ann").await;
    assert_eq!(code(server.enter("r:nobody").await), 209);
}

#[tokio::test]
async fn a_log_out_ends_the_session() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    users::log_out(&ann).await.unwrap();
    assert_eq!(code(server.enter(&token(&ann)).await), 209);
}

#[tokio::test]
async fn sessions_expire() {
    let server = fixture(json!({ "sessionLength": 60 })).await;
    let ann = server.sign_up("ann").await;
    server.clock.advance(59_000);
    assert_eq!(code(server.enter(&token(&ann)).await), 0);
    server.clock.advance(2_000);
    assert_eq!(code(server.enter(&token(&ann)).await), 209);
}

#[tokio::test]
async fn a_use_prolongs_a_session_where_options_say_so() {
    let server = fixture(json!({ "sessionLength": 60, "extendSessionOnUse": true })).await;
    let ann = server.sign_up("ann").await;
    server.clock.advance(40_000);
    assert_eq!(code(server.enter(&token(&ann)).await), 0);
    server.clock.advance(40_000);
    assert_eq!(code(server.enter(&token(&ann)).await), 0);
}

#[tokio::test]
async fn what_live_queries_tell_is_no_use_of_a_session() {
    let server = fixture(json!({ "sessionLength": 60, "extendSessionOnUse": true })).await;
    let ann = server.sign_up("ann").await;
    server.clock.advance(40_000);
    assert!(ann.app.sessions.user(&ann.app, &token(&ann)).await.unwrap().is_some());
    server.clock.advance(21_000);
    assert_eq!(code(server.enter(&token(&ann)).await), 209);
}

#[tokio::test]
async fn users_see_their_own_sessions_alone() {
    let server = fixture(json!({})).await;
    let (ann, bob) = (server.sign_up("ann").await, server.sign_up("bob").await);
    assert_eq!(find(&ann, "_Session", json!({})).await.unwrap().len(), 1);
    let theirs = find(&bob, "_Session", json!({})).await.unwrap();
    let id = theirs[0]["objectId"].as_str().unwrap();
    assert_eq!(code(get(&ann, "_Session", id).await), 101);
    assert_eq!(code(classes::delete(&ann, "_Session", id).await), 101);
    assert_eq!(code(find(&server.anybody(), "_Session", json!({})).await), 209);
    assert_eq!(find(&server.master(), "_Session", json!({})).await.unwrap().len(), 2);
    classes::delete(&bob, "_Session", id).await.unwrap();
    assert_eq!(code(server.enter(&token(&bob)).await), 209);
}

#[tokio::test]
async fn clients_cannot_change_what_makes_a_session() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    let own = find(&ann, "_Session", json!({})).await.unwrap();
    let id = own[0]["objectId"].as_str().unwrap();
    for body in
        [json!({ "sessionToken": "r:x" }), json!({ "createdWith": {} }), json!({ "user": pointer("_User", "x") })]
    {
        assert_eq!(code(change(&ann, "_Session", id, body.clone()).await), 105, "{body}");
    }
    assert_eq!(code(change(&ann, "_Session", id, json!({ "note": "x" })).await), 0);
}

#[tokio::test]
async fn a_new_password_ends_old_sessions() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    let answer = change(&ann, "_User", id_of(&ann), json!({ "password": "other" })).await.unwrap();
    assert_eq!(code(server.enter(&token(&ann)).await), 209);
    assert_eq!(code(server.enter(answer["sessionToken"].as_str().unwrap()).await), 0);
}

#[tokio::test]
async fn a_log_in_checks_the_password() {
    let server = fixture(json!({})).await;
    server.sign_up("ann").await;
    let with = |password: &str| object(json!({ "username": "ann", "password": password }));
    assert_eq!(code(users::log_in(&server.anybody(), with("wrong")).await), 101);
    let user = users::log_in(&server.anybody(), with("secret")).await.unwrap();
    assert_eq!(code(server.enter(user.get_str("sessionToken").unwrap()).await), 0);
}

#[tokio::test]
async fn the_session_of_a_user_that_is_gone_gives_no_rights() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    classes::delete(&server.master(), "_User", id_of(&ann)).await.unwrap();
    let orphan = server.enter(&token(&ann)).await.unwrap();
    assert!(matches!(orphan.auth, Auth::Orphan));
    assert_eq!(code(orphan.entities().await), 209);
    assert_eq!(code(find(&orphan, "Note", json!({})).await), 209);
}
