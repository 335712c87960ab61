//! The server: puts the slices together, listens, and stops in order.
mod accept;
mod front;
mod health;
mod keys;
mod observe;
mod router;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context;
use tokio::{net::TcpListener, sync::Semaphore};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    alerts::{self, sender::Herald},
    app::App,
    auth,
    clock::Clock,
    config::Settings,
    crypto::seal::Keyring,
    db::{Db, lane::Lane},
    events::{
        self,
        refusals::{self, Refusals},
    },
    failures, hosts,
    http_client::{Allowed, Client},
    ingest::{Front, directory::Directory},
    jobs::{self, Jobs, Kind},
    mail::{self, Mailer},
    metrics::Metrics,
    polling,
    tokens::uses::{self, Uses},
};
use accept::Door;
pub use front::Embeddable;
use health::Health;
use observe::Observed;

/// How long requests under way may take to end once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(7);
/// Connections for metrics at once.
const OBSERVERS: usize = 16;

/// The background tasks that slices bring.
pub const KINDS: &[Kind] = &[events::export::KIND, events::fields::fill::KIND, failures::replay::KIND];

/// A server that listens.
pub struct Running {
    /// The address it listens on.
    pub address: SocketAddr,
    /// The address of `/metrics`, when there is one.
    pub metrics_address: Option<SocketAddr>,
    app: App,
    uses: Uses,
    refusals: Refusals,
    tasks: TaskTracker,
}

/// Starts a server on an open database. It listens when this returns.
///
/// # Errors
/// When the address is taken, the database cannot be read, or mail is to be sent and there is no key to seal it with.
pub async fn start(settings: Settings, db: Db, clock: Clock) -> anyhow::Result<Running> {
    crate::ui::init();
    let keys = Keyring::at(settings.key_file.as_deref(), db.file());
    let mailer = Mailer::new(&settings.mail);
    if mailer.is_configured() {
        mail::check(&settings.mail)?;
        keys.ready().context("mail that waits is sealed, since its links let people in")?;
    }
    for (what, error) in keys::missing(&db, &keys).await? {
        // the front door needs none of them: it opens all the same
        tracing::error!(%error, what, "sealed secrets cannot be opened: give the server the file of keys they were sealed with (TRIBUTARY_KEY_FILE)");
    }
    let listener = TcpListener::bind(settings.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another server running there?", settings.listen))?;
    let address = listener.local_addr()?;
    let observer = match settings.metrics_listen {
        Some(at) => Some(TcpListener::bind(at).await.with_context(|| format!("cannot listen on {at} for metrics"))?),
        None => None,
    };
    let metrics_address = observer.as_ref().map(TcpListener::local_addr).transpose()?;
    let metrics = if observer.is_some() { Metrics::on()? } else { Metrics::off() };
    let app = App {
        lane: Lane::start_counted(&db, &clock, &metrics.lane),
        metrics: Arc::new(metrics),
        jobs: Jobs::new(KINDS),
        public_base: settings.public_base(address).into(),
        client: Client::new(Allowed::new(&settings.allow_outbound), clock.clone()),
        settings: Arc::new(settings),
        stopping: CancellationToken::new(),
        keys,
        mail: mailer,
        herald: Herald::default(),
        db,
        clock,
    };
    let directory = Directory::load(app.db.clone()).await?;
    let tasks = TaskTracker::new();
    tasks.spawn(directory.clone().run(app.stopping.clone()));
    tasks.spawn(events::follower::run(app.clone(), app.stopping.clone()));
    let seen = Uses::default();
    tasks.spawn(uses::run(seen.clone(), app.db.clone(), app.stopping.clone()));
    // before anything is asked: what was allowed yesterday is allowed today
    app.client.allowed().grant(hosts::store::names(&app.db).await?);
    tasks.spawn(hosts::run(app.clone(), directory.clone()));
    tasks.spawn(polling::runner::run(app.clone(), directory.clone()));
    let refused = Refusals::default();
    tasks.spawn(refusals::run(refused.clone(), app.db.clone(), app.stopping.clone()));
    let front = Front::new(app.clone(), directory, seen.clone(), refused.clone());
    let health = Arc::new(Health::new(app.clone()));
    let places = Arc::new(Semaphore::new(app.settings.max_connections));
    if let Some(listener) = observer {
        let (started, front, health) = (app.clock.now(), front.clone(), health.clone());
        let observed = Observed { app: app.clone(), front, health, places: places.clone(), started };
        let router = observe::routes(observed);
        let places = Arc::new(Semaphore::new(OBSERVERS));
        tasks.spawn(accept::run(Door { listener, router, places, counted: false }, app.clone()));
        tasks.spawn(observe::tidy(app.clone()));
    }
    let router = router::build(app.clone(), front, health);
    tasks.spawn(accept::run(Door { listener, router, places, counted: true }, app.clone()));
    tasks.spawn(jobs::housekeeping::run(app.clone()));
    tasks.spawn(jobs::worker::run(app.clone()));
    tasks.spawn(events::retention::run(app.clone()));
    tasks.spawn(mail::sender::run(app.clone()));
    tasks.spawn(alerts::watch::run(app.clone()));
    tasks.spawn(alerts::sender::run(app.clone()));
    tasks.close();
    if app.public_base.starts_with("http://") && !address.ip().is_loopback() {
        tracing::warn!(
            "the public address is plain http: passwords and tokens can be read on the way; set --public-url to an https address"
        );
    }
    if let Some(at) = metrics_address {
        tracing::info!(%at, "metrics are told at /metrics");
    }
    Ok(Running { address, metrics_address, app, uses: seen, refusals: refused, tasks })
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
        // no request is left that could use a token
        if let Err(error) = self.uses.flush(&self.app.db).await {
            tracing::warn!(%error, "the last use of tokens was not written down");
        }
        if let Err(error) = self.refusals.flush(&self.app.db).await {
            tracing::warn!(%error, "the last refused requests were not counted");
        }
        self.app.db.close().await;
    }
}
