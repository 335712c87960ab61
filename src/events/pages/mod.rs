//! What consultants see of events: the explorer, one event, the live tail, and the quarantine.
mod explorer;
mod export;
mod live;
mod quarantine;
mod show;
#[cfg(test)]
mod tests;

use axum::{Router, routing::get};
use leptos::prelude::*;

use super::{ANONYMOUS, Asked, Cursor, Event, Filter, Source, Verdict, store::Page};
use crate::{
    app::App,
    auth::{Permit, ReadConfiguration},
    error::Result,
    event_types,
    ids::{EventId, EventTypeId, TenantId, TokenId},
    tokens,
    ui::{self, Alert, Badge, Choice, Field, Hidden, LinkButton, Select, State, Tone, Zone},
};

/// How many events a page of a list holds.
const ON_A_PAGE: usize = 50;
/// How many characters of a payload a row holds.
const IN_A_ROW: usize = 72;

/// The routes of these pages.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/events", get(explorer::show))
        .route("/tenants/{tenant}/exports/new", get(export::ask).post(export::start))
        .route("/tenants/{tenant}/exports/{task}", get(export::download))
        .route("/tenants/{tenant}/events/{event}", get(show::show))
        .route("/tenants/{tenant}/live", get(live::show))
        .route("/tenants/{tenant}/quarantine/events", get(quarantine::show))
}

/// What the ids in events are called.
struct Names {
    types: Vec<(EventTypeId, String)>,
    tokens: Vec<(TokenId, String)>,
}

impl Names {
    async fn load(app: &App, permit: &Permit<ReadConfiguration>) -> Result<Self> {
        let types = event_types::store::names(&app.db, permit.tenant()).await?;
        let tokens = tokens::list(&app.db, permit).await?;
        Ok(Self {
            types: types.into_iter().map(|(id, name)| (id, name.to_string())).collect(),
            tokens: tokens
                .into_iter()
                .map(|token| (token.id, format!("{} ({}…)", token.details.name, token.prefix)))
                .collect(),
        })
    }

    /// The name of a type, or its id when it has none any more.
    fn of_type(&self, id: EventTypeId) -> String {
        let known = self.types.iter().find(|(known, _)| *known == id);
        known.map_or_else(|| id.to_string(), |(_, name)| name.clone())
    }

    /// What can be chosen, all types first.
    fn type_choices(&self) -> Vec<Choice> {
        let all = Choice::new("", "All types");
        std::iter::once(all).chain(self.types.iter().map(|(id, name)| Choice::new(id.to_string(), name))).collect()
    }
}

fn event_href(tenant: TenantId, id: EventId) -> String {
    format!("/tenants/{tenant}/events/{id}")
}

/// The verdict as a state: an accepted event may still carry warnings.
fn verdict(event: &Event) -> AnyView {
    let (state, word) = match (event.verdict, event.errors.is_some()) {
        (Verdict::Accepted, false) => (State::Ok, "accepted"),
        (Verdict::Accepted, true) => (State::Warning, "accepted, with warnings"),
        (Verdict::Quarantined, _) => (State::Warning, "quarantined"),
        (Verdict::Mended, _) => (State::Neutral, "mended"),
    };
    view! { <Badge state=state word=word/> }.into_any()
}

/// What of the address was not understood.
fn wrong(asked: &Asked) -> Option<AnyView> {
    (!asked.wrong.is_empty()).then(|| {
        let items = asked.wrong.iter().map(|(field, why)| view! { <li>{format!("{field}: {why}")}</li> });
        view! {
            <Alert state=State::Warning title="Part of the filter was not understood and is left out">
                <ul>{items.collect_view()}</ul>
            </Alert>
        }
        .into_any()
    })
}

/// The fields of a filter for the token and the time, which is asked for in `zone`.
fn token_and_time(names: &Names, filter: &Filter, zone: Zone) -> AnyView {
    let sources = [Choice::new("", "All tokens"), Choice::new(ANONYMOUS, "No token: anonymous")]
        .into_iter()
        .chain(names.tokens.iter().map(|(id, name)| Choice::new(id.to_string(), name)));
    let source = filter.source.map(Source::word).unwrap_or_default();
    view! {
        <Select name="source" label="Token" choices=sources.collect() value=source/>
        <Field
            name="from"
            label=format!("From ({})", zone.name())
            kind="datetime-local"
            optional=true
            value=filter.from.map(|at| zone.write(at)).unwrap_or_default()
        />
        <Field
            name="until"
            label=format!("Before ({})", zone.name())
            kind="datetime-local"
            optional=true
            value=filter.until.map(|at| zone.write(at)).unwrap_or_default()
        />
    }
    .into_any()
}

/// What of a filter has no field, and is kept.
fn beside(filter: &Filter) -> AnyView {
    let kept = filter.fields().into_iter().filter(|(name, _)| ["receipt", "group"].contains(name));
    kept.map(|(name, value)| view! { <Hidden name=name value=value/> }).collect_view().into_any()
}

/// How far a page looked, when it looked no further, and the way on; and what would find it sooner.
fn looked(
    base: &str,
    (filter, cursor): (&Filter, Cursor),
    page: &Page,
    now: ui::Now,
    advice: Option<AnyView>,
) -> Option<AnyView> {
    let to = page.scanned_to?;
    let (onwards, words) = match cursor {
        Cursor::After(_) => (page.newer.map(Cursor::After), "up to"),
        Cursor::Newest | Cursor::Before(_) => (page.older.map(Cursor::Before), "back to"),
    };
    let href = format!("{base}{}", filter.query(onwards?));
    let count = ui::format::counted(page.scanned, "event");
    let title = format!("Looked through {count}, {words} {}", now.in_full(to));
    Some(
        view! {
            <Alert state=State::Neutral title=title>
                <p>"Part of this filter has no index, so a page looks at so many events and no more. There may be matches beyond."</p>
                {advice}
                <p><LinkButton href=href tone=Tone::Plain>"Look further"</LinkButton></p>
            </Alert>
        }
        .into_any(),
    )
}

/// The addresses of the pages before and after.
fn turns(base: &str, filter: &Filter, page: &Page) -> (Option<String>, Option<String>) {
    let href = |cursor| format!("{base}{}", filter.query(cursor));
    (page.newer.map(|id| href(Cursor::After(id))), page.older.map(|id| href(Cursor::Before(id))))
}

/// What a page of a list holds, in words.
fn summary(page: &Page, cursor: Cursor) -> String {
    let count = ui::format::counted(page.events.len() as u64, "event");
    match cursor {
        Cursor::Newest => format!("The newest {count}"),
        Cursor::Before(_) | Cursor::After(_) => format!("{count}, newest first"),
    }
}
