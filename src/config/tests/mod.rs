//! Tables of configurations: what is accepted, what is refused in which words.

mod documents;
mod first_run;
mod rules;
mod sources;

use serde_json::{Value, json};

use super::{Command, ConfigError, Environment, Loaded, Options, load};
use crate::random::SeededRandom;

#[expect(clippy::needless_pass_by_value, reason = "calls read better")]
/// A configuration that is complete, with `extra` laid over it.
fn configuration(extra: Value) -> Value {
    let mut base =
        json!({ "appId": "app", "masterKey": "master", "maintenanceKey": "maint", "databaseURI": "file:./data" });
    for (key, value) in extra.as_object().unwrap() {
        base[key] = value.clone();
    }
    base
}

fn options(extra: Value) -> Options {
    Options::from_json(configuration(extra)).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "calls read better")]
fn refusal(extra: Value) -> String {
    Options::from_json(configuration(extra.clone())).expect_err(&extra.to_string()).to_string()
}

fn run(args: &[&str], env: &[(&str, &str)]) -> Result<Command, ConfigError> {
    let env: Environment = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    load(args.iter().map(Into::into), &env, &SeededRandom::new(7))
}

fn serve(args: &[&str], env: &[(&str, &str)]) -> Loaded {
    match run(args, env).unwrap() {
        Command::Serve(loaded) => *loaded,
        other => panic!("not a server: {other:?}"),
    }
}

fn error(args: &[&str], env: &[(&str, &str)]) -> String {
    run(args, env).expect_err("is refused").to_string()
}
