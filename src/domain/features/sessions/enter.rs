//! The way into the domain: from what a request says of its caller to the context that every function takes.

use std::sync::Arc;

use super::resolve;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{Auth, Credentials, TokenUse};
use crate::domain::kernel::context::{Client, Context};
use crate::error::Result;

/// Makes the context of a request whose caller's [`standing`](crate::domain::kernel::auth::standing) is known: resolves the session token.
///
/// # Errors
/// 209 when the token is unknown or expired.
pub async fn open_context(
    app: &Arc<App>,
    standing: Auth,
    credentials: Credentials,
    token_use: TokenUse,
    client: Client,
) -> Result<Context> {
    let token = match token_use {
        TokenUse::Drop => None,
        TokenUse::Check | TokenUse::Keep | TokenUse::Upgrade => {
            credentials.session_token.filter(|token| !token.is_empty())
        }
    };
    let auth = match (&token, standing) {
        (Some(token), Auth::Anonymous)
            if token_use == TokenUse::Check || (token_use == TokenUse::Upgrade && token.starts_with("r:")) =>
        {
            match resolve(app, token).await? {
                Some(user) => Auth::User(user),
                None => Auth::Orphan,
            }
        }
        (_, standing) => standing,
    };
    Ok(Context::new(app.clone(), auth, token, credentials.installation_id, credentials.master_key_in_header, client))
}
