//! The random source of ids and tokens.

use std::fmt;
use std::sync::Mutex;

use rand::rngs::StdRng;
use rand::{RngCore, SeedableRng};

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Generates random bytes, ids and tokens.
pub trait Random: Send + Sync + fmt::Debug {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);

    /// A string of `length` characters of `A-Z a-z 0-9`, each equally likely.
    fn alphanumeric(&self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        let mut buffer = [0_u8; 32];
        while text.len() < length {
            self.fill(&mut buffer);
            for byte in buffer {
                // 248 = 4 × 62: larger bytes would favour the first letters.
                if byte < 248
                    && text.len() < length
                    && let Some(letter) = ALPHANUMERIC.get(usize::from(byte % 62))
                {
                    text.push(char::from(*letter));
                }
            }
        }
        text
    }

    /// `bytes` random bytes as lower-case hexadecimal digits.
    fn hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0_u8; bytes];
        self.fill(&mut buffer);
        hex(&buffer)
    }

    /// A session token: `r:` and 32 hexadecimal digits (16 random bytes).
    fn session_token(&self) -> String {
        format!("r:{}", self.hex(16))
    }
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
        text
    })
}

/// The random generator of the operating system.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        #[expect(clippy::disallowed_methods, reason = "this is the one place that asks for randomness")]
        rand::rng().fill_bytes(buffer);
    }
}

/// A generator with the same sequence for the same seed; only for tests.
#[derive(Debug)]
pub struct SeededRandom(Mutex<StdRng>);

impl SeededRandom {
    /// A generator that starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(StdRng::seed_from_u64(seed)))
    }
}

impl Random for SeededRandom {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_their_length_and_alphabet() {
        let random = SystemRandom;
        let id = random.alphanumeric(10);
        assert_eq!(id.len(), 10);
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        let token = random.session_token();
        assert_eq!(token.len(), 34);
        assert!(token.starts_with("r:"));
    }
}
