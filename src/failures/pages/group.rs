//! One group: what is wrong, what would mend it, and the evidence.
use axum::{
    Form,
    extract::{Path, Query, State as Extract},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Duration, TimeDelta, Utc};
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        Cause, ELSEWHERE, Group, State,
        advice::advice,
        general, href,
        store::{self, Hour},
    },
    is_settled, state,
    words::{place, title, to_the_sender},
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    event_types::{
        self, EventType,
        relax::{self, Relaxed, relax},
        versions,
    },
    events::{self, Event, Filter, Verdict},
    form::{self, Typed, shown},
    ids::{FailureGroupId, TenantId},
    tenants,
    ui::{
        self, Alert, Badge, Card, CodeBlock, Columns, Crumb, Facts, Frame, Icon, Json, LinkButton, Mark, Near,
        PageHeader, PostButton, Prose, Row, Section, State as Mood, Tone, TrendFigure,
    },
};

/// How many samples the page shows, and the longest of them.
const SAMPLES: usize = 3;
const LONGEST: usize = 16 << 10;
/// How many characters of a value are told the sender.
const EXAMPLE: usize = 120;
/// How far the events in quarantine are counted: further takes long, and tells nobody more.
const COUNTED: i64 = 100_000;
/// How many days the trend goes back.
const DAYS: i64 = 14;

/// The group that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    group: String,
}

impl Named {
    fn id(&self) -> Result<FailureGroupId> {
        self.group.parse().map_err(|_| Error::NotFound("group of failures"))
    }
}

/// What an act says on the page it leads to.
#[derive(Debug, Deserialize)]
pub(super) struct After {
    /// Set when the state was changed: what it was.
    was: Option<String>,
}

/// What can be done by way of the contract.
struct Way {
    relaxed: Relaxed,
    /// The row of the field in the table of the contract.
    row: Option<usize>,
    /// Whether there is a draft, which is what is looked at then.
    is_draft: bool,
}

impl Way {
    /// None where the contract has no say.
    async fn find(
        app: &App,
        permit: &Permit<ReadConfiguration>,
        group: &Group,
        event_type: &EventType,
        samples: &[Event],
    ) -> Result<Option<Self>> {
        if advice(&group.rule).contract.is_none() {
            return Ok(None);
        }
        let draft = versions::draft(&app.db, permit, event_type.id).await?.map(|draft| draft.contract);
        let is_draft = draft.is_some();
        let contract = draft.unwrap_or_else(|| event_type.details.contract.clone());
        let payloads: Vec<Value> =
            samples.iter().filter_map(|event| serde_json::from_str(&event.payload).ok()).collect();
        let (rule, path) = (group.rule.clone(), group.path.clone());
        // long contracts take a while to read
        let found = tokio::task::spawn_blocking(move || {
            let relaxed = match path.as_str() {
                // many places are not mended by one change
                ELSEWHERE => Relaxed::No,
                _ => relax(&contract, &rule, &payloads, |place| general(place) == path),
            };
            Self { relaxed, row: relax::row_of(&contract, &path), is_draft }
        });
        Ok(Some(found.await.map_err(Error::internal)?))
    }
}

/// What the page shows.
struct Seen {
    tenant: TenantId,
    group: Group,
    /// How many of its events are in quarantine, counted as far as [`COUNTED`] and one more.
    waiting: u64,
    /// None: there is no such type any more.
    event_type: Option<EventType>,
    samples: Vec<Event>,
    /// What the contract, or the draft of the next one, can do about them.
    way: Option<Way>,
    hours: Vec<Hour>,
    was: Option<State>,
    may_configure: bool,
}

impl Seen {
    /// How many are in quarantine, in figures.
    fn told(&self) -> String {
        match self.waiting {
            n if n > COUNTED.unsigned_abs() => format!("more than {}", ui::format::count(COUNTED.unsigned_abs())),
            n => ui::format::count(n),
        }
    }
}

