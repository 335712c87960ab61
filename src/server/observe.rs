//! `/metrics`, on a listener of its own: what was counted, and what is looked up when somebody asks.
use std::{sync::Arc, time::Duration};

use axum::{Router, extract::State, http::header, response::IntoResponse, routing::get};
use chrono::{DateTime, Utc};
use tokio::sync::Semaphore;

use super::health::{self, Health};
use crate::{
    app::App,
    db::{Db, lane::Waiting},
    events::follower,
    ingest::Front,
};

/// How long the database may take to tell something.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often what histograms have gathered is added up.
const TIDY: Duration = Duration::from_secs(5);

/// What is looked at.
pub struct Observed {
    /// The server.
    pub app: App,
    /// Its front door.
    pub front: Front,
    /// Whether it can do its work.
    pub health: Arc<Health>,
    /// The places of its connections.
    pub places: Arc<Semaphore>,
    /// When it began.
    pub started: DateTime<Utc>,
}

/// The one route.
pub fn routes(observed: Observed) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(Arc::new(observed))
}

/// Keeps histograms small while nobody asks for them.
pub async fn tidy(app: App) {
    while app.stopping.run_until_cancelled(tokio::time::sleep(TIDY)).await.is_some() {
        app.metrics.tidy();
    }
}

async fn metrics(State(observed): State<Arc<Observed>>) -> impl IntoResponse {
    observed.look().await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], observed.app.metrics.render())
}

#[expect(clippy::cast_precision_loss, reason = "none of these numbers has 53 bits")]
impl Observed {
    async fn look(&self) {
        let (app, state) = (&self.app, &self.app.metrics.state);
        state.ready.set(f64::from(u8::from(health::is_ready(&self.health.checks().await))));
        let waiting = app.lane.waiting();
        state.lane_requests.0.set(waiting.requests as f64);
        state.lane_requests.1.set(Waiting::MOST.requests as f64);
        state.lane_bytes.0.set(waiting.bytes as f64);
        state.lane_bytes.1.set(Waiting::MOST.bytes as f64);
        let most = app.settings.limits.body_memory;
        state.bodies.0.set(most.saturating_sub(self.front.body_memory_left()) as f64);
        state.bodies.1.set(most as f64);
        let most = app.settings.max_connections;
        state.connections.0.set(most.saturating_sub(self.places.available_permits()) as f64);
        state.connections.1.set(most as f64);
        let (size, idle, most) = match &app.db {
            Db::Sqlite { read, .. } => (read.size(), read.num_idle(), read.options().get_max_connections()),
            Db::Postgres(pool) => (pool.size(), pool.num_idle(), pool.options().get_max_connections()),
        };
        let idle = u32::try_from(idle).unwrap_or(u32::MAX).min(size);
        state.pool.0.set(f64::from(size - idle));
        state.pool.1.set(f64::from(idle));
        state.pool.2.set(f64::from(most));
        // what the database does not tell in time is told as "not a number"
        let lag = tokio::time::timeout(PATIENCE, follower::oldest(&app.db)).await;
        state.follower_lag.set(match lag {
            Ok(Ok(None)) => 0.0,
            Ok(Ok(Some(oldest))) => (app.clock.now() - oldest).as_seconds_f64().max(0.0),
            _ => f64::NAN,
        });
        let size = tokio::time::timeout(PATIENCE, app.db.bytes()).await;
        state.database_bytes.set(size.ok().and_then(Result::ok).map_or(f64::NAN, |bytes| bytes as f64));
        if let Some(free) = health::free_bytes(&app.db) {
            state.disk_free.set(free as f64);
        }
        self.look_at_process();
    }

    fn look_at_process(&self) {
        let state = &self.app.metrics.state;
        state.started.set(self.started.timestamp_millis() as f64 / 1000.0);
        // Linux tells these; elsewhere they stay at 0
        let told = |file: &str, name: &str| {
            let text = std::fs::read_to_string(file).ok()?;
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse::<u64>().ok()
        };
        if let Some(kibibytes) = told("/proc/self/status", "VmRSS:") {
            state.memory.set((kibibytes * 1024) as f64);
        }
        if let Some(most) = told("/proc/self/limits", "Max open files") {
            state.handles.1.set(most as f64);
        }
        if let Ok(open) = std::fs::read_dir("/proc/self/fd") {
            state.handles.0.set(open.count() as f64);
        }
    }
}
