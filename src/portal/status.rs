//! A page that anybody sees who has its link: how one integration fares, and nothing else of it. It may stand in a frame
//! on the customer's own pages. Its customer shares it, and takes it back; whatever is the matter with a link that does
//! not work, nobody is told.
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, Utc};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::{
    pages::{Named, badge, bars},
    store,
};
use crate::{
    app::App,
    auth::{Actor, AnswerTasks, Permit, Right, Role, SeePortal, Session},
    clock::Clock,
    crypto::Secret,
    db::Db,
    error::{Error, Result},
    form::{html, shown},
    ids::{IntegrationId, TenantId, new_id},
    intake::store as intake,
    server::Embeddable,
    sql, tenants,
    ui::{
        self, Alert, Card, CodeBlock, Column, CopyField, Crumb, DataTable, Frame, LinkButton, PageHeader, PostButton,
        Row, Section, State as Mood, Tone,
    },
};

/// The most links of one integration that work at once.
const MOST: i64 = 20;

/// A link that was shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its id.
    pub id: Uuid,
    /// Who shared it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
}

/// The links of an integration that work, newest first.
///
/// # Errors
/// When the database fails.
pub async fn links<R: Right>(db: &Db, permit: &Permit<R>, id: IntegrationId) -> Result<Vec<Link>> {
    Ok(sql!(
        all Link, db,
        "SELECT id, made_by, made_at FROM status_links
         WHERE tenant_id = $1 AND integration_id = $2 AND revoked_at IS NULL ORDER BY id DESC",
        permit.tenant(),
        id,
    )?)
}

/// Shares how an integration fares: the secret of the link, which is shown this once.
///
/// # Errors
/// [`Error::Conflict`] when there are too many already; [`Error::NotFound`] when the tenant has none such; when the
/// database fails.
pub async fn share(db: &Db, clock: &Clock, permit: &Permit<AnswerTasks>, id: IntegrationId) -> Result<Secret> {
    let secret = Secret::random();
    let (permit, clock, digest) = (permit.clone(), clock.clone(), secret.digest());
    db.write(move |tx| {
        Box::pin(async move {
            let of = intake::lock(tx, permit.tenant(), id).await?;
            let text = "SELECT COUNT(*) FROM status_links
                WHERE tenant_id = $1 AND integration_id = $2 AND revoked_at IS NULL";
            if sql!(value i64, tx, text, of.tenant_id, id)? >= MOST {
                return Err(Error::Conflict(format!("{MOST} links are shared already: take one back first")));
            }
            sql!(
                exec tx,
                "INSERT INTO status_links (tenant_id, integration_id, id, digest, made_by, made_at)
                 VALUES ($1, $2, $3, $4, $5, $6)",
                of.tenant_id,
                id,
                new_id(&clock),
                digest.to_vec(),
                &permit.actor().name,
                clock.now(),
            )?;
            intake::audit::written(tx, &clock, permit.actor(), &of, "integration.share-status", None, json!({})).await
        })
    })
    .await?;
    Ok(secret)
}

/// Takes a link back: it works no longer.
///
/// # Errors
/// [`Error::NotFound`] when there is none such that works; when the database fails.
pub async fn revoke(db: &Db, clock: &Clock, permit: &Permit<AnswerTasks>, id: IntegrationId, link: Uuid) -> Result<()> {
    let (permit, clock) = (permit.clone(), clock.clone());
    db.write(move |tx| {
        Box::pin(async move {
            let of = intake::lock(tx, permit.tenant(), id).await?;
            let gone = sql!(
                exec tx,
                "UPDATE status_links SET revoked_at = $4
                 WHERE tenant_id = $1 AND integration_id = $2 AND id = $3 AND revoked_at IS NULL",
                of.tenant_id,
                id,
                link,
                clock.now(),
            )?;
            if gone == 0 {
                return Err(Error::NotFound("link"));
            }
            intake::audit::written(tx, &clock, permit.actor(), &of, "integration.unshare-status", None, json!({})).await
        })
    })
    .await
}

/// What a link is good for: to see one integration. None when it does not work. The secret is the authority.
///
/// # Errors
/// When the database fails.
pub async fn opened(db: &Db, secret: &Secret) -> Result<Option<(Permit<SeePortal>, IntegrationId)>> {
    let found = sql!(
        opt(TenantId, IntegrationId),
        db,
        "SELECT tenant_id, integration_id FROM status_links WHERE digest = $1 AND revoked_at IS NULL",
        secret.digest().to_vec(),
    )?;
    let Some((tenant, id)) = found else { return Ok(None) };
    let anybody = Actor { role: Role::Customer, tenant: Some(tenant), name: "status page".into(), ..Actor::cli() };
    Ok(Some((anybody.permit(tenant)?, id)))
}

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
    let secret = share(&app.db, &app.clock, &permit, id).await?;
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

#[derive(Debug, Deserialize)]
pub(super) struct Of {
    integration: String,
    link: String,
}

/// Takes a link back.
pub(super) async fn take_back(
    State(app): State<App>,
    permit: Permit<AnswerTasks>,
    Path(of): Path<Of>,
) -> Result<Response> {
    let id: IntegrationId = of.integration.parse().map_err(|_| Error::NotFound("integration"))?;
    let link = crate::ids::guid(&of.link).map_err(|_| Error::NotFound("link"))?;
    revoke(&app.db, &app.clock, &permit, id, link).await?;
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
    let Some((permit, id)) = opened(&app.db, &Secret::given(asked.token)).await? else {
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
    answer.headers_mut().insert("x-robots-tag", axum::http::HeaderValue::from_static("noindex"));
    Ok(answer)
}
