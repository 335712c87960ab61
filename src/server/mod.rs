//! The server: puts the slices together, listens, and stops in order.
mod accept;
mod front;
mod router;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    app::App,
    auth,
    clock::Clock,
    config::Settings,
    db::{Db, lane::Lane},
    events, failures,
    ingest::{Front, directory::Directory},
    jobs::{self, Jobs, Kind},
};

/// How long requests under way may take to end once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(7);

/// The background tasks that slices bring.
pub const KINDS: &[Kind] = &[events::export::KIND, failures::replay::KIND];

/// A server that listens.
pub struct Running {
    /// The address it listens on.
    pub address: SocketAddr,
    app: App,
    tasks: TaskTracker,
}

/// Starts a server on an open database. It listens when this returns.
///
/// # Errors
/// When the address is taken, or the database cannot be read.
pub async fn start(settings: Settings, db: Db, clock: Clock) -> anyhow::Result<Running> {
    crate::ui::init();
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another server running there?", settings.listen))?;
    let address = listener.local_addr()?;
    let app = App {
        lane: Lane::start(&db, &clock),
        jobs: Jobs::new(KINDS),
        public_base: settings.public_base(address).into(),
        settings: Arc::new(settings),
        stopping: CancellationToken::new(),
        db,
        clock,
    };
    let directory = Directory::load(app.db.clone()).await?;
    let tasks = TaskTracker::new();
    tasks.spawn(directory.clone().run(app.stopping.clone()));
    tasks.spawn(events::follower::run(app.clone(), app.stopping.clone()));
    tasks.spawn(jobs::housekeeping::run(app.clone()));
    tasks.spawn(jobs::worker::run(app.clone()));
    tasks.spawn(events::retention::run(app.clone()));
    let router = router::build(app.clone(), Front::new(app.clone(), directory));
    tasks.spawn(accept::run(listener, router, app.clone()));
    tasks.close();
    if app.public_base.starts_with("http://") && !address.ip().is_loopback() {
        tracing::warn!(
            "the public address is plain http: passwords and tokens can be read on the way; set --public-url to an https address"
        );
    }
    Ok(Running { address, app, tasks })
}

impl Running {
    /// The address that the outside uses, without a slash at its end.
    pub fn public_base(&self) -> &str {
        &self.app.public_base
    }

    /// A fresh link to create the first administrator; none when there is an account already.
    ///
    /// # Errors
    /// When the database does.
    pub async fn setup_link(&self) -> anyhow::Result<Option<String>> {
        let path = auth::setup_link(&self.app.db, &self.app.clock).await?;
        Ok(path.map(|path| format!("{}{path}", self.app.public_base)))
    }

    /// Stops accepting, lets what was accepted end, and closes the database.
    pub async fn stop(self) {
        self.app.stopping.cancel();
        if tokio::time::timeout(DRAIN + Duration::from_secs(1), self.tasks.wait()).await.is_err() {
            tracing::warn!("some tasks did not end in time");
        }
        self.app.db.close().await;
    }
}
