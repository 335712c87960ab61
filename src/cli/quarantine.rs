//! `tributary quarantine`: what broke its contract, by cause and event by event, and replaying it.
use std::{io::Write, time::Duration};

use chrono::{DateTime, Utc};
use clap::{Args, FromArgMatches, Subcommand};
use serde::Serialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    Context, Refused, Usage,
    events::{moment, open, print, source},
    input,
};
use crate::{
    app::App,
    auth::{Permit, ReadPayloads},
    config::Settings,
    crypto::seal::Keyring,
    db::{Db, lane::Lane},
    event_types,
    events::{self, Cursor, Filter, Source, Verdict},
    failures::{
        self, Group, State,
        replay::{self, Asked},
        store::{States, Which},
    },
    http_client::{Allowed, Client},
    ids::{EventTypeId, FailureGroupId, ReceiptId, TaskId, TenantId},
    jobs::{self, Jobs, Task},
    mail::Mailer,
    metrics::Metrics,
    server, tokens,
};

/// Events of one page of the store.
const PAGE: usize = 100;
/// How many groups are listed.
const GROUPS: i64 = 10_000;
/// How often the progress of a replay is looked at.
const EVERY: Duration = Duration::from_millis(250);

/// See what broke its contract, and replay it
#[derive(Debug, Subcommand)]
pub(super) enum Quarantine {
    /// List the causes: which rule of which type is broken where, how often, and since when
    #[command(after_help = "\
Examples:
  tributary quarantine groups --tenant ID
  tributary quarantine groups --tenant ID --state resolved
  tributary --json quarantine groups --tenant ID | jq -c '[.failures, .rule, .path]'")]
    Groups {
        /// Whose
        #[arg(long, value_name = "ID")]
        tenant: TenantId,
        /// Of this type alone
        #[arg(long, value_name = "ID")]
        event_type: Option<EventTypeId>,
        /// In this state alone; without it, those that are open or acknowledged
        #[arg(long)]
        state: Option<State>,
        /// In any state
        #[arg(long, conflicts_with = "state")]
        all: bool,
    },
    /// List the events in quarantine, newest first; with --json each line holds the whole event
    #[command(after_help = "\
Examples:
  tributary quarantine list --tenant ID
  tributary quarantine list --tenant ID --group ID --limit 10
  tributary --json quarantine list --tenant ID --event-type ID | jq -c '[.id, .errors]'")]
    List {
        #[command(flatten)]
        these: These,
        /// How many at most
        #[arg(long, value_name = "N", default_value_t = 50)]
        limit: usize,
    },
    /// Replay events: each that keeps its contract by now is accepted, once
    ///
    /// It is a background task of the tenant. This command lends a hand until the task ends; when it is stopped, a
    /// running server goes on with it. It is safe to be run twice.
    #[command(after_help = "\
Examples:
  tributary quarantine replay --tenant ID --group ID
  tributary quarantine replay --tenant ID --event-type ID --from 2026-11-18T08:00 --until 2026-11-18T09:30
  tributary --json quarantine replay --tenant ID | jq .mended")]
    Replay {
        #[command(flatten)]
        these: These,
    },
}

/// Which events in quarantine.
#[derive(Debug, Args)]
pub(super) struct These {
    /// Whose
    #[arg(long, value_name = "ID")]
    tenant: TenantId,
    /// Of this type alone
    #[arg(long, value_name = "ID")]
    event_type: Option<EventTypeId>,
    /// Of this group of failures alone
    #[arg(long, value_name = "ID")]
    group: Option<FailureGroupId>,
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
}

impl These {
    fn filter(&self) -> Filter {
        Filter {
            event_type: self.event_type,
            source: self.source,
            verdict: Some(Verdict::Quarantined),
            from: self.from,
            until: self.until,
            receipt: self.receipt,
            group: self.group,
            warned: false,
            field: None,
        }
    }
}

impl Quarantine {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Groups { tenant, event_type, state, all } => {
                let states = match (state, all) {
                    (Some(state), _) => States::One(state),
                    (None, true) => States::All,
                    (None, false) => States::ToDo,
                };
                groups(context, tenant, Which { states, event_type, by_count: false }).await
            }
            Self::List { these, limit } => list(context, &these, limit).await,
            Self::Replay { these } => replay(context, &these).await,
        }
    }
}

/// A group as a line of JSON.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    #[serde(flatten)]
    group: Group,
    in_quarantine: i64,
}

async fn groups(context: &Context, tenant: TenantId, which: Which) -> anyhow::Result<()> {
    let (db, permit) = open(context, tenant).await?;
    let waiting = failures::store::waiting(&db, &permit).await?;
    let groups = failures::store::list(&db, &permit, which, GROUPS).await?;
    let lines: Vec<_> = groups
        .into_iter()
        .map(|group| Line { in_quarantine: waiting.get(&group.id).copied().unwrap_or(0), group })
        .collect();
    context.out.table(
        &lines,
        ["GROUP", "STATE", "EVER", "IN QUARANTINE", "RULE", "WHERE", "LAST SEEN"],
        |Line { group, in_quarantine }| {
            [
                group.id.to_string(),
                group.state.to_string(),
                group.failures.to_string(),
                in_quarantine.to_string(),
                harmless(&group.rule),
                harmless(if group.path.is_empty() { "the event" } else { &group.path }),
                group.last_at.format("%Y-%m-%d %H:%M:%S UTC").to_string(),
            ]
        },
        "there are no such groups",
    )
}

