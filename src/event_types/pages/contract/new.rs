//! A new event type. Its contract is written field by field, or as JSON Schema, or proposed by samples; what else is
//! settled about a type is asked along with it. What is typed lives in the form until the type is created.
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{
    Asked, crumbs,
    desk::{Desk, Side, Wish},
    propose,
    view::Around,
};
use crate::{
    app::App,
    auth::{Configure, Permit, Session},
    error::Result,
    event_types::{
        self, Details, Policy,
        pages::{address, edit},
        table::{Kind, Row},
    },
    form::{Posted, Typed, amiss, shown},
    ids::{EventTypeId, TenantId},
    tenants,
    ui::{self, Field, FieldErrors, Frame, PageHeader, Section, Tab, Tabs},
};

/// What the contract of a new type begins with.
const BEGINNING: &str = "{\n  \"type\": \"object\"\n}";

/// The form, empty: a table of fields, unless the JSON is asked for.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let side = if asked.side.as_deref() == Some(Side::Json.word()) { Side::Json } else { Side::Table };
    let page = Page::new(permit.tenant(), Desk::of(BEGINNING, side), "new");
    let frame = page.frame(&app, &session).await?;
    Ok(shown(page.draw(&frame, &beginning(""), &FieldErrors::new())))
}

/// What a form begins with.
fn beginning(unique: &str) -> Typed {
    Typed::from_iter([
        ("policy".to_owned(), Policy::Quarantine.word().to_owned()),
        ("unique_fields".to_owned(), unique.to_owned()),
    ])
}

/// Goes on with it, or creates the type.
pub(super) async fn create(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    posted: Posted,
) -> Result<Response> {
    made(&app, &session, &permit, &posted, "new").await
}

/// Asks for samples.
pub(super) async fn ask_samples(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
) -> Result<Response> {
    let path = format!("/tenants/{}/event-types/new/sample", permit.tenant());
    let frame = tenants::frame(&app, &session, Some(permit.tenant()), Section::EventTypes, path).await?;
    Ok(shown(asking(&frame, permit.tenant(), &Posted::default(), &FieldErrors::new())))
}

/// Answers samples with a proposal, goes on with it, or creates the type.
pub(super) async fn propose(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    posted: Posted,
) -> Result<Response> {
    if posted.typed.ticked("side") {
        return made(&app, &session, &permit, &posted, "new/sample").await;
    }
    let tenant = permit.tenant();
    let mut errors = FieldErrors::new();
    let Some(desk) = propose::proposed(&posted, Vec::new(), &mut errors) else {
        let path = format!("/tenants/{tenant}/event-types/new/sample");
        let frame = tenants::frame(&app, &session, Some(tenant), Section::EventTypes, path).await?;
        return Ok(amiss(asking(&frame, tenant, &posted, &errors)));
    };
    let typed = beginning(&number_of_event(&desk).unwrap_or_default());
    let page = Page::new(tenant, desk, "new/sample");
    let frame = page.frame(&app, &session).await?;
    Ok(shown(page.draw(&frame, &typed, &errors)))
}

/// What was posted: shown again, or created.
async fn made(
    app: &App,
    session: &Session,
    permit: &Permit<Configure>,
    posted: &Posted,
    path: &'static str,
) -> Result<Response> {
    let mut errors = FieldErrors::new();
    let (desk, wish, contract) = Desk::read(posted, &mut errors);
    let typed = &posted.typed;
    if wish == Wish::Save {
        let details = edit::read(typed, &mut errors);
        let id = errors.keep("id", given(typed.text("id").trim()));
        if let (Some(contract), Some(details), Some(id)) = (contract, details, id) {
            let details = Details { contract, ..details };
            match event_types::create(&app.db, &app.clock, permit, id, details).await {
                Ok(made) => {
                    let to = format!("{}?done=created", address(made.tenant_id, made.id));
                    return Ok(Redirect::to(&to).into_response());
                }
                Err(error) => errors.note("id", error)?,
            }
        }
    }
    let page = Page::new(permit.tenant(), desk, path);
    let frame = page.frame(app, session).await?;
    let page = page.draw(&frame, typed, &errors);
    Ok(if errors.is_empty() { shown(page) } else { amiss(page) })
}

fn given(text: &str) -> Result<Option<EventTypeId>, &'static str> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| "an id is a GUID such as 3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c")
}

