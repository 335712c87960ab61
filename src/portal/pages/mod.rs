//! The pages of the portal: all integrations of a tenant, and one of them. `visit` says who looks at the one.
mod intake;
mod links;
mod status;
mod task;
mod visit;

use axum::{
    Router,
    extract::{DefaultBodyLimit, Query, State},
    response::Response,
    routing::{get, post},
};
use leptos::prelude::*;
use serde::Deserialize;
use uuid::Uuid;

use self::visit::{Visit, as_customer};
use super::{
    answers::MOST_BYTES,
    health::{Diagnosis, Health},
    links::Following,
    status as shared,
    store::{self, Day, Misfit, Standing},
};
use crate::{
    app::App,
    auth::{AnswerTasks, Permit, Role, SeePortal, SeeQuotations, Session},
    error::{Error, Result},
    form::{Done, shown},
    guests::gate::{door, enter},
    ids::IntegrationId,
    intake::{Side, Stage, implementation, store::why},
    tenants,
    ui::{
        self, Badge, Card, Chart, ChartBar, ChartWords, Column, Columns, DataTable, Empty, Facts, Frame, Icon,
        LinkButton, Notice, PageHeader, Row, Section, State as Mood, Tone,
    },
};

/// The routes of this slice.
pub fn routes() -> Router<App> {
    // a file, and what a form is beside it
    let task = || get(task::ask).post(task::answer).layer(DefaultBodyLimit::max(MOST_BYTES + (1 << 20)));
    Router::new()
        .route("/tenants/{tenant}/portal", get(all))
        .route("/tenants/{tenant}/portal/{integration}", get(show))
        .route("/tenants/{tenant}/portal/{integration}/tasks/{task}", task())
        .route("/tenants/{tenant}/portal/{integration}/files/{answer}", get(task::file))
        .route("/tenants/{tenant}/portal/{integration}/status", post(status::make))
        .route("/tenants/{tenant}/portal/{integration}/status/{link}/revoke", post(status::take_back))
        .route("/tenants/{tenant}/portal/{integration}/intake", get(intake::all))
        .route("/tenants/{tenant}/portal/{integration}/intake/{section}", get(intake::ask).post(intake::save))
        .route("/tenants/{tenant}/portal/{integration}/links", get(links::all).post(links::make))
        .route("/tenants/{tenant}/portal/{integration}/links/{link}/revoke", post(links::take_back))
        .route("/portal", get(door::<Following>).post(enter::<Following>))
        .route("/portal/integration", get(show))
        .route("/portal/integration/tasks/{task}", task())
        .route("/portal/integration/files/{answer}", get(task::file))
        .route("/portal/integration/intake", get(intake::all))
        .route("/portal/integration/intake/{section}", get(intake::ask).post(intake::save))
        .route("/status", get(status::show))
}

#[derive(Debug, Deserialize)]
struct Named {
    #[serde(default)]
    integration: String,
    #[serde(default)]
    section: String,
    #[serde(default)]
    task: String,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    link: String,
}

impl Named {
    fn id(&self) -> Result<IntegrationId> {
        self.integration.parse().map_err(|_| Error::NotFound("integration"))
    }

    fn task(&self) -> Result<Uuid> {
        crate::ids::named(&self.task, "task")
    }

    fn answer(&self) -> Result<Uuid> {
        crate::ids::named(&self.answer, "file")
    }

    fn link(&self) -> Result<Uuid> {
        crate::ids::named(&self.link, "link")
    }
}

/// What both pages begin with; that a colleague looks is written down.
async fn frame(app: &App, session: &Session, permit: &Permit<SeePortal>, path: String) -> Result<Frame> {
    if session.actor.role != Role::Customer {
        store::looked(&app.db, &app.clock, permit, path.clone()).await?;
    }
    tenants::frame(app, session, Some(permit.tenant()), Section::Portal, path).await
}

