//! What happens by itself. [`worker`] works off background tasks, [`housekeeping`] deletes what has had its time.
//!
//! A task is a row that says how far it is. It is worked off in *steps*: a step reads what it needs without a
//! transaction, and hands back what it wants to write. That, and the task's new cursor, count and counters, commit
//! together or not at all, so a task that is cut off goes on where it was, and nothing is done twice.
//!
//! A slice brings a [`Kind`]: a name and a step. `server` gathers the kinds of all slices into [`Jobs`].
//!
//! ```ignore
//! pub const RECOUNT: Kind = Kind { name: "events.recount", title: "Recount", noun: "event", counters: &[], step, about };
//!
//! fn step<'a>(app: &'a App, task: &'a Task) -> Stepping<'a> {
//!     Box::pin(async move {
//!         let from: Option<EventId> = task.cursor()?;
//!         let page = read(&app.db, &task.permit()?, from).await?;      // outside any transaction, and bounded
//!         let Some(last) = page.last() else { return Ok(Effects::none(Outcome::done())) };
//!         let outcome = Outcome::more(&last.id)?.did(page.len());
//!         Ok(Effects::new(move |tx| Box::pin(async move {              // with the cursor, in one transaction
//!             write(tx, &page).await?;
//!             Ok(outcome)
//!         })))
//!     })
//! }
//! ```
//!
//! What a step does by other ways than its transaction (the write lane, say) may happen again after a crash: let it be
//! such that the second time changes nothing.
pub mod housekeeping;
pub mod output;
mod pages;
pub mod store;
#[cfg(test)]
mod tests;
pub mod worker;

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc};

use axum::Router;
use chrono::{DateTime, Utc};
use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::Notify;

use crate::{
    app::App,
    auth::{Actor, Permit, Right, Role},
    db::{Tx, Work},
    error::{Error, Result},
    ids::{TaskId, TenantId, UserId},
};
pub use store::{cancel, enqueue, get, list};

/// One background task, as it was when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// Whose it is: it can touch nothing of another tenant.
    pub tenant: TenantId,
    /// The name of its [`Kind`].
    pub kind: String,
    /// How it stands.
    pub state: State,
    /// Whether it was told to end, and has not done so yet.
    pub cancelling: bool,
    input: String,
    cursor: Option<String>,
    /// How many things it has to do, where that is known.
    pub total: Option<i64>,
    /// How many of them are done.
    pub done: i64,
    /// What else it counts: see [`Kind::counters`].
    pub counters: Counters,
    /// Why it failed.
    pub error: Option<String>,
    attempts: i64,
    /// Who started it, as the audit trail names them.
    pub started_by: String,
    started_by_id: Option<UserId>,
    role: Role,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When its first step began.
    pub began_at: Option<DateTime<Utc>>,
    /// When it ended, however it did.
    pub ended_at: Option<DateTime<Utc>>,
    epoch: i64,
}

/// Figures by name.
pub type Counters = BTreeMap<String, i64>;

/// How a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum State {
    /// Nobody has begun it.
    Queued,
    /// Somebody is at it, or was until they were cut off.
    Running,
    /// All of it is done.
    Done,
    /// It cannot be done: see [`Task::error`].
    Failed,
    /// Somebody has stopped it.
    Cancelled,
}

impl State {
    /// Whether more may come of it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }

    /// As the database, the command line and pages say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Task {
    /// What was asked for.
    ///
    /// # Errors
    /// When it was written by a version of Tributary that asked for something else.
    pub fn input<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.input).map_err(Error::internal)
    }

    /// Where its next step begins; none at the beginning.
    ///
    /// # Errors
    /// As [`Task::input`].
    pub fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.cursor.as_deref().map(serde_json::from_str).transpose().map_err(Error::internal)
    }

    /// The authority of whoever started it, as it was then, and over the task's tenant alone.
    pub fn actor(&self) -> Actor {
        Actor {
            user: self.started_by_id,
            name: self.started_by.clone(),
            role: self.role,
            tenant: Some(self.tenant),
            address: None,
            request: None,
        }
    }

    /// That authority as a permit.
    ///
    /// # Errors
    /// [`Error::Forbidden`] when they had not this right.
    pub fn permit<R: Right>(&self) -> Result<Permit<R>> {
        self.actor().permit(self.tenant)
    }

    /// One of its counters; 0 until it is counted.
    pub fn counter(&self, name: &str) -> i64 {
        self.counters.get(name).copied().unwrap_or(0)
    }

    /// How much of it is done, where that can be told: 0 to 100.
    pub fn percent(&self) -> Option<i64> {
        match (self.state, self.total) {
            (State::Done, _) => Some(100),
            (_, Some(total)) if total > 0 => Some((self.done.saturating_mul(100) / total).clamp(0, 100)),
            _ => None,
        }
    }
}

