//! The explorer: all events of a tenant, newest first, by filter.
use std::collections::HashSet;

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{IN_A_ROW, Names, ON_A_PAGE, beside, event_href, looked, summary, token_and_time, turns, verdict, wrong};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    event_types::{self, EventType, Pointer},
    events::{
        Asked, Cursor, Event, Filter, Verdict, WARNED,
        fields::{self, store::Standing},
        store,
        store::Page,
        stream::beginning,
    },
    failures,
    form::{settled, shown},
    ids::{EventId, TenantId},
    islands::{FirstEvent, NewEvents},
    tenants,
    ui::{
        self, Choice, CodeBlock, Column, DataTable, Empty, Field, Filters, Frame, Icon, LinkButton, PageHeader, Pager,
        Section, Select, Tone, Zone,
    },
};

/// What the page shows.
pub(super) struct Seen<'a> {
    pub tenant: TenantId,
    pub names: &'a Names,
    pub asked: &'a Asked,
    pub page: &'a Page,
    /// Whether the tenant has any event at all.
    pub any: bool,
    /// What can be looked for.
    pub fields: &'a Fields,
    /// A type to send the first event of.
    pub first_type: Option<&'a EventType>,
    /// The address that the outside uses.
    pub public_base: &'a str,
}

/// The fields that can be looked for.
#[derive(Default)]
pub(super) struct Fields {
    /// Those that an index knows: of the type that is chosen, or of any.
    searchable: Vec<Standing>,
    /// Those of the chosen type's contract.
    of_contract: Vec<String>,
    may_configure: bool,
}

impl Fields {
    async fn load(app: &App, session: &Session, permit: &Permit<ReadConfiguration>, filter: &Filter) -> Result<Self> {
        let of_contract = match filter.event_type {
            Some(id) => match event_types::get(&app.db, permit, id).await {
                Ok(known) => known.details.contract.keys(),
                Err(Error::NotFound(_)) => Vec::new(),
                Err(error) => return Err(error),
            },
            None => Vec::new(),
        };
        Ok(Self {
            searchable: fields::store::standing(&app.db, permit, filter.event_type).await?,
            of_contract,
            may_configure: session.permit::<Configure>(permit.tenant()).is_ok(),
        })
    }

    /// What is offered while one types, the searchable ones first.
    fn suggestions(&self) -> Vec<String> {
        let label =
            |text: &str| Pointer::parse(text).map_or_else(|_| text.to_owned(), |field| field.label().to_owned());
        let mut all: Vec<String> = self.searchable.iter().map(|one| label(&one.field)).collect();
        let others: Vec<_> = self.of_contract.iter().map(|key| label(&Pointer::of_key(key))).collect();
        all.extend(others);
        let mut seen = HashSet::new();
        all.retain(|field| seen.insert(field.clone()));
        all
    }

    /// What would find it at once; none when an index has just done so.
    fn advice(&self, tenant: TenantId, filter: &Filter) -> Option<AnyView> {
        let asked = filter.field.as_ref()?;
        let label = asked.field.label().to_owned();
        let mut known = self.searchable.iter().filter(|one| one.field == asked.field.as_str());
        let standing = known.next();
        let Some(event_type) = filter.event_type else {
            return standing.map(|_| {
                view! { <p>{format!("Choose a type: events of one that has “{label}” among its searchable fields are found at once.")}</p> }
                    .into_any()
            });
        };
        let here = format!("/tenants/{tenant}/event-types/{event_type}");
        match standing {
            Some(standing) if standing.ready => None,
            Some(_) => Some(
                view! { <p>{format!("The index of “{label}” is not complete yet: ")}{ui::link(here, "see how far it is")}"."</p> }
                    .into_any(),
            ),
            None if self.may_configure => Some(
                view! { <p>"Events are found at once by a field that is searchable: "{ui::link(format!("{here}/edit#searchable_fields"), format!("make “{label}” searchable"))}"."</p> }
                    .into_any(),
            ),
            None => None,
        }
    }
}

