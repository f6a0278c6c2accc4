//! Encryption of a message for one browser: RFC 8291, with the content encoding `aes128gcm` of RFC 8188.

use ring::aead::{AES_128_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::agreement::{ECDH_P256, EphemeralPrivateKey, UnparsedPublicKey, agree_ephemeral};
use ring::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use ring::rand::SystemRandom;

/// Bytes of a salt.
const SALT: usize = 16;
/// Bytes of a P-256 public key as it is sent.
const PUBLIC_KEY: usize = 65;
/// Length of a record that is announced; a message is one record.
const RECORD: u32 = 4096;
/// Most bytes of a message: what fits into a record, less the mark of its end and the tag.
pub const LONGEST: usize = RECORD as usize - 1 - 16;

/// The keys of a browser's subscription.
pub struct Keys<'a> {
    /// Its public key: 65 bytes.
    pub public: &'a [u8],
    /// Its authentication secret.
    pub secret: &'a [u8],
}

/// The body of the request: salt, record size, our public key, and the encrypted message.
///
/// # Errors
/// When the browser's key is no point of the curve, or the message is too long.
pub fn encrypt(message: &[u8], keys: &Keys<'_>, salt: [u8; SALT]) -> Result<Vec<u8>, &'static str> {
    const BAD_KEY: &str = "the key of the subscription is no P-256 key";
    // The crate takes random numbers for keys from nowhere else.
    let private =
        EphemeralPrivateKey::generate(&ECDH_P256, &SystemRandom::new()).map_err(|_| "no key could be made")?;
    let public = private.compute_public_key().map_err(|_| "no key could be made")?;
    let theirs = UnparsedPublicKey::new(&ECDH_P256, keys.public);
    agree_ephemeral(private, &theirs, |shared| seal(message, keys, shared, public.as_ref(), salt))
        .map_err(|_| BAD_KEY)?
}

/// Encrypts with what both sides can compute.
fn seal(
    message: &[u8],
    keys: &Keys<'_>,
    shared: &[u8],
    public: &[u8],
    salt: [u8; SALT],
) -> Result<Vec<u8>, &'static str> {
    const FAILED: &str = "the message could not be encrypted";
    if message.len() > LONGEST {
        return Err("the message is too long");
    }
    let of_both = Salt::new(HKDF_SHA256, keys.secret).extract(shared);
    let mut input = [0; 32];
    derive(&of_both, &[b"WebPush: info\0", keys.public, public], &mut input).ok_or(FAILED)?;
    let of_message = Salt::new(HKDF_SHA256, &salt).extract(&input);
    let (mut key, mut nonce) = ([0; 16], [0; NONCE_LEN]);
    derive(&of_message, &[b"Content-Encoding: aes128gcm\0"], &mut key).ok_or(FAILED)?;
    derive(&of_message, &[b"Content-Encoding: nonce\0"], &mut nonce).ok_or(FAILED)?;

    let mut body = Vec::with_capacity(SALT + 4 + 1 + PUBLIC_KEY + message.len() + 17);
    body.extend_from_slice(&salt);
    body.extend_from_slice(&RECORD.to_be_bytes());
    body.push(u8::try_from(public.len()).map_err(|_| FAILED)?);
    body.extend_from_slice(public);
    // A 2 marks the end of the last record.
    let mut record = [message, &[2]].concat();
    let key = LessSafeKey::new(UnboundKey::new(&AES_128_GCM, &key).map_err(|_| FAILED)?);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut record).map_err(|_| FAILED)?;
    body.extend_from_slice(&record);
    Ok(body)
}

struct Length(usize);

impl KeyType for Length {
    fn len(&self) -> usize {
        self.0
    }
}

fn derive(source: &Prk, info: &[&[u8]], output: &mut [u8]) -> Option<()> {
    source.expand(info, Length(output.len())).ok()?.fill(output).ok()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::{Keys, LONGEST, encrypt, seal};

    const PUBLIC: &str = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";

    fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    /// The example of RFC 8291, section 5 and appendix A.
    #[test]
    fn the_example_of_the_rfc() {
        let (public, secret) = (bytes(PUBLIC), bytes("BTBZMqHH6r4Tts7J_aSIgg"));
        let shared = bytes("kyrL1jIIOHEzg3sM2ZWRHDRB62YACZhhSlknJ672kSs");
        let ours = bytes("BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8");
        let salt: [u8; 16] = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let keys = Keys { public: &public, secret: &secret };
        let sealed = seal(b"When I grow up, I want to be a watermelon", &keys, &shared, &ours, salt).unwrap();
        let expected = concat!(
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK",
            "6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN",
        );
        assert_eq!(URL_SAFE_NO_PAD.encode(sealed), expected);
    }

    #[test]
    fn what_cannot_be_encrypted() {
        let public = bytes(PUBLIC);
        let good = Keys { public: &public, secret: &[1; 16] };
        assert_eq!(encrypt(&vec![b'x'; LONGEST], &good, [0; 16]).unwrap().len(), 4096 + 86);
        assert!(encrypt(&vec![b'x'; LONGEST + 1], &good, [0; 16]).is_err());
        assert!(encrypt(b"x", &Keys { public: &[4; 65], secret: &[1; 16] }, [0; 16]).is_err());
        assert!(encrypt(b"x", &Keys { public: &[], secret: &[1; 16] }, [0; 16]).is_err());
    }
}
