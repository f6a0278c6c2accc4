//! Checks the documents: links and paths exist, and so do the suites and tests that they name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Folders that are not part of the repository, wherever they are.
const NOT_OURS: [&str; 5] = ["target", "node_modules", ".git", "data", "__pycache__"];
/// What a path of this repository begins with.
const TOP: [&str; 7] = ["src/", "docs/", "tests/", "compat/", "docker/", "openapi/", ".github/"];

fn files(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !NOT_OURS.contains(&name.as_str()) && !path.is_symlink() {
                files(&path, extension, found);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

fn all(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    files(&root().join(folder), extension, &mut found);
    assert!(!found.is_empty());
    found
}

fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// The pieces of a Markdown text: prose without code, and the code in it (spans, and lines of blocks).
struct Markdown {
    prose: String,
    code: Vec<String>,
    anchors: BTreeSet<String>,
}

impl Markdown {
    fn read(path: &Path) -> Self {
        let mut parts = Self { prose: String::new(), code: Vec::new(), anchors: BTreeSet::new() };
        let mut fenced = false;
        let mut paragraph = String::new();
        for line in fs::read_to_string(path).unwrap().lines() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if fenced || line.starts_with("    ") {
                parts.code.push(line.trim().to_owned());
            } else {
                if let Some(heading) = line.strip_prefix('#') {
                    parts.anchors.insert(anchor(heading.trim_start_matches('#')));
                }
                // a code span may go over the end of a line, never over an empty one
                paragraph.push_str(line);
                paragraph.push(' ');
                if line.trim().is_empty() {
                    parts.paragraph(&std::mem::take(&mut paragraph));
                }
            }
        }
        parts.paragraph(&paragraph);
        parts
    }

    fn paragraph(&mut self, text: &str) {
        for (index, piece) in text.split('`').enumerate() {
            if index % 2 == 0 {
                self.prose.push_str(piece);
            } else {
                self.code.push(piece.to_owned());
                self.prose.push('x');
            }
        }
        self.prose.push('\n');
    }

    /// The targets of links and pictures.
    fn links(&self) -> impl Iterator<Item = &str> {
        self.prose.split("](").skip(1).filter_map(|rest| rest.split(')').next())
    }
}

/// As GitHub makes it of a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut made = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                made.pop();
            }
            Component::CurDir => {}
            part => made.push(part),
        }
    }
    made
}

#[test]
fn links_have_targets() {
    let mut broken = Vec::new();
    let mut linked = BTreeSet::new();
    for page in all("", "md") {
        let markdown = Markdown::read(&page);
        for link in markdown.links() {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (target, wanted) = link.split_once('#').unwrap_or((link, ""));
            let file = if target.is_empty() { page.clone() } else { plain(&page.parent().unwrap().join(target)) };
            let heading = |file: &Path| Markdown::read(file).anchors.contains(wanted);
            if !file.exists() || !wanted.is_empty() && !heading(&file) {
                broken.push(format!("{}: {link}", shown(&page)));
            }
            if file != page {
                linked.insert(file);
            }
        }
    }
    assert!(broken.is_empty(), "links to nothing: {broken:#?}");
    let unlinked: Vec<_> = all("docs", "md").into_iter().filter(|page| !linked.contains(page)).collect();
    assert!(unlinked.is_empty(), "no page links to {unlinked:#?}");
}

/// Whether a path exists. Of `src/{main,lib}.rs` each must exist; of a path with a placeholder (`docs/NAME.md`, `tests/it/*.rs`,
/// `src/…`) the folder must.
fn exists(path: &str) -> bool {
    if let (Some(open), Some(close)) = (path.find('{'), path.find('}')) {
        let (before, after) = (&path[..open], &path[close + 1..]);
        return path[open + 1..close].split(',').all(|part| exists(&format!("{before}{}{after}", part.trim())));
    }
    let open = |part: &str| {
        part.contains(['*', '…', '<', '$']) || part.chars().any(char::is_uppercase) && !root().join(path).exists()
    };
    let known: PathBuf = path.split('/').take_while(|part| !open(part)).collect();
    root().join(known).exists()
}

/// The words of a text that begin like a path of this repository.
fn paths(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|letter: char| letter.is_whitespace() || "`'\"()[];|=".contains(letter));
    words
        .map(|word| word.trim_end_matches([',', '.', ':', '!', '?']).split([':', '#']).next().unwrap_or_default())
        .map(|word| word.strip_prefix("./").unwrap_or(word))
        .filter(|word| TOP.iter().any(|top| word.starts_with(top)))
}

#[test]
fn paths_exist() {
    let mut missing = BTreeSet::new();
    for page in all("", "md") {
        for code in Markdown::read(&page).code {
            for path in paths(&code).filter(|path| !exists(path)) {
                missing.insert(format!("{}: {path}", shown(&page)));
            }
        }
    }
    let notice = fs::read_to_string(root().join("NOTICE")).unwrap();
    missing.extend(paths(&notice).filter(|path| !exists(path)).map(|path| format!("NOTICE: {path}")));
    for (folder, extension, comment) in [
        ("src", "rs", "//"),
        ("tests", "rs", "//"),
        ("compat", "rs", "//"),
        ("compat", "mjs", "//"),
        ("tests", "py", "#"),
    ] {
        for file in all(folder, extension) {
            for line in fs::read_to_string(&file).unwrap().lines() {
                let Some((_, text)) = line.split_once(comment).filter(|(code, _)| code.trim().is_empty()) else {
                    continue;
                };
                for path in paths(text.trim_start_matches(['/', '!'])).filter(|path| !exists(path)) {
                    missing.insert(format!("{}: {path}", shown(&file)));
                }
            }
        }
    }
    assert!(missing.is_empty(), "paths that do not exist: {missing:#?}");
}

