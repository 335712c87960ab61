//! Looks whether anything is amiss, again and again. Whoever runs on the same database looks too: what one of them has
//! raised, the others find raised.
use super::{changes, store};
use crate::{app::App, error::Result};

/// Looks until the app is stopping.
pub async fn run(app: App) {
    let every = app.settings.alert_interval;
    while app.stopping.run_until_cancelled(tokio::time::sleep(every)).await.is_some() {
        match step(&app).await {
            Ok(true) => app.herald.wake(),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "whether anything is amiss could not be seen; looking again"),
        }
    }
}

/// Looks once; whether anything was raised or resolved.
///
/// # Errors
/// When the database does; nothing was done then.
pub async fn step(app: &App) -> Result<bool> {
    // before all else: what is read below is newer than every change that is counted here
    let seen = store::changes_so_far(&app.db).await?;
    let now = app.clock.now();
    let changes = changes(&store::load(&app.db, now).await?, now);
    if changes.is_empty() {
        return Ok(false);
    }
    let count = changes.len();
    let done = store::apply(&app.db, &app.clock, &app.public_base, seen, changes).await?;
    if done {
        tracing::info!(changes = count, "alerts raised or resolved");
    }
    Ok(done)
}
