//! The error type that all layers share.
//!
//! Codes are those of Parse. [`ErrorCode::status`] maps each code to its HTTP status.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

/// A code of the Parse protocol, as listed in Parse's guides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
#[expect(missing_docs, reason = "the names are Parse's own; their meaning is in Parse's guide")]
pub enum ErrorCode {
    OtherCause = -1,
    InternalServerError = 1,
    ConnectionFailed = 100,
    ObjectNotFound = 101,
    InvalidQuery = 102,
    InvalidClassName = 103,
    MissingObjectId = 104,
    InvalidKeyName = 105,
    InvalidPointer = 106,
    InvalidJson = 107,
    CommandUnavailable = 108,
    IncorrectType = 111,
    InvalidChannelName = 112,
    PushMisconfigured = 115,
    ObjectTooLarge = 116,
    OperationForbidden = 119,
    InvalidNestedKey = 121,
    InvalidFileName = 122,
    InvalidAcl = 123,
    Timeout = 124,
    InvalidEmailAddress = 125,
    MissingContentType = 126,
    FileTooLarge = 129,
    FileSaveError = 130,
    MissingInstallation = 132,
    InvalidInstallation = 135,
    UnchangeableInstallation = 136,
    DuplicateValue = 137,
    InvalidRoleName = 139,
    ExceededQuota = 140,
    ScriptFailed = 141,
    ValidationError = 142,
    WebhookError = 143,
    FileDeleteError = 153,
    RequestLimitExceeded = 155,
    DuplicateRequest = 159,
    InvalidEventName = 160,
    InvalidValue = 162,
    UsernameMissing = 200,
    PasswordMissing = 201,
    UsernameTaken = 202,
    EmailTaken = 203,
    EmailMissing = 204,
    EmailNotFound = 205,
    SessionMissing = 206,
    MustCreateUserThroughSignup = 207,
    AccountAlreadyLinked = 208,
    InvalidSessionToken = 209,
    LinkedIdMissing = 250,
    InvalidLinkedSession = 251,
    UnsupportedService = 252,
    InvalidSchemaOperation = 255,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 52] = [
        Self::OtherCause,
        Self::InternalServerError,
        Self::ConnectionFailed,
        Self::ObjectNotFound,
        Self::InvalidQuery,
        Self::InvalidClassName,
        Self::MissingObjectId,
        Self::InvalidKeyName,
        Self::InvalidPointer,
        Self::InvalidJson,
        Self::CommandUnavailable,
        Self::IncorrectType,
        Self::InvalidChannelName,
        Self::PushMisconfigured,
        Self::ObjectTooLarge,
        Self::OperationForbidden,
        Self::InvalidNestedKey,
        Self::InvalidFileName,
        Self::InvalidAcl,
        Self::Timeout,
        Self::InvalidEmailAddress,
        Self::MissingContentType,
        Self::FileTooLarge,
        Self::FileSaveError,
        Self::MissingInstallation,
        Self::InvalidInstallation,
        Self::UnchangeableInstallation,
        Self::DuplicateValue,
        Self::InvalidRoleName,
        Self::ExceededQuota,
        Self::ScriptFailed,
        Self::ValidationError,
        Self::WebhookError,
        Self::FileDeleteError,
        Self::RequestLimitExceeded,
        Self::DuplicateRequest,
        Self::InvalidEventName,
        Self::InvalidValue,
        Self::UsernameMissing,
        Self::PasswordMissing,
        Self::UsernameTaken,
        Self::EmailTaken,
        Self::EmailMissing,
        Self::EmailNotFound,
        Self::SessionMissing,
        Self::MustCreateUserThroughSignup,
        Self::AccountAlreadyLinked,
        Self::InvalidSessionToken,
        Self::LinkedIdMissing,
        Self::InvalidLinkedSession,
        Self::UnsupportedService,
        Self::InvalidSchemaOperation,
    ];

    /// The number on the wire.
    #[must_use]
    pub const fn number(self) -> i32 {
        self as i32
    }

    /// The code with this number, if Parse has it.
    #[must_use]
    pub fn from_number(number: i32) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.number() == number)
    }

    /// The HTTP status of the code: 404 for 101, 500 for 1, 400 for all others.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::ObjectNotFound => 404,
            Self::InternalServerError => 500,
            _ => 400,
        }
    }
}

