//! What people do with sources. Each change is audited in its own transaction; the scheduler sees it within a second,
//! since it looks at the rows themselves.
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::{Row, columns, place, plan::New, row_of};
use crate::{
    auth::{
        Administer, Configure, Grant, Permit, Right,
        audit::{self, Entry},
    },
    clock::Clock,
    crypto::seal::Keyring,
    db::{Db, Tx},
    error::{Error, Result},
    ids::{EventTypeId, SourceId},
    polling::{
        Health, Lateness, Source, State, Window,
        ledger::{self, Kind},
        schedule::jitter,
        terms::{Prepared, Terms},
    },
    sql, tenants,
};

/// The longest that a ledger may be filled in at once.
const LONGEST: TimeDelta = TimeDelta::days(3660);

/// How long the secret before goes on being tried.
pub const OVERLAP: TimeDelta = TimeDelta::hours(24);

fn seal(keys: &Keyring, row: &str, secret: Option<&str>) -> Result<Option<Vec<u8>>> {
    secret.map(|secret| keys.seal(place(row), secret.as_bytes())).transpose().map_err(Error::internal)
}

/// Opens a secret that [`create`] or [`set_secret`] has sealed.
///
/// # Errors
/// When it was sealed with a key that is not at hand.
pub fn open(keys: &Keyring, tenant: crate::ids::TenantId, id: SourceId, sealed: &[u8]) -> Result<String> {
    let plain = keys.open(place(&row_of(tenant, id)), sealed).map_err(Error::internal)?;
    String::from_utf8(plain).map_err(Error::internal)
}

/// Creates a source. Its ledger begins at `start`, or one interval before now.
///
/// # Errors
/// [`Error::NotFound`] when there is no such tenant or event type; [`Error::Invalid`] when `start` is in the future;
/// when the secret cannot be sealed or the database fails.
pub async fn create(
    db: &Db,
    clock: &Clock,
    keys: &Keyring,
    permit: &Permit<Configure>,
    event_type: EventTypeId,
    prepared: Prepared,
    start: Option<DateTime<Utc>>,
) -> Result<Source> {
    let (permit, clock, keys) = (permit.clone(), clock.clone(), keys.clone());
    db.write(move |tx| {
        Box::pin(async move { create_in(tx, &clock, &keys, &permit, event_type, prepared, start).await })
    })
    .await
}

/// The same inside a transaction, for what makes more than a source.
///
/// # Errors
/// As [`create`].
pub async fn create_in(
    tx: &mut Tx,
    clock: &Clock,
    keys: &Keyring,
    permit: &Permit<Configure>,
    event_type: EventTypeId,
    prepared: Prepared,
    start: Option<DateTime<Utc>>,
) -> Result<Source> {
    let (id, now, tenant) = (SourceId::new(clock), clock.now(), permit.tenant());
    let terms = prepared.terms(id)?;
    let start = match start {
        Some(start) if start > now => return Err(Error::invalid("start", "lies in the future")),
        Some(start) if now - start > LONGEST => return Err(Error::invalid("start", "lies more than ten years ago")),
        Some(start) => ledger::floor(start, TimeDelta::seconds(1)),
        None => first_start(&terms, now),
    };
    let secret = seal(keys, &row_of(tenant, id), prepared.secret.as_deref())?;
    tenants::store::lock(tx, tenant).await?;
    let known = "SELECT id FROM event_types WHERE tenant_id = $1 AND id = $2";
    if sql!(opt(EventTypeId,), tx, known, tenant, event_type)?.is_none() {
        return Err(Error::NotFound("event type"));
    }
    let row = sql!(
        one Row, tx,
        concat!(
            "INSERT INTO sources (tenant_id, id, event_type_id, name, definition, host, secret, state,
                starts_at, watermark, interval_seconds, parallel, next_run_at, run_now, skew_millis, refusals,
                health, health_since, reconcile, checked_windows, checked_records, missed_records, lateness,
                tidied_at, created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'active', $8, $8, $9, $10, $11, FALSE, 0, 0, $12, $11, TRUE,
                0, 0, 0, $13, $11, $11, $11)
             RETURNING ", columns!()
        ),
        tenant,
        id,
        event_type,
        &prepared.name,
        &prepared.definition,
        &terms.host,
        secret,
        start,
        terms.interval(now).num_seconds(),
        terms.parallel(),
        now,
        Health::Fresh,
        serde_json::to_string(&Lateness::default()).map_err(Error::internal)?,
    )?;
    let source = Source::from(row);
    record(tx, clock, permit.actor(), "source.create", &source, None, Some(shown(&source))).await?;
    Ok(source)
}

