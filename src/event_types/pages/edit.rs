//! The form of an event type: for a new one, and for one that changes.
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

/// The form for a new event type.
pub(super) async fn new(State(app): State<App>, session: Session, permit: Permit<Configure>) -> Result<Response> {
    let form = FormPage::new_type(permit.tenant());
    let frame = form.frame(&app, &session).await?;
    let typed = Typed::from_iter([
        ("contract".to_owned(), STARTING_CONTRACT.to_owned()),
        ("policy".to_owned(), Policy::Quarantine.word().to_owned()),
    ]);
    Ok(shown(form.draw(&frame, &typed, &FieldErrors::new())))
}

/// What the contract of a new event type begins with.
const STARTING_CONTRACT: &str = r#"{
  "type": "object"
}"#;

/// Creates it.
pub(super) async fn create(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    let id = errors.keep("id", given(typed.text("id").trim()));
    if let (Some(details), Some(id)) = (read(&typed, &mut errors), id) {
        match event_types::create(&app.db, &app.clock, &permit, id, details).await {
            Ok(made) => {
                return Ok(Redirect::to(&format!("{}?done=created", address(made.tenant_id, made.id))).into_response());
            }
            Err(error) => errors.note("id", error)?,
        }
    }
    let form = FormPage::new_type(permit.tenant());
    let frame = form.frame(&app, &session).await?;
    Ok(amiss(form.draw(&frame, &typed, &errors)))
}

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
        // a form without a contract leaves it as it is
        let contract = typed.ticked("contract");
        let change = move |kept: &mut Details| {
            let contract = if contract { details.contract.clone() } else { kept.contract.clone() };
            *kept = Details { enabled: kept.enabled, contract, ..details };
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

fn given(text: &str) -> Result<Option<EventTypeId>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "an id is a GUID such as 3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c")
}

/// Reads what was typed; all that is amiss is noted at once.
fn read(typed: &Typed, errors: &mut FieldErrors) -> Option<Details> {
    let name = errors.keep("name", typed.text("name").parse());
    let description = errors.keep("description", parse_description(&typed.text("description")));
    let contract = if typed.ticked("contract") {
        errors.keep("contract", Contract::parse(typed.text("contract").trim()))
    } else {
        Some(Contract::default())
    };
    let policy = errors.keep("policy", typed.text("policy").parse::<Policy>().map_err(|_| "choose one of the three"));
    let unique_fields = errors.keep("unique_fields", UniqueFields::parse(typed.text("unique_fields").lines()));
    let searchable = typed.text("searchable_fields");
    let searchable_fields = errors.keep("searchable_fields", SearchableFields::parse(searchable.lines()));
    Some(Details {
        name: name?,
        description: description?,
        contract: contract?,
        policy: policy?,
        unique_fields: unique_fields?,
        searchable_fields: searchable_fields?,
        anonymous: typed.ticked("anonymous"),
        enabled: true,
    })
}

/// The details as the form holds them.
fn written(details: &Details) -> Typed {
    let unique: Vec<_> = details.unique_fields.pointers().collect();
    let searchable: Vec<_> = details.searchable_fields.iter().map(Pointer::label).collect();
    let fields = [
        ("name", details.name.to_string()),
        ("description", details.description.clone()),
        ("contract", details.contract.text().to_owned()),
        ("policy", details.policy.word().to_owned()),
        ("unique_fields", unique.join("\n")),
        ("searchable_fields", searchable.join("\n")),
    ];
    let anonymous = details.anonymous.then(|| ("anonymous".to_owned(), "on".to_owned()));
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).chain(anonymous).collect()
}

/// The form, for a new event type or for one that is there.
struct FormPage {
    tenant: TenantId,
    /// Id and name of the one that is there.
    known: Option<(EventTypeId, String)>,
}

impl FormPage {
    fn new_type(tenant: TenantId) -> Self {
        Self { tenant, known: None }
    }

    fn of(event_type: &EventType) -> Self {
        Self { tenant: event_type.tenant_id, known: Some((event_type.id, event_type.details.name.to_string())) }
    }

    fn action(&self) -> String {
        match &self.known {
            Some((id, _)) => format!("{}/edit", address(self.tenant, *id)),
            None => format!("/tenants/{}/event-types/new", self.tenant),
        }
    }

    async fn frame(&self, app: &App, session: &Session) -> Result<Frame> {
        tenants::frame(app, session, Some(self.tenant), Section::EventTypes, self.action()).await
    }

    fn draw(&self, frame: &Frame, typed: &Typed, errors: &FieldErrors) -> String {
        let list = format!("/tenants/{}/event-types", self.tenant);
        let (title, verb, cancel) = match &self.known {
            Some((id, name)) => (format!("Edit {name}"), "Save", address(self.tenant, *id)),
            None => ("New event type".to_owned(), "Create event type", list.clone()),
        };
        let policies = Policy::ALL.map(|policy| Choice::new(policy.word(), policy.title()).hint(policy.meaning()));
        let id = self.known.is_none().then(|| {
            view! {
                <Field
                    name="id"
                    label="Id"
                    value=typed.text("id")
                    autocomplete="off"
                    mono=true
                    optional=true
                    hint="Only for a customer who moves here: the GUID it has now. Otherwise leave it empty, and a new one is made."
                    errors=errors
                />
            }
        });
        let contract = self.known.is_none().then(|| contract(typed, errors));
        let way = match &self.known {
            Some(_) => (format!("{cancel}/contract"), Icon::Contract, "Edit the contract"),
            None => (format!("{list}/new/sample"), Icon::Events, "Start from a sample"),
        };
        let back = cancel.clone();
        let body = view! {
            <PageHeader title=title.clone()>
                <LinkButton href=way.0 icon=way.1>{way.2}</LinkButton>
            </PageHeader>
            <Card>
                <PageForm action=self.action() errors=errors>
                    <Field
                        name="name"
                        label="Name"
                        value=typed.text("name")
                        autocomplete="off"
                        focus=self.known.is_none()
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
                    {contract}
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
                        hint="One a line: a key such as Order ID, or a path such as /Order/Id. An event with the values of an earlier one is a duplicate."
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
                    {id}
                    <FormActions>
                        <Button tone=Tone::Primary>{verb}</Button>
                        <LinkButton href=back tone=Tone::Quiet>"Cancel"</LinkButton>
                    </FormActions>
                </PageForm>
            </Card>
        };
        let mut crumbs: Vec<_> =
            frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id))).collect();
        crumbs.push(Crumb::new("Event types", list));
        if let Some((_, name)) = &self.known {
            crumbs.push(Crumb::new(name, cancel));
        }
        ui::page(frame, &title, crumbs, body.into_any())
    }
}

/// The contract of a new type. That of one that is there has a page of its own, and changes by way of a draft.
fn contract(typed: &Typed, errors: &FieldErrors) -> AnyView {
    view! {
        <TextArea
            name="contract"
            label="Contract"
            value=typed.text("contract")
            rows=18
            mono=true
            hint="JSON Schema 2020-12. {\"type\": \"object\"} takes any event."
            errors=errors
        />
    }
    .into_any()
}
