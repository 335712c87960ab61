//! What an ingest request is refused with (RFC 9457), one constructor for each row of the table in the contract of
//! the wire.
use std::borrow::Cow;

use axum::response::{IntoResponse, Response};

use crate::{
    db::lane::Summary,
    error::{PublicError, Unavailable},
    event_types::Breach,
    ids::ReceiptId,
};

/// A refusal. The layer around all handlers writes it out, with the id of the request.
#[derive(Debug)]
pub struct Problem(Box<PublicError>);

impl Problem {
    fn new(status: u16, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(PublicError::new(status, title, detail)))
    }

    /// Its HTTP status.
    pub fn status(&self) -> u16 {
        self.0.status
    }

    /// 400: not what this endpoint takes.
    pub fn bad(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(400, "The request cannot be understood", detail)
    }

    /// 401: the same words whatever is wrong with the token.
    pub fn unauthorized() -> Self {
        Self::new(
            401,
            "No valid token",
            "send a valid token in the header X-CM-PRODUCTTOKEN, in the query parameter of the same name, or as \
             Authorization: Bearer",
        )
    }

    /// 403.
    pub fn forbidden(detail: &'static str) -> Self {
        Self::new(403, "Not allowed", detail)
    }

    /// 404, for an event type.
    pub fn no_type() -> Self {
        Self::new(404, "Unknown event type", "the tenant has no enabled event type with this id")
    }

    /// 404, for a receipt.
    pub fn no_receipt() -> Self {
        Self::new(404, "Unknown receipt", "the tenant has no receipt with this id")
    }

    /// 408.
    pub fn timeout() -> Self {
        let mut problem = Self::new(408, "Too slow", "the body did not arrive in time; nothing was stored");
        problem.0.close = true;
        problem
    }

    /// The connection broke while the body arrived; nobody is likely to read this.
    pub fn cut() -> Self {
        let mut problem = Self::bad("the body ended too early");
        problem.0.close = true;
        problem
    }

    /// 413.
    pub fn too_large(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::new(413, "Too large", detail)
    }

    /// 415.
    pub fn media(detail: &'static str) -> Self {
        Self::new(415, "Media type or encoding not supported", detail)
    }

    /// 422: an idempotency key with another body.
    pub fn key_reused() -> Self {
        Self::new(
            422,
            "Idempotency key reused",
            "this Idempotency-Key was used before with another body; nothing was stored. Use a new key for a new request",
        )
    }

    /// 429.
    pub fn too_often(seconds: u64) -> Self {
        let mut problem = Self::new(
            429,
            "Too many requests",
            "the rate of this tenant is used up; try again after Retry-After seconds",
        );
        problem.0.retry_after = Some(seconds);
        problem
    }

    /// 422: every event broke its contract and is in quarantine.
    pub fn quarantined(receipt: ReceiptId, summary: &Summary) -> Self {
        let mut problem = Self::new(
            422,
            "Every event breaks its contract",
            "nothing was accepted; the events are in quarantine, with these reasons",
        );
        problem.0.fields.push(("receiptId", format!("\"{receipt}\"")));
        problem.0.fields.push(("accepted", "0".into()));
        problem.0.fields.push(("duplicates", "0".into()));
        problem.0.fields.push(("rejected", format!("[{}]", summary.rejected)));
        problem.0.fields.push(("errors", format!("[{}]", summary.rejected)));
        problem
    }

    /// 422: strict, and one event broke its contract.
    pub fn refused(rejected: &str) -> Self {
        let mut problem = Self::new(
            422,
            "An event breaks its contract",
            "the request is strict, or the event type refuses what breaks its contract: nothing of it was stored",
        );
        problem.0.fields.push(("accepted", "0".into()));
        problem.0.fields.push(("duplicates", "0".into()));
        problem.0.fields.push(("rejected", format!("[{rejected}]")));
        problem.0.fields.push(("errors", format!("[{rejected}]")));
        problem
    }

    /// Names the rows of a mixed request that this is about: place, and what is wrong with its type.
    pub fn at_rows(mut self, rows: &[(usize, &str)]) -> Self {
        let mut errors = String::new();
        for (index, message) in rows {
            let breach = Breach::new("/EventTypeId", "event-type", message);
            Summary::list(&mut errors, *index, &Breach::list(&[breach]));
        }
        self.0.fields.push(("errors", format!("[{errors}]")));
        self
    }
}

impl From<Unavailable> for Problem {
    fn from(why: Unavailable) -> Self {
        Self(Box::new(PublicError::unavailable(why)))
    }
}

impl From<crate::error::Error> for Problem {
    fn from(error: crate::error::Error) -> Self {
        Self(Box::new(error.into_public()))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
