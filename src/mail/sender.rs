//! Delivers what is in the outbox, one letter after another.
use std::time::Duration;

use super::{
    Standing, outbox,
    smtp::{Fault, Smtp},
};
use crate::{app::App, error::Result};

/// How often to look when nobody says that something waits: another process may have left it, or its time has come.
const LOOK: Duration = Duration::from_secs(5);
/// How long the letter under way may take once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Sends until the app is stopping; does nothing without a mail server.
pub async fn run(app: App) {
    let smtp = match Smtp::new(&app.settings.mail, &app.public_base) {
        Ok(Some(smtp)) => smtp,
        Ok(None) => return,
        Err(error) => return tracing::error!(%error, "no mail is sent"),
    };
    let cut_off = async {
        app.stopping.cancelled().await;
        tokio::time::sleep(DRAIN).await;
    };
    tokio::select! {
        () = deliver(&app, &smtp) => {}
        () = cut_off => tracing::warn!("a letter under way was cut off; it is sent again later"),
    }
}

async fn deliver(app: &App, smtp: &Smtp) {
    while !app.stopping.is_cancelled() {
        match step(app, smtp).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the outbox cannot be worked off at the moment"),
        }
        tokio::select! {
            () = app.mail.waiting.notified() => {}
            () = tokio::time::sleep(LOOK) => {}
            () = app.stopping.cancelled() => {}
        }
    }
}

/// Sends one letter; false when none waits.
async fn step(app: &App, smtp: &Smtp) -> Result<bool> {
    let Some(letter) = outbox::claim(&app.db, &app.clock).await? else { return Ok(false) };
    let sent = if letter.give_up_at <= app.clock.now() {
        Err(Fault { words: "it was not sent in time".into(), for_good: true })
    } else {
        match letter.parts(&app.keys) {
            Ok(parts) => {
                let id = letter.id;
                smtp.send(id, app.clock.now(), &letter.recipient, &letter.subject, &parts).await
            }
            Err(error) => Err(Fault { words: format!("it cannot be opened: {error}"), for_good: false }),
        }
    };
    match sent {
        Ok(()) => {
            letter.sent(&app.db, &app.clock).await?;
            tracing::info!(letter = %letter.id, attempts = letter.attempts, "mail sent");
        }
        Err(Fault { words, for_good }) => {
            // the words of a server may repeat the recipient, who stands on the page and not in the log
            let standing = letter.failed(&app.db, &app.clock, words, for_good).await?;
            if standing == Standing::Failed {
                tracing::error!(letter = %letter.id, attempts = letter.attempts, "mail given up; the page of whom it is about says why");
            } else {
                tracing::warn!(letter = %letter.id, attempts = letter.attempts, "mail not taken; it is tried again");
            }
        }
    }
    Ok(true)
}
