//! What can go wrong, sorted by who can mend it: the user (a variant that says how), or the operator (opaque to
//! the user, with an id that the log names too).
use std::{borrow::Cow, fmt};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::crypto::seal::SealError;

/// The result of what slices do.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is none, or it belongs to another tenant: who asks is not told which.
    #[error("there is no such {0}")]
    NotFound(&'static str),
    /// The role does not allow it.
    #[error("your role does not allow this: {0}")]
    Forbidden(&'static str),
    /// Something about the request that its sender can mend.
    #[error("{0}")]
    Refused(String),
    /// It exists already.
    #[error("{0}")]
    Conflict(String),
    /// Fields of a form that its sender can mend: name of the field, and what is wrong.
    #[error("{}", Listed(.0))]
    Invalid(Vec<(&'static str, String)>),
    /// Not now: the database is away, busy or full. Nothing was stored.
    #[error("{0}")]
    Unavailable(Unavailable),
    /// What the database says, where it means nothing to a user.
    #[error("the database refused: {0}")]
    Database(#[source] sqlx::Error),
    /// Whatever else went wrong.
    #[error("{0:#}")]
    Internal(anyhow::Error),
}

/// Why nothing can be written at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// More requests wait for the disk than may.
    #[error("too many requests are waiting for the disk")]
    QueueFull,
    /// No room on the disk.
    #[error("the disk of the database is full")]
    DiskFull,
    /// The database cannot be reached, or failed to write.
    #[error("the database cannot write at the moment")]
    Database,
    /// The server is stopping.
    #[error("the server is shutting down")]
    ShuttingDown,
    /// What is asked for was sealed with a key that this process does not have.
    #[error("the server lacks the key that this was sealed with")]
    KeyMissing,
}

/// What the outside may know of an error. A response carries it as an extension; the layer around all handlers
/// writes it out, as a page or as `application/problem+json` (RFC 9457), with the id of the request.
#[derive(Debug, Clone)]
pub struct PublicError {
    /// HTTP status.
    pub status: u16,
    /// The kind of error in a few words.
    pub title: &'static str,
    /// What happened, and what to do about it.
    pub detail: Cow<'static, str>,
    /// Seconds after which it is worth trying again.
    pub retry_after: Option<u64>,
    /// Whether the connection is of no more use.
    pub close: bool,
    /// Further fields of the problem: name, and value as JSON.
    pub fields: Vec<(&'static str, String)>,
}

impl PublicError {
    /// One without further fields.
    pub fn new(status: u16, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, title, detail: detail.into(), retry_after: None, close: false, fields: Vec::new() }
    }

    /// 503, with `Retry-After`.
    pub fn unavailable(why: Unavailable) -> Self {
        let detail = match why {
            Unavailable::QueueFull => {
                "more requests are waiting than can be stored in time; nothing was stored, send it again"
            }
            Unavailable::DiskFull => "the disk of the database is full; nothing was stored, send it again later",
            Unavailable::Database => {
                "the database cannot be written to at the moment; send it again, with its Idempotency-Key if it has one"
            }
            Unavailable::ShuttingDown => "the server is shutting down; nothing was stored, send it again",
            Unavailable::KeyMissing => {
                "the server lacks the key that this was sealed with; whoever runs it finds in its log which, and can give it back with TRIBUTARY_KEY_FILE. A recovery code works without it"
            }
        };
        let seconds = match why {
            Unavailable::QueueFull | Unavailable::ShuttingDown => 1,
            Unavailable::Database => 5,
            Unavailable::DiskFull | Unavailable::KeyMissing => 60,
        };
        Self { retry_after: Some(seconds), ..Self::new(503, "Not available", detail) }
    }
}

impl IntoResponse for PublicError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = status.into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.close {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        self.into_public().into_response()
    }
}

struct Listed<'a>(&'a [(&'static str, String)]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, (field, message)) in self.0.iter().enumerate() {
            write!(f, "{}{field}: {message}", if n == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl Error {
    /// Wraps what only an operator can mend.
    pub fn internal(error: impl Into<anyhow::Error>) -> Self {
        Self::Internal(error.into())
    }

    /// What the outside may know of it. What only an operator can mend is logged here.
    pub fn into_public(self) -> PublicError {
        match self {
            Self::NotFound(what) => PublicError::new(404, "Not found", format!("there is no such {what}")),
            Self::Forbidden(what) => {
                PublicError::new(403, "Not allowed", format!("your role does not allow you to {what}"))
            }
            Self::Refused(why) => PublicError::new(400, "Not possible", why),
            Self::Conflict(why) => PublicError::new(409, "Conflict", why),
            Self::Invalid(ref fields) => {
                PublicError::new(422, "Something is not right yet", Listed(fields).to_string())
            }
            Self::Unavailable(why) => PublicError::unavailable(why),
            Self::Database(_) | Self::Internal(_) => {
                tracing::error!(error = %self, "a request failed");
                PublicError::new(
                    500,
                    "Something went wrong here",
                    "it is not your fault; the log of the server says more, under the id of this request",
                )
            }
        }
    }

    /// One field of a form that is wrong.
    pub fn invalid(field: &'static str, message: impl Into<String>) -> Self {
        Self::Invalid(vec![(field, message.into())])
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        match unavailable(&error) {
            Some(why) => {
                tracing::error!(%error, "the database cannot be used at the moment");
                Self::Unavailable(why)
            }
            None => Self::Database(error),
        }
    }
}

impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            // the operator reads it in the log too, but whoever meets it first is often the operator
            SealError::NoKey => Self::Refused(error.to_string()),
            SealError::File(..) | SealError::UnknownKey(_) => {
                tracing::error!(%error, "something sealed cannot be opened");
                Self::Unavailable(Unavailable::KeyMissing)
            }
            SealError::Broken => Self::internal(error),
        }
    }
}

/// Whether an error of the database is one that passes, and which.
pub fn unavailable(error: &sqlx::Error) -> Option<Unavailable> {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Some(Unavailable::Database),
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            // SQLite gives the extended result code as a number, PostgreSQL an SQLSTATE of five characters
            if error.as_database_error().and_then(|e| e.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()).is_some()
            {
                return match &*code {
                    "53100" => Some(Unavailable::DiskFull),
                    code if ["08", "53", "57", "58", "40", "25"].iter().any(|class| code.starts_with(class)) => {
                        Some(Unavailable::Database)
                    }
                    _ => None,
                };
            }
            match code.parse::<u32>().ok()? & 0xFF {
                // FULL
                13 => Some(Unavailable::DiskFull),
                // BUSY, LOCKED, READONLY, IOERR, CORRUPT, CANTOPEN, PROTOCOL, NOTADB
                5 | 6 | 8 | 10 | 11 | 14 | 15 | 26 => Some(Unavailable::Database),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Whether the database refused because a key exists already.
pub fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
