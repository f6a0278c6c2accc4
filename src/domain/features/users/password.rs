//! Password hashing with bcrypt on dedicated threads with a bounded queue, so that it never blocks other work.

use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::engine::general_purpose::{self, GeneralPurpose};
use base64::{Engine as _, alphabet};
use bcrypt::Version;
use tokio::sync::oneshot;

use super::hash_threads::{Answer, HashThreads, Job};
use crate::config::reparse::ReparseOptions;
use crate::error::{ParseError, Result};
use crate::model::object::Object;
use crate::model::query::{Filter, Resolved};
use crate::model::value::Value;
use crate::random::{Random, SystemRandom};

/// Number of bytes of a password that bcrypt uses; the rest is ignored, as in parse-server.
const SIGNIFICANT_BYTES: usize = 72;

/// The base64 alphabet of bcrypt.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::BCRYPT, general_purpose::NO_PAD);

/// The condition on a user's row that its password is still the one in this row, or that it still has none.
#[must_use]
pub fn unchanged(row: &Object) -> Resolved {
    Filter::eq("_hashed_password", row.get("_hashed_password").cloned().unwrap_or(Value::Null))
}

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Hasher {
    threads: Arc<HashThreads>,
    cost: u32,
    /// The hash that is verified for unknown users, so that they cost the same as known ones.
    decoy: Arc<str>,
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hasher").field("cost", &self.cost).finish_non_exhaustive()
    }
}

impl Hasher {
    /// Starts the threads: the number in the options, or one less than the number of cores (at least one) and one
    /// with idle priority.
    #[must_use]
    pub fn start(options: &ReparseOptions) -> Self {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (threads, idle_time) = match options.hash_threads {
            Some(threads) => (usize::from(threads), false),
            None => (cores.saturating_sub(1).max(1), cores > 1),
        };
        let depth = usize::try_from(options.hash_queue).unwrap_or(usize::MAX);
        let threads = Arc::new(HashThreads::start(threads, idle_time, depth));
        Self { threads, cost: options.bcrypt_cost, decoy: decoy(options.bcrypt_cost).into() }
    }

    /// Passwords that wait for a thread.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.threads.waiting()
    }

    /// The hash of a password. Callers, told apart by their address, take turns.
    ///
    /// # Errors
    /// 503 when the queue is full and this caller has as many places as any.
    pub async fn hash(&self, caller: IpAddr, password: String) -> Result<String> {
        let cost = self.cost;
        self.run(caller, move || hash(&password, cost))
            .await?
            .ok_or_else(|| ParseError::internal("bcrypt refused to hash"))
    }

    /// Verifies a password. Without a hash does the same work and returns `false`.
    ///
    /// # Errors
    /// As [`Hasher::hash`].
    pub async fn verify(&self, caller: IpAddr, password: String, hash: Option<String>) -> Result<bool> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| self.decoy.to_string());
        let decoy = self.decoy.clone();
        let matches = self
            .run(caller, move || {
                let password = significant(password.as_bytes());
                bcrypt::verify(password, &hash).unwrap_or_else(|_| {
                    // A stored value that is not a bcrypt hash must not be faster.
                    let _ = bcrypt::verify(password, &decoy);
                    false
                })
            })
            .await?;
        Ok(matches && known)
    }

    async fn run<T: Send + 'static>(&self, caller: IpAddr, work: impl Fn() -> T + Send + Sync + 'static) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        if !self.threads.put(caller, Arc::new(HashJob { work, answer: Arc::new(Mutex::new(Some(answer))) })) {
            return Err(busy());
        }
        answered.await.map_err(|_| busy())
    }
}

/// The queue is full, or the place was given to a caller who has fewer.
fn busy() -> ParseError {
    ParseError::unavailable("The server is busy; try again.", 1)
}

/// Work for a request.
struct HashJob<W, T> {
    work: W,
    /// The channel to the waiting request, until the result is sent.
    answer: Arc<Mutex<Option<oneshot::Sender<T>>>>,
}

impl<T: Send + 'static, W: Fn() -> T + Send + Sync> Job for HashJob<W, T> {
    fn is_wanted(&self) -> bool {
        lock(&self.answer).as_ref().is_some_and(|answer| !answer.is_closed())
    }

    fn work(&self) -> Answer {
        let (done, answer) = ((self.work)(), self.answer.clone());
        Box::new(move || {
            if let Some(answer) = lock(&answer).take() {
                // The request may have been cancelled.
                let _ = answer.send(done);
            }
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn hash(password: &str, cost: u32) -> Option<String> {
    let mut salt = [0_u8; 16];
    SystemRandom.fill(&mut salt);
    let parts = bcrypt::hash_with_salt(significant(password.as_bytes()), cost, salt).ok()?;
    Some(parts.format_for_version(Version::TwoY))
}

/// A string in the form of a bcrypt hash with random salt and digest, which matches no known password. A real hash
/// would slow down the start.
fn decoy(cost: u32) -> String {
    let mut salt = [0_u8; 16];
    let mut digest = [0_u8; 23];
    SystemRandom.fill(&mut salt);
    SystemRandom.fill(&mut digest);
    format!("$2y${cost:02}${}{}", BCRYPT_BASE64.encode(salt), BCRYPT_BASE64.encode(digest))
}

fn significant(password: &[u8]) -> &[u8] {
    password.get(..SIGNIFICANT_BYTES).unwrap_or(password)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_verify_in_every_dialect() {
        let hashed = hash("secret", 4).unwrap();
        assert!(hashed.starts_with("$2y$04$"));
        for version in ["$2a$", "$2b$", "$2y$"] {
            let dialect = hashed.replace("$2y$", version);
            assert!(bcrypt::verify(significant(b"secret"), &dialect).unwrap());
        }
    }

    #[test]
    fn the_decoy_costs_what_a_hash_costs() {
        let decoy = decoy(7);
        assert_eq!(decoy.parse::<bcrypt::HashParts>().unwrap().get_cost(), 7);
        assert!(!bcrypt::verify(b"secret", &decoy).unwrap());
    }

    #[test]
    fn odd_passwords_hash() {
        let long = "x".repeat(1_000_000);
        for password in ["", "\0", "pässwörd", "a\0b", &long] {
            let hashed = hash(password, 4).unwrap();
            assert!(bcrypt::verify(significant(password.as_bytes()), &hashed).unwrap(), "{}", password.len());
        }
        let hashed = hash(&"y".repeat(73), 4).unwrap();
        assert!(bcrypt::verify(significant("y".repeat(72).as_bytes()), &hashed).unwrap());
    }
}
