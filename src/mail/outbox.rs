//! The outbox: what waits to be sent, what was, and what was given up.
//!
//! A letter is claimed by moving its `next_at` ahead: who dies while sending leaves it to the next one. So a letter is
//! sent at least once, and twice only when a process dies between the server's "yes" and its own note of it; the
//! letter's id is its `Message-ID`, by which mail programs know the second for the first.
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Letter, Part};
use crate::{
    clock::Clock,
    crypto::seal::{Keyring, Place},
    db::{Db, Tx},
    error::{Error, Result},
    ids::new_id,
    sql,
};

/// How long a letter is tried at most.
const TRIED: Duration = Duration::hours(24);
/// When whoever claimed a letter is taken for dead: longer than any attempt lasts.
const LEASE: Duration = Duration::minutes(2);
/// The wait after the first failure; it doubles from there.
const FIRST_WAIT: i64 = 30;
/// The longest wait, in seconds.
const LONGEST_WAIT: i64 = 3600;
/// How long it is remembered what became of a letter.
const REMEMBERED: Duration = Duration::days(30);

/// A letter, and to whom.
#[derive(Debug, Clone)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// What it says.
    pub letter: Letter,
    /// What it is about, as `user:…`.
    pub about: String,
    /// When it is of no more use: a link that has run out. At the latest a day from now.
    pub good_until: Option<DateTime<Utc>>,
}

/// What became of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type, Serialize)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum Standing {
    /// It is on its way, or will be tried again.
    Waiting,
    /// The mail server has taken it.
    Sent,
    /// It was given up.
    Failed,
}

/// A letter as pages and the command line tell of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Outgoing {
    /// The address.
    pub recipient: String,
    /// Its subject.
    pub subject: String,
    /// What became of it.
    pub state: Standing,
    /// How often it was tried.
    pub attempts: i64,
    /// When it is tried again.
    pub next_at: DateTime<Utc>,
    /// Why the last attempt failed.
    pub fault: Option<String>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// When it was sent or given up.
    pub done_at: Option<DateTime<Utc>>,
}

/// A letter that this process is to send.
#[derive(Debug, sqlx::FromRow)]
pub(super) struct Claimed {
    pub(super) id: Uuid,
    pub(super) recipient: String,
    pub(super) subject: String,
    pub(super) body: Option<Vec<u8>>,
    pub(super) attempts: i64,
    pub(super) give_up_at: DateTime<Utc>,
}

/// What is sealed of a letter.
#[derive(Serialize, Deserialize)]
struct Body {
    parts: Vec<Part>,
}

/// Puts a letter into the outbox, in the transaction that it is about.
///
/// # Errors
/// When there is no key to seal it with; when the database fails.
pub async fn enqueue(tx: &mut Tx, clock: &Clock, keys: &Keyring, mail: Mail) -> Result<()> {
    let (id, now) = (new_id(clock), clock.now());
    let last = now + TRIED;
    let body = serde_json::to_vec(&Body { parts: mail.letter.parts }).map_err(Error::internal)?;
    sql!(
        exec tx,
        "INSERT INTO outbox (id, about, recipient, subject, body, state, attempts, next_at, give_up_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $7)",
        id,
        &mail.about,
        &mail.to,
        &mail.letter.subject,
        keys.seal(place(&id.to_string()), &body)?,
        Standing::Waiting,
        now,
        mail.good_until.map_or(last, |until| until.min(last)),
    )?;
    Ok(())
}

/// Takes back what was not sent yet: what it says is no longer so.
///
/// # Errors
/// When the database does.
pub async fn cancel(tx: &mut Tx, about: &str) -> Result<()> {
    sql!(exec tx, "DELETE FROM outbox WHERE about = $1 AND state = $2", about, Standing::Waiting)?;
    Ok(())
}

