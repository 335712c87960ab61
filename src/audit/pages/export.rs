//! The trail as a file: JSON lines, as many as the filter finds, without ever holding them all.
use axum::{
    body::Body,
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    audit::{Asked, Eyes, store},
    auth::{Administer, Grant, Permit, ReadConfiguration, See, Session},
    error::{Error, Result},
};

/// That of a tenant.
pub(super) async fn of_tenant(
    State(app): State<App>,
    session: Session,
    permit: Permit<See>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    // what does not exist has no trail
    crate::tenants::get(&app.db, &permit).await?;
    let eyes = session.permit::<ReadConfiguration>(permit.tenant()).map_or(Eyes::Outside(permit), Eyes::Inside);
    file(&app, eyes, query.as_deref())
}

/// That of everything.
pub(super) async fn of_all(
    State(app): State<App>,
    grant: Grant<Administer>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    file(&app, Eyes::Everything(grant), query.as_deref())
}

fn file(app: &App, eyes: Eyes, query: Option<&str>) -> Result<Response> {
    let asked = Asked::parse(query.unwrap_or_default());
    if let Some((field, why)) = asked.wrong.first() {
        // a file that holds something else than was asked for would be found out too late
        return Err(Error::Refused(format!("the filter is not understood: {field}: {why}")));
    }
    let name = format!("attachment; filename=\"audit-{}.jsonl\"", app.clock.now().format("%Y-%m-%d"));
    let headers = [
        (header::CONTENT_TYPE, "application/x-ndjson".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, Body::from_stream(store::export(app.db.clone(), eyes, asked.filter))).into_response())
}