/// "Each hour all new data of the past hour": the first run begins at once.
fn first_start(terms: &Terms, now: DateTime<Utc>) -> DateTime<Utc> {
    let reach = terms.timing.reach(now).unwrap_or(now);
    terms.timing.rhythm.until(reach - TimeDelta::seconds(1)).unwrap_or(reach - terms.interval(now))
}

/// A source as the audit trail keeps it; no secret is a part of it.
fn shown(source: &Source) -> Value {
    let definition = serde_json::from_str::<Value>(&source.definition).unwrap_or_default();
    json!({
        "eventType": source.event_type,
        "definition": definition,
        "state": source.state,
        "startsAt": source.starts_at,
        "reconcile": source.reconciliation.on,
    })
}

async fn record(
    tx: &mut Tx,
    clock: &Clock,
    actor: &crate::auth::Actor,
    action: &'static str,
    source: &Source,
    before: Option<Value>,
    after: Option<Value>,
) -> Result<()> {
    let entry = Entry { actor, tenant: Some(source.tenant), action, object: source.id.to_string(), before, after };
    audit::record(tx, clock, entry).await
}

/// Locks a source for a change.
async fn lock<R: Right>(tx: &mut Tx, permit: &Permit<R>, id: SourceId) -> Result<Source> {
    let text = concat!(
        "UPDATE sources SET refusals = refusals WHERE tenant_id = $1 AND id = $2 AND state <> 'removed' RETURNING ",
        columns!()
    );
    Ok(sql!(opt Row, tx, text, permit.tenant(), id)?.ok_or(Error::NotFound("source"))?.into())
}

async fn again<R: Right>(tx: &mut Tx, permit: &Permit<R>, id: SourceId) -> Result<Source> {
    let text = concat!("SELECT ", columns!(), " FROM sources WHERE tenant_id = $1 AND id = $2");
    Ok(sql!(one Row, tx, text, permit.tenant(), id)?.into())
}

/// Changes what a source asks, and how. Its ledger goes on where it is; a secret in the file replaces the one there is.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the secret cannot be sealed or the database fails.
pub async fn edit(
    db: &Db,
    clock: &Clock,
    keys: &Keyring,
    permit: &Permit<Configure>,
    id: SourceId,
    prepared: Prepared,
) -> Result<Source> {
    let terms = prepared.terms(id)?;
    if let Some(secret) = &prepared.secret {
        set_secret(db, clock, keys, permit, id, secret, OVERLAP).await?;
    }
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &permit, id).await?;
            let now = clock.now();
            let next = terms.timing.next(before.watermark).unwrap_or(now) - before.skew;
            sql!(
                exec tx,
                "UPDATE sources SET name = $3, definition = $4, host = $5, interval_seconds = $6, parallel = $7,
                    next_run_at = $8, updated_at = $9, validator = NULL
                 WHERE tenant_id = $1 AND id = $2",
                permit.tenant(),
                id,
                &prepared.name,
                &prepared.definition,
                &terms.host,
                terms.interval(now).num_seconds(),
                terms.parallel(),
                next.max(now),
                now,
            )?;
            // how far a window was read says nothing by another definition: it is begun again, and what is stored is
            // recognised
            sql!(
                exec tx,
                "UPDATE windows SET host = $3, position = NULL
                 WHERE tenant_id = $1 AND source_id = $2 AND done_at IS NULL",
                permit.tenant(),
                id,
                &terms.host,
            )?;
            let revoked = "UPDATE windows SET state = 'open', epoch = epoch + 1, held_until = $3
                WHERE tenant_id = $1 AND source_id = $2 AND state = 'running' AND done_at IS NULL";
            sql!(exec tx, revoked, permit.tenant(), id, DateTime::<Utc>::UNIX_EPOCH)?;
            let after = again(tx, &permit, id).await?;
            record(tx, &clock, permit.actor(), "source.change", &after, Some(shown(&before)), Some(shown(&after)))
                .await?;
            Ok(after)
        })
    })
    .await
}

