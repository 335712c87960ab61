//! Asking for a range of the past: what that would take is said first.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;

use super::{Named, crumbs, words};
use crate::{
    app::App,
    auth::{Configure, Permit, Session},
    error::Result,
    form::{Typed, amiss, sentence, shown},
    polling::{
        Source, Terms, Window,
        store::{
            self,
            change::{self, Backfill},
            look::{self, Tiling},
        },
    },
    tenants,
    ui::{
        self, Alert, Button, Card, Choice, Field, FieldErrors, FieldGrid, Form as PageForm, FormActions, Frame,
        LinkButton, PageHeader, Section, Select, State as Mood, Tone, Zone, format,
    },
};

/// How long a window may be: as the form spells it, in minutes.
const SLICES: [(&str, i64, &str); 5] = [
    ("15m", 15, "15 minutes"),
    ("1h", 60, "an hour"),
    ("6h", 360, "6 hours"),
    ("1d", 1_440, "a day"),
    ("7d", 10_080, "a week"),
];

/// What is asked for, as it was typed.
struct Wanted {
    range: Window,
    slice: TimeDelta,
}

/// What it would take.
struct Estimate {
    backfill: Backfill,
    /// By what was read so far: records and requests, about.
    records: Option<u64>,
    requests: Option<u64>,
}

/// Asks for the range.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let frame = frame(&app, &session, &source).await?;
    let week = source.starts_at - TimeDelta::days(7);
    let typed = [
        ("from", frame.zone().write(week)),
        ("until", frame.zone().write(source.starts_at)),
        ("slice", "1d".to_owned()),
    ];
    let typed = typed.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Ok(shown(page(&frame, &source, &typed, None, &FieldErrors::new())))
}

/// Says what it would take, or has it asked for.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let mut errors = FieldErrors::new();
    let mut estimate = None;
    if let Some(wanted) = read(&typed, session.zone, &mut errors) {
        let now = app.clock.now();
        if typed.text("act") == "go" {
            let asked = change::backfill(&app.db, &app.clock, &permit, source.id, wanted.range, wanted.slice).await;
            match asked {
                Ok(_) => {
                    let to = format!("{}?done=backfilled", words::address(&source));
                    return Ok(Redirect::to(&to).into_response());
                }
                Err(error) => errors.note("from", error)?,
            }
        } else {
            let terms = Terms::read(&source.definition, source.id)?;
            match change::estimate(&source, &terms, wanted.range, wanted.slice, now) {
                Ok(backfill) => {
                    let tiling = look::tiling(&app.db, &permit, &source).await?;
                    estimate = Some(estimated(&source, backfill, &wanted, &tiling));
                }
                Err(error) => errors.note("from", error)?,
            }
        }
    }
    let frame = frame(&app, &session, &source).await?;
    let page = page(&frame, &source, &typed, estimate.as_ref(), &errors);
    Ok(if errors.is_empty() { shown(page) } else { amiss(page) })
}

fn read(typed: &Typed, zone: Zone, errors: &mut FieldErrors) -> Option<Wanted> {
    let mut moment = |name: &'static str| -> Option<DateTime<Utc>> {
        let read = zone.typed(typed.text(name).trim());
        if read.is_none() {
            errors.push(name, "Type a moment, such as 2026-05-01T00:00");
        }
        read
    };
    let (from, until) = (moment("from"), moment("until"));
    let slice = SLICES.iter().find(|(word, ..)| *word == typed.text("slice")).map(|(_, minutes, _)| *minutes);
    let range = Window::new(from?, until?);
    if range.is_empty() {
        errors.push("until", "It has to lie after the moment it begins with");
        return None;
    }
    Some(Wanted { range, slice: TimeDelta::minutes(slice.unwrap_or(1_440)) })
}

