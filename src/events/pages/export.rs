//! Exporting events: what would be exported, in which format, and handing out the file.
use axum::{
    Form,
    body::Body,
    extract::{Path, Query, RawQuery, State},
    http::{HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};
use futures_util::stream;
use leptos::prelude::*;
use serde::Deserialize;
use serde_json::json;

use super::{Names, wrong};
use crate::{
    app::App,
    auth::{
        Permit, ReadConfiguration, ReadPayloads, Session,
        audit::{self, Entry},
    },
    error::{Error, Result},
    events::{
        Asked, Cursor, Filter, Source, Verdict,
        export::{self, Estimate, Format, Order},
        flags,
    },
    failures,
    form::{Typed, amiss, shown},
    ids::{TaskId, TenantId},
    jobs::{self, Task, output},
    tenants,
    ui::{
        self, Button, Card, Choice, CodeBlock, Columns, Crumb, Empty, Facts, FieldErrors, Form as PageForm,
        FormActions, Frame, Icon, LinkButton, PageHeader, RadioGroup, Section, Tone,
    },
};

/// What the page shows.
struct Seen {
    tenant: TenantId,
    asked: Asked,
    names: Names,
    estimate: Estimate,
    /// The group that is asked for, in words.
    group: Option<String>,
}

impl Seen {
    async fn load(app: &App, session: &Session, permit: &Permit<ReadPayloads>, query: Option<String>) -> Result<Self> {
        let asked = Asked::parse(&query.unwrap_or_default());
        let names = Names::load(app, &session.permit::<ReadConfiguration>(permit.tenant())?).await?;
        let group = match asked.filter.group {
            Some(id) => Some(failures::title_of(&failures::store::get(&app.db, permit, id).await?)),
            None => None,
        };
        let estimate = export::estimate(&app.db, permit, &asked.filter).await?;
        Ok(Self { tenant: permit.tenant(), asked, names, estimate, group })
    }

    async fn frame(&self, app: &App, session: &Session) -> Result<Frame> {
        let section = if self.is_quarantine() { Section::Quarantine } else { Section::Events };
        tenants::frame(app, session, Some(self.tenant), section, self.here()).await
    }

    fn is_quarantine(&self) -> bool {
        self.asked.filter.verdict == Some(Verdict::Quarantined)
    }

    fn here(&self) -> String {
        format!("/tenants/{}/exports/new{}", self.tenant, self.asked.filter.query(Cursor::Newest))
    }

    /// The list that is exported.
    fn list(&self) -> (String, &'static str) {
        if self.is_quarantine() && self.asked.filter.field.is_none() {
            let filter = Filter { verdict: None, ..self.asked.filter.clone() };
            return (
                format!("/tenants/{}/quarantine/events{}", self.tenant, filter.query(Cursor::Newest)),
                "Quarantine",
            );
        }
        (format!("/tenants/{}/events{}", self.tenant, self.asked.filter.query(Cursor::Newest)), "Events")
    }

    fn order(&self, format: Format) -> Order {
        let filter = &self.asked.filter;
        let token = match filter.source {
            Some(Source::Token(id)) => self.names.tokens.iter().find(|(known, _)| *known == id),
            _ => None,
        };
        let type_name = export::type_name(&self.names.types, filter);
        Order::new(filter, format, type_name, token.map(|(_, name)| name.clone())).of_group(self.group.clone())
    }
}

/// Asks for the format, and says how many events there are.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    RawQuery(query): RawQuery,
) -> Result<Response> {
    let seen = Seen::load(&app, &session, &permit, query).await?;
    let frame = seen.frame(&app, &session).await?;
    Ok(shown(draw(&frame, &seen, Format::Jsonl.word(), &FieldErrors::new())))
}

/// Queues the export.
pub(super) async fn start(
    State(app): State<App>,
    session: Session,
    permit: Permit<ReadPayloads>,
    RawQuery(query): RawQuery,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let seen = Seen::load(&app, &session, &permit, query).await?;
    let (chosen, mut errors) = (typed.text("format"), FieldErrors::new());
    match Format::parse(&chosen) {
        None => errors.push("format", "Choose a format"),
        Some(format) => match export::start(&app.db, &app.clock, &permit, seen.order(format), seen.estimate).await {
            Ok(id) => {
                app.jobs.wake();
                return Ok(Redirect::to(&jobs::href(seen.tenant, id)).into_response());
            }
            Err(error) => errors.note("", error)?,
        },
    }
    let frame = seen.frame(&app, &session).await?;
    Ok(amiss(draw(&frame, &seen, &chosen, &errors)))
}

