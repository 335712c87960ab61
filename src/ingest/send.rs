//! Sending events: of one type, mixed, anonymously, and as a dry run.
use std::sync::Arc;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Front, Head,
    body::{self, Form, Whole},
    directory::Tenant,
    judge::judge,
    problem::Problem,
    split::{Raw, split},
};
use crate::{
    crypto,
    db::lane::{Append, Once, Outcome, Row, Summary},
    error::Error,
    event_types::EventType,
    ids::{EventTypeId, ReceiptId, TenantId, TokenId},
    room::Place,
    tokens::Known,
};

/// `POST …/events/{event_type}`
pub async fn one_type(State(front): State<Front>, request: Request) -> Result<Response, Problem> {
    let mut named = None;
    let answered = of_one_type(&front, request, &mut named).await;
    if let (Err(problem), Some(named)) = (&answered, named) {
        front.refused(named, problem.status());
    }
    answered
}

/// `named` is what the path names, as soon as that is read.
type Named = Option<(TenantId, EventTypeId)>;

async fn of_one_type(front: &Front, request: Request, named: &mut Named) -> Result<Response, Problem> {
    let (head, body, token, event_type) = addressed(front, request, named).await?;
    let arrived = arrive(front, &head, body).await?;
    let place = front.app.lane.admit(weight(&arrived)).await?;
    let rows = arrived.looked_into(|| {
        let raws = arrived.split(front, &head, false)?;
        raws.into_iter().map(|raw| judge(&event_type, raw)).collect::<Result<Vec<_>, _>>()
    })?;
    let scope = ("events", Some(event_type.id));
    store(front, &head, Some(token.id), place, rows, &arrived, scope).await
}

