//! The evidence of a window, read again: what was asked by each of its takings, and what was answered.
use chrono::{DateTime, Utc};
use serde::Deserialize;

use super::{Attempt, Origin, Window, store};
use crate::{
    auth::{Permit, Right},
    db::Db,
    error::{Error, Result},
    ids::WindowId,
};

/// One request of an attempt, as it was kept; what an older version has not kept is missing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Its place among those of the attempt, from 0.
    #[serde(default)]
    pub number: i64,
    /// How.
    pub method: String,
    /// Where, secrets hidden.
    pub url: String,
    /// The status of the answer.
    #[serde(default)]
    pub status: Option<u16>,
    /// When it was asked.
    pub started_at: DateTime<Utc>,
    /// How long all of it took.
    #[serde(default)]
    pub milliseconds: u64,
    /// Bytes of the answer, decoded.
    #[serde(default)]
    pub bytes: u64,
    /// Records in it.
    #[serde(default)]
    pub records: u64,
    /// The SHA-256 of the answer, once it has come whole.
    #[serde(default)]
    pub sha256: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<String>,
}

impl Attempt {
    /// Its requests, as far as they can be read.
    pub fn requests(&self) -> Vec<Request> {
        serde_json::from_str(&self.requests).unwrap_or_default()
    }
}

/// Where an event came from: by which source, in which window, by which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lineage {
    /// The source, the window, the attempt and the request.
    pub origin: Origin,
    /// What the window covers; none once it was merged into a longer span.
    pub window: Option<(WindowId, Window)>,
    /// The request; none once its evidence is gone.
    pub request: Option<Request>,
}

/// Follows an event back to the request that brought it; none when it was not polled.
///
/// # Errors
/// When the database does.
pub async fn lineage<R: Right>(db: &Db, permit: &Permit<R>, event: crate::ids::EventId) -> Result<Option<Lineage>> {
    let Some(origin) = store::origin(db, permit, event).await? else { return Ok(None) };
    let window = match store::window(db, permit, origin.source_id, origin.window_id).await {
        Ok(entry) => Some((entry.id, entry.window())),
        Err(Error::NotFound(_)) => None,
        Err(error) => return Err(error),
    };
    let attempts = store::attempts(db, permit, origin.window_id).await?;
    let attempt = attempts.into_iter().find(|attempt| attempt.number == origin.attempt);
    let requests = attempt.map(|attempt| attempt.requests()).unwrap_or_default();
    let request = requests.into_iter().find(|request| request.number == origin.request);
    Ok(Some(Lineage { origin, window, request }))
}
