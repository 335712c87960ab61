//! Codes that change with time (RFC 6238): what an authenticator application shows, and how it learns the secret.
//!
//! SHA-1, six digits and thirty seconds are what every such application knows; where a code is good once and guesses
//! are counted, no more is needed.
use std::fmt;

use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use crate::crypto::{self, Digest, Secret, base32};

/// Seconds that a code is shown.
const PERIOD: i64 = 30;
/// How many steps a clock may be ahead or behind.
const SKEW: i64 = 1;
/// Bytes of a secret: as long as the digest, as RFC 4226 wishes.
pub const SECRET: usize = 20;
/// Characters of a recovery code: 80 bits, so that its digest may lie about.
const RECOVERY: usize = 16;

/// The secret that an account shares with an application. It cannot be printed.
#[derive(Clone)]
pub struct SharedSecret(Vec<u8>);

impl SharedSecret {
    /// A new one.
    pub fn random() -> Self {
        Self(crypto::random()[..SECRET].to_vec())
    }

    /// One that was stored.
    pub fn stored(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As it is typed into an application, in groups of four.
    pub fn written(&self) -> String {
        grouped(&base32(&self.0), " ")
    }

    /// What the QR code says.
    pub fn uri(&self, account: &str) -> String {
        let label: String = form_urlencoded::byte_serialize(account.as_bytes()).collect();
        format!("otpauth://totp/Tributary:{label}?secret={}&issuer=Tributary", base32(&self.0))
    }

    /// What an application shows at a moment.
    pub fn code_at(&self, moment: DateTime<Utc>) -> String {
        self.code(moment.timestamp().div_euclid(PERIOD))
    }

    /// The code of a step of time.
    fn code(&self, step: i64) -> String {
        let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(&self.0) else { return String::new() };
        mac.update(&step.to_be_bytes());
        let digest: [u8; 20] = mac.finalize().into_bytes().into();
        let at = usize::from(digest[19] & 15);
        let four = [digest[at] & 0x7F, digest[at + 1], digest[at + 2], digest[at + 3]];
        format!("{:06}", u32::from_be_bytes(four) % 1_000_000)
    }

    /// The step that `code` is of, if it is one of about now and later than `last`: no code is good twice.
    pub fn step_of(&self, code: &str, now: DateTime<Utc>, last: i64) -> Option<i64> {
        let here = now.timestamp().div_euclid(PERIOD);
        (here - SKEW..=here + SKEW)
            .filter(|step| self.code(*step).as_bytes().ct_eq(code.as_bytes()).into())
            .find(|step| *step > last)
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret(…)")
    }
}

/// What somebody types as a second factor.
#[derive(Debug, Clone)]
pub enum Code {
    /// Six digits of an application.
    Current(String),
    /// A recovery code, in its plain form.
    Recovery(Secret),
}

impl Code {
    /// Reads what was typed, with whatever spaces and hyphens; none when it can be neither.
    pub fn parse(text: &str) -> Option<Self> {
        let plain: String =
            text.chars().filter(|c| !c.is_whitespace() && *c != '-').take(64).collect::<String>().to_ascii_lowercase();
        if plain.len() == 6 && plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return Some(Self::Current(plain));
        }
        let recovery = plain.len() == RECOVERY && plain.bytes().all(|byte| byte.is_ascii_alphanumeric());
        recovery.then(|| Self::Recovery(Secret::given(plain)))
    }
}

/// A new recovery code, in its plain form.
pub fn recovery_code() -> Secret {
    Secret::given(base32(&crypto::random()[..RECOVERY * 5 / 8]).to_ascii_lowercase())
}

/// A recovery code as it is shown: `abcd-efgh-ijkl-mnop`.
pub fn shown(code: &Secret) -> String {
    grouped(code.reveal(), "-")
}

/// What is stored of a recovery code. The owner goes in, so that equal codes of two have nothing in common.
pub fn recovery_digest(owner: crate::ids::UserId, code: &Secret) -> Digest {
    Secret::given(format!("{owner}:{}", code.reveal())).digest()
}

fn grouped(text: &str, between: &str) -> String {
    let groups: Vec<_> = text.as_bytes().chunks(4).map(String::from_utf8_lossy).collect();
    groups.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six digits of each
        let secret = SharedSecret::stored(b"12345678901234567890".to_vec());
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(seconds / PERIOD), code);
            assert_eq!(secret.code_at(at(seconds)), code);
        }
    }

    #[test]
    fn a_code_is_good_a_step_early_or_late_and_once() {
        let secret = SharedSecret::random();
        let now = at(1_700_000_010);
        let step = 1_700_000_010 / PERIOD;
        for (off, good) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            assert_eq!(secret.step_of(&secret.code(step + off), now, 0).is_some(), good, "{off}");
        }
        let code = secret.code(step);
        assert_eq!(secret.step_of(&code, now, step - 1), Some(step));
        assert_eq!(secret.step_of(&code, now, step), None, "a second time");
        assert_eq!(secret.step_of(&secret.code(step - 1), now, step), None, "nor an older one");
        assert_eq!(secret.step_of("", now, 0), None);
    }

    #[test]
    fn codes_are_read_however_they_are_typed() {
        assert!(matches!(Code::parse(" 123 456 "), Some(Code::Current(code)) if code == "123456"));
        let code = recovery_code();
        let typed = shown(&code).to_uppercase();
        assert_eq!(typed.len(), 19);
        assert!(matches!(Code::parse(&typed), Some(Code::Recovery(read)) if read.reveal() == code.reveal()));
        for bad in ["", "12345", "1234567", "abcdef", "abcd-efgh-ijkl-mno!", &"x".repeat(10_000)] {
            assert!(Code::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn an_application_is_told_all_it_needs() {
        let secret = SharedSecret::stored(b"12345678901234567890".to_vec());
        assert_eq!(
            secret.uri("ada+x@example.com"),
            "otpauth://totp/Tributary:ada%2Bx%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Tributary"
        );
        assert_eq!(secret.written(), "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ");
        assert_eq!(format!("{secret:?}"), "SharedSecret(…)");
    }
}
