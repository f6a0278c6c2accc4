//! Command line, environment, file, and what wins.

use std::io::Write;

use serde_json::json;
use tempfile::NamedTempFile;

use super::{error, run, serve};
use crate::config::{Command, DatabaseUri};

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

const COMPLETE: &str = r#"{ "appId": "a", "masterKey": "m", "databaseURI": "file:./d", "port": 1, "appName": "file" }"#;

#[test]
fn flags_win_over_the_environment_over_the_file_over_defaults() {
    let config = file(COMPLETE);
    let path = config.path().to_str().unwrap();
    assert_eq!(serve(&[path], &[]).options.server.port, 1);
    assert_eq!(serve(&[path], &[("PORT", "2")]).options.server.port, 2);
    assert_eq!(serve(&[path, "--port", "3"], &[("PORT", "2")]).options.server.port, 3);
    assert_eq!(serve(&["--port=4", path], &[("PORT", "2")]).options.server.port, 4);
    let loaded = serve(&[], &[("REPARSE_CONFIG", path)]);
    assert_eq!((loaded.options.server.port, loaded.zero_configuration, loaded.warnings.len()), (1, false, 0));
    assert_eq!(serve(&[path], &[("REPARSE_CONFIG", "/nowhere")]).options.server.port, 1);
    let loaded = serve(&[path], &[("PORT", "")]);
    assert_eq!(loaded.options.server.port, 1, "an empty variable is no value");
    assert_eq!(loaded.options.server.host, "0.0.0.0");
    assert!(!loaded.options.graphql.mount);
    assert!(!loaded.zero_configuration && !loaded.fresh_keys);
    assert_eq!(loaded.options.keys.maintenance_key, None);
}

#[test]
fn options_inside_groups_have_variables_and_flags() {
    let config = file(
        r#"{ "appId": "a", "masterKey": "m", "databaseURI": "file:./d",
             "idempotencyOptions": { "paths": ["a"], "ttl": 5 },
             "rateLimit": [{ "requestPath": "x", "requestTimeWindow": 1, "requestCount": 1 }] }"#,
    );
    let path = config.path().to_str().unwrap();
    let loaded =
        serve(&[path, "--idempotencyOptions.paths", "b,c"], &[("PARSE_SERVER_EXPERIMENTAL_IDEMPOTENCY_TTL", "9")]);
    assert_eq!(loaded.options.server.idempotency.paths, ["b", "c"]);
    assert!((loaded.options.server.idempotency.ttl - 9.0).abs() < f64::EPSILON);
    let loaded = serve(
        &[path, "--idempotencyOptions", r#"{"paths":["d"]}"#],
        &[("PARSE_SERVER_EXPERIMENTAL_IDEMPOTENCY_TTL", "9")],
    );
    assert_eq!(loaded.options.server.idempotency.paths, ["d"]);
    assert!((loaded.options.server.idempotency.ttl - 300.0).abs() < f64::EPSILON, "a whole group replaces the group");
    let limit = [
        ("PARSE_SERVER_RATE_LIMIT_REQUEST_PATH", "/login"),
        ("PARSE_SERVER_RATE_LIMIT_REQUEST_COUNT", "3"),
        ("PARSE_SERVER_RATE_LIMIT_REQUEST_TIME_WINDOW", "1000"),
    ];
    let limits = serve(&[path], &limit).options.security.rate_limit;
    assert_eq!(limits.iter().map(|limit| limit.request_path.as_str()).collect::<Vec<_>>(), ["/login"]);
    let metadata = [("PARSE_SERVER_LIVEQUERY_CLASSNAMES", "Game"), ("REPARSE_IGNORE_UNSUPPORTED", "1")];
    let loaded = serve(&[path], &metadata);
    let classes = loaded.options.live_query.classes.and_then(|classes| classes.class_names);
    assert_eq!((loaded.warnings, classes), (Vec::new(), Some(vec!["Game".to_owned()])));
}