/// What a sender put there must not reach the terminal as a command.
fn harmless(text: &str) -> String {
    text.replace(char::is_control, "\u{fffd}")
}

async fn list(context: &Context, these: &These, limit: usize) -> anyhow::Result<()> {
    let (db, permit) = open(context, these.tenant).await?;
    if let Some(group) = these.group {
        failures::store::get(&db, &permit, group).await?;
    }
    let (mut cursor, mut left, mut none) = (Cursor::Newest, limit, true);
    while left > 0 {
        let page = page(context, &db, &permit, these, cursor, left.min(PAGE)).await?;
        left -= page.events.len().min(left);
        none &= page.events.is_empty();
        print(context, &page.events)?;
        let Some(older) = page.older else { break };
        cursor = Cursor::Before(older);
    }
    if none && limit > 0 && !context.out.is_json() {
        return context.out.record(&(), || "no such events are in quarantine".to_owned());
    }
    Ok(())
}

async fn page(
    context: &Context,
    db: &Db,
    permit: &Permit<ReadPayloads>,
    these: &These,
    cursor: Cursor,
    size: usize,
) -> anyhow::Result<events::store::Page> {
    let filter = these.filter();
    Ok(if context.out.is_json() {
        events::store::whole_page(db, permit, &filter, cursor, size).await?
    } else {
        events::store::page(db, permit, &filter, cursor, size).await?
    })
}

async fn replay(context: &Context, these: &These) -> anyhow::Result<()> {
    let (db, permit) = open(context, these.tenant).await?;
    let of = match (these.group, these.event_type) {
        (Some(group), _) => {
            let group = failures::store::get(&db, &permit, group).await?;
            format!("the rule {} at {}", group.rule, if group.path.is_empty() { "the event" } else { &group.path })
        }
        (None, Some(id)) => {
            event_types::get(&db, &context.actor.permit(these.tenant)?, id).await?.details.name.to_string()
        }
        (None, None) => "all types".to_owned(),
    };
    let token = match these.source {
        Some(Source::Token(id)) => {
            tokens::list(&db, &context.actor.permit(these.tenant)?).await?.into_iter().find(|token| token.id == id)
        }
        _ => None,
    };
    let of = failures::in_words(of, &these.filter(), token.map(|token| token.details.name.to_string()));
    let asked = Asked::new(&these.filter(), context.clock.now(), of);
    let app = app(context, db)?;
    let total = replay::count(&app, &permit, &asked).await?;
    if total == 0 {
        let none = json!({"task": null, "total": 0, "mended": 0, "failing": 0});
        return context.out.record(&none, || "no such events are in quarantine".to_owned());
    }
    let id = replay::start(&app, &context.actor.permit(these.tenant)?, asked, total).await?;
    let worker = tokio::spawn(jobs::worker::run(app.clone()));
    let ended = tokio::select! {
        ended = watch(context, &app, &permit, id) => ended,
        stopped = tokio::signal::ctrl_c() => {
            stopped?;
            Err(Refused(format!("stopped; the task {id} goes on in a running server")).into())
        }
    };
    app.stopping.cancel();
    worker.await?;
    let task = ended?;
    let (mended, failing) = (task.counter("mended"), task.counter("failing"));
    let said = json!({
        "task": id, "state": task.state, "total": task.total, "done": task.done, "mended": mended, "failing": failing,
    });
    context.out.record(&said, || format!("{mended} mended, {failing} still failing (task {id})"))?;
    if task.state == jobs::State::Done {
        return Ok(());
    }
    let why = task.error.unwrap_or_else(|| format!("the task was {}", task.state.word()));
    Err(Refused(why).into())
}

/// Waits until the task has ended, and says how far it is.
async fn watch(context: &Context, app: &App, permit: &Permit<ReadPayloads>, id: TaskId) -> anyhow::Result<Task> {
    let mut told = -1;
    loop {
        let task = jobs::get(&app.db, permit, id).await?;
        if task.done != told && !context.out.is_json() {
            told = task.done;
            // when nobody reads standard error, there is nobody to tell that
            let _ = writeln!(std::io::stderr(), "{} of {} replayed", task.done, task.total.unwrap_or(task.done));
        }
        if !task.state.is_open() {
            return Ok(task);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// What the steps of a task stand on; nothing listens.
fn app(context: &Context, db: Db) -> anyhow::Result<App> {
    let command = Settings::augment_args(clap::Command::new("serve").no_binary_name(true));
    let settings = command.try_get_matches_from(Vec::<String>::new());
    let settings = settings.and_then(|matches| Settings::from_arg_matches(&matches));
    let settings = settings.map_err(|error| Usage(error.to_string()))?;
    Ok(App {
        client: Client::new(Allowed::default(), context.clock.clone()),
        herald: crate::alerts::sender::Herald::default(),
        lane: Lane::start(&db, &context.clock),
        clock: context.clock.clone(),
        jobs: Jobs::new(server::KINDS),
        keys: Keyring::at(settings.key_file.as_deref(), db.file()),
        mail: Mailer::default(),
        metrics: Metrics::off().into(),
        settings: settings.into(),
        stopping: CancellationToken::new(),
        public_base: "".into(),
        db,
    })
}
