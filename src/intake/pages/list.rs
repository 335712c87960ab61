//! The integrations that somebody may see, as a list that is sorted and filtered by its address.
use std::{cmp::Ordering, collections::HashMap};

use axum::{
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use url::form_urlencoded;

use super::{crumbs, name_of, stage, turn};
use crate::{
    app::App,
    auth::{
        ListTenants, Permit, RunIntakes, SeeIntegrations, Session,
        store::{Colleague, colleagues},
    },
    error::Result,
    form::{shown, without_blanks},
    ids::TenantId,
    intake::{
        Integration, Side, Stage, address,
        quotation::{store::worths, worth::Worths},
        store::{self, Scope},
    },
    tenants,
    ui::{
        self, Card, Choice, Column, DataTable, Empty, Filters, Frame, Icon, LinkButton, PageHeader, Section, Select,
        Sort, Tab, Tabs, Tone,
    },
};

/// What a row can be sorted by.
const KEYS: [&str; 6] = ["name", "stage", "owner", "value", "age", "turn"];

/// What the address asks for.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Asked {
    stage: Option<Stage>,
    turn: Option<Side>,
    owner: String,
    sort: String,
    down: bool,
}

impl Asked {
    /// Reads a query; what is not understood is left out.
    fn parse(query: &str) -> Self {
        let mut asked = Self::default();
        for (key, value) in form_urlencoded::parse(query.as_bytes()) {
            match &*key {
                "stage" => asked.stage = value.parse().ok(),
                "turn" => asked.turn = value.parse().ok(),
                "owner" => asked.owner = value.into_owned(),
                "sort" => {
                    asked.down = value.starts_with('-');
                    value.trim_start_matches('-').clone_into(&mut asked.sort);
                }
                _ => {}
            }
        }
        if !KEYS.contains(&asked.sort.as_str()) {
            // who waits longest, first
            (asked.sort, asked.down) = ("turn".into(), false);
        }
        asked
    }

    fn is_filtered(&self) -> bool {
        self.stage.is_some() || self.turn.is_some() || !self.owner.is_empty()
    }

    /// The address that sorts by `key`, the other way when that is so already.
    fn sorted_by(&self, base: &str, key: &str) -> (Sort, String) {
        let here = self.sort == key;
        let now = match (here, self.down) {
            (false, _) => Sort::None,
            (true, false) => Sort::Ascending,
            (true, true) => Sort::Descending,
        };
        let down = if here && !self.down { "-" } else { "" };
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.stage.map(|stage| ("stage", stage.word())));
        query.extend_pairs(self.turn.map(|turn| ("turn", turn.word())));
        if !self.owner.is_empty() {
            query.append_pair("owner", &self.owner);
        }
        query.append_pair("sort", &format!("{down}{key}"));
        (now, format!("{base}?{}", query.finish()))
    }

    fn keeps(&self, of: &Integration) -> bool {
        let owner = match self.owner.as_str() {
            "" => true,
            "nobody" => of.details.owner_id.is_none(),
            id => of.details.owner_id.is_some_and(|owner| owner.to_string() == id),
        };
        owner
            && self.stage.is_none_or(|stage| of.stage == stage)
            && self.turn.is_none_or(|turn| of.stage.is_open() && of.next.turn == turn)
    }

    fn order(&self, staff: &[Colleague], worths: &Worths, one: &Integration, other: &Integration) -> Ordering {
        let name = |of: &Integration| of.details.name.as_str().to_lowercase();
        let order = match self.sort.as_str() {
            "name" => name(one).cmp(&name(other)),
            "stage" => one.stage.cmp(&other.stage).then(one.stage_since.cmp(&other.stage_since)),
            "owner" => {
                let owner = |of: &Integration| name_of(staff, of.details.owner_id).map(|name| name.to_lowercase());
                // nobody's last
                let (a, b) = (owner(one), owner(other));
                a.is_none().cmp(&b.is_none()).then(a.cmp(&b))
            }
            "value" => {
                // amounts of one currency stand together; what is not quoted comes last
                let worth = |of: &Integration| worths.get(&(of.tenant_id, of.id));
                let (a, b) = (worth(one), worth(other));
                a.is_none().cmp(&b.is_none()).then(a.cmp(&b))
            }
            "age" => other.created_at.cmp(&one.created_at),
            // what is open first, and of that, what waits longest
            _ => other.stage.is_open().cmp(&one.stage.is_open()).then(one.turn_since.cmp(&other.turn_since)),
        };
        let order = if self.down { order.reverse() } else { order };
        order.then_with(|| one.id.cmp(&other.id))
    }
}

