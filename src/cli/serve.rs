//! `tributary serve`: runs the server until it is told to stop.
use std::io::Write;

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

use crate::{clock::Clock, config::Settings, db::Db, server};

/// Runs the server until SIGTERM or Ctrl-C.
///
/// # Errors
/// When the database cannot be opened or the address is taken.
pub async fn run(settings: Settings, database_url: &str) -> anyhow::Result<()> {
    // listening for the end first: one that comes during the start is not lost
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let db = Db::open(database_url).await?;
    let running = server::start(settings, db, Clock::system()).await?;
    say(&format!("listening on http://{}", running.address)).context("cannot write to standard output")?;
    match running.setup_link().await {
        // the front door works without; the next start tries again
        Err(error) => tracing::warn!(%error, "the set-up link could not be made"),
        Ok(Some(link)) => say(&format!(
            "\nNobody has an account yet. Create the administrator within an hour:\n\n    {link}\n\nNext: sign in, add \
             a tenant and an event type, and send the first event.\nThe same on the command line: tributary user add --help\n"
        ))?,
        Ok(None) => say(&format!("sign in at {}/login", running.public_base()))?,
    }
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: what was accepted is being finished");
    running.stop().await;
    Ok(())
}

/// Prints a line at once, whoever reads it.
fn say(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}
