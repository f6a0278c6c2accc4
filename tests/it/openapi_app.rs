//! The OpenAPI documents and the page as they are served, without and with the master key.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value as Json, json};

use crate::server::{Answer, TestServer, answer, each_backend};

const JSON: &str = "/openapi.json";

async fn define(server: &TestServer, body: &Json) {
    let made = answer(server.master(Method::POST, "/schemas").json(body)).await;
    assert_eq!(made.status, 200, "{made:?}");
}

async fn as_master(server: &TestServer) -> Json {
    let got = answer(server.master(Method::GET, JSON)).await;
    assert_eq!(got.status, 200, "{got:?}");
    got.json()
}

fn base() -> Json {
    reparse::rest::document("/parse")
}

fn form<'a>(document: &'a Json, name: &str) -> &'a Json {
    document["components"]["schemas"].get(name).unwrap_or_else(|| panic!("no component {name}"))
}

fn reference(name: &str) -> Json {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Every reference has a target, and operation names are unique.
fn assert_sound(document: &Json) {
    fn references<'a>(json: &'a Json, found: &mut Vec<&'a str>) {
        match json {
            Json::Object(map) => {
                for (key, value) in map {
                    match value {
                        Json::String(target) if key == "$ref" => found.push(target),
                        _ => references(value, found),
                    }
                }
            }
            Json::Array(list) => list.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    references(document, &mut found);
    assert!(!found.is_empty());
    for target in found {
        assert!(document.pointer(target.trim_start_matches('#')).is_some(), "{target} leads nowhere");
    }
    let mut seen = HashSet::new();
    for operations in document["paths"].as_object().unwrap().values() {
        for operation in operations.as_object().unwrap().values() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(seen.insert(id.to_lowercase()), "{id} twice");
        }
    }
}

fn game_score() -> Json {
    json!({ "className": "GameScore", "fields": {
        "score": { "type": "Number", "required": true },
        "playerName": { "type": "String", "defaultValue": "nobody" },
        "rank": { "type": "Number", "required": true, "defaultValue": 5 },
        "cheat": { "type": "Boolean" },
        "playedAt": { "type": "Date", "defaultValue": { "__type": "Date", "iso": "2020-02-03T04:05:06.789Z" } },
        "player": { "type": "Pointer", "targetClass": "Player" },
        "fans": { "type": "Relation", "targetClass": "_User" },
        "photo": { "type": "File" },
        "place": { "type": "GeoPoint" },
        "area": { "type": "Polygon" },
        "raw": { "type": "Bytes" },
        "tags": { "type": "Array" },
        "extra": { "type": "Object" },
        "gone": { "type": "Pointer", "targetClass": "Missing" },
    } })
}

#[test]
fn masters_get_the_classes_and_others_do_not() {
    let options = json!({ "readOnlyMasterKey": "readonly" });
    each_backend(&options, |server| async move {
        define(&server, &json!({ "className": "Player", "fields": { "team": { "type": "String" } } })).await;
        define(&server, &game_score()).await;
        let header = |name: &'static str, value: &'static str| server.request(Method::GET, JSON).header(name, value);
        for (who, request) in [
            ("nobody", server.bare(Method::GET, JSON)),
            ("an app", server.request(Method::GET, JSON)),
            ("a wrong key", header("X-Parse-Master-Key", "nope")),
            ("a key without application", server.bare(Method::GET, JSON).header("X-Parse-Master-Key", "master")),
            ("a session that is none", header("X-Parse-Session-Token", "r:nope")),
            ("a key in the query", server.request(Method::GET, "/openapi.json?masterKey=master")),
        ] {
            let got = answer(request).await;
            assert_eq!(got.status, 200, "{who}");
            assert_eq!(got.json(), base(), "{who}");
            assert_eq!(got.header("content-type"), "application/json; charset=utf-8");
            assert_eq!(got.header("cache-control"), "no-cache");
            assert!(got.header("vary").contains("X-Parse-Master-Key"), "{got:?}");
        }
        let typed = as_master(&server).await;
        assert_sound(&typed);
        for (who, request) in [
            ("the read-only key", header("X-Parse-Master-Key", "readonly")),
            ("the maintenance key", header("X-Parse-Maintenance-Key", "maint")),
            ("HTTP Basic", server.bare(Method::GET, JSON).basic_auth("app", Some("master"))),
        ] {
            let got = answer(request).await;
            assert_eq!(got.json(), typed, "{who}");
            assert_eq!(got.header("cache-control"), "no-store");
        }
        // What belongs to nobody but the server is in no document.
        for hidden in
            ["_hashed_password", "_perishable", "_email_verify", "_Join", "_Hooks", "_GlobalConfig", "_JobStatus"]
        {
            assert!(!typed.to_string().contains(hidden), "{hidden}");
        }
        // All that anybody gets is there as well, except where the app's classes say more.
        for (path, operations) in base()["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                assert_eq!(typed["paths"][path][method]["operationId"], operation["operationId"]);
            }
        }
    });
}

