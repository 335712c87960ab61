//! `tributary source list`, `show`, `ledger` and `evidence`: how sources stand, and what they were asked for.
use chrono::{DateTime, Utc};
use clap::Args;
use serde_json::{Value, json};

use super::{Context, Which, input, moment};
use crate::{
    auth::ReadConfiguration,
    ids::{TenantId, WindowId},
    polling::{self, Entry, Source, Window, store},
    tenants,
};

/// List the sources of a tenant
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source list --tenant ID
  tributary --json source list --tenant ID | jq -r 'select(.health != \"fresh\") | .name'")]
pub(in crate::cli) struct List {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
}

impl List {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        tenants::get(&db, &context.actor.permit(self.tenant)?).await?;
        let sources = polling::list(&db, &context.actor.permit::<ReadConfiguration>(self.tenant)?).await?;
        let rows: Vec<_> = sources.iter().map(said).collect();
        let cells = |row: &Value| {
            let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            [text("id"), text("state"), text("health"), text("watermark"), text("nextRunAt"), text("name")]
        };
        let none = format!(
            "the tenant has no sources\nnext: tributary source add --tenant {} --event-type ID --file SOURCE.json",
            self.tenant
        );
        context.out.table(&rows, ["ID", "STATE", "HEALTH", "ASKED UNTIL", "NEXT RUN", "NAME"], cells, &none)
    }
}

fn said(source: &Source) -> Value {
    json!({
        "id": source.id,
        "name": source.name,
        "eventType": source.event_type,
        "state": source.state,
        "reason": source.reason,
        "health": source.health,
        "healthSince": source.health_since,
        "start": source.starts_at,
        "watermark": source.watermark,
        "nextRunAt": source.next_run_at,
        "intervalSeconds": source.interval.num_seconds(),
        "host": source.host,
        "hasToken": source.has_secret,
        "oldTokenUntil": source.old_secret_until,
        "skewMilliseconds": source.skew.num_milliseconds(),
    })
}

/// Show how a source stands: what is complete, what is missing, and what reading again has found
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source show --id ID
  tributary --json source show --id ID | jq .completeUntil")]
pub(in crate::cli) struct Show {
    #[command(flatten)]
    which: Which,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<ReadConfiguration>(context).await?;
        let source = polling::get(&db, &permit, self.which.id).await?;
        let undone = store::undone(&db, &permit, &source).await?;
        let mut answer = said(&source);
        let late = &source.lateness;
        let seconds = |of| late.per_mille(of).map(|late| late.num_seconds());
        answer["completeUntil"] = json!(undone.complete_until);
        answer["windows"] = json!({"open": undone.open, "running": undone.running, "failed": undone.failed});
        answer["reconciliation"] = json!(source.reconciliation);
        answer["reconciliation"]["lossRate"] = json!(source.reconciliation.loss());
        answer["lateness"] = json!({
            "n": late.n(), "p50Seconds": seconds(500), "p99Seconds": seconds(990), "p999Seconds": seconds(999),
            "proposedLookbackMinutes": late.proposal(),
        });
        answer["definition"] = serde_json::from_str(&source.definition)?;
        context.out.record(&answer, || in_words(&source, &undone))
    }
}

fn in_words(source: &Source, undone: &store::Undone) -> String {
    let time = |time: DateTime<Utc>| time.format("%Y-%m-%d %H:%M:%S UTC").to_string();
    let mut lines = vec![
        source.name.clone(),
        format!("  state     {}, {}", source.state.word(), source.health.word()),
        format!("  complete  {} to {}", time(source.starts_at), time(undone.complete_until)),
        format!("  next run  {}", time(source.next_run_at)),
    ];
    if let Some(reason) = &source.reason {
        lines.insert(2, format!("  reason    {reason}"));
    }
    if undone.open + undone.running + undone.failed > 0 {
        lines.push(format!(
            "  missing   {} open, {} running, {} failed windows",
            undone.open, undone.running, undone.failed
        ));
    }
    let checked = source.reconciliation;
    if let Some(loss) = checked.loss() {
        lines.push(format!(
            "  loss      {:.3} % of {} records in {} windows that were read again",
            loss * 100.0,
            checked.records,
            checked.windows
        ));
    }
    if let Some(late) = source.lateness.per_mille(990) {
        lines.push(format!(
            "  lateness  99 % of {} records at most {} s late",
            source.lateness.n(),
            late.num_seconds()
        ));
    }
    if let Some(minutes) = source.lateness.proposal() {
        lines.push(format!("  proposal  a lookback of {minutes} minutes"));
    }
    lines.join("\n")
}

