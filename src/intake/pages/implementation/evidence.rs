//! One piece of acceptance evidence: named, changed, asked for no more.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use uuid::Uuid;

use super::{NEW, Named, Site};
use crate::{
    app::App,
    auth::{Permit, RunImplementations, Session},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    ids::EventTypeId,
    intake::implementation::{
        Evidence, Rule,
        evidence::{LOOKED_AT, Sort, Typed as Said},
        store,
    },
    ui::{
        self, Button, Card, Choice, Field, FieldErrors, Form as PageForm, FormActions, Hidden, LinkButton, PageHeader,
        RadioGroup, Select, Tone,
    },
};

async fn load(
    app: &App,
    session: &Session,
    permit: &Permit<RunImplementations>,
    named: &Named,
) -> Result<(Site, Option<Evidence>)> {
    let site = Site::load(app, session, permit, named, &format!("/evidence/{}", named.point)).await?;
    if named.point == NEW {
        return Ok((site, None));
    }
    let id = super::id_of(&named.point, "evidence")?;
    let found = site.whole.evidence.iter().find(|one| one.id == id).cloned();
    Ok((site, Some(found.ok_or(Error::NotFound("evidence"))?)))
}

/// Shows the form.
pub(in crate::intake::pages) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunImplementations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (site, of) = load(&app, &session, &permit, &named).await?;
    let typed = typed(&site, of.as_ref());
    Ok(shown(page(&site, of.as_ref(), &typed, &FieldErrors::new())))
}

/// Saves it, or forgets it.
pub(in crate::intake::pages) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunImplementations>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (site, of) = load(&app, &session, &permit, &named).await?;
    let mut errors = FieldErrors::new();
    let (integration, id) = (site.room.of.id, of.as_ref().map(|one| one.id));
    let remove = typed.text("form") == "remove";
    let done = match (remove, id) {
        (true, Some(id)) => store::forget_evidence(&app.db, &app.clock, &permit, integration, id).await.map(|()| true),
        _ => match read(&site, &typed, &mut errors) {
            Some(named) => {
                store::name_evidence(&app.db, &app.clock, &permit, integration, id, named).await.map(|_| true)
            }
            None => Ok(false),
        },
    };
    match done {
        Ok(true) => {
            let word = if remove { "removed" } else { "named" };
            return Ok(Redirect::to(&format!("{}?done={word}", site.here())).into_response());
        }
        Ok(false) => {}
        Err(error) => errors.note("", error)?,
    }
    Ok(amiss(page(&site, of.as_ref(), &typed, &errors)))
}

fn typed(site: &Site, of: Option<&Evidence>) -> Typed {
    let (phase, event_type, said) = if let Some(of) = of {
        (of.phase_id.to_string(), of.event_type_id.to_string(), Said::of(&of.rule))
    } else {
        // most likely it is for a line that names none yet
        let evidence = &site.whole.evidence;
        let bare = |id: Uuid| evidence.iter().all(|one| one.phase_id != id);
        let lines = site.whole.phases.iter().filter(|one| one.quotation_id.is_some());
        let phase = lines.clone().find(|one| bare(one.id)).or_else(|| lines.clone().next());
        let event_type = evidence.first().map(|one| one.event_type_id.to_string());
        let said = Said { sort: Sort::Accepted.word().into(), ..Said::default() };
        (phase.map(|one| one.id.to_string()).unwrap_or_default(), event_type.unwrap_or_default(), said)
    };
    [
        ("phase", phase),
        ("event_type", event_type),
        ("sort", said.sort),
        ("events", said.events),
        ("percent", said.percent),
        ("days", said.days),
        ("field", said.field),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

fn read(site: &Site, typed: &Typed, errors: &mut FieldErrors) -> Option<(Uuid, EventTypeId, Rule)> {
    let phase = errors.keep("phase", site.chosen_phase(&typed.text("phase")));
    let event_type = errors.keep("event_type", site.chosen_type(&typed.text("event_type")));
    let said = Said {
        sort: typed.text("sort"),
        events: typed.text("events"),
        percent: typed.text("percent"),
        days: typed.text("days"),
        field: typed.text("field"),
    };
    let rule = said.read().map_err(|wrong| {
        for (field, why) in wrong {
            errors.push(field, crate::form::sentence(&why));
        }
    });
    Some((phase?, event_type?, rule.ok()?))
}

fn page(site: &Site, of: Option<&Evidence>, typed: &Typed, errors: &FieldErrors) -> String {
    let here = site.here();
    let (title, last) = match of {
        Some(of) => ("Evidence", of.id.to_string()),
        None => ("Name evidence", NEW.to_owned()),
    };
    let action = format!("{here}/evidence/{last}");
    let action = action.as_str();
    let text = |name: &str| typed.text(name);
    let looked = format!("At least such a percentage of the newest {LOOKED_AT} events holds something in a field.");
    let sorts = Sort::ALL.iter().map(|sort| {
        let hint = match sort {
            Sort::Accepted => "The first so many events kept their contract.",
            Sort::Rejected => "Less than a percentage was quarantined or refused, for so many days.",
            Sort::Ledger => "Every polling source of the type has asked for all of the last days, without a gap.",
            Sort::Filled => looked.as_str(),
        };
        Choice::new(sort.word(), sort.title()).hint(hint)
    });
    let remove = of.map(|_| {
        view! {
            <Card>
                <PageForm action=action>
                    <Hidden name="form" value="remove"/>
                    <FormActions><Button tone=Tone::Danger>"Ask for it no more"</Button></FormActions>
                </PageForm>
            </Card>
        }
    });
    let body = view! {
        <PageHeader title=title lead="What has to be seen in live data before it goes live. It is measured by itself.">
            {ui::guide("implementation", "When it goes live")}
        </PageHeader>
        <Card>
            <PageForm action=action errors=errors>
                <Select name="phase" label="Line of the quotation" choices=site.phase_choices() value=text("phase") errors=errors/>
                <Select name="event_type" label="In the events of" choices=site.type_choices() value=text("event_type") errors=errors/>
                <RadioGroup name="sort" label="What has to be seen" choices=sorts.collect() value=text("sort") errors=errors/>
                <Field name="events" label="How many events" value=text("events") autocomplete="off" optional=true hint="For: events were accepted" errors=errors/>
                <Field name="percent" label="Percent" value=text("percent") autocomplete="off" optional=true hint="For: few events were rejected, or a field is filled in" errors=errors/>
                <Field name="days" label="Days" value=text("days") autocomplete="off" optional=true hint="For: few events were rejected, or the ledger is complete" errors=errors/>
                <Field name="field" label="Field" value=text("field") autocomplete="off" optional=true mono=true hint="For: a field is filled in. A key such as E-mail, or a path such as /Person/E-mail" errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Save the evidence"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
        {remove}
    };
    ui::page(&site.room.frame, title, site.crumbs(), body.into_any())
}
