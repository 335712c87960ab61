//! The page of search, what the palette asks, and the keyboard's shortcuts.
use axum::{
    Form, Router,
    extract::{Query, State},
    http::header,
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use uuid::Uuid;

use super::{Found, Group, Sought, find, tidy};
use crate::{
    app::App,
    auth::{self, See, Session},
    error::{Error, Result},
    form::{Done, shown},
    ids::{self, TenantId},
    tenants,
    ui::{
        self, Badge, Card, Columns, Empty, Frame, Hits, Icon, LinkButton, Notice, PageHeader, PostButton, Row,
        SearchBox, Section, Shortcuts,
    },
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/search", get(search))
        .route("/search/suggest", get(suggest))
        .route("/shortcuts", get(shortcuts).post(switch))
}

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    #[serde(default)]
    q: String,
    /// The tenant at hand; what is none is as if it were not there.
    #[serde(default)]
    tenant: String,
}

impl Asked {
    fn here(&self) -> Option<TenantId> {
        self.tenant.parse().ok()
    }
}

/// The page. An id that is one thing alone opens that.
async fn search(State(app): State<App>, session: Session, Query(asked): Query<Asked>) -> Result<Response> {
    let (text, here) = (tidy(&asked.q), asked.here());
    let here = here.filter(|tenant| session.permit::<See>(*tenant).is_ok());
    if text != asked.q.trim() {
        // above all: the rest of a token must not stay in the address
        return Ok(Redirect::to(&address(&text, here)).into_response());
    }
    let sought = Sought::parse(&text);
    let found = find(&app, &session, here, &sought).await?;
    if let Some(only) = found.only() {
        return Ok(Redirect::to(only).into_response());
    }
    let path = address(&text, here);
    // a tenant that has gone, or never was, is not at hand
    let frame = match tenants::frame(&app, &session, here, Section::Nowhere, path.clone()).await {
        Err(Error::NotFound(_)) => tenants::frame(&app, &session, None, Section::Nowhere, path).await?,
        other => other?,
    };
    Ok(unkept(shown(draw(&frame, &text, here, &sought, &found))))
}

fn address(text: &str, here: Option<TenantId>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !text.is_empty() {
        query.append_pair("q", text);
    }
    if let Some(here) = here {
        query.append_pair("tenant", &here.to_string());
    }
    let query = query.finish();
    if query.is_empty() { "/search".into() } else { format!("/search?{query}") }
}

/// What somebody looked for is nobody else's to see.
fn unkept(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn draw(frame: &Frame, text: &str, here: Option<TenantId>, sought: &Sought, found: &Found) -> String {
    let with = here.map(|tenant| ("tenant", tenant.to_string())).into_iter().collect();
    let groups = found.groups.iter().map(|Group { title, hits, more, .. }| {
        let hits = hits.iter().map(|hit| (hit.title.clone(), hit.detail.clone(), hit.href.clone())).collect();
        let note = more.then(|| "There are more: type another word.".to_owned());
        view! { <Hits title=*title hits=hits note=note/> }
    });
    let nothing = found.groups.is_empty().then(|| none(frame, text, sought));
    let body = view! {
        <PageHeader title="Search" lead="Names of tenants, event types and tokens, pages and actions, and any id."/>
        <SearchBox action="/search" value=text with=with/>
        {groups.collect_view()}
        {nothing}
    };
    ui::page(frame, "Search", vec![], body.into_any())
}

fn none(frame: &Frame, text: &str, sought: &Sought) -> AnyView {
    let (title, why) = match sought {
        Sought::Id(id) => (
            "Nothing that you may see has this id".to_owned(),
            format!(
                "{}An event goes when its tenant's time to keep it has passed. The id of a request stands in the log; here it is known only if it changed something.",
                made(frame, *id)
            ),
        ),
        Sought::Token(prefix) => (
            format!("No token that you may see begins with {prefix}"),
            "It may have been made elsewhere, or belong to a tenant that you do not see.".to_owned(),
        ),
        Sought::Words(_) | Sought::Nothing => (
            format!("Nothing is called “{text}”"),
            "Names, pages and ids are found here. What events hold is found by the events of a tenant, by field."
                .to_owned(),
        ),
    };
    let events = frame.tenant.as_ref().filter(|_| frame.open.contains(&Section::Events)).map(|tenant| {
        let label = format!("Events of {}", tenant.name);
        view! { <LinkButton href=Section::Events.href(&tenant.id)>{label}</LinkButton> }
    });
    view! { <Empty icon=Icon::Search title=title why=why>{events}</Empty> }.into_any()
}

/// When an id was made, of those that tell.
fn made(frame: &Frame, id: Uuid) -> String {
    let moment = ids::moment(id);
    if id.get_version_num() == 7 && moment <= frame.now {
        format!("It was made on {}. ", frame.moment().in_full(moment))
    } else {
        String::new()
    }
}

/// What the palette is answered.
#[derive(Serialize)]
struct Suggestions {
    groups: Vec<Group>,
}

async fn suggest(State(app): State<App>, session: Session, Query(asked): Query<Asked>) -> Result<Response> {
    let Found { groups } = find(&app, &session, asked.here(), &Sought::parse(&asked.q)).await?;
    let text = serde_json::to_string(&Suggestions { groups }).map_err(Error::internal)?;
    Ok(unkept(([(header::CONTENT_TYPE, "application/json")], text).into_response()))
}

async fn shortcuts(State(app): State<App>, session: Session, Query(asked): Query<Done>) -> Result<Response> {
    let mut frame = tenants::frame(&app, &session, session.actor.tenant, Section::Nowhere, "/shortcuts").await?;
    frame.notice = match asked.done.as_deref() {
        Some("on") => Some(Notice::ok("The shortcuts are on.")),
        Some("off") => Some(Notice::ok("The shortcuts are off.")),
        _ => None,
    };
    let (badge, words, fields, verb) = if session.shortcuts {
        let badge = view! { <Badge state=ui::State::Ok word="on"/> }.into_any();
        let words = "A key alone does something while no field has the focus. Those who speak to their computer, or press keys by accident, may prefer to have them off.";
        (badge, words, vec![("shortcuts", "off".to_owned())], "Switch them off")
    } else {
        let badge = view! { <Badge state=ui::State::Neutral word="off"/> }.into_any();
        let words = "No key does anything by itself. The button in the top bar opens search.";
        (badge, words, vec![("shortcuts", "on".to_owned())], "Switch them on")
    };
    let aside = view! {
        <Card title="For your account" action=badge>
            <p>{words}</p>
            <Row><PostButton action="/shortcuts" fields=fields>{verb}</PostButton></Row>
        </Card>
    };
    let body = view! {
        <PageHeader title="Keyboard shortcuts" lead="A place that you may not go to, or that needs a tenant at hand, has no key."/>
        <Columns main=view! { <Shortcuts/> }.into_any() aside=aside.into_any()/>
    };
    Ok(shown(ui::page(&frame, "Keyboard shortcuts", vec![], body.into_any())))
}

/// Whether the shortcuts are wanted.
#[derive(Debug, Default, Deserialize)]
struct Switch {
    #[serde(default)]
    shortcuts: String,
}

async fn switch(State(app): State<App>, session: Session, Form(wanted): Form<Switch>) -> Result<Response> {
    let on = wanted.shortcuts != "off";
    auth::store::set_shortcuts(&app.db, &app.clock, &session, on).await?;
    Ok(Redirect::to(if on { "/shortcuts?done=on" } else { "/shortcuts?done=off" }).into_response())
}
