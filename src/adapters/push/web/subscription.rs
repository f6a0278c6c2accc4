//! What a browser gives an app so that it can be reached: `{"endpoint", "keys": {"p256dh", "auth"}}`, stored as `deviceToken`.

use base64::Engine as _;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use reqwest::Url;
use serde::Deserialize;

/// Longest text that is looked at, in bytes.
const LONGEST: usize = 16 << 10;
/// Padding may be there or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A browser's subscription.
#[derive(Debug)]
pub struct Subscription {
    /// Where its push service takes messages.
    pub endpoint: Url,
    /// The browser's public key.
    pub public: Vec<u8>,
    /// The secret that only the browser and the app know.
    pub secret: Vec<u8>,
}

#[derive(Deserialize)]
struct Form {
    endpoint: String,
    keys: Keys,
}

#[derive(Deserialize)]
struct Keys {
    p256dh: String,
    auth: String,
}

impl Subscription {
    /// Reads a subscription; none if it is not one.
    pub fn read(token: &str) -> Option<Self> {
        let form: Form = serde_json::from_str(Some(token).filter(|token| token.len() <= LONGEST)?).ok()?;
        let public = decode(&form.keys.p256dh).filter(|key| key.len() == 65)?;
        let secret = decode(&form.keys.auth).filter(|secret| secret.len() >= 16)?;
        Some(Self { endpoint: Url::parse(&form.endpoint).ok()?, public, secret })
    }
}

/// The bytes of a base64 text in either alphabet.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let letter = |letter| match letter {
        '+' => '-',
        '/' => '_',
        other => other,
    };
    BASE64.decode(text.chars().map(letter).collect::<String>()).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Subscription;

    #[test]
    fn subscriptions() {
        let key = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
        let with = |endpoint: &str, key: &str, auth: &str| {
            let text = json!({"endpoint": endpoint, "keys": {"p256dh": key, "auth": auth}, "expirationTime": null});
            Subscription::read(&text.to_string())
        };
        assert!(with("https://push.example/x", key, "BTBZMqHH6r4Tts7J_aSIgg").is_some());
        assert!(with("https://push.example/x", &format!("{key}="), "BTBZMqHH6r4Tts7J/aSIgg==").is_some());
        assert!(with("push.example", key, "BTBZMqHH6r4Tts7J_aSIgg").is_none());
        assert!(with("https://push.example/x", &key[1..], "BTBZMqHH6r4Tts7J_aSIgg").is_none());
        assert!(with("https://push.example/x", key, "BTBZ").is_none());
        for text in ["", "[]", "{}", "abc", "{\"endpoint\":\"https://x/\",\"keys\":{}}"] {
            assert!(Subscription::read(text).is_none(), "{text}");
        }
    }
}
