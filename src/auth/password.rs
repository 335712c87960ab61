//! Passwords: what one must be like, and how it is hashed and checked. Hashing is slow and takes memory on
//! purpose, so it runs outside the async threads and two at a time.
use std::{fmt, sync::OnceLock};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use serde::Deserialize;
use tokio::sync::{Semaphore, SemaphorePermit};

use super::email::Email;
use crate::{
    crypto,
    error::{Error, Result},
};

/// Fewest characters of a password.
const SHORTEST: usize = 12;
/// Most bytes of a password.
const LONGEST: usize = 1024;
/// Memory of one hash, in KiB.
const MEMORY: u32 = 19 * 1024;
/// Passes over that memory.
const PASSES: u32 = 2;

/// How many are hashed at once: it bounds memory and leaves processors for everything else.
static HASHING: Semaphore = Semaphore::const_new(2);
/// What the password of an unknown account is checked against, so that it takes as long as that of a known one.
static NOBODY: OnceLock<String> = OnceLock::new();

/// A password as somebody typed it. It cannot be printed.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Password(String);

impl Password {
    /// One that was typed; whether it will do for an account, [`Password::fault`] says.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether nothing was typed at all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Why it will not do as the password of `email`, in words for its owner.
    pub fn fault(&self, email: Option<&Email>) -> Option<&'static str> {
        if self.0.chars().count() < SHORTEST {
            Some("Use at least 12 characters; a few words in a row are easy to remember")
        } else if self.0.len() > LONGEST {
            Some("Use at most 1024 bytes")
        } else if email.is_some_and(|email| self.0.trim().to_lowercase() == email.as_str()) {
            Some("Use something else than the e-mail address")
        } else {
            None
        }
    }

    /// Whether both are the same; asked of a password and its repetition.
    pub fn same_as(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// Hashes a password for storing: a PHC string with its own salt and parameters.
///
/// # Errors
/// When the machine has no memory for it.
pub async fn hash(password: Password) -> Result<String> {
    let place = place().await?;
    blocking(move || {
        let _place = place;
        hash_now(password.0.as_bytes())
    })
    .await?
}

/// Whether `password` is the one that `stored` was made of. Without a stored one the answer is no, after the same
/// work.
///
/// # Errors
/// When what is stored is no hash.
pub async fn verify(password: Password, stored: Option<String>) -> Result<bool> {
    let place = place().await?;
    blocking(move || {
        let _place = place;
        // made on the first check of any account, so that an unknown one cannot be told by it
        let nobody = if let Some(hash) = NOBODY.get() {
            hash
        } else {
            let hash = hash_now(&crypto::random())?;
            NOBODY.get_or_init(|| hash)
        };
        let known = stored.is_some();
        let stored = stored.as_deref().unwrap_or(nobody);
        let parsed = PasswordHash::new(stored)
            .map_err(|error| Error::internal(anyhow::anyhow!("a stored password hash cannot be read: {error}")))?;
        let same = argon2()?.verify_password(password.0.as_bytes(), &parsed).is_ok();
        Ok(same && known)
    })
    .await?
}

/// Waits for a place. It goes along into the thread that hashes: who asked may leave before that is done.
async fn place() -> Result<SemaphorePermit<'static>> {
    HASHING.acquire().await.map_err(Error::internal)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(Error::internal)
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY, PASSES, 1, None).map_err(|error| Error::internal(anyhow::anyhow!("{error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Result<String> {
    let salt = crypto::random();
    let hash: Result<PasswordHash, _> = argon2()?.hash_password_with_salt(password, &salt[..16]);
    hash.map(|hash| hash.to_string())
        .map_err(|error| Error::internal(anyhow::anyhow!("a password cannot be hashed: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_is_right() {
        let stored = hash(Password::given("correct horse battery")).await.expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let right = |typed: &str, stored: Option<&String>| verify(Password::given(typed), stored.cloned());
        assert!(right("correct horse battery", Some(&stored)).await.expect("checked"));
        assert!(!right("correct horse batterY", Some(&stored)).await.expect("checked"));
        assert!(!right("", Some(&stored)).await.expect("checked"));
        assert!(!right("correct horse battery", None).await.expect("checked"));
        assert!(right("x", Some(&"no hash".to_owned())).await.is_err());
        let again = hash(Password::given("correct horse battery")).await.expect("hashed");
        assert_ne!(stored, again, "two hashes of one password share a salt");
    }

    #[test]
    fn short_long_and_obvious_ones_are_refused() {
        let email = Email::parse("ada.lovelace@example.com").expect("an address");
        let fault = |text: &str| Password::given(text).fault(Some(&email)).is_some();
        assert!(fault("elevenchars"));
        assert!(!fault("twelve chars"));
        assert!(!fault("zwölf Zeiche"), "characters count, not bytes");
        assert!(fault("äöüäöüäöüäö"), "characters count, not bytes");
        assert!(!fault(&"x".repeat(1024)));
        assert!(fault(&"x".repeat(1025)));
        assert!(fault("Ada.Lovelace@Example.com"));
    }

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(format!("{:?}", Password::given("correct horse battery")), "Password(…)");
    }
}
