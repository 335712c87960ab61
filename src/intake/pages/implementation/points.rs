//! What an implementation is made of, as tables: open points, evidence, drafts, phases with their tasks.
use chrono::NaiveDate;
use leptos::prelude::*;
use uuid::Uuid;

use super::Site;
use crate::{
    intake::{
        hours,
        implementation::{Draft, Evidence, Kind, Outcome, Phase, Task},
    },
    ui::{self, Badge, Card, Column, DataTable, Icon, LinkButton, PostButton, Row, State as Mood, Tone},
};

/// The most open points that are told one by one.
const TOLD: usize = 8;

/// Whose turn it is: every point that can be taken up now.
pub(super) fn next(site: &Site) -> Option<AnyView> {
    let ready = site.whole.ready();
    if ready.is_empty() || site.room.of.stage != crate::intake::Stage::Implementation {
        return None;
    }
    let now = site.room.frame.moment();
    let columns =
        vec![Column::text("Next step"), Column::text("Whose turn"), Column::text("Due"), Column::actions("Act")];
    let left = ready.len().saturating_sub(TOLD);
    let rows = ready.iter().take(TOLD).map(|task| {
        let since = view! { "since "{ui::ago(now, site.whole.since(task))} }.into_any();
        vec![
            name(site, task),
            ui::two_lines(ui::text(task.details.side.title()), since),
            due(site, task),
            act(site, task),
        ]
    });
    let more = (left > 0).then(|| ui::hint(format!("{} more below.", ui::format::count(left as u64))));
    let table = view! { <DataTable caption="Whose turn it is" columns=columns rows=rows.collect()/> };
    Some(view! { <Card title="Whose turn it is" lead="What can be taken up now, what is due first before the others." flush=true>{table}{more}</Card> }.into_any())
}

fn name(site: &Site, task: &Task) -> AnyView {
    let title = task.details.title.as_str();
    if site.may_run { ui::link(format!("{}/tasks/{}", site.here(), task.id), title) } else { ui::strong(title) }
}

fn due(site: &Site, task: &Task) -> AnyView {
    let day = task.details.due_on.as_str();
    if day.is_empty() {
        return ui::muted("no date");
    }
    let today = site.room.frame.now.format("%Y-%m-%d").to_string();
    let late = (task.done_at.is_none() && *day < *today).then(|| view! { <Badge state=Mood::Error word="late"/> });
    let told =
        day.parse().map_or_else(|_| day.to_owned(), |day: NaiveDate| day.format("%-d\u{a0}%b\u{a0}%Y").to_string());
    view! { <Row>{told}{late}</Row> }.into_any()
}

/// What can be done about a task.
fn act(site: &Site, task: &Task) -> AnyView {
    if !site.may_run {
        return ().into_any();
    }
    let of = ui::unseen(format!(": {}", task.details.title));
    let draft = site.whole.drafts.iter().find(|one| Some(one.id) == task.draft_id);
    let post = |word: &str, verb: &'static str, tone, of: AnyView| {
        let fields = vec![("form", word.to_owned()), ("task", task.id.to_string())];
        view! { <PostButton action=site.here() tone=tone fields=fields>{verb}{of}</PostButton> }.into_any()
    };
    match (task.done_at, draft) {
        (Some(_), Some(_)) => ().into_any(),
        (Some(_), None) => post("undone", "Undo", Tone::Quiet, of),
        (None, Some(draft)) if draft.is_open() => {
            let href = format!("{}/drafts/{}", site.here(), draft.id);
            view! { <LinkButton href=href>"Open the draft"{of}</LinkButton> }.into_any()
        }
        (None, _) => post("done", "Done", Tone::Plain, of),
    }
}

