//! Options of the audit log.

use super::declare::Status::Supported;
use super::declare::group;

group! {
    /// The audit log: who changed what that matters for security.
    pub struct AuditLog {
        /// Folder of the audit log (default: there is none). Each start of a server begins a file in it.
        folder: Option<String> = None, "folder", "REPARSE_AUDIT_LOG_FOLDER", Supported;
        /// Bytes after which a new file begins.
        file_bytes: u64 = 64 << 20, "fileBytes", "REPARSE_AUDIT_LOG_FILE_BYTES", Supported;
    }
}