/// Replaces the secret. The one before goes on being tried for as long as `overlap` says, when the new one is refused.
///
/// # Errors
/// [`Error::NotFound`] when there is no such source; when the secret cannot be sealed or the database fails.
pub async fn set_secret(
    db: &Db,
    clock: &Clock,
    keys: &Keyring,
    permit: &Permit<Configure>,
    id: SourceId,
    secret: &str,
    overlap: TimeDelta,
) -> Result<Source> {
    let sealed = seal(keys, &row_of(permit.tenant(), id), Some(secret))?;
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &permit, id).await?;
            let now = clock.now();
            let until = (before.has_secret && overlap > TimeDelta::zero()).then(|| now + overlap);
            sql!(
                exec tx,
                "UPDATE sources SET old_secret = CASE WHEN $6 THEN secret ELSE NULL END, old_secret_until = $4,
                    secret = $3, refusals = 0, updated_at = $5, validator = NULL
                 WHERE tenant_id = $1 AND id = $2",
                permit.tenant(),
                id,
                sealed,
                until,
                now,
                until.is_some(),
            )?;
            let after = again(tx, &permit, id).await?;
            let said = json!({"oldTokenUntil": until});
            record(tx, &clock, permit.actor(), "source.set-token", &after, None, Some(said)).await?;
            Ok(after)
        })
    })
    .await
}

/// Pauses a source. What is under way ends within seconds, as far as it came.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn pause(db: &Db, clock: &Clock, permit: &Permit<Configure>, id: SourceId) -> Result<Source> {
    turn(db, clock, permit, id, ("source.pause", State::Paused, Health::Paused)).await
}

/// Sets a source going again, whatever had stopped it: what has failed is tried again, at once.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn resume(db: &Db, clock: &Clock, permit: &Permit<Configure>, id: SourceId) -> Result<Source> {
    turn(db, clock, permit, id, ("source.resume", State::Active, Health::Fresh)).await
}

/// Removes a source: it is asked no more, and its secret is gone. Its events stay, and so does what tells where they
/// came from.
///
/// # Errors
/// [`Error::NotFound`] when there is none; when the database fails.
pub async fn remove(db: &Db, clock: &Clock, permit: &Permit<Configure>, id: SourceId) -> Result<Source> {
    turn(db, clock, permit, id, ("source.remove", State::Removed, Health::Paused)).await
}

async fn turn(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: SourceId,
    (action, state, health): (&'static str, State, Health),
) -> Result<Source> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &permit, id).await?;
            if before.state == state {
                return Ok(before);
            }
            let (tenant, now) = (permit.tenant(), clock.now());
            sql!(
                exec tx,
                "UPDATE sources SET state = $3, reason = NULL, refusals = 0, health = $4, health_since = $5,
                    updated_at = $5
                 WHERE tenant_id = $1 AND id = $2",
                tenant,
                id,
                state,
                health,
                now,
            )?;
            match state {
                State::Active => {
                    // it is late from now on, not since it was paused
                    let text = "UPDATE sources SET next_run_at = $3 WHERE tenant_id = $1 AND id = $2";
                    sql!(exec tx, text, tenant, id, now)?;
                    let text = "UPDATE windows SET state = CASE WHEN state = 'failed' THEN 'open' ELSE state END,
                            next_try_at = $3, failures = 0, planned_at = $3
                        WHERE tenant_id = $1 AND source_id = $2 AND state IN ('open', 'failed')
                          AND done_at IS NULL";
                    sql!(exec tx, text, tenant, id, now)?;
                }
                State::Removed => {
                    let text = "UPDATE sources SET secret = NULL, old_secret = NULL, old_secret_until = NULL
                        WHERE tenant_id = $1 AND id = $2";
                    sql!(exec tx, text, tenant, id)?;
                }
                State::Paused | State::Refused | State::Stopped => {}
            }
            let after = again(tx, &permit, id).await?;
            let (was, is) = (json!({"state": before.state}), json!({"state": state}));
            record(tx, &clock, permit.actor(), action, &after, Some(was), Some(is)).await?;
            Ok(after)
        })
    })
    .await
}

