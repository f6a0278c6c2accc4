//! The switches `enableForPublic`, `enableForAnonymousUser` and `enableForAuthenticatedUser`.

use crate::config::files::{FileDownload, FileUpload};
use crate::domain::kernel::auth::Auth;
use crate::domain::kernel::context::Context;
use crate::error::{ErrorCode, ParseError, Result};
use crate::model::value::Value;

/// One set of switches.
struct Switches {
    public: bool,
    anonymous: bool,
    authenticated: bool,
}

impl Switches {
    /// The words for the caller, if the switches are against it.
    ///
    /// # Errors
    /// 209 for a session that is none.
    fn against(&self, cx: &Context) -> Result<Option<&'static str>> {
        let (allowed, who) = match &cx.auth {
            Auth::Master | Auth::ReadOnlyMaster | Auth::Maintenance => return Ok(None),
            Auth::Orphan => return Err(ParseError::new(ErrorCode::InvalidSessionToken, "Invalid session token")),
            Auth::Anonymous => (self.public, "public"),
            Auth::User(user) => match user.row.get("_auth_data_anonymous") {
                None | Some(Value::Null) => (self.authenticated, "authenticated user"),
                Some(_) => (self.anonymous, "anonymous user"),
            },
        };
        Ok((!allowed).then_some(who))
    }
}

/// # Errors
/// 130 when the caller may not upload.
pub fn upload(cx: &Context, options: &FileUpload) -> Result<()> {
    let switches = Switches {
        public: options.enable_for_public,
        anonymous: options.enable_for_anonymous_user,
        authenticated: options.enable_for_authenticated_user,
    };
    match switches.against(cx)? {
        None => Ok(()),
        Some(who) => Err(ParseError::new(ErrorCode::FileSaveError, format!("File upload by {who} is disabled."))),
    }
}

/// # Errors
/// 119 when the caller may not download.
pub fn download(cx: &Context, options: &FileDownload) -> Result<()> {
    let switches = Switches {
        public: options.enable_for_public,
        anonymous: options.enable_for_anonymous_user,
        authenticated: options.enable_for_authenticated_user,
    };
    match switches.against(cx)? {
        None => Ok(()),
        Some(who) => {
            Err(ParseError::new(ErrorCode::OperationForbidden, format!("File download by {who} is disabled.")))
        }
    }
}
