//! One window: what became of it, and the evidence. Each taking of it with each request, exactly as it was made.
use std::collections::HashMap;

use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::{Named, crumbs, words};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    events::{Cursor, Filter},
    form::{Done, amiss, sentence, shown},
    ids::ReceiptId,
    polling::{
        Attempt, Entry, Source, Window,
        evidence::Request,
        ledger::State as Standing,
        store::{self, change, look},
    },
    tenants,
    ui::{
        self, Alert, Card, CodeBlock, Column, Columns, DataTable, Empty, Facts, Follow, Frame, Icon, Notice,
        PageHeader, PostButton, Section, Seldom, State as Mood, format,
    },
};

/// How much of a digest a row shows, in characters.
const OF_DIGEST: usize = 12;

/// What the page shows.
struct Seen {
    source: Source,
    entry: Entry,
    attempts: Vec<Attempt>,
    /// By attempt and request: what became of the records.
    receipts: HashMap<(i64, i64), Vec<ReceiptId>>,
    may_configure: bool,
    may_read_payloads: bool,
    /// Why it is not read again.
    refused: Option<String>,
}

async fn load(app: &App, session: &Session, permit: &Permit<ReadConfiguration>, named: &Named) -> Result<Seen> {
    let source = store::get(&app.db, permit, named.id()?).await?;
    let entry = store::window(&app.db, permit, source.id, named.window()?).await?;
    let attempts = store::attempts(&app.db, permit, entry.id).await?;
    let first = attempts.iter().map(|attempt| attempt.started_at).min();
    let last = attempts.iter().filter_map(|attempt| attempt.ended_at).max().max(entry.done_at);
    let mut receipts: HashMap<_, Vec<_>> = HashMap::new();
    if let Some(first) = first {
        let span = Window::new(first, last.unwrap_or_else(|| app.clock.now()));
        for one in look::receipts(&app.db, permit, entry.id, span).await? {
            receipts.entry((one.attempt, one.request)).or_default().push(one.receipt_id);
        }
    }
    Ok(Seen {
        receipts,
        attempts,
        entry,
        source,
        may_configure: session.permit::<Configure>(permit.tenant()).is_ok(),
        may_read_payloads: session.permit::<ReadPayloads>(permit.tenant()).is_ok(),
        refused: None,
    })
}

async fn frame(app: &App, session: &Session, seen: &Seen) -> Result<Frame> {
    let path = words::of_window(&seen.source, seen.entry.id);
    tenants::frame(app, session, Some(seen.source.tenant), Section::Sources, path).await
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let seen = load(&app, &session, &permit, &named).await?;
    let mut frame = frame(&app, &session, &seen).await?;
    if done.done.as_deref() == Some("again") {
        frame.notice =
            Some(Notice::ok("It is read once more. What had been missed is stored; what is known is recognised."));
    }
    Ok(shown(page(&frame, &seen)))
}

/// Has it read once more.
pub(super) async fn read_again(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let mut seen = load(&app, &session, &read, &named).await?;
    let window = seen.entry.window();
    match change::backfill(&app.db, &app.clock, &permit, seen.source.id, window, window.length()).await {
        Ok(_) => {
            let to = format!("{}?done=again", words::of_window(&seen.source, seen.entry.id));
            Ok(Redirect::to(&to).into_response())
        }
        Err(Error::Conflict(why)) => {
            seen.refused = Some(why);
            Ok(amiss(page(&frame(&app, &session, &seen).await?, &seen)))
        }
        Err(Error::Invalid(fields)) => {
            seen.refused = fields.into_iter().next().map(|(_, why)| why.clone());
            Ok(amiss(page(&frame(&app, &session, &seen).await?, &seen)))
        }
        Err(error) => Err(error),
    }
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let (source, entry) = (&seen.source, &seen.entry);
    let title = entry.window().told(frame.zone());
    let again = (seen.may_configure && entry.state == Standing::Done).then(|| {
        let action = format!("{}/read-again", words::of_window(source, entry.id));
        view! { <PostButton action=action icon=Icon::Roll>"Read once more"</PostButton> }
    });
    let refused = seen.refused.as_ref().map(|why| {
        view! { <Alert state=Mood::Error title="It was not read once more" announce=true><p>{format!("{}.", sentence(why))}</p></Alert> }
    });
    let moving = matches!(entry.state, Standing::Open | Standing::Running);
    let attempts = if seen.attempts.is_empty() {
        let why = if entry.done_at.is_some() {
            "Evidence is kept for 30 days. What it adds up to stays."
        } else {
            "Once it is asked for, each request stands here with its answer."
        };
        view! { <Empty icon=Icon::Clock title="No evidence here" why=why/> }.into_any()
    } else {
        seen.attempts.iter().rev().map(|attempt| self::attempt(frame, seen, attempt)).collect_view().into_any()
    };
    let main = view! { {refused} <Follow id="evidence" on=moving>{result(entry)}{attempts}</Follow> };
    let aside = facts(frame, entry);
    let body = view! {
        <PageHeader title=title.clone() badge=words::of_entry(entry)>{again}</PageHeader>
        <Columns main=main.into_any() aside=aside/>
    };
    ui::page(frame, &format!("{title}, {}", source.name), crumbs(frame, Some(source)), body.into_any())
}

