//! Export of events by filter: as JSON lines or CSV, by a background task into a file that is kept for a week, or by
//! the command line to wherever it likes. Either way a little at a time, in constant memory.
mod csv;

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::time::Instant;

use super::{
    Asked, Cursor, Event, Filter, Line, Verdict, WARNED,
    along::{Along, Range},
    store,
};
use crate::{
    app::App,
    auth::{
        Permit, ReadConfiguration, ReadPayloads,
        audit::{self, Entry},
    },
    clock::Clock,
    db::Db,
    error::{Error, Result},
    event_types, failures,
    ids::{EventId, EventTypeId, TaskId},
    jobs::{self, About, Effects, Kind, Outcome, Stepping, Task, output},
    sql, ui,
};
pub use csv::Columns;

/// The kind of task that exports.
pub const KIND: Kind = Kind {
    name: "events.export",
    title: "Export of events",
    noun: "event",
    counters: &[],
    step: |app, task| step(app, task),
    about,
};

/// The longest file, before compression.
const LONGEST: u64 = 2 << 30;
/// Events of one page of the store: few enough that the longest do not fill the memory.
const PAGE: usize = 100;
/// How much a step writes at most: so many bytes of text, so many events, or for so long.
const STEP_BYTES: usize = 1 << 20;
const STEP_EVENTS: usize = 5_000;
const STEP_TIME: Duration = Duration::from_secs(1);
/// How many events are looked at for what fields there are, besides those of the contracts.
const SAMPLE: usize = 500;
/// How far events are counted before an export begins.
pub const COUNTED: i64 = 100_000;

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line, with the payload as it was sent.
    Jsonl,
    /// Comma-separated values (RFC 4180), a column a field.
    Csv,
}

impl Format {
    /// As addresses and file names say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Csv => "csv",
        }
    }

    /// Reads what [`Format::word`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Jsonl, Self::Csv].into_iter().find(|format| format.word() == text)
    }

    /// As pages say it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Jsonl => "JSON lines",
            Self::Csv => "CSV",
        }
    }

    /// As HTTP says it.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

/// Writes events in a format.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum Writer {
    /// Lines of JSON.
    Jsonl,
    /// CSV with these columns.
    Csv(Columns),
}

impl Writer {
    /// One for the events that `filter` asks for: CSV has a column for each field of the contracts, and for each that
    /// the first events hold.
    ///
    /// # Errors
    /// When the database does.
    pub async fn new(db: &Db, permit: &Permit<ReadPayloads>, filter: &Filter, format: Format) -> Result<Self> {
        if format == Format::Jsonl {
            return Ok(Self::Jsonl);
        }
        let read = permit.actor().permit::<ReadConfiguration>(permit.tenant())?;
        let mut columns = Columns::default();
        for one in event_types::list(db, &read).await? {
            if filter.event_type.is_none_or(|asked| asked == one.id) {
                columns.learn_contract(one.details.contract.text());
            }
        }
        let (mut cursor, mut seen, mut bytes) = (Cursor::Newest, 0, 0);
        while seen < SAMPLE && bytes < STEP_BYTES {
            let page = store::whole_page(db, permit, filter, cursor, PAGE).await?;
            for event in &page.events {
                columns.learn(&event.payload);
                bytes += event.payload.len();
            }
            seen += page.events.len();
            match page.older {
                Some(older) if !page.events.is_empty() => cursor = Cursor::Before(older),
                _ => break,
            }
        }
        Ok(Self::Csv(columns))
    }

    /// What stands above the first event.
    pub fn head(&self, to: &mut Vec<u8>) {
        if let Self::Csv(columns) = self {
            columns.head(to);
        }
    }

    /// One event.
    ///
    /// # Errors
    /// Never in practice: memory does not refuse.
    pub fn event(&self, event: &Event, to: &mut Vec<u8>) -> Result<()> {
        match self {
            Self::Jsonl => {
                serde_json::to_writer(&mut *to, &Line::of(event)).map_err(Error::internal)?;
                to.push(b'\n');
            }
            Self::Csv(columns) => columns.row(event, to),
        }
        Ok(())
    }
}

/// The next events below `before`, written: a few pages of them. Where the ones after begin; none when these are the
/// last.
///
/// # Errors
/// When the database does.
pub async fn some(
    db: &Db,
    permit: &Permit<ReadPayloads>,
    filter: &Filter,
    writer: &Writer,
    mut before: Option<EventId>,
    to: &mut Vec<u8>,
) -> Result<(usize, Option<EventId>)> {
    let (began, mut count) = (Instant::now(), 0);
    loop {
        let cursor = before.map_or(Cursor::Newest, Cursor::Before);
        let page = store::whole_page(db, permit, filter, cursor, PAGE).await?;
        for event in &page.events {
            writer.event(event, to)?;
        }
        count += page.events.len();
        before = page.older;
        let enough = to.len() >= STEP_BYTES || count >= STEP_EVENTS || began.elapsed() >= STEP_TIME;
        if before.is_none() || enough {
            return Ok((count, before));
        }
    }
}

