//! `tributary demo`: a tenant with invented people, to look around in.
use std::{
    io::{IsTerminal, Write, stderr},
    time::Duration,
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use super::{Context, Refused, Usage};
use crate::{
    auth::Actor,
    demo::{self, DAYS, NAME, TENANT, send::Live},
};

/// A new token is known everywhere after this.
const KNOWN: Duration = Duration::from_millis(1_200);
/// Between two events of the sender.
const SHORTEST: Duration = Duration::from_millis(10);

/// Fill a tenant with invented people and three weeks of history, to look around in
///
/// The tenant has an id of its own, says what it is on every page, and goes in one act. Without a subcommand, it is
/// filled.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples:
  tributary demo
  tributary demo send --url http://127.0.0.1:3000
  tributary demo remove"
)]
pub(super) struct Demo {
    #[command(subcommand)]
    act: Option<Act>,
}

#[derive(Debug, Subcommand)]
enum Act {
    /// Send events of the demo to a running server, until Ctrl-C
    #[command(after_help = "\
Examples:
  tributary demo send --url http://127.0.0.1:3000
  tributary demo send --url http://127.0.0.1:3000 --every 0.5
  tributary --json demo send --url http://127.0.0.1:3000 | jq 'select(.quarantined)'")]
    Send {
        /// The address of Tributary; it uses the same database
        #[arg(long)]
        url: url::Url,
        /// Seconds between two events, on average
        #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
        every: f64,
    },
    /// Remove the demo and all that belongs to it; the audit trail alone is kept
    #[command(after_help = "\
Examples:
  tributary demo remove")]
    Remove,
}

impl Demo {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self.act {
            None => fill(context).await,
            Some(Act::Send { url, every }) => send(context, &url, every).await,
            Some(Act::Remove) => {
                let db = context.db().await?;
                let erased = demo::erase(&db, &context.clock, &context.actor.grant()?).await?;
                context.out.record(&erased, || format!("removed the demo: {} rows\nnext: tributary demo", erased.rows))
            }
        }
    }
}

async fn fill(context: &Context) -> anyhow::Result<()> {
    let db = context.new_db().await?;
    let actor = Actor { name: "demo".into(), ..context.actor.clone() };
    let progress = !context.out.is_json() && stderr().is_terminal();
    let told = |days: i64| {
        if progress {
            // nobody who reads it: nothing to do about that
            let _ = write!(stderr(), "\rwriting history: day {days} of {DAYS}");
        }
    };
    let filled = demo::fill(&db, &context.clock, &actor, told).await;
    if progress {
        let _ = writeln!(stderr());
    }
    let filled = filled?;
    let answer = json!({"id": TENANT, "name": NAME, "filled": filled});
    context.out.record(&answer, || {
        format!(
            "filled {NAME}\n  id           {TENANT}\n  accepted     {}\n  quarantined  {}, of which {} were mended\n  \
             duplicates   {}\n  integrations {}\n\nnext: tributary serve, and in another window: tributary demo send --url \
             http://127.0.0.1:3000",
            filled.accepted, filled.quarantined, filled.mended, filled.duplicates, filled.integrations
        )
    })
}

async fn send(context: &Context, url: &url::Url, every: f64) -> anyhow::Result<()> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Usage("the address begins with http:// or https://".into()).into());
    }
    if !(0.01..=3_600.0).contains(&every) {
        return Err(Usage("between two events there are 0.01 to 3,600 seconds".into()).into());
    }
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let db = context.db().await?;
    let base = url.as_str().trim_end_matches('/').to_owned();
    let mut live = Live::new(&db, &context.clock, &context.actor, base.clone()).await?;
    let every = Duration::from_secs_f64(every);
    let mut pause = KNOWN;
    let done = loop {
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
        }
        pause = live.pause(every).max(SHORTEST);
        match live.one(&context.clock).await {
            Ok(sent) if matches!(sent.status, 401 | 403) => {
                let why = "the token of this sender is refused: the demo was disabled or removed, or Tributary runs there on another database";
                break Err(Refused(why.into()).into());
            }
            Ok(sent) => {
                let words = |sent: &demo::send::Sent| {
                    let became = if sent.quarantined { "quarantined" } else { "accepted" };
                    let became = if sent.status == 201 || sent.status == 422 { became } else { "refused" };
                    format!("{}  {became}  {}", sent.status, sent.event_type)
                };
                context.out.lines([sent], words)?;
            }
            Err(error) => {
                break Err(error).with_context(|| format!("{base} does not answer: is Tributary running there?"));
            }
        }
    };
    live.end(&db, &context.clock).await?;
    done
}
