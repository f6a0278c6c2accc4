//! Options of files.

use super::declare::Status::{Harmless, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::values::Secret;

options! {
    /// Options of files.
    pub struct Files {
        /// Who may upload files, and of which types.
        upload: FileUpload = FileUpload::default(), "fileUpload", "PARSE_SERVER_FILE_UPLOAD_OPTIONS", Supported;
        /// Who may download files.
        download: FileDownload = FileDownload::default(), "fileDownload", "PARSE_SERVER_FILE_DOWNLOAD_OPTIONS", Supported;
        /// Adapter that stores files (default: the database or data directory).
        files_adapter: Option<Free> = None, "filesAdapter", "PARSE_SERVER_FILES_ADAPTER", Supported;
        /// Store files under the name that the client sent, without a random prefix.
        preserve_file_name: bool = false, "preserveFileName", "PARSE_SERVER_PRESERVE_FILE_NAME", Supported;
        /// Key that encrypts files in GridFS and in the data directory, and stands in the addresses of files of the old hosted service.
        file_key: Option<Secret> = None, "fileKey", "PARSE_SERVER_FILE_KEY", Supported;
        /// Not used.
        encryption_key: Option<Secret> = None, "encryptionKey", "PARSE_SERVER_ENCRYPTION_KEY", Harmless("parse-server 9 encrypts nothing by it; fileKey does, and the fs adapter has an option encryptionKey of its own");
    }
}

/// Default of `fileExtensions`: excludes types that a browser may execute.
const DEFAULT_EXTENSIONS: &str = r"^(?!([xXsS]?[hH][tT][mM][lL]?(\+[xX][mM][lL])?|[xX][hH][tT]|[sS][vV][gG]([zZ]|\+[xX][mM][lL])?|[xX][mM][lL]|[xX][sS][lL][tT]?(\+[xX][mM][lL])?|[xX][sS][dD]|[rR][nN][gG]|[rR][dD][fF](\+[xX][mM][lL])?|[oO][wW][lL]|[mM][aA][tT][hH][mM][lL](\+[xX][mM][lL])?)$)";

group! {
    /// Who may upload files, and of which types.
    pub struct FileUpload {
        /// Hosts that URLs of File values may have.
        allowed_file_url_domains: Vec<String> = vec!["*".to_owned()], "allowedFileUrlDomains", "PARSE_SERVER_FILE_UPLOAD_ALLOWED_FILE_URL_DOMAINS", Supported;
        /// Anonymous users may upload files.
        enable_for_anonymous_user: bool = false, "enableForAnonymousUser", "PARSE_SERVER_FILE_UPLOAD_ENABLE_FOR_ANONYMOUS_USER", Supported;
        /// Logged in users may upload files.
        enable_for_authenticated_user: bool = true, "enableForAuthenticatedUser", "PARSE_SERVER_FILE_UPLOAD_ENABLE_FOR_AUTHENTICATED_USER", Supported;
        /// Callers who are not logged in may upload files.
        enable_for_public: bool = false, "enableForPublic", "PARSE_SERVER_FILE_UPLOAD_ENABLE_FOR_PUBLIC", Supported;
        /// Patterns of file extensions that may be uploaded.
        file_extensions: Vec<String> = vec![DEFAULT_EXTENSIONS.to_owned()], "fileExtensions", "PARSE_SERVER_FILE_UPLOAD_FILE_EXTENSIONS", Supported;
    }
}

group! {
    /// What this server does with files beyond parse-server.
    pub struct FileOptions {
        /// Serve images in another size or format when an address ends in ?width=…&height=…&fit=…&format=….
        transforms: bool = false, "transforms", "REPARSE_FILES_TRANSFORMS", Supported;
        /// Largest width and height that can be asked for, in pixels.
        transform_side: u32 = 4096, "transformSide", "REPARSE_FILES_TRANSFORM_SIDE", Supported;
        /// Pixels of the largest image that is changed.
        transform_pixels: u64 = 50_000_000, "transformPixels", "REPARSE_FILES_TRANSFORM_PIXELS", Supported;
        /// Bytes of the largest image that is changed.
        transform_bytes: u64 = 32 << 20, "transformBytes", "REPARSE_FILES_TRANSFORM_BYTES", Supported;
        /// Milliseconds that a client waits for its turn, and again for its image.
        transform_ms: u64 = 10_000, "transformMs", "REPARSE_FILES_TRANSFORM_MS", Supported;
        /// Bytes of changed images that are kept in memory.
        transform_cache_bytes: u64 = 64 << 20, "transformCacheBytes", "REPARSE_FILES_TRANSFORM_CACHE_BYTES", Supported;
    }
}

group! {
    /// Who may download files.
    pub struct FileDownload {
        /// Anonymous users may download files.
        enable_for_anonymous_user: bool = true, "enableForAnonymousUser", "PARSE_SERVER_FILE_DOWNLOAD_ENABLE_FOR_ANONYMOUS_USER", Supported;
        /// Logged in users may download files.
        enable_for_authenticated_user: bool = true, "enableForAuthenticatedUser", "PARSE_SERVER_FILE_DOWNLOAD_ENABLE_FOR_AUTHENTICATED_USER", Supported;
        /// Callers who are not logged in may download files.
        enable_for_public: bool = true, "enableForPublic", "PARSE_SERVER_FILE_DOWNLOAD_ENABLE_FOR_PUBLIC", Supported;
    }
}
