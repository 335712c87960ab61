//! One source: whether it is complete, and the proof of it; how it stands against its schedule; what it brought, what
//! was done to it, and what can be done.
use axum::{
    extract::{Path, Query as Asked, State},
    response::Response,
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::{Named, crumbs, ledger, strip, timeline, words};
use crate::{
    app::App,
    audit,
    auth::{Configure, Permit, ReadConfiguration, See, Session},
    error::Result,
    event_types,
    events::{chart, hours::Span},
    form::{sentence, shown},
    polling::{
        Entry, Health, Source, State as Going, Window,
        definition::{Authentication, Definition},
        fetch,
        store::{
            self, Undone,
            look::{self, Piece, Tiling},
        },
    },
    tenants,
    ui::{
        self, Alert, Card, CodeBlock, Columns, Coverage, Facts, Follow, Frame, Icon, LinkButton, Notice, PageHeader,
        PostButton, Row, Section, State as Mood, Tab, Tabs, Tone, Zone, format,
    },
};

/// How many of its changes are looked at for the timeline.
const CHANGES: i64 = 30;

/// What the page shows.
struct Seen {
    source: Source,
    event_type: String,
    undone: Undone,
    tiling: Tiling,
    /// Where the strip begins and ends.
    within: Window,
    span: Span,
    pieces: Vec<Piece>,
    query: ledger::Query,
    rows: Vec<Entry>,
    /// None: who looks is told how it stands, and not how it is set up.
    inside: Option<Inside>,
    may_configure: bool,
}

/// What only those are shown who read the configuration.
struct Inside {
    /// None: another version has written it.
    definition: Option<Definition>,
    runs: Vec<Entry>,
    history: Vec<audit::Entry>,
    /// Why the oldest window that is not done was not read.
    fault: Option<String>,
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<See>,
    Path(named): Path<Named>,
    Asked(query): Asked<ledger::Query>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let mut frame = tenants::frame(&app, &session, Some(tenant), Section::Sources, words::address(&source)).await?;
    frame.notice = query.done.as_deref().and_then(said).map(Notice::ok);
    let names = event_types::store::names(&app.db, tenant).await?;
    let event_type = names.into_iter().find(|(id, _)| *id == source.event_type);
    let span = Span::parse(query.range.as_deref());
    let now = app.clock.now();
    let within = Window::new(span.begins(frame.moment()), now);
    let inside = match session.permit::<ReadConfiguration>(tenant) {
        Ok(permit) => {
            let undone = look::Asked { undone: true, ..look::Asked::default() };
            let missing = look::page(&app.db, &permit, source.id, undone, ledger::SHOWN).await?;
            Some(Inside {
                definition: words::definition(&source).ok(),
                runs: look::page(&app.db, &permit, source.id, look::Asked::default(), ledger::SHOWN).await?,
                history: audit::store::of_object(&app.db, &permit, source.id, CHANGES).await?,
                fault: missing.into_iter().rev().find_map(|entry| entry.fault),
            })
        }
        Err(_) => None,
    };
    let seen = Seen {
        event_type: event_type.map_or_else(|| source.event_type.to_string(), |(_, name)| name.to_string()),
        undone: store::undone(&app.db, &permit, &source).await?,
        tiling: look::tiling(&app.db, &permit, &source).await?,
        within,
        span,
        pieces: look::pieces(&app.db, &permit, source.id, within).await?,
        rows: look::page(&app.db, &permit, source.id, query.asked(), ledger::SHOWN).await?,
        query,
        inside,
        may_configure: session.permit::<Configure>(tenant).is_ok(),
        source,
    };
    Ok(shown(page(&frame, &seen)))
}

/// What an act that led here has done.
fn said(done: &str) -> Option<&'static str> {
    Some(match done {
        "created" => "The source is created. Its first window is asked for within a second.",
        "saved" => "Saved. The next request is made by it.",
        "token" => "The token is replaced.",
        "paused" => "The source is paused. What is missed meanwhile is asked for when it is resumed.",
        "resumed" => "The source goes on. What was missed is asked for first.",
        "run" => "It is asked up to the present, within a second.",
        "backfilled" => "The range is asked for.",
        "checks-on" => "Closed windows are read again at random, to measure what had been missed.",
        "checks-off" => "No closed window is read again at random.",
        _ => return None,
    })
}

