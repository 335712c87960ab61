//! The windows of polling sources whose records a batch holds: how far they come is written with the events, and only
//! for whoever holds them.
use std::collections::BTreeSet;

use sqlx::{PgConnection, SqliteConnection};

use super::{
    Job,
    batch::{Advance, Known, Plan},
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
    let asked: BTreeSet<_> = jobs
        .iter()
        .filter_map(|job| job.append.progress.as_ref().map(|of| (job.append.tenant, of.window, of.epoch)))
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

/// Writes how far the windows of a batch come.
pub(super) async fn write(on: &mut On<'_>, plan: &Plan<'_>, clock: &Clock) -> sqlx::Result<()> {
    let now = clock.now();
    for Advance { append, progress, fresh, duplicates, quarantined } in &plan.progress {
        let state = if progress.done { "done" } else { "running" };
        sql!(
            exec on,
            "UPDATE windows SET position = $3, state = $4, done_at = $5, requests = requests + $6, bytes = bytes + $7,
                records = records + $8, fresh = fresh + $9, duplicates = duplicates + $10,
                quarantined = quarantined + $11, failures = 0, fault = NULL
             WHERE tenant_id = $1 AND id = $2",
            append.tenant,
            progress.window,
            &progress.position,
            state,
            progress.done.then_some(now),
            progress.requests,
            progress.bytes,
            progress.records,
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
            &progress.evidence,
            progress.done.then_some(now),
        )?;
        if fresh + quarantined > 0 {
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
    }
    Ok(())
}