/// Of all tenants, or of the one that the viewer is bound to.
pub(super) async fn all(State(app): State<App>, session: Session, RawQuery(query): RawQuery) -> Result<Response> {
    let query = query.unwrap_or_default();
    if let Some(to) = without_blanks("/integrations", &query) {
        return Ok(to.into_response());
    }
    let scope = Scope::of(&session.actor)?;
    let frame = tenants::frame(&app, &session, None, Section::Integrations, "/integrations").await?;
    let all = store::list(&app.db, &scope).await?;
    let staff = colleagues(&app.db, &session.actor).await?;
    let tenants = tenant_names(&app, &session).await?;
    let worths = worths(&app.db, &scope).await?;
    let asked = Asked::parse(&query);
    let body = view! {
        <PageHeader title="Integrations" lead="From the first conversation to the day it is live: what stands where, and who is waited for.">
            <LinkButton href="/integrations/export.csv" icon=Icon::Download>"Export"</LinkButton>
            <LinkButton href="/guide" tone=Tone::Quiet icon=Icon::Guide>"Guide"</LinkButton>
        </PageHeader>
        {views("/integrations")}
        {list(&frame, "/integrations", &asked, all, (&staff, &worths), Some(&tenants), None)}
    };
    Ok(shown(ui::page(&frame, "Integrations", Vec::new(), body.into_any())))
}

/// List, board and funnel.
pub(super) fn views(current: &str) -> AnyView {
    let tabs = vec![
        Tab::new("List", "/integrations"),
        Tab::new("Board", "/integrations/board"),
        Tab::new("Funnel", "/integrations/funnel"),
    ];
    view! { <Tabs label="Views of integrations" tabs=tabs current=current/> }.into_any()
}

/// What tenants are called, as far as the viewer may know.
pub(super) async fn tenant_names(app: &App, session: &Session) -> Result<HashMap<TenantId, String>> {
    let all = match (session.actor.tenant, session.grant::<ListTenants>()) {
        (Some(own), _) => vec![tenants::get(&app.db, &session.permit(own)?).await?],
        (None, Ok(grant)) => tenants::list(&app.db, &grant).await?,
        (None, Err(_)) => Vec::new(),
    };
    Ok(all.into_iter().map(|tenant| (tenant.id, tenant.name.to_string())).collect())
}

/// Of one tenant.
pub(super) async fn of_tenant(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let (tenant, query) = (permit.tenant(), query.unwrap_or_default());
    let base = format!("/tenants/{tenant}/integrations");
    if let Some(to) = without_blanks(&base, &query) {
        return Ok(to.into_response());
    }
    let frame = tenants::frame(&app, &session, Some(tenant), Section::TenantIntegrations, base.as_str()).await?;
    let may_run = session.permit::<RunIntakes>(tenant).is_ok();
    let scope = Scope::One(permit);
    let all = store::list(&app.db, &scope).await?;
    let worths = worths(&app.db, &scope).await?;
    let staff = colleagues(&app.db, &session.actor).await?;
    let asked = Asked::parse(&query);
    let new = || {
        may_run.then(|| {
            let href = format!("{base}/new");
            view! { <LinkButton href=href tone=Tone::Primary icon=Icon::Plus>"New integration"</LinkButton> }.into_any()
        })
    };
    let head = (!all.is_empty()).then(&new);
    let body = view! {
        <PageHeader title="Integrations" lead="What this customer needs, and which external systems meet it.">{head}</PageHeader>
        {list(&frame, &base, &asked, all, (&staff, &worths), None, new())}
    };
    let crumbs = crumbs(&frame).into_iter().take(1).collect();
    Ok(shown(ui::page(&frame, "Integrations", crumbs, body.into_any())))
}

