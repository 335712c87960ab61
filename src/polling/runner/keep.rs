//! What goes on beside polling: how sources stand is judged, closed windows are read again at random, and the tables
//! are kept small.
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tokio::time::Instant;

use crate::{
    app::App,
    error::Result,
    jobs::worker::make_way,
    polling::{Terms, Window, store},
    tenants,
};

/// How often health is judged.
const HEALTH: Duration = Duration::from_secs(5);
/// How often windows are picked to be read again, and old ones are merged.
const TIDY: Duration = Duration::from_mins(1);
/// How many windows of a source are read again in a day, about.
const CHECKS_A_DAY: f64 = 6.0;
/// How far back windows are picked from.
const OLDEST: TimeDelta = TimeDelta::days(7);

/// How long after its end, beyond the lookback, a window is taken for whole.
const SETTLED: TimeDelta = TimeDelta::hours(1);

/// Keeps until the app is stopping.
pub(super) async fn run(app: &App) {
    let mut tidied = Instant::now();
    while app.stopping.run_until_cancelled(tokio::time::sleep(HEALTH)).await.is_some() {
        if let Err(error) = health(app).await {
            tracing::warn!(%error, "how sources stand could not be judged");
        }
        if tidied.elapsed() >= TIDY {
            tidied = Instant::now();
            if let Err(error) = check(app).await {
                tracing::warn!(%error, "no closed windows could be picked to be read again");
            }
            if let Err(error) = tidy(app).await {
                tracing::warn!(%error, "old evidence of sources could not be merged");
            }
        }
    }
}

/// Writes down how sources stand, and says in the log which stand otherwise.
///
/// # Errors
/// When the database does.
pub(super) async fn health(app: &App) -> Result<()> {
    for (tenant, source, before, now) in store::plan::judge_health(&app.db, app.clock.now()).await? {
        tracing::info!(%tenant, %source, before = before.word(), now = now.word(), "a source stands otherwise");
    }
    Ok(())
}

/// Has some closed windows read again.
async fn check(app: &App) -> Result<()> {
    let now = app.clock.now();
    let retention = tenants::retention::of_all(&app.db).await?;
    for source in store::plan::reconciled(&app.db).await? {
        // one process in so many minutes; that two may pick at once changes a sample by nothing
        if rand::random::<f64>() > CHECKS_A_DAY / 1440.0 {
            continue;
        }
        let kept = retention.iter().find(|(tenant, _)| *tenant == source.tenant_id).map(|(_, kept)| *kept);
        let Some(kept) = kept else { continue };
        let known = kept.accepted_before(now).max(kept.unique_before(now));
        let Ok(terms) = Terms::read(&source.definition, source.id) else { continue };
        // what the lookback may still find is not missed yet
        let settled = Window::new(known.max(now - OLDEST), now - terms.lookback - SETTLED);
        store::plan::check(&app.db, &app.clock, source, settled, rand::random()).await?;
    }
    Ok(())
}

/// Merges what is old.
async fn tidy(app: &App) -> Result<()> {
    let now = app.clock.now();
    while store::tidy::attempts(&app.db, now).await? || store::tidy::origins(&app.db, now).await? {
        make_way(app).await;
        if app.stopping.is_cancelled() {
            return Ok(());
        }
    }
    for (tenant, source) in store::tidy::sources(&app.db, now).await? {
        let mut from = Some(DateTime::UNIX_EPOCH);
        while let Some(begin) = from {
            from = store::tidy::spans(&app.db, tenant, source, now, begin).await?;
            make_way(app).await;
            if app.stopping.is_cancelled() {
                return Ok(());
            }
        }
        store::tidy::tidied(&app.db, tenant, source, now).await?;
    }
    Ok(())
}
