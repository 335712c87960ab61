//! What can go wrong, sorted by who can mend it: the user (a variant that says how), or the operator (opaque to
//! the user, with an id that the log names too).
use std::fmt;

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
    error.as_database_error().is_some_and(|database| database.is_unique_violation())
}
