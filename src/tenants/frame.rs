//! What stands around every page of every slice: who looks, which tenant, which others they may switch to.
use super::store;
use crate::{
    app::App,
    auth::{ListTenants, See, Session},
    error::Result,
    ids::TenantId,
    tenants::{DEMO, Tenant},
    ui::{self, Frame, Section, TenantRef},
};

/// The shell of a page. `path` is the page's own path and query.
///
/// # Errors
/// [`crate::error::Error::NotFound`] when the viewer may not see `tenant` or there is none; when the database fails.
pub async fn frame(
    app: &App,
    session: &Session,
    tenant: Option<TenantId>,
    active: Section,
    path: impl Into<String>,
) -> Result<Frame> {
    let shown = |tenant: &Tenant| TenantRef {
        id: tenant.id.to_string(),
        name: tenant.name.to_string(),
        disabled: !tenant.enabled,
        demo: tenant.id == DEMO,
    };
    let here = match tenant {
        Some(id) => Some(shown(&store::get(&app.db, &session.permit::<See>(id)?).await?)),
        None => None,
    };
    let tenants = match (session.actor.tenant, session.grant::<ListTenants>()) {
        (Some(own), _) => vec![shown(&store::get(&app.db, &session.permit::<See>(own)?).await?)],
        (None, Ok(grant)) => store::first(&app.db, &grant).await?.iter().map(shown).collect(),
        (None, Err(_)) => Vec::new(),
    };
    Ok(Frame {
        viewer: Some(session.viewer()),
        tenant: here,
        tenants,
        active,
        open: session.sections(tenant),
        path: path.into(),
        css: ui::assets::css_path().into(),
        boot: ui::assets::boot_path().into(),
        notice: None,
        now: app.clock.now(),
    })
}
