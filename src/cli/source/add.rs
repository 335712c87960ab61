//! `tributary source add`, `edit`, `export` and `set-token`: what a source asks, and how.
use anyhow::Context as _;
use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde_json::json;

use super::{Context, Keys, Usage, Which, input, moment, span};
use crate::{
    auth::{Configure, ReadConfiguration},
    ids::{EventTypeId, TenantId},
    polling::{store, terms::Prepared},
};

/// Create a source from a file: what it asks, when, and what its records become
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source add --tenant ID --event-type ID --file SOURCE.json
  tributary source add --tenant ID --event-type ID --file SOURCE.json --start 2026-01-01
  tributary source add --tenant ID --event-type ID --file SOURCE.json --token-stdin < token.txt
  tributary --json source add --tenant ID --event-type ID --file SOURCE.json | jq -r .id

docs/polling.md describes the file.")]
pub(in crate::cli) struct Add {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// What its records become
    #[arg(long, value_name = "ID", value_parser = input::id::<EventTypeId>)]
    event_type: EventTypeId,
    /// The file that describes it; - reads standard input
    #[arg(long, value_name = "PATH")]
    file: String,
    /// Where its ledger begins [default: one interval before now]
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    start: Option<DateTime<Utc>>,
    /// Read its token from standard input, in place of the one in the file
    #[arg(long)]
    token_stdin: bool,
    #[command(flatten)]
    keys: Keys,
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let prepared = prepared(&self.file, self.token_stdin)?;
        let db = context.db().await?;
        let (permit, keys) = (context.actor.permit(self.tenant)?, self.keys.ring(&db));
        let made =
            store::change::create(&db, &context.clock, &keys, &permit, self.event_type, prepared, self.start).await?;
        context.out.record(&json!({"id": made.id, "name": made.name, "start": made.starts_at}), || {
            format!(
                "created the source {}\n  id     {}\n  start  {}\n\nnext: tributary source show --id {}",
                made.name,
                made.id,
                made.starts_at.format("%Y-%m-%d %H:%M:%S UTC"),
                made.id,
            )
        })
    }
}

fn prepared(file: &str, token_stdin: bool) -> anyhow::Result<Prepared> {
    if token_stdin && file == "-" {
        return Err(Usage("standard input cannot be both: give the file by its name".into()).into());
    }
    let text = input::text(file)?;
    let mut prepared = Prepared::read(&text).with_context(|| format!("{file} describes no source"))?;
    if token_stdin {
        prepared.secret = Some(token()?);
    }
    Ok(prepared)
}

fn token() -> anyhow::Result<String> {
    let token = input::secret()?;
    if token.is_empty() {
        return Err(Usage("there is no token on standard input".into()).into());
    }
    Ok(token)
}

/// Change what a source asks, from a file; its ledger goes on where it is
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source export --id ID > SOURCE.json
  tributary source edit --id ID --file SOURCE.json")]
pub(in crate::cli) struct Edit {
    #[command(flatten)]
    which: Which,
    /// The file that describes it; - reads standard input
    #[arg(long, value_name = "PATH")]
    file: String,
    #[command(flatten)]
    keys: Keys,
}

impl Edit {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let prepared = prepared(&self.file, false)?;
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let keys = self.keys.ring(&db);
        let source = store::change::edit(&db, &context.clock, &keys, &permit, self.which.id, prepared).await?;
        context
            .out
            .record(&json!({"id": source.id, "name": source.name}), || format!("changed the source {}", source.name))
    }
}

/// Print the file that describes a source; its token is not in it
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source export --id ID > SOURCE.json
  tributary source export --id ID | tributary source add --tenant OTHER --event-type ID --file -")]
pub(in crate::cli) struct Export {
    #[command(flatten)]
    which: Which,
}

impl Export {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<ReadConfiguration>(context).await?;
        let source = store::get(&db, &permit, self.which.id).await?;
        let value: serde_json::Value = serde_json::from_str(&source.definition)?;
        context.out.record(&value, || serde_json::to_string_pretty(&value).unwrap_or_default())
    }
}

/// Replace the token of a source; the one before is tried for a while where the new one is refused
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source set-token --id ID < token.txt
  tributary source set-token --id ID --overlap 7d < token.txt")]
pub(in crate::cli) struct SetToken {
    #[command(flatten)]
    which: Which,
    /// How long the one before is tried: 0s, 1h, 7d
    #[arg(long, value_name = "TIME", default_value = "24h", value_parser = span)]
    overlap: TimeDelta,
    #[command(flatten)]
    keys: Keys,
}

impl SetToken {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let token = token()?;
        let (db, permit) = self.which.open::<Configure>(context).await?;
        let (keys, id) = (self.keys.ring(&db), self.which.id);
        let source = store::change::set_secret(&db, &context.clock, &keys, &permit, id, &token, self.overlap).await?;
        let until = source.old_secret_until;
        context.out.record(&json!({"id": source.id, "oldTokenUntil": until}), || {
            let old = until.map_or_else(String::new, |until| {
                format!("; the one before is tried until {}", until.format("%Y-%m-%d %H:%M UTC"))
            });
            format!("replaced the token of {}{old}", source.name)
        })
    }
}
