//! Events by the hour, as charts show them: how many kept their contract, and how many did not.
use chrono::{DateTime, TimeDelta, Utc};

use super::follower::hour;
use crate::{
    auth::{Grant, ListTenants, Permit, Right},
    db::Db,
    error::Result,
    ids::{EventTypeId, TenantId},
    sql,
    ui::Now,
};

/// One hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Figures {
    /// When it began.
    pub hour: DateTime<Utc>,
    /// How many events kept their contract.
    pub accepted: i64,
    /// How many broke it.
    pub quarantined: i64,
}

/// How far back a chart looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Span {
    /// The last 24 hours, a bar an hour.
    #[default]
    Day,
    /// The last seven days, today's among them; a bar for three hours.
    Week,
    /// The last 28 days, today's among them; a bar for twelve hours.
    Month,
}

impl Span {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// As addresses spell it; any other word is a day.
    pub fn parse(word: Option<&str>) -> Self {
        Self::ALL.into_iter().find(|span| Some(span.word()) == word).unwrap_or_default()
    }

    /// As addresses spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Day => "24h",
            Self::Week => "7d",
            Self::Month => "28d",
        }
    }

    /// As pages say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Day => "24 hours",
            Self::Week => "7 days",
            Self::Month => "28 days",
        }
    }

    /// How many bars there are, and how many of them stand over one label.
    pub fn bars(self) -> (usize, usize) {
        match self {
            Self::Day => (24, 6),
            Self::Week => (56, 8),
            Self::Month => (56, 14),
        }
    }

    /// What one bar stands for.
    pub fn step(self) -> TimeDelta {
        match self {
            Self::Day => TimeDelta::hours(1),
            Self::Week => TimeDelta::hours(3),
            Self::Month => TimeDelta::hours(12),
        }
    }

    /// When the first bar begins: at full hours, as events are counted, and days are those of who looks.
    pub fn begins(self, now: Now) -> DateTime<Utc> {
        let today = hour(now.zone.day_of(now.at));
        match self {
            Self::Day => hour(now.at) - TimeDelta::hours(23),
            Self::Week => today - TimeDelta::days(6),
            Self::Month => today - TimeDelta::days(27),
        }
    }
}

/// What one bar shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// When it begins.
    pub begins: DateTime<Utc>,
    /// When it ends.
    pub ends: DateTime<Utc>,
    /// How many events kept their contract.
    pub accepted: u64,
    /// How many broke it.
    pub quarantined: u64,
    /// Whether it lies ahead altogether.
    pub ahead: bool,
}

/// Hours gathered into the bars of a chart.
pub fn bars(figures: &[Figures], span: Span, now: Now) -> Vec<Bar> {
    let (begin, step) = (span.begins(now), span.step());
    let mut all: Vec<_> = (0_i32..)
        .take(span.bars().0)
        .map(|n| {
            let begins = begin + step * n;
            Bar { begins, ends: begins + step, accepted: 0, quarantined: 0, ahead: begins > now.at }
        })
        .collect();
    let last = all.len().saturating_sub(1);
    if let Some(bar) = all.last_mut() {
        // the last hour of a day that has 25
        bar.ends = bar.ends.max(hour(now.at) + TimeDelta::hours(1));
    }
    for one in figures {
        let at = (one.hour - begin).num_seconds().div_euclid(step.num_seconds());
        if let Some(bar) = usize::try_from(at).ok().and_then(|at| all.get_mut(at.min(last))) {
            bar.accepted += u64::try_from(one.accepted).unwrap_or(0);
            bar.quarantined += u64::try_from(one.quarantined).unwrap_or(0);
        }
    }
    all
}

/// The hours of a tenant since then, all its types together.
///
/// # Errors
/// When the database does.
pub async fn of_tenant<R: Right>(db: &Db, permit: &Permit<R>, since: DateTime<Utc>) -> Result<Vec<Figures>> {
    Ok(sql!(
        all Figures, db,
        "SELECT hour, CAST(SUM(accepted) AS BIGINT) AS accepted, CAST(SUM(quarantined) AS BIGINT) AS quarantined
         FROM event_counts WHERE tenant_id = $1 AND hour >= $2 GROUP BY hour ORDER BY hour",
        permit.tenant(),
        since,
    )?)
}