/// Shows events.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let tenant = permit.tenant();
    let query = query.unwrap_or_default();
    if let Some(tidy) = settled(&format!("/tenants/{tenant}/events"), &query, session.zone) {
        return Ok(tidy.into_response());
    }
    let mut asked = Asked::parse(&query);
    let path = format!("/tenants/{tenant}/events{}", asked.filter.query(asked.cursor));
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Events, path).await?;
    let mut page = store::page(&app.db, &permit, &asked.filter, asked.cursor, ON_A_PAGE).await?;
    if page.events.is_empty() && matches!(asked.cursor, Cursor::After(_)) && page.scanned_to.is_none() {
        // nothing newer: that is the first page
        asked.cursor = Cursor::Newest;
        page = store::page(&app.db, &permit, &asked.filter, asked.cursor, ON_A_PAGE).await?;
    }
    let configuration = session.permit::<ReadConfiguration>(tenant)?;
    let any = !page.events.is_empty() || store::any(&app.db, &permit).await?;
    let types = if any { Vec::new() } else { event_types::list(&app.db, &configuration).await? };
    let fields = Fields::load(&app, &session, &configuration, &asked.filter).await?;
    let seen = Seen {
        tenant,
        fields: &fields,
        names: &Names::load(&app, &configuration).await?,
        asked: &asked,
        page: &page,
        any,
        first_type: types.iter().find(|one| one.details.enabled),
        public_base: &app.public_base,
    };
    Ok(shown(draw(&frame, &seen)))
}

/// The page.
pub(super) fn draw(frame: &Frame, seen: &Seen) -> String {
    let base = format!("/tenants/{}/events", seen.tenant);
    let Seen { asked, page, .. } = seen;
    let export = format!("/tenants/{}/exports/new{}", seen.tenant, asked.filter.query(Cursor::Newest));
    let list = if !seen.any {
        nothing_yet(seen)
    } else if page.events.is_empty() {
        no_match(&base, page)
    } else {
        let (newer, older) = turns(&base, &asked.filter, page);
        view! {
            {table(frame, seen)}
            <Pager newer=newer older=older summary=summary(page, asked.cursor)/>
        }
        .into_any()
    };
    let advice = seen.fields.advice(seen.tenant, &asked.filter);
    let body = view! {
        <PageHeader title="Events" lead="What came in, newest first.">
            {seen.any.then(|| view! { <LinkButton href=export icon=Icon::Download>"Export…"</LinkButton> })}
            <LinkButton href=format!("/tenants/{}/live", seen.tenant) icon=Icon::Live>"Watch live"</LinkButton>
        </PageHeader>
        {seen.any.then(|| filters(&base, seen, frame.zone()))}
        {wrong(asked)}
        {fresh(frame, &base, seen)}
        {looked(&base, (&asked.filter, asked.cursor), page, frame.moment(), advice)}
        {list}
    };
    ui::page(frame, "Events", vec![], body.into_any())
}

fn filters(base: &str, seen: &Seen, zone: Zone) -> AnyView {
    let filter = &seen.asked.filter;
    let verdicts = vec![
        Choice::new("", "Any verdict"),
        Choice::new(Verdict::Accepted.word(), "Accepted"),
        Choice::new(WARNED, "Accepted with a warning"),
        Choice::new(Verdict::Quarantined.word(), "Quarantined"),
        Choice::new(Verdict::Mended.word(), "Mended"),
    ];
    let event_type = filter.event_type.map(|id| id.to_string()).unwrap_or_default();
    let verdict = filter.verdict_word().unwrap_or_default();
    let (field, value) = match (&filter.field, &seen.asked.typed) {
        (Some(asked), _) => (asked.field.label().to_owned(), asked.value.clone()),
        (None, Some(typed)) => typed.clone(),
        (None, None) => Default::default(),
    };
    let clear = (!filter.is_empty() || seen.asked.typed.is_some()).then(|| base.to_owned());
    view! {
        <Filters action=base nostrip:clear=clear>
            <Select name="type" label="Type" choices=seen.names.type_choices() value=event_type/>
            <Select name="verdict" label="Verdict" choices=verdicts value=verdict/>
            <Field
                name="field"
                label="Field"
                optional=true
                autocomplete="off"
                suggestions=seen.fields.suggestions()
                value=field
            />
            <Field name="value" label="Is" optional=true autocomplete="off" value=value/>
            {token_and_time(seen.names, filter, zone)}
            {beside(filter)}
        </Filters>
        {filter.receipt.map(|receipt| view! { <p>"Only what came in one request: receipt "{ui::mono(receipt.to_string())}</p> })}
        {filter.group.map(|group| {
            let href = failures::href(seen.tenant, group);
            view! { <p>"Only events in quarantine of one "{ui::link(href, "group of failures")}</p> }
        })}
    }
    .into_any()
}