/// An error for a client, with details that are only logged.
pub struct ParseError {
    /// Parse's code; absent for the few errors that have none (`{"error":"unauthorized"}`).
    pub code: Option<ErrorCode>,
    /// A code that the app's code chose and that is none of Parse's: clients read it instead of `code`.
    pub own_code: Option<i64>,
    /// HTTP status of the response.
    pub status: u16,
    /// The message. Clients see it unless [`ParseError::sensitive`] is set and the server sanitises errors.
    pub message: Cow<'static, str>,
    /// Whether the message contains details that clients should not see. They get `Permission denied` instead, unless
    /// `enableSanitizedErrorResponse` is off.
    pub sensitive: bool,
    /// Seconds after which the client may retry (`Retry-After`).
    pub retry_after: Option<u32>,
    /// The cause. It is logged and never sent.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

/// Result of functions that fail with an error for a client.
pub type Result<T, E = ParseError> = std::result::Result<T, E>;

/// The message that replaces a sensitive one.
pub const SANITIZED_MESSAGE: &str = "Permission denied";

impl ParseError {
    /// The same error once more, without its cause.
    #[must_use]
    pub fn again(&self) -> Self {
        Self {
            code: self.code,
            own_code: self.own_code,
            status: self.status,
            message: self.message.clone(),
            sensitive: self.sensitive,
            retry_after: self.retry_after,
            source: None,
        }
    }

    /// An error with a code and the status of that code.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: Some(code),
            own_code: None,
            status: code.status(),
            message: message.into(),
            sensitive: false,
            retry_after: None,
            source: None,
        }
    }

    /// An error of the app's code, which may choose any number as its code.
    #[must_use]
    pub fn thrown(code: i64, message: impl Into<Cow<'static, str>>) -> Self {
        match i32::try_from(code).ok().and_then(ErrorCode::from_number) {
            Some(code) => Self::new(code, message),
            None => Self { own_code: Some(code), ..Self::new(ErrorCode::ScriptFailed, message) },
        }
    }

    /// The code that clients read.
    #[must_use]
    pub fn number(&self) -> Option<i64> {
        self.own_code.or_else(|| self.code.map(|code| i64::from(code.number())))
    }

    /// An error of the HTTP layer, without a code.
    #[must_use]
    pub fn http(status: u16, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code: None,
            own_code: None,
            status,
            message: message.into(),
            sensitive: false,
            retry_after: None,
            source: None,
        }
    }

    /// An error whose message is only logged; clients get `Permission denied` by default.
    #[must_use]
    pub fn sanitized(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { sensitive: true, ..Self::new(code, message) }
    }

    /// 119, sanitised: the caller has no permission.
    #[must_use]
    pub fn forbidden(message: impl Into<Cow<'static, str>>) -> Self {
        Self::sanitized(ErrorCode::OperationForbidden, message)
    }

    /// 404, 108: no route has this path and method.
    #[must_use]
    pub fn unknown_route() -> Self {
        Self { status: 404, ..Self::new(ErrorCode::CommandUnavailable, "unknown route or method") }
    }

    /// 101 `Object not found.`
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(ErrorCode::ObjectNotFound, "Object not found.")
    }

    /// An internal error or a database error. The client gets a general message; the cause is logged.
    #[must_use]
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(ErrorCode::InternalServerError, "An internal server error occurred")
        }
    }

    /// 503: the server is overloaded or its database is unavailable; the client may retry.
    #[must_use]
    pub fn unavailable(message: impl Into<Cow<'static, str>>, retry_after: u32) -> Self {
        Self { status: 503, retry_after: Some(retry_after), ..Self::new(ErrorCode::ConnectionFailed, message) }
    }

    /// The same error with a cause for the log.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// The message for the client.
    #[must_use]
    pub fn public_message(&self, sanitize: bool) -> &str {
        if self.sensitive && sanitize { SANITIZED_MESSAGE } else { &self.message }
    }

    /// Whether the error has this code.
    #[must_use]
    pub fn is(&self, code: ErrorCode) -> bool {
        self.code == Some(code) && self.own_code.is_none()
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.number() {
            Some(code) => write!(formatter, "{} (code {code})", self.message),
            None => write!(formatter, "{} (status {})", self.message, self.status),
        }
    }
}

impl fmt::Debug for ParseError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "ParseError({self}")?;
        if let Some(source) = &self.source {
            write!(formatter, ": {source:?}")?;
        }
        write!(formatter, ")")
    }
}

impl Error for ParseError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn Error + 'static))
    }
}
