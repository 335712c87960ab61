//! What is amiss and what was; raising and resolving it so that it is told once, whoever else looks at the same time.
use std::collections::{HashMap, hash_map::Entry};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{
    super::{Alert, Change, Facts, Kind, Resolution, Rules, message},
    notices, rules, told,
};
use crate::{
    auth::{Grant, ListTenants, Permit, ReadConfiguration},
    clock::Clock,
    db::{Db, Tx},
    error::{Error, Result},
    event_types,
    events::{
        follower::{self, hour},
        hours, rhythm,
    },
    failures,
    ids::{AlertId, EventTypeId, FailureGroupId, SourceId, TenantId},
    polling, sql,
};

/// The number of this work among those that one process does at a time.
const WORK: i32 = 8;
/// How long it is remembered what was amiss and who was told.
pub const KEPT: TimeDelta = TimeDelta::days(30);

macro_rules! alerts {
    ($rest:literal) => {
        concat!(
            "SELECT tenant_id, id, kind, event_type_id, subject, details, opened_at, resolved_at, resolution FROM alerts ",
            $rest
        )
    };
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    id: AlertId,
    kind: Kind,
    event_type_id: EventTypeId,
    subject: Uuid,
    details: String,
    opened_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    resolution: Option<Resolution>,
}

impl TryFrom<Row> for Alert {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        Ok(Self {
            tenant_id: row.tenant_id,
            id: row.id,
            kind: row.kind,
            event_type_id: row.event_type_id,
            subject: row.subject,
            details: serde_json::from_str(&row.details).map_err(Error::internal)?,
            opened_at: row.opened_at,
            resolved_at: row.resolved_at,
            resolution: row.resolution,
        })
    }
}

fn read(rows: Vec<Row>) -> Result<Vec<Alert>> {
    rows.into_iter().map(Alert::try_from).collect()
}

/// The alerts of a tenant: what is amiss first, then the newest.
///
/// # Errors
/// When the database does.
pub async fn alerts(db: &Db, permit: &Permit<ReadConfiguration>, limit: i64) -> Result<Vec<Alert>> {
    let text = alerts!("WHERE tenant_id = $1 ORDER BY resolved_at IS NOT NULL, opened_at DESC, id LIMIT $2");
    read(sql!(all Row, db, text, permit.tenant(), limit)?)
}

/// What is amiss of all tenants, the newest first.
///
/// # Errors
/// When the database does.
pub async fn open_of_all(db: &Db, _grant: &Grant<ListTenants>) -> Result<Vec<Alert>> {
    open(db).await
}

async fn open(db: &Db) -> Result<Vec<Alert>> {
    read(sql!(all Row, db, alerts!("WHERE resolved_at IS NULL ORDER BY opened_at DESC, id"))?)
}

/// How often alerts were raised or resolved: who has read this before looking knows afterwards whether anybody else
/// did meanwhile.
///
/// # Errors
/// When the database does.
pub async fn changes_so_far(db: &Db) -> Result<i64> {
    Ok(sql!(value i64, db, "SELECT changes FROM alert_watch WHERE id = 1")?)
}

/// Everything that tells what is amiss, without anybody's permission. Nothing that answers to a person may call this.
///
/// # Errors
/// When the database does.
pub async fn load(db: &Db, now: DateTime<Utc>) -> Result<Facts> {
    let rows = sql!(
        all rules::Row, db,
        "SELECT tenant_id, event_type_id, silence, failures, rejections, percent, hours, minimum FROM alert_rules",
    )?;
    let rules: HashMap<_, _> = rows.into_iter().map(|row| ((row.tenant_id, row.event_type_id), row.rules)).collect();
    let longest = rules.values().map(|rules: &Rules| rules.hours).max().unwrap_or(0).max(Rules::default().hours);
    let open = open(db).await?;
    let mut causes = failures::store::open_briefs(db).await?;
    for alert in open.iter().filter(|alert| alert.kind == Kind::FailureGroup) {
        if !causes.iter().any(|cause| cause.tenant_id == alert.tenant_id && cause.id.0 == alert.subject) {
            causes.extend(failures::store::brief(db, alert.tenant_id, FailureGroupId(alert.subject)).await?);
        }
    }
    let mut sources = polling::store::astray(db).await?;
    for alert in open.iter().filter(|alert| alert.kind == Kind::Source) {
        if !sources.iter().any(|one| one.tenant_id == alert.tenant_id && one.id.0 == alert.subject) {
            sources.extend(polling::store::standing(db, alert.tenant_id, SourceId(alert.subject)).await?);
        }
    }
    // what waits to be counted may be of a type that seems silent: silence is told as of then
    let counted = follower::oldest(db).await?.map_or(now, |oldest| oldest.min(now));
    Ok(Facts {
        types: rhythm::watch(db, counted).await?,
        figures: hours::watch(db, hour(now) - TimeDelta::hours(longest)).await?,
        causes,
        sources,
        rules,
        open,
    })
}