/// The announcement of newer events, where they would be on this page.
fn fresh(frame: &Frame, base: &str, seen: &Seen) -> Option<AnyView> {
    let Asked { filter, cursor, .. } = seen.asked;
    let of_type_alone = Filter { event_type: filter.event_type, ..Filter::default() } == *filter;
    let known = filter.event_type.is_none_or(|id| seen.names.types.iter().any(|(known, _)| *known == id));
    if !known || !seen.any || *cursor != Cursor::Newest || !of_type_alone {
        return None;
    }
    let after = seen.page.events.first().map_or_else(|| EventId::floor(frame.now), |newest| newest.id);
    let tenant = seen.tenant;
    let stream = match filter.event_type {
        Some(event_type) => format!("/tenants/{tenant}/event-types/{event_type}/stream?after={after}"),
        None => format!("/tenants/{tenant}/stream?after={after}"),
    };
    let newest = format!("{base}{}", filter.query(Cursor::Newest));
    Some(view! { <NewEvents stream=stream newest=newest/> }.into_any())
}

fn table(frame: &Frame, seen: &Seen) -> AnyView {
    let columns = vec![
        Column::text("Received"),
        Column::text("Type"),
        Column::text("Verdict"),
        Column::text("Payload").wide_only(),
    ];
    let row = |event: &Event| {
        let received = frame.moment().in_full(event.id.received_at());
        vec![
            ui::link(event_href(seen.tenant, event.id), received),
            ui::text(seen.names.of_type(event.event_type_id)),
            verdict(event),
            ui::mono(beginning(&event.payload, IN_A_ROW)),
        ]
    };
    let rows = seen.page.events.iter().map(row).collect();
    view! { <DataTable caption="Events, newest first" columns=columns rows=rows/> }.into_any()
}

fn no_match(base: &str, page: &Page) -> AnyView {
    let why = match page.scanned_to {
        Some(_) => "None of the events that were looked at matches. Look further, or ask for less.",
        None => "This tenant has events, but none that the filter asks for.",
    };
    view! {
        <Empty icon=Icon::Search title="No event matches" why=why>
            <LinkButton href=base tone=Tone::Primary>"Clear the filter"</LinkButton>
        </Empty>
    }
    .into_any()
}

fn nothing_yet(seen: &Seen) -> AnyView {
    let next = if let Some(event_type) = seen.first_type {
        // from the beginning on: one that comes while this page travels is told too
        let stream = format!("/tenants/{}/stream?after={}", seen.tenant, uuid::Uuid::nil());
        let explorer = format!("/tenants/{}/events", seen.tenant);
        let code = event_types::curl(seen.public_base, event_type, "$TRIBUTARY_TOKEN");
        let tokens = format!("/tenants/{}/tokens", seen.tenant);
        view! {
            <FirstEvent stream=stream explorer=explorer/>
            <CodeBlock id="curl" label="Send the first one: curl" code=code/>
            <p>"The command needs a token: "{ui::link(tokens, "see the tokens of this tenant")}"."</p>
        }
        .into_any()
    } else {
        let href = format!("/tenants/{}/event-types", seen.tenant);
        view! { <LinkButton href=href tone=Tone::Primary>"Go to the event types"</LinkButton> }.into_any()
    };
    let why = match seen.first_type {
        Some(_) => "Here stands every event that the external systems of this tenant send.",
        None => {
            "Here stands every event that the external systems of this tenant send. First of all, say what they hold."
        }
    };
    view! { <Empty icon=Icon::Events title="No events yet" why=why>{next}</Empty> }.into_any()
}
