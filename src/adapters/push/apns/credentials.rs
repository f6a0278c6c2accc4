//! How the server proves to APNs who it is: by a token that it signs, or by a certificate.

use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use p12_keystore::{KeyStore, Pkcs12ImportPolicy};
use reqwest::Identity;
use reqwest::header::HeaderValue;
use serde_json::json;

use crate::adapters::push::settings::Settings;
use crate::adapters::push::signed_token::SigningKey;

/// Milliseconds that a token is used. Apple takes none that is older than an hour, and dislikes more than one in 20 minutes.
const TOKEN_LASTS: i64 = 50 * 60 * 1000;

/// Signs tokens, and keeps the last one.
pub struct Signer {
    key: SigningKey,
    key_id: String,
    team_id: String,
    /// The token as a header, and when it was signed.
    current: Mutex<Option<(HeaderValue, i64)>>,
}

impl Signer {
    /// The signer of `token` in the settings, if there is one.
    pub fn open(settings: &mut Settings) -> Result<Option<Self>, String> {
        let Some(mut token) = settings.inner("token")? else { return Ok(None) };
        let pem = token.pem("key")?.ok_or_else(|| token.wrong("key", "is missing"))?;
        let key = SigningKey::es256_from_pem(&pem).map_err(|error| token.wrong("key", &error))?;
        let signer = Self {
            key,
            key_id: token.required("keyId")?,
            team_id: token.required("teamId")?,
            current: Mutex::default(),
        };
        token.finish()?;
        Ok(Some(signer))
    }

    /// The header with the token. `expired`: the one that Apple holds for expired, which is not given again.
    pub fn header(&self, now: i64, expired: Option<&HeaderValue>) -> Result<HeaderValue, String> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((header, signed)) = &*current
            && now.saturating_sub(*signed) < TOKEN_LASTS
            && expired != Some(header)
        {
            return Ok(header.clone());
        }
        let claims = json!({"iss": self.team_id, "iat": now / 1000});
        let token = self.key.token(Some(&self.key_id), &claims)?;
        let mut header = HeaderValue::from_str(&format!("bearer {token}")).map_err(|error| error.to_string())?;
        header.set_sensitive(true);
        *current = Some((header.clone(), now));
        Ok(header)
    }
}

/// The certificate of the settings with its key: `cert` and `key` (paths or PEM), or `pfx` (a path), opened by `passphrase`.
pub fn identity(settings: &mut Settings) -> Result<Option<Identity>, String> {
    let passphrase = settings.text("passphrase")?.unwrap_or_default();
    let pem = match (settings.text("pfx")?, settings.pem("cert")?, settings.pem("key")?) {
        (None, None, None) => return Ok(None),
        (Some(path), _, _) => {
            let pfx = std::fs::read(&path);
            let pfx =
                pfx.map_err(|error| settings.wrong("pfx", &format!("names a file that cannot be read: {error}")))?;
            pem_of_pfx(&pfx, &passphrase).map_err(|error| settings.wrong("pfx", &error))?
        }
        (None, Some(cert), Some(key)) => {
            if key.contains("ENCRYPTED") {
                let advice = "is encrypted; give it without a passphrase, or use pfx";
                return Err(settings.wrong("key", advice));
            }
            format!("{cert}\n{key}")
        }
        (None, Some(_), None) => return Err(settings.wrong("key", "is missing")),
        (None, None, Some(_)) => return Err(settings.wrong("cert", "is missing")),
    };
    Identity::from_pem(pem.as_bytes())
        .map(Some)
        .map_err(|error| settings.wrong_as_a_whole(&format!("has a certificate or a key that cannot be used: {error}")))
}

/// The certificates and the key of a PKCS #12 file as PEM.
fn pem_of_pfx(pfx: &[u8], passphrase: &str) -> Result<String, String> {
    let store = KeyStore::from_pkcs12(pfx, passphrase, Pkcs12ImportPolicy::Relaxed)
        .map_err(|error| format!("cannot be opened with this passphrase: {error}"))?;
    let (_, chain) = store.private_key_chain().ok_or("contains no key with a certificate")?;
    let certificates = chain.certs().iter().map(|certificate| pem("CERTIFICATE", certificate.as_der()));
    Ok(certificates.chain([pem("PRIVATE KEY", chain.key().as_der())]).collect())
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}
