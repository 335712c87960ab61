//! `tributary migrate`: brings the tables up to date, and does nothing else.
use clap::Args;
use serde_json::json;

use super::Context;

/// Bring the tables of the database up to date (every command and the server do so too)
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary migrate
  tributary migrate --database-url postgres://tributary@db.example.com/tributary")]
pub(super) struct Migrate {}

impl Migrate {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        context.new_db().await?;
        context.out.record(&json!({"migrated": true}), || "the tables are up to date\nnext: tributary serve".into())
    }
}
