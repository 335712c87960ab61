//! `tributary events`: what came in.
use std::{io::Write, time::Duration};

use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use clap::{Args, Subcommand, ValueEnum};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::{Context, Usage, input};
use crate::{
    auth::{Permit, ReadPayloads},
    db::Db,
    events::{
        self, ANONYMOUS, Cursor, Event, FieldIs, Filter, Line, Source, Verdict,
        export::{self, Format},
        store,
        watch::Watch,
    },
    ids::{EventTypeId, FailureGroupId, ReceiptId, TenantId},
    tenants,
};

/// Events of one page of the store: few enough that the longest do not fill the memory.
const PAGE: usize = 100;
/// How often `tail` looks, and how many events it shows at once at most.
const EVERY: Duration = Duration::from_millis(500);
const AT_ONCE: usize = 10_000;

/// List, count, follow and export events
#[derive(Debug, Subcommand)]
pub(super) enum Events {
    /// List events, newest first; with --json each line holds the whole event
    #[command(after_help = "\
Examples:
  tributary events list --tenant ID
  tributary events list --tenant ID --verdict quarantined --limit 10
  tributary events list --tenant ID --event-type ID --field \"Email Address\" --value jane@example.com
  tributary --json events list --tenant ID --event-type ID --limit 1000000 > events.jsonl
  tributary --json events list --tenant ID | jq -c '[.receivedAt, .payload]'")]
    List {
        #[command(flatten)]
        which: Which,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Count events
    #[command(after_help = "\
Examples:
  tributary events count --tenant ID
  tributary --json events count --tenant ID --event-type ID --verdict accepted | jq .count")]
    Count {
        #[command(flatten)]
        which: Which,
    },
    Export(Export),
    /// Show events as they come in, until Ctrl-C
    #[command(after_help = "\
Examples:
  tributary events tail --tenant ID
  tributary --json events tail --tenant ID --event-type ID | jq -c .payload")]
    Tail {
        /// Whose
        #[arg(long, value_name = "ID")]
        tenant: TenantId,
        /// Of this type alone
        #[arg(long, value_name = "ID")]
        event_type: Option<EventTypeId>,
    },
}

/// Which events.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Whose
    #[arg(long, value_name = "ID")]
    tenant: TenantId,
    /// Of this type alone
    #[arg(long, value_name = "ID")]
    event_type: Option<EventTypeId>,
    /// With this verdict alone
    #[arg(long)]
    verdict: Option<Word>,
    /// With something in this field: a key, or a /pointer. Searchable fields of a type are found at once, others are
    /// looked through
    #[arg(long, value_name = "NAME", requires = "value")]
    field: Option<String>,
    /// What the field holds
    #[arg(long, value_name = "V", requires = "field")]
    value: Option<String>,
}

/// Write events to standard output, newest first, as JSON lines or CSV
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary events export --tenant ID > events.jsonl
  tributary events export --tenant ID --event-type ID --format csv > orders.csv
  tributary events export --tenant ID --verdict quarantined --from 2026-11-01 --until 2026-12-01 | gzip > bad.jsonl.gz

In CSV, text that a spreadsheet would run as a formula gets an apostrophe in front.")]
pub(super) struct Export {
    #[command(flatten)]
    which: Which,
    /// Come with this token alone; `anonymous`: with none
    #[arg(long, value_name = "ID", value_parser = source)]
    source: Option<Source>,
    /// Received at this time or later: 2026-11-18, 2026-11-18T14:05 (UTC), or with a zone
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Received before this time
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<DateTime<Utc>>,
    /// Of this receipt alone
    #[arg(long, value_name = "ID", value_parser = input::id::<ReceiptId>)]
    receipt: Option<ReceiptId>,
    /// Those in quarantine of this group of failures alone
    #[arg(long, value_name = "ID", value_parser = input::id::<FailureGroupId>)]
    group: Option<FailureGroupId>,
    /// How
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
}

pub(super) fn source(text: &str) -> Result<Source, &'static str> {
    if text == ANONYMOUS { Ok(Source::Anonymous) } else { input::id(text).map(Source::Token) }
}

pub(super) fn moment(text: &str) -> Result<DateTime<Utc>, &'static str> {
    let day = || text.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN).and_utc());
    events::moment(text).or_else(day).ok_or("a time is written as 2026-11-18 or 2026-11-18T14:05")
}