fn suites() -> Vec<String> {
    let script = fs::read_to_string(root().join("tests/run")).unwrap();
    let list = script.split("ALL=(").nth(1).unwrap().split(')').next().unwrap();
    list.split_whitespace().map(str::to_owned).collect()
}

/// The words after a command, wherever it stands in a piece of code.
fn arguments<'a>(code: &'a str, command: &str) -> Option<impl Iterator<Item = &'a str>> {
    let rest = &code[code.find(command)? + command.len()..];
    rest.starts_with([' ', '\t'])
        .then(|| rest.split_whitespace().take_while(|word| !word.starts_with(['#', '&', '|', ';'])))
}

#[test]
fn suites_exist() {
    let suites = suites();
    assert!(suites.len() > 5);
    let mut missing = Vec::new();
    for page in all("", "md") {
        for code in Markdown::read(&page).code {
            let Some(words) = arguments(&code, "tests/run") else { continue };
            // NAME stands for any, --list is no suite
            let named = words.filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()));
            missing.extend(
                named
                    .filter(|word| !suites.iter().any(|suite| suite == word))
                    .map(|word| format!("{}: tests/run {word}", shown(&page))),
            );
        }
    }
    assert!(missing.is_empty(), "suites that do not exist: {missing:#?}");
    let described = Markdown::read(&root().join("docs/testing.md")).code;
    let missing: Vec<_> = suites.iter().filter(|suite| !described.contains(*suite)).collect();
    assert!(missing.is_empty(), "docs/testing.md does not describe {missing:?}");
}

/// The full names of all tests, nearly as `cargo test` prints them; exact enough to tell whether a filter matches one.
fn tests() -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["src", "tests/it"] {
        for file in all(folder, "rs") {
            let path = file.strip_prefix(root().join(folder)).unwrap().with_extension("");
            let parts = path.iter().map(|part| part.to_string_lossy()).filter(|part| part != "mod" && part != "main");
            let module = parts.collect::<Vec<_>>().join("::");
            let text = fs::read_to_string(&file).unwrap();
            let mut marked = false;
            for line in text.lines().map(str::trim) {
                if line.starts_with("#[test") || line.starts_with("#[tokio::test") {
                    marked = true;
                } else if let Some((_, rest)) = line.split_once("fn ").filter(|_| marked) {
                    let name = rest.split(['(', '<']).next().unwrap();
                    names.push(format!("{module}::{name}"));
                    marked = false;
                }
            }
        }
    }
    names
}

#[test]
fn test_filters_find_tests() {
    let tests = tests();
    assert!(tests.len() > 100);
    let mut missing = Vec::new();
    for page in all("", "md") {
        for code in Markdown::read(&page).code {
            let Some(mut words) = arguments(&code, "cargo test") else { continue };
            let mut filters = Vec::new();
            while let Some(word) = words.next() {
                match word {
                    "--" => break,
                    "--test" | "-p" | "--package" | "--manifest-path" | "--features" => drop(words.next()),
                    flag if flag.starts_with('-') => {}
                    filter if filter.chars().any(char::is_uppercase) => {}
                    filter => filters.push(filter),
                }
            }
            missing.extend(
                filters
                    .iter()
                    .filter(|filter| !tests.iter().any(|name| name.contains(**filter)))
                    .map(|filter| format!("{}: cargo test {filter}", shown(&page))),
            );
        }
    }
    assert!(missing.is_empty(), "filters that match no test: {missing:#?}");
}

/// The text of every file that can define an environment variable or a command.
fn sources() -> String {
    let mut text = fs::read_to_string(root().join("docs/options.md")).unwrap();
    for (folder, extension) in [
        ("src", "rs"),
        ("src", "mjs"),
        ("tests", "rs"),
        ("tests", "py"),
        ("tests", "sh"),
        ("compat", "mjs"),
        ("node", "js"),
        ("compat", "rs"),
    ] {
        let mut found = Vec::new();
        files(&root().join(folder), extension, &mut found);
        text.extend(found.iter().map(|file| fs::read_to_string(file).unwrap()));
    }
    text + &fs::read_to_string(root().join("tests/run")).unwrap()
}

#[test]
fn variables_and_commands_exist() {
    let sources = sources();
    let mut missing = BTreeSet::new();
    for page in all("", "md") {
        for code in Markdown::read(&page).code {
            let words = code.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
            let variables = words.filter(|word| word.starts_with("REPARSE_") || word.starts_with("PARSE_SERVER_"));
            // PARSE_SERVER_ alone is a prefix
            missing.extend(
                variables
                    .filter(|word| !word.ends_with('_') && !sources.contains(word))
                    .map(|word| format!("{}: {word}", shown(&page))),
            );
            let command = code.strip_prefix("reparse ").and_then(|rest| rest.split_whitespace().next());
            let command = command.filter(|word| word.chars().all(|letter| letter.is_ascii_lowercase()));
            missing.extend(
                command
                    .filter(|word| !sources.contains(&format!("\"{word}\"")))
                    .map(|word| format!("{}: reparse {word}", shown(&page))),
            );
        }
    }
    assert!(missing.is_empty(), "variables and commands that do not exist: {missing:#?}");
}

/// Each folder of `compat/` says what it is for.
#[test]
fn folders_of_compat_have_readmes() {
    let mut without = Vec::new();
    for entry in fs::read_dir(root().join("compat")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !NOT_OURS.contains(&name.as_str()) && !path.join("README.md").exists() {
            without.push(shown(&path));
        }
    }
    assert!(without.is_empty(), "no README.md in {without:?}");
}