#[test]
fn flags_take_many_forms() {
    let base = ["--appId", "a", "--masterKey=m", "--databaseURI", "file:./d"];
    let with = |more: &[&'static str]| serve(&[&base, more].concat(), &[]).options;
    assert!(with(&["--silent"]).logging.silent.unwrap());
    assert!(!with(&["--silent", "false"]).logging.silent.unwrap());
    assert!(!with(&["--silent=0"]).logging.silent.unwrap());
    assert!(with(&["--mountGraphQL", "--silent"]).graphql.mount);
    assert!(with(&["--ignore-unsupported", "--cloud", "x"]).own.ignore_unsupported);
    assert_eq!(with(&["--bcrypt-cost", "4"]).own.bcrypt_cost, 4);
    assert_eq!(with(&["--graphQLLegacyPath", "/old"]).own.graphql_legacy_path, "/old");
    assert_eq!(with(&["--masterKeyIps", "10.0.0.1,10.0.0.2"]).keys.master_key_ips.nets.len(), 2);
    assert_eq!(with(&["--clientKey=--odd"]).keys.client_key.unwrap().expose(), "--odd");
    assert!(with(&["--openapi.docs", "false", "--trustProxy", "1"]).own.openapi.enabled);
    for (args, message) in [
        (vec!["--appid2", "x"], "unknown option --appid2; did you mean --appId?"),
        (vec!["-x"], "unknown option -x"),
        (vec!["--port"], "flag --port needs a value"),
        (vec!["--port", "--silent"], "flag --port needs a value"),
        (vec!["--port", "x"], "option port must be a number (flag --port)"),
        (vec!["--silent=maybe"], "option silent must be true or false (flag --silent)"),
        (vec!["--accountLockout", "x"], "option accountLockout must be a JSON object (flag --accountLockout)"),
        (vec!["a.json", "b.json"], "more than one configuration file: b.json"),
    ] {
        assert_eq!(error(&args, &[]), message);
    }
    assert_eq!(error(&[], &[("PORT", "tcp")]), "option port must be a number (environment variable PORT)");
}

#[test]
fn files_have_two_forms() {
    let load = |text: &str| {
        let config = file(text);
        run(&[config.path().to_str().unwrap()], &[]).map(|command| match command {
            Command::Serve(loaded) => loaded.options,
            other => panic!("{other:?}"),
        })
    };
    assert_eq!(load(&format!(r#"{{ "apps": [{COMPLETE}] }}"#)).unwrap().server.app_name.as_deref(), Some("file"));
    assert_eq!(load(&format!("\u{feff}{COMPLETE}")).unwrap().keys.app_id, "a");
    let own = r#"{ "appId": "a", "masterKey": "m", "databaseURI": "file:./d", "reparse": { "bcryptCost": 4 } }"#;
    assert_eq!(load(own).unwrap().own.bcrypt_cost, 4);
    for (text, message) in [
        (format!(r#"{{ "apps": [{COMPLETE}, {COMPLETE}] }}"#), "Multiple apps are not supported"),
        (r#"{ "apps": [] }"#.to_owned(), "option apps must be a list with one app"),
        (format!(r#"{{ "apps": [{COMPLETE}], "port": 1 }}"#), "unknown option port beside apps"),
        ("[]".to_owned(), "a configuration must be a JSON object"),
        ("{ \"appId\": ".to_owned(), "is not valid JSON (line 1 column"),
        (r#"{ "appId": "a", "masterKey": "m" }"#.to_owned(), "option databaseURI is required"),
        (r#"{ "masterKey": "m", "databaseURI": "file:d" }"#.to_owned(), "option appId is required"),
        (format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)), "is not valid JSON"),
    ] {
        let refused = load(&text).unwrap_err().to_string();
        assert!(refused.contains(message), "{refused}");
    }
    assert!(error(&["/nowhere/config.json"], &[]).contains("cannot read the configuration /nowhere/config.json"));
}

#[test]
fn an_application_id_alone_is_a_configuration() {
    assert!(error(&["--appId", "a"], &[]).contains("option masterKey is required"));
    assert!(
        error(&[], &[("PARSE_SERVER_APPLICATION_ID", "a"), ("PARSE_SERVER_MASTER_KEY", "m")])
            .contains("option databaseURI is required")
    );
    assert!(error(&["--masterKey", "m"], &[]).contains("option appId is required"));
    let env = [
        ("PARSE_SERVER_APPLICATION_ID", "a"),
        ("PARSE_SERVER_MASTER_KEY", "m"),
        ("PARSE_SERVER_DATABASE_URI", "mongodb://h/db"),
    ];
    let loaded = serve(&[], &env);
    assert!(matches!(loaded.options.database.uri, DatabaseUri::Mongo { .. }));
    assert_eq!(loaded.options.server.host, "0.0.0.0");
}

#[test]
fn misspelt_variables_are_a_warning() {
    let env = [("PARSE_SERVER_MASTERKEY_IPS", "x"), ("REPARSE_XYZZY", "1"), ("PATH", "/bin")];
    let base = ["--appId", "a", "--masterKey=m", "--databaseURI", "file:./d"];
    let warnings = serve(&base, &env).warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].ends_with("did you mean PARSE_SERVER_MASTER_KEY_IPS?"), "{warnings:?}");
}

#[test]
fn other_commands() {
    assert!(
        matches!(run(&["--help"], &[]).unwrap(), Command::Help(text) if text.contains("PARSE_SERVER_APPLICATION_ID"))
    );
    assert!(matches!(run(&["--version"], &[]).unwrap(), Command::Version(text) if text.starts_with("reparse ")));
    let config = file(COMPLETE);
    let path = config.path().to_str().unwrap();
    assert!(
        matches!(run(&["openapi", path], &[]).unwrap(), Command::OpenApi { loaded, yaml: false } if loaded.options.keys.app_id == "a")
    );
    let Command::Job { loaded, name, params } = run(&["job", "nightly", "--params", r#"{"a":1}"#, path], &[]).unwrap()
    else {
        panic!("no job");
    };
    assert_eq!((loaded.options.keys.app_id.as_str(), name.as_str(), &params["a"]), ("a", "nightly", &json!(1)));
    assert!(
        matches!(run(&["job", "x", path, "--params={}"], &[]).unwrap(), Command::Job { params, .. } if params.is_empty())
    );
    for wrong in [&["job"][..], &["job", "x", "--params"], &["job", "x", "--params", "[1]"], &["--params", "{}"]] {
        assert!(run(wrong, &[]).is_err(), "{wrong:?}");
    }
    assert!(matches!(run(&["openapi", path, "--yaml"], &[]).unwrap(), Command::OpenApi { yaml: true, .. }));
    assert!(error(&["--yaml", path], &[]).contains("unknown option --yaml"));
    // Whoever asks for the document of a server without configuration gets no keys made.
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let args = ["openapi", "--dataDir", data.to_str().unwrap()];
    assert!(matches!(run(&args, &[]).unwrap(), Command::OpenApi { loaded, .. } if !loaded.fresh_keys));
    assert!(!data.exists());
    let url = |args: &[&str], env: &[(&str, &str)]| match run(args, env).unwrap() {
        Command::HealthCheck { url, .. } => url,
        other => panic!("{other:?}"),
    };
    assert_eq!(url(&["healthcheck"], &[]), "http://127.0.0.1:1337/parse/health");
    assert_eq!(
        url(&["healthcheck"], &[("PORT", "80"), ("PARSE_SERVER_MOUNT_PATH", "/1")]),
        "http://127.0.0.1:80/1/health"
    );
    assert_eq!(url(&["healthcheck", "http://h/health"], &[]), "http://h/health");
    assert!(error(&["healthcheck", "h"], &[]).contains("http://"));
    let config = file(r#"{ "appId": "a", "port": 26060, "mountPath": "/api", "host": "::" }"#);
    let path = config.path().to_str().unwrap();
    let own = "http://[::1]:26060/api/health";
    assert_eq!(url(&["healthcheck", path], &[]), own);
    assert_eq!(url(&["healthcheck"], &[("REPARSE_CONFIG", path)]), own);
    assert_eq!(url(&["healthcheck"], &[("REPARSE_CONFIG", path), ("PORT", "5")]), "http://[::1]:5/api/health");
    assert_eq!(url(&["healthcheck"], &[("PARSE_SERVER_HOST", "10.0.0.5")]), "http://10.0.0.5:1337/parse/health");
    assert_eq!(url(&["healthcheck"], &[("REPARSE_CONFIG", "")]), "http://127.0.0.1:1337/parse/health");
}