#[test]
fn a_class_is_typed() {
    each_backend(&json!({}), |server| async move {
        define(&server, &json!({ "className": "Player", "fields": { "team": { "type": "String" } } })).await;
        define(&server, &game_score()).await;
        let typed = as_master(&server).await;

        let read = form(&typed, "GameScore");
        assert_eq!(read["required"], json!(["objectId", "createdAt", "updatedAt"]));
        for (field, expected) in [
            ("score", json!({ "type": "number", "format": "double", "nullable": true })),
            ("playerName", json!({ "type": "string", "nullable": true })),
            ("cheat", json!({ "type": "boolean", "nullable": true })),
            ("playedAt", reference("ParseDateOrNull")),
            ("player", reference("PlayerReference")),
            ("fans", reference("UserRelation")),
            ("photo", reference("ParseFileOrNull")),
            ("place", reference("ParseGeoPointOrNull")),
            ("area", reference("ParsePolygonOrNull")),
            ("raw", reference("ParseBytesOrNull")),
            ("tags", json!({ "type": "array", "items": {}, "nullable": true })),
            ("extra", json!({ "type": "object", "additionalProperties": true, "nullable": true })),
            ("gone", reference("ParseReference")),
            ("ACL", reference("ParseACL")),
        ] {
            assert_eq!(read["properties"][field], expected, "{field}");
        }

        let create = form(&typed, "GameScoreCreate");
        assert_eq!(create["required"], json!(["score"]));
        assert_eq!(create["properties"]["score"], json!({ "type": "number", "format": "double" }));
        assert_eq!(create["properties"]["rank"]["default"], 5);
        assert_eq!(create["properties"]["playerName"]["default"], "nobody");
        assert_eq!(create["properties"]["player"], reference("PlayerPointer"));
        assert!(create["description"].as_str().unwrap().contains("2020-02-03T04:05:06.789Z"), "{create}");
        for never in ["objectId", "createdAt", "updatedAt", "password"] {
            assert!(create["properties"].get(never).is_none(), "{never}");
        }

        let update = form(&typed, "GameScoreUpdate");
        assert!(update.get("required").is_none());
        assert_eq!(update["properties"]["score"], reference("ParseRequiredNumberUpdate"));
        assert_eq!(update["properties"]["tags"], reference("ParseArrayUpdate"));
        assert_eq!(update["properties"]["fans"], reference("UserRelationUpdate"));
        let tags = form(&typed, "ParseArrayUpdate")["oneOf"].as_array().unwrap();
        for operation in ["ParseAddToArray", "ParseRemoveFromArray", "ParseDelete"] {
            assert!(tags.contains(&reference(operation)), "{operation}");
        }
        let pointer = form(&typed, "PlayerPointer");
        assert_eq!(pointer["properties"]["className"]["enum"], json!(["Player"]));
        assert_eq!(
            form(&typed, "PlayerReference")["oneOf"],
            json!([reference("PlayerPointer"), reference("PlayerIncluded")])
        );
        let included = form(&typed, "PlayerIncluded");
        assert_eq!(included["required"], json!(["__type", "className", "objectId", "createdAt", "updatedAt"]));
        assert_eq!(included["properties"]["team"], form(&typed, "Player")["properties"]["team"]);
        assert!(typed["components"]["schemas"].get("GameScoreIncluded").is_none());
        let list = form(&typed, "GameScoreList");
        assert_eq!(list["properties"]["results"]["items"], reference("GameScore"));

        let many = &typed["paths"]["/classes/GameScore"];
        let one = &typed["paths"]["/classes/GameScore/{objectId}"];
        let body = |operation: &Json| operation["requestBody"]["content"]["application/json"]["schema"].clone();
        let gives = |operation: &Json, status: &str| {
            operation["responses"][status]["content"]["application/json"]["schema"].clone()
        };
        assert_eq!(body(&many["post"]), reference("GameScoreCreate"));
        assert_eq!(gives(&many["post"], "201"), reference("ParseCreated"));
        assert_eq!(gives(&many["get"], "200"), reference("GameScoreList"));
        assert_eq!(gives(&one["get"], "200"), reference("GameScore"));
        assert_eq!(body(&one["put"]), reference("GameScoreUpdate"));
        for (operation, id) in [
            (&many["post"], "createGameScore"),
            (&many["get"], "findGameScore"),
            (&one["get"], "getGameScore"),
            (&one["put"], "updateGameScore"),
            (&one["delete"], "deleteGameScore"),
        ] {
            assert_eq!((&operation["operationId"], &operation["tags"]), (&json!(id), &json!(["GameScore"])));
            let refusal = operation["responses"]["400"]["$ref"].as_str().unwrap().trim_start_matches('#');
            let refusal = typed.pointer(refusal).unwrap();
            assert_eq!(refusal["content"]["application/json"]["schema"], reference("Error"));
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(parameters.iter().all(|parameter| parameter["name"] != "className"), "{id}");
        }
        let takes = |operation: &Json, name: &str| {
            operation["parameters"].as_array().unwrap().iter().any(|parameter| parameter["name"] == name)
        };
        assert!(takes(&many["get"], "where") && takes(&one["get"], "include"));
        assert!(!takes(&many["get"], "redirectClassNameForKey") && !takes(&many["get"], "explain"));
        for header in ["X-Parse-Request-Id", "X-Parse-Cloud-Context"] {
            assert!(takes(&many["post"], header) && takes(&one["put"], header) && !takes(&one["get"], header));
        }
        assert!(typed["tags"].as_array().unwrap().iter().any(|tag| tag["name"] == "GameScore"));
    });
}