async fn all(State(app): State<App>, session: Session, permit: Permit<SeePortal>) -> Result<Response> {
    let base = format!("/tenants/{}/portal", permit.tenant());
    let frame = frame(&app, &session, &permit, base.clone()).await?;
    let standings = store::standings(&app.db, &app.clock, &permit).await?;
    let content = if standings.is_empty() {
        view! { <Empty icon=Icon::Join title="No integration yet" why="Systems that are connected for you, or are about to be, stand here: how far they are, and what is next."/> }
            .into_any()
    } else {
        let now = frame.moment();
        let columns = vec![
            Column::text("Integration"),
            Column::text("Where it stands"),
            Column::text("Whose turn"),
            Column::text("Next step"),
            Column::text("Last event").wide_only(),
        ];
        let rows = standings.iter().map(|one| {
            let of = &one.of;
            let name = ui::link(format!("{base}/{}", of.id), of.details.name.as_str());
            vec![
                ui::two_lines(name, ui::text(of.details.system_name.as_str())),
                standing(one),
                turn(one, now),
                next(one),
                one.last_at.map_or_else(|| ui::muted("–"), |at| ui::ago(now, at)),
            ]
        });
        view! { <Card flush=true><DataTable caption="Your integrations" columns=columns rows=rows.collect()/></Card> }
            .into_any()
    };
    let back = format!("/tenants/{}/integrations", permit.tenant());
    let body = view! {
        <PageHeader title="Your integrations" lead="The systems that are connected for you: how far each is, whose turn it is, and how the live ones fare.">
            {ui::guide("portal", "How to read this")}
        </PageHeader>
        {as_customer(&session, back)}
        {content}
    };
    Ok(shown(ui::page(&frame, "Your integrations", Vec::new(), body.into_any())))
}

/// Which section of the guide says what a stage means.
fn question(stage: Stage) -> &'static str {
    match stage {
        Stage::Intake => "intake",
        Stage::NotPossible | Stage::Investigation => "scenarios",
        Stage::Quotation | Stage::Lost => "quotation",
        Stage::Implementation => "implementation",
        Stage::Live | Stage::Retired => "live",
    }
}

/// The stage in the customer's words, and how it fares.
fn standing(of: &Standing) -> AnyView {
    let stage = match of.of.stage {
        Stage::Intake => "We find out whether it is possible",
        Stage::Investigation => "We look into it",
        Stage::Quotation => "Quotation",
        Stage::Implementation => "Being set up",
        Stage::Live => "Live",
        Stage::NotPossible => "Not possible",
        Stage::Lost => "Closed",
        Stage::Retired => "Retired",
    };
    let stage = match of.of.stage {
        Stage::Live => None,
        open if open.is_open() => Some(ui::progress_badge(stage)),
        _ => Some(view! { <Badge state=Mood::Neutral word=stage/> }.into_any()),
    };
    view! { <Row>{stage}{of.diagnosis.as_ref().map(|seen| badge(seen.health))}</Row> }.into_any()
}

fn badge(health: Health) -> AnyView {
    let mood = match health {
        Health::Working => Mood::Ok,
        Health::Waiting => Mood::Neutral,
        Health::Delayed => Mood::Warning,
        Health::Failing => Mood::Error,
    };
    view! { <Badge state=mood word=health.title()/> }.into_any()
}

fn turn(of: &Standing, now: ui::Now) -> AnyView {
    if !of.of.stage.is_open() {
        return ui::muted("nobody's");
    }
    let who = match of.of.next.turn {
        Side::Us => "ours",
        Side::Customer => "yours",
        Side::Vendor => "your vendor's",
    };
    let since = view! { "since "{ui::ago(now, of.of.turn_since)} }.into_any();
    ui::two_lines(if of.of.next.turn == Side::Customer { ui::strong(who) } else { ui::text(who) }, since)
}

fn next(of: &Standing) -> AnyView {
    if of.of.stage.is_open() { ui::text(of.of.next.next_step.as_str()) } else { ui::muted("nothing") }
}