/// Shows the group.
pub(super) async fn show(
    Extract(app): Extract<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    Path(named): Path<Named>,
    Query(after): Query<After>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let group = store::get(&app.db, &permit, named.id()?).await?;
    let mut samples = Vec::new();
    for id in &group.samples {
        samples.extend(events::store::one(&app.db, &permit, *id).await?);
    }
    let read = session.permit::<ReadConfiguration>(tenant)?;
    let event_type = match event_types::get(&app.db, &read, group.event_type_id).await {
        Err(Error::NotFound(_)) => None,
        other => Some(other?),
    };
    let way = match &event_type {
        Some(found) => Way::find(&app, &read, &group, found, &samples).await?,
        None => None,
    };
    let since = app.clock.now() - TimeDelta::days(DAYS);
    let path = href(tenant, group.id);
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Quarantine, path).await?;
    let seen = Seen {
        tenant,
        waiting: u64::try_from(store::count(&app.db, &permit, group.id, &Filter::default(), COUNTED + 1).await?)
            .unwrap_or(0),
        event_type,
        way,
        samples,
        hours: store::hours_of(&app.db, &permit, group.id, since).await?,
        was: after.was.and_then(|was| was.parse().ok()).filter(|was| *was != group.state),
        may_configure: session.permit::<Configure>(tenant).is_ok(),
        group,
    };
    Ok(shown(draw(&frame, &seen)))
}

/// Changes its state.
pub(super) async fn change(
    Extract(app): Extract<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let id = named.id()?;
    let before = store::get(&app.db, &session.permit::<ReadPayloads>(tenant)?, id).await?.state;
    let state: State = typed.text("state").parse().map_err(Error::Refused)?;
    store::set_state(&app.db, &app.clock, &permit, id, state).await?;
    // what was undone is not offered to be done again
    let was = if typed.ticked("undo") { String::new() } else { format!("?was={before}") };
    Ok(Redirect::to(&format!("{}{was}", href(tenant, id))).into_response())
}

/// Drafts the one change of the contract that would mend it, and shows what that would do.
pub(super) async fn relax_by_draft(
    Extract(app): Extract<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let (read, payloads) = (session.permit::<ReadConfiguration>(tenant)?, session.permit::<ReadPayloads>(tenant)?);
    let group = store::get(&app.db, &payloads, named.id()?).await?;
    let event_type = event_types::get(&app.db, &read, group.event_type_id).await?;
    let mut samples = Vec::new();
    for id in &group.samples {
        samples.extend(events::store::one(&app.db, &payloads, *id).await?);
    }
    let review = format!("/tenants/{tenant}/event-types/{}/contract/review", event_type.id);
    match Way::find(&app, &read, &group, &event_type, &samples).await?.map(|way| (way.relaxed, way.is_draft)) {
        Some((Relaxed::By(change), _)) => {
            versions::save_draft(&app.db, &app.clock, &permit, event_type.id, change.contract).await?;
            Ok(Redirect::to(&review).into_response())
        }
        // somebody was faster, or clicked twice
        Some((Relaxed::Already, true)) => Ok(Redirect::to(&review).into_response()),
        _ => Ok(Redirect::to(&href(tenant, group.id)).into_response()),
    }
}

fn draw(frame: &Frame, seen: &Seen) -> String {
    let group = &seen.group;
    let name = title(group);
    let main = view! {
        {cause(frame, seen)}
        {fix(frame, seen)}
        {evidence(frame, seen)}
    };
    let aside = view! { {facts(frame, seen)} {trend(frame, seen)} {commands(seen)} };
    let body = view! {
        <PageHeader title=name.clone() badge=state(group)>{actions(seen)}</PageHeader>
        {undo(seen)}
        {settled(seen)}
        {came_back(frame, group)}
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    let crumbs = vec![Crumb::new("Quarantine", format!("/tenants/{}/quarantine", seen.tenant))];
    ui::page(frame, &name, crumbs, body.into_any())
}

/// What can be done with the group.
fn actions(seen: &Seen) -> Option<AnyView> {
    if !seen.may_configure {
        return None;
    }
    let to = |state: State, verb: &'static str| {
        let fields = vec![("state", state.word().to_owned())];
        view! { <PostButton action=href(seen.tenant, seen.group.id) fields=fields>{verb}</PostButton> }.into_any()
    };
    let buttons = match seen.group.state {
        State::Open => {
            vec![to(State::Acknowledged, "Acknowledge"), to(State::Ignored, "Ignore"), to(State::Resolved, "Resolve")]
        }
        State::Acknowledged => {
            vec![to(State::Open, "Reopen"), to(State::Ignored, "Ignore"), to(State::Resolved, "Resolve")]
        }
        State::Resolved | State::Ignored => vec![to(State::Open, "Reopen")],
    };
    let replay = (seen.waiting > 0).then(|| {
        let href = format!("/tenants/{}/quarantine/replay?group={}", seen.tenant, seen.group.id);
        let label = format!("Replay {}…", seen.told());
        view! { <LinkButton href=href tone=Tone::Primary>{label}</LinkButton> }
    });
    Some(view! { {buttons} {replay} }.into_any())
}

