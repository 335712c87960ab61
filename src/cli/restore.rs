//! `tributary restore`: puts a backup in the place of the database.
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::{Context, moving};
use crate::transfer::restore::restore;

/// Put a backup in the place of the database; the server must be stopped
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary restore /var/backups/tributary-2026-11-24.db
  tributary restore --force /var/backups/tributary.db --database-url sqlite:///var/lib/tributary/tributary.db
  tributary restore --force backup.db --database-url postgres://tributary@db.example.com/tributary

The backup is verified first. A SQLite database that was there is kept beside the new one; what a PostgreSQL database
held is deleted in the transaction that fills it. The file of keys is not in a backup: the server needs the one that was
in use, beside a SQLite database (its name with .key) or by TRIBUTARY_KEY_FILE.")]
pub(super) struct Restore {
    /// The backup
    file: PathBuf,
    /// Do it although the database exists and holds something
    #[arg(long)]
    force: bool,
}

impl Restore {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let progress = moving::Progress::new();
        let told = |table: &str, done, all| progress.tell(table, done, all);
        let restored = restore(&self.file, context.database_url(), self.force, &context.clock, &told).await?;
        let kept = restored.kept.map(|kept| kept.display().to_string());
        let answer = json!({"restored": true, "kept": kept, "seconds": progress.seconds(), "tables": restored.tables});
        context.out.record(&answer, || {
            let kept = kept.as_ref().map(|kept| format!("the database that was there is kept as {kept}\n"));
            format!(
                "{}\nrestored and verified\n{}{}\nnext: tributary serve",
                moving::listed(&restored.tables),
                kept.unwrap_or_default(),
                moving::KEY,
            )
        })
    }
}
