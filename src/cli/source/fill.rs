//! `tributary source backfill`: a range of the past.
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::json;

use super::{Context, Which, moment, span};
use crate::{
    auth::Configure,
    polling::{self, Terms, Window, store::change},
};

/// Ask for a range of the past: what lies before the ledger becomes a part of it, what lies in it is read once more
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source backfill --id ID --from 2026-01-01 --until 2026-02-01 --dry-run
  tributary source backfill --id ID --from 2026-01-01 --until 2026-02-01 --slice 6h")]
pub(in crate::cli) struct Backfill {
    #[command(flatten)]
    which: Which,
    /// The first moment of it
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    from: DateTime<Utc>,
    /// The first moment after it
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: DateTime<Utc>,
    /// How long a window is to be: 90s, 30m, 6h, 7d
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = span)]
    slice: TimeDelta,
    /// Say what would be asked for, and change nothing
    #[arg(long)]
    dry_run: bool,
}

impl Backfill {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let range = Window::new(self.from, self.until);
        let backfill = if self.dry_run {
            let source = polling::get(&db, &permit, self.which.id).await?;
            let terms = Terms::read(&source.definition, source.id)?;
            change::estimate(&source, &terms, range, self.slice, context.clock.now())?
        } else {
            change::backfill(&db, &context.clock, &permit, self.which.id, range, self.slice).await?
        };
        let first = backfill.before.first().or(backfill.within.first());
        let last = backfill.within.last().or(backfill.before.last());
        let answer = json!({
            "newWindows": backfill.before.len(),
            "reread": backfill.within.len(),
            "from": first.map(|window| window.from),
            "to": last.map(|window| window.until),
            "dryRun": self.dry_run,
        });
        context.out.record(&answer, || {
            let would = if self.dry_run { "would ask for " } else { "" };
            format!(
                "{would}{} windows before the ledger, {} read once more",
                backfill.before.len(),
                backfill.within.len()
            )
        })
    }
}
