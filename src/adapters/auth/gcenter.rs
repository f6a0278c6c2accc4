//! Apple's Game Center: a signature of Apple over player, app, time and salt.
//!
//! The client says where the certificate of the signing key is. It is taken from Apple's hosts only, must be issued to Apple by
//! the authority of the settings, and be valid today. `webpki` verifies the chain and the signature.

use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use futures_util::future::BoxFuture;
use reqwest::Url;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, UnixTime};
use serde_json::{Map, Value as Json};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::{Attempt, AuthAdapter, Given, Outcome, endpoint, invalid, text};
use crate::adapters::http::Caller;
use crate::bounded_cache::BoundedCache;
use crate::error::{ParseError, Result};

/// The authority that issues Apple's certificates for Game Center.
const AUTHORITY: &str = "https://cacerts.digicert.com/DigiCertTrustedG4CodeSigningRSA4096SHA3842021CA1.crt.pem";
/// Maximum bytes of a certificate, and of each text that a client sends.
const MAX_CERTIFICATE: usize = 10_000;
const MAX_TEXT: usize = 4096;
/// How long certificates are cached, and how many.
const CACHED_FOR: Duration = Duration::from_hours(1);
const CACHED: u64 = 64;
/// Tolerated clock skew in milliseconds.
const SKEW: i64 = 300_000;
/// The purpose of the certificates: code signing (1.3.6.1.5.5.7.3.3).
const CODE_SIGNING: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 3, 3];

/// As parse-server reads it: with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Game Center.
#[derive(Debug)]
pub struct GameCenter {
    caller: Caller,
    bundle_id: String,
    authority: Url,
    /// Where certificates may come from; `None` means Apple's hosts.
    place: Option<Url>,
    /// Certificates by their URL, verified or not: they are verified at each use.
    certificates: BoundedCache<CertificateDer<'static>>,
}

impl GameCenter {
    /// Settings: `bundleId`, `rootCertificateUrl`. `publicKeyUrl`: certificates come from this origin instead of Apple's
    /// hosts.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn open(settings: &Map<String, Json>) -> Result<Self, String> {
        let place = match settings.get("publicKeyUrl") {
            None | Some(Json::Null) => None,
            Some(_) => Some(endpoint(settings, "publicKeyUrl", "")?),
        };
        Ok(Self {
            caller: Caller::new()?,
            bundle_id: text(settings, "bundleId")?,
            authority: endpoint(settings, "rootCertificateUrl", AUTHORITY)?,
            place,
            certificates: BoundedCache::living(CACHED, CACHED_FOR),
        })
    }

    /// The URL of a certificate, if certificates may come from there.
    fn allowed(&self, text: &str) -> Option<Url> {
        let url = Url::parse(text).ok()?;
        let host = url.host_str()?;
        let apple = host == "apple.com" || host.ends_with(".apple.com");
        let trusted = match &self.place {
            Some(place) => url.origin() == place.origin(),
            None => apple && url.scheme() == "https" && url.port().is_none(),
        };
        // Nothing may be added by which one certificate would have many addresses.
        let bare = url.username().is_empty() && url.password().is_none();
        let bare = bare && url.query().is_none() && url.fragment().is_none();
        let certificate = Path::new(url.path()).extension().is_some_and(|extension| extension == "cer");
        (trusted && bare && certificate).then_some(url)
    }

    /// A certificate, in PEM or DER.
    async fn certificate(&self, url: &Url) -> Result<CertificateDer<'static>, String> {
        if let Some(known) = self.certificates.get(url.as_str()) {
            return Ok(known);
        }
        let bytes = self.caller.good(self.caller.get(url)).await.map_err(|error| error.to_string())?;
        if bytes.len() > MAX_CERTIFICATE {
            return Err("the certificate is too long".to_owned());
        }
        let certificate = CertificateDer::from_pem_slice(&bytes).unwrap_or_else(|_| bytes.into());
        X509Certificate::from_der(&certificate).map_err(|_| "this is no certificate".to_owned())?;
        self.certificates.insert(url.to_string(), certificate.clone());
        Ok(certificate)
    }
}

/// What a client sent.
struct Claim<'a> {
    id: &'a str,
    url: &'a str,
    /// Milliseconds since 1970.
    timestamp: u64,
    salt: Vec<u8>,
    signature: Vec<u8>,
}

