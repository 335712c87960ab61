//! The versions of an integration's quotation.
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, badge};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, SeeIntegrations, Session},
    error::Result,
    form::{Done, amiss, shown},
    intake::{
        Stage,
        quotation::{Quotation, address, store},
    },
    ui::{self, Card, Column, DataTable, Empty, FieldErrors, Icon, PageHeader, PostButton, Tone},
};

/// Shows them.
pub(super) async fn show(
    State(app): State<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let mut room = Room::load(&app, &session, permit.tenant(), &named, "/quotations").await?;
    room.notice(&done, &[("withdrawn", "Withdrawn.")]);
    let all = store::list(&app.db, &permit, room.of.id).await?;
    Ok(shown(page(&room, &all, session.permit::<RunIntakes>(permit.tenant()).is_ok(), &FieldErrors::new())))
}

/// Begins the next version.
pub(super) async fn begin(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let room = Room::load(&app, &session, permit.tenant(), &named, "/quotations").await?;
    let mut errors = FieldErrors::new();
    match store::begin(&app.db, &app.clock, &permit, room.of.id).await {
        Ok(made) => return Ok(Redirect::to(&format!("{}?done=begun", address(&made))).into_response()),
        Err(error) => errors.note("", error)?,
    }
    let all = store::list(&app.db, &permit, room.of.id).await?;
    Ok(amiss(page(&room, &all, true, &errors)))
}

/// What one is called in a list.
fn title(of: &Quotation) -> String {
    let what = if of.adds_to.is_some() { "Change order" } else { "Version" };
    format!("{what} {}", of.number)
}

fn page(room: &Room, all: &[Quotation], may: bool, errors: &FieldErrors) -> String {
    let now = room.frame.moment();
    // while it is built, what is quoted adds to what was accepted
    let adds = room.of.stage == Stage::Implementation && !all.is_empty();
    let open = (adds || room.of.stage == Stage::Quotation) && all.iter().all(|one| !one.state.is_open());
    let action = format!("{}/quotations", room.here());
    let begin = || {
        (may && open).then(|| {
            let word = match (all.is_empty(), adds) {
                (true, _) => "Draft the quotation",
                (false, true) => "Draft a change order",
                (false, false) => "Draft a new version",
            };
            let tone = if adds { Tone::Plain } else { Tone::Primary };
            view! { <PostButton action=action.clone() tone=tone icon=Icon::Plus>{word}</PostButton> }.into_any()
        })
    };
    let content = if all.is_empty() {
        let why = if room.of.stage == Stage::Quotation {
            "A quotation says what is done, by whom and for how much. What the intake found out becomes what it supposes \
             and what it leaves out."
        } else {
            "Quotations are written at the stage Quotation: when both verdicts are yes, or an investigation has found \
             that it is possible."
        };
        view! { <Empty icon=Icon::Contract title="No quotation yet" why=why>{begin()}</Empty> }.into_any()
    } else {
        let columns = vec![
            Column::text("Version"),
            Column::text("State"),
            Column::number("Without VAT"),
            Column::number("With VAT"),
            Column::text("Valid until").wide_only(),
            Column::text("Changed").wide_only(),
        ];
        let rows = all.iter().map(|one| {
            let (totals, currency) = (one.content.totals(), one.content.currency);
            vec![
                ui::two_lines(ui::link(address(one), title(one)), ui::text(one.content.title.as_str())),
                badge(one.standing(now.at)),
                ui::text(currency.told(totals.net)),
                ui::text(currency.told(totals.gross)),
                ui::text(one.content.valid_until.to_string()),
                ui::ago(now, one.updated_at),
            ]
        });
        view! { <Card flush=true><DataTable caption="Versions of the quotation" columns=columns rows=rows.collect()/></Card> }
            .into_any()
    };
    let head = (!all.is_empty()).then(begin);
    let body = view! {
        <PageHeader title="Quotations" lead="Numbered versions. What was sent stands as it is; to change it, a new version is sent.">
            {head}
            {ui::guide("quotation", "How quotations work")}
        </PageHeader>
        {room.tabs("/quotations")}
        <ui::FormErrors errors=errors/>
        {content}
    };
    ui::page(&room.frame, "Quotations", room.crumbs(true), body.into_any())
}
