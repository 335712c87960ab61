//! Signing web requests, by Standard Webhooks: a receiver that holds the secret knows that a request is ours, that
//! nobody has changed it, and how old it is. <https://www.standardwebhooks.com>
use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::crypto;

/// How a secret begins.
const PREFIX: &str = "whsec_";

/// What a receiver and this server share. It cannot be printed by accident.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// A new one of 256 bits.
    pub fn generate() -> Self {
        Self(crypto::random().to_vec())
    }

    /// One that was sealed.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    /// What is sealed of it.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As its owner keeps it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64_STANDARD.encode(&self.0))
    }

    /// The signature of one request, as its header lists it.
    pub fn signature(&self, id: &str, timestamp: i64, body: &str) -> String {
        let mac = Hmac::<Sha256>::new_from_slice(&self.0).map(|mac| {
            mac.chain_update(id)
                .chain_update(".")
                .chain_update(timestamp.to_string())
                .chain_update(".")
                .chain_update(body)
                .finalize()
                .into_bytes()
        });
        // HMAC takes a key of any length
        mac.map(|mac| format!("v1,{}", BASE64_STANDARD.encode(mac))).unwrap_or_default()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The header `webhook-signature`: a signature by each secret that is good, the newest first.
pub fn signatures(secrets: &[Secret], id: &str, timestamp: i64, body: &str) -> String {
    secrets.iter().map(|secret| secret.signature(id, timestamp, body)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_standard_one() {
        // the example of the specification's own libraries
        let secret = Secret::from_bytes(BASE64_STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap());
        let signature = secret.signature("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(secret.reveal(), "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(format!("{secret:?}"), "Secret(…)");
        let both = signatures(&[secret.clone(), Secret::generate()], "a", 1, "{}");
        assert_eq!(both.split(' ').count(), 2);
        assert!(both.starts_with(&secret.signature("a", 1, "{}")));
    }
}
