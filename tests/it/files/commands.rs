//! `reparse files copy`, `check` and `rotate-key`, as programs.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use reparse::adapters::files::directory::Directory;
use reparse::adapters::files::encryption::FileKey;
use reparse::adapters::files::file_system::FileSystem;

use super::conformance::{get, pattern, put};
use super::places::random;

const FOLDER: &str = r#"{"module":"@parse/fs-files-adapter","options":{"filesSubDirectory":"copy"}}"#;
const LENGTHS: [usize; 4] = [0, 5, 70_000, 6_000_000];

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reparse"));
    command.current_dir(folder).arg("files").args(arguments).arg("--databaseURI=file:data");
    command.args(["--appId=app", "--masterKey=master"]).output().unwrap()
}

/// The last line of a run that went well.
fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

fn data(folder: &Path, key: Option<&str>) -> Directory {
    Directory::new(&folder.join("data"), key.map(FileKey::from_text), random())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_copied_and_a_copy_is_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = data(folder, Some("secret"));
    for length in LENGTHS {
        put(&store, &format!("{length}.bin"), &pattern(length)).await;
    }
    let copy = ["copy", "--from", "database", "--to", FOLDER, "--fileKey=secret"];
    assert_eq!(said(folder, &copy), "4 files copied (5.79 MiB), 0 were there already, 0 failed");
    let copied = FileSystem::open(folder.join("files/copy"), None, random()).unwrap();
    for length in LENGTHS {
        assert!(get(&copied, &format!("{length}.bin")).await == pattern(length), "{length}");
    }
    fs::remove_file(folder.join("files/copy/5.bin")).unwrap();
    fs::write(folder.join("files/copy/70000.bin"), vec![7; 70_000]).unwrap();
    assert_eq!(said(folder, &copy), "2 files copied (68.36 KiB), 2 were there already, 0 failed");
    // Another configuration is a place, too.
    fs::write(folder.join("other.json"), r#"{"appId":"b","masterKey":"m","databaseURI":"file:other"}"#).unwrap();
    let back = ["copy", &format!("--from={FOLDER}"), "--to=other.json"];
    assert_eq!(said(folder, &back), "4 files copied (5.79 MiB), 0 were there already, 0 failed");
    let other = Directory::new(&folder.join("other"), None, random());
    assert!(get(&other, "70000.bin").await == pattern(70_000));
    // Under a wrong key nothing can be read, and that is said.
    let output = run(folder, &["copy", "--from=database", "--to=other.json", "--fileKey=wrong"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("4 failed") && err.contains("70000.bin: the file cannot be decrypted"), "{out}{err}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_over_is_found_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let store = data(folder, None);
    put(&store, "a.bin", &pattern(5)).await;
    assert_eq!(said(folder, &["check"]), "1 file whole (5 B), 0 failed, 0 left over");
    // Bytes without a row, as an upload leaves them whose server is killed; a row without bytes, as a careless hand does.
    put(&store, "b.bin", &pattern(6)).await;
    put(&store, "c.bin", &pattern(7)).await;
    for (name, ending, length) in [("b.bin", "json", None), ("c.bin", "", Some(7))] {
        let found = files(&folder.join("data")).into_iter().find(|path| match length {
            None => {
                path.extension().is_some_and(|end| end == ending) && fs::read_to_string(path).unwrap().contains(name)
            }
            Some(length) => {
                path.extension().is_none_or(|end| end != "json") && fs::metadata(path).unwrap().len() == length
            }
        });
        fs::remove_file(found.unwrap()).unwrap();
    }
    let output = run(folder, &["check", "--older-than=0"]);
    let out = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(
        (output.status.code(), out.lines().last().unwrap()),
        (Some(1), "1 file whole (5 B), 1 failed, 1 left over")
    );
    assert!(String::from_utf8_lossy(&output.stderr).contains("c.bin: "), "{output:?}");
    let output = run(folder, &["check", "--older-than=0", "--remove"]);
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 removed"), "{output:?}");
    assert!(String::from_utf8_lossy(&run(folder, &["check", "--older-than=0"]).stdout).ends_with("0 left over\n"));
    assert_eq!(get(&store, "a.bin").await, pattern(5));
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_is_changed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    put(&data(folder, None), "a.bin", &pattern(70_000)).await;
    assert!(said(folder, &["rotate-key", "--fileKey=one", "--plain"]).starts_with("1 file encrypted"));
    assert!(get(&data(folder, Some("one")), "a.bin").await == pattern(70_000));
    let rotate = ["rotate-key", "--fileKey=two", "--old-key=one"];
    assert!(said(folder, &rotate).starts_with("1 file encrypted"));
    assert!(said(folder, &rotate).starts_with("0 files encrypted (0 B), 1 were already"));
    assert!(get(&data(folder, Some("two")), "a.bin").await == pattern(70_000));
    assert_eq!(run(folder, &["rotate-key", "--fileKey=three", "--old-key=one"]).status.code(), Some(1));
}

#[test]
fn what_cannot_be_done_is_said() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, says) in [
        (&["shred"][..], "files takes copy, check or rotate-key"),
        (&["rotate-key", "--fileKey=one"][..], "needs the key so far"),
        (&["rotate-key", "--fileKey=one", "--old-key=two", "--plain"][..], "not plain"),
        (&[][..], "files takes copy, check or rotate-key"),
        (&["copy", "--from=database"][..], "files copy needs --to"),
        (&["check", "--to=database"][..], "files check does not take this flag"),
        (&["check", "--older-than=x"][..], "--older-than takes minutes"),
        (&["copy", "--from={", "--to=database"][..], "not valid JSON"),
        (&["copy", "--from=none.json", "--to=database"][..], "cannot read the configuration none.json"),
        (&["copy", "--from=@none/adapter", "--to=database"][..], "@none/adapter"),
        (&["check", "--unknown=1"][..], "unknown option --unknown"),
    ] {
        let output = run(folder.path(), arguments);
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && err.contains(says), "{arguments:?}: {output:?}");
    }
}