/// One phase with its tasks.
pub(super) fn phase(site: &Site, phase: &Phase) -> AnyView {
    let tasks: Vec<_> = site.whole.tasks.iter().filter(|one| one.details.phase_id == phase.id).collect();
    let done = tasks.iter().filter(|one| one.done_at.is_some()).count();
    let spent = site.whole.spent_on(phase.id);
    let mut lead = format!("{done} of {} done", ui::format::counted(tasks.len() as u64, "task"));
    match (phase.quotation_id.is_some(), spent) {
        (true, spent) if spent > phase.minutes => {
            lead = format!("{lead} · {} spent of {} quoted: too much", hours(spent), hours(phase.minutes));
        }
        (true, spent) => lead = format!("{lead} · {} spent of {} quoted", hours(spent), hours(phase.minutes)),
        (false, 0) => {}
        (false, spent) => lead = format!("{lead} · {} spent", hours(spent)),
    }
    if tasks.is_empty() {
        let nothing = ui::muted("Nothing is to be done here.");
        return view! { <Card title=phase.title.as_str() lead=lead><p>{nothing}</p></Card> }.into_any();
    }
    let columns = vec![
        Column::text("Task"),
        Column::text("State"),
        Column::text("Who"),
        Column::text("Due").wide_only(),
        Column::actions("Act"),
    ];
    let rows = tasks.into_iter().map(|task| {
        let first = site.whole.before(task).next();
        let below = match (&task.done_by, first) {
            (Some(who), _) => ui::text(format!("by {who}")),
            (None, Some(first)) => ui::text(format!("after “{}”", first.details.title)),
            (None, None) => ui::text(task.details.note.lines().next().unwrap_or_default()),
        };
        let (state, act) = match (task.done_at, first) {
            (Some(_), _) => (view! { <Badge state=Mood::Ok word="done"/> }.into_any(), act(site, task)),
            (None, Some(_)) => (ui::muted("waits"), ().into_any()),
            (None, None) => (ui::progress_badge("open"), act(site, task)),
        };
        vec![ui::two_lines(name(site, task), below), state, site.whose(task), due(site, task), act]
    });
    let caption = format!("Tasks of {}", phase.title);
    view! {
        <Card title=phase.title.as_str() lead=lead flush=true>
            <DataTable caption=caption columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

/// What is to be configured.
pub(super) fn drafts(site: &Site) -> Option<AnyView> {
    if site.whole.drafts.is_empty() {
        return None;
    }
    let columns = vec![Column::text("Draft"), Column::text("State"), Column::text("For").wide_only()];
    let rows = site.whole.drafts.iter().map(|draft| {
        let href = format!("{}/drafts/{}", site.here(), draft.id);
        let of = match (draft.kind, draft.event_type_id) {
            (Kind::EventType, _) | (_, None) => ui::muted("–"),
            (_, Some(id)) => ui::text(site.type_name(id)),
        };
        let name = ui::two_lines(ui::link(href, draft.name.as_str()), ui::text(draft.kind.title()));
        vec![name, state(site, draft), of]
    });
    let lead = "Drafted from the intake. One act turns each into the real thing.";
    Some(
        view! {
            <Card title="To be configured" lead=lead flush=true>
                <DataTable caption="Drafts" columns=columns rows=rows.collect()/>
            </Card>
        }
        .into_any(),
    )
}

/// How a draft stands.
fn state(site: &Site, draft: &Draft) -> AnyView {
    match (draft.settled_at, made(site, draft)) {
        (None, _) => ui::progress_badge("draft"),
        (Some(_), Some(href)) => view! { <Badge state=Mood::Ok word="made" href=href/> }.into_any(),
        (Some(_), None) => view! { <Badge state=Mood::Neutral word="dropped"/> }.into_any(),
    }
}

/// Where what a draft became is.
pub(super) fn made(site: &Site, draft: &Draft) -> Option<String> {
    let (tenant, id) = (site.room.of.tenant_id, draft.made_id?);
    let place = match draft.kind {
        Kind::EventType => "event-types",
        Kind::Token => "tokens",
        Kind::Source => "sources",
    };
    Some(format!("/tenants/{tenant}/{place}/{id}"))
}

/// What has to be seen, line by line.
pub(super) fn evidence(site: &Site, outcomes: &[(Uuid, Outcome)]) -> AnyView {
    let columns =
        vec![Column::text("Evidence"), Column::text("Seen"), Column::text("Of").wide_only(), Column::actions("Act")];
    let mut rows = Vec::new();
    for phase in &site.whole.phases {
        let named: Vec<_> = site.whole.evidence.iter().filter(|one| one.phase_id == phase.id).collect();
        if named.is_empty() && phase.quotation_id.is_some() {
            rows.push(unnamed(site, phase));
        }
        rows.extend(named.into_iter().map(|one| named_row(site, phase, one, outcomes)));
    }
    let add = site.may_run.then(|| {
        let href = format!("{}/evidence/new", site.here());
        view! { <LinkButton href=href tone=Tone::Quiet icon=Icon::Plus>"Name evidence"</LinkButton> }.into_any()
    });
    let lead = "What has to be seen in live data before it goes live.";
    let table = view! { <DataTable caption="Acceptance evidence" columns=columns rows=rows/> };
    match add {
        Some(add) => {
            view! { <Card title="Acceptance evidence" lead=lead action=add flush=true>{table}</Card> }.into_any()
        }
        None => view! { <Card title="Acceptance evidence" lead=lead flush=true>{table}</Card> }.into_any(),
    }
}

fn waive(site: &Site, point: Uuid, of: &str, label: &'static str) -> AnyView {
    if !site.may_waive {
        return ().into_any();
    }
    let href = format!("{}/waive/{point}", site.here());
    let of = ui::unseen(format!(": {of}"));
    view! { <LinkButton href=href tone=Tone::Quiet>{label}{of}</LinkButton> }.into_any()
}

fn waived(why: Option<&String>, who: Option<&String>) -> AnyView {
    let badge = view! { <Badge state=Mood::Warning word="waived"/> }.into_any();
    let text = format!("{}: {}", who.map_or("", String::as_str), why.map_or("", String::as_str));
    ui::two_lines(badge, ui::text(text))
}

fn unnamed(site: &Site, phase: &Phase) -> Vec<AnyView> {
    let (state, act) = if phase.waived.is_set() {
        let back = waive(site, phase.id, &phase.title, "Take back…");
        (waived(phase.waived.waived_why.as_ref(), phase.waived.waived_by.as_ref()), back)
    } else {
        (
            view! { <Badge state=Mood::Warning word="not named"/> }.into_any(),
            waive(site, phase.id, &phase.title, "Waive…"),
        )
    };
    let name = ui::two_lines(ui::muted("No evidence named"), ui::text(phase.title.as_str()));
    vec![name, state, ui::muted("–"), act]
}

fn named_row(site: &Site, phase: &Phase, one: &Evidence, outcomes: &[(Uuid, Outcome)]) -> Vec<AnyView> {
    let now = site.room.frame.moment();
    let told = one.rule.told();
    let name = if site.may_run {
        ui::link(format!("{}/evidence/{}", site.here(), one.id), told.as_str())
    } else {
        ui::strong(told.as_str())
    };
    let outcome = outcomes.iter().find(|(id, _)| *id == one.id).map(|(_, outcome)| outcome);
    let (state, act) = match outcome {
        _ if one.waived.is_set() => {
            let back = waive(site, one.id, &told, "Take back…");
            (waived(one.waived.waived_why.as_ref(), one.waived.waived_by.as_ref()), back)
        }
        None => (ui::muted("not measured"), ().into_any()),
        Some(outcome) => {
            let badge = if outcome.met {
                view! { <Badge state=Mood::Ok word="seen"/> }.into_any()
            } else {
                ui::progress_badge("not yet")
            };
            let below = view! { {outcome.told.clone()}", measured "{ui::ago(now, outcome.at)} }.into_any();
            let act = if outcome.met { ().into_any() } else { waive(site, one.id, &told, "Waive…") };
            (ui::two_lines(badge, below), act)
        }
    };
    vec![ui::two_lines(name, ui::text(phase.title.as_str())), state, ui::text(site.type_name(one.event_type_id)), act]
}
