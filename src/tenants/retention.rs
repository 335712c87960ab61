//! How long a tenant's events are kept.
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::store::lock;
use crate::{
    auth::{
        Configure, Permit, Right,
        audit::{self, Entry, snapshot},
    },
    clock::Clock,
    db::Db,
    error::{Error, Result},
    ids::TenantId,
    sql,
};

/// The fewest and the most days that can be set.
pub const BOUNDS: std::ops::RangeInclusive<i64> = 1..=3_650;

/// How many days each is kept, counted from its receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Retention {
    /// Accepted events.
    #[sqlx(rename = "accepted_days")]
    #[serde(rename = "acceptedDays")]
    pub accepted: i64,
    /// Events in quarantine.
    #[sqlx(rename = "quarantined_days")]
    #[serde(rename = "quarantinedDays")]
    pub quarantined: i64,
    /// What was unique: the hash of its value outlives the event, so that one that is sent again is still recognised.
    #[sqlx(rename = "unique_days")]
    #[serde(rename = "uniqueDays")]
    pub unique: i64,
}

/// What is so for a tenant that has set nothing: 90 days, 30 days, 13 months.
pub const DEFAULT: Retention = Retention { accepted: 90, quarantined: 30, unique: 396 };

impl Retention {
    /// Whether it can be.
    ///
    /// # Errors
    /// [`Error::Invalid`], by the names `accepted`, `quarantined` and `unique`.
    pub fn check(self) -> Result<Self> {
        let mut wrong = Vec::new();
        for (field, days) in [("accepted", self.accepted), ("quarantined", self.quarantined), ("unique", self.unique)] {
            if !BOUNDS.contains(&days) {
                wrong.push((field, "between 1 and 3,650 days can be kept".to_owned()));
            }
        }
        let longest = self.accepted.max(self.quarantined);
        if wrong.is_empty() && self.unique < longest {
            wrong.push(("unique", format!("unique values outlive their events: keep them {longest} days at least")));
        }
        if wrong.is_empty() { Ok(self) } else { Err(Error::Invalid(wrong)) }
    }

    /// Accepted events received before this have had their time.
    pub fn accepted_before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::days(self.accepted)
    }

    /// Events in quarantine received before this have had their time.
    pub fn quarantined_before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::days(self.quarantined)
    }

    /// Unique values of events received before this have had their time.
    pub fn unique_before(self, now: DateTime<Utc>) -> DateTime<Utc> {
        now - TimeDelta::days(self.unique)
    }

    /// Whether anything is kept for less time than by `other`.
    pub fn is_shorter_than(self, other: Self) -> bool {
        self.accepted < other.accepted || self.quarantined < other.quarantined || self.unique < other.unique
    }
}

/// How long this tenant's events are kept.
///
/// # Errors
/// When the database does.
pub async fn get<R: Right>(db: &Db, permit: &Permit<R>) -> Result<Retention> {
    let text = "SELECT accepted_days, quarantined_days, unique_days FROM retention WHERE tenant_id = $1";
    Ok(sql!(opt Retention, db, text, permit.tenant())?.unwrap_or(DEFAULT))
}

/// Sets it. What has had its time by then goes within minutes.
///
/// # Errors
/// [`Error::Invalid`] when it cannot be; [`Error::NotFound`] when there is no such tenant; when the database fails.
pub async fn set(db: &Db, clock: &Clock, permit: &Permit<Configure>, to: Retention) -> Result<Retention> {
    let to = to.check()?;
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let tenant = lock(tx, permit.tenant()).await?.id;
            let text = "SELECT accepted_days, quarantined_days, unique_days FROM retention WHERE tenant_id = $1";
            let before = sql!(opt Retention, tx, text, tenant)?.unwrap_or(DEFAULT);
            if before == to {
                return Ok(to);
            }
            sql!(
                exec tx,
                "INSERT INTO retention (tenant_id, accepted_days, quarantined_days, unique_days) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (tenant_id) DO UPDATE SET accepted_days = excluded.accepted_days,
                    quarantined_days = excluded.quarantined_days, unique_days = excluded.unique_days",
                tenant,
                to.accepted,
                to.quarantined,
                to.unique,
            )?;
            let entry = Entry {
                actor: permit.actor(),
                tenant: Some(tenant),
                action: "tenant.retention",
                object: tenant.to_string(),
                before: snapshot(&before),
                after: snapshot(&to),
            };
            audit::record(tx, &clock, entry).await?;
            Ok(to)
        })
    })
    .await
}

#[derive(sqlx::FromRow)]
struct Row {
    tenant_id: TenantId,
    #[sqlx(flatten)]
    retention: Retention,
}

/// How long each tenant's events are kept, without anybody's permission: for what applies it.
///
/// # Errors
/// When the database does.
pub async fn of_all(db: &Db) -> Result<Vec<(TenantId, Retention)>> {
    let rows = sql!(
        all Row, db,
        "SELECT t.tenant_id, COALESCE(r.accepted_days, $1) AS accepted_days,
                COALESCE(r.quarantined_days, $2) AS quarantined_days, COALESCE(r.unique_days, $3) AS unique_days
         FROM tenants AS t LEFT JOIN retention AS r ON r.tenant_id = t.tenant_id ORDER BY t.tenant_id",
        DEFAULT.accepted,
        DEFAULT.quarantined,
        DEFAULT.unique,
    )?;
    Ok(rows.into_iter().map(|row| (row.tenant_id, row.retention)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_named() {
        let wrong = |accepted, quarantined, unique| match (Retention { accepted, quarantined, unique }).check() {
            Err(Error::Invalid(fields)) => fields.into_iter().map(|(field, _)| field).collect(),
            _ => Vec::new(),
        };
        assert_eq!(wrong(90, 30, 396), Vec::<&str>::new());
        assert_eq!(wrong(1, 1, 1), Vec::<&str>::new());
        assert_eq!(wrong(0, 3_651, 5), ["accepted", "quarantined"]);
        assert_eq!(wrong(30, 60, 59), ["unique"], "it outlives them all");
    }
}
