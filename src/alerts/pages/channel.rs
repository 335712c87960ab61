//! One channel: where it is, what it was told, and trying, pausing and removing it.
use axum::{
    Form,
    extract::{Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, address, crumbs, frame, home, may_keep, state_of, told};
use crate::{
    alerts::{Channel, Keeper, Notice, Scope, Standing, Way, sender, store},
    app::App,
    auth::Session,
    error::Result,
    form::{Done, Typed, amiss, shown},
    mail::{self, Outgoing},
    ui::{
        self, Alert as Note, Card, CodeBlock, Columns, Confirm, Empty, Facts, FieldErrors, Follow, Frame, Icon,
        LinkButton, Notice as Said, PageHeader, PostButton, Tone,
    },
};

/// How many notices the page shows.
const SHOWN: i64 = 50;

/// What the page shows.
struct Seen {
    scope: Scope,
    channel: Channel,
    notices: Vec<Notice>,
    /// The latest letter to it.
    letter: Option<Outgoing>,
    may_keep: bool,
}

/// Shows the channel.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    scope: Scope,
    Named(id): Named,
    Query(done): Query<Done>,
) -> Result<Response> {
    let channel = store::channel(&app.db, scope, id).await?;
    let mut frame = frame(&app, &session, scope, address(&channel)).await?;
    frame.notice = match done.done.as_deref() {
        Some("added") => Some(Said::ok("The channel is added. Send a test to see that it gets through.")),
        Some("saved") => Some(Said::ok("Saved.")),
        Some("test") => Some(Said::ok("A test is on its way.")),
        Some("paused") => Some(Said::ok("The channel is paused: it is told nothing.")),
        Some("resumed") => Some(Said::ok("The channel is told again.")),
        _ => None,
    };
    let letter = match channel.kind {
        Way::Mail => mail::latest(&app.db, &sender::about(&channel)).await?,
        Way::Web => None,
    };
    let seen = Seen {
        scope,
        notices: store::notices_of(&app.db, scope, Some(id), SHOWN).await?,
        letter,
        may_keep: may_keep(&session, scope),
        channel,
    };
    Ok(shown(page(&frame, &seen)))
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let channel = &seen.channel;
    let here = address(channel);
    let actions = seen.may_keep.then(|| {
        let (on, word) = if channel.enabled { ("off", "Pause") } else { ("on", "Resume") };
        let roll = (channel.kind == Way::Web).then(|| {
            view! { <LinkButton href=format!("{here}/roll") tone=Tone::Quiet icon=Icon::Roll>"New secret…"</LinkButton> }
        });
        view! {
            <LinkButton href=format!("{here}/remove") tone=Tone::Quiet>"Remove…"</LinkButton>
            {roll}
            <PostButton action=format!("{here}/switch") tone=Tone::Quiet fields=vec![("tell", on.to_owned())]>{word}</PostButton>
            <LinkButton href=format!("{here}/edit")>"Edit"</LinkButton>
            <PostButton action=format!("{here}/test") tone=Tone::Primary icon=Icon::Play>"Send a test"</PostButton>
        }
    });
    let under_way = seen.notices.iter().any(|notice| notice.state == Standing::Waiting && notice.attempts <= 1);
    let history = if seen.notices.is_empty() {
        view! {
            <Empty icon=Icon::Bell title="Nothing was told yet" why="A test shows whether it gets through, before it has to."/>
        }
        .into_any()
    } else {
        view! { <Card title="What was told" lead="Kept for 30 days." flush=true>{told(frame, &seen.notices, None)}</Card> }
            .into_any()
    };
    let main = view! {
        {letter(seen.letter.as_ref())}
        <Follow id="told" on=under_way>{history}</Follow>
        {verify(channel)}
    };
    let body = view! {
        <PageHeader title=channel.name.as_str() badge=state_of(channel)>{actions}</PageHeader>
        <Columns main=main.into_any() aside=facts(frame, channel)/>
    };
    ui::page(frame, channel.name.as_str(), crumbs(frame, seen.scope, None), body.into_any())
}