/// Raises and resolves, and puts into the same transaction what channels are told of it. False: somebody else has done
/// so since `seen`, or is at it; look again.
///
/// # Errors
/// When the database does; nothing was done then.
pub async fn apply(db: &Db, clock: &Clock, base: &str, seen: i64, changes: Vec<Change>) -> Result<bool> {
    let (clock, base) = (clock.clone(), base.to_owned());
    db.write(move |tx| {
        Box::pin(async move {
            if !tx.is_alone(WORK).await? {
                return Ok(false);
            }
            let text = "UPDATE alert_watch SET changes = changes + 1 WHERE id = 1 AND changes = $1";
            if sql!(exec tx, text, seen)? == 0 {
                return Ok(false);
            }
            let mut channels = HashMap::new();
            for change in changes {
                let alert = match change {
                    Change::Open(found) => raise(tx, &clock, found).await?,
                    Change::Resolve(id, why) => resolve(tx, &clock, id, why).await?,
                };
                if let Some(alert) = alert.filter(|alert| alert.resolution != Some(Resolution::Worse)) {
                    tell(tx, &clock, &base, &alert, &mut channels).await?;
                }
            }
            Ok(true)
        })
    })
    .await
}

async fn raise(tx: &mut Tx, clock: &Clock, found: super::super::Found) -> Result<Option<Alert>> {
    let alert = Alert {
        tenant_id: found.tenant,
        id: AlertId::new(clock),
        kind: found.kind,
        event_type_id: found.event_type,
        subject: found.subject,
        details: found.details,
        opened_at: clock.now(),
        resolved_at: None,
        resolution: None,
    };
    let raised = sql!(
        exec tx,
        "INSERT INTO alerts (tenant_id, id, kind, event_type_id, subject, details, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        alert.tenant_id,
        alert.id,
        alert.kind,
        alert.event_type_id,
        alert.subject,
        serde_json::to_string(&alert.details).map_err(Error::internal)?,
        alert.opened_at,
    )?;
    Ok((raised > 0).then_some(alert))
}

async fn resolve(tx: &mut Tx, clock: &Clock, id: AlertId, why: Resolution) -> Result<Option<Alert>> {
    let text = "UPDATE alerts SET resolved_at = $2, resolution = $3 WHERE id = $1 AND resolved_at IS NULL
        RETURNING tenant_id, id, kind, event_type_id, subject, details, opened_at, resolved_at, resolution";
    sql!(opt Row, tx, text, id, clock.now(), why)?.map(Alert::try_from).transpose()
}

type Channels = HashMap<TenantId, (String, Vec<super::super::Channel>)>;

/// A notice for each channel that is told of the alert's tenant.
async fn tell(tx: &mut Tx, clock: &Clock, base: &str, alert: &Alert, known: &mut Channels) -> Result<()> {
    let tenant = alert.tenant_id;
    let (name, channels) = match known.entry(tenant) {
        Entry::Occupied(known) => known.into_mut(),
        Entry::Vacant(new) => {
            let text = "SELECT name FROM tenants WHERE tenant_id = $1";
            let name = sql!(opt(String,), tx, text, tenant)?.map_or_else(|| tenant.to_string(), |(name,)| name);
            new.insert((name, told(tx, tenant).await?))
        }
    };
    if channels.is_empty() {
        return Ok(());
    }
    let event_type = event_types::store::name_of(tx, tenant, alert.event_type_id).await?;
    let event_type = event_type.map_or_else(|| alert.event_type_id.to_string(), |name| name.to_string());
    let names = message::Names { tenant: name, event_type: &event_type };
    let body = message::body(alert, names, base, clock.now());
    let event = if alert.resolved_at.is_some() { message::RESOLVED } else { message::OPENED };
    let title = message::title(alert, &event_type);
    for channel in channels {
        notices::enqueue(tx, clock, channel, Some((tenant, alert.id)), event, &title, &body).await?;
    }
    Ok(())
}

/// Forgets what is over, and who was told, after thirty days.
///
/// # Errors
/// When the database does.
pub async fn forget(db: &Db, clock: &Clock) -> Result<()> {
    let oldest = clock.now() - KEPT;
    db.write(move |tx| {
        Box::pin(async move {
            sql!(exec tx, "DELETE FROM alert_notices WHERE done_at IS NOT NULL AND done_at < $1", oldest)?;
            sql!(exec tx, "DELETE FROM alerts WHERE resolved_at IS NOT NULL AND resolved_at < $1", oldest)?;
            Ok(())
        })
    })
    .await
}
