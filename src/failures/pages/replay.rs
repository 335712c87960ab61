//! Before many events are replayed: how many, of what, and what becomes of them.
use axum::{
    Form as Posted,
    extract::{RawQuery, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::{DateTime, SecondsFormat, Utc};
use leptos::prelude::*;

use super::{
    super::{
        replay::{self, Asked},
        store,
    },
    words::{in_words, title},
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads, Session},
    error::{Error, Result},
    event_types,
    events::{self, Cursor, Filter, Source},
    form::{Typed, amiss, sentence, shown},
    ids::{EventTypeId, TenantId},
    jobs, tenants, tokens,
    ui::{
        self, Button, Card, CodeBlock, Crumb, Empty, FieldErrors, Form, FormActions, Frame, Hidden, Icon, LinkButton,
        PageHeader, Prose, Section, Tone,
    },
};

/// Says how many, and asks.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let query = query.unwrap_or_default();
    let wish = Wish::read(&app, &session, &permit, events::Asked::parse(&query), app.clock.now()).await?;
    let read = session.permit::<ReadPayloads>(permit.tenant())?;
    let count = replay::count(&app, &read, &wish.asked()).await?;
    let frame = frame(&app, &session, permit.tenant(), &wish).await?;
    Ok(shown(draw(&frame, permit.tenant(), &wish, count, &FieldErrors::new())))
}

/// Queues it.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Posted(typed): Posted<Typed>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let read = session.permit::<ReadPayloads>(tenant)?;
    let now = app.clock.now();
    // what was counted is what is replayed: events that came since are for the next time
    let counted = typed.text("counted").parse::<DateTime<Utc>>().unwrap_or(now).min(now);
    let wish = Wish::read(&app, &session, &permit, events::Asked::of(typed.fields()), counted).await?;
    let count = replay::count(&app, &read, &wish.asked()).await?;
    let mut errors = FieldErrors::new();
    if count > 0 {
        match replay::start(&app, &permit, wish.asked(), count).await {
            Ok(task) => return Ok(Redirect::to(&jobs::href(tenant, task)).into_response()),
            Err(Error::Conflict(why)) => errors.push("", sentence(&why)),
            Err(error) => return Err(error),
        }
    }
    let frame = frame(&app, &session, tenant, &wish).await?;
    Ok(amiss(draw(&frame, tenant, &wish, count, &errors)))
}

/// What is to be replayed, as it was asked for.
struct Wish {
    filter: Filter,
    /// When it was counted.
    counted: DateTime<Utc>,
    /// What the filter asks for, in words.
    of: String,
}

impl Wish {
    /// A group or a type that is not there is another tenant's, or nobody's; and what cannot be understood is not left
    /// out here: more would be replayed than was asked for.
    async fn read(
        app: &App,
        session: &Session,
        permit: &Permit<Configure>,
        asked: events::Asked,
        counted: DateTime<Utc>,
    ) -> Result<Self> {
        if let Some((field, why)) = asked.wrong.first() {
            return Err(Error::Refused(format!("{field}: {why}")));
        }
        if asked.filter.field.is_some() {
            let why = "events are not replayed by what a field holds: take the field out of the filter";
            return Err(Error::Refused(why.to_owned()));
        }
        let (tenant, filter) = (permit.tenant(), Filter { verdict: None, warned: false, ..asked.filter });
        let names = event_types::store::names(&app.db, tenant).await?;
        let name = |id: EventTypeId| names.iter().find(|(known, _)| *known == id).map(|(_, name)| name.to_string());
        let of = match (filter.group, filter.event_type) {
            (Some(id), _) => {
                let found = store::get(&app.db, &session.permit(tenant)?, id).await?;
                let of_type = name(found.event_type_id).unwrap_or_else(|| found.event_type_id.to_string());
                format!("{of_type}: {}", title(&found))
            }
            (None, Some(id)) => name(id).ok_or(Error::NotFound("event type"))?,
            (None, None) => "all types".to_owned(),
        };
        let token = match filter.source {
            Some(Source::Token(id)) => {
                let known = tokens::list(&app.db, &session.permit::<ReadConfiguration>(tenant)?).await?;
                let known = known.into_iter().find(|token| token.id == id);
                Some(known.map_or_else(|| id.to_string(), |token| token.details.name.to_string()))
            }
            _ => None,
        };
        Ok(Self { of: in_words(of, &filter, token), filter, counted })
    }

    fn asked(&self) -> Asked {
        Asked::new(&self.filter, self.counted, self.of.clone())
    }

    fn query(&self) -> String {
        self.filter.query(Cursor::Newest)
    }
}

async fn frame(app: &App, session: &Session, tenant: TenantId, wish: &Wish) -> Result<Frame> {
    let path = format!("/tenants/{tenant}/quarantine/replay{}", wish.query());
    tenants::frame(app, session, Some(tenant), Section::Quarantine, path).await
}

fn draw(frame: &Frame, tenant: TenantId, wish: &Wish, count: i64, errors: &FieldErrors) -> String {
    let base = format!("/tenants/{tenant}/quarantine");
    let back = match wish.filter.group {
        Some(group) if wish.query() == format!("?group={group}") => super::super::href(tenant, group),
        _ => format!("{base}/events{}", wish.query()),
    };
    let crumbs = vec![Crumb::new("Quarantine", base.clone())];
    let events = ui::format::counted(u64::try_from(count).unwrap_or(0), "event");
    if count == 0 {
        let body = view! {
            <PageHeader title="Replay"/>
            <Empty
                icon=Icon::Check
                title="Nothing to replay"
                why="No event that was asked for is in quarantine: they were mended, or their time is over."
            >
                <LinkButton href=base>"Show the quarantine"</LinkButton>
            </Empty>
        };
        return ui::page(frame, "Replay", crumbs, body.into_any());
    }
    let words = format!("Replay {events} of {}", wish.of);
    let command = format!("tributary quarantine replay --tenant {tenant}{}", events::flags(&wish.filter));
    let hidden = wish.filter.fields().into_iter().map(|(name, value)| view! { <Hidden name=name value=value/> });
    let body = view! {
        <PageHeader title=words.clone() lead="It runs in the background, and can be stopped at any time."/>
        <Card title="What becomes of them">
            <Prose>
                <p>"Each is judged by the contract that is in force when its turn comes."</p>
                <p>"One that keeps it is accepted as a new event, once, and leaves the quarantine. The original stays as it was sent."</p>
                <p>"One that does not stays in quarantine, with what is wrong with it by now."</p>
            </Prose>
            <Form action=format!("{base}/replay") errors=errors>
                {hidden.collect_view()}
                <Hidden name="counted" value=wish.counted.to_rfc3339_opts(SecondsFormat::Micros, true)/>
                <FormActions>
                    <Button tone=Tone::Primary>{format!("Replay {events}")}</Button>
                    <LinkButton href=back tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </Form>
        </Card>
        <Card title="By command"><CodeBlock id="cli" label="The same on the command line" code=command/></Card>
    };
    ui::page(frame, "Replay", crumbs, body.into_any())
}