/// What was just done, and the way back.
fn undo(seen: &Seen) -> Option<AnyView> {
    let was = seen.was?;
    let said = match seen.group.state {
        State::Open => "The group is open again.",
        State::Acknowledged => "Acknowledged: the others see that somebody is at it.",
        State::Resolved => "Resolved. An event that fails the same way from now on opens it again.",
        State::Ignored => "Ignored: it is still counted, and stays out of the list.",
    };
    let fields = vec![("state", was.word().to_owned()), ("undo", "yes".to_owned())];
    let back = seen.may_configure.then(|| {
        view! { <p><PostButton action=href(seen.tenant, seen.group.id) fields=fields>"Undo"</PostButton></p> }
    });
    Some(view! { <Alert state=Mood::Ok title=said announce=true>{back}</Alert> }.into_any())
}

/// None of it is in quarantine any more: what is left is to say so.
fn settled(seen: &Seen) -> Option<AnyView> {
    if !is_settled(&seen.group, seen.waiting) || !seen.may_configure || seen.was.is_some() {
        return None;
    }
    let fields = vec![("state", State::Resolved.word().to_owned())];
    let resolve = view! {
        <PostButton action=href(seen.tenant, seen.group.id) tone=Tone::Primary icon=Icon::Check fields=fields>
            "Resolve the group"
        </PostButton>
    };
    Some(
        view! {
            <Alert state=Mood::Neutral title="None of its events is in quarantine any more">
                <p>"Resolve it, and it leaves the list; an event that fails the same way opens it again."</p>
                <Row>{resolve}</Row>
            </Alert>
        }
        .into_any(),
    )
}

fn came_back(frame: &Frame, group: &Group) -> Option<AnyView> {
    let (resolved, back) = (group.resolved_at?, group.reopened_at?);
    let now = frame.moment();
    let said = format!("It came back after it was resolved on {}", now.in_full(resolved));
    let first = format!("The first event to fail again was received on {}.", now.in_full(back));
    Some(view! { <Alert state=Mood::Error title=said><p>{first}</p></Alert> }.into_any())
}

fn type_name(seen: &Seen) -> String {
    match &seen.event_type {
        Some(found) => found.details.name.to_string(),
        None => seen.group.event_type_id.to_string(),
    }
}

fn cause(frame: &Frame, seen: &Seen) -> AnyView {
    let group = &seen.group;
    let count = u64::try_from(group.failures).unwrap_or(0);
    let what = match group.path.as_str() {
        ELSEWHERE => "broke this rule at places too many to be told apart".to_owned(),
        _ if count == 1 => format!("was told “{}”", group.message),
        _ => format!("were told “{}”", group.message),
    };
    let (first, last) = (group.first_at, group.last_at);
    let [first, last] = [first, last].map(|at| ui::format::relative(frame.now, at));
    let (of_type, events) = (type_name(seen), ui::format::counted(count, "event"));
    let when = if count == 1 {
        format!("It came {last}.")
    } else if first == last {
        format!("They came {last}.")
    } else {
        format!("The first came {first}, the last {last}.")
    };
    let sentence = format!("{events} of the type {of_type} {what}. {when}");
    let waits = match seen.waiting {
        0 if count == 1 => "It is not in quarantine any more.".to_owned(),
        1 if count == 1 => "It is in quarantine.".to_owned(),
        0 => "None of them is in quarantine any more.".to_owned(),
        n if n == count => "All of them are in quarantine.".to_owned(),
        n if n > COUNTED.unsigned_abs() => format!("{} are in quarantine.", form::sentence(&seen.told())),
        n => format!("{} still in quarantine; the others were mended, or their time is over.", be(n)),
    };
    view! {
        <Card title="What is wrong">
            <Prose>
                <p>{sentence}</p>
                <p>"The rule is "{ui::mono(group.rule.clone())}", the place is "{ui::mono(place(&group.path))}". "{waits}</p>
            </Prose>
        </Card>
    }
    .into_any()
}

fn be(n: u64) -> String {
    if n == 1 { "One is".to_owned() } else { format!("{} are", ui::format::count(n)) }
}

