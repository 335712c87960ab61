//! One token: whether it works, who uses it and how, what there is to look after, and what was done to it.
use std::collections::HashMap;

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use leptos::prelude::*;

use super::{Named, address, crumbs, mood, state, types_of};
use crate::{
    app::App,
    audit,
    auth::{Configure, Permit, ReadConfiguration, Session},
    error::Result,
    event_types,
    form::{Done, shown},
    ids::{EventTypeId, TokenId},
    tenants,
    tokens::{
        self, State as Standing, Token, Warning,
        store::uses::LastUse,
        uses::{Place, Why},
    },
    ui::{
        self, Alert, Badge, Card, CodeBlock, Column, Columns, DataTable, Facts, Frame, Icon, LinkButton, Notice,
        PageHeader, Row, Section, Tone,
    },
};

/// How many networks are in sight.
const NETWORKS: usize = 12;
/// How many of its changes are in sight.
const CHANGES: i64 = 10;

/// What the page shows.
struct Seen {
    watched: tokens::Watched,
    /// Whose place it took, and who takes its place.
    predecessor: Option<Token>,
    successor: Option<Token>,
    types: HashMap<EventTypeId, String>,
    history: Vec<audit::Entry>,
    names: audit::Names,
    may_configure: bool,
}

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadConfiguration>,
    Path(named): Path<Named>,
    Query(asked): Query<Done>,
) -> Result<Response> {
    let (tenant, id) = (permit.tenant(), named.id()?);
    let watched = tokens::store::watch_one(&app.db, &permit, id, app.clock.now()).await?;
    let mut frame = tenants::frame(&app, &session, Some(tenant), Section::Tokens, address(&watched.token)).await?;
    frame.notice = asked.done.as_deref().and_then(said).map(Notice::ok);
    let related = async |id: Option<TokenId>| match id {
        Some(id) => tokens::get(&app.db, &permit, id).await.map(Some),
        None => Ok(None),
    };
    let types = event_types::store::names(&app.db, tenant).await?;
    let seen = Seen {
        predecessor: related(watched.token.predecessor_id).await?,
        successor: related(watched.token.successor_id).await?,
        types: types.into_iter().map(|(id, name)| (id, name.to_string())).collect(),
        history: audit::store::of_object(&app.db, &permit, id, CHANGES).await?,
        names: audit::Names::of_tenant(&app, &permit).await?,
        may_configure: session.permit::<Configure>(tenant).is_ok(),
        watched,
    };
    Ok(shown(page(&frame, &seen)))
}

/// What an act that led here has done.
fn said(done: &str) -> Option<&'static str> {
    match done {
        "changed" => Some("Saved: it holds everywhere within a second."),
        "ended" => Some("The overlap has ended: the old token is refused everywhere within a second."),
        "prolonged" => Some("The overlap is changed: it holds everywhere within a second."),
        "revoked" => Some("The token is revoked: it is refused everywhere within a second."),
        _ => None,
    }
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let token = &seen.watched.token;
    let here = address(token);
    let actions = (seen.may_configure && token.state(frame.now) != Standing::Revoked).then(|| {
        let rollable = seen.successor.as_ref().is_none_or(|successor| successor.revoked_at.is_some());
        let roll = rollable.then(|| {
            view! { <LinkButton href=format!("{here}/roll") tone=Tone::Primary icon=Icon::Roll>"Roll…"</LinkButton> }
        });
        view! {
            <LinkButton href=format!("{here}/revoke") tone=Tone::Quiet>"Revoke…"</LinkButton>
            <LinkButton href=format!("{here}/edit")>"Edit"</LinkButton>
            {roll}
        }
    });
    let main = view! {
        {replaced(frame, seen)}
        {replaces(frame, seen)}
        {last_use(frame, seen)}
        {networks(frame, seen)}
        {history(frame, seen)}
    };
    let aside = view! { {about(frame, seen)} {commands(frame, seen)} };
    let body = view! {
        <PageHeader title=token.details.name.as_str() badge=state(frame, token)>{actions}</PageHeader>
        {seen.watched.warnings.iter().map(|warning| alert(frame, warning)).collect_view()}
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    ui::page(frame, token.details.name.as_str(), crumbs(frame, None), body.into_any())
}

