//! Tokens that the server signs to prove to a service who it is: JWT with ES256 or RS256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value as Json, json};

/// A private key that signs.
pub enum SigningKey {
    /// P-256 with SHA-256.
    Es256(Box<EcdsaKeyPair>),
    /// RSA (PKCS #1) with SHA-256.
    Rs256(Box<RsaKeyPair>),
}

impl SigningKey {
    /// The P-256 key in a PEM text (PKCS #8, as Apple gives it out).
    pub fn es256_from_pem(pem: &str) -> Result<Self, String> {
        match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => {
                let pair = EcdsaKeyPair::from_pkcs8(
                    &ECDSA_P256_SHA256_FIXED_SIGNING,
                    der.secret_pkcs8_der(),
                    &SystemRandom::new(),
                );
                pair.map(|pair| Self::Es256(Box::new(pair))).map_err(|error| format!("is no P-256 key: {error}"))
            }
            _ => Err("must be a private key in PEM (PKCS #8: BEGIN PRIVATE KEY)".to_owned()),
        }
    }

    /// The P-256 key with these bytes: 32 of the private, 65 of the public key.
    pub fn es256_from_bytes(private: &[u8], public: &[u8]) -> Result<Self, String> {
        EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            private,
            public,
            &SystemRandom::new(),
        )
        .map(|pair| Self::Es256(Box::new(pair)))
        .map_err(|error| error.to_string())
    }

    /// The RSA key in a PEM text (PKCS #8 or PKCS #1).
    pub fn rs256_from_pem(pem: &str) -> Result<Self, String> {
        let pair = match PrivateKeyDer::from_pem_slice(pem.as_bytes()) {
            Ok(PrivateKeyDer::Pkcs8(der)) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(der)) => RsaKeyPair::from_der(der.secret_pkcs1_der()),
            _ => return Err("must be a private key in PEM".to_owned()),
        };
        pair.map(|pair| Self::Rs256(Box::new(pair))).map_err(|error| format!("is no RSA key: {error}"))
    }

    /// A token with these claims. `key_id`: what the service knows the key by.
    pub fn token(&self, key_id: Option<&str>, claims: &Json) -> Result<String, String> {
        let mut header = match self {
            Self::Es256(_) => json!({"alg": "ES256", "typ": "JWT"}),
            Self::Rs256(_) => json!({"alg": "RS256", "typ": "JWT"}),
        };
        if let (Some(key_id), Some(header)) = (key_id, header.as_object_mut()) {
            header.insert("kid".to_owned(), key_id.into());
        }
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(claims.to_string(), &mut token);
        let random = SystemRandom::new();
        let signature = match self {
            Self::Es256(pair) => pair.sign(&random, token.as_bytes()).map(|signature| signature.as_ref().to_vec()),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                let signed = pair.sign(&RSA_PKCS1_SHA256, &random, token.as_bytes(), &mut signature);
                signed.map(|()| signature)
            }
        };
        let signature = signature.map_err(|error| format!("no token could be signed: {error}"))?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }
}