/// Mail that does not get through.
fn letter(latest: Option<&Outgoing>) -> Option<AnyView> {
    let fault = latest.filter(|letter| letter.state != mail::Standing::Sent)?.fault.clone()?;
    let title = if latest?.state == mail::Standing::Failed {
        "The last letter was given up"
    } else {
        "The last letter is tried again"
    };
    Some(view! { <Note state=ui::State::Warning title=title><p>{fault}</p></Note> }.into_any())
}

fn facts(frame: &Frame, channel: &Channel) -> AnyView {
    let now = frame.moment();
    let mut items = vec![
        ("How", ui::text(channel.kind.title())),
        ("Where", ui::mono(channel.address.clone())),
        ("Added", ui::at(now, channel.created_at)),
    ];
    if let Some(ends) = channel.former_ends.filter(|ends| *ends > frame.now) {
        items.push(("Former secret signs until", ui::at(now, ends)));
    }
    items.push(("Id", ui::mono(channel.id.to_string())));
    view! { <Card title="About it"><Facts items=items/></Card> }.into_any()
}

/// What a receiver checks.
fn verify(channel: &Channel) -> Option<AnyView> {
    (channel.kind == Way::Web).then(|| {
        let code = "webhook-id: msg_…\nwebhook-timestamp: 1795514400\nwebhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=\n\n\
            signed: webhook-id + \".\" + webhook-timestamp + \".\" + body\n\
            key:    what follows whsec_, decoded from Base64";
        view! {
            <Card
                title="How a receiver knows that it is us"
                lead="Requests are signed by Standard Webhooks: any of its libraries checks them. Answer 2xx within 15 seconds; anything else is tried again for about three days."
            >
                <CodeBlock id="verify" label="Headers" code=code/>
            </Card>
        }
        .into_any()
    })
}

/// Sends a test.
pub(super) async fn test(State(app): State<App>, keeper: Keeper, Named(id): Named) -> Result<Response> {
    store::test(&app.db, &app.clock, &keeper, id).await?;
    app.herald.wake();
    Ok(back(&keeper, id, "test"))
}

/// Pauses it, or has it told again.
pub(super) async fn switch(
    State(app): State<App>,
    keeper: Keeper,
    Named(id): Named,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let on = typed.text("tell") == "on";
    store::set_enabled(&app.db, &app.clock, &keeper, id, on).await?;
    Ok(back(&keeper, id, if on { "resumed" } else { "paused" }))
}

fn back(keeper: &Keeper, id: crate::ids::ChannelId, done: &str) -> Response {
    Redirect::to(&format!("{}/channels/{id}?done={done}", home(keeper.scope()))).into_response()
}

/// Asks before it is removed.
pub(super) async fn ask_remove(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Named(id): Named,
) -> Result<Response> {
    let channel = store::channel(&app.db, keeper.scope(), id).await?;
    let frame = frame(&app, &session, keeper.scope(), format!("{}/remove", address(&channel))).await?;
    Ok(shown(removal(&frame, &keeper, &channel, &FieldErrors::new())))
}

/// Removes it, when its name was typed.
pub(super) async fn remove(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Named(id): Named,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let channel = store::channel(&app.db, keeper.scope(), id).await?;
    if typed.text("typed_name").trim() != channel.name.as_str() {
        let frame = frame(&app, &session, keeper.scope(), format!("{}/remove", address(&channel))).await?;
        let mut errors = FieldErrors::new();
        errors.push("typed_name", format!("Type the name of the channel: {}", channel.name));
        return Ok(amiss(removal(&frame, &keeper, &channel, &errors)));
    }
    store::remove(&app.db, &app.clock, &keeper, id).await?;
    Ok(Redirect::to(&format!("{}?done=removed", home(keeper.scope()))).into_response())
}

fn removal(frame: &Frame, keeper: &Keeper, channel: &Channel, errors: &FieldErrors) -> String {
    let here = address(channel);
    let body = view! {
        <Confirm
            title=format!("Remove the channel {}", channel.name)
            consequence=format!("{} is told nothing more, and what it was told is forgotten. To stop for a while, pause it instead.", channel.address)
            type_name=channel.name.to_string()
            verb="Remove channel"
            action=format!("{here}/remove")
            cancel=here
            errors=errors
        />
    };
    ui::page(frame, "Remove channel", crumbs(frame, keeper.scope(), Some(channel)), body.into_any())
}