impl Seen {
    fn begun(&self) -> bool {
        self.tiling.windows > 0 && self.undone.complete_until > self.source.starts_at
    }

    fn missing(&self) -> i64 {
        self.undone.open + self.undone.running + self.undone.failed
    }

    /// Whether something is about to change by itself.
    fn is_moving(&self, now: DateTime<Utc>) -> bool {
        let source = &self.source;
        self.undone.running > 0
            || source.state == Going::Active && (self.undone.open > 0 || source.next_run_at <= now)
            || self
                .pieces
                .iter()
                .any(|piece| !piece.kind.tiles() && matches!(piece.state, crate::polling::ledger::State::Running))
    }
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let source = &seen.source;
    let here = words::address(source);
    let actions = seen.may_configure.then(|| {
        if source.state == Going::Active {
            view! {
                <PostButton action=format!("{here}/pause") tone=Tone::Quiet icon=Icon::Pause>"Pause"</PostButton>
                <LinkButton href=format!("{here}/backfill")>"Backfill…"</LinkButton>
                <LinkButton href=format!("{here}/edit")>"Edit"</LinkButton>
                <PostButton action=format!("{here}/run") tone=Tone::Primary icon=Icon::Play>"Run now"</PostButton>
            }
            .into_any()
        } else {
            view! {
                <LinkButton href=format!("{here}/edit")>"Edit"</LinkButton>
                <PostButton action=format!("{here}/resume") tone=Tone::Primary icon=Icon::Play>"Resume"</PostButton>
            }
            .into_any()
        }
    });
    let linked = seen.inside.is_some();
    let history = seen.inside.as_ref().map(|inside| timeline::card(frame, source, &inside.runs, &inside.history));
    let undone = words::count(seen.missing());
    let main = view! {
        <Follow id="standing" on=seen.is_moving(frame.now)>
            {warned(frame, seen)}
            {proof(frame.zone(), seen)}
            {coverage(frame.zone(), seen)}
            {ledger::card(frame, source, &seen.query, seen.rows.clone(), undone, linked)}
        </Follow>
        {volumes(frame, seen)}
        {history}
    };
    let aside = view! {
        {about(frame, seen)}
        {measured(seen)}
        {asks(frame.zone(), seen)}
        {commands(seen)}
        {more(seen)}
    };
    let badge = words::state(source, seen.begun());
    let body = view! {
        <PageHeader title=source.name.clone() badge=badge>{actions}</PageHeader>
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    ui::page(frame, &source.name, crumbs(frame, None), body.into_any())
}

/// Why it stands still or is late, and what to do.
fn warned(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let source = &seen.source;
    let here = words::address(source);
    let fault = seen.inside.as_ref().and_then(|inside| inside.fault.clone());
    let reason = source.reason.clone().filter(|_| seen.inside.is_some()).or_else(|| fault.clone());
    let reason = reason.map(|reason| view! { <p>{format!("{}.", sentence(reason.trim_end_matches('.')))}</p> });
    let mend = |href: String, label: &'static str| {
        seen.may_configure.then(|| view! { <p><LinkButton href=href>{label}</LinkButton></p> })
    };
    let since = ui::ago(frame.moment(), source.health_since);
    let (mood, title, then) = match (source.state, source.health) {
        (Going::Paused, _) => (
            Mood::Neutral,
            "It is paused",
            view! { <p>"Nothing is asked for. What is missed meanwhile is asked for when it is resumed."</p> }
                .into_any(),
        ),
        (Going::Refused, _) => (
            Mood::Error,
            "The other side refuses its token",
            mend(format!("{here}/token"), "Replace the token…").into_any(),
        ),
        (Going::Stopped, _) => (
            Mood::Error,
            "It was stopped: somebody has to mend something",
            mend(format!("{here}/edit"), "Edit").into_any(),
        ),
        (_, Health::Failing) => (
            Mood::Error,
            "It is failing",
            view! { <p>"More than two intervals late, since "{since}". It is tried again by itself."</p> }.into_any(),
        ),
        (_, Health::Late) => (
            Mood::Warning,
            "It is late",
            view! { <p>"More than one interval late, since "{since}". It is tried again by itself."</p> }.into_any(),
        ),
        _ => return None,
    };
    Some(view! { <Alert state=mood title=title>{reason}{then}</Alert> }.into_any())
}

