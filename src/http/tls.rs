//! TLS: the certificate and its key, which are read again when their files change, and what is agreed with clients.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::version::{TLS12, TLS13};
use tokio_rustls::rustls::{ServerConfig, SupportedProtocolVersion};
use tokio_rustls::server::TlsStream;

use crate::config::tls::Tls as Options;
use crate::config::values::TlsVersion;

/// How often the files are read.
const EVERY: Duration = Duration::from_secs(5);
/// Maximum bytes of a file.
const FILE_BYTES: u64 = 1 << 20;
/// Names of protocols in the handshake (RFC 7301).
const HTTP2: &[u8] = b"h2";
const HTTP1: &[u8] = b"http/1.1";

/// Encrypts the connections of a server.
#[derive(Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    min_version: TlsVersion,
    http2: bool,
    current: ArcSwap<ServerConfig>,
    /// What the files held when they were read last.
    seen: Mutex<Pem>,
}

/// The content of both files.
#[derive(PartialEq, Eq, Default)]
struct Pem {
    certificate: Vec<u8>,
    key: Vec<u8>,
}

impl std::fmt::Debug for Pem {
    /// Omits the key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Pem").finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files that the options name; `None` without them.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(options: &Options) -> Result<Option<Arc<Self>>, String> {
        let (Some(certificate), Some(key)) = (&options.certificate, &options.key) else { return Ok(None) };
        let (certificate, key) = (PathBuf::from(certificate), PathBuf::from(key));
        let pem = Pem::read(&certificate, &key)?;
        let current = ArcSwap::from_pointee(pem.agreed(options.min_version, options.http2)?);
        let (min_version, http2) = (options.min_version, options.http2);
        Ok(Some(Arc::new(Self { certificate, key, min_version, http2, current, seen: Mutex::new(pem) })))
    }

    /// Reads the files again, and takes them for new connections if they have changed and belong together. What is wrong with them is
    /// logged, once for each content.
    pub async fn reload(self: &Arc<Self>) {
        let tls = self.clone();
        if let Err(error) = tokio::task::spawn_blocking(move || tls.read_again()).await {
            tracing::error!(%error, "the certificate could not be read");
        }
    }

    /// Reads the files again and again.
    pub async fn follow(self: Arc<Self>) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.reload().await;
        }
    }

    fn read_again(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // While a file is missing or unreadable, there is nothing to compare: what is known stays.
        let read = match Pem::read(&self.certificate, &self.key) {
            Ok(pem) if pem == *seen => return,
            Ok(pem) => pem,
            Err(error) => return tracing::warn!("the certificate in use stays: {error}"),
        };
        match read.agreed(self.min_version, self.http2) {
            Ok(agreed) => {
                self.current.store(Arc::new(agreed));
                tracing::info!("new connections get the new certificate");
            }
            // Often one file of the two has been written so far.
            Err(error) => tracing::warn!("the certificate in use stays: {error}"),
        }
        *seen = read;
    }

    /// Agrees on keys and a protocol with a client.
    ///
    /// # Errors
    /// If the client does not speak TLS, or not a version that is allowed.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        TlsAcceptor::from(self.current.load_full()).accept(stream).await
    }
}

/// Whether the client of a connection chose HTTP/2.
#[must_use]
pub fn chose_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

impl Pem {
    fn read(certificate: &Path, key: &Path) -> Result<Self, String> {
        let read = |option: &str, path: &Path| {
            let fail = |error: std::io::Error| format!("option {option}: cannot read {}: {error}", path.display());
            let mut bytes = Vec::new();
            let file = std::fs::File::open(path).map_err(fail)?;
            file.take(FILE_BYTES).read_to_end(&mut bytes).map_err(fail)?;
            Ok::<_, String>(bytes)
        };
        Ok(Self { certificate: read("tls.certificate", certificate)?, key: read("tls.key", key)? })
    }

    /// What is agreed with clients by these files.
    fn agreed(&self, min_version: TlsVersion, http2: bool) -> Result<ServerConfig, String> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.map_err(|error| format!("option tls.certificate: {error}"))?;
        if chain.is_empty() {
            return Err("option tls.certificate: the file has no certificate as PEM".to_owned());
        }
        let key = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|_| "option tls.key: the file has no private key as PEM without a password".to_owned())?;
        let versions: &[&SupportedProtocolVersion] = match min_version {
            TlsVersion::V1_2 => &[&TLS13, &TLS12],
            TlsVersion::V1_3 => &[&TLS13],
        };
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .map_err(|error| error.to_string())?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| format!("options tls.certificate and tls.key: {error}"))?;
        config.alpn_protocols = if http2 { vec![HTTP2.to_vec(), HTTP1.to_vec()] } else { vec![HTTP1.to_vec()] };
        Ok(config)
    }
}