/// The hours of a type since then.
///
/// # Errors
/// When the database does.
pub async fn of_type<R: Right>(
    db: &Db,
    permit: &Permit<R>,
    id: EventTypeId,
    since: DateTime<Utc>,
) -> Result<Vec<Figures>> {
    Ok(sql!(
        all Figures, db,
        "SELECT hour, accepted, quarantined FROM event_counts
         WHERE tenant_id = $1 AND event_type_id = $2 AND hour >= $3 ORDER BY hour",
        permit.tenant(),
        id,
        since,
    )?)
}

/// How many events of a type there were.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Tally {
    /// How many kept their contract since then.
    pub accepted: i64,
    /// How many broke it since then.
    pub quarantined: i64,
    /// The hour of the first ever.
    pub first: Option<DateTime<Utc>>,
}

/// How many events of a type there were since the hour of `since`.
///
/// # Errors
/// When the database does.
pub async fn tally<R: Right>(db: &Db, permit: &Permit<R>, id: EventTypeId, since: DateTime<Utc>) -> Result<Tally> {
    Ok(sql!(
        one Tally, db,
        "SELECT CAST(COALESCE(SUM(accepted) FILTER (WHERE hour >= $3), 0) AS BIGINT) AS accepted,
            CAST(COALESCE(SUM(quarantined) FILTER (WHERE hour >= $3), 0) AS BIGINT) AS quarantined,
            MIN(hour) FILTER (WHERE accepted + quarantined > 0) AS first
         FROM event_counts WHERE tenant_id = $1 AND event_type_id = $2",
        permit.tenant(),
        id,
        hour(since),
    )?)
}

/// The hours of all tenants since then.
///
/// # Errors
/// When the database does.
pub async fn of_all(
    db: &Db,
    _grant: &Grant<ListTenants>,
    since: DateTime<Utc>,
) -> Result<Vec<(TenantId, DateTime<Utc>, i64, i64)>> {
    Ok(sql!(
        all(TenantId, DateTime<Utc>, i64, i64),
        db,
        "SELECT tenant_id, hour, CAST(SUM(accepted) AS BIGINT), CAST(SUM(quarantined) AS BIGINT)
         FROM event_counts WHERE hour >= $1 GROUP BY tenant_id, hour ORDER BY tenant_id, hour",
        since,
    )?)
}

/// What came of each type since then, without anybody's permission: for what raises alerts. Nothing that answers to a
/// person may call this.
///
/// # Errors
/// When the database does.
pub async fn watch(db: &Db, since: DateTime<Utc>) -> Result<Vec<(TenantId, EventTypeId, Figures)>> {
    let rows = sql!(
        all(TenantId, EventTypeId, DateTime<Utc>, i64, i64),
        db,
        "SELECT tenant_id, event_type_id, hour, accepted, quarantined FROM event_counts WHERE hour >= $1",
        since,
    )?;
    let figures = |(tenant, event_type, hour, accepted, quarantined)| {
        (tenant, event_type, Figures { hour, accepted, quarantined })
    };
    Ok(rows.into_iter().map(figures).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Zone;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_is_lost_or_counted_twice(
            hours in prop::collection::vec((0_i64..28 * 24, 0_i64..1000, 0_i64..50), 0..200),
            minute in 0_i64..60 * 24 * 365,
            zone in prop::sample::select(vec!["UTC", "America/New_York", "Europe/Amsterdam", "Asia/Kolkata", "Pacific/Apia"]),
        ) {
            let now: DateTime<Utc> = "2026-11-18T00:00:00Z".parse().unwrap();
            let now = Now { at: now + TimeDelta::minutes(minute), zone: Zone::parse(zone) };
            let figures: Vec<_> = hours
                .into_iter()
                .map(|(ago, accepted, quarantined)| Figures { hour: hour(now.at) - TimeDelta::hours(ago), accepted, quarantined })
                .collect();
            for span in Span::ALL {
                let bars = bars(&figures, span, now);
                prop_assert_eq!(bars.len(), span.bars().0);
                prop_assert!(bars.windows(2).all(|two| two[0].ends == two[1].begins));
                prop_assert!(bars.iter().any(|bar| bar.begins <= now.at && now.at < bar.ends));
                let within = figures.iter().filter(|one| one.hour >= span.begins(now));
                let sum: i64 = within.map(|one| one.accepted + one.quarantined).sum();
                let shown: u64 = bars.iter().map(|bar| bar.accepted + bar.quarantined).sum();
                prop_assert_eq!(i64::try_from(shown).unwrap(), sum);
                prop_assert!(bars.iter().all(|bar| !bar.ahead || bar.accepted + bar.quarantined == 0));
            }
        }
    }
}