/// The proof in one sentence, and what it stands on.
fn proof(zone: Zone, seen: &Seen) -> AnyView {
    let (source, undone, tiling) = (&seen.source, &seen.undone, &seen.tiling);
    let (from, until) = (words::moment(zone, source.starts_at), words::moment(zone, undone.complete_until));
    let figures = format!(
        "{} cover it, each beginning where the one before it ends. Of {}, {} were new, {} were recognised as known before, and {} went to quarantine.",
        words::counted(tiling.windows, "window"),
        words::counted(tiling.records, "record"),
        format::count(words::count(tiling.fresh)),
        format::count(words::count(tiling.duplicates)),
        format::count(words::count(tiling.quarantined)),
    );
    let (mood, title, text) = if tiling.breaks > 0 {
        let text =
            "This must never be, and is a fault of Tributary itself: please report it. Backfill the range meanwhile.";
        (Mood::Error, "The ledger has a gap or an overlap".to_owned(), text.to_owned())
    } else if tiling.windows == 0 {
        let text = format!("Its ledger begins at {from}. Each window is asked for until all of it is stored.");
        (Mood::Neutral, "Nothing was asked for yet".to_owned(), text)
    } else if seen.missing() == 0 {
        (Mood::Ok, format!("Complete from {from} to {until}: no gap, no double"), figures)
    } else {
        let parts = [(undone.open, "waiting"), (undone.running, "running"), (undone.failed, "failed")];
        let parts = parts.into_iter().filter(|(count, _)| *count > 0);
        let parts: Vec<_> =
            parts.map(|(count, word)| format!("{} {word}", format::count(words::count(count)))).collect();
        let missing = format!("{} still to be read: {}", words::counted(seen.missing(), "window"), parts.join(", "));
        let mood = if undone.failed > 0 || source.state != Going::Active { Mood::Warning } else { Mood::Neutral };
        if seen.begun() {
            (mood, format!("Complete from {from} to {until}"), format!("After that, {missing}."))
        } else {
            (mood, format!("Nothing is complete yet since {from}"), format!("{}.", sentence(&missing)))
        }
    };
    view! { <Alert state=mood title=title><p>{text}</p></Alert> }.into_any()
}

fn coverage(zone: Zone, seen: &Seen) -> AnyView {
    let source = &seen.source;
    let here = words::address(source);
    let address = |span: Span| if span == Span::Day { here.clone() } else { format!("{here}?range={}", span.word()) };
    let tabs: Vec<_> = Span::ALL.map(|span| Tab::new(span.title(), address(span))).into();
    let parts = strip::parts(source, &seen.pieces, seen.within, zone, seen.inside.is_some());
    let count = |cover| parts.iter().filter(|part| part.cover == cover).count() as u64;
    let summary = if parts.is_empty() {
        format!("No window of the last {} yet.", seen.span.title())
    } else {
        let words = ui::Cover::ALL
            .into_iter()
            .filter(|cover| count(*cover) > 0)
            .map(|cover| format!("{} {}", format::counted(count(cover), "part"), cover.word()));
        format!("The last {}: {}.", seen.span.title(), words.collect::<Vec<_>>().join(", "))
    };
    let opens = if seen.inside.is_some() { "Any part opens its evidence. " } else { "" };
    let lead = format!("{opens}Times are in {}.", zone.name());
    view! {
        <Card title="What is covered" lead=lead>
            <Tabs label="How far back" tabs=tabs current=address(seen.span)/>
            <Coverage parts=parts ticks=strip::ticks(seen.within, seen.span, zone) summary=summary/>
        </Card>
    }
    .into_any()
}

