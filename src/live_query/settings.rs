//! What the options say about connections.

use subtle::ConstantTimeEq as _;

use crate::config::Options;
use crate::domain::features::live_query::Bounds;

/// The key pair that makes its holder master.
const MASTER_KEY: &str = "masterKey";
/// Options of connections.
#[derive(Debug)]
pub struct Settings {
    /// Keys of which a client must give one; empty: none is needed.
    key_pairs: Vec<(String, KeyText)>,
    /// What each may cost.
    pub bounds: Bounds,
}

struct KeyText(String);

impl std::fmt::Debug for KeyText {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyText(…)")
    }
}

impl Settings {
    /// Reads the options.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        let server = options.live_query.server.clone().unwrap_or_default();
        let pairs = server.key_pairs.iter().filter_map(|pairs| pairs.0.as_object()).flatten();
        Self {
            key_pairs: pairs
                .filter_map(|(name, key)| Some((name.clone(), KeyText(key.as_str()?.to_owned()))))
                .collect(),
            bounds: Bounds::new(options),
        }
    }

    /// Whether a client with these keys may connect, and whether as master; `None`: it may not.
    #[must_use]
    pub fn admits(&self, given: &[(String, String)]) -> Option<bool> {
        if self.key_pairs.is_empty() {
            return Some(false);
        }
        let right = |name: &str, key: &KeyText| {
            let same = |(of, text): &&(String, String)| of == name && text.as_bytes().ct_eq(key.0.as_bytes()).into();
            given.iter().find(same).is_some()
        };
        let right: Vec<&str> =
            self.key_pairs.iter().filter(|(name, key)| right(name, key)).map(|(name, _)| name.as_str()).collect();
        (!right.is_empty()).then(|| right.contains(&MASTER_KEY))
    }
}
