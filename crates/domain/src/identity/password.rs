//! Passwords: Argon2id (RFC 9106) with OWASP's parameters, on threads of their own and few at a
//! time.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash,
};
use kernel::{
    Ids,
    checks::Checks,
    error::{Code, Error, Result},
};
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::mail::Email;

/// The codes of [`Password::check`].
pub const PASSWORD_ERRORS: &[Code] = &[Code::TooShort, Code::TooLong, Code::NulByte, Code::WeakPassword];

/// The length of a password, in characters.
const LENGTH: std::ops::RangeInclusive<usize> = 10..=256;
/// OWASP Password Storage Cheat Sheet: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// The hash that is verified for an account without one, so that an answer takes as long as for one
/// with it: today's parameters, and a hash of all zeros.
const NOBODYS: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
/// The most hashes that are computed at a time: 19 MiB and a core each.
const MAX_CONCURRENT: usize = 4;
/// The longest wait of a caller for its turn; after it the caller gets [`Code::Overloaded`].
const TURN_TIMEOUT: Duration = Duration::from_secs(10);
/// The most common passwords that are long enough, from the lists that attackers start with.
const COMMON: &[&str] = &[
    "1234567890",
    "0123456789",
    "12345678910",
    "1234567891",
    "0987654321",
    "1111111111",
    "0000000000",
    "qwertyuiop",
    "1q2w3e4r5t",
    "q1w2e3r4t5",
    "1qaz2wsx3edc",
    "qwerty12345",
    "qwerty123456",
    "password12",
    "password123",
    "password1234",
    "passw0rd123",
    "iloveyou123",
    "administrator",
    "letmein123",
    "welcome123",
    "changeme123",
    "football123",
    "basketball",
    "aaaaaaaaaa",
    "abcdefghij",
    "asdfghjkl123",
];

/// A password as it was typed. Not shown by `Debug`.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(transparent)]
#[schema(
    value_type = String,
    format = Password,
    min_length = 10,
    max_length = 256,
    example = "correct horse battery staple"
)]
pub struct Password(String);

impl Password {
    /// Checks it as a new password for the account of `email` and `name`.
    pub fn check(&self, checks: &mut Checks, pointer: &str, email: &Email, name: &str) {
        let count = self.0.chars().count();
        if !LENGTH.contains(&count) {
            checks.text(pointer, &self.0, LENGTH);
            return;
        }
        let plain = self.0.to_lowercase();
        let local = email.as_str().split('@').next().unwrap_or_default().to_lowercase();
        let own = [email.key(), local, name.to_lowercase()];
        if COMMON.contains(&plain.as_str()) || own.contains(&plain) {
            checks.broken(
                Code::WeakPassword,
                pointer,
                "is among the first that an attacker tries; choose another, such as four random words",
            );
        }
    }

    /// Returns true when it could be somebody's password: others are refused before anything is
    /// computed.
    fn is_possible(&self) -> bool {
        // Passwords of older rules may be shorter.
        self.0.len() <= LENGTH.end() * 4
    }
}

impl From<String> for Password {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Hashes and verifies passwords. Cloning shares the limit.
#[derive(Clone)]
pub struct Passwords {
    turns: Arc<Semaphore>,
    ids: Ids,
    computed: Arc<AtomicU64>,
}

impl Passwords {
    /// Creates a hasher whose salts come from `ids`.
    pub fn new(ids: &Ids) -> Self {
        Self { turns: Arc::new(Semaphore::new(MAX_CONCURRENT)), ids: ids.clone(), computed: Arc::default() }
    }

    /// Returns the hash of a new password, as a PHC string.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait.
    pub async fn hash(&self, password: &Password) -> Result<String> {
        let (password, salt) = (password.clone(), self.ids.bytes());
        self.in_turn(move || hash(password.0.as_bytes(), &salt)).await?
    }

