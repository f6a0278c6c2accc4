//! One-time codes of authenticator apps (RFC 6238).

use ring::hmac;
use subtle::ConstantTimeEq as _;

/// A secret that an authenticator app makes codes of.
#[derive(Debug, Clone)]
pub struct OneTime {
    key: hmac::Key,
    /// Digits of a code.
    pub digits: u32,
    period: i64,
}

impl OneTime {
    /// `secret`: in base 32. `algorithm`: `SHA1` if none is named. `period`: seconds for which a code is shown.
    ///
    /// # Errors
    /// A message for the administrator.
    pub fn new(secret: &str, algorithm: Option<&str>, digits: u32, period: i64) -> Result<Self, String> {
        let bytes = base32(secret).filter(|bytes| !bytes.is_empty()).ok_or("the secret is not in base 32")?;
        if !(4..=10).contains(&digits) || period < 10 {
            return Err("a code has 4 to 10 digits and a period of 10 seconds or more".to_owned());
        }
        Ok(Self { key: hmac::Key::new(self::algorithm(algorithm)?, &bytes), digits, period })
    }

    /// Whether a code is right. `now`: milliseconds since 1970.
    #[must_use]
    pub fn accepts(&self, code: &str, now: i64) -> bool {
        period_of(&self.key, self.digits, self.period, code, now).is_some()
    }
}

/// The algorithm of this name.
pub(super) fn algorithm(name: Option<&str>) -> Result<hmac::Algorithm, String> {
    match name {
        None | Some("SHA1" | "SHA-1") => Ok(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        Some("SHA256" | "SHA-256") => Ok(hmac::HMAC_SHA256),
        Some("SHA512" | "SHA-512") => Ok(hmac::HMAC_SHA512),
        Some(_) => Err("algorithm must be SHA1, SHA256 or SHA512".to_owned()),
    }
}

/// The period that a code belongs to: this one, or the one before or after. `None`: the code is wrong.
pub(super) fn period_of(key: &hmac::Key, digits: u32, seconds: i64, code: &str, now: i64) -> Option<i64> {
    let period = now.div_euclid(1000).div_euclid(seconds);
    // All three are computed, so that the time tells nothing.
    [-1, 0, 1].into_iter().fold(None, |found, offset| {
        let right = one_time_code(key, u64::try_from(period + offset).unwrap_or_default(), digits);
        let right = bool::from(right.as_bytes().ct_eq(code.as_bytes()));
        right.then_some(period + offset).or(found)
    })
}

/// RFC 4226.
fn one_time_code(key: &hmac::Key, counter: u64, digits: u32) -> String {
    let tag = hmac::sign(key, &counter.to_be_bytes());
    let bytes = tag.as_ref();
    let offset = bytes.last().map_or(0, |byte| usize::from(byte & 15));
    let number = bytes
        .get(offset..offset + 4)
        .and_then(|four| four.try_into().ok())
        .map_or(0, |four| u64::from(u32::from_be_bytes(four) & 0x7fff_ffff));
    let width = usize::try_from(digits).unwrap_or(6);
    format!("{:0width$}", number % 10_u64.pow(digits))
}

/// RFC 4648, in any case, with or without padding.
pub(super) fn base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut buffer, mut bits) = (0_u32, 0_u32);
    for letter in text.trim_end_matches('=').bytes() {
        let value = match letter.to_ascii_uppercase() {
            letter @ b'A'..=b'Z' => letter - b'A',
            letter @ b'2'..=b'7' => letter - b'2' + 26,
            b' ' | b'-' => continue,
            _ => return None,
        };
        buffer = (buffer << 5) | u32::from(value);
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((buffer >> bits) & 0xff).unwrap_or_default());
            buffer &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_rfc() {
        let secret = base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        assert_eq!(secret, b"12345678901234567890");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &secret);
        for (seconds, code) in [(59, "94287082"), (1_111_111_109, "07081804"), (20_000_000_000_u64, "65353130")] {
            assert_eq!(one_time_code(&key, seconds / 30, 8), code);
        }
        assert_eq!(base32("not base32!"), None);
        assert_eq!(base32("mzxw6==="), Some(b"foo".to_vec()));
    }
}
