//! The secret of a token: what is said once and never written down.
use std::fmt;

use rand::Rng;
use sha2::{Digest as _, Sha256};

/// What secrets made here begin with.
pub(super) const MARK: &str = "trb_";
/// Digits of 32 random bytes in base 62.
const RANDOM_DIGITS: usize = 43;
/// Digits of a CRC-32 in base 62.
const CHECK_DIGITS: usize = 6;
/// Characters of a whole secret.
pub(super) const LENGTH: usize = MARK.len() + RANDOM_DIGITS + CHECK_DIGITS;
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many characters of a secret are kept to recognise it by: of one made here, and of one brought along.
pub(super) const PREFIX: usize = 12;
const IMPORTED_PREFIX: usize = 8;

/// The secret itself. It prints as nothing; [`Secret::expose`] is the only way to its text.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// A new one: `trb_`, 256 random bits, and a checksum over both.
    pub fn generate() -> Self {
        let mut random = [0; 32];
        rand::rng().fill_bytes(&mut random);
        let mut text = format!("{MARK}{}", base62(&random, RANDOM_DIGITS));
        text.push_str(&checksum(&text));
        Self(text)
    }

    /// One that its tenant brings along, as it is: 16 to 256 visible ASCII characters.
    ///
    /// # Errors
    /// Says what is wrong with it, without repeating it.
    pub fn import(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if !(16..=256).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a token to be imported has 16 to 256 visible ASCII characters, without spaces".into());
        }
        if text.starts_with(MARK) && !is_whole(text) {
            return Err(format!(
                "this begins with {MARK} but its checksum is wrong: part of it is missing or mistyped"
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Its text: to be shown once, or sent.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored in its place.
    pub fn digest(&self) -> [u8; 32] {
        digest(&self.0)
    }

    /// How it begins: what pages recognise it by.
    pub fn prefix(&self) -> &str {
        let length = if self.0.starts_with(MARK) { PREFIX } else { IMPORTED_PREFIX };
        self.0.get(..length).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

/// How the token begins that stands in a text that somebody pasted, if one of those made here does: as much as pages
/// recognise it by, and nothing of the rest.
pub fn pasted(text: &str) -> Option<&str> {
    let from = &text[text.find(MARK)?..];
    let digits = from[MARK.len()..].bytes().take_while(u8::is_ascii_alphanumeric).count();
    from.get(..PREFIX.min(MARK.len() + digits))
}

/// What is stored of a token, and what the front door looks one up by.
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

/// Whether a text has the form of a secret made here, checksum included.
pub(super) fn is_whole(text: &str) -> bool {
    text.len() == LENGTH
        && text.is_ascii()
        && text.starts_with(MARK)
        && text[text.len() - CHECK_DIGITS..] == checksum(&text[..text.len() - CHECK_DIGITS])
}

fn checksum(text: &str) -> String {
    base62(&crc32fast::hash(text.as_bytes()).to_be_bytes(), CHECK_DIGITS)
}

/// A big-endian number in base 62, padded with zeros on the left.
fn base62(number: &[u8], digits: usize) -> String {
    let mut number = number.to_vec();
    let mut text = vec![b'0'; digits];
    for place in text.iter_mut().rev() {
        let mut rest = 0_u32;
        for byte in &mut number {
            let part = (rest << 8) | u32::from(*byte);
            // at most 61 * 256 + 255, so the quotient is below 256
            *byte = u8::try_from(part / 62).unwrap_or(u8::MAX);
            rest = part % 62;
        }
        *place = DIGITS[rest as usize];
    }
    text.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_new_secret_has_its_form_and_is_new() {
        let (one, other) = (Secret::generate(), Secret::generate());
        assert_eq!(one.expose().len(), 53);
        assert!(one.expose().starts_with("trb_"));
        assert!(one.expose()[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert!(is_whole(one.expose()));
        assert_ne!(one.expose(), other.expose());
        assert_eq!(one.prefix(), &one.expose()[..12]);
    }

    #[test]
    fn base_62_is_right_at_its_ends() {
        assert_eq!(base62(&[0; 32], 43), "0".repeat(43));
        assert_eq!(base62(&[61], 2), "0z");
        assert_eq!(base62(&[62], 2), "10");
        assert_eq!(base62(&u32::MAX.to_be_bytes(), 6), "4gfFC3");
        // 2^256 needs all 43 digits and no more
        let largest = base62(&[255; 32], 44);
        assert!(largest.starts_with('0') && !largest.starts_with("00"), "{largest}");
    }

    #[test]
    fn the_checksum_is_the_one_that_others_compute() {
        // CRC-32 of "123456789" is the well-known check value
        assert_eq!(checksum("123456789"), base62(&0xCBF4_3926_u32.to_be_bytes(), 6));
    }

    #[test]
    fn secrets_print_as_nothing() {
        let secret = Secret::import("8c1f0f0e-5a5c-4a5d-9a3e-canary000001").unwrap();
        assert!(!format!("{secret} {secret:?}").contains("canary"));
        assert_eq!(secret.prefix(), "8c1f0f0e");
    }

    #[test]
    fn imports_are_kept_as_they_are_or_refused() {
        assert_eq!(
            Secret::import(" 8C1F0F0E-5A5C-4A5D-9A3E-0123456789AB\n").unwrap().expose(),
            "8C1F0F0E-5A5C-4A5D-9A3E-0123456789AB"
        );
        let made = Secret::generate();
        assert!(Secret::import(made.expose()).is_ok());
        for bad in
            ["", "tooshort", &"x".repeat(257), "with a space in it", "nön-ascii-0123456789", &made.expose()[..50]]
        {
            assert!(Secret::import(bad).is_err(), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn one_wrong_character_is_noticed(place in 4_usize..53, digit in 0_usize..62) {
            let made = Secret::generate();
            let mut bytes = made.expose().as_bytes().to_vec();
            prop_assume!(bytes[place] != DIGITS[digit]);
            bytes[place] = DIGITS[digit];
            prop_assert!(!is_whole(std::str::from_utf8(&bytes).unwrap()));
        }

        #[test]
        fn any_text_is_judged_without_a_fault(text in "\\PC{0,60}") {
            let _ = is_whole(&text);
            let _ = Secret::import(&format!("trb_{text}"));
        }
    }
}