/// What became of the latest letter about something. Whoever may see the thing may see this: its page has asked.
///
/// # Errors
/// When the database does.
pub async fn latest(db: &Db, about: &str) -> Result<Option<Outgoing>> {
    let latest = sql!(
        opt Outgoing,
        db,
        "SELECT recipient, subject, state, attempts, next_at, fault, created_at, done_at
         FROM outbox WHERE about = $1 ORDER BY id DESC LIMIT 1",
        about,
    )?;
    Ok(latest)
}

/// Claims the letter that has waited longest.
pub(super) async fn claim(db: &Db, clock: &Clock) -> Result<Option<Claimed>> {
    let now = clock.now();
    // without a write while nothing waits
    let due = sql!(
        value i64,
        db,
        "SELECT COUNT(*) FROM outbox WHERE state = 'waiting' AND next_at <= $1",
        now,
    )?;
    if due == 0 {
        return Ok(None);
    }
    db.write(move |tx| {
        Box::pin(async move {
            let claimed = sql!(
                opt Claimed,
                tx,
                "UPDATE outbox SET attempts = attempts + 1, next_at = $2
                 WHERE id IN (SELECT id FROM outbox WHERE state = 'waiting' AND next_at <= $1 ORDER BY next_at, id LIMIT 1)
                   AND state = 'waiting' AND next_at <= $1
                 RETURNING id, recipient, subject, body, attempts, give_up_at",
                now,
                now + LEASE,
            )?;
            Ok(claimed)
        })
    })
    .await
}

impl Claimed {
    /// What it says.
    pub(super) fn parts(&self, keys: &Keyring) -> Result<Vec<Part>> {
        let sealed = self.body.as_deref().unwrap_or_default();
        let plain = keys.open(place(&self.id.to_string()), sealed)?;
        serde_json::from_slice::<Body>(&plain).map(|body| body.parts).map_err(Error::internal)
    }

    /// The server has taken it.
    pub(super) async fn sent(&self, db: &Db, clock: &Clock) -> Result<()> {
        self.done(db, clock, Standing::Sent, None).await
    }

    /// It was not taken: it is tried again while there is time, unless trying is of no use.
    pub(super) async fn failed(&self, db: &Db, clock: &Clock, fault: String, for_good: bool) -> Result<Standing> {
        let next = clock.now() + wait(self.attempts);
        if for_good || next >= self.give_up_at {
            self.done(db, clock, Standing::Failed, Some(fault)).await?;
            return Ok(Standing::Failed);
        }
        let (id, attempts) = (self.id, self.attempts);
        db.write(move |tx| {
            Box::pin(async move {
                sql!(
                    exec tx,
                    "UPDATE outbox SET next_at = $1, fault = $2 WHERE id = $3 AND attempts = $4 AND state = 'waiting'",
                    next,
                    &fault,
                    id,
                    attempts,
                )?;
                Ok(Standing::Waiting)
            })
        })
        .await
    }

    async fn done(&self, db: &Db, clock: &Clock, state: Standing, fault: Option<String>) -> Result<()> {
        let (id, attempts, now) = (self.id, self.attempts, clock.now());
        db.write(move |tx| {
            Box::pin(async move {
                // the number of attempts is the fence: who was taken for dead has nothing more to say
                sql!(
                    exec tx,
                    "UPDATE outbox SET state = $1, fault = $2, body = NULL, done_at = $3
                     WHERE id = $4 AND attempts = $5 AND state = 'waiting'",
                    state,
                    fault,
                    now,
                    id,
                    attempts,
                )?;
                Ok(())
            })
        })
        .await
    }
}

/// How long to wait after so many failures.
fn wait(attempts: i64) -> Duration {
    let doublings = (attempts - 1).clamp(0, 10);
    Duration::seconds((FIRST_WAIT << doublings).min(LONGEST_WAIT))
}

/// Forgets what became of old letters.
///
/// # Errors
/// When the database does.
pub async fn purge(db: &Db, clock: &Clock) -> Result<()> {
    let oldest = clock.now() - REMEMBERED;
    db.write(move |tx| {
        Box::pin(async move {
            sql!(exec tx, "DELETE FROM outbox WHERE state <> 'waiting' AND created_at < $1", oldest)?;
            Ok(())
        })
    })
    .await
}

