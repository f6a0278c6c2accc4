//! Users: sign up (an ordinary create), log in, log out, passwords, linked identities.

pub mod auth_data;
pub mod challenge;
mod credentials;
mod fair_queue;
mod hash_threads;
mod link;
pub mod lockout;
pub mod log_in;
pub mod mail;
pub mod password;
pub mod policy;
pub mod reset;
pub mod rules;
mod sessions;
mod state;
pub mod triggers;
mod unknown_names;
pub mod verification;

use std::sync::Arc;

pub use challenge::challenge;
pub use log_in::{log_in, log_in_as, verify_password};
use password::Hasher;
pub use reset::{request as request_password_reset, reset as reset_password};
use state::Users;
use unknown_names::{Echo, UnknownNames};
pub use verification::request as request_verification_email;

use crate::config::Options;
use crate::domain::kernel::app::App;
use crate::domain::kernel::clp::Operation;
use crate::domain::kernel::commands::GetQuery;
use crate::domain::kernel::context::Context;
use crate::domain::kernel::failure::invalid_session;
use crate::domain::kernel::feature::Feature;
use crate::domain::kernel::services::Services;
use crate::domain::read;
use crate::error::{ErrorCode, Result};
use crate::model::object::Object;
use crate::model::{measures, names};

/// Users, for the kernel.
#[must_use]
pub fn feature(options: &Options, services: Services) -> Feature {
    let Services { email, providers, callbacks, .. } = services;
    let unknown_names = UnknownNames::default();
    let users = Users { hasher: Hasher::start(&options.own), providers, unknown_names, outbox: email, callbacks };
    let mut feature = Feature::new("users").rules(names::USER, rules::UserRules).state(users);
    if options.users.account_lockout.is_some() {
        feature.caches.push(Arc::new(Echo));
    }
    Feature { on_stop: Some(stop), gauges: Some(measure), ..feature }
}

fn measure(app: &App) {
    if let Ok(users) = app.feature::<Users>() {
        measures::set(measures::HASHES_WAITING, users.hasher.waiting());
    }
}

/// On shutdown, queued mails are tried once more and then dropped.
fn stop(app: &App) {
    if let Ok(Users { outbox: Some(outbox), .. }) = app.feature() {
        outbox.close();
    }
}

/// Gets the user of the session, with the session token.
///
/// # Errors
/// 209 without a session, with an unknown one, or if the user may not read itself.
pub async fn me(cx: &Context) -> Result<Object> {
    let token = cx.session_token.as_deref().ok_or_else(invalid_session)?;
    let user = match cx.auth.user() {
        Some(user) => user.id.clone(),
        None if !cx.auth.is_master() => return Err(invalid_session()),
        // Requests with the master key have not looked up the session yet.
        None => sessions::resolve(&cx.app, token).await?.ok_or_else(invalid_session)?.id.clone(),
    };
    let mut object = read::get(cx, GetQuery::of(names::USER, &user)).await.map_err(|error| {
        if error.is(ErrorCode::ObjectNotFound) { invalid_session().with_source(error) } else { error }
    })?;
    object.insert("sessionToken", token);
    Ok(object)
}

/// Deletes the session of the request, if there is one.
///
/// # Errors
/// When the store fails.
pub async fn log_out(cx: &Context) -> Result<()> {
    cx.refuse_read_only_write(Operation::Delete)?;
    let Some(token) = &cx.session_token else { return Ok(()) };
    let session = triggers::session_ending(cx, token).await?;
    sessions::end(cx, token).await?;
    triggers::after_logout(cx, session).await
}