/// The ways out: the contract, the sender, and the events that are there.
fn fix(frame: &Frame, seen: &Seen) -> AnyView {
    let group = &seen.group;
    let advice = advice(&group.rule);
    let contract = advice.contract.map(|contract| relaxing(seen, contract));
    let example = example(seen);
    let message = to_the_sender(group, &type_name(seen), example.as_deref(), frame.moment());
    let words = format!("When the events are wrong: let the sender {}.", advice.sender);
    view! {
        <Card title="What mends it">
            {contract}
            <Near title="Mend the sender">
                <p>{words}</p>
                <CodeBlock id="to-the-sender" label="To its operator" code=message/>
            </Near>
        </Card>
    }
    .into_any()
}

/// What the contract can do: by one click where one change is enough, else where it is changed.
fn relaxing(seen: &Seen, contract: &'static str) -> AnyView {
    let Some(found) = &seen.event_type else {
        return view! { <Near title="Relax the contract"><p>"There is no contract: the type is gone."</p></Near> }
            .into_any();
    };
    let here = format!("/tenants/{}/event-types/{}/contract", seen.tenant, found.id);
    let way = seen.way.as_ref();
    let row = way.and_then(|way| way.row).map(|n| format!("#{}", ui::field_id(n, "name"))).unwrap_or_default();
    let edit =
        |label: &'static str, tone| view! { <LinkButton href=format!("{here}{row}") tone=tone>{label}</LinkButton> };
    let drafted = way.is_some_and(|way| way.is_draft);
    let place = place(&seen.group.path).to_owned();
    match way.map(|way| &way.relaxed) {
        Some(Relaxed::By(change)) => {
            let on = if drafted { "the draft that waits" } else { "the active contract" };
            let words = format!(
                " {}. This one change is written into {on}; you then see what it would make of the newest events, and decide.",
                change.words
            );
            let draft = seen.may_configure.then(|| {
                let action = format!("{}/relax", href(seen.tenant, seen.group.id));
                view! { <PostButton action=action icon=Icon::Contract>"Draft this change"</PostButton> }
            });
            view! {
                <Near title="Relax the contract">
                    <p>"When such events are right after all: "{ui::mono(place)}{words}</p>
                    <Row>{draft}{edit("Change the contract", Tone::Quiet)}</Row>
                </Near>
            }
            .into_any()
        }
        Some(Relaxed::Already) if drafted => view! {
            <Near title="Relax the contract">
                <p>"A draft of the contract takes such events. Activate it, then replay those in quarantine."</p>
                <Row><LinkButton href=format!("{here}/review")>"Review the draft"</LinkButton></Row>
            </Near>
        }
        .into_any(),
        Some(Relaxed::Already) => view! {
            <Near title="Relax the contract">
                <p>{if seen.waiting > 0 { "The active contract takes such events by now: replay those in quarantine." } else { "The active contract takes such events by now." }}</p>
            </Near>
        }
        .into_any(),
        Some(Relaxed::No) | None => {
            let words = format!(
                "When such events are right after all: {contract}. No single change is sure to do it, so it is yours to write."
            );
            view! {
                <Near title="Relax the contract">
                    <p>{words}</p>
                    <Row>{edit("Change the contract", Tone::Plain)}</Row>
                </Near>
            }
            .into_any()
        }
    }
}

/// What stands at the place in the newest sample.
fn example(seen: &Seen) -> Option<String> {
    let newest = seen.samples.first()?;
    let breach = newest.breaches().into_iter().find(|breach| is_of(seen, breach))?;
    let value: Value = serde_json::from_str(&newest.payload).ok()?;
    let text = value.pointer(&breach.path)?.to_string();
    let start: String = text.chars().take(EXAMPLE).collect();
    Some(if start.len() < text.len() { format!("{start}…") } else { start })
}

fn is_of(seen: &Seen, breach: &event_types::Breach) -> bool {
    let cause = Cause::of(seen.group.event_type_id, breach);
    cause.group() == seen.group.id || cause.elsewhere().group() == seen.group.id
}

fn evidence(frame: &Frame, seen: &Seen) -> AnyView {
    if seen.samples.is_empty() {
        let gone = "The events of this group are no longer kept.";
        return view! { <Card title="Evidence"><p>{ui::muted(gone)}</p></Card> }.into_any();
    }
    let all = (seen.waiting > 0).then(|| {
        let href = format!("/tenants/{}/quarantine/events?group={}", seen.tenant, seen.group.id);
        let label = match seen.waiting {
            1 => "The one in quarantine".to_owned(),
            _ => format!("All {} in quarantine", seen.told()),
        };
        view! { <LinkButton href=href tone=Tone::Quiet>{label}</LinkButton> }.into_any()
    });
    let samples = seen.samples.iter().take(SAMPLES).map(|event| sample(frame, seen, event)).collect::<Vec<_>>();
    let lead = "The newest events, the value marked that is wrong.";
    match all {
        Some(all) => view! { <Card title="Evidence" lead=lead action=all>{samples}</Card> }.into_any(),
        None => view! { <Card title="Evidence" lead=lead>{samples}</Card> }.into_any(),
    }
}

