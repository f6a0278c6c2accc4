//! Routes of users: sign up, log in, log out, and the class `_User`.

use poem::http::Method;

use super::call::Call;
use super::describe::{Challenge, ChallengeRequest, LogIn, LogInAs, Mail, Nothing, Session, SignUp, SignedUp, User};
use super::openapi::Tag;
use super::openapi::headers::HeaderParameter::InstallationId;
use super::openapi::parameters::LOG_IN;
use super::reply;
use super::resource::Resource;
use super::route::{Access, Outcome, Route};
use crate::domain::features::{sessions, users};
use crate::domain::kernel::auth::TokenUse;
use crate::model::names::USER;

const USERS: Resource = Resource {
    class: Some(USER),
    all: "/users",
    one: "/users/{objectId}",
    tag: Tag::Users,
    access: Access::Application,
    triggers: true,
};

/// The routes.
pub fn routes() -> Vec<Route> {
    let by_session = Resource { access: Access::Session, ..USERS };
    vec![
        USERS.create::<SignUp, SignedUp>("signUp", "Sign up a user.").idempotent().header(InstallationId),
        USERS.find("findUsers", "Query users."),
        Route::hidden(Method::GET, "/users/me", "getCurrentUser", me)
            .access(Access::Session)
            .documented::<User>(Tag::Users, "Get the current user."),
        USERS.get::<User>("getUser", "Get a user."),
        by_session.update("updateUser", "Update a user.").idempotent().header(InstallationId),
        by_session.delete("deleteUser", "Delete a user."),
        // An expired token must not prevent a log in.
        Route::hidden(Method::POST, "/login", "logIn", log_in)
            .token(TokenUse::Drop)
            .documented::<User>(Tag::Users, "Log in.")
            .json::<LogIn>()
            .header(InstallationId),
        Route::hidden(Method::GET, "/login", "logInByQuery", log_in)
            .token(TokenUse::Drop)
            .documented::<User>(
                Tag::Users,
                "Log in with username and password in the query. Prefer POST, because URLs are often logged.",
            )
            .query(&[LOG_IN])
            .header(InstallationId),
        Route::hidden(Method::POST, "/verifyPassword", "verifyPassword", verify_password)
            .documented::<User>(Tag::Users, "Verify a password without creating a session.")
            .json::<LogIn>(),
        Route::hidden(Method::GET, "/verifyPassword", "verifyPasswordByQuery", verify_password)
            .documented::<User>(
                Tag::Users,
                "Verify a password in the query. Prefer POST, because URLs are often logged.",
            )
            .query(&[LOG_IN]),
        Route::hidden(Method::POST, "/loginAs", "logInAs", log_in_as)
            .access(Access::MasterByHandler)
            .documented::<User>(Tag::Users, "Create a session for any user.")
            .json::<LogInAs>()
            .header(InstallationId),
        Route::hidden(Method::POST, "/logout", "logOut", log_out)
            .access(Access::Session)
            .documented::<Nothing>(Tag::Users, "Log out: delete the current session."),
        Route::hidden(Method::POST, "/requestPasswordReset", "requestPasswordReset", request_password_reset)
            .documented::<Nothing>(Tag::Users, "Send a mail with a link to set a new password.")
            .json::<Mail>(),
        Route::hidden(
            Method::POST,
            "/verificationEmailRequest",
            "requestVerificationEmail",
            request_verification_email,
        )
        .documented::<Nothing>(Tag::Users, "Send the verification mail for an email address again.")
        .json::<Mail>(),
        Route::hidden(Method::POST, "/challenge", "challenge", challenge)
            .documented::<Challenge>(Tag::Users, "Get a challenge from identity providers.")
            .json::<ChallengeRequest>(),
        Route::hidden(Method::POST, "/upgradeToRevocableSession", "upgradeToRevocableSession", upgrade_session)
            .access(Access::Session)
            .token(TokenUse::Upgrade)
            .documented::<Session>(Tag::Users, "Exchange a legacy session token for a session."),
    ]
}

async fn me(call: Call) -> Outcome {
    reply::json(&users::me(&call.cx).await?)
}

async fn log_in(mut call: Call) -> Outcome {
    let parameters = call.take_login_parameters();
    reply::json(&users::log_in(&call.cx, parameters).await?)
}

async fn verify_password(mut call: Call) -> Outcome {
    let parameters = call.take_login_parameters();
    reply::json(&users::verify_password(&call.cx, parameters).await?)
}

async fn log_in_as(mut call: Call) -> Outcome {
    let parameters = call.take_parameters();
    reply::json(&users::log_in_as(&call.cx, parameters.get("userId")).await?)
}

async fn log_out(call: Call) -> Outcome {
    users::log_out(&call.cx).await?;
    Ok(reply::empty())
}

async fn request_password_reset(mut call: Call) -> Outcome {
    let body = call.take_body();
    users::request_password_reset(&call.cx, body).await?;
    Ok(reply::empty())
}

async fn request_verification_email(mut call: Call) -> Outcome {
    let body = call.take_body();
    Box::pin(users::request_verification_email(&call.cx, body)).await?;
    Ok(reply::empty())
}

async fn challenge(mut call: Call) -> Outcome {
    let body = call.take_body();
    reply::json(&users::challenge(&call.cx, body).await?)
}

async fn upgrade_session(call: Call) -> Outcome {
    reply::json(&sessions::upgrade(&call.cx).await?)
}