impl<'a> Claim<'a> {
    fn read(given: &Given<'a>) -> Result<Self> {
        let missing = |key: &str| invalid(format!("AuthData {key} is missing."));
        let text = |key: &str| given.text(key).filter(|text| text.len() <= MAX_TEXT).ok_or_else(|| missing(key));
        let (id, url) = (text("id")?, text("publicKeyUrl")?);
        let timestamp = match given.data.get("timestamp") {
            Some(Json::Number(number)) => number.as_u64(),
            Some(Json::String(text)) => text.parse().ok(),
            _ => None,
        };
        let timestamp = timestamp.filter(|time| *time > 0).ok_or_else(|| missing("timestamp"))?;
        let (signature, salt) = (text("signature")?, text("salt")?);
        let bytes = |text: &str| BASE64.decode(text).map_err(|_| forged());
        Ok(Self { id, url, timestamp, salt: bytes(salt)?, signature: bytes(signature)? })
    }

    /// What Apple signs.
    fn signed(&self, bundle_id: &str) -> Vec<u8> {
        [self.id.as_bytes(), bundle_id.as_bytes(), &self.timestamp.to_be_bytes(), &self.salt].concat()
    }
}

fn forged() -> ParseError {
    invalid("Invalid signature.")
}

/// Whether a certificate is issued to Apple: others buy certificates of the same authority.
fn is_of_apple(certificate: &CertificateDer<'_>) -> bool {
    let Ok((_, certificate)) = X509Certificate::from_der(certificate) else { return false };
    let mut organizations = certificate.subject().iter_organization().filter_map(|name| name.as_str().ok());
    matches!((organizations.next(), organizations.next()), (Some("Apple Inc." | "Apple, Inc."), None))
}

impl AuthAdapter for GameCenter {
    fn identify<'a>(&'a self, given: &'a Given<'a>) -> BoxFuture<'a, Result<Option<Map<String, Json>>>> {
        Box::pin(async move {
            let claim = Claim::read(given)?;
            let wrong_url = || {
                let shown: String = claim.url.chars().filter(|letter| !letter.is_control()).take(200).collect();
                invalid(format!("Invalid publicKeyUrl: {shown}"))
            };
            let url = self.allowed(claim.url).ok_or_else(wrong_url)?;
            // The signed bytes have no separators. Without a limit, the end of a longer bundle id could be sent as the start of
            // the time, so that a signature made for an app whose id begins like ours would be one for ours.
            let latest = u64::try_from(given.now.saturating_add(SKEW)).unwrap_or_default();
            if claim.timestamp > latest {
                return Err(forged());
            }
            let no_authority = |error: String| invalid("Root certificate is invalid or missing.").with_source(error);
            let authority = self.certificate(&self.authority).await.map_err(no_authority)?;
            let anchor = anchor_from_trusted_cert(&authority).map_err(|error| no_authority(error.to_string()))?;
            let certificate = self.certificate(&url).await.map_err(|error| wrong_url().with_source(error))?;
            let signer = EndEntityCert::try_from(&certificate).map_err(|error| wrong_url().with_source(error))?;
            let now = UnixTime::since_unix_epoch(Duration::from_millis(u64::try_from(given.now).unwrap_or_default()));
            signer
                .verify_for_usage(
                    webpki::ALL_VERIFICATION_ALGS,
                    &[anchor],
                    &[],
                    now,
                    KeyUsage::required_if_present(CODE_SIGNING),
                    None,
                    None,
                )
                .map_err(|error| wrong_url().with_source(error))?;
            if !is_of_apple(&certificate) {
                return Err(wrong_url());
            }
            signer
                .verify_signature(
                    webpki::ring::RSA_PKCS1_2048_8192_SHA256,
                    &claim.signed(&self.bundle_id),
                    &claim.signature,
                )
                .map_err(|_| forged())?;
            // A signature has no end: nothing is stored that whoever reads the database could log in with.
            Ok(Some(Map::from_iter([("id".to_owned(), claim.id.into())])))
        })
    }

    fn validate<'a>(&'a self, _attempt: &'a Attempt<'a>) -> BoxFuture<'a, Result<Outcome>> {
        Box::pin(async move {
            // The signature was verified when the user was identified.
            Ok(Outcome::default())
        })
    }
}
