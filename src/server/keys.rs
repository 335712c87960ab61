//! Looks, at the start, whether the keys are there that secrets in the database were sealed with. After a restore or a
//! copy they may not be: the key is no part of either.
use crate::{
    crypto::seal::{Keyring, SealError},
    db::Db,
    sql,
};

/// What is sealed, and the beginnings of it, each once: see [`crate::crypto::seal::HEAD`].
const SEALED: &[(&str, &str)] = &[
    ("second factors", "SELECT DISTINCT substr(secret, 1, 5) FROM second_factors"),
    ("mail that waits", "SELECT DISTINCT substr(body, 1, 5) FROM outbox WHERE body IS NOT NULL"),
    ("tokens of polling sources", "SELECT DISTINCT substr(secret, 1, 5) FROM sources WHERE secret IS NOT NULL"),
    ("secrets of alert channels", "SELECT DISTINCT substr(secret, 1, 5) FROM alert_channels WHERE secret IS NOT NULL"),
];

/// What cannot be opened, and why.
///
/// # Errors
/// When the database does not tell.
pub(super) async fn missing(db: &Db, keys: &Keyring) -> sqlx::Result<Vec<(&'static str, SealError)>> {
    let mut missing = Vec::new();
    for (what, text) in SEALED {
        for head in sql!(values Vec<u8>, db, *text)? {
            if let Err(error) = keys.has_key_of(&head) {
                missing.push((*what, error));
            }
        }
    }
    Ok(missing)
}