impl Export {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = open(context, self.which.tenant).await?;
        let Self { source, from, until, receipt, group, .. } = self;
        let filter = Filter { source, from, until, receipt, group, ..self.which.filter()? };
        export::written_down(&db, &context.clock, &permit, &filter, self.format).await?;
        let writer = export::Writer::new(&db, &permit, &filter, self.format).await?;
        let (mut text, mut before) = (Vec::new(), None);
        writer.head(&mut text);
        loop {
            (_, before) = export::some(&db, &permit, &filter, &writer, before, &mut text).await?;
            let mut out = std::io::stdout().lock();
            out.write_all(&text)?;
            out.flush()?;
            text.clear();
            if before.is_none() {
                return Ok(());
            }
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Word {
    Accepted,
    /// Accepted though they break their contract, which their type lets pass with a warning
    Warned,
    Quarantined,
    Mended,
}

impl Which {
    fn filter(&self) -> Result<Filter, Usage> {
        let field = match (&self.field, &self.value) {
            (Some(field), Some(value)) => Some(FieldIs::parse(field, value).map_err(|(_, why)| Usage(why))?),
            _ => None,
        };
        let verdict = self.verdict.map(|word| match word {
            Word::Accepted | Word::Warned => Verdict::Accepted,
            Word::Quarantined => Verdict::Quarantined,
            Word::Mended => Verdict::Mended,
        });
        let warned = matches!(self.verdict, Some(Word::Warned));
        Ok(Filter { event_type: self.event_type, verdict, warned, field, ..Filter::default() })
    }
}

impl Events {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List { which, limit } => list(context, &which, limit).await,
            Self::Count { which } => {
                let (db, permit) = open(context, which.tenant).await?;
                let count = store::count(&db, &permit, &which.filter()?).await?;
                context.out.record(&json!({"count": count}), || count.to_string())
            }
            Self::Export(export) => export.run(context).await,
            Self::Tail { tenant, event_type } => tail(context, tenant, event_type).await,
        }
    }
}

/// The database, and authority to read the events of a tenant that is there.
pub(super) async fn open(context: &Context, tenant: TenantId) -> anyhow::Result<(Db, Permit<ReadPayloads>)> {
    let db = context.db().await?;
    tenants::get(&db, &context.actor.permit(tenant)?).await?;
    Ok((db, context.actor.permit(tenant)?))
}

async fn list(context: &Context, which: &Which, limit: usize) -> anyhow::Result<()> {
    let (db, permit) = open(context, which.tenant).await?;
    let filter = which.filter()?;
    let (mut cursor, mut left, mut none) = (Cursor::Newest, limit, true);
    while left > 0 {
        let size = left.min(PAGE);
        let page = if context.out.is_json() {
            store::whole_page(&db, &permit, &filter, cursor, size).await?
        } else {
            store::page(&db, &permit, &filter, cursor, size).await?
        };
        left -= page.events.len();
        none &= page.events.is_empty();
        print(context, &page.events)?;
        let Some(older) = page.older else { break };
        cursor = Cursor::Before(older);
    }
    if none && limit > 0 && !context.out.is_json() {
        let next = format!("next: tributary send --url URL --tenant {} --event-type ID event.json", which.tenant);
        return context.out.record(&(), || format!("there are no such events\n{next}"));
    }
    Ok(())
}

async fn tail(context: &Context, tenant: TenantId, event_type: Option<EventTypeId>) -> anyhow::Result<()> {
    let (db, _) = open(context, tenant).await?;
    let characters = if context.out.is_json() { store::WHOLE } else { store::START };
    let mut watch = Watch::begin(&db, tenant, event_type, characters, None, context.clock.now()).await?;
    let follow = async {
        loop {
            let news = watch.look(&db, context.clock.now(), AT_ONCE).await?;
            if news.skipped > 0 {
                tracing::warn!(skipped = news.skipped, "too many events at once; the oldest are not shown");
            }
            print(context, &news.events)?;
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        // it only ends by failing
        failed = follow => failed,
        stopped = tokio::signal::ctrl_c() => Ok(stopped?),
    }
}

/// Prints events, a line each.
pub(super) fn print(context: &Context, events: &[Event]) -> anyhow::Result<()> {
    context.out.lines(events.iter().map(Row::of), Row::text)
}

/// An event as a line: whole for programs, its beginning for people.
struct Row<'a> {
    line: Line<'a>,
    event: &'a Event,
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.line.serialize(to)
    }
}

impl<'a> Row<'a> {
    fn of(event: &'a Event) -> Self {
        Self { line: Line::of(event), event }
    }

    fn text(&self) -> String {
        let Self { line, event } = self;
        let start = event.payload.split_whitespace().collect::<Vec<_>>().join(" ");
        let start: String = start.chars().take(100).collect();
        // what a sender put there must not reach the terminal as a command
        let start = start.replace(char::is_control, "\u{fffd}");
        format!("{}  {:11}  {}  {}  {start}", line.received_at, event.verdict.word(), event.event_type_id, event.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::EventId;

    fn event(payload: &str) -> Event {
        Event {
            id: EventId(uuid::Uuid::from_u128((0x0199_0000_0000 << 80) | 0x7000_0000_0000_0000_0001)),
            event_type_id: EventTypeId(uuid::Uuid::from_u128(7)),
            source_id: None,
            verdict: Verdict::Accepted,
            payload: payload.into(),
            errors: None,
        }
    }

    #[test]
    fn nothing_in_a_payload_reaches_the_terminal_as_a_command() {
        let event = event("{\"a\":\"\u{1b}[2J\u{9b}\"}");
        assert!(!Row::of(&event).text().contains(char::is_control));
    }
}
