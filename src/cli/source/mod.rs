//! `tributary source`: external systems that are asked on an interval. It works on the database; a server that runs on
//! it notices within a second.
mod act;
mod add;
mod attempt;
mod fill;
mod show;

use clap::{Args, Subcommand};

pub(super) use attempt::{Asked, Asking};

use super::{Context, Usage, input};
use crate::{
    auth::{Permit, Right},
    crypto::seal::Keyring,
    db::Db,
    ids::SourceId,
    polling::store,
};

/// Set up external systems that are asked on an interval, and see that nothing was missed
#[derive(Debug, Subcommand)]
pub(super) enum Source {
    Add(add::Add),
    Try(attempt::Try),
    Edit(add::Edit),
    Export(add::Export),
    SetToken(add::SetToken),
    List(show::List),
    Show(show::Show),
    Ledger(show::Ledger),
    Evidence(show::Evidence),
    Run(act::Run),
    Pause(act::Pause),
    Resume(act::Resume),
    Remove(act::Remove),
    Reconcile(act::Reconcile),
    Limit(act::Limit),
    Backfill(fill::Backfill),
}

impl Source {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Add(command) => command.run(context).await,
            Self::Try(command) => command.run(context).await,
            Self::Edit(command) => command.run(context).await,
            Self::Export(command) => command.run(context).await,
            Self::SetToken(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Ledger(command) => command.run(context).await,
            Self::Evidence(command) => command.run(context).await,
            Self::Run(command) => command.run(context).await,
            Self::Pause(command) => command.run(context).await,
            Self::Resume(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
            Self::Reconcile(command) => command.run(context).await,
            Self::Limit(command) => command.run(context).await,
            Self::Backfill(command) => command.run(context).await,
        }
    }
}

/// Which source.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// The id of the source: see `tributary source list`
    #[arg(long, value_name = "ID", value_parser = input::id::<SourceId>)]
    id: SourceId,
}

impl Which {
    /// The database, and authority over the source's tenant.
    async fn open<R: Right>(&self, context: &Context) -> anyhow::Result<(Db, Permit<R>)> {
        let db = context.db().await?;
        let tenant = store::tenant_of(&db, &context.actor.grant()?, self.id).await?;
        let permit = context.actor.permit(tenant)?;
        Ok((db, permit))
    }
}

/// What tokens of other systems are sealed with.
#[derive(Debug, Args)]
pub(super) struct Keys {
    /// The file with the key that seals secrets at rest [default: made beside a SQLite database]
    #[arg(long, env = "TRIBUTARY_KEY_FILE", value_name = "PATH")]
    key_file: Option<std::path::PathBuf>,
}

impl Keys {
    pub(super) fn ring(&self, db: &Db) -> Keyring {
        Keyring::at(self.key_file.as_deref(), db.file())
    }
}

/// Reads a moment: 2026-05-01T00:00:00Z, or a day.
fn moment(text: &str) -> Result<chrono::DateTime<chrono::Utc>, String> {
    const FORM: &str = "a moment is written 2026-05-01T00:00:00Z, or as a day: 2026-05-01 (UTC)";
    if let Ok(moment) = chrono::DateTime::parse_from_rfc3339(text) {
        return Ok(moment.to_utc());
    }
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").map_err(|_| FORM)?;
    day.and_hms_opt(0, 0, 0).map(|day| day.and_utc()).ok_or_else(|| FORM.into())
}

/// Reads a span of time: 90s, 30m, 6h, 7d.
fn span(text: &str) -> Result<chrono::TimeDelta, String> {
    const FORM: &str = "a span of time is a number with its unit: 90s, 30m, 6h or 7d";
    let unit = text.chars().last().ok_or(FORM)?;
    let count: u32 = text[..text.len() - unit.len_utf8()].parse().map_err(|_| FORM)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return Err(FORM.into()),
    };
    Ok(chrono::TimeDelta::seconds(i64::from(count) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_spans_are_read() {
        assert_eq!(moment("2026-05-01").unwrap(), moment("2026-05-01T02:00:00+02:00").unwrap());
        assert_eq!(span("90s").unwrap() * 2, span("3m").unwrap());
        for bad in ["", "m", "5", "5y", "-1h", "5é"] {
            assert!(span(bad).is_err() && moment(bad).is_err(), "{bad}");
        }
    }
}
