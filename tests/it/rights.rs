//! Every route × every role × own and foreign tenant: who is let in, who is refused, and who is told that there is no
//! such thing. The table is complete: a test compares it with the routes in the source.
use std::{collections::BTreeSet, path::Path, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};
use tributary::{
    alerts,
    auth::{Actor, Role, courier::Courier, email::Email, password, store},
    crypto::seal::Keyring,
    events::export::Format,
    failures::{self, Cause},
    ids::{EventTypeId, SourceId, TenantId},
    polling::{self, Window, terms::Prepared},
};

use crate::support::{Asking, TestApp, browser::account, each};

/// What a route asks for.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    /// Nobody's permission: the answer is the same for everybody.
    Nothing,
    /// A session.
    Session,
    /// A right over the installation; whoever is bound to a tenant has none.
    Grant(&'static [Role]),
    /// A right over the tenant in the path.
    Permit(&'static [Role]),
}
use Needs::{Grant, Nothing, Permit, Session};

const PASSWORD: &str = "correct horse battery";

const EVERYBODY: &[Role] = &Role::ALL;
const STAFF: &[Role] = &[Role::Administrator, Role::Consultant, Role::SuccessManager, Role::AccountManager];
const CONSULTANTS: &[Role] = &[Role::Administrator, Role::Consultant];
const WAIVERS: &[Role] = &[Role::Administrator, Role::AccountManager];
const ADMINISTRATORS: &[Role] = &[Role::Administrator];

/// Method, route, what it needs, and what is answered to whoever may (with an empty form).
const ROUTES: &[(&str, &str, Needs, u16)] = &[
    ("GET", "/setup", Nothing, 0),
    ("POST", "/setup", Nothing, 0),
    ("GET", "/login", Nothing, 0),
    ("POST", "/login", Nothing, 422),
    ("GET", "/login/code", Nothing, 303),
    ("POST", "/login/code", Nothing, 303),
    ("GET", "/forgot-password", Nothing, 200),
    ("POST", "/forgot-password", Nothing, 422),
    ("GET", "/reset-password", Nothing, 410),
    ("POST", "/reset-password", Nothing, 410),
    ("GET", "/invitation", Nothing, 410),
    ("POST", "/invitation", Nothing, 410),
    ("POST", "/logout", Nothing, 303),
    ("GET", "/healthz", Nothing, 200),
    ("GET", "/readyz", Nothing, 200),
    // on a listener of its own alone
    ("GET", "/metrics", Nothing, 404),
    ("GET", "/openapi.json", Nothing, 200),
    ("GET", "/", Session, 0),
    // there is no demo here
    ("GET", "/demo/remove", Grant(ADMINISTRATORS), 404),
    ("POST", "/demo/remove", Grant(ADMINISTRATORS), 404),
    ("GET", "/help", Session, 200),
    ("GET", "/account", Session, 200),
    ("GET", "/account/time-zone", Session, 200),
    ("POST", "/account/time-zone", Session, 422),
    ("POST", "/account", Session, 422),
    ("POST", "/account/sessions", Session, 0),
    ("GET", "/account/second-factor", Session, 200),
    ("POST", "/account/second-factor", Session, 422),
    ("POST", "/account/second-factor/start", Session, 0),
    ("GET", "/account/second-factor/codes", Session, 303),
    ("POST", "/account/second-factor/codes", Session, 422),
    ("GET", "/account/second-factor/off", Session, 303),
    ("POST", "/account/second-factor/off", Session, 422),
    ("POST", "/theme", Session, 0),
    ("GET", "/search", Session, 200),
    ("GET", "/search/suggest", Session, 200),
    ("GET", "/shortcuts", Session, 200),
    ("POST", "/shortcuts", Session, 303),
    ("GET", "/hosts", Grant(ADMINISTRATORS), 200),
    ("POST", "/hosts/allow", Grant(ADMINISTRATORS), 422),
    ("GET", "/hosts/withdraw", Grant(ADMINISTRATORS), 404),
    ("POST", "/hosts/withdraw", Grant(ADMINISTRATORS), 404),
    ("GET", "/hosts/limit", Grant(ADMINISTRATORS), 404),
    ("POST", "/hosts/limit", Grant(ADMINISTRATORS), 404),
    ("GET", "/people", Grant(ADMINISTRATORS), 200),
    ("GET", "/people/invite", Grant(ADMINISTRATORS), 200),
    ("POST", "/people/invite", Grant(ADMINISTRATORS), 422),
    ("GET", "/people/second-factor", Grant(ADMINISTRATORS), 200),
    ("POST", "/people/second-factor", Grant(ADMINISTRATORS), 422),
    ("GET", "/people/invitations/{invitation}", Grant(ADMINISTRATORS), 200),
    ("POST", "/people/invitations/{invitation}/resend", Grant(ADMINISTRATORS), 200),
    ("POST", "/people/invitations/{invitation}/revoke", Grant(ADMINISTRATORS), 303),
    ("GET", "/people/{person}", Grant(ADMINISTRATORS), 200),
    ("GET", "/people/{person}/role", Grant(ADMINISTRATORS), 200),
    ("POST", "/people/{person}/role", Grant(ADMINISTRATORS), 422),
    ("POST", "/people/{person}/sessions", Grant(ADMINISTRATORS), 303),
    ("GET", "/people/{person}/reset-password", Grant(ADMINISTRATORS), 200),
    ("POST", "/people/{person}/reset-password", Grant(ADMINISTRATORS), 200),
    ("GET", "/people/{person}/reset-second-factor", Grant(ADMINISTRATORS), 303),
    ("POST", "/people/{person}/reset-second-factor", Grant(ADMINISTRATORS), 303),
    ("GET", "/people/{person}/deactivate", Grant(ADMINISTRATORS), 200),
    ("POST", "/people/{person}/deactivate", Grant(ADMINISTRATORS), 303),
    ("POST", "/people/{person}/reactivate", Grant(ADMINISTRATORS), 303),
    ("GET", "/tenants", Session, 0),
    ("GET", "/tenants/new", Grant(CONSULTANTS), 200),
    ("POST", "/tenants/new", Grant(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/settings", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/settings", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/retention", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/retention", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/disable", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/disable", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/enable", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/people", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/people/invite", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/people/invite", Permit(CONSULTANTS), 422),
    // the one that is named is for staff, which nobody can touch from here
    ("POST", "/tenants/{tenant}/people/{invitation}/resend", Permit(CONSULTANTS), 404),
    ("POST", "/tenants/{tenant}/people/{invitation}/revoke", Permit(CONSULTANTS), 404),
    ("GET", "/tenants/{tenant}/event-types", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/event-types/new", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/new", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/new/sample", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/new/sample", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/contract", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/contract", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/contract/schema.json", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/contract/propose", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/contract/propose", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/{event_type}", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/edit", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/edit", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/disable", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/disable", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/enable", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/copy", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/copy", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/test", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/test", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/contract/review", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/contract/review", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/contract/discard", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/event-types/{event_type}/contract/discard", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/contract/versions", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/contract/versions/{version}", Permit(STAFF), 200),
    (
        "GET",
        "/tenants/{tenant}/event-types/{event_type}/contract/versions/{version}/roll-back",
        Permit(CONSULTANTS),
        200,
    ),
    (
        "POST",
        "/tenants/{tenant}/event-types/{event_type}/contract/versions/{version}/roll-back",
        Permit(CONSULTANTS),
        422,
    ),
    ("GET", "/tenants/{tenant}/event-types/{event_type}/stream", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/sources", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/sources/new", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/sources/new", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/sources/import", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/sources/import", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/sources/{source}", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/sources/{source}/edit", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/sources/{source}/edit", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/sources/{source}/file", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/sources/{source}/token", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/sources/{source}/token", Permit(CONSULTANTS), 422),
    ("POST", "/tenants/{tenant}/sources/{source}/pause", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/sources/{source}/resume", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/sources/{source}/run", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/sources/{source}/reconcile", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/sources/{source}/backfill", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/sources/{source}/backfill", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/sources/{source}/remove", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/sources/{source}/remove", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/sources/{source}/windows/{window}", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/sources/{source}/windows/{window}/read-again", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/tokens", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/tokens/new", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/tokens/new", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/tokens/{token}", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/tokens/{token}/edit", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/tokens/{token}/edit", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/tokens/{token}/roll", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/tokens/{token}/roll", Permit(CONSULTANTS), 422),
    // a token that was never rolled has no overlap
    ("GET", "/tenants/{tenant}/tokens/{token}/overlap", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/tokens/{token}/overlap", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/tokens/{token}/revoke", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/tokens/{token}/revoke", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/events", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/exports/new", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/exports/new", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/exports/{task}", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/events/{event}", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/live", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/events/{event}/mend", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/events/{event}/mend", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/quarantine", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/quarantine/events", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/quarantine/groups/{group}", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/quarantine/groups/{group}", Permit(CONSULTANTS), 400),
    ("POST", "/tenants/{tenant}/quarantine/groups/{group}/relax", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/quarantine/replay", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/quarantine/replay", Permit(CONSULTANTS), 0),
    ("GET", "/tenants/{tenant}/stream", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/tasks", Permit(CONSULTANTS), 200),
    ("GET", "/tenants/{tenant}/tasks/{task}", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/tasks/{task}/cancel", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/alerts", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/alerts/rules/{event_type}", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/alerts/rules/{event_type}", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/alerts/channels/new", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/alerts/channels/new", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/alerts/channels/{channel}", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/alerts/channels/{channel}/edit", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/alerts/channels/{channel}/edit", Permit(CONSULTANTS), 422),
    ("POST", "/tenants/{tenant}/alerts/channels/{channel}/test", Permit(CONSULTANTS), 303),
    ("POST", "/tenants/{tenant}/alerts/channels/{channel}/switch", Permit(CONSULTANTS), 303),
    ("GET", "/tenants/{tenant}/alerts/channels/{channel}/roll", Permit(CONSULTANTS), 0),
    ("POST", "/tenants/{tenant}/alerts/channels/{channel}/roll", Permit(CONSULTANTS), 0),
    ("GET", "/tenants/{tenant}/alerts/channels/{channel}/remove", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/alerts/channels/{channel}/remove", Permit(CONSULTANTS), 422),
    ("GET", "/alerts", Grant(ADMINISTRATORS), 200),
    ("GET", "/alerts/channels/new", Grant(ADMINISTRATORS), 200),
    ("POST", "/alerts/channels/new", Grant(ADMINISTRATORS), 422),
    // the one that is named is a tenant's
    ("GET", "/alerts/channels/{channel}", Grant(ADMINISTRATORS), 404),
    ("GET", "/alerts/channels/{channel}/edit", Grant(ADMINISTRATORS), 404),
    ("POST", "/alerts/channels/{channel}/edit", Grant(ADMINISTRATORS), 404),
    ("POST", "/alerts/channels/{channel}/test", Grant(ADMINISTRATORS), 404),
    ("POST", "/alerts/channels/{channel}/switch", Grant(ADMINISTRATORS), 404),
    ("GET", "/alerts/channels/{channel}/roll", Grant(ADMINISTRATORS), 404),
    ("POST", "/alerts/channels/{channel}/roll", Grant(ADMINISTRATORS), 404),
    ("GET", "/alerts/channels/{channel}/remove", Grant(ADMINISTRATORS), 404),
    ("POST", "/alerts/channels/{channel}/remove", Grant(ADMINISTRATORS), 404),
    ("GET", "/tenants/{tenant}/audit", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/audit/export", Permit(EVERYBODY), 200),
    ("GET", "/guide", Nothing, 200),
    ("GET", "/guide/{audience}", Nothing, 200),
    ("GET", "/integrations", Session, 0),
    ("GET", "/integrations/board", Session, 0),
    ("GET", "/integrations/funnel", Session, 0),
    ("GET", "/integrations/export.csv", Session, 0),
    ("GET", "/tenants/{tenant}/integrations", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/portal", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/portal/{integration}", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/portal/{integration}/tasks/{task}", Permit(EVERYBODY), 404),
    ("POST", "/tenants/{tenant}/portal/{integration}/tasks/{task}", Permit(&[Role::Customer]), 404),
    ("GET", "/tenants/{tenant}/portal/{integration}/files/{answer}", Permit(EVERYBODY), 404),
    ("POST", "/tenants/{tenant}/portal/{integration}/status", Permit(&[Role::Customer]), 200),
    ("POST", "/tenants/{tenant}/portal/{integration}/status/{link}/revoke", Permit(&[Role::Customer]), 404),
    // who came by a link has a door of their own
    ("GET", "/tenants/{tenant}/portal/{integration}/intake", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/portal/{integration}/intake/{section}", Permit(EVERYBODY), 200),
    ("POST", "/tenants/{tenant}/portal/{integration}/intake/{section}", Permit(&[Role::Customer]), 303),
    ("GET", "/tenants/{tenant}/portal/{integration}/links", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/portal/{integration}/links", Permit(STAFF), 422),
    ("POST", "/tenants/{tenant}/portal/{integration}/links/{link}/revoke", Permit(STAFF), 404),
    ("GET", "/portal", Nothing, 410),
    ("POST", "/portal", Nothing, 410),
    ("GET", "/portal/integration", Nothing, 410),
    ("GET", "/portal/integration/tasks/{task}", Nothing, 410),
    ("POST", "/portal/integration/tasks/{task}", Nothing, 410),
    ("GET", "/portal/integration/files/{answer}", Nothing, 410),
    ("GET", "/portal/integration/intake", Nothing, 410),
    ("GET", "/portal/integration/intake/{section}", Nothing, 410),
    ("POST", "/portal/integration/intake/{section}", Nothing, 410),
    ("GET", "/status", Nothing, 0),
    ("GET", "/tenants/{tenant}/integrations/new", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/new", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/edit", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/edit", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/intake", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/integrations/{integration}/intake/{section}", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/intake/{section}", Permit(STAFF), 303),
    ("GET", "/tenants/{tenant}/integrations/{integration}/checks", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/checks", Permit(STAFF), 303),
    ("GET", "/tenants/{tenant}/integrations/{integration}/evidence", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/evidence", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/evidence/probe", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/evidence/probe", Permit(STAFF), 422),
    // whoever comes second finds it open, or closed
    ("POST", "/tenants/{tenant}/integrations/{integration}/endpoint", Permit(CONSULTANTS), 0),
    ("POST", "/tenants/{tenant}/integrations/{integration}/endpoint/evidence", Permit(CONSULTANTS), 0),
    ("POST", "/tenants/{tenant}/integrations/{integration}/endpoint/close", Permit(CONSULTANTS), 0),
    ("GET", "/tenants/{tenant}/integrations/{integration}/links", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/links", Permit(STAFF), 422),
    ("POST", "/tenants/{tenant}/integrations/{integration}/links/{link}/revoke", Permit(STAFF), 404),
    ("GET", "/tenants/{tenant}/integrations/{integration}/verdicts", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/verdicts", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/scenario", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/scenario", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/investigation", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/investigation", Permit(CONSULTANTS), 422),
    (
        "GET",
        "/tenants/{tenant}/integrations/{integration}/investigation/questions/{question}",
        Permit(CONSULTANTS),
        200,
    ),
    (
        "POST",
        "/tenants/{tenant}/integrations/{integration}/investigation/questions/{question}",
        Permit(CONSULTANTS),
        422,
    ),
    ("GET", "/tenants/{tenant}/integrations/{integration}/investigation/report", Permit(STAFF), 200),
    ("GET", "/tenants/{tenant}/integrations/{integration}/acts/{act}", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/acts/{act}", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/quotations", Permit(STAFF), 200),
    // a version is open already
    ("POST", "/tenants/{tenant}/integrations/{integration}/quotations", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/edit", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/edit", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/lines/{line}", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/lines/{line}", Permit(STAFF), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/links", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/links", Permit(STAFF), 422),
    (
        "POST",
        "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/links/{link}/revoke",
        Permit(STAFF),
        0,
    ),
    ("GET", "/tenants/{tenant}/integrations/{integration}/quotations/{quotation}/files/{file}", Permit(STAFF), 404),
    ("GET", "/tenants/{tenant}/integrations/{integration}/implementation", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/implementation", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/implementation/tasks/{point}", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/implementation/tasks/{point}", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/implementation/drafts/{point}", Permit(STAFF), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/implementation/drafts/{point}", Permit(CONSULTANTS), 422),
    ("GET", "/tenants/{tenant}/integrations/{integration}/implementation/evidence/{point}", Permit(CONSULTANTS), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/implementation/evidence/{point}", Permit(CONSULTANTS), 422),
    // not who builds it
    ("GET", "/tenants/{tenant}/integrations/{integration}/implementation/waive/{point}", Permit(WAIVERS), 200),
    ("POST", "/tenants/{tenant}/integrations/{integration}/implementation/waive/{point}", Permit(WAIVERS), 422),
    ("GET", "/tenants/{tenant}/quotations", Permit(EVERYBODY), 200),
    ("GET", "/tenants/{tenant}/quotations/{quotation}", Permit(EVERYBODY), 404),
    ("POST", "/tenants/{tenant}/quotations/{quotation}", Permit(&[Role::Customer]), 404),
    ("GET", "/tenants/{tenant}/quotations/{quotation}/files/{file}", Permit(EVERYBODY), 404),
    ("GET", "/quotation", Nothing, 410),
    ("POST", "/quotation", Nothing, 410),
    ("GET", "/quotation/offer", Nothing, 410),
    ("POST", "/quotation/offer", Nothing, 410),
    ("GET", "/quotation/offer/files/{file}", Nothing, 410),
    ("GET", "/answer", Nothing, 410),
    ("POST", "/answer", Nothing, 410),
    ("GET", "/answer/intake", Nothing, 410),
    ("GET", "/answer/intake/{section}", Nothing, 410),
    ("POST", "/answer/intake/{section}", Nothing, 410),
    ("GET", "/audit", Grant(&[Role::Administrator]), 200),
    ("GET", "/audit/export", Grant(&[Role::Administrator]), 200),
];

/// What one tenant holds that a path can name.
struct Held {
    tenant: TenantId,
    event_type: String,
    token: String,
    source: String,
    window: String,
    event: String,
    group: String,
    channel: String,
    task: String,
    person: String,
    invitation: String,
    integration: String,
    question: String,
    /// A draft of a quotation, and the integration that it is for.
    quotation: String,
    quoted: String,
    /// An integration that is being built, and one of its tasks, drafts and pieces of evidence.
    built: [String; 4],
}

impl Held {
    async fn of(app: &TestApp) -> Self {
        let event_type = app.event_type(|_| {}).await;
        let (token, _) = app.token_with(|_| {}).await;
        let (email, invited) = (format!("p{}@example.com", app.tenant), format!("i{}@example.com", app.tenant));
        let person = account(app, &email, Role::Customer, Some(app.tenant)).await;
        let new = store::NewInvitation {
            email: Email::parse(&invited).unwrap(),
            name: None,
            role: Role::Consultant,
            tenant: Some(app.tenant),
        };
        let (courier, grant) = (Courier::by_hand("http://localhost"), Actor::cli().grant().unwrap());
        let invitation = store::invite(&app.db, &app.clock, &courier, &grant, new).await.unwrap().id;
        let (integration, question) = crate::intake::under_investigation(app).await;
        let quotation = crate::quotations::draft(app).await;
        let (built, whole) = crate::implementation::built(app).await;
        let (task, draft, evidence) = (&whole.tasks[0], &whole.drafts[0], &whole.evidence[0]);
        let built = [built.0, task.id, draft.id, evidence.id].map(|id| id.to_string());
        let source = source(app, event_type).await;
        // a server that knows what was just made
        app.start().await;
        let answer = app.post(&format!("/events/{event_type}")).body(r#"{"a":1}"#).send(app.to()).await;
        let receipt: tributary::ids::ReceiptId = answer.json()["receiptId"].as_str().unwrap().parse().unwrap();
        // and one that breaks a rule of every contract
        app.post(&format!("/events/{event_type}")).body(r#"{"a":1,"a":2}"#).send(app.to()).await;
        let group = Cause { event_type, rule: "duplicate-key".into(), path: "/a".into() }.group();
        let read = Actor::cli().permit(app.tenant).unwrap();
        while failures::store::get(&app.db, &read, group).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let keeper = alerts::Keeper::from(&app.permit());
        let (name, url) = ("Desk".parse().unwrap(), "https://hooks.example.com/".to_owned());
        let keys = Keyring::at(None, app.db.file());
        let keys = if app.db.file().is_some() { keys } else { Keyring::in_memory() };
        let made = alerts::store::add(&app.db, &app.clock, &keys, &keeper, alerts::Way::Web, name, url).await;
        let (channel, _) = made.unwrap();
        let ever = Window::new(chrono::DateTime::UNIX_EPOCH, app.clock.now() + chrono::TimeDelta::days(1));
        let window = loop {
            let found = polling::store::windows(&app.db, &read, source, ever, None, 1).await.unwrap();
            match found.first() {
                Some(window) => break window.id,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        };
        Self {
            source: source.to_string(),
            window: window.to_string(),
            channel: channel.id.to_string(),
            tenant: app.tenant,
            event_type: event_type.to_string(),
            token: token.to_string(),
            event: receipt.event(0).to_string(),
            group: group.to_string(),
            task: app.exported(Format::Jsonl).await.to_string(),
            person: person.to_string(),
            invitation: invitation.to_string(),
            integration: integration.to_string(),
            question: question.to_string(),
            quotation: quotation.id.to_string(),
            quoted: quotation.integration_id.to_string(),
            built,
        }
    }

    fn path(&self, route: &str) -> String {
        self.below(self.tenant, route)
    }

    /// The path of what is held here, below the tenant `of`.
    fn below(&self, of: TenantId, route: &str) -> String {
        let [built, task, draft, evidence] = &self.built;
        let integration = match route {
            route if route.contains("/implementation") => built,
            route if route.contains("/quotations") => &self.quoted,
            _ => &self.integration,
        };
        let point = match route {
            route if route.contains("/tasks/{point}") => task,
            route if route.contains("/drafts/{point}") => draft,
            _ => evidence,
        };
        route
            .replace("{tenant}", &of.to_string())
            .replace("{event_type}", &self.event_type)
            .replace("{token}", &self.token)
            .replace("{source}", &self.source)
            .replace("{window}", &self.window)
            .replace("{event}", &self.event)
            .replace("{group}", &self.group)
            .replace("{channel}", &self.channel)
            .replace("{version}", "1")
            .replace("{task}", &self.task)
            .replace("{person}", &self.person)
            .replace("{invitation}", &self.invitation)
            .replace("{integration}", integration)
            .replace("{point}", point)
            .replace("{quotation}", &self.quotation)
            .replace("{line}", "new")
            .replace("{file}", "pdf")
            .replace("{question}", &self.question)
            .replace("{section}", "need")
            .replace("{link}", &self.person)
            .replace("{act}", "retire")
            .replace("{audience}", "customers")
    }
}

/// A source of which nothing can be read: nobody has such a name.
async fn source(app: &TestApp, event_type: EventTypeId) -> SourceId {
    let definition = serde_json::json!({
        "name": "Shop", "url": "https://shop.invalid/orders", "schedule": {"everyMinutes": 60},
        "window": {"parameters": {"from": "{from}", "until": "{until}"}},
    });
    let prepared = Prepared::read(&definition.to_string()).unwrap();
    let (keys, permit) = (Keyring::in_memory(), app.permit());
    let made = polling::store::change::create(&app.db, &app.clock, &keys, &permit, event_type, prepared, None);
    made.await.unwrap().id
}

fn asking(method: &str, path: String, cookie: Option<&str>) -> Asking {
    let mut asking = Asking::new(method, path).header("accept", "text/html");
    if method == "POST" {
        asking =
            asking.header("content-type", "application/x-www-form-urlencoded").header("sec-fetch-site", "same-origin");
    }
    match cookie {
        Some(cookie) => asking.header("cookie", cookie),
        None => asking,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_for_every_role_in_its_own_and_a_foreign_tenant() {
    each(|app| async move {
        let foreign = app.another_tenant().await;
        let (own, foreign) = (Held::of(&app).await, Held::of(&foreign).await);
        let hash = password::hash(password::Password::given(PASSWORD)).await.unwrap();
        for role in Role::ALL {
            for bound in [true, false] {
                if role == Role::Customer && !bound {
                    continue;
                }
                let cookie = signed_in(&app, role, bound.then_some(own.tenant), &hash).await;
                for (method, route, needs, allowed) in ROUTES {
                    let mut tried = vec![("own", &own)];
                    if matches!(needs, Permit(_)) {
                        tried.push(("foreign", &foreign));
                    }
                    for (whose, held) in tried {
                        let expected = expected(*needs, *allowed, role, bound, whose);
                        // signing out is tried where it ends nothing
                        let cookie = if *route == "/logout" { None } else { Some(cookie.as_str()) };
                        let status = status(&app, &asking(method, held.path(route), cookie)).await;
                        assert!(
                            expected == 0 && status < 500 || status == expected,
                            "{method} {route} by {role} (bound: {bound}) of {whose} tenant: {status}, not {expected}"
                        );
                    }
                }
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_another_tenant_holds_is_not_found_below_the_own() {
    each(|app| async move {
        let foreign = app.another_tenant().await;
        let (own, foreign) = (Held::of(&app).await, Held::of(&foreign).await);
        let hash = password::hash(password::Password::given(PASSWORD)).await.unwrap();
        let mut walked = 0;
        for bound in [true, false] {
            let cookie = signed_in(&app, Role::Consultant, bound.then_some(own.tenant), &hash).await;
            for (method, route, needs, _) in ROUTES {
                let may = matches!(needs, Permit(roles) if roles.contains(&Role::Consultant));
                if !may || !route.starts_with("/tenants/{tenant}/") || route.matches('{').count() < 2 {
                    continue;
                }
                walked += 1;
                let asking = asking(method, foreign.below(own.tenant, route), Some(&cookie));
                let status = status(&app, &asking).await;
                assert_eq!(status, 404, "{method} {route} (bound: {bound})");
            }
        }
        assert!(walked > 60, "{walked}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_that_is_no_text_is_not_found() {
    each(|app| async move {
        let own = Held::of(&app).await;
        let hash = password::hash(password::Password::given(PASSWORD)).await.unwrap();
        let cookie = signed_in(&app, Role::Administrator, None, &hash).await;
        for (method, route, ..) in ROUTES.iter().filter(|(_, route, ..)| route.contains('{')) {
            let last = route.rfind('{').unwrap_or_default();
            for broken in ["%ff", "%c3%28", "a%80"] {
                let path = format!("{}{broken}", own.path(&route[..last]));
                let rest = route[last..].split_once('}').map_or("", |(_, rest)| rest);
                let status = status(&app, &asking(method, path + rest, Some(&cookie))).await;
                assert_eq!(status, 404, "{method} {route} with {broken}");
            }
        }
        // what is text is looked up as ever
        let escaped = own.path("/tenants/{tenant}").replace('-', "%2d");
        assert_eq!(status(&app, &asking("GET", escaped, Some(&cookie))).await, 200);
        assert_eq!(status(&app, &asking("GET", "/tenants/%zz".into(), Some(&cookie))).await, 404);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_let_in_without_a_session() {
    each(|app| async move {
        let own = Held::of(&app).await;
        for (method, route, needs, _) in ROUTES.iter().filter(|(.., needs, _)| *needs != Nothing) {
            let answer = status(&app, &asking(method, own.path(route), None)).await;
            let expected = if *method == "GET" { 303 } else { 401 };
            assert_eq!(answer, expected, "{method} {route} {}", matches!(needs, Session));
        }
    })
    .await;
}

fn expected(needs: Needs, allowed: u16, role: Role, bound: bool, whose: &str) -> u16 {
    let may = match needs {
        Nothing | Session => true,
        Grant(roles) => roles.contains(&role) && !bound,
        Permit(_) if bound && whose == "foreign" => return 404,
        Permit(roles) => roles.contains(&role),
    };
    if may { allowed } else { 403 }
}

/// The status alone: a stream has no end to wait for.
async fn status(app: &TestApp, asking: &Asking) -> u16 {
    let mut stream = TcpStream::connect(app.to()).await.unwrap();
    stream.write_all(&asking.bytes()).await.unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {line}"))
}

async fn signed_in(app: &TestApp, role: Role, tenant: Option<TenantId>, hash: &str) -> String {
    let email = format!("{role}-{}@example.com", if tenant.is_some() { "bound" } else { "free" });
    let new = store::NewUser {
        email: Email::parse(&email).unwrap(),
        name: "Jane".parse().unwrap(),
        role,
        tenant,
        password_hash: hash.to_owned(),
    };
    store::add_user(&app.db, &app.clock, &Actor::cli().grant().unwrap(), new).await.unwrap();
    let form = format!("email={}&password={}", email.replace('@', "%40"), PASSWORD.replace(' ', "+"));
    let answer = asking("POST", "/login".into(), None).body(form).send(app.to()).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    let cookie = answer.header("set-cookie").expect("a cookie");
    cookie.split(';').next().unwrap().to_owned()
}

#[test]
fn the_table_names_every_route_of_the_source() {
    let mut found = BTreeSet::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    let listed: BTreeSet<String> = ROUTES.iter().map(|(_, route, ..)| (*route).to_owned()).collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not in the table: {missing:?}; not in the source: {gone:?}");
}

/// The routes of pages. Those of the wire have tables of their own, files are anybody's, and the stand-in for an external
/// system is another server.
fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "vendor" {
            collect(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs")
            && name != "tests.rs"
            && name != "testing.rs"
            && name != "assets.rs"
        {
            let text = std::fs::read_to_string(&path).unwrap();
            for rest in text.split(".route(").skip(1) {
                let rest = rest.trim_start();
                if let Some(route) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next())
                    && !route.starts_with("/events/")
                {
                    found.insert(route.to_owned());
                }
            }
        }
    }
}
