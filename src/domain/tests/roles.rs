//! Roles: which ones a user holds.

use super::*;

/// The roles among what permissions may name for a caller.
async fn held(cx: &Context) -> Vec<String> {
    let mut roles: Vec<String> = cx.entities().await.unwrap().iter().skip(2).cloned().collect();
    roles.sort();
    roles
}

#[tokio::test]
async fn a_user_without_roles_is_itself() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    assert_eq!(&*ann.entities().await.unwrap(), ["*", id_of(&ann)]);
    assert_eq!(&*server.anybody().entities().await.unwrap(), ["*"]);
}

#[tokio::test]
async fn roles_are_inherited() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    let inner = server.role("admins", &[id_of(&ann)], &[]).await;
    let outer = server.role("staff", &[], &[&inner]).await;
    server.role("everyone", &[], &[&outer]).await;
    server.role("others", &[], &[]).await;
    assert_eq!(held(&ann).await, ["role:admins", "role:everyone", "role:staff"]);
    assert!(ann.holds("role:staff").await.unwrap());
    assert!(!ann.holds("role:others").await.unwrap());
    assert!(!server.anybody().holds("role:staff").await.unwrap());
}

#[tokio::test]
async fn circles_end() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    let one = server.role("one", &[id_of(&ann)], &[]).await;
    let two = server.role("two", &[], &[&one]).await;
    let objects = [pointer("_Role", &two), pointer("_Role", &one)];
    let body = json!({ "roles": { "__op": "AddRelation", "objects": objects } });
    change(&server.master(), "_Role", &one, body).await.unwrap();
    assert_eq!(held(&ann).await, ["role:one", "role:two"]);
}

#[tokio::test]
async fn who_leaves_a_role_holds_it_no_more() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    let role = server.role("staff", &[id_of(&ann)], &[]).await;
    assert_eq!(held(&ann).await, ["role:staff"]);
    let out = json!({ "users": { "__op": "RemoveRelation", "objects": [pointer("_User", id_of(&ann))] } });
    change(&server.master(), "_Role", &role, out).await.unwrap();
    // A request keeps what it knows of its caller; the next one knows better.
    assert_eq!(held(&ann).await, ["role:staff"]);
    assert_eq!(held(&ann.with_auth(ann.auth.clone())).await, [""; 0]);
}

#[tokio::test]
async fn a_role_that_is_deleted_is_held_no_more() {
    let server = fixture(json!({})).await;
    let ann = server.sign_up("ann").await;
    let role = server.role("staff", &[id_of(&ann)], &[]).await;
    assert_eq!(held(&ann).await, ["role:staff"]);
    classes::delete(&server.master(), "_Role", &role).await.unwrap();
    assert_eq!(held(&ann.with_auth(ann.auth.clone())).await, [""; 0]);
}

#[tokio::test]
async fn a_role_needs_a_name_and_an_acl() {
    let server = fixture(json!({})).await;
    assert_eq!(code(save(&server.master(), "_Role", json!({ "ACL": {} })).await), 111);
    assert_eq!(code(save(&server.master(), "_Role", json!({ "name": "staff" })).await), 111);
    server.role("staff", &[], &[]).await;
    assert_eq!(code(save(&server.master(), "_Role", json!({ "name": "staff", "ACL": {} })).await), 137);
}

#[tokio::test]
async fn without_the_feature_nobody_holds_a_role() {
    let features = |options: &Options| {
        let all = registered::all(options, services());
        all.into_iter().filter(|feature| feature.name != "roles").collect()
    };
    let server = fixture_with(json!({}), features).await;
    let ann = server.sign_up("ann").await;
    server.role("staff", &[id_of(&ann)], &[]).await;
    assert_eq!(held(&ann).await, [""; 0]);
}
