//! Housekeeping that keeps tables from growing without end. How long events are kept is `events::retention`'s story.
use std::time::Duration;

use super::{output, store, worker};
use crate::{alerts, app::App, auth, error::Result, ids::EventId, mail, sql};

/// How often it is done.
const EVERY: Duration = Duration::from_mins(1);
/// How long a task is listed after it has ended.
const TASKS: chrono::Duration = chrono::Duration::days(90);
/// Idempotency keys are kept a little longer than the day that is promised.
const IDEMPOTENCY: chrono::Duration = chrono::Duration::hours(25);
/// Rows deleted in one transaction, so that ingest never waits long.
const AT_ONCE: i64 = 2_000;

/// Deletes what has had its time, until the app is stopping.
pub async fn run(app: App) {
    while app.stopping.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
        if let Err(error) = auth::purge(&app.db, &app.clock).await {
            tracing::warn!(%error, "expired sessions could not be deleted");
        }
        if let Err(error) = mail::purge(&app.db, &app.clock).await {
            tracing::warn!(%error, "what became of old mail could not be deleted");
        }
        if let Err(error) = alerts::store::forget(&app.db, &app.clock).await {
            tracing::warn!(%error, "old alerts could not be deleted");
        }
        if let Err(error) = forget_idempotency_keys(&app).await {
            tracing::warn!(%error, "old idempotency keys could not be deleted");
        }
        if let Err(error) = forget_tasks(&app).await {
            tracing::warn!(%error, "old tasks could not be deleted");
        }
    }
}

async fn forget_idempotency_keys(app: &App) -> Result<()> {
    let oldest = EventId::floor(app.clock.now() - IDEMPOTENCY);
    loop {
        let deleted = app
            .db
            .write(move |tx| {
                Box::pin(async move {
                    Ok(sql!(
                        exec tx,
                        "DELETE FROM idempotency_keys WHERE receipt_id IN
                         (SELECT receipt_id FROM idempotency_keys WHERE receipt_id < $1 ORDER BY receipt_id LIMIT $2)",
                        oldest,
                        AT_ONCE,
                    )?)
                })
            })
            .await?;
        if deleted == 0 {
            return Ok(());
        }
        worker::make_way(app).await;
    }
}

/// The tasks that ended long ago, and the files of those that ended a while ago.
pub(super) async fn forget_tasks(app: &App) -> Result<()> {
    let now = app.clock.now();
    while store::forget(&app.db, now - TASKS, now - output::KEPT, AT_ONCE).await? {
        worker::make_way(app).await;
    }
    Ok(())
}