/// By the rate at which records came so far.
fn estimated(source: &Source, backfill: Backfill, wanted: &Wanted, tiling: &Tiling) -> Estimate {
    let windows = backfill.windows() as u64;
    let covered = source.span().length().num_seconds();
    let asked = (wanted.range.until.min(source.watermark) - wanted.range.from).num_seconds().max(0);
    let records = (tiling.records > 0 && covered > 0).then(|| {
        let scaled = i128::from(tiling.records) * i128::from(asked) / i128::from(covered);
        u64::try_from(scaled).unwrap_or(0)
    });
    // a window takes one request at least; by how many records came with one so far
    let requests = (tiling.requests > 0 && tiling.records > 0).then(|| {
        let each = (tiling.records / tiling.requests).max(1);
        windows.max(records.unwrap_or(0) / words::count(each).max(1))
    });
    Estimate { backfill, records, requests }
}

async fn frame(app: &App, session: &Session, source: &Source) -> Result<Frame> {
    let path = format!("{}/backfill", words::address(source));
    tenants::frame(app, session, Some(source.tenant), Section::Sources, path).await
}

fn page(frame: &Frame, source: &Source, typed: &Typed, estimate: Option<&Estimate>, errors: &FieldErrors) -> String {
    let here = words::address(source);
    let slices = SLICES.iter().map(|(word, _, label)| Choice::new(*word, *label)).collect();
    let go = estimate.map(|_| view! { <Button tone=Tone::Primary name="act" value="go">"Ask for it"</Button> });
    let zone = frame.zone();
    let first = if estimate.is_some() { Tone::Plain } else { Tone::Primary };
    let body = view! {
        <PageHeader
            title=format!("Backfill {}", source.name)
            lead="What lies before its ledger becomes a part of it. What lies in it is read once more: what is known is recognised."
        />
        <Card>
            <PageForm action=format!("{here}/backfill") errors=errors>
                <FieldGrid>
                    <Field name="from" label=format!("From ({})", zone.name()) kind="datetime-local" value=typed.text("from") errors=errors/>
                    <Field name="until" label=format!("Until ({})", zone.name()) kind="datetime-local" value=typed.text("until") errors=errors/>
                </FieldGrid>
                <Select name="slice" label="Asked for by" choices=slices value=typed.text("slice") hint="A slice that turns out too large is split by itself." errors=errors/>
                {ui::hint(format!("Its ledger reaches from {} to {}.", words::moment(zone, source.starts_at), words::moment(zone, source.watermark)))}
                {estimate.map(shown_estimate)}
                <FormActions>
                    <Button tone=first name="act" value="estimate">"What would it take?"</Button>
                    {go}
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "Backfill", crumbs(frame, Some(source)), body.into_any())
}

fn shown_estimate(estimate: &Estimate) -> AnyView {
    let backfill = &estimate.backfill;
    let parts =
        [(backfill.before.len(), "before the ledger"), (backfill.within.len(), "in the ledger, read once more")];
    let parts = parts.into_iter().filter(|(count, _)| *count > 0);
    let title: Vec<_> =
        parts.map(|(count, place)| format!("{} {place}", format::counted(count as u64, "window"))).collect();
    let about = match (estimate.records, estimate.requests) {
        (Some(records), Some(requests)) => format!(
            "About {} by about {}, if it is as it was so far. Nothing is asked for yet.",
            format::counted(records, "record"),
            format::counted(requests, "request")
        ),
        _ => "Nothing was read so far to tell how many records that is. Nothing is asked for yet.".to_owned(),
    };
    view! { <Alert state=Mood::Neutral title=sentence(&title.join(", and ")) announce=true><p>{about}</p></Alert> }
        .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_to_be_one() {
        let read = |from: &str, until: &str| {
            let typed = [("from", from), ("until", until), ("slice", "1h")];
            let typed = typed.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let mut errors = FieldErrors::new();
            let wanted = super::read(&typed, Zone::default(), &mut errors);
            (
                wanted.map(|wanted| wanted.slice),
                errors.0.into_iter().map(|(field, _)| field.into_owned()).collect::<Vec<_>>(),
            )
        };
        assert_eq!(read("2026-05-01T00:00", "2026-05-02T00:00"), (Some(TimeDelta::hours(1)), vec![]));
        assert_eq!(read("2026-05-02T00:00", "2026-05-01T00:00"), (None, vec!["until".to_owned()]));
        assert_eq!(read("yesterday", ""), (None, vec!["from".to_owned(), "until".to_owned()]));
    }
}