fn sample(frame: &Frame, seen: &Seen, event: &Event) -> AnyView {
    let page = format!("/tenants/{}/events/{}", seen.tenant, event.id);
    let received = frame.moment().in_full(event.id.received_at());
    let mend = (event.verdict == Verdict::Quarantined && seen.may_configure).then(|| {
        let of = format!(" the event of {received}");
        view! { <LinkButton href=format!("{page}/mend")>"Mend…"{ui::unseen(of)}</LinkButton> }
    });
    let mended = (event.verdict == Verdict::Mended).then(|| view! { <Badge state=Mood::Neutral word="mended"/> });
    let shown = if event.payload.len() <= LONGEST {
        let marks = event.breaches().into_iter().filter(|breach| is_of(seen, breach));
        let marks = marks.map(|breach| Mark::new(breach.path, breach.message)).collect();
        let label = format!("Payload of {received}");
        view! { <Json label=label text=event.payload.clone() marks=marks/> }.into_any()
    } else {
        let long = format!("Its payload has {}: see its own page.", ui::format::bytes(event.payload.len() as u64));
        view! { <p>{ui::muted(long)}</p> }.into_any()
    };
    view! {
        <Near>
            <Row>{ui::link(page, received)}{mended}{mend}</Row>
            {shown}
        </Near>
    }
    .into_any()
}

fn facts(frame: &Frame, seen: &Seen) -> AnyView {
    let group = &seen.group;
    let now = frame.moment();
    let of_type = match &seen.event_type {
        Some(found) => ui::link(format!("/tenants/{}/event-types/{}", seen.tenant, found.id), type_name(seen)),
        None => ui::mono(group.event_type_id.to_string()),
    };
    let mut items = vec![
        ("Type", of_type),
        ("Rule", ui::mono(group.rule.clone())),
        ("Place", ui::mono(place(&group.path))),
        ("Events ever", ui::number(u64::try_from(group.failures).unwrap_or(0))),
        ("In quarantine", ui::text(seen.told())),
        ("First seen", ui::at(now, group.first_at)),
        ("Last seen", ui::at(now, group.last_at)),
    ];
    if let (Some(by), Some(at)) = (&group.changed_by, group.changed_at) {
        items.push(("State set by", view! { {by.clone()}", "{ui::ago(now, at)} }.into_any()));
    }
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}

fn trend(frame: &Frame, seen: &Seen) -> AnyView {
    let values = by_day(&seen.hours, frame.now);
    let total: u64 = values.iter().map(|(_, value)| value).sum();
    let today = values.last().map_or(0, |(_, value)| *value);
    let (total, today) = (ui::format::counted(total, "event"), ui::format::count(today));
    let summary = format!("{total} in {DAYS} days, {today} today (UTC).");
    view! {
        <Card title="Trend"><TrendFigure values=values span="Day" counts="Events" summary=summary/></Card>
    }
    .into_any()
}

/// How many events each of the last days had, in UTC.
fn by_day(hours: &[Hour], now: DateTime<Utc>) -> Vec<(String, u64)> {
    let today = now.date_naive();
    let days = (0..DAYS).rev().map(|back| today - Duration::days(back));
    days.map(|day| {
        let of_day = hours.iter().filter(|(_, hour, _)| hour.date_naive() == day);
        let sum: i64 = of_day.map(|(.., failures)| failures).sum();
        (day.format("%-d %b").to_string(), u64::try_from(sum).unwrap_or(0))
    })
    .collect()
}

fn commands(seen: &Seen) -> AnyView {
    let list = format!("tributary quarantine list --tenant {} --group {}", seen.tenant, seen.group.id);
    view! { <Card title="By command"><CodeBlock id="cli" label="List its events" code=list/></Card> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_end_with_today() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let group = FailureGroupId(uuid::Uuid::from_u128(1));
        let hours = [(group, now, 2), (group, now - TimeDelta::hours(26), 5), (group, now - TimeDelta::days(20), 9)];
        let days = by_day(&hours, now);
        assert_eq!(days.len(), 14);
        assert_eq!(days[13], ("15 Jan".to_owned(), 2));
        assert_eq!(days.iter().map(|(_, n)| n).sum::<u64>(), 7);
    }
}