fn place(row: &str) -> Place<'_> {
    Place { column: "outbox.body", row }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::testing::each;

    async fn post(db: &Db, clock: &Clock, keys: &Keyring, about: &str) {
        let (clock, keys, about) = (clock.clone(), keys.clone(), about.to_owned());
        let letter = Letter { subject: "Hello".into(), parts: vec![Part::text("the secret link")] };
        let mail = Mail { to: "ada@example.com".into(), letter, about, good_until: None };
        db.write(move |tx| Box::pin(async move { enqueue(tx, &clock, &keys, mail).await })).await.unwrap();
    }

    #[tokio::test]
    async fn a_letter_is_sealed_claimed_by_one_and_forgotten_once_sent() {
        each(|db| async move {
            let (clock, keys) = (Clock::still(), Keyring::in_memory());
            post(&db, &clock, &keys, "user:1").await;
            let stored = sql!(value Vec<u8>, &db, "SELECT body FROM outbox").unwrap();
            assert!(!String::from_utf8_lossy(&stored).contains("secret"));
            let (one, other) = tokio::join!(claim(&db, &clock), claim(&db, &clock));
            let mut claimed = [one.unwrap(), other.unwrap()].into_iter().flatten();
            let mine = claimed.next().expect("somebody claims it");
            assert!(claimed.next().is_none(), "and nobody else");
            assert_eq!(mine.parts(&keys).unwrap(), [Part::text("the secret link")]);

            // taken for dead, its claim is another's; it has nothing more to say
            clock.advance(121);
            let second = claim(&db, &clock).await.unwrap().expect("claimed again");
            mine.failed(&db, &clock, "late".into(), true).await.unwrap();
            assert_eq!(latest(&db, "user:1").await.unwrap().unwrap().state, Standing::Waiting);
            second.sent(&db, &clock).await.unwrap();
            let now = latest(&db, "user:1").await.unwrap().unwrap();
            assert_eq!((now.state, now.attempts, now.fault), (Standing::Sent, 2, None));
            assert_eq!(sql!(value Option<Vec<u8>>, &db, "SELECT body FROM outbox").unwrap(), None);
            clock.advance(31 * 24 * 3600);
            purge(&db, &clock).await.unwrap();
            assert!(latest(&db, "user:1").await.unwrap().is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn it_is_tried_for_a_day_and_then_given_up() {
        each(|db| async move {
            let (clock, keys) = (Clock::still(), Keyring::in_memory());
            post(&db, &clock, &keys, "user:1").await;
            let (began, mut tried) = (clock.now(), 0);
            loop {
                let Some(claimed) = claim(&db, &clock).await.unwrap() else {
                    clock.advance(10);
                    continue;
                };
                tried += 1;
                if claimed.failed(&db, &clock, "421 busy".into(), false).await.unwrap() == Standing::Failed {
                    break;
                }
            }
            let took = clock.now() - began;
            assert!(took > TRIED - Duration::hours(2) && took <= TRIED, "{took}");
            assert!((20..40).contains(&tried), "{tried}");
            let end = latest(&db, "user:1").await.unwrap().unwrap();
            assert_eq!((end.state, end.fault.as_deref()), (Standing::Failed, Some("421 busy")));
            clock.advance(7200);
            assert!(claim(&db, &clock).await.unwrap().is_none());
        })
        .await;
    }

    #[tokio::test]
    async fn what_waits_can_be_taken_back() {
        each(|db| async move {
            let (clock, keys) = (Clock::still(), Keyring::in_memory());
            post(&db, &clock, &keys, "user:1").await;
            post(&db, &clock, &keys, "user:2").await;
            db.write(|tx| Box::pin(async move { cancel(tx, "user:1").await })).await.unwrap();
            assert!(latest(&db, "user:1").await.unwrap().is_none());
            assert!(latest(&db, "user:2").await.unwrap().is_some());
        })
        .await;
    }
}