/// How many events there are to export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimate {
    /// So many.
    Exactly(i64),
    /// More than [`COUNTED`].
    More,
    /// Some of more than [`COUNTED`]: how many, no index knows.
    Among,
    /// Nobody knows before they are looked through.
    Unknown,
}

/// How many events `filter` asks for, counted as far as that is quick.
///
/// # Errors
/// When the database does.
pub async fn estimate(db: &Db, permit: &Permit<ReadPayloads>, filter: &Filter) -> Result<Estimate> {
    if let Some(group) = filter.group {
        let count = failures::store::count(db, permit, group, filter, COUNTED + 1).await?;
        return Ok(if count <= COUNTED { Estimate::Exactly(count) } else { Estimate::More });
    }
    let (along, range) = (Along::of(filter), Range::of(filter));
    let (text, tenant, event_type) = (along.count_up_to(), permit.tenant(), filter.event_type);
    let in_range = sql!(value i64, db, text, tenant, range.low, range.high, event_type, COUNTED + 1, 0_i64)?;
    Ok(match (in_range <= COUNTED, along.knows(filter)) {
        (true, true) => Estimate::Exactly(in_range),
        (true, false) if filter.field.is_some() => Estimate::Unknown,
        (true, false) => Estimate::Exactly(store::count(db, permit, filter).await?),
        (false, true) => Estimate::More,
        (false, false) => Estimate::Among,
    })
}

/// What an export was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The filter, as addresses say it.
    query: String,
    /// How.
    pub format: Format,
    /// What the filter's type and token are called, for people.
    type_name: Option<String>,
    token_name: Option<String>,
    /// And its group; orders from before groups could be exported name none.
    #[serde(default)]
    group_name: Option<String>,
}

impl Order {
    /// One by a filter.
    pub fn new(filter: &Filter, format: Format, type_name: Option<String>, token_name: Option<String>) -> Self {
        Self { query: filter.query(Cursor::Newest), format, type_name, token_name, group_name: None }
    }

    /// Says what the filter's group is called.
    #[must_use]
    pub fn of_group(self, group_name: Option<String>) -> Self {
        Self { group_name, ..self }
    }

    fn filter(&self) -> Filter {
        Asked::parse(self.query.trim_start_matches('?')).filter
    }

    /// The filter in words.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        let filter = self.filter();
        let moment = |at: DateTime<Utc>| format!("{} UTC", ui::Zone::default().write(at).replace('T', " "));
        let facts = [
            ("Group", filter.group.map(|id| self.group_name.clone().unwrap_or(id.to_string()))),
            ("Type", filter.event_type.map(|id| self.type_name.clone().unwrap_or(id.to_string()))),
            ("Token", filter.source.map(|source| self.token_name.clone().unwrap_or(source.word()))),
            (
                "Verdict",
                filter
                    .verdict_word()
                    .map(|word| if word == WARNED { "accepted with a warning" } else { word }.to_owned()),
            ),
            ("From", filter.from.map(moment)),
            ("Before", filter.until.map(moment)),
            ("Receipt", filter.receipt.map(|id| id.to_string())),
            ("Field", filter.field.map(|asked| format!("{} is {}", asked.field.label(), asked.value))),
        ];
        let mut facts: Vec<_> = facts.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
        if facts.is_empty() {
            facts.push(("Events", "all of this tenant".to_owned()));
        }
        facts.push(("Format", self.format.title().to_owned()));
        facts
    }
}

/// Queues an export.
///
/// # Errors
/// [`Error::Conflict`] when the tenant has too many tasks open; when the database fails.
pub async fn start(
    db: &Db,
    clock: &Clock,
    permit: &Permit<ReadPayloads>,
    order: Order,
    estimate: Estimate,
) -> Result<TaskId> {
    let (clock, permit) = (clock.clone(), permit.clone());
    let total = if let Estimate::Exactly(count) = estimate { Some(count) } else { None };
    db.write(move |tx| Box::pin(async move { jobs::enqueue(tx, &clock, &permit, KIND.name, &order, total).await }))
        .await
}

