//! The windows of polling sources whose records a batch holds: how far they come is written with the events, and only
//! for whoever holds them.
use std::collections::BTreeSet;

use sqlx::{PgConnection, SqliteConnection};

use super::{
    Job, appends,
    batch::{Advance, Became, Known, Plan},
};
use crate::{clock::Clock, db::Reach, sql};

/// The transaction of a batch, on either database.
pub(super) enum On<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl On<'_> {
    fn reach(&mut self) -> Reach<&mut SqliteConnection, &mut PgConnection> {
        match self {
            Self::Sqlite(on) => Reach::Sqlite(on),
            Self::Postgres(on) => Reach::Postgres(on),
        }
    }
}

/// Finds out which windows of a batch are held by the epoch they are written for, and locks them until the commit.
pub(super) async fn hold(on: &mut On<'_>, jobs: &[Job], known: &mut Known) -> sqlx::Result<()> {
    // in order, so that two lanes never wait for each other in a circle
    let asked: BTreeSet<_> = appends(jobs)
        .filter_map(|append| append.progress.as_ref().map(|of| (append.tenant, of.window, of.epoch)))
        .collect();
    for (tenant, window, epoch) in asked {
        let held = sql!(
            exec on,
            "UPDATE windows SET epoch = epoch WHERE tenant_id = $1 AND id = $2 AND epoch = $3 AND state = 'running'",
            tenant,
            window,
            epoch,
        )?;
        if held > 0 {
            known.held.insert((tenant, window));
        }
    }
    Ok(())
}

/// Writes where the events of a batch came from, and how far its windows come.
pub(super) async fn write(on: &mut On<'_>, plan: &Plan<'_>, clock: &Clock) -> sqlx::Result<()> {
    let now = clock.now();
    // of appends that go together, up to the one that says how far they come
    let mut sums = Became::default();
    for Advance { append, progress, became } in &plan.progress {
        sums.add(*became);
        if became.fresh + became.quarantined > 0 {
            sql!(
                exec on,
                "INSERT INTO polled (tenant_id, receipt_id, source_id, window_id, attempt, request)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                append.tenant,
                append.receipt,
                progress.source,
                progress.window,
                progress.epoch,
                progress.request,
            )?;
        }
        let Some(reached) = &progress.reached else { continue };
        let Became { fresh, duplicates, quarantined } = std::mem::take(&mut sums);
        let state = if reached.done { "done" } else { "running" };
        sql!(
            exec on,
            "UPDATE windows SET position = $3, state = $4, done_at = $5, requests = requests + $6, bytes = bytes + $7,
                records = records + $8, fresh = fresh + $9, duplicates = duplicates + $10,
                quarantined = quarantined + $11, failures = 0, fault = NULL
             WHERE tenant_id = $1 AND id = $2",
            append.tenant,
            progress.window,
            &reached.position,
            state,
            reached.done.then_some(now),
            reached.requests,
            reached.bytes,
            reached.records,
            fresh,
            duplicates,
            quarantined,
        )?;
        sql!(
            exec on,
            "UPDATE attempts SET requests = $4, ended_at = $5 WHERE tenant_id = $1 AND window_id = $2 AND number = $3",
            append.tenant,
            progress.window,
            progress.epoch,
            &reached.evidence,
            reached.done.then_some(now),
        )?;
    }
    Ok(())
}
