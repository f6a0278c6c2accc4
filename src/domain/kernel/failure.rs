//! Errors that several layers use.

use crate::error::{ErrorCode, ParseError};
use crate::storage::StorageError;

/// Converts a storage error to a Parse error.
#[must_use]
pub fn failure(error: StorageError) -> ParseError {
    match error {
        StorageError::Duplicate { .. } => {
            ParseError::new(ErrorCode::DuplicateValue, "A duplicate value for a field with unique values was provided")
                .with_source(error)
        }
        StorageError::Unavailable(_) => {
            ParseError::unavailable("The database cannot be reached.", 1).with_source(error)
        }
        StorageError::WriteConflict => {
            ParseError::unavailable("The operation conflicted with another write. Please retry.", 1).with_source(error)
        }
        StorageError::TimedOut => {
            ParseError::new(ErrorCode::Timeout, "The operation took too long.").with_source(error)
        }
        StorageError::DiskFull(_) => ParseError {
            status: 507,
            ..ParseError::new(ErrorCode::ExceededQuota, "The disk of the database is full.").with_source(error)
        },
        StorageError::Refused(ref text) => ParseError::new(ErrorCode::InvalidQuery, text.clone()).with_source(error),
        StorageError::NoGeoIndex(ref field) => {
            ParseError::new(ErrorCode::InvalidQuery, format!("There is no geo index on field {field}."))
                .with_source(error)
        }
        StorageError::FieldExists(_) => {
            ParseError::new(ErrorCode::IncorrectType, "The field exists with another type.").with_source(error)
        }
        StorageError::Other(_) => ParseError::internal(error),
    }
}

/// 209, sanitised: no user is logged in.
#[must_use]
pub fn invalid_session() -> ParseError {
    ParseError::sanitized(ErrorCode::InvalidSessionToken, "Invalid session token")
}
