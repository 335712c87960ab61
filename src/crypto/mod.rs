//! Random secrets and their digests. A secret is shown once and kept as its SHA-256: it has 256 bits of its own,
//! so nobody finds it again by trying, and a slow hash would only cost time. What has to be read again is sealed:
//! see [`seal`].
pub mod seal;

use std::fmt;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use rand::{TryRng, rngs::SysRng};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// 32 bytes from the operating system's source of randomness.
///
/// # Panics
/// When the system has no randomness to give: nothing safe can be done then.
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// The SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    <Sha256 as sha2::Digest>::digest(bytes).into()
}

/// `bytes` as letters, digits, `-` and `_`, without padding.
pub fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// `bytes` in the alphabet of RFC 4648 for people: capitals and the digits 2 to 7, without padding.
pub fn base32(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    for five in bytes.chunks(5) {
        let mut padded = [0; 8];
        padded[3..3 + five.len()].copy_from_slice(five);
        let bits = u64::from_be_bytes(padded);
        for place in 0..(five.len() * 8).div_ceil(5) {
            let index = usize::try_from(bits >> (35 - 5 * place) & 31).unwrap_or(0);
            text.push(char::from(ALPHABET[index]));
        }
    }
    text
}

/// A secret in its written form. It cannot be printed by accident: [`Secret::reveal`] is the one way to its text.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one: 256 random bits in 43 characters.
    pub fn random() -> Self {
        Self(base64url(&random()))
    }

    /// One that somebody hands in; what it is worth, the digest will tell.
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, to be handed to its owner.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What is stored of it.
    pub fn digest(&self) -> Digest {
        Digest(sha256(self.0.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The SHA-256 of a secret. Compared in constant time.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Its bytes, as the database keeps them.
    pub fn to_vec(self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_new_each_time_and_never_printed() {
        let (one, other) = (Secret::random(), Secret::random());
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), 43);
        assert_eq!(one.digest(), Secret::given(one.reveal()).digest());
        assert_ne!(one.digest(), other.digest());
        let printed = format!("{one:?} {:?}", one.digest());
        assert_eq!(printed, "Secret(…) Digest(…)");
    }

    #[test]
    fn base32_is_the_standard_one() {
        // RFC 4648, section 10
        for (plain, coded) in
            [("", ""), ("f", "MY"), ("fo", "MZXQ"), ("foo", "MZXW6"), ("foobar", "MZXW6YTBOI"), ("fooba", "MZXW6YTB")]
        {
            assert_eq!(base32(plain.as_bytes()), coded);
        }
    }

    #[test]
    fn the_digest_is_the_standard_one() {
        // FIPS 180-2, appendix B.1
        assert_eq!(base64url(&sha256(b"abc")), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
    }
}
