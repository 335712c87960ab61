//! What an intake asks, inside the portal: the questionnaire that staff and guests of the intake fill too.
use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, visit::Visit};
use crate::{
    app::App,
    auth::AnswerIntakes,
    error::{Error, Result},
    form::{Done, Typed, amiss, shown},
    intake::{
        Integration, Stage, questionnaire,
        questions::{Section, count},
        store::{self, Answered},
    },
    ui::{self, Card, FieldErrors, LinkButton, PageHeader, Progress, Row, Tone},
};

/// What the page of the integration says of it, while its answers are waited for.
pub(super) async fn card(app: &App, visit: &Visit, stage: Stage) -> Result<Option<AnyView>> {
    if !stage.asks_the_customer() {
        return Ok(None);
    }
    let (done, all) = (store::answers(&app.db, &visit.see, visit.id).await?.len(), count());
    let percent = i64::try_from(done * 100 / all).unwrap_or(0);
    let words = format!("{done} of {all} questions answered");
    let label = if done == 0 { "Begin" } else { "Go on" };
    let card = view! {
        <Card title="Questions about your system" lead="We ask them once, to find out whether it is possible. Skip what you do not know.">
            <Progress label="Questions" percent=Some(percent) words=words/>
            <Row><LinkButton href=format!("{}/intake", visit.here()) tone=Tone::Primary>{label}</LinkButton></Row>
        </Card>
    };
    Ok(Some(card.into_any()))
}

/// All sections with how far they are.
pub(super) async fn all(State(app): State<App>, visit: Visit, Query(done): Query<Done>) -> Result<Response> {
    let of = store::get(&app.db, &visit.see, visit.id).await?;
    let answers = store::answers(&app.db, &visit.see, visit.id).await?;
    let mut frame = visit.frame(&app, "/intake").await?;
    frame.notice = questionnaire::thanks(&done);
    let lead =
        format!("About {}. Every section is saved by itself; skip what you do not know.", of.details.system_name);
    let body = view! {
        <PageHeader title="Questions about your system" lead=lead/>
        {visit.banner()}
        {questionnaire::overview(&format!("{}/intake", visit.here()), &answers, frame.moment())}
        <p>{ui::link("/guide/customers", "What happens with the answers")}</p>
    };
    Ok(shown(ui::page(&frame, "Questions", visit.deeper(of.details.name.as_str()), body.into_any())))
}

/// One section: its form, or what was answered when it is not theirs to answer any more.
pub(super) async fn ask(State(app): State<App>, visit: Visit, Path(named): Path<Named>) -> Result<Response> {
    let section = questionnaire::named(&named.section)?;
    page(&app, &visit, section, None, &FieldErrors::new()).await.map(shown)
}

/// Saves it, and goes on to the next.
pub(super) async fn save(
    State(app): State<App>,
    visit: Visit,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let permit = visit.act::<AnswerIntakes>()?;
    let section = questionnaire::named(&named.section)?;
    let (base, mut errors) = (format!("{}/intake", visit.here()), FieldErrors::new());
    let stage = store::get(&app.db, &visit.see, visit.id).await?.stage;
    if !stage.asks_the_customer() {
        errors.note("", Error::Conflict(format!("nothing is asked any more: it stands at {}", stage.title())))?;
    } else if let Some(to) = questionnaire::save(&app, &permit, visit.id, section, &base, &typed, &mut errors).await? {
        return Ok(Redirect::to(&to).into_response());
    }
    page(&app, &visit, section, Some(&typed), &errors).await.map(amiss)
}

async fn page(
    app: &App,
    visit: &Visit,
    section: &'static Section,
    typed: Option<&Typed>,
    errors: &FieldErrors,
) -> Result<String> {
    let of = store::get(&app.db, &visit.see, visit.id).await?;
    let answers = store::answers(&app.db, &visit.see, visit.id).await?;
    let frame = visit.frame(app, &format!("/intake/{}", section.key)).await?;
    let base = format!("{}/intake", visit.here());
    let mut crumbs = visit.deeper(of.details.name.as_str());
    crumbs.push(ui::Crumb::new("Questions", base.as_str()));
    let content = content(visit, &of, &base, section, &answers, typed, errors);
    let body = view! {
        <PageHeader title=section.title lead=section.lead/>
        {visit.banner()}
        {content}
    };
    Ok(ui::page(&frame, section.title, crumbs, body.into_any()))
}

fn content(
    visit: &Visit,
    of: &Integration,
    base: &str,
    section: &'static Section,
    answers: &[Answered],
    typed: Option<&Typed>,
    errors: &FieldErrors,
) -> AnyView {
    let may = visit.act::<AnswerIntakes>().is_ok() && of.stage.asks_the_customer();
    if may || typed.is_some() {
        return questionnaire::form(base, of, section, answers, typed, errors);
    }
    questionnaire::answered_only(section, answers)
}
