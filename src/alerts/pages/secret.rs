//! The secret of a web channel: shown once, when the channel is made and when it gets a new one.
use axum::{extract::State, response::Response};
use leptos::prelude::*;

use super::{Named, address, crumbs, frame};
use crate::{
    alerts::{Channel, Keeper, Scope, Way, sign::Secret, store},
    app::App,
    auth::Session,
    error::{Error, Result},
    form::shown,
    ui::{self, Alert as Note, Card, Confirm, CopyField, Frame, LinkButton, PageHeader, Row, Tone},
};

/// Asks before a new secret is made.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Named(id): Named,
) -> Result<Response> {
    let channel = store::channel(&app.db, keeper.scope(), id).await?;
    if channel.kind != Way::Web {
        return Err(Error::NotFound("secret"));
    }
    let here = address(&channel);
    let frame = frame(&app, &session, keeper.scope(), format!("{here}/roll")).await?;
    let body = view! {
        <Confirm
            title=format!("Make a new secret for {}", channel.name)
            consequence="It is shown once. For a day, requests are signed with both, so that the receiver can be changed in peace; then with the new one alone. A secret from before that ends at once."
            verb="Make new secret"
            action=format!("{here}/roll")
            cancel=here
        />
    };
    let page = ui::page(&frame, "New secret", crumbs(&frame, keeper.scope(), Some(&channel)), body.into_any());
    Ok(shown(page))
}

/// Makes it and shows it, this once. There is no address to come back to: the answer is the page.
pub(super) async fn roll(
    State(app): State<App>,
    session: Session,
    keeper: Keeper,
    Named(id): Named,
) -> Result<Response> {
    let (channel, secret) = store::roll(&app.db, &app.clock, &app.keys, &keeper, id).await?;
    let frame = frame(&app, &session, keeper.scope(), format!("{}/roll", address(&channel))).await?;
    Ok(shown(once(&frame, &channel, &secret, "has a new secret")))
}

/// The one showing of a secret.
pub(super) fn once(frame: &Frame, channel: &Channel, secret: &Secret, what: &str) -> String {
    let body = view! {
        <PageHeader title=format!("{} {what}", channel.name)/>
        <Note state=ui::State::Warning title="Copy it now: it will not be shown again" announce=true>
            <p>"It is sealed at rest. Whoever loses it makes a new one."</p>
        </Note>
        <Card>
            <CopyField
                id="secret"
                label="Secret"
                value=secret.reveal()
                hint="The receiver checks signatures with it; whoever holds it can speak for this server."
            />
            <Row><LinkButton href=address(channel) tone=Tone::Primary>"I have copied it"</LinkButton></Row>
        </Card>
    };
    ui::page(frame, "Secret", crumbs(frame, Scope(channel.tenant_id), Some(channel)), body.into_any())
}
