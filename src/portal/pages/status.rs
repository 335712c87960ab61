//! The status page: what the portal offers of it, and the page itself, which anybody sees who has its link. It may stand
//! in a frame on the customer's own pages.
use axum::{
    extract::{Path, Query, State},
    http::{HeaderValue, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;
use serde::Deserialize;

use super::{Named, badge, bars};
use crate::{
    app::App,
    auth::{AnswerTasks, Permit, Session},
    crypto::Secret,
    error::Result,
    form::{html, shown},
    portal::{
        status::{self, Link},
        store,
    },
    server::Embeddable,
    tenants,
    ui::{
        self, Alert, Card, CodeBlock, Column, CopyField, Crumb, DataTable, Frame, LinkButton, PageHeader, PostButton,
        Row, Section, State as Mood, Tone,
    },
};

/// What the portal offers of it: what is shared, and to share more.
pub(super) fn card(frame: &Frame, here: &str, links: &[Link]) -> AnyView {
    let columns = vec![Column::text("Shared by"), Column::actions("Take back")];
    let rows = links.iter().map(|one| {
        let back = format!("{here}/status/{}/revoke", one.id);
        vec![
            ui::two_lines(ui::text(one.made_by.as_str()), ui::ago(frame.moment(), one.made_at)),
            view! { <PostButton action=back tone=Tone::Quiet>"Take back"</PostButton> }.into_any(),
        ]
    });
    let table = (!links.is_empty())
        .then(|| view! { <DataTable caption="Links to the status page" columns=columns rows=rows.collect()/> });
    view! {
        <Card title="Status page" lead="For colleagues who have no account, or for a page of yours: whoever has the link sees how this integration fares, and nothing else.">
            {table}
            <Row><PostButton action=format!("{here}/status") tone=Tone::Plain>"Share a link"</PostButton></Row>
        </Card>
    }
    .into_any()
}

/// Shares a link; the page that answers shows it, this once.
pub(super) async fn make(
    State(app): State<App>,
    session: Session,
    permit: Permit<AnswerTasks>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (tenant, id) = (permit.tenant(), named.id()?);
    let secret = status::share(&app.db, &app.clock, &permit, id).await?;
    let here = format!("/tenants/{tenant}/portal/{id}");
    let address = format!("{}/status?token={}", app.public_base, secret.reveal());
    let frame_code = format!(
        "<iframe src=\"{address}\" title=\"How the integration fares\" width=\"100%\" height=\"420\"></iframe>"
    );
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Portal, here.clone()).await?;
    let body = view! {
        <PageHeader title="The status page is shared" lead="Whoever has this link sees how the integration fares. You can take it back at any time."/>
        <Alert state=Mood::Warning title="Copy the link now: it will not be shown again" announce=true>
            <p>"Only a digest is kept. If it is lost, take it back and share another one."</p>
        </Alert>
        <Card>
            <CopyField id="link" label="Link" value=address/>
            <CodeBlock id="frame" label="To stand in a page of yours" code=frame_code/>
            <Row><LinkButton href=here.clone() tone=Tone::Primary>"I have copied it"</LinkButton></Row>
        </Card>
    };
    let crumbs = vec![Crumb::new("Your integrations", format!("/tenants/{tenant}/portal"))];
    Ok(shown(ui::page(&frame, "The status page is shared", crumbs, body.into_any())))
}

/// Takes a link back.
pub(super) async fn take_back(
    State(app): State<App>,
    permit: Permit<AnswerTasks>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let id = named.id()?;
    status::revoke(&app.db, &app.clock, &permit, id, named.link()?).await?;
    Ok(Redirect::to(&format!("/tenants/{}/portal/{id}?done=taken-back", permit.tenant())).into_response())
}

/// What the page is asked with.
#[derive(Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    token: String,
}

/// The page itself, for anybody.
pub(super) async fn show(State(app): State<App>, Query(asked): Query<Asked>) -> Result<Response> {
    let frame = Frame {
        active: Section::Nowhere,
        path: "/status".into(),
        css: ui::assets::css_path().into(),
        boot: ui::assets::boot_path().into(),
        now: app.clock.now(),
        ..Frame::default()
    };
    let Some((permit, id)) = status::opened(&app.db, &Secret::given(asked.token)).await? else {
        let body =
            view! { <PageHeader title="Nothing is shared here" lead="The link was taken back, or is not whole."/> };
        return Ok(html(StatusCode::NOT_FOUND, ui::plain_page(&frame, "Nothing is shared here", body.into_any())));
    };
    let one = store::standing(&app.db, &app.clock, &permit, id).await?;
    let name = one.of.details.name.as_str();
    let fares = match &one.diagnosis {
        Some(seen) => {
            let days = store::days(&app.db, &app.clock, &permit, id).await?;
            let last = one.last_at.map(|at| view! { <p>"The last event came "{ui::ago(frame.moment(), at)}"."</p> });
            view! { {ui::points(seen.why.clone())} {last} {bars(&days)} }.into_any()
        }
        None => ui::muted("It is not connected yet."),
    };
    let state = one.diagnosis.as_ref().map(|seen| badge(seen.health));
    let body = view! {
        <PageHeader title=name nostrip:badge=state/>
        {fares}
        <p>{ui::muted(format!("As of {}", frame.now.format("%Y-%m-%d %H:%M UTC")))}</p>
    };
    let mut answer = html(StatusCode::OK, ui::plain_page(&frame, name, body.into_any()));
    answer.extensions_mut().insert(Embeddable);
    answer.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    Ok(answer)
}
