//! The report of an investigation: a page that prints well, for whoever asked the questions.
use axum::{
    extract::{Path, State},
    response::Response,
};
use leptos::prelude::*;

use super::{Named, Room, investigation::Work, name_of, verdicts::badge};
use crate::{
    app::App,
    auth::{Permit, SeeIntegrations, Session},
    error::Result,
    form::shown,
    intake::{hours, store},
    ui::{self, Column, DataTable, Facts, Group, LinkButton, PageHeader},
};

/// Shows it.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/investigation/report").await?;
    let work = Work::load(&app, &permit, &room).await?;
    let verdicts = store::verdicts(&app.db, &permit, room.of.id).await?;
    let (of, plan) = (&room.of, &work.plan.plan);
    let now = room.frame.moment();
    let tenant = room.frame.tenant.as_ref().map_or_else(String::new, |tenant| tenant.name.clone());
    let time_box = if plan.minutes == 0 { "no time box".to_owned() } else { format!("of {}", hours(plan.minutes)) };
    let mut items = vec![
        ("Customer", ui::text(tenant)),
        ("External system", ui::text(format!("{} ({})", of.details.system_name, of.details.system_kind.title()))),
        ("Need", ui::paragraphs(&of.details.need)),
        ("Goal", if plan.goal.is_empty() { ui::muted("not written down") } else { ui::paragraphs(&plan.goal) }),
        ("Time spent", ui::text(format!("{} {time_box}", hours(work.minutes())))),
        ("Began", ui::at(now, work.plan.started_at)),
    ];
    items.extend(work.plan.concluded_at.map(|at| ("Ended", ui::at(now, at))));
    items.extend(name_of(&room.staff, of.details.owner_id).map(|name| ("Owner", ui::text(name))));
    let conclusion = if work.plan.conclusion.is_empty() {
        ui::muted("It is under way: this is what is known so far.")
    } else {
        ui::paragraphs(&work.plan.conclusion)
    };
    let judged = verdicts.iter().map(|one| (one.question.title(), badge(one.answer)));
    let judged: Vec<_> = judged.collect();
    let questions = work.questions.iter().enumerate().map(|(n, one)| {
        let answer = if one.answer.is_empty() { ui::muted("Open.") } else { ui::paragraphs(&one.answer) };
        let mut facts = vec![("Answer", answer)];
        facts.extend((!one.evidence.is_empty()).then(|| ("Evidence", ui::paragraphs(&one.evidence))));
        facts.extend((!one.method.is_empty()).then(|| ("Method", ui::text(one.method.as_str()))));
        facts.extend((!one.owner.is_empty()).then(|| ("Found out by", ui::text(one.owner.as_str()))));
        view! { <ui::Near title=format!("{}. {}", n + 1, one.question)><Facts items=facts/></ui::Near> }
    });
    let questions = questions.collect_view();
    let times = (!work.spent.is_empty()).then(|| {
        let columns = vec![Column::text("Day"), Column::text("On what"), Column::text("By"), Column::number("Time")];
        let rows = work.spent.iter().rev().map(|one| {
            vec![
                ui::text(one.day.as_str()),
                ui::text(one.what.as_str()),
                ui::text(one.who.as_str()),
                ui::text(hours(one.minutes)),
            ]
        });
        view! { <Group title="Time spent"><DataTable caption="Time spent" columns=columns rows=rows.collect()/></Group> }
    });
    let back = format!("{}/investigation", room.here());
    let body = view! {
        <ui::Sheet>
            <PageHeader title=format!("Investigation: {}", of.details.name) lead="What was asked, what was found, and what it means.">
                <LinkButton href=back.as_str()>"Back to the investigation"</LinkButton>
            </PageHeader>
            <Facts items=items/>
            <Group title="Conclusion">{conclusion}</Group>
            <Group title="What the intake said"><Facts items=judged/></Group>
            <Group title="Questions and answers">{questions}</Group>
            {times}
            <p>{ui::muted(format!("As of {}. To keep it on paper, print this page.", now.in_full(now.at)))}</p>
        </ui::Sheet>
    };
    let mut crumbs = room.crumbs(true);
    crumbs.push(ui::Crumb::new("Investigation", format!("{}/investigation", room.here())));
    Ok(shown(ui::page(&room.frame, "Report of the investigation", crumbs, body.into_any())))
}