    /// Returns true when `password` is the one of `stored`. Without a stored hash it takes as long,
    /// and returns false.
    ///
    /// # Errors
    /// [`Code::Overloaded`] when too many wait.
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<bool> {
        let (known, stored) = (stored.is_some(), stored.unwrap_or(NOBODYS).to_owned());
        let possible = password.is_possible();
        let password = if possible { password.0.clone() } else { String::new() };
        let right = self.in_turn(move || {
            // The hash names the parameters that it was made with.
            PasswordHash::new(&stored)
                .is_ok_and(|stored| Argon2::default().verify_password(password.as_bytes(), &stored).is_ok())
        });
        Ok(right.await? && known && possible)
    }

    /// Returns the number of hashes computed since the start, by which a test compares the cost of
    /// answers.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }

    async fn in_turn<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let turn = tokio::time::timeout(TURN_TIMEOUT, Arc::clone(&self.turns).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            let error =
                Error::new(Code::Overloaded, "Too many passwords are being checked; try again shortly");
            return Err(error.retry_after(Duration::from_secs(2)));
        };
        self.computed.fetch_add(1, Ordering::Relaxed);
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        done.await.map_err(Error::internal)
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Passwords({} turns free)", self.turns.available_permits())
    }
}

fn argon2() -> Result<Argon2<'static>> {
    let params =
        Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash(password: &[u8], salt: &[u8; 16]) -> Result<String> {
    let hash = argon2()?
        .hash_password_with_salt(password, salt)
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(hash.to_string())
}

/// Returns true when a stored hash was made with other parameters than today's.
pub fn is_outdated(stored: &str) -> bool {
    !stored.starts_with(&format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Clock;

    #[tokio::test]
    async fn a_password_verifies_and_others_do_not() {
        let passwords = Passwords::new(&Ids::new(Clock::system()));
        let password = Password::from("correct horse battery".to_owned());
        let stored = passwords.hash(&password).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !is_outdated(&stored), "{stored}");
        assert_ne!(stored, passwords.hash(&password).await.unwrap(), "the salt is new each time");
        assert!(passwords.verify(&password, Some(&stored)).await.unwrap());
        assert!(!passwords.verify(&"correct horse batterz".to_owned().into(), Some(&stored)).await.unwrap());
        assert!(!passwords.verify(&password, None).await.unwrap());
        assert!(!passwords.verify(&"x".repeat(1 << 20).into(), Some(&stored)).await.unwrap());
        assert!(!passwords.verify(&password, Some("of another kind")).await.unwrap());
    }

    #[tokio::test]
    async fn a_hash_of_older_parameters_still_verifies_and_is_outdated() {
        let passwords = Passwords::new(&Ids::new(Clock::system()));
        let params = Params::new(8 * 1024, 1, 1, None).unwrap();
        let older = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let stored = older.hash_password_with_salt(b"short but old", &[7; 16]).unwrap().to_string();
        assert!(is_outdated(&stored));
        assert!(passwords.verify(&"short but old".to_owned().into(), Some(&stored)).await.unwrap());
    }

    #[test]
    fn nobodys_hash_costs_what_everybodys_does() {
        assert!(PasswordHash::new(NOBODYS).is_ok() && !is_outdated(NOBODYS));
    }

    #[test]
    fn what_an_attacker_tries_first_is_refused() {
        let email: Email = "ada.lovelace@example.com".parse().unwrap();
        let refused = |text: &str| {
            let mut checks = Checks::new();
            Password::from(text.to_owned()).check(&mut checks, "/password", &email, "Ada Lovelace");
            checks.finish().err().map(|error| error.code())
        };
        assert_eq!(refused("four random words"), None);
        assert_eq!(refused("short"), Some(Code::TooShort));
        assert_eq!(refused(&"x".repeat(257)), Some(Code::TooLong));
        for weak in ["Password123", "ADA.LOVELACE@example.com", "ada.lovelace", "ada lovelace"] {
            assert_eq!(refused(weak), Some(Code::WeakPassword), "{weak}");
        }
    }
}