#[test]
fn users_have_their_own_fields() {
    each_backend(&json!({}), |server| async move {
        let change = json!({ "className": "_User", "fields": { "nick": { "type": "String" }, "level": { "type": "Number", "required": true } } });
        let changed = answer(server.master(Method::PUT, "/schemas/_User").json(&change)).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        let typed = as_master(&server).await;
        let user = form(&typed, "User");
        for field in ["username", "email", "emailVerified", "authData", "sessionToken", "nick", "level"] {
            assert!(user["properties"].get(field).is_some(), "{field}");
        }
        assert!(user["properties"].get("password").is_none());
        let sign_up = form(&typed, "SignUp");
        assert_eq!(sign_up["required"], json!(["level"]));
        assert_eq!(sign_up["properties"]["password"]["type"], "string");
        assert!(sign_up["properties"].get("sessionToken").is_none());
        let users = &typed["paths"]["/users"];
        let schema = "/content/application~1json/schema";
        assert_eq!(users["post"]["requestBody"].pointer(schema), Some(&reference("SignUp")));
        assert_eq!(users["get"]["responses"]["200"].pointer(schema), Some(&reference("UserList")));
        let one = &typed["paths"]["/users/{objectId}"];
        assert_eq!(one["put"]["requestBody"].pointer(schema), Some(&reference("UserUpdate")));
        assert_eq!(one["get"]["responses"]["200"].pointer(schema), Some(&reference("User")));
        assert_eq!(form(&typed, "RoleCreate")["required"], json!(["name", "ACL"]));
        for path in ["/classes/_User", "/classes/_Role", "/classes/_Session", "/classes/_Installation"] {
            assert!(typed["paths"].get(path).is_none(), "{path}");
        }
    });
}

