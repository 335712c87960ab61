//! One invitation: whom it is for, whether it still works, and what became of its letter.
use std::collections::HashMap;

use axum::{
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{NamedInvitation, binding, crumb, frame, invited, invited_page, letter, tenant_names};
use crate::{
    app::App,
    auth::{
        Administer, Grant, Session,
        courier::Courier,
        store::{self, Invitation},
    },
    error::Result,
    form::shown,
    ids::TenantId,
    mail,
    ui::{self, Card, Facts, Frame, PageHeader, PostButton, Row, Tone},
};

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<NamedInvitation>,
) -> Result<Response> {
    let (one, sent) = store::invitation(&app.db, &grant, named.id()?).await?;
    let names = tenant_names(&app, &grant).await?.into_iter().collect();
    let frame = frame(&app, &session, format!("/people/invitations/{}", one.id)).await?;
    Ok(shown(page(&frame, &one, sent.as_ref(), &names)))
}

fn page(frame: &Frame, one: &Invitation, sent: Option<&mail::Outgoing>, names: &HashMap<TenantId, String>) -> String {
    let base = format!("/people/invitations/{}", one.id);
    let now = frame.moment();
    let open = one.is_open(frame.now);
    let delivered = match sent {
        Some(mail::Outgoing { state: mail::Standing::Sent, done_at: Some(at), .. }) => ui::at(now, *at),
        Some(_) => ui::muted("not yet"),
        None => ui::muted("by hand: the link was shown when it was made"),
    };
    let facts = vec![
        ("E-mail", ui::text(&one.email)),
        ("Role", ui::text(one.role.title())),
        ("Tenant", binding(names, one.tenant_id)),
        ("Invited by", ui::text(if one.invited_by == "cli" { "the command line" } else { &one.invited_by })),
        ("Invited", ui::at(now, one.created_at)),
        (if open { "Works until" } else { "Worked until" }, ui::at(now, one.expires_at)),
        ("Mailed", delivered),
    ];
    let title = one.name.as_deref().unwrap_or(&one.email);
    let body = view! {
        <PageHeader title=title badge=invited(open)/>
        {letter(frame, sent)}
        <Card title="Invitation" lead="The account comes about when they follow the link and choose a password.">
            <Facts items=facts/>
            <Row>
                <PostButton action=format!("{base}/resend")>"Send anew"</PostButton>
                <PostButton action=format!("{base}/revoke") tone=Tone::Danger>"Revoke"</PostButton>
            </Row>
            <p>{ui::muted("Sent anew, it has a new link, and the old one works no more.")}</p>
        </Card>
    };
    ui::page(frame, title, vec![crumb()], body.into_any())
}

/// Sends it anew.
pub(super) async fn resend(
    State(app): State<App>,
    session: Session,
    grant: Grant<Administer>,
    Path(named): Path<NamedInvitation>,
) -> Result<Response> {
    let made = store::resend_invitation(&app.db, &app.clock, &Courier::of(&app), &grant, named.id()?).await?;
    app.mail.wake();
    let back = format!("/people/invitations/{}", made.id);
    let frame = frame(&app, &session, back.clone()).await?;
    Ok(shown(invited_page(&frame, &made, back, vec![crumb()])))
}

/// Takes it back.
pub(super) async fn revoke(
    State(app): State<App>,
    grant: Grant<Administer>,
    Path(named): Path<NamedInvitation>,
) -> Result<Response> {
    store::revoke_invitation(&app.db, &app.clock, &grant, named.id()?).await?;
    Ok(Redirect::to("/people?done=revoked").into_response())
}
