//! Opens the context of a request.

use std::sync::Arc;

use super::resolve;
use crate::domain::kernel::app::App;
use crate::domain::kernel::auth::{Auth, Credentials, TokenUse};
use crate::domain::kernel::context::{Client, Context};
use crate::error::Result;

/// Opens the context of a request whose keys have been checked by
/// [`standing`](crate::domain::kernel::auth::standing): looks up the session token.
///
/// # Errors
/// 209 if the token is unknown or expired.
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
    if standing.is_master() || standing.is_maintenance() {
        app.afterwards.settled().await;
    }
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
