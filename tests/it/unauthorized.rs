//! Every route, called by nobody: by default it is refused.

use reparse::rest::route::Access;
use reqwest::Method;
use serde_json::json;

use crate::server::{answer, each_backend};

#[test]
fn nobody_gets_in() {
    each_backend(&json!({}), |server| async move {
        let routes = reparse::rest::routes();
        assert!(routes.len() > 50, "{}", routes.len());
        // What is open to everybody: health checks, and files unless the option fileDownload says otherwise. Nothing else joins.
        let open: Vec<_> =
            routes.iter().filter(|route| route.access.is_public()).map(|route| route.operation).collect();
        assert_eq!(open, ["getFileMetadata", "downloadFile", "getHealth", "getLiveness", "getReadiness"]);
        for route in routes.iter().filter(|route| !route.access.is_public()) {
            let method = Method::from_bytes(route.method().as_str().as_bytes()).unwrap();
            let path = route.path.replace("{className}", "Any").replace("{objectId}", "none").replace(['{', '}'], "x");
            for request in [
                server.bare(method.clone(), &path),
                server
                    .bare(method.clone(), &path)
                    .header("X-Parse-Application-Id", "nope")
                    .header("X-Parse-Master-Key", "master"),
            ] {
                let got = answer(request.json(&json!({}))).await;
                assert_eq!((got.status, got.json()), (403, json!({"error": "unauthorized"})), "{route:?}");
            }
            let expected = match route.access {
                Access::Master => 403,
                Access::MasterByHandler => 400,
                _ => continue,
            };
            let got = answer(server.request(method, &path).json(&json!({}))).await;
            assert_eq!(
                (got.status, got.json()["error"].as_str()),
                (expected, Some("Permission denied")),
                "{route:?}: {got:?}"
            );
        }
    });
}
