//! Everybody who can sign in, could, or is invited to.
use std::collections::HashMap;

use axum::{
    extract::{Query, RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;

use super::{binding, bindings, frame, invited, state, tenant_names};
use crate::{
    app::App,
    auth::{
        Administer, Grant, Role, Session,
        store::{self, Filter, Invitation, Person, StateOfAccount},
    },
    error::Result,
    form::{shown, without_blanks},
    ids::TenantId,
    people::Asked,
    ui::{
        self, Badge, Card, Choice, Column, DataTable, Empty, Filters, Frame, Icon, LinkButton, Notice, PageHeader, Row,
        Select, Tone,
    },
};

/// What the page shows.
struct Seen {
    people: Vec<Person>,
    invitations: Vec<Invitation>,
    names: Vec<(TenantId, String)>,
    /// Whether staff needs a second factor, and how many have none.
    required: bool,
    without: i64,
}

/// Shows the list.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    RawQuery(query): RawQuery,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let query = query.unwrap_or_default();
    if let Some(tidy) = without_blanks("/people", &query) {
        return Ok(tidy.into_response());
    }
    let filter = asked.filter();
    let seen = Seen {
        people: store::list_people(&app.db, &grant, filter).await?,
        invitations: matching(store::invitations(&app.db, &grant).await?, filter),
        names: tenant_names(&app, &grant).await?,
        required: store::second_factor_is_required(&app.db).await?,
        without: store::staff_without_second_factor(&app.db, &grant).await?,
    };
    let path = if query.is_empty() { "/people".to_owned() } else { format!("/people?{query}") };
    let mut frame = frame(&app, &session, path).await?;
    frame.notice = match asked.done.as_deref() {
        Some("revoked") => Some(Notice::ok("The invitation is revoked: its link works no more.")),
        Some("required") => Some(Notice::ok("Everybody but customers now needs a second factor.")),
        Some("not-required") => Some(Notice::ok("A second factor is everybody's own choice again.")),
        _ => None,
    };
    Ok(shown(page(&frame, &seen, &asked)))
}

/// Invitations, filtered as accounts are.
fn matching(all: Vec<Invitation>, filter: Filter) -> Vec<Invitation> {
    let fits = |one: &Invitation| {
        filter.state.is_none_or(|state| state == StateOfAccount::Invited)
            && filter.role.is_none_or(|role| role == one.role)
            && filter.tenant.is_none_or(|tenant| Some(tenant) == one.tenant_id)
    };
    all.into_iter().filter(fits).collect()
}

fn page(frame: &Frame, seen: &Seen, asked: &Asked) -> String {
    let none = seen.people.is_empty() && seen.invitations.is_empty();
    let list = if none {
        view! {
            <Empty icon=Icon::People title="Nobody fits" why="No account and no invitation is like that. Ask for less, or invite somebody.">
                <LinkButton href="/people">"Show everybody"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        view! { <Card flush=true>{table(frame, seen)}</Card> }.into_any()
    };
    let body = view! {
        <PageHeader title="People" lead="Who can sign in, and what they may do.">
            <LinkButton href="/people/invite" tone=Tone::Primary icon=Icon::Plus>"Invite somebody"</LinkButton>
        </PageHeader>
        {filters(seen, asked)}
        {list}
        {requirement(seen)}
    };
    ui::page(frame, "People", Vec::new(), body.into_any())
}

fn filters(seen: &Seen, asked: &Asked) -> AnyView {
    let any = |label: &str| Choice::new("", label);
    let roles = std::iter::once(any("Any")).chain(Role::ALL.map(|role| Choice::new(role.word(), role.title())));
    let states = [
        any("Any"),
        Choice::new("active", "Active"),
        Choice::new("invited", "Invited"),
        Choice::new("deactivated", "Deactivated"),
    ];
    let mut tenants = bindings(&seen.names);
    tenants[0] = any("Any");
    let filtered = !(asked.role.is_empty() && asked.state.is_empty() && asked.tenant.is_empty());
    let clear = filtered.then(|| "/people".to_owned());
    view! {
        <Filters action="/people" nostrip:clear=clear>
            <Select name="role" label="Role" choices=roles.collect() value=asked.role.as_str()/>
            <Select name="state" label="State" choices=states.to_vec() value=asked.state.as_str()/>
            <Select name="tenant" label="Tenant" choices=tenants value=asked.tenant.as_str()/>
        </Filters>
    }
    .into_any()
}

fn table(frame: &Frame, seen: &Seen) -> AnyView {
    let now = frame.moment();
    let names: HashMap<_, _> = seen.names.iter().cloned().collect();
    let columns = vec![
        Column::text("Name"),
        Column::text("Role"),
        Column::text("Tenant"),
        Column::text("State"),
        Column::text("Second factor"),
        Column::text("Last seen"),
    ];
    let people = seen.people.iter().map(|person| {
        let factor = if person.second_factor {
            view! { <Badge state=ui::State::Ok word="on"/> }.into_any()
        } else {
            ui::muted("off")
        };
        vec![
            who(format!("/people/{}", person.id), &person.name, &person.email),
            ui::text(person.role.title()),
            binding(&names, person.tenant_id),
            state(person),
            factor,
            person.seen_at.map_or_else(|| ui::muted("never"), |at| ui::ago(now, at)),
        ]
    });
    let invitations = seen.invitations.iter().map(|one| {
        let name = one.name.as_deref().unwrap_or(&one.email);
        let email = if one.name.is_some() { one.email.as_str() } else { "" };
        vec![
            who(format!("/people/invitations/{}", one.id), name, email),
            ui::text(one.role.title()),
            binding(&names, one.tenant_id),
            invited(one.is_open(frame.now)),
            ui::muted("—"),
            ui::muted("never"),
        ]
    });
    view! { <DataTable caption="People" columns=columns rows=people.chain(invitations).collect()/> }.into_any()
}

/// A name that leads to its page, and the address under it.
fn who(href: String, name: &str, email: &str) -> AnyView {
    let email = (!email.is_empty()).then(|| view! { <div>{ui::muted(email)}</div> });
    view! { {ui::link(href, name)} {email} }.into_any()
}

fn requirement(seen: &Seen) -> AnyView {
    let (badge, lead, verb) = if seen.required {
        let badge = view! { <Badge state=ui::State::Ok word="required"/> }.into_any();
        (badge, "Everybody but customers needs one to get anywhere.", "Require it no longer…")
    } else {
        let badge = view! { <Badge state=ui::State::Neutral word="not required"/> }.into_any();
        (badge, "Each person decides for themselves.", "Require it…")
    };
    let without = match seen.without {
        0 => "All of your staff have one.".to_owned(),
        1 => "One active person of your staff has none.".to_owned(),
        n => format!("{n} active people of your staff have none."),
    };
    view! {
        <Card title="Second factor" lead=lead action=badge>
            <p>{without}</p>
            <Row><LinkButton href="/people/second-factor">{verb}</LinkButton></Row>
        </Card>
    }
    .into_any()
}
