//! The list: newest first, filtered by what stands in the address.
use std::collections::HashSet;

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{
    Names,
    table::{sentence, table},
};
use crate::{
    app::App,
    audit::{
        Asked, Cursor, Eyes, Filter,
        store::{self, Page},
    },
    auth::{Administer, Grant, ListTenants, Permit, ReadConfiguration, See, Session, audit::words},
    error::Result,
    form::{settled, shown},
    tenants,
    ui::{
        self, Alert, Choice, Crumb, Empty, Field, Filters, Frame, Hidden, Icon, LinkButton, PageHeader, Pager, Section,
        Select, Tone, Zone,
    },
};

/// How many entries a page holds.
const ON_A_PAGE: usize = 50;

/// The trail of a tenant.
pub(super) async fn of_tenant(
    State(app): State<App>,
    session: Session,
    permit: Permit<See>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let tenant = permit.tenant();
    let base = format!("/tenants/{tenant}/audit");
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Audit, &*base).await?;
    let (eyes, names) = match session.permit::<ReadConfiguration>(tenant) {
        Ok(permit) => {
            let names = Names::of_tenant(&app, &permit).await?;
            (Eyes::Inside(permit), names)
        }
        Err(_) => (Eyes::Outside(permit), Names::of_types(&app, tenant).await?),
    };
    answer(&app, &session, frame, &base, &eyes, names, &query.unwrap_or_default()).await
}

/// The trail of everything.
pub(super) async fn of_all(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let frame = tenants::frame(&app, &session, None, Section::AuditOfAll, "/audit").await?;
    let tenants = tenants::store::list(&app.db, &session.grant::<ListTenants>()?).await?;
    let names = Names::of_tenants(tenants.into_iter().map(|tenant| (tenant.id, tenant.name.to_string())));
    answer(&app, &session, frame, "/audit", &Eyes::Everything(grant), names, &query.unwrap_or_default()).await
}

async fn answer(
    app: &App,
    session: &Session,
    mut frame: Frame,
    base: &str,
    eyes: &Eyes,
    names: Names,
    query: &str,
) -> Result<Response> {
    if let Some(tidy) = settled(base, query, frame.zone()) {
        return Ok(tidy.into_response());
    }
    let mut asked = Asked::parse(query);
    frame.path = format!("{base}{}", asked.filter.query(asked.cursor));
    let mut page = store::page(&app.db, eyes, &asked.filter, asked.cursor, ON_A_PAGE).await?;
    if page.entries.is_empty() && matches!(asked.cursor, Cursor::After(_)) {
        // nothing newer: that is the first page
        asked.cursor = Cursor::Newest;
        page = store::page(&app.db, eyes, &asked.filter, asked.cursor, ON_A_PAGE).await?;
    }
    let names = names.with_those_of(app, session, &page.entries).await?;
    Ok(shown(draw(&frame, base, eyes, &names, &asked, &page)))
}

fn draw(frame: &Frame, base: &str, eyes: &Eyes, names: &Names, asked: &Asked, page: &Page) -> String {
    let filter = &asked.filter;
    let (title, lead) = match eyes {
        Eyes::Everything(_) => ("All changes", "Who changed what, in every tenant and in the installation itself."),
        Eyes::Inside(_) => ("Audit trail", "Who changed what, when and from where. Nobody can alter it."),
        Eyes::Outside(_) => ("Audit trail", "Who changed what, and when. Nobody can alter it."),
    };
    let export = format!("{base}/export{}", filter.query(Cursor::Newest));
    let href = |cursor| format!("{base}{}", filter.query(cursor));
    let list = if page.entries.is_empty() {
        let why = if filter.is_empty() {
            "Whatever is changed is written here."
        } else {
            "No change is as the filter asks for."
        };
        let clear = (!filter.is_empty())
            .then(|| view! { <LinkButton href=base tone=Tone::Primary>"Clear the filter"</LinkButton> });
        view! { <Empty icon=Icon::Audit title="No changes" why=why>{clear}</Empty> }.into_any()
    } else {
        let count = ui::format::counted(page.entries.len() as u64, "change");
        let summary = if asked.cursor == Cursor::Newest {
            format!("The newest {count}")
        } else {
            format!("{count}, newest first")
        };
        view! {
            {table(frame, "Changes, newest first", &page.entries, names, eyes)}
            <Pager
                newer=page.newer.map(|id| href(Cursor::After(id)))
                older=page.older.map(|id| href(Cursor::Before(id)))
                summary=summary
            />
        }
        .into_any()
    };
    let body = view! {
        <PageHeader title=title lead=lead>
            <LinkButton href=export icon=Icon::Download>"Export"{ui::unseen(" as JSON lines")}</LinkButton>
        </PageHeader>
        {filters(base, filter, frame.zone())}
        {wrong(asked)}
        {list}
    };
    let crumbs = frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id)));
    ui::page(frame, title, crumbs.collect(), body.into_any())
}

fn filters(base: &str, filter: &Filter, zone: Zone) -> AnyView {
    let object = filter.object.clone().map(|id| view! { <Hidden name="object" value=id/> });
    let clear = (!filter.is_empty()).then(|| base.to_owned());
    view! {
        <Filters action=base nostrip:clear=clear>
            <Field
                name="actor"
                label="Who"
                kind="search"
                autocomplete="off"
                optional=true
                value=filter.actor.clone().unwrap_or_default()
            />
            <Select name="action" label="What" choices=actions() value=filter.action.clone().unwrap_or_default()/>
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
            {object}
        </Filters>
        {filter.object.clone().map(|id| view! { <p>"Only changes of one thing: "{ui::mono(id)}</p> })}
    }
    .into_any()
}

/// What can be chosen: everything, all of one kind, one action.
fn actions() -> Vec<Choice> {
    let mut choices = vec![Choice::new("", "Everything")];
    let kind = |words: &words::Words| words.action.split('.').next().unwrap_or_default();
    let mut told = HashSet::new();
    for first in words::ALL.iter().filter(|words| told.insert(kind(words))) {
        let of = kind(first);
        choices.push(Choice::new(of, format!("{}: all", sentence(&of.replace('-', " ")))));
        let those = words::ALL.iter().filter(|words| kind(words) == of);
        choices.extend(those.map(|words| Choice::new(words.action, sentence(words.words))));
    }
    choices
}

/// What of the address was not understood.
fn wrong(asked: &Asked) -> Option<AnyView> {
    (!asked.wrong.is_empty()).then(|| {
        let items = asked.wrong.iter().map(|(field, why)| view! { <li>{format!("{field}: {why}")}</li> });
        view! {
            <Alert state=ui::State::Warning title="Part of the filter was not understood and is left out">
                <ul>{items.collect_view()}</ul>
            </Alert>
        }
        .into_any()
    })
}
