//! The files of the store: who may open them, what is there afterwards, and what a kill, damage or a full disk does.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use super::*;

#[tokio::test]
async fn a_removed_or_replaced_file_is_noticed() {
    let schema = class("Kept", &[]);
    for (file, replaced) in [("reparse.db", false), ("reparse.db", true), ("reparse.db-wal", false)] {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path());
        store.insert(&schema, row("a", &json!({})), None).await.unwrap();
        store.ping().await.unwrap();
        let path = directory.path().join(file);
        let aside = directory.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        if replaced {
            std::fs::copy(&aside, &path).unwrap();
        }
        for outcome in [store.ping().await, store.insert(&schema, row("b", &json!({})), None).await] {
            assert!(matches!(outcome, Err(StorageError::Unavailable(_))), "{file}: {outcome:?}");
        }
        let tx = store.begin().await.unwrap();
        store.insert(&schema, row("c", &json!({})), Some(&tx)).await.unwrap();
        assert!(store.commit(tx).await.is_err(), "{file}");
        std::fs::rename(&aside, &path).unwrap();
        store.insert(&schema, row("d", &json!({})), None).await.unwrap();
        assert_eq!(count(&store, &schema).await, 2, "{file}");
    }
}

#[tokio::test]
async fn a_clean_stop_leaves_an_empty_lock() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let lock = || std::fs::read_to_string(directory.path().join("reparse.lock")).unwrap();
    assert_eq!(lock().trim(), std::process::id().to_string());
    store.close().await;
    assert_eq!(lock(), "");
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Kept", &[("n", FieldType::Number)]);
    let store = open(directory.path());
    store.create_class(&schema).await.unwrap();
    let unique = IndexSpec { unique: true, sparse: true, ..spec("n_1", "n") };
    store.create_indexes(&schema, &[unique]).await.unwrap();
    store.insert(&schema, row("1", &json!({"n": 1})), None).await.unwrap();
    store.close().await;
    assert!(matches!(store.insert(&schema, row("2", &json!({})), None).await, Err(StorageError::Unavailable(_))));
    assert!(matches!(store.ping().await, Err(StorageError::Unavailable(_))));
    // Closed is closed, even while the object is still there.
    let store = open(directory.path());
    assert_eq!(count(&store, &schema).await, 1);
    assert!(store.indexes(&schema.name).await.unwrap().contains_key("n_1"));
    let again = store.insert(&schema, row("2", &json!({"n": 1})), None).await;
    assert!(matches!(again, Err(StorageError::Duplicate { index }) if index == "n_1"));
    drop(store);
    open(directory.path());
}

#[test]
fn a_second_process_is_refused_by_the_first_ones_pid() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep").join("data");
    let store = open(&path);
    let error = EmbeddedStorage::open(&path, &quick()).unwrap_err();
    assert!(matches!(&error, EmbeddedError::InUse { pid, .. } if *pid == std::process::id().to_string()), "{error}");
    assert!(error.to_string().contains(&format!("in use by process {}", std::process::id())));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        for file in std::fs::read_dir(&path).unwrap() {
            let file = file.unwrap().path();
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    }
    drop(store);
    open(&path);
}

#[test]
fn other_files_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("reparse.db");
    drop(open(directory.path()));
    let connection = rusqlite::Connection::open(&file).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = EmbeddedStorage::open(directory.path(), &quick()).unwrap_err();
    assert!(matches!(error, EmbeddedError::TooNew { found: 99, known: 1, .. }), "{error}");

    std::fs::remove_file(&file).unwrap();
    rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
    let error = EmbeddedStorage::open(directory.path(), &quick()).unwrap_err();
    assert!(matches!(error, EmbeddedError::Damaged(_)), "{error}");

    std::fs::write(&file, "this is no database, whatever its name says".repeat(100)).unwrap();
    let error = EmbeddedStorage::open(directory.path(), &quick()).unwrap_err();
    assert!(matches!(error, EmbeddedError::Damaged(_)), "{error}");
}

