//! `reparse user`: what an administrator does with a user. The rules of the server hold: password policy, triggers, sessions.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::process::ExitCode;

use futures_util::FutureExt as _;
use serde_json::json;

use super::{beside_the_app, fail};
use crate::config::{Loaded, UserAction, UserTask};
use crate::domain::features::{sessions, users};
use crate::domain::kernel::commands::Save;
use crate::domain::kernel::context::Context;
use crate::domain::{read, write};
use crate::error::ParseError;
use crate::model::names;
use crate::model::query::Filter;

/// Does what was asked; a password is read from standard input.
pub async fn run(loaded: Loaded, task: UserTask) -> ExitCode {
    let password = match task.action {
        UserAction::Create | UserAction::Password => match password() {
            Ok(password) => password,
            Err(error) => return fail(&format!("error: the password cannot be read: {error}")),
        },
        UserAction::Unlock | UserAction::LogOut => String::new(),
    };
    let act = move |cx| change(cx, task, password).boxed_local();
    Box::pin(beside_the_app(loaded, Box::new(act))).await
}

async fn change(cx: Context, task: UserTask, password: String) -> Result<String, String> {
    let done = act(&cx, &task, &password).await.map_err(|error| error.to_string())?;
    done.ok_or_else(|| format!("there is no user {}", task.name))
}

/// The first line of standard input.
fn password() -> io::Result<String> {
    if io::stdin().is_terminal() {
        eprintln!("Password (it is shown):");
    }
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "standard input has none"));
    }
    Ok(password.to_owned())
}

/// What was done; nothing if there is no such user.
async fn act(cx: &Context, task: &UserTask, password: &str) -> Result<Option<String>, ParseError> {
    let name = task.name.as_str();
    let body = |body: serde_json::Value| body.as_object().cloned().unwrap_or_default();
    if task.action == UserAction::Create {
        let save = Save::create(names::USER, body(json!({"username": name, "password": password})))?;
        write::save(cx, save).await?;
    }
    let user = read::internal_one(cx, names::USER, Filter::eq("username", name), "a user by name").await?;
    let Some(id) = user.as_ref().and_then(|user| user.get_str("objectId")) else { return Ok(None) };
    Ok(Some(match task.action {
        UserAction::Create => {
            // Nobody has the token of the first session.
            sessions::end_all(cx, id).await?;
            format!("made the user {name}")
        }
        UserAction::Password => {
            write::save(cx, Save::update(names::USER, id, body(json!({"password": password})))?).await?;
            format!("{name} has the new password")
        }
        UserAction::Unlock => {
            users::lockout::unlock(cx, id).await?;
            format!("{name} may log in again")
        }
        UserAction::LogOut => {
            sessions::end_all(cx, id).await?;
            format!("the sessions of {name} are ended")
        }
    }))
}
