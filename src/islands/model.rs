//! What travels from the server to an island: plain data, known to both.
use serde::{Deserialize, Serialize};

/// Events that came too many at once to be told one by one: the `data` of a server-sent event named `skipped`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// How many.
    pub skipped: u64,
}

/// One event as the live streams tell it: the `data` of a server-sent event named `event`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveEvent {
    /// The event.
    pub id: String,
    /// Whose it is.
    pub tenant_id: String,
    /// Its type.
    pub event_type_id: String,
    /// What the type is called.
    pub event_type: String,
    /// When it was accepted, RFC 3339 in UTC.
    pub received_at: String,
    /// `accepted` or `quarantined`.
    pub verdict: String,
    /// How its payload begins.
    pub summary: String,
    /// Its page.
    pub href: String,
}
