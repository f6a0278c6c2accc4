//! Registration of features.

use std::sync::Mutex;

use super::*;
use crate::domain::features::server_info;
use crate::domain::kernel::caches::Cache;
use crate::domain::kernel::follow::follow_changes;
use crate::storage::mongo::{MongoOptions, MongoStorage};

/// A cache that notes what it is told.
#[derive(Default)]
struct Notes(Mutex<Vec<(String, Option<String>)>>);

impl Notes {
    fn take(&self) -> Vec<(String, Option<String>)> {
        std::mem::take(&mut *self.0.lock().unwrap())
    }
}

impl Cache for Notes {
    fn watches(&self) -> &'static [&'static str] {
        &["Watched"]
    }

    fn forget(&self, class: &str, id: Option<&str>) {
        self.0.lock().unwrap().push((class.to_owned(), id.map(str::to_owned)));
    }

    fn clear(&self) {
        self.0.lock().unwrap().clear();
    }
}

fn with_notes(options: &Options) -> Vec<Feature> {
    let mut features = registered::all(options, services());
    features.push(Feature::new("notes").cache(Notes::default()));
    features
}

#[tokio::test]
async fn a_cache_hears_of_the_rows_that_this_server_writes() {
    let server = fixture_with(json!({}), with_notes).await;
    let notes: &Notes = server.app.feature().unwrap();
    let id = save(&server.anybody(), "Watched", json!({ "n": 1 })).await.unwrap();
    save(&server.anybody(), "Other", json!({})).await.unwrap();
    let of_row = ("Watched".to_owned(), Some(id.clone()));
    assert_eq!(notes.take(), std::slice::from_ref(&of_row));
    change(&server.anybody(), "Watched", &id, json!({ "n": 2 })).await.unwrap();
    classes::delete(&server.anybody(), "Watched", &id).await.unwrap();
    assert_eq!(notes.take(), [of_row.clone(), of_row]);
    registered::schemas::purge(&server.master(), "Watched").await.unwrap();
    assert_eq!(notes.take(), [("Watched".to_owned(), None)]);
}

/// On MongoDB, whose change stream tells one server what another writes; `REPARSE_TEST_MONGO` gives its address.
#[tokio::test]
async fn a_cache_hears_of_the_rows_that_another_server_writes() {
    let uri = std::env::var("REPARSE_TEST_MONGO").expect("REPARSE_TEST_MONGO must hold the address of a mongod");
    let (base, query) = uri.split_once('?').unwrap_or((&uri, ""));
    let base = base.trim_end_matches('/');
    let address = format!("{base}/reparse_domain_{}?{query}", std::process::id());
    let clock = Arc::new(ManualClock::new(Date::parse("2020-02-03T04:05:06.789Z").unwrap()));
    let mut apps = Vec::new();
    for seed in [1, 2] {
        let storage = Arc::new(MongoStorage::connect(MongoOptions::new(address.clone())).await.unwrap());
        let options = options(&address, json!({}));
        let features = with_notes(&options);
        let random = Arc::new(SeededRandom::new(seed));
        apps.push(Box::pin(start::open(options, storage, clock.clone(), random, features)).await.unwrap());
    }
    let [one, two] = apps.try_into().unwrap();
    let following = follow_changes(&one);
    let cx = Context::new(two.clone(), Auth::Master, None, None, false, Client::default());
    let notes: &Notes = one.feature().unwrap();
    let mut heard = false;
    // The stream begins in its own time, and tells nothing of what was written before.
    for _ in 0..100 {
        let id = save(&cx, "Watched", json!({})).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        heard = notes.take().contains(&("Watched".to_owned(), Some(id)));
        if heard {
            break;
        }
    }
    following.abort();
    for class in two.storage.classes().await.unwrap() {
        two.storage.delete_class(&class.name).await.unwrap();
    }
    one.storage.close().await;
    two.storage.close().await;
    assert!(heard);
}

#[tokio::test]
async fn server_info_tells_what_is_registered() {
    let server = fixture(json!({ "security": { "enableCheck": true } })).await;
    assert_eq!(code(server_info::get(&server.anybody())), -99);
    let info = server_info::get(&server.master()).unwrap();
    let features = &info["features"];
    assert_eq!(features["globalConfig"]["create"], true);
    assert_eq!(features["schemas"]["addField"], true);
    assert_eq!(features["settings"]["securityCheck"], true);
    assert_eq!((&features["push"]["pushAudiences"], &features["push"]["immediatePush"]), (&json!(true), &json!(false)));
    let bare = fixture_with(json!({}), |_| Vec::new()).await;
    let info = server_info::get(&bare.master()).unwrap().to_string();
    assert!(!info.contains("true"), "{info}");
}

#[tokio::test]
async fn what_no_feature_registered_is_an_error() {
    let server = fixture_with(json!({}), |_| Vec::new()).await;
    assert_eq!(code(server.app.feature::<Notes>()), 1);
}
