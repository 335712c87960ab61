//! Allowing anonymous events of a type, or no longer.
use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;

use super::{
    Front, Head,
    body::{self, Form},
    problem::Problem,
    send::json,
};
use crate::{
    auth::{Actor, Configure, Role},
    event_types,
    ids::{EventTypeId, RequestId},
};

#[derive(Deserialize)]
struct Wish {
    #[serde(rename = "EventTypeId")]
    event_type: String,
    #[serde(rename = "IsEnabled")]
    is_enabled: bool,
}

/// `POST …/eventtypewhitelistings`
pub async fn allow_anonymous(State(front): State<Front>, request: Request) -> Result<Response, Problem> {
    let (head, body) = Head::read(&front, request).await?;
    let token = head.authenticate(&front)?;
    if !token.can_configure {
        return Err(Problem::forbidden("the token has no right to configure"));
    }
    let settings = &front.app.settings;
    let (form, encoding) = body::form(&head.parts.headers)?;
    if form != Form::Json {
        return Err(Problem::media("the Content-Type must be application/json"));
    }
    let whole = body::read(body, encoding, &settings.limits, settings.body_timeout, &front.memory).await?;
    let wish: Wish = serde_json::from_slice(&whole.bytes)
        .map_err(|_| Problem::bad(r#"the body must be {"EventTypeId":"a GUID","IsEnabled":true}"#))?;
    let id: EventTypeId = wish.event_type.parse().map_err(|_| Problem::bad("the EventTypeId is not a GUID"))?;
    if !token.covers(id) {
        return Err(Problem::forbidden("the token does not hold for this event type"));
    }
    if head.snapshot.tenant(head.tenant).and_then(|tenant| tenant.event_type(id)).is_none() {
        return Err(Problem::no_type());
    }
    let actor = Actor {
        user: None,
        name: format!("token {}", token.id),
        role: Role::Consultant,
        tenant: Some(head.tenant),
        address: Some(head.address(&front)),
        request: head.parts.extensions.get::<RequestId>().copied(),
    };
    let permit = actor.permit::<Configure>(head.tenant)?;
    let is_enabled = wish.is_enabled;
    event_types::update(&front.app.db, &front.app.clock, &permit, id, move |details| details.anonymous = is_enabled)
        .await?;
    front.directory.refresh().await?;
    Ok(json(StatusCode::CREATED, format!(r#"{{"EventTypeId":"{id}","IsEnabled":{}}}"#, wish.is_enabled)))
}
