//! Starting without any configuration.

use std::path::Path;

use super::{error, serve};
use crate::config::DatabaseUri;

#[test]
fn keys_are_made_once_and_kept_private() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("a/data");
    let dir = dir.to_str().unwrap();
    let first = serve(&[], &[("REPARSE_DATA_DIR", dir)]);
    assert!(first.zero_configuration && first.fresh_keys);
    let options = &first.options;
    assert_eq!(options.server.host, "127.0.0.1");
    assert_eq!((options.server.port, options.server.mount_path.as_str()), (1337, "/parse"));
    assert!(options.graphql.mount);
    assert_eq!(options.database.uri, DatabaseUri::Embedded { dir: dir.into() });
    assert_eq!(options.keys.app_id.len(), 24);
    assert_eq!(options.keys.master_key.expose().len(), 48);
    assert_ne!(options.keys.maintenance_key.as_ref(), options.keys.master_key.text());

    let second = serve(&["--port", "2000"], &[("REPARSE_DATA_DIR", dir)]);
    assert!(second.zero_configuration && !second.fresh_keys);
    assert_eq!(second.options.keys, first.options.keys);
    assert_eq!(second.options.server.port, 2000);
    let files: Vec<_> = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(files, ["keys.json"], "no drafts are left behind");
    private(&Path::new(dir).join("keys.json"), 0o600);
    private(Path::new(dir), 0o700);
}

#[cfg(unix)]
fn private(path: &Path, wanted: u32) {
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(path).unwrap().permissions().mode() & 0o777, wanted);
}

#[cfg(not(unix))]
fn private(_path: &Path, _wanted: u32) {}

#[test]
fn the_store_may_be_elsewhere() {
    let root = tempfile::tempdir().unwrap();
    let uri = format!("file:{}/x", root.path().display());
    let loaded = serve(&[], &[("PARSE_SERVER_DATABASE_URI", &uri)]);
    assert!(loaded.zero_configuration && root.path().join("x/keys.json").exists());
    let dir = root.path().join("y");
    let args = ["--databaseURI", "mongodb://h/db", "--dataDir", dir.to_str().unwrap()];
    assert!(serve(&args, &[]).fresh_keys && dir.join("keys.json").exists());
}

#[test]
fn nothing_is_written_for_a_start_that_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    let env = [("REPARSE_DATA_DIR", dir.to_str().unwrap())];
    assert_eq!(error(&["--defaultLimit", "0"], &env), "Default limit must be a value greater than 0.");
    assert!(!dir.exists());
}

#[test]
fn damaged_keys_stop_the_start() {
    let root = tempfile::tempdir().unwrap();
    std::fs::write(root.path().join("keys.json"), "{ \"appId\": \"x\"").unwrap();
    let refused = error(&[], &[("REPARSE_DATA_DIR", root.path().to_str().unwrap())]);
    assert!(refused.contains("keys.json is damaged"), "{refused}");
}

#[test]
fn servers_that_start_at_once_agree() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path().join("data");
    let keys: Vec<_> = std::thread::scope(|scope| {
        let start = |seed| {
            let dir = &dir;
            scope.spawn(move || {
                let random = crate::random::SeededRandom::new(seed);
                crate::config::first_run::keys(dir, &random).unwrap().app_id
            })
        };
        let started: Vec<_> = (0..8).map(start).collect();
        started.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(keys.iter().all(|key| key == &keys[0]), "{keys:?}");
}