async fn show(State(app): State<App>, visit: Visit, Query(done): Query<Done>) -> Result<Response> {
    let (see, id, here) = (&visit.see, visit.id, visit.here());
    let one = store::standing(&app.db, &app.clock, see, id).await?;
    let mut frame = visit.frame(&app, "").await?;
    frame.notice = match done.done.as_deref() {
        Some("done") => Some(Notice::ok("Thank you: it is ticked, and your consultant sees it.")),
        Some("taken-back") => Some(Notice::ok("Taken back: that link shows nothing any more.")),
        _ => None,
    };
    let whole = implementation::store::load(&app.db, see, id).await?;
    let misfits = store::misfits(&app.db, see, id).await?;
    let days = match one.diagnosis {
        Some(_) => store::days(&app.db, &app.clock, see, id).await?,
        None => Vec::new(),
    };
    let shared = match visit.act::<AnswerTasks>() {
        Ok(customer) if one.diagnosis.is_some() && !visit.is_guest() => {
            Some(shared::links(&app.db, &customer, id).await?)
        }
        _ => None,
    };
    let questions = intake::card(&app, &visit, one.of.stage).await?;
    let why = match one.of.stage {
        // written for the customer to read
        Stage::NotPossible => why(&app.db, see, id, Stage::NotPossible).await?,
        _ => None,
    };
    let offers = !visit.is_guest() && see.actor().permit::<SeeQuotations>(see.tenant()).is_ok();
    let main = view! {
        {one.diagnosis.as_ref().map(|seen| health(&frame, &one, seen))}
        {questions}
        {task::table(&frame, &whole, &here)}
        {(!days.is_empty()).then(|| bars(&days))}
        {(!misfits.is_empty()).then(|| wrong(&frame, &misfits))}
        {(!one.sources.is_empty()).then(|| coverage(&frame, &one, visit.is_guest()))}
    };
    let aside = view! {
        {facts(&frame, &one, why.as_deref(), offers, visit.guest())}
        {shared.as_ref().map(|links| status::card(&frame, &here, links))}
    };
    let name = one.of.details.name.as_str();
    let body = view! {
        <PageHeader title=name lead=one.of.details.need.as_str() badge=standing(&one)>{ui::guide(question(one.of.stage), "What this means")}</PageHeader>
        {visit.banner()}
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    Ok(shown(ui::page(&frame, name, visit.crumbs(), body.into_any())))
}

fn facts(frame: &Frame, one: &Standing, why: Option<&str>, offers: bool, guest: Option<&str>) -> AnyView {
    let now = frame.moment();
    let of = &one.of;
    let mut facts = vec![
        ("External system", ui::text(of.details.system_name.as_str())),
        ("Whose turn", turn(one, now)),
        ("Next step", next(one)),
        ("There since", ui::ago(now, of.stage_since)),
    ];
    facts.extend(why.map(|why| ("Why not", ui::text(why))));
    facts.extend(guest.map(|whom| ("You are here as", ui::text(whom))));
    let quotations = offers.then(|| {
        view! { <Row>{ui::link(format!("/tenants/{}/quotations", of.tenant_id), "Quotations")}</Row> }
    });
    view! { <Card title="Where it stands"><Facts items=facts/>{quotations}</Card> }.into_any()
}

fn health(frame: &Frame, one: &Standing, seen: &Diagnosis) -> AnyView {
    let now = frame.moment();
    let (good, bad) = one.today;
    let figure = |value: i64| ui::format::counted(value.unsigned_abs(), "event");
    let kept_aside = (bad > 0).then(|| format!(", and {} kept aside", figure(bad)));
    let today = format!("{} in the last 24 hours{}.", figure(good), kept_aside.unwrap_or_default());
    let last = one.last_at.map(|at| view! { <p>"The last one came "{ui::ago(now, at)}". "{today}</p> });
    let advice = (!seen.advice.is_empty()).then(|| {
        view! { <h3>"What you can do"</h3> {ui::points(seen.advice.clone())} }
    });
    view! {
        <Card title="How it fares" nostrip:action=Some(badge(seen.health))>
            {ui::points(seen.why.clone())}
            {last}
            {advice}
        </Card>
    }
    .into_any()
}

/// The last 90 days, a bar a day.
fn bars(days: &[Day]) -> AnyView {
    let bars: Vec<_> = days
        .iter()
        .map(|one| ChartBar {
            label: one.day.format("%a %-d %b").to_string(),
            good: one.good,
            bad: one.bad,
            ahead: false,
        })
        .collect();
    let ticks = days.iter().step_by(15).map(|one| one.day.format("%-d %b").to_string()).collect();
    let (good, bad) = days.iter().fold((0, 0), |(good, bad), one| (good + one.good, bad + one.bad));
    let with = days.iter().filter(|one| one.good > 0).count();
    let summary = format!(
        "{} in 90 days, on {} of them; {} kept aside.",
        ui::format::counted(good, "event"),
        with,
        if bad == 0 { "none was".to_owned() } else { format!("{} were", ui::format::count(bad)) },
    );
    let words = ChartWords { span: "Day", good: "Taken", bad: "Kept aside" };
    view! { <Card title="The last 90 days" lead="Days are in UTC."><Chart bars=bars ticks=ticks summary=summary words=words/></Card> }
        .into_any()
}

/// What does not fit, for whoever can mend it where it comes from.
fn wrong(frame: &Frame, misfits: &[Misfit]) -> AnyView {
    let columns =
        vec![Column::text("What is wrong"), Column::text("In"), Column::number("Events"), Column::text("Last")];
    let rows = misfits.iter().map(|one| {
        vec![
            ui::text(explained(&one.rule, &one.path)),
            ui::text(one.name.as_str()),
            ui::number(one.count.unsigned_abs()),
            ui::ago(frame.moment(), one.last_at),
        ]
    });
    view! {
        <Card title="What does not fit" lead="These events are kept aside until they are mended. They are not lost.">
            <DataTable caption="What does not fit" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

/// A broken rule in plain words.
fn explained(rule: &str, path: &str) -> String {
    let field = path.trim_start_matches('/').replace("/*", "").replace('/', " → ");
    let field = if field.is_empty() { "The event".to_owned() } else { format!("“{field}”") };
    let what = match rule {
        "required" => "is missing",
        "type" => "is of another kind than agreed: a text where a number belongs, say",
        "format" | "pattern" => "is not written as agreed",
        "enum" | "const" => "holds a value that was not agreed",
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => {
            "is a number outside of what was agreed"
        }
        "minLength" | "minItems" | "minProperties" => "is too short, or empty",
        "maxLength" | "maxItems" | "maxProperties" => "is too long",
        "additionalProperties" | "unevaluatedProperties" => "was not agreed on",
        _ => "does not fit what was agreed",
    };
    format!("{field} {what}.")
}

/// What is fetched, and up to when all of it is there.
fn coverage(frame: &Frame, one: &Standing, guest: bool) -> AnyView {
    let columns = vec![Column::text("System"), Column::text("Complete until")];
    let rows = one.sources.iter().map(|source| {
        let until =
            source.complete_until.map_or_else(|| ui::muted("nothing was fetched yet"), |at| ui::at(frame.moment(), at));
        vec![ui::text(source.name.as_str()), until]
    });
    let all = (!guest).then(|| {
        let href = format!("/tenants/{}/sources", one.of.tenant_id);
        view! { <LinkButton href=href tone=Tone::Quiet>"All windows"</LinkButton> }.into_any()
    });
    view! {
        <Card title="What is fetched" lead="Up to these moments nothing is missing: every window of time was asked for, and is stored." nostrip:action=all>
            <DataTable caption="What is fetched" columns=columns rows=rows.collect()/>
        </Card>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_rules_are_told_in_plain_words() {
        assert_eq!(explained("required", "/Email Address"), "“Email Address” is missing.");
        assert_eq!(
            explained("type", "/Lines/*/Amount"),
            "“Lines → Amount” is of another kind than agreed: a text where a number belongs, say."
        );
        assert_eq!(explained("oneOf", ""), "The event does not fit what was agreed.");
    }
}
