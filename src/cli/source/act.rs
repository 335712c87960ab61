//! `tributary source run`, `pause`, `resume`, `remove`, `reconcile` and `limit`.
use clap::{Args, ValueEnum};
use serde_json::json;

use super::{Context, Which};
use crate::{
    auth::{Configure, ReadConfiguration},
    polling::{self, store::change},
};

/// Ask up to the present now, apart from the schedule
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source run --id ID")]
pub(in crate::cli) struct Run {
    #[command(flatten)]
    which: Which,
}

impl Run {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let source = change::run_now(&db, &context.clock, &permit, self.which.id).await?;
        said(context, &source, "a running server asks it within a second")
    }
}

/// Ask no more until it is resumed; what is missed meanwhile is asked for then
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source pause --id ID")]
pub(in crate::cli) struct Pause {
    #[command(flatten)]
    which: Which,
}

impl Pause {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let source = change::pause(&db, &context.clock, &permit, self.which.id).await?;
        said(context, &source, "paused")
    }
}

/// Go on with a source that was paused, refused or stopped; what has failed is tried again
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source resume --id ID")]
pub(in crate::cli) struct Resume {
    #[command(flatten)]
    which: Which,
}

impl Resume {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let source = change::resume(&db, &context.clock, &permit, self.which.id).await?;
        said(context, &source, "resumed")
    }
}

/// Remove a source and its token; its events stay
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source remove --id ID")]
pub(in crate::cli) struct Remove {
    #[command(flatten)]
    which: Which,
}

impl Remove {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let source = change::remove(&db, &context.clock, &permit, self.which.id).await?;
        said(context, &source, "removed; its events stay")
    }
}

/// Whether closed windows are read again at random, which measures what had been missed
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source reconcile --id ID off")]
pub(in crate::cli) struct Reconcile {
    #[command(flatten)]
    which: Which,
    /// on or off
    switch: Switch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Reconcile {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let on = self.switch == Switch::On;
        let source = change::set_reconcile(&db, &context.clock, &permit, self.which.id, on).await?;
        said(context, &source, if on { "closed windows are read again at random" } else { "no window is read again" })
    }
}

/// What all servers together may ask of the host of a source, and of all others on it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source limit --id ID --slots 2
  tributary source limit --id ID --slots 4 --per-minute 60")]
pub(in crate::cli) struct Limit {
    #[command(flatten)]
    which: Which,
    /// Most windows under way at once
    #[arg(long, value_name = "N", default_value_t = polling::store::lease::SLOTS)]
    slots: i64,
    /// Most requests a minute; 0 is no limit
    #[arg(long, value_name = "N", default_value_t = 0)]
    per_minute: i64,
}

impl Limit {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<ReadConfiguration>(context).await?;
        let source = polling::get(&db, &permit, self.which.id).await?;
        let (grant, host) = (context.actor.grant()?, source.host);
        change::limit_host(&db, &context.clock, &grant, host.clone(), self.slots, self.per_minute).await?;
        let answer = json!({"host": host, "slots": self.slots, "perMinute": self.per_minute});
        context.out.record(&answer, || format!("{host}: {} windows at once", self.slots))
    }
}

fn said(context: &Context, source: &polling::Source, words: &str) -> anyhow::Result<()> {
    let answer = json!({"id": source.id, "name": source.name, "state": source.state});
    context.out.record(&answer, || format!("{}: {words}", source.name))
}
