//! What one type is watched for.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{crumbs, frame, home};
use crate::{
    alerts::{Rules, Scope, store},
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::{Error, Result},
    event_types::{self, EventType},
    form::{Typed, amiss, shown},
    ids::EventTypeId,
    ui::{
        self, Button, Card, Checkbox, Choice, Field, FieldErrors, Form as PageForm, FormActions, Frame, LinkButton,
        PageHeader, Select, Tone,
    },
};

/// The type that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct Of {
    event_type: String,
}

impl Of {
    fn id(&self) -> Result<EventTypeId> {
        self.event_type.parse().map_err(|_| Error::NotFound("event type"))
    }
}

/// The most events that a rate may ask for.
const MOST: i64 = 1_000_000_000;

fn read(typed: &Typed, errors: &mut FieldErrors) -> Option<Rules> {
    let percent = typed.text("percent").trim().parse::<i64>().ok().filter(|percent| (1..=100).contains(percent));
    let percent = errors.keep("percent", percent.ok_or("give a whole number from 1 to 100"));
    let hours = typed.text("hours").trim().parse::<i64>().ok().filter(|hours| Rules::HOURS.contains(hours));
    let hours = errors.keep("hours", hours.ok_or("choose one of these"));
    let minimum = typed.text("minimum").trim().parse::<i64>().ok().filter(|least| (1..=MOST).contains(least));
    let minimum = errors.keep("minimum", minimum.ok_or("give a whole number from 1 on"));
    Some(Rules {
        silence: typed.ticked("silence"),
        failures: typed.ticked("failures"),
        rejections: typed.ticked("rejections"),
        percent: percent?,
        hours: hours?,
        minimum: minimum?,
    })
}

fn typed(rules: Rules) -> Typed {
    let ticked = [("silence", rules.silence), ("failures", rules.failures), ("rejections", rules.rejections)];
    let figures = [("percent", rules.percent), ("hours", rules.hours), ("minimum", rules.minimum)];
    ticked
        .into_iter()
        .filter(|(_, on)| *on)
        .map(|(name, _)| (name.to_owned(), "on".to_owned()))
        .chain(figures.into_iter().map(|(name, figure)| (name.to_owned(), figure.to_string())))
        .collect()
}

/// Asks.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(of): Path<Of>,
) -> Result<Response> {
    let read: Permit<ReadConfiguration> = session.permit(permit.tenant())?;
    let event_type = event_types::get(&app.db, &read, of.id()?).await?;
    let rules = store::rules_of(&app.db, &read).await?.get(&event_type.id).copied().unwrap_or_default();
    let scope = Scope::from(&read);
    let frame = frame(&app, &session, scope, format!("{}/rules/{}", home(scope), event_type.id)).await?;
    Ok(shown(page(&frame, scope, &event_type, &typed(rules), &FieldErrors::new())))
}

/// Saves.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(of): Path<Of>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let reading: Permit<ReadConfiguration> = session.permit(permit.tenant())?;
    let event_type = event_types::get(&app.db, &reading, of.id()?).await?;
    let scope = Scope::from(&reading);
    let mut errors = FieldErrors::new();
    if let Some(rules) = read(&typed, &mut errors) {
        store::set_rules(&app.db, &app.clock, &permit, event_type.id, rules).await?;
        return Ok(Redirect::to(&format!("{}?done=rules", home(scope))).into_response());
    }
    let frame = frame(&app, &session, scope, format!("{}/rules/{}", home(scope), event_type.id)).await?;
    Ok(amiss(page(&frame, scope, &event_type, &typed, &errors)))
}

fn page(frame: &Frame, scope: Scope, event_type: &EventType, typed: &Typed, errors: &FieldErrors) -> String {
    let name = event_type.details.name.as_str();
    let here = home(scope);
    let hours = Rules::HOURS.map(|hours| {
        Choice::new(hours.to_string(), if hours == 1 { "1 hour".into() } else { format!("{hours} hours") })
    });
    let body = view! {
        <PageHeader title=format!("What {name} is watched for") lead="Each is told once when it begins, and once when it is over."/>
        <Card>
            <PageForm action=format!("{here}/rules/{}", event_type.id) errors=errors>
                <Checkbox
                    name="silence"
                    label="Silence"
                    checked=typed.ticked("silence")
                    hint="No event for longer than three times the longest gap of the last 28 days, one hour at least. Known after a day and five events."
                    errors=errors
                />
                <Checkbox
                    name="failures"
                    label="New failure groups"
                    checked=typed.ticked("failures")
                    hint="Events break the contract in a way that is new, or that was taken for mended. Over when the group is resolved or ignored."
                    errors=errors
                />
                <Checkbox
                    name="rejections"
                    label="Rejection rate"
                    checked=typed.ticked("rejections")
                    hint="Too many events break the contract. Over when the rate is a quarter below the threshold."
                    errors=errors
                />
                <Field name="percent" label="From this share on, in percent" kind="number" value=typed.text("percent") autocomplete="off" errors=errors/>
                <Select
                    name="hours"
                    label="Within the last"
                    choices=hours.into()
                    value=typed.text("hours")
                    hint="Whole hours, and the one that is running."
                    errors=errors
                />
                <Field
                    name="minimum"
                    label="When there were so many events at least"
                    kind="number"
                    value=typed.text("minimum")
                    autocomplete="off"
                    hint="So that one wrong event in a quiet night wakes nobody."
                    errors=errors
                />
                <FormActions>
                    <Button tone=Tone::Primary>"Save"</Button>
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(frame, "What is watched", crumbs(frame, scope, None), body.into_any())
}