fn result(entry: &Entry) -> AnyView {
    let found = format!(
        "{}: {} new, {} known before, {} in quarantine",
        words::counted(entry.records, "record"),
        format::count(words::count(entry.fresh)),
        format::count(words::count(entry.duplicates)),
        format::count(words::count(entry.quarantined)),
    );
    let (mood, title, words) = match entry.state {
        Standing::Done => (Mood::Ok, "All of it is stored", found),
        Standing::Split => (Mood::Neutral, "It was too much at once: two others stand for it", found),
        Standing::Running => (Mood::Neutral, "It is being read", found),
        Standing::Open if entry.fault.is_none() => {
            (Mood::Neutral, "It is still to be asked for", "Nothing was read yet.".into())
        }
        Standing::Open | Standing::Failed => {
            let mood = if entry.state == Standing::Failed { Mood::Error } else { Mood::Warning };
            let title = if entry.state == Standing::Failed { "It could not be read" } else { "It is tried again" };
            (mood, title, entry.fault.clone().unwrap_or(found))
        }
    };
    view! { <Alert state=mood title=title><p>{format!("{}.", sentence(words.trim_end_matches('.')))}</p></Alert> }
        .into_any()
}

fn facts(frame: &Frame, entry: &Entry) -> AnyView {
    let now = frame.moment();
    let figure = |value: i64| ui::number(words::count(value));
    let mut items = vec![
        ("From", ui::at(now, entry.from_at)),
        ("Until", ui::at(now, entry.until_at)),
        ("Why", ui::text(sentence(words::kind(entry.kind)))),
        ("Planned", ui::at(now, entry.planned_at)),
    ];
    if entry.ask_from != entry.from_at {
        items.insert(2, ("Asked from", ui::at(now, entry.ask_from)));
    }
    match entry.done_at {
        Some(at) => items.push(("Done", ui::at(now, at))),
        None if entry.state == Standing::Open => items.push(("Next try", ui::at(now, entry.next_try_at))),
        None => {}
    }
    if entry.merged > 1 {
        items.push(("Merged from", ui::text(words::counted(entry.merged, "window"))));
    }
    items.extend([
        ("Requests", figure(entry.requests)),
        ("Received", ui::text(format::bytes(words::count(entry.bytes)))),
        ("Records", figure(entry.records)),
        ("New", figure(entry.fresh)),
        ("Known before", figure(entry.duplicates)),
        ("Quarantined", figure(entry.quarantined)),
        ("Id", ui::mono(entry.id.to_string())),
    ]);
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}

fn took(attempt: &Attempt) -> String {
    match attempt.ended_at {
        Some(ended) => format!("took {}", milliseconds(attempt.started_at, ended)),
        None => "not ended".to_owned(),
    }
}

fn milliseconds(from: DateTime<Utc>, until: DateTime<Utc>) -> String {
    format!("{} ms", format::count(words::count((until - from).num_milliseconds())))
}

fn attempt(frame: &Frame, seen: &Seen, attempt: &Attempt) -> AnyView {
    let requests = attempt.requests();
    let lead = format!("Begun {}, {}", frame.moment().in_full(attempt.started_at), took(attempt));
    let fault = attempt.fault.as_ref().map(|fault| {
        view! { <Alert state=Mood::Warning title=format!("{}.", sentence(fault.trim_end_matches('.')))/> }
    });
    let body = if requests.is_empty() {
        ui::muted("It has asked nothing.")
    } else {
        let rows = requests.iter().map(|request| row(seen, attempt, request)).collect();
        view! { <DataTable caption=format!("Requests of attempt {}", attempt.number) columns=columns() rows=rows/> }
            .into_any()
    };
    let raw = serde_json::from_str::<serde_json::Value>(&attempt.requests).ok();
    let raw = raw.and_then(|value| serde_json::to_string_pretty(&value).ok()).filter(|_| !requests.is_empty()).map(|code| {
        let id = format!("evidence-{}", attempt.number);
        view! { <Seldom summary="As JSON, in full" open=false><CodeBlock id=id label="Evidence" code=code/></Seldom> }
    });
    view! {
        <section id=format!("attempt-{}", attempt.number)>
            <Card title=format!("Attempt {}", attempt.number) lead=lead>{fault}{body}{raw}</Card>
        </section>
    }
    .into_any()
}

fn columns() -> Vec<Column> {
    vec![
        Column::text("Request"),
        Column::text("Answer"),
        Column::number("Records"),
        Column::text("Events"),
        Column::text("SHA-256"),
    ]
}

fn row(seen: &Seen, attempt: &Attempt, request: &Request) -> Vec<AnyView> {
    let status = request.status.map_or_else(|| ui::muted("none"), |status| ui::text(status.to_string()));
    let took = format!("{} ms, {}", format::count(request.milliseconds), format::bytes(request.bytes));
    let more = request.error.as_ref().map_or_else(|| took.clone(), |error| format!("{took}: {error}"));
    let answer = ui::two_lines(status, ui::text(more));
    let digest = request.sha256.as_deref().map_or_else(
        || ui::muted("not whole"),
        |digest| ui::mono(format!("{}…", digest.chars().take(OF_DIGEST).collect::<String>())),
    );
    let receipts = seen.receipts.get(&(attempt.number, request.number)).map_or(&[][..], Vec::as_slice);
    vec![
        ui::two_lines(
            ui::mono(format!("{} {}", request.method, request.url)),
            ui::text(format!("No. {}", request.number + 1)),
        ),
        answer,
        ui::number(request.records),
        events(seen, receipts),
        digest,
    ]
}

fn events(seen: &Seen, receipts: &[ReceiptId]) -> AnyView {
    if receipts.is_empty() {
        return ui::muted("none new");
    }
    if !seen.may_read_payloads {
        return ui::text("stored");
    }
    let links = receipts.iter().enumerate().map(|(n, receipt)| {
        let filter = Filter { receipt: Some(*receipt), ..Filter::default() };
        let href = format!("/tenants/{}/events{}", seen.source.tenant, filter.query(Cursor::Newest));
        let label = if receipts.len() == 1 { "its events".to_owned() } else { format!("part {}", n + 1) };
        view! { <div>{ui::link(href, label)}</div> }
    });
    links.collect_view().into_any()
}
