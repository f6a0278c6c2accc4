//! Files.

use super::declare::Status::{Harmless, Supported};
use super::declare::{group, options};
use super::free::Free;
use super::values::Secret;

options! {
    /// Files.
    pub struct Files {
        /// Who may upload what.
        upload: FileUpload = FileUpload::default(), "fileUpload", "PARSE_SERVER_FILE_UPLOAD_OPTIONS", Supported;
        /// Who may download.
        download: FileDownload = FileDownload::default(), "fileDownload", "PARSE_SERVER_FILE_DOWNLOAD_OPTIONS", Supported;
        /// File storage implementation.
        files_adapter: Option<Free> = None, "filesAdapter", "PARSE_SERVER_FILES_ADAPTER", Supported;
        /// No random prefix for files.
        preserve_file_name: bool = false, "preserveFileName", "PARSE_SERVER_PRESERVE_FILE_NAME", Supported;
        /// Key that encrypts files in GridFS and in the data directory, and stands in the addresses of files of the old hosted service.
        file_key: Option<Secret> = None, "fileKey", "PARSE_SERVER_FILE_KEY", Supported;
        /// Encrypts nothing.
        encryption_key: Option<Secret> = None, "encryptionKey", "PARSE_SERVER_ENCRYPTION_KEY", Harmless("parse-server 9 encrypts nothing by it; fileKey does, and the fs adapter has an option encryptionKey of its own");
    }
}

/// What may be uploaded: nothing a browser would run.
const DEFAULT_EXTENSIONS: &str = r"^(?!([xXsS]?[hH][tT][mM][lL]?(\+[xX][mM][lL])?|[xX][hH][tT]|[sS][vV][gG]([zZ]|\+[xX][mM][lL])?|[xX][mM][lL]|[xX][sS][lL][tT]?(\+[xX][mM][lL])?|[xX][sS][dD]|[rR][nN][gG]|[rR][dD][fF](\+[xX][mM][lL])?|[oO][wW][lL]|[mM][aA][tT][hH][mM][lL](\+[xX][mM][lL])?)$)";

group! {
    /// Who may upload what.
    pub struct FileUpload {
        /// Hosts allowed in urls of File values.
        allowed_file_url_domains: Vec<String> = vec!["*".to_owned()], "allowedFileUrlDomains", "PARSE_SERVER_FILE_UPLOAD_ALLOWED_FILE_URL_DOMAINS", Supported;
        /// Anonymous users may upload.
        enable_for_anonymous_user: bool = false, "enableForAnonymousUser", "PARSE_SERVER_FILE_UPLOAD_ENABLE_FOR_ANONYMOUS_USER", Supported;
        /// Users may upload.
        enable_for_authenticated_user: bool = true, "enableForAuthenticatedUser", "PARSE_SERVER_FILE_UPLOAD_ENABLE_FOR_AUTHENTICATED_USER", Supported;
        /// Everybody may upload.
        enable_for_public: bool = false, "enableForPublic", "PARSE_SERVER_FILE_UPLOAD_ENABLE_FOR_PUBLIC", Supported;
        /// Patterns of allowed extensions.
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
    /// Who may download.
    pub struct FileDownload {
        /// Anonymous users may download.
        enable_for_anonymous_user: bool = true, "enableForAnonymousUser", "PARSE_SERVER_FILE_DOWNLOAD_ENABLE_FOR_ANONYMOUS_USER", Supported;
        /// Users may download.
        enable_for_authenticated_user: bool = true, "enableForAuthenticatedUser", "PARSE_SERVER_FILE_DOWNLOAD_ENABLE_FOR_AUTHENTICATED_USER", Supported;
        /// Everybody may download.
        enable_for_public: bool = true, "enableForPublic", "PARSE_SERVER_FILE_DOWNLOAD_ENABLE_FOR_PUBLIC", Supported;
    }
}
