//! Converts errors of the driver to errors of a store.

use std::io;

use mongodb::error::{Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure};

use tracing::debug;

use crate::storage::StorageError;

/// The code and message of the database server, if it returned the error.
pub(super) fn server(error: &Error) -> Option<(i32, &str)> {
    match &*error.kind {
        ErrorKind::Command(error) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some((error.code, &error.message)),
        ErrorKind::Write(WriteFailure::WriteConcernError(error)) => Some((error.code, &error.message)),
        ErrorKind::InsertMany(errors) => errors
            .write_errors
            .as_ref()
            .and_then(|errors| errors.first())
            .map(|error| (error.code, error.message.as_str())),
        _ => None,
    }
}

/// Whether the database server returned one of these codes.
pub(super) fn has_code(error: &Error, codes: &[i32]) -> bool {
    server(error).is_some_and(|(code, _)| codes.contains(&code))
}

/// Whether the outcome of a commit is unknown, so that it can be retried.
pub(super) fn commit_may_be_repeated(error: &Error) -> bool {
    error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT)
}

/// Whether a commit should not be retried, because its time limit on the database server was exceeded.
pub(super) fn is_final(error: &Error) -> bool {
    has_code(error, &[50]) || matches!(*error.kind, ErrorKind::Shutdown)
}

/// Converts an error of the driver.
pub(super) fn storage(error: Error) -> StorageError {
    if is_unreachable(&error) {
        return StorageError::Unavailable(Box::new(error));
    }
    if error.contains_label(TRANSIENT_TRANSACTION_ERROR) {
        return StorageError::WriteConflict;
    }
    match &*error.kind {
        ErrorKind::SessionsNotSupported | ErrorKind::IncompatibleServer { .. } => {
            return StorageError::Refused("The database does not support this operation".to_owned());
        }
        ErrorKind::Bson(_) | ErrorKind::BsonSerialization(_) => {
            return StorageError::Refused("The value cannot be stored".to_owned());
        }
        ErrorKind::InvalidArgument { message, .. } if message.contains("bytes") => {
            return StorageError::Refused(TOO_LARGE.to_owned());
        }
        _ => {}
    }
    match server(&error) {
        Some((code, message)) => from_server(code, message, &error),
        None => StorageError::Other(Box::new(error)),
    }
}

/// Converts the server's error for an operation or a part of it; `whole` is the driver's error.
pub(super) fn from_server(code: i32, message: &str, whole: &Error) -> StorageError {
    debug!(code, message, "the server refused an operation");
    from_code(code, message).unwrap_or_else(|| StorageError::Other(Box::new(whole.clone())))
}

/// Like [`storage`], but the client gets the message of the database server: for aggregations.
pub(super) fn verbatim(error: Error) -> StorageError {
    let text = server(&error).map(|(_, message)| message.to_owned());
    match (storage(error), text) {
        (StorageError::Refused(_) | StorageError::Other(_), Some(text)) => StorageError::Refused(text),
        (error, _) => error,
    }
}

/// The error of an operation that timed out.
pub(super) fn no_answer() -> StorageError {
    StorageError::Unavailable(Box::new(io::Error::new(io::ErrorKind::TimedOut, "the database did not respond in time")))
}

const TOO_LARGE: &str = "The object is larger than the database can store";

fn is_unreachable(error: &Error) -> bool {
    // Stepping down, shutting down, starting; no suitable member; network errors on the server's side.
    const CODES: [i32; 15] = [6, 7, 89, 91, 133, 134, 189, 9001, 10058, 10107, 11600, 11602, 13435, 13436, 64];
    matches!(
        *error.kind,
        ErrorKind::Io(_)
            | ErrorKind::ServerSelection { .. }
            | ErrorKind::ConnectionPoolCleared { .. }
            | ErrorKind::DnsResolve { .. }
            | ErrorKind::Authentication { .. }
            | ErrorKind::InvalidTlsConfig { .. }
            | ErrorKind::Shutdown
    ) || has_code(error, &CODES)
}

fn from_code(code: i32, message: &str) -> Option<StorageError> {
    Some(match code {
        11000 | 11001 | 12582 => StorageError::Duplicate { index: index_name(message) },
        // Lock timeouts and lost transactions count as conflicts too.
        24 | 112 | 225 | 244 | 251 => StorageError::WriteConflict,
        50 | 202 | 262 => StorageError::TimedOut,
        14031 => StorageError::DiskFull("out of disk space".into()),
        20 | 263 if message.contains("ransaction") || message.contains("retryable writes") => {
            StorageError::Refused("Transactions need a MongoDB replica set".to_owned())
        }
        10334 | 17280 | 17419 | 17420 => StorageError::Refused(TOO_LARGE.to_owned()),
        51091 | 51108 | 51109 => StorageError::Refused("Invalid regular expression".to_owned()),
        2 if message.to_ascii_lowercase().contains("regular expression") || message.contains("$regex") => {
            StorageError::Refused("Invalid regular expression".to_owned())
        }
        2 if message.contains("parallel arrays") => {
            StorageError::Refused("Only one of the fields of an order may hold an array".to_owned())
        }
        2 if message.contains("hint") => StorageError::Refused("The hint names no index of the class".to_owned()),
        27 if message.contains("text index") => StorageError::Refused("text index required for $text query".to_owned()),
        40 => StorageError::Refused("The update changes the same field twice".to_owned()),
        2 | 9 | 14 | 15 | 26 | 27 | 28 | 52 | 54 | 56 | 57 | 66 | 67 | 72 | 73 | 85 | 86 | 115 | 146 | 168 | 197
        | 238 | 241 | 291 | 292 | 352 => StorageError::Refused("The database refused the operation".to_owned()),
        // Generic validation errors of the database server.
        code if code > 10_000 => StorageError::Refused("The database refused the operation".to_owned()),
        _ => return None,
    })
}

/// The name in `… index: NAME dup key: …`.
fn index_name(message: &str) -> String {
    let Some((_, rest)) = message.split_once(" index: ") else { return String::new() };
    let name = rest.split_once(" dup key").map_or(rest, |(name, _)| name);
    // It is followed by the name of the collation, if there is one.
    name.split_once(" collation: ").map_or(name, |(name, _)| name).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_indexes() {
        for (message, name) in [
            (
                r#"E11000 duplicate key error collection: p._User index: username_1 dup key: { username: "a" }"#,
                "username_1",
            ),
            (r#"E11000 duplicate key error collection: p.A index: _id_ dup key: { _id: "index: x dup key" }"#, "_id_"),
            (
                r#"E11000 duplicate key error collection: p.A index: ci collation: { locale: "en_US" } dup key: { a: "CollationKey(0x29)" }"#,
                "ci",
            ),
            ("E11000 duplicate key", ""),
        ] {
            assert_eq!(index_name(message), name, "{message}");
        }
    }

    #[test]
    fn codes() {
        assert!(matches!(from_code(112, ""), Some(StorageError::WriteConflict)));
        assert!(matches!(from_code(50, ""), Some(StorageError::TimedOut)));
        assert!(matches!(from_code(51091, "x"), Some(StorageError::Refused(_))));
        assert!(from_code(8000, "").is_none());
    }
}