/// Lets the ledger grow up to the present, apart from the schedule; open windows are tried at once.
///
/// # Errors
/// [`Error::NotFound`] when there is none; [`Error::Conflict`] when it is not active; when the database fails.
pub async fn run_now(db: &Db, clock: &Clock, permit: &Permit<Configure>, id: SourceId) -> Result<Source> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &permit, id).await?;
            must_be_active(&before)?;
            let (tenant, now) = (permit.tenant(), clock.now());
            let text = "UPDATE sources SET run_now = TRUE, next_run_at = $3 WHERE tenant_id = $1 AND id = $2";
            sql!(exec tx, text, tenant, id, now)?;
            let text = "UPDATE windows SET next_try_at = $3
                WHERE tenant_id = $1 AND source_id = $2 AND state = 'open' AND done_at IS NULL
                  AND next_try_at > $3";
            sql!(exec tx, text, tenant, id, now)?;
            let after = again(tx, &permit, id).await?;
            record(tx, &clock, permit.actor(), "source.run", &after, None, None).await?;
            Ok(after)
        })
    })
    .await
}

fn must_be_active(source: &Source) -> Result<()> {
    match source.state {
        State::Active => Ok(()),
        other => Err(Error::Conflict(format!("the source is {}: resume it first", other.word()))),
    }
}

/// What a backfill will ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// What lies before the ledger, in slices: it becomes a part of it.
    pub before: Vec<Window>,
    /// What lies in the ledger, in slices: it is read once more.
    pub within: Vec<Window>,
}

impl Backfill {
    /// How many windows that is.
    pub fn windows(&self) -> usize {
        self.before.len() + self.within.len()
    }
}

/// What a backfill of `range` would ask for, in slices of this length. What lies after the ledger is left to the
/// schedule; between the range and the start of the ledger there is to be no gap.
///
/// # Errors
/// [`Error::Invalid`] when there is nothing to ask for; when the definition cannot be read.
pub fn estimate(
    source: &Source,
    terms: &Terms,
    range: Window,
    slice: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Backfill> {
    let second = TimeDelta::seconds(1);
    let range = Window::new(ledger::floor(range.from, second), ledger::floor(range.until, second));
    if range.is_empty() {
        return Err(Error::invalid("until", "has to lie after from"));
    }
    if now - range.from > LONGEST {
        return Err(Error::invalid("from", "lies more than ten years ago"));
    }
    let (before, within) = ledger::parts(range, source.starts_at, source.watermark);
    let cut = |part: Option<Window>| part.map_or_else(Vec::new, |part| ledger::slices(part, slice, terms.shape));
    let backfill = Backfill { before: cut(before), within: cut(within) };
    match backfill.windows() {
        0 => Err(Error::invalid("from", "lies after the ledger: the schedule will ask for it")),
        n if n > ledger::MOST => Err(Error::invalid("slice", "makes more windows than the ledger takes at once")),
        _ => Ok(backfill),
    }
}

/// Has a range asked for: what lies before the ledger becomes a part of it, what lies in it is read once more, if its
/// events are still known.
///
/// # Errors
/// As [`estimate`]; [`Error::NotFound`] when there is no such source; [`Error::Conflict`] when the range lies before
/// what retention keeps, or the ledger has changed meanwhile; when the database fails.
pub async fn backfill(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: SourceId,
    range: Window,
    slice: TimeDelta,
) -> Result<Backfill> {
    let retention = tenants::retention::get(db, permit).await?;
    let now = clock.now();
    let known = retention.accepted_before(now).max(retention.unique_before(now));
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let source = lock(tx, &permit, id).await?;
            let terms = Terms::read(&source.definition, id)?;
            let backfill = estimate(&source, &terms, range, slice, now)?;
            if backfill.within.iter().any(|window| window.from < known) {
                return Err(Error::Conflict(format!(
                    "what was received before {} may be forgotten by now, and would be stored twice: begin there",
                    known.format("%Y-%m-%d %H:%M UTC")
                )));
            }
            let new = |kind| New {
                tenant: permit.tenant(),
                source: id,
                host: &source.host,
                kind,
                lookback: TimeDelta::zero(),
            };
            new(Kind::Backfill).insert(tx, &clock, &backfill.before).await?;
            new(Kind::Reread).insert(tx, &clock, &backfill.within).await?;
            if let Some(first) = backfill.before.first() {
                let text = "UPDATE sources SET starts_at = $3 WHERE tenant_id = $1 AND id = $2";
                sql!(exec tx, text, permit.tenant(), id, first.from)?;
            }
            let said = json!({
                "from": range.from, "until": range.until,
                "newWindows": backfill.before.len(), "reread": backfill.within.len(),
            });
            record(tx, &clock, permit.actor(), "source.backfill", &source, None, Some(said)).await?;
            Ok(backfill)
        })
    })
    .await
}

