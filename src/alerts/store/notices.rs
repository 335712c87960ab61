//! What channels are told: put down in the transaction of the change, claimed by moving their time ahead.
use chrono::{DateTime, Duration, Utc};
use serde_json::Value;

use super::super::{Channel, Notice, Scope, Standing, Way};
use crate::{
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{AlertId, ChannelId, NoticeId, TenantId},
    name::Name,
    sql,
};

/// When whoever claimed a notice is taken for dead: longer than any attempt lasts.
const LEASE: Duration = Duration::minutes(2);
/// How long to wait after each failure; then it is given up. Some three days in all.
const WAITS: [i64; 10] = [5, 30, 120, 600, 1_800, 3_600, 10_800, 21_600, 43_200, 86_400];
/// Notices in one letter.
const LETTER: i64 = 50;

/// A notice that this process is to send.
#[derive(Debug, sqlx::FromRow)]
pub struct Claimed {
    /// Whose channel it is for.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: NoticeId,
    /// The channel.
    pub channel_id: ChannelId,
    /// How many attempts there were, this one among them.
    pub attempts: i64,
    /// Of what it tells.
    pub event: String,
    /// In a line.
    pub title: String,
    /// What is sent.
    pub body: String,
}

/// What came of an attempt.
#[derive(Debug, Default)]
pub struct Attempt {
    /// The status that was answered.
    pub status: Option<u16>,
    /// How the answer began.
    pub answer: Option<String>,
    /// Why it failed; none when it did not.
    pub fault: Option<String>,
    /// Whether trying again is of no use.
    pub for_good: bool,
}

/// Puts a notice down.
pub(super) async fn enqueue(
    tx: &mut Tx,
    clock: &Clock,
    channel: &Channel,
    about: Option<(TenantId, AlertId)>,
    event: &str,
    title: &str,
    body: &Value,
) -> Result<NoticeId> {
    let (id, now) = (NoticeId::new(clock), clock.now());
    sql!(
        exec tx,
        "INSERT INTO alert_notices
            (tenant_id, id, channel_id, about, alert_id, event, title, body, state, attempts, next_at, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0, $10, $10)",
        channel.tenant_id,
        id,
        channel.id,
        about.map(|(tenant, _)| tenant),
        about.map(|(_, alert)| alert),
        event,
        title,
        body.to_string(),
        Standing::Waiting,
        now,
    )?;
    Ok(id)
}

/// What a tenant's channels, or those of the installation, were told, the newest first; of one channel where one is
/// named.
///
/// # Errors
/// When the database does.
pub async fn notices_of(db: &Db, scope: Scope, channel: Option<ChannelId>, limit: i64) -> Result<Vec<Notice>> {
    Ok(sql!(
        all Notice, db,
        "SELECT id, channel_id, event, title, state, attempts, next_at, status, answer, fault, created_at, done_at
         FROM alert_notices WHERE tenant_id = $1 AND channel_id = COALESCE($2, channel_id)
         ORDER BY id DESC LIMIT $3",
        scope.tenant(),
        channel,
        limit,
    )?)
}

/// Claims the notice that has waited longest.
///
/// # Errors
/// When the database does.
pub async fn claim(db: &Db, clock: &Clock) -> Result<Option<Claimed>> {
    let now = clock.now();
    // without a write while nothing waits
    let text = "SELECT COUNT(*) FROM alert_notices WHERE state = 'waiting' AND next_at <= $1";
    if sql!(value i64, db, text, now)? == 0 {
        return Ok(None);
    }
    db.write(move |tx| {
        Box::pin(async move {
            let claimed = sql!(
                opt Claimed, tx,
                "UPDATE alert_notices SET attempts = attempts + 1, next_at = $2
                 WHERE id IN (SELECT id FROM alert_notices WHERE state = 'waiting' AND next_at <= $1
                    ORDER BY next_at, id LIMIT 1)
                   AND state = 'waiting' AND next_at <= $1
                 RETURNING tenant_id, id, channel_id, attempts, event, title, body",
                now,
                now + LEASE,
            )?;
            Ok(claimed)
        })
    })
    .await
}

#[derive(sqlx::FromRow)]
struct ChannelRow {
    name: Name,
    kind: Way,
    address: String,
    enabled: bool,
    former_ends: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

/// A notice as a letter lists it.
#[derive(Debug, sqlx::FromRow)]
pub struct Line {
    /// Its id.
    pub id: NoticeId,
    /// In a line.
    pub title: String,
    /// What a web channel would be sent.
    pub body: String,
}

impl Claimed {
    /// The channel that it is for.
    ///
    /// # Errors
    /// When the database does.
    pub async fn channel(&self, db: &Db) -> Result<Option<Channel>> {
        let text = "SELECT name, kind, address, enabled, former_ends, created_at FROM alert_channels
            WHERE tenant_id = $1 AND id = $2";
        let row = sql!(opt ChannelRow, db, text, self.tenant_id, self.channel_id)?;
        Ok(row.map(|row| Channel {
            tenant_id: self.tenant_id,
            id: self.channel_id,
            name: row.name,
            kind: row.kind,
            address: row.address,
            enabled: row.enabled,
            former_ends: row.former_ends,
            created_at: row.created_at,
        }))
    }

    /// Writes down what came of the attempt: delivered, tried again later, or given up.
    ///
    /// # Errors
    /// When the database does.
    pub async fn ended(&self, db: &Db, clock: &Clock, attempt: Attempt) -> Result<Standing> {
        let (tenant, id, attempts, now) = (self.tenant_id, self.id, self.attempts, clock.now());
        let wait = usize::try_from(attempts - 1).ok().and_then(|at| WAITS.get(at)).copied();
        let state = match (&attempt.fault, wait) {
            (None, _) => Standing::Sent,
            (Some(_), Some(_)) if !attempt.for_good => Standing::Waiting,
            (Some(_), _) => Standing::Failed,
        };
        let next = now + Duration::seconds(wait.unwrap_or(0));
        let done = (state != Standing::Waiting).then_some(now);
        db.write(move |tx| {
            Box::pin(async move {
                // the number of attempts is the fence: who was taken for dead has nothing more to say
                sql!(
                    exec tx,
                    "UPDATE alert_notices SET state = $1, next_at = $2, status = $3, answer = $4, fault = $5, done_at = $6
                     WHERE tenant_id = $7 AND id = $8 AND attempts = $9 AND state = 'waiting'",
                    state,
                    next,
                    attempt.status.map(i64::from),
                    attempt.answer,
                    attempt.fault,
                    done,
                    tenant,
                    id,
                    attempts,
                )?;
                Ok(state)
            })
        })
        .await
    }

    /// Takes all that waits for a channel of mail, in the transaction that puts the letter into the outbox. None when
    /// somebody else has taken it.
    ///
    /// # Errors
    /// When the database does.
    pub async fn gather(&self, tx: &mut Tx, now: DateTime<Utc>) -> Result<Vec<Line>> {
        let mut lines = sql!(
            all Line, tx,
            "UPDATE alert_notices SET state = 'sent', done_at = $3, fault = NULL
             WHERE tenant_id = $1 AND state = 'waiting' AND id IN
                (SELECT id FROM alert_notices WHERE tenant_id = $1 AND channel_id = $2 AND state = 'waiting'
                 ORDER BY id LIMIT $4)
             RETURNING id, title, body",
            self.tenant_id,
            self.channel_id,
            now,
            LETTER,
        )?;
        lines.sort_by_key(|line| line.id);
        Ok(lines)
    }
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self { fault: Some(error.to_string()), ..Self::default() }
    }
}
