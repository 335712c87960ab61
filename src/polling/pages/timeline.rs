//! What happened to a source, newest first: runs, and what people changed, with who did it.
use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::words;
use crate::{
    audit,
    form::sentence,
    polling::{Entry, Source, ledger::Kind},
    ui::{self, Card, Column, DataTable, Differences, Frame, LinkButton, Tone, Zone, format},
};

/// How many entries are in sight.
const SHOWN: usize = 30;

/// Runs and changes in one table.
pub(super) fn card(frame: &Frame, source: &Source, runs: &[Entry], changes: &[audit::Entry]) -> AnyView {
    let runs = runs.iter().filter_map(|entry| Some((entry.done_at?, run(frame, source, entry))));
    let changes = changes.iter().map(|entry| (entry.at, change(entry, frame.zone())));
    let mut all: Vec<(DateTime<Utc>, [AnyView; 2])> = runs.chain(changes).collect();
    all.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let rows = all.into_iter().take(SHOWN).map(|(at, [what, who])| vec![what, who, ui::ago(frame.moment(), at)]);
    let columns = vec![Column::text("What"), Column::text("Who"), Column::text("When")];
    let trail = format!("/tenants/{}/audit?object={}", source.tenant, source.id);
    let action = view! { <LinkButton href=trail tone=Tone::Quiet>"In the audit trail"</LinkButton> }.into_any();
    view! {
        <Card title="Runs and changes" lead="What was read, and what somebody changed." action=action flush=true>
            <DataTable caption="Runs and changes" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

fn run(frame: &Frame, source: &Source, entry: &Entry) -> [AnyView; 2] {
    let read = format!("Read {}", entry.window().told(frame.zone()));
    let found = format!(
        "{}, {} new, {} known before{}",
        words::counted(entry.records, "record"),
        format::count(words::count(entry.fresh)),
        format::count(words::count(entry.duplicates)),
        words::quarantined(entry.quarantined),
    );
    let what = ui::two_lines(ui::link(words::of_window(source, entry.id), read), ui::text(found));
    let who = match entry.kind {
        Kind::Scheduled => "the schedule",
        Kind::Backfill => "a backfill",
        Kind::Reread => "somebody who wanted it read again",
        Kind::Check => "a check at random",
    };
    [what, ui::muted(who)]
}

fn change(entry: &audit::Entry, zone: Zone) -> [AnyView; 2] {
    let fields = entry.changes(zone);
    let new = entry.before.is_none();
    let what = view! { <div>{sentence(entry.words())}</div> <Differences fields=fields new=new/> };
    let who = if entry.actor == "cli" { "command line".to_owned() } else { entry.actor.clone() };
    [what.into_any(), ui::text(who)]
}
