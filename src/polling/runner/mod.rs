//! What polls, inside `tributary serve`: a scheduler that lets ledgers grow, and workers that read windows.
//!
//! With PostgreSQL, any number of processes share the sources: each looks for what is due, and takes windows by a lease.
//! Nothing is held in memory but the windows under way, so there is no timer for each source, and a process that is
//! killed leaves what it had to whoever looks when the lease has run out.
mod desk;
mod keep;
mod piece;
mod read;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinSet, time::Instant};
use uuid::Uuid;

use super::{Terms, store};
use crate::{app::App, error::Result, ids::new_id, ingest::directory::Directory, log};

/// How often it is looked whether a schedule has come, or a window has been left by somebody.
const LOOK: Duration = Duration::from_millis(500);
/// The least time between two such looks, however many windows end.
const REST: Duration = Duration::from_millis(15);
/// How many windows a process reads at once.
const AT_ONCE: usize = 64;
/// How many sources are planned in one transaction.
const PLANNED: i64 = 250;

/// What the parts of the runner share. Cheap to clone.
#[derive(Clone)]
pub struct Runner {
    app: App,
    directory: Directory,
    /// This process, as leases name it.
    owner: Uuid,
    /// Rung when there may be a window to take.
    bell: Arc<Notify>,
}

/// Polls until the app is stopping. What is under way then is given back, as far as it came.
pub async fn run(app: App, directory: Directory) {
    if app.db.is_sqlite()
        && let Err(error) = store::lease::free_all(&app.db).await
    {
        tracing::warn!(%error, "windows that were under way could not be freed; their leases will run out");
    }
    let owner = new_id(&app.clock);
    let runner = Runner { app, directory, owner, bell: Arc::default() };
    tokio::join!(runner.plan(), runner.work(), keep::run(&runner.app));
}

impl Runner {
    /// Lets the ledgers grow whose schedule has come.
    async fn plan(&self) {
        let mut away = false;
        while !self.app.stopping.is_cancelled() {
            match self.plan_once().await {
                Ok(true) => {
                    away = false;
                    tokio::task::yield_now().await;
                    continue;
                }
                Ok(false) => away = false,
                Err(error) if !away => {
                    away = true;
                    tracing::error!(%error, "the schedules of sources cannot be looked at; trying again");
                }
                Err(_) => {}
            }
            self.app.stopping.run_until_cancelled(tokio::time::sleep(LOOK)).await;
        }
    }

    /// Plans some of what is due; says whether there is more.
    ///
    /// # Errors
    /// When the database does.
    async fn plan_once(&self) -> Result<bool> {
        let due = store::plan::due(&self.app.db, self.app.clock.now(), PLANNED).await?;
        let more = due.len() >= usize::try_from(PLANNED).unwrap_or(usize::MAX);
        let mut readable = Vec::with_capacity(due.len());
        for source in due {
            match Terms::read(&source.definition, source.id) {
                Ok(terms) => readable.push((source, terms)),
                Err(error) => {
                    tracing::error!(%error, tenant = %source.tenant_id, source = %source.id, "the definition of a source cannot be read; it is stopped");
                    store::plan::stop(&self.app.db, &source, error.to_string(), self.app.clock.now()).await?;
                }
            }
        }
        if !readable.is_empty() && store::plan::run(&self.app.db, &self.app.clock, readable).await? > 0 {
            self.bell.notify_one();
        }
        Ok(more)
    }

    /// Takes windows and reads them, as many at once as may be.
    async fn work(&self) {
        let mut under_way = JoinSet::new();
        let mut away = false;
        while !self.app.stopping.is_cancelled() {
            let looked = Instant::now();
            while under_way.try_join_next().is_some() {}
            match store::lease::take(&self.app.db, &self.app.clock, self.owner, AT_ONCE - under_way.len()).await {
                Ok(taken) => {
                    away = false;
                    if !taken.is_empty() {
                        // there may be more
                        self.bell.notify_one();
                    }
                    for window in taken {
                        under_way.spawn(log::carried(read::window(self.clone(), window)));
                    }
                }
                Err(error) if !away => {
                    away = true;
                    tracing::error!(%error, "windows of sources cannot be taken; trying again");
                }
                Err(_) => {}
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = self.bell.notified() => {}
                Some(_) = under_way.join_next(), if !under_way.is_empty() => {}
                () = self.app.stopping.cancelled() => {}
            }
            tokio::time::sleep_until(looked + REST).await;
        }
        while under_way.join_next().await.is_some() {}
    }
}