/// The field that samples number their events by: at the top, always there, called a number, and nobody's: what
/// identifies a person comes again with that person's next event.
fn number_of_event(desk: &Desk) -> Option<String> {
    const WORDS: [&str; 8] = ["id", "number", "no", "nr", "nummer", "uuid", "guid", "reference"];
    let is_number = |name: &str| {
        let spaced = name.char_indices().flat_map(|(n, c)| {
            let hump = n > 0 && c.is_uppercase() && !name[..n].ends_with(char::is_uppercase);
            hump.then_some(' ').into_iter().chain(c.to_lowercase())
        });
        let spaced: String = spaced.collect();
        let last = spaced.rsplit([' ', '_', '-', '.']).next().unwrap_or_default().to_owned();
        WORDS.contains(&last.as_str()) || spaced.ends_with("nummer")
    };
    let fit = |row: &Row| {
        let shape = &row.shape;
        let whole = matches!(shape.kind, Kind::Text | Kind::Integer | Kind::Formatted(_));
        row.path.depth() == 0
            && shape.required
            && !shape.nullable
            && whole
            && shape.identifies.is_none()
            && is_number(&shape.name)
    };
    desk.rows.iter().map(|line| &line.row).find(|row| fit(row)).map(|row| row.path.to_string())
}

fn asking(frame: &Frame, tenant: TenantId, posted: &Posted, errors: &FieldErrors) -> String {
    let list = format!("/tenants/{tenant}/event-types");
    let path = format!("{list}/new/sample");
    let body = view! {
        <PageHeader
            title="New event type"
            lead="Show what its events look like. Their fields, types and forms are proposed; you correct them and give the type its name."
        />
        {ways(tenant, &path)}
        {propose::form(path.clone(), list, None, posted, errors)}
    };
    ui::page(frame, "New event type from samples", crumbs(frame, tenant), body.into_any())
}

/// The three ways to begin.
fn ways(tenant: TenantId, current: &str) -> AnyView {
    let new = format!("/tenants/{tenant}/event-types/new");
    let tabs = vec![
        Tab::new("Field by field", new.clone()),
        Tab::new("From samples", format!("{new}/sample")),
        Tab::new("Paste a JSON Schema", format!("{new}?as=json")),
    ];
    view! { <Tabs label="How to begin" tabs=tabs current=current.to_owned()/> }.into_any()
}

struct Page {
    tenant: TenantId,
    desk: Desk,
    /// Below the list of types: where the form posts to.
    path: &'static str,
}

impl Page {
    fn new(tenant: TenantId, desk: Desk, path: &'static str) -> Self {
        Self { tenant, desk, path }
    }

    fn action(&self) -> String {
        format!("/tenants/{}/event-types/{}", self.tenant, self.path)
    }

    async fn frame(&self, app: &App, session: &Session) -> Result<Frame> {
        tenants::frame(app, session, Some(self.tenant), Section::EventTypes, self.action()).await
    }

    fn draw(&self, frame: &Frame, typed: &Typed, errors: &FieldErrors) -> String {
        let list = format!("/tenants/{}/event-types", self.tenant);
        let proposed = self.desk.evidence.is_some();
        let hint = match (proposed, typed.text("unique_fields").is_empty()) {
            (true, false) => {
                " Proposed by the samples: empty it if the same one may come twice, such as when it changes."
            }
            _ => "",
        };
        let id = view! {
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
        };
        let after = view! { {edit::settings(typed, hint, errors)} {id} };
        let around = Around {
            action: self.action(),
            verb: "Create event type",
            cancel: list.clone(),
            hidden: Vec::new(),
            before: Some(edit::names(typed, !proposed, errors)),
            after: Some(after.into_any()),
            samples: None,
            errors,
        };
        let head = if proposed {
            propose::head(&self.desk, self.action())
        } else {
            let current = match self.desk.side {
                Side::Table => self.action(),
                Side::Json => format!("{}?as=json", self.action()),
            };
            view! {
                <PageHeader title="New event type" lead="What its events hold, and what becomes of those that do not."/>
                {ways(self.tenant, &current)}
            }
            .into_any()
        };
        let body = view! { {head} {self.desk.draw(around)} };
        ui::page(frame, "New event type", crumbs(frame, self.tenant), body.into_any())
    }
}