/// List the windows of a source, oldest first: together they cover time without a gap
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source ledger --id ID
  tributary source ledger --id ID --from 2026-05-01 --until 2026-05-02
  tributary --json source ledger --id ID | jq -c 'select(.state != \"done\")'")]
pub(in crate::cli) struct Ledger {
    #[command(flatten)]
    which: Which,
    /// Only what ends after this
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Only what begins before this
    #[arg(long, value_name = "WHEN", value_parser = moment)]
    until: Option<DateTime<Utc>>,
    /// Also those beside the ledger: read once more, and split into others that stand for them
    #[arg(long)]
    all: bool,
}

impl Ledger {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<ReadConfiguration>(context).await?;
        let within = Window::new(
            self.from.unwrap_or(DateTime::UNIX_EPOCH),
            self.until.unwrap_or(context.clock.now() + chrono::TimeDelta::days(36_500)),
        );
        let (mut rows, mut after) = (Vec::new(), None);
        loop {
            let page = store::windows(&db, &permit, self.which.id, within, after, store::LISTED).await?;
            let Some(last) = page.last() else { break };
            after = Some((last.from_at, last.id));
            rows.extend(page.into_iter().filter(|entry| self.all || entry.tiles()));
        }
        let cells = |entry: &Entry| {
            let time = |time: DateTime<Utc>| time.format("%Y-%m-%dT%H:%M:%SZ").to_string();
            [
                time(entry.from_at),
                time(entry.until_at),
                entry.kind.word().to_owned(),
                entry.state.word().to_owned(),
                entry.records.to_string(),
                entry.fresh.to_string(),
                entry.duplicates.to_string(),
                entry.quarantined.to_string(),
                entry.id.to_string(),
            ]
        };
        let titles = ["FROM", "TO", "KIND", "STATE", "RECORDS", "NEW", "DUPLICATES", "QUARANTINED", "WINDOW"];
        context.out.table(&rows, titles, cells, "nothing was asked for yet; tributary serve does it")
    }
}

/// Show what was asked for a window and what was answered, attempt by attempt
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source evidence --id ID WINDOW
  tributary --json source evidence --id ID WINDOW | jq '.requests[].url'")]
pub(in crate::cli) struct Evidence {
    #[command(flatten)]
    which: Which,
    /// The id of the window: see `tributary source ledger`
    #[arg(value_parser = input::id::<WindowId>)]
    window: WindowId,
}

impl Evidence {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, permit) = self.which.open::<ReadConfiguration>(context).await?;
        store::window(&db, &permit, self.which.id, self.window).await?;
        let attempts = store::attempts(&db, &permit, self.window).await?;
        let rows: Vec<Value> = attempts
            .iter()
            .map(|attempt| {
                let requests: Value = serde_json::from_str(&attempt.requests)?;
                Ok(json!({
                    "attempt": attempt.number, "startedAt": attempt.started_at, "endedAt": attempt.ended_at,
                    "fault": attempt.fault, "requests": requests,
                }))
            })
            .collect::<serde_json::Result<_>>()?;
        context.out.lines(rows, |row| {
            let mut lines = vec![format!(
                "attempt {}  {}  {}",
                row["attempt"],
                row["startedAt"].as_str().unwrap_or_default(),
                row["fault"].as_str().unwrap_or("")
            )];
            lines.extend(row["requests"].as_array().into_iter().flatten().map(|request| {
                format!(
                    "  {}  {}  {} records  {} bytes",
                    request["status"],
                    request["url"].as_str().unwrap_or_default(),
                    request["records"],
                    request["bytes"]
                )
            }));
            lines.join("\n")
        })
    }
}
