//! The form of an event type that is there: what is settled about it besides its contract, which has pages of its own.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, address};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types::{
        self, Contract, Details, EventType, Pointer, Policy, SearchableFields, UniqueFields, parse_description,
    },
    form::{Typed, amiss, shown},
    ids::{EventTypeId, TenantId},
    tenants,
    ui::{
        self, Button, Card, Checkbox, Choice, Crumb, Field, FieldErrors, Form as PageForm, FormActions, Frame, Icon,
        LinkButton, PageHeader, RadioGroup, Section, TextArea, Tone,
    },
};

/// The form of one that is there.
pub(super) async fn edit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let event_type = event_types::get(&app.db, &read, named.id()?).await?;
    let form = FormPage::of(&event_type);
    let frame = form.frame(&app, &session).await?;
    Ok(shown(form.draw(&frame, &written(&event_type.details), &FieldErrors::new())))
}

/// Saves it.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    if let Some(details) = self::read(&typed, &mut errors) {
        let change = move |kept: &mut Details| {
            *kept = Details { enabled: kept.enabled, contract: kept.contract.clone(), ..details };
        };
        let saved = event_types::update(&app.db, &app.clock, &permit, named.id()?, change).await?;
        // a field that was not searchable before is filled in
        app.jobs.wake();
        return Ok(Redirect::to(&format!("{}?done=saved", address(saved.tenant_id, saved.id))).into_response());
    }
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let form = FormPage::of(&event_types::get(&app.db, &read, named.id()?).await?);
    let frame = form.frame(&app, &session).await?;
    Ok(amiss(form.draw(&frame, &typed, &errors)))
}

/// Reads what was typed, but for the contract; all that is amiss is noted at once.
pub(super) fn read(typed: &Typed, errors: &mut FieldErrors) -> Option<Details> {
    let name = errors.keep("name", typed.text("name").parse());
    let description = errors.keep("description", parse_description(&typed.text("description")));
    let policy = errors.keep("policy", typed.text("policy").parse::<Policy>().map_err(|_| "choose one of the three"));
    let unique_fields = errors.keep("unique_fields", UniqueFields::parse(typed.text("unique_fields").lines()));
    let searchable = typed.text("searchable_fields");
    let searchable_fields = errors.keep("searchable_fields", SearchableFields::parse(searchable.lines()));
    Some(Details {
        name: name?,
        description: description?,
        contract: Contract::default(),
        policy: policy?,
        unique_fields: unique_fields?,
        searchable_fields: searchable_fields?,
        anonymous: typed.ticked("anonymous"),
        enabled: true,
    })
}

/// What a type is called and what it is for.
pub(super) fn names(typed: &Typed, focus: bool, errors: &FieldErrors) -> AnyView {
    view! {
        <Field
            name="name"
            label="Name of the event type"
            value=typed.text("name")
            autocomplete="off"
            focus=focus
            hint="What happened: Order placed, Ticket scanned"
            errors=errors
        />
        <TextArea
            name="description"
            label="Description"
            value=typed.text("description")
            rows=2
            optional=true
            errors=errors
        />
    }
    .into_any()
}

/// What is settled about a type besides its contract.
pub(super) fn settings(typed: &Typed, unique_hint: &str, errors: &FieldErrors) -> AnyView {
    let policies = Policy::ALL.map(|policy| Choice::new(policy.word(), policy.title()).hint(policy.meaning()));
    view! {
        <RadioGroup
            name="policy"
            label="When an event breaks the contract"
            choices=policies.into()
            value=typed.text("policy")
            errors=errors
        />
        <TextArea
            name="unique_fields"
            label="Fields that make an event unique"
            value=typed.text("unique_fields")
            rows=2
            mono=true
            optional=true
            hint=format!("One a line: a key such as Order ID, or a path such as /Order/Id. An event with the values of an earlier one is a duplicate.{unique_hint}")
            errors=errors
        />
        <TextArea
            name="searchable_fields"
            label="Fields that events are found by"
            value=typed.text("searchable_fields")
            rows=2
            mono=true
            optional=true
            hint="One a line, eight at most: what you are asked about, such as Email Address or Order Number. Events are then found by it at once, however many there are."
            errors=errors
        />
        <Checkbox
            name="anonymous"
            label="Accept events without a token"
            checked=typed.ticked("anonymous")
            hint="For what browsers send. Anybody can send then, so keep the contract tight."
            errors=errors
        />
    }
    .into_any()
}

/// The details as the form holds them.
fn written(details: &Details) -> Typed {
    let unique: Vec<_> = details.unique_fields.pointers().collect();
    let searchable: Vec<_> = details.searchable_fields.iter().map(Pointer::label).collect();
    let fields = [
        ("name", details.name.to_string()),
        ("description", details.description.clone()),
        ("policy", details.policy.word().to_owned()),
        ("unique_fields", unique.join("\n")),
        ("searchable_fields", searchable.join("\n")),
    ];
    let anonymous = details.anonymous.then(|| ("anonymous".to_owned(), "on".to_owned()));
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(anonymous).collect()
}

/// The form.
struct FormPage {
    tenant: TenantId,
    id: EventTypeId,
    name: String,
}

impl FormPage {
    fn of(event_type: &EventType) -> Self {
        Self { tenant: event_type.tenant_id, id: event_type.id, name: event_type.details.name.to_string() }
    }

    fn action(&self) -> String {
        format!("{}/edit", address(self.tenant, self.id))
    }

    async fn frame(&self, app: &App, session: &Session) -> Result<Frame> {
        tenants::frame(app, session, Some(self.tenant), Section::EventTypes, self.action()).await
    }

    fn draw(&self, frame: &Frame, typed: &Typed, errors: &FieldErrors) -> String {
        let (title, back) = (format!("Edit {}", self.name), address(self.tenant, self.id));
        let (contract, cancel) = (format!("{back}/contract"), back.clone());
        let body = view! {
            <PageHeader title=title.clone()>
                <LinkButton href=contract icon=Icon::Contract>"Edit the contract"</LinkButton>
            </PageHeader>
            <Card>
                <PageForm action=self.action() errors=errors>
                    {names(typed, false, errors)}
                    {settings(typed, "", errors)}
                    <FormActions>
                        <Button tone=Tone::Primary>"Save"</Button>
                        <LinkButton href=cancel tone=Tone::Quiet>"Cancel"</LinkButton>
                    </FormActions>
                </PageForm>
            </Card>
        };
        let mut crumbs: Vec<_> =
            frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id))).collect();
        crumbs.push(Crumb::new("Event types", format!("/tenants/{}/event-types", self.tenant)));
        crumbs.push(Crumb::new(&self.name, back));
        ui::page(frame, &title, crumbs, body.into_any())
    }
}