#[test]
fn the_document_follows_the_classes() {
    each_backend(&json!({}), |server| async move {
        assert!(as_master(&server).await["paths"].get("/classes/Thing").is_none());
        let made = server.post("/classes/Thing", &json!({ "a": 1 })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let typed = as_master(&server).await;
        assert_eq!(form(&typed, "Thing")["properties"]["a"]["type"], "number");
        assert!(form(&typed, "Thing")["properties"].get("b").is_none());
        let id = made.json()["objectId"].as_str().unwrap().to_owned();
        let changed =
            answer(server.request(Method::PUT, &format!("/classes/Thing/{id}")).json(&json!({ "b": "x" }))).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        assert_eq!(form(&as_master(&server).await, "Thing")["properties"]["b"]["type"], "string");
        let yaml = answer(server.master(Method::GET, "/openapi.yaml")).await;
        assert!(yaml.text.contains("\n  /classes/Thing:\n"), "{}", yaml.text);
        for (method, path) in
            [(Method::DELETE, format!("/classes/Thing/{id}")), (Method::DELETE, "/schemas/Thing".to_owned())]
        {
            assert_eq!(answer(server.master(method, &path)).await.status, 200);
        }
        assert!(!as_master(&server).await.to_string().contains("Thing"));
    });
}

/// Classes may have the names of anything in the document.
#[test]
fn names_that_are_taken_give_way() {
    each_backend(&json!({}), |server| async move {
        let fields = json!({ "x": { "type": "Pointer", "targetClass": "Error" } });
        for name in [
            "Error",
            "User",
            "Objects",
            "Files",
            "Results",
            "ParseDate",
            "gameScore",
            "GameScore",
            "GameScoreCreate",
            "Game_Score",
        ] {
            define(&server, &json!({ "className": name, "fields": fields })).await;
        }
        let typed = as_master(&server).await;
        assert_sound(&typed);
        assert_eq!(form(&typed, "Error"), form(&base(), "Error"));
        assert_eq!(form(&typed, "Results"), form(&base(), "Results"));
        assert_eq!(form(&typed, "ErrorClass")["properties"]["x"], reference("ErrorClassReference"));
        let id = |path: &str| typed["paths"][path]["post"]["operationId"].clone();
        for (path, name) in [
            ("/classes/Error", "createErrorClass"),
            ("/classes/User", "createUserClass"),
            ("/classes/Objects", "createObjectsClass"),
            ("/classes/GameScore", "createGameScore"),
            ("/classes/GameScoreCreate", "createGameScoreCreateClass"),
            ("/classes/Game_Score", "createGame_ScoreClass"),
            ("/classes/gameScore", "createGameScoreClass2"),
        ] {
            assert_eq!(id(path), name, "{path}");
        }
    });
}

#[test]
fn the_schema_can_be_public() {
    each_backend(&json!({ "openapi": { "publicSchema": true } }), |server| async move {
        define(&server, &game_score()).await;
        let got = answer(server.bare(Method::GET, JSON)).await;
        assert_sound(&got.json());
        assert!(got.json()["paths"].get("/classes/GameScore").is_some());
        assert_eq!(got.json(), as_master(&server).await);
    });
}

#[test]
fn a_key_from_elsewhere_opens_nothing() {
    each_backend(&json!({ "masterKeyIps": ["10.1.2.3"] }), |server| async move {
        let got = answer(server.master(Method::GET, JSON)).await;
        assert_eq!((got.status, got.json()), (200, base()));
    });
}

fn assert_unknown(got: &Answer) {
    assert_eq!((got.status, got.json()["code"].as_i64()), (404, Some(108)), "{got:?}");
}

#[test]
fn what_is_switched_off_is_not_there() {
    each_backend(&json!({ "openapi": { "enabled": false } }), |server| async move {
        for path in [JSON, "/openapi.yaml", "/docs", "/docs/page.js"] {
            assert_unknown(&server.get(path).await);
            assert_unknown(&answer(server.master(Method::GET, path)).await);
        }
    });
    each_backend(&json!({ "openapi": { "docs": false } }), |server| async move {
        assert_eq!(server.get(JSON).await.status, 200);
        for path in ["/docs", "/docs/page.js"] {
            assert_unknown(&server.get(path).await);
        }
    });
}

#[test]
fn other_methods_and_files_are_unknown() {
    each_backend(&json!({}), |server| async move {
        for path in [JSON, "/openapi.yaml", "/docs"] {
            for method in [Method::POST, Method::PUT, Method::DELETE] {
                assert_unknown(&answer(server.request(method, path).json(&json!({}))).await);
            }
            let head = answer(server.bare(Method::HEAD, path)).await;
            assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        }
        for path in ["/docs/none.js", "/docs/page.js/x", "/openapi", "/openapi.yml"] {
            assert_unknown(&server.get(path).await);
        }
    });
}

#[test]
fn yaml_says_the_same() {
    each_backend(&json!({}), |server| async move {
        let got = answer(server.bare(Method::GET, "/openapi.yaml")).await;
        assert_eq!((got.status, got.header("content-type")), (200, "application/yaml; charset=utf-8"));
        assert_eq!(got.text, reparse::rest::openapi::to_yaml(&base()));
        assert!(got.text.starts_with("openapi: \"3.0.0\"\ninfo:\n  title: reparse\n"), "{}", &got.text[..200]);
    });
}

#[test]
fn the_page_is_served_from_the_binary() {
    each_backend(&json!({ "appId": "a\"b" }), |server| async move {
        for path in ["/docs", "/docs/", "/DOCS"] {
            let page = answer(server.bare(Method::GET, path)).await;
            assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
            let policy = page.header("content-security-policy");
            assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
            assert!(!policy.contains("unsafe-eval") && !policy.contains("http"), "{policy}");
            assert!(page.text.contains("data-application=\"a&quot;b\""), "{}", page.text);
            assert!(
                !page.text.contains("master\"") && !page.text.contains("http://") && !page.text.contains("https://")
            );
            for part in page.text.split("=\"/parse/docs/").skip(1) {
                let name = part.split('"').next().unwrap();
                let asset = answer(server.bare(Method::GET, &format!("/docs/{name}"))).await;
                assert_eq!(asset.status, 200, "{name}");
                assert_eq!(asset.header("x-content-type-options"), "nosniff");
            }
        }
        let script = answer(server.bare(Method::GET, "/docs/swagger-ui-bundle.js")).await;
        assert_eq!(script.header("content-encoding"), "gzip");
        assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    });
}

/// The documents are behind the same door as everything else.
#[test]
fn limits_and_the_list_of_routes_hold() {
    each_backend(&json!({ "routeAllowList": ["classes/.*"] }), |server| async move {
        for path in [JSON, "/openapi.yaml", "/docs"] {
            answer(server.bare(Method::GET, path)).await.assert_refused(400, 119);
            assert_eq!(answer(server.master(Method::GET, path)).await.status, 200, "{path}");
        }
    });
    let limit = json!({ "requestPath": "/openapi.json", "requestTimeWindow": 60_000, "requestCount": 2, "includeInternalRequests": true });
    each_backend(&json!({ "rateLimit": [limit] }), |server| async move {
        for _ in 0..2 {
            assert_eq!(answer(server.bare(Method::GET, JSON)).await.status, 200);
        }
        answer(server.bare(Method::GET, JSON)).await.assert_refused(429, 100);
    });
}