fn list(
    frame: &Frame,
    base: &str,
    asked: &Asked,
    all: Vec<Integration>,
    (staff, worths): (&[Colleague], &Worths),
    tenants: Option<&HashMap<TenantId, String>>,
    new: Option<AnyView>,
) -> AnyView {
    if all.is_empty() {
        let why = "An integration begins with a conversation: an intake finds out whether an external system can meet \
                   what a customer needs, and ends in one of three scenarios.";
        let first = new.unwrap_or_else(|| {
            view! { <LinkButton href="/tenants">"Choose a tenant to begin one"</LinkButton> }.into_any()
        });
        return view! {
            <Empty icon=Icon::Join title="No integrations yet" why=why>
                {first}
                <LinkButton href="/guide" tone=Tone::Quiet>"Read how it works"</LinkButton>
            </Empty>
        }
        .into_any();
    }
    let mut rows: Vec<_> = all.into_iter().filter(|of| asked.keeps(of)).collect();
    rows.sort_by(|one, other| asked.order(staff, worths, one, other));
    let filters = filters(base, asked, staff);
    if rows.is_empty() {
        return view! {
            {filters}
            <Empty icon=Icon::Search title="Nothing matches" why="No integration is at this stage, waits for them and is theirs at once.">
                <LinkButton href=base.to_owned()>"Show all"</LinkButton>
            </Empty>
        }
        .into_any();
    }
    view! { {filters} <Card flush=true>{table(frame, base, asked, &rows, (staff, worths), tenants)}</Card> }.into_any()
}

fn filters(base: &str, asked: &Asked, staff: &[Colleague]) -> AnyView {
    let any = |label: &str| std::iter::once(Choice::new("", label));
    let stages = any("Any stage").chain(Stage::ALL.iter().map(|one| Choice::new(one.word(), one.title()))).collect();
    let turns = any("Anybody").chain(Side::ALL.iter().map(|one| Choice::new(one.word(), one.title()))).collect();
    let people = staff.iter().filter(|one| one.active).map(|one| Choice::new(one.id.to_string(), one.name.as_str()));
    let owners = any("Anybody").chain(std::iter::once(Choice::new("nobody", "Nobody yet"))).chain(people).collect();
    let clear = asked.is_filtered().then(|| base.to_owned());
    view! {
        <Filters action=base.to_owned() nostrip:clear=clear>
            <Select name="stage" label="Stage" choices=stages value=asked.stage.map_or("", Stage::word)/>
            <Select name="turn" label="Waits for" choices=turns value=asked.turn.map_or("", Side::word)/>
            <Select name="owner" label="Owner" choices=owners value=asked.owner.clone()/>
        </Filters>
    }
    .into_any()
}

fn table(
    frame: &Frame,
    base: &str,
    asked: &Asked,
    rows: &[Integration],
    (staff, worths): (&[Colleague], &Worths),
    tenants: Option<&HashMap<TenantId, String>>,
) -> AnyView {
    let sorted = |column: Column, key: &str| {
        let (now, href) = asked.sorted_by(base, key);
        column.sorted(now, href)
    };
    let columns = vec![
        sorted(Column::text("Integration"), "name"),
        sorted(Column::text("Stage"), "stage"),
        sorted(Column::text("Waits for"), "turn"),
        Column::text("Next step").wide_only(),
        sorted(Column::text("Owner"), "owner"),
        sorted(Column::number("Value"), "value").wide_only(),
        sorted(Column::text("Began"), "age").wide_only(),
    ];
    let now = frame.moment();
    let rows = rows.iter().map(|of| {
        let system = of.details.system_name.to_string();
        let below = match tenants.and_then(|names| names.get(&of.tenant_id)) {
            Some(tenant) => format!("{tenant} · {system}"),
            None => system,
        };
        let waits = if of.stage.is_open() {
            ui::two_lines(turn(of), view! { "since "{ui::ago(now, of.turn_since)} }.into_any())
        } else {
            ui::muted("nobody")
        };
        vec![
            ui::two_lines(ui::link(address(of.tenant_id, of.id), of.details.name.as_str()), ui::text(below)),
            stage(of.stage),
            waits,
            ui::text(of.next.next_step.as_str()),
            super::owner(staff, of.details.owner_id),
            worths.get(&(of.tenant_id, of.id)).map_or_else(|| ui::muted("–"), |worth| ui::text(worth.told())),
            ui::ago(now, of.created_at),
        ]
    });
    view! { <DataTable caption="Integrations" columns=columns rows=rows.collect()/> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_sorts_and_filters_and_is_kept_by_its_links() {
        let asked = Asked::parse("stage=intake&turn=vendor&owner=nobody&sort=-name");
        assert_eq!((asked.stage, asked.turn, asked.down), (Some(Stage::Intake), Some(Side::Vendor), true));
        let (now, href) = asked.sorted_by("/x", "name");
        assert_eq!((now, href.as_str()), (Sort::Descending, "/x?stage=intake&turn=vendor&owner=nobody&sort=name"));
        assert_eq!(asked.sorted_by("/x", "age").0, Sort::None);
        let odd = Asked::parse("stage=x&sort=evil");
        assert_eq!((odd.stage, odd.sort.as_str()), (None, "turn"));
        assert!(!odd.is_filtered());
    }
}