/// `POST …/events/{event_type}/validate`: nothing is stored.
pub async fn dry_run(State(front): State<Front>, request: Request) -> Result<Response, Problem> {
    let (head, body, _, event_type) = addressed(&front, request, &mut None).await?;
    let arrived = arrive(&front, &head, body).await?;
    // as much work as if it were stored, so it takes its turn as that would
    let _place = front.app.lane.admit(weight(&arrived)).await?;
    let summary = arrived.looked_into(|| {
        let mut summary = Summary::default();
        for (index, raw) in arrived.split(&front, &head, false)?.into_iter().enumerate() {
            let row = judge(&event_type, raw)?;
            summary.add(index, row.verdict, row.errors.as_deref());
        }
        Ok(summary)
    })?;
    let mut body = format!(r#"{{"valid":{},"rejected":[{}]"#, summary.accepted, summary.rejected);
    list_warnings(&mut body, &summary);
    body.push('}');
    Ok(json(StatusCode::OK, body))
}

/// `POST …/events`: each event names its type.
pub async fn mixed(State(front): State<Front>, request: Request) -> Result<Response, Problem> {
    let (head, body) = Head::read(&front, request).await?;
    let token = head.authenticate(&front)?;
    let arrived = arrive(&front, &head, body).await?;
    let place = front.app.lane.admit(weight(&arrived)).await?;
    let rows = arrived.looked_into(|| {
        judge_mixed(&head, arrived.split(&front, &head, true)?, |tenant, id| {
            if !token.covers(id) {
                return Err(Missing::Forbidden);
            }
            tenant.event_type(id).ok_or(Missing::Unknown)
        })
    })?;
    store(&front, &head, Some(token.id), place, rows, &arrived, ("events", None)).await
}

/// `POST …/events/anonymousevents`: without a token, for types that allow it.
pub async fn anonymous(State(front): State<Front>, request: Request) -> Result<Response, Problem> {
    const REFUSED: &str = "the event type does not take anonymous events";
    let (head, body) = Head::read(&front, request).await?;
    // a stranger is not told which tenants there are
    if !head.snapshot.tenant(head.tenant).is_some_and(|tenant| tenant.enabled) {
        return Err(Problem::forbidden(REFUSED));
    }
    front.count(head.tenant)?;
    let arrived = arrive(&front, &head, body).await?;
    let place = front.app.lane.admit(weight(&arrived)).await?;
    let rows = arrived.looked_into(|| {
        judge_mixed(&head, arrived.split(&front, &head, true)?, |tenant, id| {
            tenant.event_type(id).filter(|event_type| event_type.details.anonymous).ok_or(Missing::Forbidden)
        })
    })?;
    store(&front, &head, None, place, rows, &arrived, ("events/anonymousevents", None)).await
}

/// Everything that is decided before the body is looked at, for a request that names its type in the path.
async fn addressed(
    front: &Front,
    request: Request,
    named: &mut Named,
) -> Result<(Head, Body, Arc<Known>, Arc<EventType>), Problem> {
    let (mut head, body) = Head::read(front, request).await?;
    let id = EventTypeId(Head::id(&mut head.parts, "event_type").await?);
    *named = Some((head.tenant, id));
    let token = head.authenticate(front)?;
    if !token.covers(id) {
        return Err(Problem::forbidden("the token does not hold for this event type"));
    }
    let event_type = head.snapshot.tenant(head.tenant).and_then(|tenant| tenant.event_type(id));
    let event_type = event_type.ok_or_else(Problem::no_type)?.clone();
    Ok((head, body, token, event_type))
}

/// What is larger takes longer to look into than a request may keep others waiting.
const LARGE: usize = 256 << 10;

/// A body that is here, and not looked into yet.
struct Arrived {
    form: Form,
    whole: Whole,
}

/// Reads the body.
async fn arrive(front: &Front, head: &Head, body: Body) -> Result<Arrived, Problem> {
    let settings = &front.app.settings;
    let (form, encoding) = body::form(&head.parts.headers)?;
    let whole = body::read(body, encoding, &settings.limits, settings.body_timeout, &front.memory).await?;
    Ok(Arrived { form, whole })
}

impl Arrived {
    /// Does what looks into the events. Of a large body that takes long, so others are not kept waiting for it.
    fn looked_into<T>(&self, look: impl FnOnce() -> Result<T, Problem>) -> Result<T, Problem> {
        if self.whole.bytes.len() > LARGE { tokio::task::block_in_place(look) } else { look() }
    }

    fn split(&self, front: &Front, head: &Head, mixed: bool) -> Result<Vec<Raw>, Problem> {
        split(&self.whole.bytes, self.form, mixed, &head.parts.headers, &front.app.settings.limits)
    }
}

/// What a request will weigh while it waits for the disk, guessed before any work is spent on it: its text, and what
/// is kept beside each event. It has at most as many events as opening braces.
fn weight(arrived: &Arrived) -> usize {
    let bytes = &arrived.whole.bytes;
    // not `count`: summing up is what the compiler makes fast
    let braces: usize = bytes.iter().map(|byte| usize::from(*byte == b'{')).sum();
    bytes.len() + braces * size_of::<Row>()
}

enum Missing {
    Unknown,
    Forbidden,
}

fn judge_mixed<'s>(
    head: &'s Head,
    raws: Vec<Raw>,
    find: impl Fn(&'s Tenant, EventTypeId) -> Result<&'s Arc<EventType>, Missing>,
) -> Result<Vec<Row>, Problem> {
    let Some(tenant) = head.snapshot.tenant(head.tenant) else { return Err(Problem::no_type()) };
    let (mut unknown, mut forbidden, mut rows) = (Vec::new(), Vec::new(), Vec::with_capacity(raws.len()));
    for (index, raw) in raws.into_iter().enumerate() {
        let id = raw.event_type.ok_or_else(|| Problem::bad("an event names no type"))?;
        match find(tenant, id) {
            Ok(event_type) => rows.push(judge(event_type, raw)?),
            Err(Missing::Unknown) => unknown.push((index, "unknown event type")),
            Err(Missing::Forbidden) => forbidden.push((index, "not allowed for this event type")),
        }
    }
    if !forbidden.is_empty() {
        return Err(Problem::forbidden("one event type or more is not allowed; nothing was stored").at_rows(&forbidden));
    }
    if !unknown.is_empty() {
        return Err(Problem::no_type().at_rows(&unknown));
    }
    Ok(rows)
}

/// Hands the events to the write lane and answers what became of them.
async fn store(
    front: &Front,
    head: &Head,
    source: Option<TokenId>,
    place: Place,
    rows: Vec<Row>,
    arrived: &Arrived,
    scope: (&str, Option<EventTypeId>),
) -> Result<Response, Problem> {
    let strict = head.query.strict;
    let once = arrived.looked_into(|| once(&head.parts.headers, scope, &arrived.whole))?;
    let receipt = ReceiptId::issue(&front.app.clock);
    let append = Append { tenant: head.tenant, receipt, source, rows, strict, once, mends: None, progress: None };
    match front.app.lane.append(place, append).await? {
        Outcome::Stored(summary) => answer(receipt, &summary, false),
        Outcome::Repeated(first, summary) => answer(first, &summary, true),
        Outcome::KeyReused => Err(Problem::key_reused()),
        Outcome::Refused(summary) => Err(Problem::refused(&summary.rejected)),
        Outcome::Mended(_) | Outcome::Fenced => {
            Err(Error::internal(anyhow::anyhow!("nothing was to be mended, and nothing was polled")).into())
        }
    }
}

fn answer(receipt: ReceiptId, summary: &Summary, repeated: bool) -> Result<Response, Problem> {
    if summary.status() == 422 {
        return Err(Problem::quarantined(receipt, summary));
    }
    Ok(json(StatusCode::CREATED, stored_body(receipt, summary, repeated)))
}

/// The body of a 201. A repeated request accepts nothing and recognises what the first one accepted.
pub fn stored_body(receipt: ReceiptId, summary: &Summary, repeated: bool) -> String {
    let (accepted, duplicates) =
        if repeated { (0, summary.accepted) } else { (summary.accepted, summary.duplicates.len()) };
    let mut body = format!(
        r#"{{"receiptId":"{receipt}","accepted":{accepted},"duplicates":{duplicates},"rejected":[{}]"#,
        summary.rejected
    );
    list_warnings(&mut body, summary);
    body.push('}');
    body
}

fn list_warnings(body: &mut String, summary: &Summary) {
    if !summary.warnings.is_empty() {
        body.push_str(r#","warnings":["#);
        body.push_str(&summary.warnings);
        body.push(']');
    }
}

fn once(headers: &HeaderMap, scope: (&str, Option<EventTypeId>), whole: &Whole) -> Result<Option<Once>, Problem> {
    let mut keys = headers.get_all("idempotency-key").iter().map(|value| value.as_bytes().trim_ascii());
    let Some(key) = keys.next() else { return Ok(None) };
    if key.is_empty() || key.len() > 255 || keys.any(|other| other != key) {
        return Err(Problem::bad("send one Idempotency-Key of 1 to 255 characters"));
    }
    let (route, event_type) = scope;
    let scope = event_type.map_or_else(|| route.to_owned(), |id| format!("{route}/{id}"));
    Ok(Some(Once { key: crypto::sha256(&[scope.as_bytes(), b"\n", key].concat()), body: crypto::sha256(&whole.bytes) }))
}

pub(super) fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