fn volumes(frame: &Frame, seen: &Seen) -> AnyView {
    if seen.tiling.records == 0 {
        return ().into_any();
    }
    chart::card(&strip::volumes(&seen.pieces), seen.span, frame.moment(), &words::address(&seen.source))
}

fn about(frame: &Frame, seen: &Seen) -> AnyView {
    let (source, now) = (&seen.source, frame.moment());
    let event_type = match &seen.inside {
        Some(_) => {
            ui::link(format!("/tenants/{}/event-types/{}", source.tenant, source.event_type), seen.event_type.clone())
        }
        None => ui::text(seen.event_type.clone()),
    };
    let next = match source.state {
        Going::Active => ui::at(now, source.next_run_at),
        _ => ui::muted("not before it is resumed"),
    };
    let mut items = vec![
        ("Becomes", event_type),
        ("Next run", next),
        ("Asked for until", ui::at(now, source.watermark)),
        ("Stored until", ui::at(now, seen.undone.complete_until)),
        ("Begins", ui::at(now, source.starts_at)),
    ];
    if let Some(definition) = seen.inside.as_ref().and_then(|inside| inside.definition.as_ref()) {
        items.insert(1, ("Schedule", ui::text(words::schedule(&definition.schedule))));
        items.push((
            "Settles in",
            ui::text(words::length(chrono::TimeDelta::seconds(definition.schedule.settle_seconds.into()))),
        ));
        items.push((
            "Looks back",
            ui::text(match definition.schedule.lookback_minutes {
                0 => "not at all".to_owned(),
                minutes => format!("{minutes} min"),
            }),
        ));
        items.push(("Host", ui::mono(source.host.clone())));
        let token = match (&definition.authentication, source.old_secret_until.filter(|until| *until > frame.now)) {
            (Authentication::None, _) => ui::muted("none is asked for"),
            (_, Some(until)) => view! { "sealed; the one before is tried until "{ui::ago(now, until)} }.into_any(),
            (_, None) if source.has_secret => ui::text("sealed"),
            (_, None) => ui::text("missing"),
        };
        items.push(("Token", token));
        let skew = source.skew.num_seconds();
        let skew = match skew {
            0 => "as ours".to_owned(),
            1.. => format!("{skew} s ahead of ours"),
            _ => format!("{} s behind ours", skew.unsigned_abs()),
        };
        items.push(("Its clock", ui::text(skew)));
    }
    items.push(("Created", ui::at(now, source.created_at)));
    items.push(("Id", ui::mono(source.id.to_string())));
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}

/// A share with as many digits as it needs.
fn percent(share: f64) -> String {
    if share == 0.0 { "0 %".into() } else { format!("{:.3} %", share * 100.0) }
}