/// Writes down who takes which events away, for what goes out without a task.
///
/// # Errors
/// When the database does.
pub async fn written_down(
    db: &Db,
    clock: &Clock,
    permit: &Permit<ReadPayloads>,
    filter: &Filter,
    format: Format,
) -> Result<()> {
    let (clock, permit) = (clock.clone(), permit.clone());
    let after = Some(json!({"query": filter.query(Cursor::Newest), "format": format}));
    db.write(move |tx| {
        Box::pin(async move {
            let (actor, tenant) = (permit.actor(), permit.tenant());
            let object = tenant.to_string();
            let entry = Entry { actor, tenant: Some(tenant), action: "events.export", object, before: None, after };
            audit::record(tx, &clock, entry).await
        })
    })
    .await
}

/// Where the next step begins.
#[derive(Serialize, Deserialize)]
struct Place {
    before: Option<EventId>,
    writer: Writer,
    piece: i64,
    bytes: u64,
}

fn step<'a>(app: &'a App, task: &'a Task) -> Stepping<'a> {
    Box::pin(write_some(app, task, LONGEST))
}

async fn write_some(app: &App, task: &Task, longest: u64) -> Result<Effects> {
    let (order, permit) = (task.input::<Order>()?, task.permit::<ReadPayloads>()?);
    let (filter, mut total, mut text) = (order.filter(), task.total, Vec::new());
    let mut place = if let Some(place) = task.cursor::<Place>()? {
        place
    } else {
        if total.is_none() && filter.source.is_none() && filter.field.is_none() {
            total = Some(store::count(&app.db, &permit, &filter).await?);
        }
        let writer = Writer::new(&app.db, &permit, &filter, order.format).await?;
        writer.head(&mut text);
        Place { before: None, writer, piece: 0, bytes: 0 }
    };
    let (count, before) = some(&app.db, &permit, &filter, &place.writer, place.before, &mut text).await?;
    place.bytes += text.len() as u64;
    if place.bytes > longest {
        let most = ui::format::bytes(longest);
        return Ok(Effects::none(Outcome::failed(format!(
            "The file would be longer than {most}. Narrow the filter, by time for example, and export in several parts."
        ))));
    }
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    // it takes a few milliseconds of pure reckoning
    let pieces = tokio::task::spawn_blocking(move || output::pieces(&text)).await.map_err(Error::internal)??;
    let first = place.piece;
    place.piece += i64::try_from(pieces.len()).unwrap_or(0);
    place.before = before;
    let compressed = pieces.iter().map(Vec::len).sum::<usize>();
    let outcome = if before.is_some() { Outcome::more(&place)? } else { Outcome::done() };
    let mut outcome = outcome
        .did(count)
        .counting("bytes", length)
        .counting("compressed", i64::try_from(compressed).unwrap_or(i64::MAX));
    if let Some(total) = total {
        // events may have come or gone since they were counted
        outcome = outcome.of(total.max(task.done + i64::try_from(count).unwrap_or(0)));
    }
    let (tenant, id) = (task.tenant, task.id);
    Ok(Effects::new(move |tx| {
        Box::pin(async move {
            output::append(tx, tenant, id, first, pieces).await?;
            Ok(outcome)
        })
    }))
}

/// Whether the file of an export is still kept.
pub fn is_kept(task: &Task, now: DateTime<Utc>) -> bool {
    task.state == jobs::State::Done && task.ended_at.is_some_and(|ended| ended + output::KEPT > now)
}

/// What its file is called.
pub fn file_name(order: &Order, task: &Task) -> String {
    let what = if order.filter().verdict == Some(Verdict::Quarantined) { "quarantine" } else { "events" };
    format!("{what}-{}.{}", task.created_at.format("%Y-%m-%d-%H%M"), order.format.word())
}

fn about(task: &Task, now: DateTime<Utc>) -> About {
    let Ok(order) = task.input::<Order>() else { return About::default() };
    let mut about = About { facts: order.facts(), ..About::default() };
    let Some(ended) = task.ended_at else { return about };
    if is_kept(task, now) {
        let size = |name| ui::format::bytes(u64::try_from(task.counter(name)).unwrap_or(0));
        let (href, kind) = (format!("/tenants/{}/exports/{}", task.tenant, task.id), order.format.word());
        about.files = vec![
            (href.clone(), format!("Download .{kind} ({})", size("bytes"))),
            (format!("{href}?compressed=gzip"), format!("Download .{kind}.gz ({})", size("compressed"))),
        ];
        let until = (ended + output::KEPT).format("%-d %b %Y, %H:%M UTC");
        about.note = Some(format!("Kept until {until}. Each download is written to the audit trail."));
    } else if task.state == jobs::State::Done {
        about.note = Some("The file was kept for seven days and is gone. Export again to have it anew.".into());
    }
    about
}

/// The name of a type for [`Order::new`], out of those that a page knows.
pub fn type_name(types: &[(EventTypeId, String)], filter: &Filter) -> Option<String> {
    let id = filter.event_type?;
    types.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone())
}

#[cfg(test)]
mod tests;