/// What there is to look after: what, when, and what to do.
fn alert(frame: &Frame, warning: &Warning) -> AnyView {
    let when = ui::ago(frame.moment(), warning.at());
    let when = match warning {
        Warning::Expiring { .. } => view! { "It ends "{when}". " },
        Warning::NeverUsed { .. } => view! { "It was created "{when}". " },
        Warning::NewNetwork { .. } => view! { "It first came from there "{when}". " },
        Warning::NotSwitched { .. } => view! { "It was last used "{when}". " },
        _ => view! { "The last time was "{when}". " },
    };
    view! { <Alert state=mood(warning) title=warning.title()><p>{when}{warning.advice()}</p></Alert> }.into_any()
}

/// "Last used 3 min ago by curl from 192.0.2.7".
fn in_short(frame: &Frame, used_at: Option<chrono::DateTime<chrono::Utc>>, last: Option<&LastUse>) -> AnyView {
    let Some(at) = used_at else { return ui::text("never used") };
    let by = last.and_then(|last| Some((last.agent.clone()?, last.address.clone()?)));
    let by = by.map(|(agent, address)| view! { " by "{agent}" from "{ui::mono(address)} });
    view! { "last used "{ui::ago(frame.moment(), at)}{by} }.into_any()
}

/// Of a token that was rolled: until when it works, and whether its sender has switched.
fn replaced(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let (token, successor) = (&seen.watched.token, seen.successor.as_ref()?);
    let end = token.ends_at()?;
    let works = token.overlaps(frame.now);
    let lead = if works { "Both work until the old one ends." } else { "It was rolled, and its overlap is over." };
    let since = token.last_used_at.is_some_and(|used| used > successor.created_at);
    let (colour, word) = match (since, successor.last_used_at.is_some()) {
        (true, _) if works => (ui::State::Warning, "not switched yet"),
        (true, _) => (ui::State::Neutral, "used the old one last"),
        (false, true) => (ui::State::Ok, "has switched"),
        (false, false) => (ui::State::Neutral, "has sent nothing since"),
    };
    let change = (seen.may_configure && token.revoked_at.is_none()).then(|| {
        let word = if works { "End or prolong…" } else { "Give it more time…" };
        view! { <LinkButton href=format!("{}/overlap", address(token))>{word}</LinkButton> }.into_any()
    });
    let end_label = if works { "Works until" } else { "Ended" };
    let items = vec![
        (end_label, ui::at(frame.moment(), end)),
        ("Its sender", view! { <Badge state=colour word=word/> }.into_any()),
        ("This one", in_short(frame, token.last_used_at, seen.watched.last_use.as_ref())),
        ("Successor", relative(frame, successor)),
    ];
    let title = if works { "Being replaced" } else { "Replaced" };
    Some(match change {
        Some(change) => view! { <Card title=title lead=lead action=change><Facts items=items/></Card> }.into_any(),
        None => view! { <Card title=title lead=lead><Facts items=items/></Card> }.into_any(),
    })
}

/// Of a token that took another's place: whether that one is still used.
fn replaces(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let predecessor = seen.predecessor.as_ref()?;
    let now = frame.moment();
    let end = match predecessor.state(frame.now) {
        Standing::Revoked => ui::text("revoked"),
        _ => predecessor.ends_at().map_or_else(|| ui::text("not yet"), |end| ui::at(now, end)),
    };
    let items = vec![("Predecessor", relative(frame, predecessor)), ("It ends", end)];
    Some(view! { <Card title="Took the place of another"><Facts items=items/></Card> }.into_any())
}

/// Another token in a line.
fn relative(frame: &Frame, token: &Token) -> AnyView {
    view! {
        {ui::link(address(token), token.details.name.as_str())}" "{ui::mono(format!("{}…", token.prefix))}", "
        {in_short(frame, token.last_used_at, None)}
    }
    .into_any()
}

fn last_use(frame: &Frame, seen: &Seen) -> AnyView {
    let now = frame.moment();
    let token = &seen.watched.token;
    let Some(last) = &seen.watched.last_use else {
        let when = token.last_used_at.map_or_else(|| ui::muted("never"), |at| ui::at(now, at));
        return view! { <Card title="Last use"><Facts items=vec![("When", when)]/></Card> }.into_any();
    };
    let mut items = vec![("When", token.last_used_at.map_or_else(|| ui::muted("never"), |at| ui::at(now, at)))];
    items.extend(last.address.clone().map(|address| ("From", ui::mono(address))));
    items.extend(last.agent.clone().map(|agent| ("Sender", ui::text(agent))));
    items.extend(last.place.map(|stood| ("Token in", place(stood))));
    if let (Some(at), Some(origin)) = (last.browser_at, &last.origin) {
        let origin = origin.clone();
        items.push(("By a web page", view! { {ui::mono(origin)}" "{ui::ago(now, at)} }.into_any()));
    }
    if let (Some(at), Some(why), Some(address)) = (last.refused_at, last.refused_why, &last.refused_address) {
        let why = match why {
            Why::Ended => "it had ended",
            Why::Network => "outside its networks",
        };
        let from = ui::mono(address.clone());
        items.push(("Last refused", view! { {ui::ago(now, at)}" from "{from}": "{why} }.into_any()));
    }
    view! { <Card title="Last use" lead="Whatever opened the front door counts, dry runs too."><Facts items=items/></Card> }
        .into_any()
}