#[tokio::test]
async fn damage_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Broken", &[("s", FieldType::String)]);
    let store = open(directory.path());
    for n in 0..200 {
        store.insert(&schema, row(&n.to_string(), &json!({"s": "x".repeat(500)})), None).await.unwrap();
    }
    store.close().await;
    drop(store);
    let file = directory.path().join("reparse.db");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..] {
        *byte = 0xA5;
    }
    std::fs::write(&file, bytes).unwrap();
    let store = match EmbeddedStorage::open(directory.path(), &quick()) {
        Ok(store) => store,
        Err(error) => {
            assert!(matches!(error, EmbeddedError::Damaged(_)), "{error}");
            return;
        }
    };
    let error = store.find(&schema, &Filter::All, &FindOptions::default(), None).await.unwrap_err();
    assert!(error.to_string().contains("storage failure: the database file is damaged"), "{error}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_hurts_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Full", &[("s", FieldType::String)]);
    let store = open(directory.path());
    store.insert(&schema, row("before", &json!({})), None).await.unwrap();
    // The same error as that of a full disk, without one.
    store
        .write(None, |session| session.db.connection().pragma_update(None, "max_page_count", 60).map_err(translate))
        .await
        .unwrap();
    let mut full = None;
    for n in 0..100 {
        if let Err(error) = store.insert(&schema, row(&n.to_string(), &json!({"s": "x".repeat(10_000)})), None).await {
            full = Some((n, error));
            break;
        }
    }
    let (written, error) = full.unwrap();
    assert!(error.to_string().contains("disk") && error.to_string().contains("full"), "{error}");
    assert_eq!(count(&store, &schema).await, written + 1, "what was acknowledged is there");
    store
        .write(None, |session| {
            session.db.connection().pragma_update(None, "max_page_count", 1_000_000).map_err(translate)
        })
        .await
        .unwrap();
    store.insert(&schema, row("after", &json!({"s": "x".repeat(10_000)})), None).await.unwrap();
}

/// The other half of [`acknowledged_writes_survive_a_kill`]: writes until it is killed, and tells what it wrote.
#[test]
fn write_until_killed() {
    let Ok(directory) = std::env::var("REPARSE_TEST_KILL_DIRECTORY") else { return };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let store = EmbeddedStorage::open(Path::new(&directory), &EmbeddedOptions::default()).unwrap();
    let first: u64 = std::env::var("REPARSE_TEST_KILL_FIRST").unwrap().parse().unwrap();
    let schema = class("Killed", &[("n", FieldType::Number)]);
    runtime.block_on(async {
        let mut n = first;
        loop {
            let batch: Vec<u64> = (n..n + 4).collect();
            n += 4;
            let writes = batch.iter().map(|n| {
                let (store, schema) = (&store, &schema);
                async move {
                    store.insert(schema, row(&format!("k{n}"), &json!({"n": n})), None).await.unwrap();
                    // Both halves of a pair, or none.
                    let tx = store.begin().await.unwrap();
                    for half in ["a", "b"] {
                        store.insert(schema, row(&format!("{half}{n}"), &json!({"n": n})), Some(&tx)).await.unwrap();
                    }
                    store.commit(tx).await.unwrap();
                    println!("wrote {n}");
                }
            });
            futures_util::future::join_all(writes).await;
        }
    });
}

#[tokio::test]
async fn acknowledged_writes_survive_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let schema = class("Killed", &[("n", FieldType::Number)]);
    let mut written: Vec<u64> = Vec::new();
    for round in 0..5_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "storage::sqlite::tests::files::write_until_killed", "--nocapture"])
            .env("REPARSE_TEST_KILL_DIRECTORY", directory.path())
            .env("REPARSE_TEST_KILL_FIRST", (round * 1_000_000).to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for _ in 0..20 + round * 7 {
            let Some(line) = lines.next() else { break };
            written.extend(line.unwrap().strip_prefix("wrote ").and_then(|n| n.parse::<u64>().ok()));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        for line in lines.map_while(std::result::Result::ok) {
            written.extend(line.strip_prefix("wrote ").and_then(|n| n.parse::<u64>().ok()));
        }
        let store = open(directory.path());
        let rows = store.find(&schema, &Filter::All, &FindOptions::default(), None).await.unwrap();
        let ids: std::collections::HashSet<String> =
            rows.iter().filter_map(|row| row.get_str("objectId").map(str::to_owned)).collect();
        for n in &written {
            for letter in ["k", "a", "b"] {
                assert!(ids.contains(&format!("{letter}{n}")), "{letter}{n} was acknowledged");
            }
        }
        for id in &ids {
            if let Some(n) = id.strip_prefix('a') {
                assert!(ids.contains(&format!("b{n}")), "half a transaction: {id}");
            }
        }
    }
    assert!(written.len() > 50, "{}", written.len());
}
