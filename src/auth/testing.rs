//! What the tests of this slice, and of those that stand on it, begin with.
use std::sync::Arc;

use clap::{Args, FromArgMatches};

use crate::{
    app::App,
    clock::Clock,
    config::Settings,
    crypto::seal::Keyring,
    db::{Db, lane::Lane},
    jobs::Jobs,
    mail::Mailer,
    metrics::Metrics,
};

/// Settings as `tributary serve` would read them from `flags`.
///
/// # Panics
/// When it would not.
pub fn settings(flags: &[&str]) -> Settings {
    let command = Settings::augment_args(clap::Command::new("serve").no_binary_name(true));
    let matches = command.try_get_matches_from(flags).expect("the flags are good");
    Settings::from_arg_matches(&matches).expect("the flags are good")
}

/// A server's state on `db`, reached by http.
pub fn app(db: &Db, clock: &Clock) -> App {
    let lane = Lane::start(db, clock);
    App {
        client: crate::http_client::Client::new(crate::http_client::Allowed::default(), clock.clone()),
        herald: crate::alerts::sender::Herald::default(),
        db: db.clone(),
        clock: clock.clone(),
        lane,
        metrics: Arc::new(Metrics::off()),
        jobs: Jobs::new(&[]),
        keys: Keyring::in_memory(),
        mail: Mailer::default(),
        stopping: tokio_util::sync::CancellationToken::new(),
        settings: Arc::new(settings(&[])),
        public_base: "http://127.0.0.1:3000".into(),
    }
}
