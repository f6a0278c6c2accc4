//! Options of TLS.

use super::declare::Status::Supported;
use super::declare::group;
use super::values::TlsVersion;

group! {
    /// TLS: the server answers HTTPS, and nothing else, on its ports.
    pub struct Tls {
        /// Path of the certificate and the chain up to its root, as PEM. It is read again when it changes.
        certificate: Option<String> = None, "certificate", "REPARSE_TLS_CERTIFICATE", Supported;
        /// Path of the certificate's private key, as PEM.
        key: Option<String> = None, "key", "REPARSE_TLS_KEY", Supported;
        /// Oldest version of TLS that clients may use: `1.2` or `1.3`.
        min_version: TlsVersion = TlsVersion::V1_2, "minVersion", "REPARSE_TLS_MIN_VERSION", Supported;
        /// Offer HTTP/2.
        http2: bool = true, "http2", "REPARSE_TLS_HTTP2", Supported;
    }
}

impl Tls {
    /// Whether the server speaks TLS.
    #[must_use]
    pub const fn is_on(&self) -> bool {
        self.certificate.is_some()
    }

    /// The scheme of the server's own URLs.
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.is_on() { "https" } else { "http" }
    }
}