fn place(place: Place) -> AnyView {
    match place {
        Place::Header => view! { "the header "{ui::mono("X-CM-PRODUCTTOKEN")} }.into_any(),
        Place::Bearer => view! { "the header "{ui::mono("Authorization: Bearer")} }.into_any(),
        Place::Query => ui::text("the address"),
    }
}

fn networks(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let networks = &seen.watched.networks;
    if networks.is_empty() {
        return None;
    }
    let now = frame.moment();
    let new = |network: &str| {
        let is = |one: &Warning| matches!(one, Warning::NewNetwork { network: new, .. } if new == network);
        seen.watched.warnings.iter().any(is).then(|| view! { " "<Badge state=ui::State::Warning word="new"/> })
    };
    let rows = networks.iter().take(NETWORKS).map(|one| {
        // what it was made to know when it took the place of another
        let inherited = (one.is_inherited_by(&seen.watched.token) && one.last_at < seen.watched.token.created_at)
            .then(|| view! { <div>{ui::muted("known by its predecessor")}</div> });
        vec![
            view! { {ui::mono(one.network.clone())}{new(&one.network)}{inherited} }.into_any(),
            ui::ago(now, one.first_at),
            ui::ago(now, one.last_at),
        ]
    });
    let columns = vec![Column::text("Network"), Column::text("First seen"), Column::text("Last seen")];
    let more = networks.len().saturating_sub(NETWORKS);
    let lead = if more > 0 {
        format!("Where it came from, last seen first; {more} more are not shown.")
    } else {
        "Where it came from, last seen first.".to_owned()
    };
    Some(
        view! {
            <Card title="Networks" lead=lead flush=true>
                <DataTable caption="Networks" columns=columns rows=rows.collect()/>
            </Card>
        }
        .into_any(),
    )
}

fn history(frame: &Frame, seen: &Seen) -> AnyView {
    let token = &seen.watched.token;
    let all = format!("/tenants/{}/audit?object={}", token.tenant_id, token.id);
    let action = view! { <LinkButton href=all tone=Tone::Quiet>"In the audit trail"</LinkButton> }.into_any();
    view! {
        <Card title="What was done to it" action=action flush=true>
            {audit::history(frame, "What was done to it", &seen.history, &seen.names)}
        </Card>
    }
    .into_any()
}

fn about(frame: &Frame, seen: &Seen) -> AnyView {
    let token = &seen.watched.token;
    let (details, now) = (&token.details, frame.moment());
    let networks = match &details.addresses {
        None => ui::text("anywhere"),
        Some(list) => list.iter().map(|one| view! { <div>{ui::mono(one.to_string())}</div> }).collect_view().into_any(),
    };
    let mut items = vec![
        ("Begins with", ui::mono(format!("{}…", token.prefix))),
        ("Good for", ui::text(types_of(token, &seen.types))),
        ("May come from", networks),
        ("May configure", ui::text(if details.can_configure { "anonymous use" } else { "nothing" })),
        ("Expires", details.expires_at.map_or_else(|| ui::text("never"), |at| ui::at(now, at))),
        ("Created", ui::at(now, token.created_at)),
    ];
    items.extend(token.revoked_at.map(|at| ("Revoked", ui::at(now, at))));
    items.push(("Id", ui::mono(token.id.to_string())));
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}

/// The same by the command line.
fn commands(frame: &Frame, seen: &Seen) -> Option<AnyView> {
    let token = &seen.watched.token;
    if !seen.may_configure || token.state(frame.now) == Standing::Revoked {
        return None;
    }
    let named = format!("--tenant {} {}", token.tenant_id, token.id);
    let act = if seen.successor.is_some() { "overlap" } else { "roll" };
    let code = format!("tributary token show {named}\ntributary token {act} {named} --overlap 1d");
    Some(
        view! {
            <Card title="On the command line">
                <CodeBlock id="commands" label="tributary" code=code/>
                <Row>{ui::muted("Find it in files: tributary token scan PATH")}</Row>
            </Card>
        }
        .into_any(),
    )
}