/// What reading again has found, and how late records come; each with what it is measured by.
fn measured(seen: &Seen) -> AnyView {
    let (source, checked, late) = (&seen.source, seen.source.reconciliation, &seen.source.lateness);
    let loss = match checked.loss() {
        Some(loss) => ui::two_lines(
            ui::text(percent(loss)),
            ui::text(format!(
                "{} of {} in {} read again had been missed",
                format::count(words::count(checked.missed)),
                words::counted(checked.records, "record"),
                words::counted(checked.windows, "window"),
            )),
        ),
        None if checked.on => ui::muted("not measured yet: about six closed windows a day are read again"),
        None => ui::muted("not measured: closed windows are not read again"),
    };
    let mut items = vec![("Missed at first", loss)];
    let lateness = match (late.per_mille(500), late.per_mille(990)) {
        (Some(half), Some(most)) => ui::two_lines(
            ui::text(format!("half at most {}, 99 % at most {}", words::length(half), words::length(most))),
            ui::text(format!("of {}", words::counted(late.n(), "record"))),
        ),
        _ => ui::muted("not measured: it needs the records' own time"),
    };
    items.push(("Records are late", lateness));
    let looks_back = seen.inside.as_ref().and_then(|inside| inside.definition.as_ref());
    let looks_back = looks_back.map(|definition| i64::from(definition.schedule.lookback_minutes));
    let proposal = late.proposal().filter(|minutes| looks_back.is_some_and(|now| *minutes > now)).map(|minutes| {
        let words = format!("A lookback of {minutes} minutes would have found 999 of a thousand.");
        let change = seen.may_configure.then(|| {
            let href = format!("{}/edit?lookback={}", words::address(source), minutes.min(10_080));
            view! { <LinkButton href=href>"Look back so far…"</LinkButton> }
        });
        view! { <p>{words}</p>{change} }
    });
    let switch = seen.may_configure.then(|| {
        let (on, verb) = if checked.on { ("off", "Stop reading again") } else { ("on", "Read again at random") };
        let action = format!("{}/reconcile", words::address(source));
        view! { <Row><PostButton action=action tone=Tone::Quiet fields=vec![("checks", on.to_owned())]>{verb}</PostButton></Row> }
    });
    view! { <Card title="Was anything missed?"><Facts items=items/>{proposal}{switch}</Card> }.into_any()
}

/// The request of the window that comes next, as a command.
fn asks(zone: Zone, seen: &Seen) -> Option<AnyView> {
    let definition = seen.inside.as_ref()?.definition.as_ref()?;
    let window = Window::new(seen.source.watermark - seen.source.interval, seen.source.watermark);
    let curl = fetch::curl(definition, window).ok()?;
    let lead = format!("For {}. Your shell has to know the token.", window.told(zone));
    Some(view! { <Card title="Copy as curl" lead=lead><CodeBlock id="curl" label="curl" code=curl/></Card> }.into_any())
}

/// The same by the command line.
fn commands(seen: &Seen) -> Option<AnyView> {
    seen.inside.as_ref()?;
    let id = seen.source.id;
    let verbs: &[&str] = if seen.may_configure { &["show", "ledger", "run", "pause"] } else { &["show", "ledger"] };
    let mut lines: Vec<_> = verbs.iter().map(|verb| format!("tributary source {verb} --id {id}")).collect();
    lines.push(format!("tributary source export --id {id} > SOURCE.json"));
    let code = lines.join("\n");
    Some(
        view! { <Card title="On the command line"><CodeBlock id="commands" label="tributary" code=code/></Card> }
            .into_any(),
    )
}

/// What is done seldom.
fn more(seen: &Seen) -> Option<AnyView> {
    seen.inside.as_ref()?;
    let here = words::address(&seen.source);
    let file = format!("{here}/file");
    let configure = seen.may_configure.then(|| {
        let backfill = (seen.source.state != Going::Active).then(|| {
            view! { <LinkButton href=format!("{here}/backfill") tone=Tone::Quiet>"Backfill…"</LinkButton> }
        });
        view! {
            {backfill}
            <LinkButton href=format!("{here}/token") tone=Tone::Quiet icon=Icon::Roll>"Replace token…"</LinkButton>
            <LinkButton href=format!("{here}/remove") tone=Tone::Quiet icon=Icon::Trash>"Remove…"</LinkButton>
        }
    });
    Some(
        view! {
            <Card title="More">
                <Row>
                    <LinkButton href=file tone=Tone::Quiet icon=Icon::Download>"Export as a file"</LinkButton>
                    {configure}
                </Row>
            </Card>
        }
        .into_any(),
    )
}