/// Whether closed windows are read again at random, to measure what had been missed.
///
/// # Errors
/// [`Error::NotFound`] when there is no such source; when the database fails.
pub async fn set_reconcile(
    db: &Db,
    clock: &Clock,
    permit: &Permit<Configure>,
    id: SourceId,
    on: bool,
) -> Result<Source> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let before = lock(tx, &permit, id).await?;
            if before.reconciliation.on == on {
                return Ok(before);
            }
            let text = "UPDATE sources SET reconcile = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2";
            sql!(exec tx, text, permit.tenant(), id, on, clock.now())?;
            let after = again(tx, &permit, id).await?;
            record(tx, &clock, permit.actor(), "source.change", &after, Some(shown(&before)), Some(shown(&after)))
                .await?;
            Ok(after)
        })
    })
    .await
}

/// What all processes together may ask of a host.
///
/// # Errors
/// [`Error::Invalid`] when no window could ever be read; when the database fails.
pub async fn limit_host(
    db: &Db,
    clock: &Clock,
    grant: &Grant<Administer>,
    host: String,
    slots: i64,
    per_minute: i64,
) -> Result<()> {
    if !(1..=1000).contains(&slots) {
        return Err(Error::invalid("slots", "are 1 to 1000"));
    }
    if !(0..=1_000_000).contains(&per_minute) {
        return Err(Error::invalid("per_minute", "are 0 (no limit) to 1000000"));
    }
    let (actor, clock) = (grant.actor().clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let text = "SELECT slots, per_minute FROM poll_hosts WHERE host = $1";
            let before = sql!(opt(i64, i64), tx, text, &host)?;
            sql!(
                exec tx,
                "INSERT INTO poll_hosts (host, slots, per_minute, credit, credited_at, not_before)
                 VALUES ($1, $2, $3, 1, $4, $5)
                 ON CONFLICT (host) DO UPDATE SET slots = excluded.slots, per_minute = excluded.per_minute, credit = 1,
                    credited_at = excluded.credited_at",
                &host,
                slots,
                per_minute,
                clock.now(),
                DateTime::<Utc>::UNIX_EPOCH,
            )?;
            let before = before.map(|(slots, per_minute)| json!({"slots": slots, "perMinute": per_minute}));
            let after = Some(json!({"slots": slots, "perMinute": per_minute}));
            let entry = Entry { actor: &actor, tenant: None, action: "source.limit-host", object: host, before, after };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// How a source waits, for those who show it: its place in the spread.
pub fn place_in_spread(source: &Source) -> TimeDelta {
    jitter(source.id, source.interval)
}
