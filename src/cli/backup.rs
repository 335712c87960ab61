//! `tributary backup`: a copy of the whole installation in one file, while it runs.
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, moving};
use crate::transfer::backup::backup;

/// Write all there is to one file, while the server runs
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary backup /var/backups/tributary-$(date +%F).db
  tributary backup --force /var/backups/tributary.db --database-url postgres://tributary@db.example.com/tributary

The file is a SQLite database, of PostgreSQL too; tributary restore takes it back to either. It is read in one
snapshot, verified, readable by its owner alone, and appears when it is complete. The file of keys (tributary.key, or
TRIBUTARY_KEY_FILE) is not in it: keep a copy of that apart, since second factors cannot be checked without.")]
pub(super) struct Backup {
    /// The file to write
    file: PathBuf,
    /// Write over a file that exists
    #[arg(long)]
    force: bool,
}

impl Backup {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let progress = moving::Progress::new();
        let contents =
            backup(context.database_url(), &self.file, self.force, &|table, done, all| progress.tell(table, done, all))
                .await?;
        let (file, took) = (self.file.display().to_string(), progress.seconds());
        let answer = json!({"file": file, "bytes": contents.bytes, "seconds": took, "tables": contents.tables});
        context.out.record(&answer, || {
            format!(
                "{}\nwritten to {file}: {} in {took} s, verified\n{}\nto take it back: tributary restore {file}",
                moving::listed(&contents.tables),
                moving::size(contents.bytes),
                moving::KEY,
            )
        })
    }
}
