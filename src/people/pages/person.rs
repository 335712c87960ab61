//! One person: what they may do, where they are signed in, and what an administrator can do about it.
use std::collections::HashMap;

use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, binding, crumb, frame, letter, state, tenant_names};
use crate::{
    app::App,
    auth::{
        Administer, Grant, Session,
        store::{self, Person, SessionRow},
        user_agent,
    },
    error::{Error, Result},
    form::{Done, Typed, shown},
    ids::{self, TenantId},
    mail,
    ui::{
        self, Badge, Card, Column, Columns, DataTable, Facts, Frame, LinkButton, Notice, PageHeader, PostButton, Row,
        Tone,
    },
};

/// What the page shows.
struct Seen {
    person: Person,
    sessions: Vec<SessionRow>,
    names: HashMap<TenantId, String>,
    letter: Option<mail::Outgoing>,
    /// Which of the sessions looks at this page.
    own: uuid::Uuid,
}

/// Shows them.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
    Query(asked): Query<Done>,
) -> Result<Response> {
    let person = store::person(&app.db, &grant, named.id()?).await?;
    let mut frame = frame(&app, &session, format!("/people/{}", person.id)).await?;
    frame.notice = match asked.done.as_deref() {
        Some("role") => Some(Notice::ok("The role is changed; they have to sign in again.")),
        Some("deactivated") => Some(Notice::ok("The account is deactivated and signed out everywhere.")),
        Some("reactivated") => Some(Notice::ok("The account is active again.")),
        Some("session") => Some(Notice::ok("That session has ended.")),
        Some("sessions") => Some(Notice::ok("They are signed out everywhere.")),
        Some("second-factor") => {
            Some(Notice::ok("Their second factor is gone; they sign in with their password alone."))
        }
        _ => None,
    };
    let seen = Seen {
        sessions: store::sessions_of(&app.db, &app.clock, &grant, person.id).await?,
        names: tenant_names(&app, &grant).await?.into_iter().collect(),
        letter: mail::latest(&app.db, &format!("user:{}", person.id)).await?,
        own: session.id,
        person,
    };
    Ok(shown(page(&frame, &seen)))
}

fn page(frame: &Frame, seen: &Seen) -> String {
    let person = &seen.person;
    let main = view! { {access(frame, seen)} {sessions(frame, seen)} };
    let aside = view! { {signing_in(person)} {closing(person)} };
    let body = view! {
        <PageHeader title=person.name.as_str() lead=person.email.as_str() badge=state(person)/>
        {letter(frame, seen.letter.as_ref())}
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    ui::page(frame, &person.name, vec![crumb()], body.into_any())
}

fn access(frame: &Frame, seen: &Seen) -> AnyView {
    let (person, now) = (&seen.person, frame.moment());
    let mut facts = vec![
        ("Role", ui::text(person.role.title())),
        ("Tenant", binding(&seen.names, person.tenant_id)),
        ("Account since", ui::at(now, person.created_at)),
        ("Last seen", person.seen_at.map_or_else(|| ui::muted("never"), |at| ui::at(now, at))),
    ];
    if let Some(at) = person.deactivated_at {
        facts.push(("Deactivated", ui::at(now, at)));
    }
    let change = view! { <LinkButton href=format!("/people/{}/role", person.id)>"Change…"</LinkButton> };
    view! { <Card title="What they may do" action=change.into_any()><Facts items=facts/></Card> }.into_any()
}

fn signing_in(person: &Person) -> AnyView {
    let base = format!("/people/{}", person.id);
    let factor = if person.second_factor {
        view! { <Badge state=ui::State::Ok word="on"/> }.into_any()
    } else {
        ui::muted("off")
    };
    let reset = person.second_factor.then(|| {
        view! { <LinkButton href=format!("{base}/reset-second-factor")>"Reset second factor…"</LinkButton> }
    });
    let password = person.deactivated_at.is_none().then(|| {
        view! { <LinkButton href=format!("{base}/reset-password")>"Reset password…"</LinkButton> }
    });
    let row = (password.is_some() || reset.is_some()).then(|| view! { <Row>{password}{reset}</Row> });
    view! {
        <Card title="Signing in">
            <Facts items=vec![("Second factor", factor)]/>
            {row}
        </Card>
    }
    .into_any()
}

fn closing(person: &Person) -> AnyView {
    let base = format!("/people/{}", person.id);
    if person.deactivated_at.is_some() {
        view! {
            <Card title="The account is deactivated" lead="Its owner cannot sign in. Password and second factor are kept.">
                <Row><PostButton action=format!("{base}/reactivate") tone=Tone::Primary>"Reactivate"</PostButton></Row>
            </Card>
        }
        .into_any()
    } else {
        view! {
            <Card title="Deactivate the account" lead="Its owner is signed out at once and cannot sign in. Nothing is deleted.">
                <Row><LinkButton href=format!("{base}/deactivate") tone=Tone::Danger>"Deactivate…"</LinkButton></Row>
            </Card>
        }
        .into_any()
    }
}

fn sessions(frame: &Frame, seen: &Seen) -> AnyView {
    if seen.sessions.is_empty() {
        return view! { <Card title="Sessions"><p>{ui::muted("Signed in nowhere.")}</p></Card> }.into_any();
    }
    let (base, now) = (format!("/people/{}/sessions", seen.person.id), frame.moment());
    let columns = vec![
        Column::text("Browser"),
        Column::text("Address"),
        Column::text("Signed in").wide_only(),
        Column::text("Last seen"),
        Column::actions("End"),
    ];
    let rows = seen.sessions.iter().map(|row| {
        let end = if row.id == seen.own {
            view! { <Badge state=ui::State::Ok word="this one"/> }.into_any()
        } else {
            let browser = format!(" {}", user_agent::shorten(&row.user_agent));
            let fields = vec![("session", row.id.to_string())];
            view! { <PostButton action=base.as_str() fields=fields>"Revoke"{ui::unseen(browser)}</PostButton> }
                .into_any()
        };
        vec![
            ui::text(user_agent::shorten(&row.user_agent)),
            ui::mono(&row.address),
            ui::ago(now, row.created_at),
            ui::ago(now, row.seen_at),
            end,
        ]
    });
    let all = view! { <PostButton action=base.as_str()>"Sign out everywhere"</PostButton> };
    view! {
        <Card title="Sessions" action=all.into_any() flush=true>
            <DataTable caption="Browsers that are signed in to this account" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

/// Ends one of their sessions, or all.
pub(super) async fn end_sessions(
    State(app): State<App>,
    grant: Grant<Administer>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let person = named.id()?;
    let session = match typed.text("session") {
        id if id.is_empty() => None,
        id => Some(ids::named(&id, "session")?),
    };
    let ended = store::end_sessions_of(&app.db, &app.clock, &grant, person, session).await?;
    if session.is_some() && ended == 0 {
        return Err(Error::NotFound("session"));
    }
    let done = if session.is_some() { "session" } else { "sessions" };
    Ok(Redirect::to(&format!("/people/{person}?done={done}")).into_response())
}
