//! The page of help: what the words mean, where to find what, and the ways in besides the pages.
use axum::{Router, extract::State, response::Response, routing::get};
use leptos::prelude::*;

use crate::{
    app::App,
    auth::Session,
    error::Result,
    form::shown,
    tenants,
    ui::{self, Card, CodeBlock, Columns, Facts, Frame, Near, PageHeader, Row, Section},
};

/// The route of this room.
pub fn routes() -> Router<App> {
    Router::new().route("/help", get(show))
}

/// The words of the product, as the pages use them.
const WORDS: &[(&str, &str)] = &[
    ("Tenant", "One customer of the platform. It owns everything below it, and nobody sees another's."),
    ("Event type", "One kind of event of a tenant, with its contract."),
    ("Contract", "What an event has to hold: its fields, their types, and which of them identifies a person."),
    ("Version", "Each contract that was ever active, numbered. A draft becomes the next one when it is activated."),
    ("Token", "The secret a sender sends with. It can be limited to event types and networks, and rolled."),
    ("Event", "One JSON object, accepted and kept until the retention of its tenant ends."),
    ("Quarantine", "Where an event is kept that breaks its contract, with the reasons, until it is mended."),
    (
        "Failure group",
        "Events that break the same rule at the same place. It comes back when it was resolved too early.",
    ),
    ("Receipt", "What one request became: accepted, duplicate, quarantined. Its id is in the answer to the sender."),
    ("Alert", "Something amiss, told once when it begins and once when it is over, to whom it concerns."),
    ("Task", "What takes longer than a moment: exports and replays, worked off in the background."),
];

/// Questions that people come with, and the place of the navigation that answers them.
const PLACES: &[(&str, Section, &str)] = &[
    ("Which events came in?", Section::Events, "Events"),
    ("What is coming in right now?", Section::Live, "Live"),
    ("Why was an event not taken?", Section::Quarantine, "Quarantine"),
    ("How does a sender send?", Section::EventTypes, "Event types"),
    ("Who is told when something breaks?", Section::Alerts, "Alerts"),
    ("Who may send?", Section::Tokens, "Tokens"),
    ("Who changed what?", Section::Audit, "Audit trail"),
    ("How long are events kept?", Section::Settings, "Settings"),
    ("How far is my export?", Section::Tasks, "Tasks"),
];

/// Keys that every browser has, and what they do here.
const KEYS: &[(&str, &str)] = &[
    ("Tab", "To the next link, field or button; the first on a page skips to its content"),
    ("Enter", "Follows a link, presses a button, sends a form"),
    ("Esc", "Closes a menu, puts a time in full away"),
];

async fn show(State(app): State<App>, session: Session) -> Result<Response> {
    let frame = tenants::frame(&app, &session, session.actor.tenant, Section::Nowhere, "/help").await?;
    Ok(shown(draw(&frame, &app.public_base)))
}

fn draw(frame: &Frame, public_base: &str) -> String {
    // whoever sees many tenants is told where, whoever sees one is led there
    let tenant = frame.tenant.as_ref().map(|tenant| tenant.id.as_str());
    let place = |section: Section, name: &str| match tenant.filter(|_| frame.open.contains(&section)) {
        Some(tenant) => ui::link(section.href(tenant), name),
        None => ui::text(name),
    };
    let open = |section: &Section| tenant.is_none() || frame.open.contains(section);
    let places = PLACES.iter().filter(|(_, section, _)| open(section));
    let places = places.map(|(question, section, name)| (*question, place(*section, name))).collect();
    let words = WORDS.iter().map(|(word, meaning)| (*word, ui::text(*meaning))).collect();
    let keys = KEYS.iter().map(|(key, act)| (*key, ui::text(*act))).collect();
    let under = if tenant.is_none() {
        "Each is a place in the navigation of a tenant."
    } else {
        "Each is a place in the navigation."
    };
    let main = view! {
        <Card title="Where to find what" lead=under><Facts items=places/></Card>
        <Card title="Words"><Facts items=words/></Card>
    };
    let aside = view! {
        <Card title="For developers">
            <p>"How a sender authenticates, what is answered, and what each error means."</p>
            <Row>{ui::link("/openapi.json", "The contract of the wire (OpenAPI)")}</Row>
            <Near title="Where to send to">{ui::mono(format!("{public_base}/events/v1.0"))}</Near>
            <p>{ui::muted("The page of an event type shows the whole request in five languages, ready to copy.")}</p>
        </Card>
        <CodeBlock id="cli" label="Command line" code="tributary --help\ntributary token add --help\ntributary --json tenant list"/>
        <Card title="Keys">
            <Facts items=keys/>
            <Row>{ui::link("/shortcuts", "All keyboard shortcuts")}</Row>
        </Card>
    };
    let body = view! {
        <PageHeader title="Help" lead="What the words mean, and where to find what."/>
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    ui::page(frame, "Help", vec![], body.into_any())
}