fn draw(frame: &Frame, seen: &Seen, chosen: &str, errors: &FieldErrors) -> String {
    let (list, list_name) = &seen.list();
    let title = if seen.is_quarantine() { "Export quarantine" } else { "Export events" };
    let words = match seen.estimate {
        Estimate::Exactly(count) => ui::format::counted(u64::try_from(count).unwrap_or(0), "event"),
        Estimate::More => format!("More than {}", ui::format::counted(export::COUNTED.unsigned_abs(), "event")),
        Estimate::Unknown => "Those that match".to_owned(),
        Estimate::Among => {
            format!("Those that match, of more than {}", ui::format::counted(export::COUNTED.unsigned_abs(), "event"))
        }
    };
    let main = if seen.estimate == Estimate::Exactly(0) {
        view! {
            <Empty icon=Icon::Search title="No event matches" why="There is nothing to export. Ask for more, or for another time.">
                <LinkButton href=list.clone() tone=Tone::Primary>"Back to the list"</LinkButton>
            </Empty>
        }
        .into_any()
    } else {
        let choices = vec![
            Choice::new(Format::Jsonl.word(), "JSON lines")
                .hint("One object a line: id, time, type, verdict, reasons, and the payload exactly as it was sent."),
            Choice::new(Format::Csv.word(), "CSV").hint(
                "For spreadsheets: a column for each field. Text that a spreadsheet would run as a formula gets an apostrophe in front.",
            ),
        ];
        view! {
            <Card title="Format">
                <PageForm action=seen.here() errors=errors>
                    <RadioGroup name="format" label="How events are written" choices=choices value=chosen.to_owned() errors=errors/>
                    <FormActions>
                        <Button tone=Tone::Primary icon=Icon::Download>"Start export"</Button>
                        <LinkButton href=list.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                    </FormActions>
                </PageForm>
            </Card>
            <CodeBlock id="cli" label="The same on the command line" code=command(seen)/>
        }
        .into_any()
    };
    let facts = seen.order(Format::Jsonl).facts().into_iter().filter(|(name, _)| *name != "Format");
    let facts = [("How many", ui::strong(words))].into_iter().chain(facts.map(|(name, value)| (name, ui::text(value))));
    let aside = view! { <Card title="What is exported"><Facts items=facts.collect()/></Card> };
    let body = view! {
        <PageHeader
            title=title
            lead="The export goes on in the background, and its file is kept for seven days."
        />
        {wrong(&seen.asked)}
        <Columns main=main aside=aside.into_any()/>
    };
    let tenant = frame.tenant.iter().map(|tenant| Crumb::new(&tenant.name, format!("/tenants/{}", tenant.id)));
    let crumbs = tenant.chain([Crumb::new(*list_name, list.clone())]).collect();
    ui::page(frame, title, crumbs, body.into_any())
}

/// What exports the same by the command line. Nothing in it was typed by anybody.
fn command(seen: &Seen) -> String {
    let flags = flags(&seen.asked.filter);
    format!("tributary events export --tenant {}{flags} \\\n  --format csv > events.csv", seen.tenant)
}

/// The export that a path names.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    task: String,
}

/// How its file is asked for.
#[derive(Debug, Deserialize)]
pub(super) struct How {
    compressed: Option<String>,
}

/// Hands out the file of an export, a piece at a time.
pub(super) async fn download(
    State(app): State<App>,
    permit: Permit<ReadPayloads>,
    Path(named): Path<Named>,
    Query(how): Query<How>,
) -> Result<Response> {
    let missing = || Error::NotFound("file of an export");
    let id: TaskId = named.task.parse().map_err(|_| missing())?;
    let task = jobs::get(&app.db, &permit, id).await.map_err(|error| match error {
        Error::NotFound(_) => missing(),
        other => other,
    })?;
    if task.kind != export::KIND.name || !export::is_kept(&task, app.clock.now()) {
        return Err(missing());
    }
    let order = task.input::<Order>()?;
    written_down(&app, &permit, &task).await?;
    let compressed = how.compressed.is_some();
    let name = export::file_name(&order, &task);
    let (kind, name) =
        if compressed { ("application/gzip", format!("{name}.gz")) } else { (order.format.media_type(), name) };
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\"")).map_err(Error::internal)?;
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let pieces = stream::try_unfold((app.db.clone(), 0_i64), move |(db, number)| async move {
        let Some(piece) = output::piece(&db, task.tenant, task.id, number).await? else { return Ok(None) };
        let part = if compressed {
            piece
        } else {
            tokio::task::spawn_blocking(move || output::text(&piece)).await.map_err(Error::internal)??
        };
        Ok::<_, Error>(Some((part, (db, number + 1))))
    });
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// Who has taken which events away.
async fn written_down(app: &App, permit: &Permit<ReadPayloads>, task: &Task) -> Result<()> {
    let (clock, permit, id) = (app.clock.clone(), permit.clone(), task.id);
    let after = Some(json!({"events": task.done}));
    app.db
        .write(move |tx| {
            Box::pin(async move {
                let (actor, object) = (permit.actor(), id.to_string());
                let tenant = Some(permit.tenant());
                let entry = Entry { actor, tenant, action: "events.download", object, before: None, after };
                audit::record(tx, &clock, entry).await
            })
        })
        .await
}
