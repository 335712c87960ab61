//! `tributary audit`: who changed what.
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};

use super::{Context, Usage, input};
use crate::{
    audit::{
        Asked, Cursor, Entry, Eyes,
        store::{self, Page},
    },
    ids::{self, TenantId},
    tenants,
};

/// Entries of one page of the store.
const PAGE: usize = 200;

/// Read the audit trail: who changed what, when and from where
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    List(List),
}

/// List changes, newest first; with --json each line holds before and after
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary audit list
  tributary audit list --tenant ID --action token --from 2026-11-01
  tributary audit list --actor ada@example.com --limit 10
  tributary --json audit list --limit 1000000 > audit.jsonl
  tributary --json audit list --action token.revoke | jq -r '[.at, .actor, .object] | @tsv'")]
pub(super) struct List {
    /// Of this tenant alone [default: all, and the installation]
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: Option<TenantId>,
    /// By whom: an e-mail address or a part of it, or cli
    #[arg(long, value_name = "WHO")]
    actor: Option<String>,
    /// What: an action such as token.revoke, or all of one kind, such as token
    #[arg(long, value_name = "WHAT")]
    action: Option<String>,
    /// To what: an id
    #[arg(long, value_name = "ID")]
    object: Option<String>,
    /// At this moment or later: 2026-11-18T14:05:00Z, or a day (in UTC)
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Before this moment
    #[arg(long, value_name = "WHEN")]
    until: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 50)]
    limit: usize,
}

impl Audit {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let Self::List(list) = self;
        list.run(context).await
    }
}

impl List {
    /// The filter, read as the address of the page is.
    fn asked(&self) -> anyhow::Result<Asked> {
        let day = |text: &Option<String>| {
            let text = text.as_deref()?;
            let is_day = text.parse::<chrono::NaiveDate>().is_ok();
            Some(if is_day { format!("{text}T00:00") } else { text.to_owned() })
        };
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("actor", self.actor.clone()),
            ("action", self.action.clone()),
            ("object", self.object.clone()),
            ("from", day(&self.from)),
            ("until", day(&self.until)),
        ] {
            query.extend_pairs(value.map(|value| (name, value)));
        }
        let asked = Asked::parse(&query.finish());
        match asked.wrong.first() {
            Some((field, why)) => Err(Usage(format!("--{field}: {why}")).into()),
            None => Ok(asked),
        }
    }

    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let asked = self.asked()?;
        let db = context.db().await?;
        let eyes = match self.tenant {
            Some(tenant) => {
                tenants::get(&db, &context.actor.permit(tenant)?).await?;
                Eyes::Inside(context.actor.permit(tenant)?)
            }
            None => Eyes::Everything(context.actor.grant()?),
        };
        let (mut cursor, mut left, mut none) = (Cursor::Newest, self.limit, true);
        while left > 0 {
            let Page { entries, older, .. } = store::page(&db, &eyes, &asked.filter, cursor, left.min(PAGE)).await?;
            left -= entries.len();
            none &= entries.is_empty();
            if context.out.is_json() {
                context.out.lines(entries.iter().map(Entry::line), |_| String::new())?;
            } else {
                context.out.lines(entries.iter().map(text), String::clone)?;
            }
            let Some(older) = older else { break };
            cursor = Cursor::Before(older);
        }
        if none && self.limit > 0 && !context.out.is_json() {
            return context.out.record(&(), || "there are no such changes".to_owned());
        }
        Ok(())
    }
}

/// One change in a line. What somebody called something must not reach the terminal as a command.
fn text(entry: &Entry) -> String {
    let at = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let object = entry.object.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let id = ids::guid(&entry.object_id).map(|_| format!("  {}", entry.object_id)).unwrap_or_default();
    let from = entry.address.as_deref().map(|address| format!(" from {address}")).unwrap_or_default();
    let line = format!("{}  {}{from}  {}{object}{id}", at(entry.at), entry.actor, entry.words());
    line.replace(char::is_control, "\u{fffd}")
}