/// What a step comes to.
pub type Stepping<'a> = Pin<Box<dyn Future<Output = Result<Effects>> + Send + 'a>>;

/// A kind of task: what a slice brings.
#[derive(Clone, Copy)]
pub struct Kind {
    /// As the database spells it: `events.export`.
    pub name: &'static str,
    /// As pages say it: "Export of events".
    pub title: &'static str,
    /// What it works through, one of it: "event".
    pub noun: &'static str,
    /// What it counts besides: the name of the counter, and as pages say it.
    pub counters: &'static [(&'static str, &'static str)],
    /// Does a little of it. Called again and again, until it says that all is done.
    pub step: for<'a> fn(&'a App, &'a Task) -> Stepping<'a>,
    /// What its page says besides.
    pub about: fn(&Task, DateTime<Utc>) -> About,
}

/// What a kind says of one of its tasks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// What was asked for: name and value.
    pub facts: Vec<(&'static str, String)>,
    /// Where its result is: address and label. The first is the one that most want.
    pub links: Vec<(String, String)>,
    /// The files that came of it, likewise.
    pub files: Vec<(String, String)>,
    /// A sentence about the result: how long it is kept.
    pub note: Option<String>,
}

impl About {
    /// Nothing besides.
    pub fn nothing(_: &Task, _: DateTime<Utc>) -> Self {
        Self::default()
    }
}

/// How far a step has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    next: Next,
    did: i64,
    total: Option<i64>,
    counted: Counters,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Next {
    /// There is more: the cursor of the next step.
    More(String),
    Done,
    Failed(String),
    /// It was told to end before this step began.
    Stopped,
}

impl Outcome {
    fn new(next: Next) -> Self {
        Self { next, did: 0, total: None, counted: Counters::new() }
    }

    /// There is more; the next step begins at `cursor`.
    ///
    /// # Errors
    /// When the cursor cannot be written down.
    pub fn more(cursor: &impl Serialize) -> Result<Self> {
        Ok(Self::new(Next::More(serde_json::to_string(cursor).map_err(Error::internal)?)))
    }

    /// That was all.
    pub fn done() -> Self {
        Self::new(Next::Done)
    }

    /// It cannot be done: why, and what to do about it.
    pub fn failed(words: impl Into<String>) -> Self {
        Self::new(Next::Failed(words.into()))
    }

    /// So many things more are done.
    #[must_use]
    pub fn did(mut self, more: usize) -> Self {
        self.did = self.did.saturating_add(i64::try_from(more).unwrap_or(i64::MAX));
        self
    }

    /// So many more of one of the [`Kind::counters`].
    #[must_use]
    pub fn counting(mut self, name: &str, more: i64) -> Self {
        *self.counted.entry(name.to_owned()).or_default() += more;
        self
    }

    /// How many things there are to do, now that it is known.
    #[must_use]
    pub fn of(mut self, total: i64) -> Self {
        self.total = Some(total);
        self
    }
}

/// What a step writes, and what it then comes to: one transaction together with the task itself.
pub struct Effects(Box<Write>);

type Write = dyn for<'t> FnOnce(&'t mut Tx) -> Work<'t, Outcome> + Send;

impl Effects {
    /// Those that `work` writes.
    pub fn new(work: impl for<'t> FnOnce(&'t mut Tx) -> Work<'t, Outcome> + Send + 'static) -> Self {
        Self(Box::new(work))
    }

    /// None: the step has nothing to write, or has done so by itself.
    pub fn none(outcome: Outcome) -> Self {
        Self::new(move |_| Box::pin(async move { Ok(outcome) }))
    }
}

/// The kinds of tasks there are, and the bell for those who work them off. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    kinds: &'static [Kind],
    bell: Arc<Notify>,
}

impl Jobs {
    /// With these kinds.
    pub fn new(kinds: &'static [Kind]) -> Self {
        Self { kinds, bell: Arc::default() }
    }

    /// The kind of this name.
    pub fn kind(&self, name: &str) -> Option<&'static Kind> {
        self.kinds.iter().find(|kind| kind.name == name)
    }

    /// Says that a task was queued: call it once the transaction of [`enqueue`] has committed. Without it the task
    /// begins a few seconds later.
    pub fn wake(&self) {
        self.bell.notify_one();
    }
}

/// The address of a task's page.
pub fn href(tenant: TenantId, id: TaskId) -> String {
    format!("/tenants/{tenant}/tasks/{id}")
}

/// The routes of this slice.
pub fn routes() -> Router<App> {
    pages::routes()
}
