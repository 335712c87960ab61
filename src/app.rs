//! What every handler is given.
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::{
    alerts::sender::Herald,
    clock::Clock,
    config::Settings,
    crypto::seal::Keyring,
    db::{Db, lane::Lane},
    http_client::Client,
    jobs::Jobs,
    mail::Mailer,
    metrics::Metrics,
};

/// The running server, as its handlers know it. Cheap to clone.
#[derive(Clone)]
pub struct App {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// The way events reach the disk.
    pub lane: Lane,
    /// What works off background tasks.
    pub jobs: Jobs,
    /// What secrets at rest are sealed with.
    pub keys: Keyring,
    /// Whether and how mail leaves.
    pub mail: Mailer,
    /// Has alerts told at once.
    pub herald: Herald,
    /// The way out, to addresses that people have typed.
    pub client: Client,
    /// What it was started with.
    pub settings: Arc<Settings>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Cancelled when the server is told to stop.
    pub stopping: CancellationToken,
    /// The address that the outside uses, without a slash at its end.
    pub public_base: Arc<str>,
}

impl App {
    /// Whether the outside reaches this server by https.
    pub fn is_https(&self) -> bool {
        self.public_base.starts_with("https://")
    }
}
