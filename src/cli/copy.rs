//! `tributary copy`: moves an installation from one database to another.
use clap::Args;
use serde_json::json;

use super::{Context, moving};
use crate::transfer::copy::{Choices, copy};

/// Copy all there is from one database to another: from SQLite to PostgreSQL, or back
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary copy --from sqlite://data/tributary.db --to postgres://tributary@db.example.com/tributary
  tributary copy --from postgres://tributary@db.example.com/tributary --to sqlite://back.db --json

Every table is read in one snapshot, counted, and read back to compare checksums. The target is filled as a whole or
not at all: after a failure or a kill, run the same command again.")]
pub(super) struct Copy {
    /// The database to read: <sqlite://PATH> or <postgres://USER@HOST/NAME>
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database to fill; its tables are made when missing
    #[arg(long, value_name = "URL")]
    to: String,
    /// Delete what the target holds
    #[arg(long)]
    wipe_target: bool,
    /// Copy the present state although a server uses the source
    #[arg(long)]
    live: bool,
    /// Put U+FFFD in the place of NUL characters, which PostgreSQL cannot store
    #[arg(long)]
    replace_nul: bool,
}

impl Copy {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let choices = Choices { wipe_target: self.wipe_target, live: self.live, replace_nul: self.replace_nul };
        let progress = moving::Progress::new();
        let told = |table: &str, done, all| progress.tell(table, done, all);
        let copied = copy(&self.from, &self.to, choices, &context.clock, &told).await?;
        let rows: u64 = copied.tables.iter().map(|table| table.rows).sum();
        let (took, kept) = (progress.seconds(), copied.kept.map(|kept| kept.display().to_string()));
        let answer = json!({
            "rows": rows, "seconds": took, "nul_replaced": copied.nul_replaced, "kept": kept, "tables": copied.tables,
        });
        context.out.record(&answer, || {
            let mut lines = vec![moving::listed(&copied.tables)];
            lines.push(format!("{} rows in {took} s; counts and checksums agree", moving::grouped(rows)));
            if copied.nul_replaced > 0 {
                lines.push(format!("NUL characters were replaced in {} texts", copied.nul_replaced));
            }
            if let Some(kept) = &kept {
                lines.push(format!("the database that was there is kept as {kept}"));
            }
            lines.push(moving::KEY.into());
            lines.push("next: start tributary serve with the new DATABASE_URL".into());
            lines.join("\n")
        })
    }
}
