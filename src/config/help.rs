//! Writes the table of options as `--help` and as `docs/options.md`.

use std::fmt::Write;

use super::Options;
use super::declare::{OptionType, Spec, Status};
use super::support::REMOVED;

/// How the program is called.
pub(super) const USAGE: &str = "\
Usage: reparse [FLAGS] [CONFIGURATION.json]
       reparse openapi [--yaml] [FLAGS] [CONFIGURATION.json]
                                                    print the OpenAPI document of the app
       reparse dashboard [FLAGS] [CONFIGURATION.json]
                                                    say where Parse Dashboard is installed, or how to get it
       reparse live-query [FLAGS] [CONFIGURATION.json]
                                                    serve live queries alone, as a process of its own
       reparse check [--data] [FLAGS] [CONFIGURATION.json]
                                                    say what is wrong with the configuration; with
                                                    --data also with what is stored
       reparse backup FILE [FLAGS] [CONFIGURATION.json]
                                                    write the embedded store and its files into a file,
                                                    also while a server runs
       reparse restore FILE [FLAGS] [CONFIGURATION.json]
                                                    put such a file into a data directory without data
       reparse export DIRECTORY [--without-files] [FLAGS] [CONFIGURATION.json]
                                                    write everything as JSON Lines, from either store
       reparse import DIRECTORY [--without-files] [FLAGS] [CONFIGURATION.json]
                                                    put an export into either store
       reparse compact [FLAGS] [CONFIGURATION.json]
                                                    give the room of deleted objects back to the disk
                                                    (embedded store, while no server runs)
       reparse files copy --from PLACE --to PLACE [FLAGS] [CONFIGURATION.json]
                                                    copy all files to another store; a PLACE is
                                                    database, an adapter, or a configuration file
       reparse files check [--remove] [--older-than MINUTES] [FLAGS] [CONFIGURATION.json]
                                                    read all files; find what interrupted uploads left
       reparse files rotate-key --old-key KEY|--plain [FLAGS] [CONFIGURATION.json]
                                                    encrypt all files by the key of the configuration; the
                                                    key so far is in --old-key or REPARSE_OLD_FILE_KEY
       reparse job NAME [--params JSON] [FLAGS] [CONFIGURATION.json]
                                                    run a job of the app's code to its end
       reparse audit verify PATH                    check that an audit log is as it was written
       reparse user create|password|unlock|log-out NAME [FLAGS] [CONFIGURATION.json]
                                                    make a user, set the password (both are read from
                                                    standard input), open a locked account, end sessions;
                                                    on the embedded store while no server runs
       reparse class list|purge NAME|index NAME INDEXES [FLAGS] [CONFIGURATION.json]
                                                    list the classes as lines of JSON, also while a
                                                    server runs; delete all objects of one; make or drop
                                                    its indexes, in JSON as in the schema API
       reparse keys [FLAGS]                         replace the generated keys of a data directory
       reparse healthcheck [URL|CONFIG]             check whether a running server is healthy
       reparse completions bash|zsh|fish            print completions for a shell
       reparse man                                  print a manual page
       reparse version                              print the version
       reparse embedded SOCKET                      serve the Node program that listens there

Without a configuration the server listens on 127.0.0.1:1337, stores its data in ./data
and generates its keys there. With a configuration file, an appId or a masterKey it uses
the defaults below. Flags override environment variables, which override the file.
Options inside a group have flags too: --accountLockout.duration 5.

  --help, -h       print this text
  --version, -V    print the version
";

/// The text of `--help`.
#[must_use]
pub fn text() -> String {
    let mut out = USAGE.to_owned();
    for (title, specs) in Options::areas() {
        let _ = write!(out, "\n{title}\n");
        for spec in &specs {
            entry(&mut out, spec, "");
        }
    }
    out
}

fn entry(out: &mut String, spec: &Spec, prefix: &str) {
    let kind = kind_name(spec);
    let _ = write!(out, "  --{prefix}{} <{kind}>  {}", spec.key, spec.env);
    if !spec.default.is_null() {
        let _ = write!(out, "  [default: {}]", shorten(&spec.default.to_string()));
    }
    let _ = write!(out, "\n        {}{}\n", spec.doc, note(spec.status));
    for inner in spec.group.iter().filter(|_| prefix.matches('.').count() < 2) {
        entry(out, inner, &format!("{prefix}{}.", spec.key));
    }
}

fn note(status: Status) -> String {
    match status {
        Status::Supported => String::new(),
        Status::NotYet => " (not supported yet)".to_owned(),
        Status::Harmless(reason) => format!(" (no effect: {reason})"),
    }
}

/// The type of an option, for people.
pub(super) fn kind_name(spec: &Spec) -> &'static str {
    match (spec.kind, spec.repeated) {
        (OptionType::Group, true) => "list of objects",
        (OptionType::Group, false) => "object",
        (kind, _) => kind.name(),
    }
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 { text.to_owned() } else { text.chars().take(77).chain("…".chars()).collect() }
}

/// The text of `docs/options.md`.
#[must_use]
pub fn markdown() -> String {
    let mut out = String::from(
        "# Options\n\n\
         Generated from the declarations in `src/config/`; a test fails if this file is out of date.\n\
         [configuration.md](configuration.md) explains how to set options and which source overrides which.\n\n\
         **Status**: *yes*: supported; *not yet*: the server refuses to start, or logs a warning with `--ignore-unsupported`;\n\
         *no effect*: accepted and ignored, because it makes no difference to this server.\n",
    );
    for (title, specs) in Options::areas() {
        let _ = write!(out, "\n## {title}\n\n");
        table(&mut out, &specs);
        for spec in specs.iter().filter(|spec| !spec.group.is_empty()) {
            group(&mut out, spec, spec.key);
        }
    }
    out.push_str("\n## Removed in parse-server 9\n\nAccepted with a warning and ignored.\n\n");
    out.push_str("| Key | Variable | Why it is ignored |\n|---|---|---|\n");
    for (path, env, reason) in REMOVED {
        let _ = writeln!(out, "| `{}` | `{env}` | {reason} |", path.join("."));
    }
    out
}

fn group(out: &mut String, spec: &Spec, path: &str) {
    let of = if spec.repeated { "An entry of" } else { "Inside" };
    let _ = write!(out, "\n### {of} `{path}`\n\n");
    table(out, &spec.group);
    for inner in spec.group.iter().filter(|inner| !inner.group.is_empty()) {
        group(out, inner, &format!("{path}.{}", inner.key));
    }
}

fn table(out: &mut String, specs: &[Spec]) {
    out.push_str("| Key | Variable | Type | Default | Status | Meaning |\n|---|---|---|---|---|---|\n");
    for spec in specs {
        let default = match (&spec.default, spec.kind) {
            (value, _) if value.is_null() => String::new(),
            (value, _) => format!("`{}`", value.to_string().replace('|', "\\|")),
        };
        let status = match spec.status {
            Status::Supported => "yes".to_owned(),
            Status::NotYet => "not yet".to_owned(),
            Status::Harmless(reason) => format!("no effect: {reason}"),
        };
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {} | {default} | {status} | {} |",
            spec.key,
            spec.env,
            kind_name(spec),
            spec.doc.trim_end_matches('.')
        );
    }
}
