//! The integrations that somebody may see, from further off: a board by stage, a funnel, and a file.
use std::fmt::Write as _;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use chrono::SecondsFormat;
use leptos::prelude::*;

use super::{list::tenant_names, list::views, name_of, turn};
use crate::{
    app::App,
    auth::{Session, store::colleagues},
    error::Result,
    form::shown,
    intake::{
        Integration, Stage, address,
        funnel::{Line, funnel as count, span},
        quotation::{store::worths, worth::sum},
        store::{self, Scope},
    },
    tenants,
    ui::{self, Board, Card, Column, DataTable, Lane, PageHeader, Section},
};

/// How many of the finished ones a lane shows: the rest is in the list.
const FINISHED: usize = 20;

/// The board.
pub(super) async fn board(State(app): State<App>, session: Session) -> Result<Response> {
    let scope = Scope::of(&session.actor)?;
    let frame = tenants::frame(&app, &session, None, Section::Integrations, "/integrations/board").await?;
    let all = store::list(&app.db, &scope).await?;
    let (staff, tenants) = (colleagues(&app.db, &session.actor).await?, tenant_names(&app, &session).await?);
    let worths = worths(&app.db, &scope).await?;
    let worth = |of: &Integration| worths.get(&(of.tenant_id, of.id)).copied();
    let now = frame.moment();
    let lanes = Stage::ALL.iter().filter(|stage| **stage != Stage::Retired).map(|stage| {
        let mut of_stage: Vec<_> = all.iter().filter(|of| of.stage == *stage).collect();
        // what waits longest first; of what is over, the newest
        of_stage
            .sort_by_key(|of| if stage.is_open() { of.turn_since.timestamp() } else { -of.stage_since.timestamp() });
        let (count, value) = (of_stage.len() as u64, sum(of_stage.iter().filter_map(|of| worth(of))));
        if !stage.is_open() {
            of_stage.truncate(FINISHED);
        }
        let cards = of_stage.into_iter().map(|of| {
            let link = ui::link(address(of.tenant_id, of.id), of.details.name.as_str());
            let tenant = tenants.get(&of.tenant_id).cloned().unwrap_or_default();
            let system = ui::muted(format!("{tenant} · {}", of.details.system_name));
            let owner = name_of(&staff, of.details.owner_id).unwrap_or_else(|| "nobody yet".into());
            let waits = if stage.is_open() {
                view! { {turn(of)}{format!(" · {owner} · ")}{ui::ago(now, of.turn_since)} }.into_any()
            } else {
                view! { {format!("{owner} · ")}{ui::ago(now, of.stage_since)} }.into_any()
            };
            let value = worth(of).map(|worth| view! { <div>{worth.told()}</div> });
            view! { <div>{link}</div><div>{system}</div><div>{waits}</div>{value} }.into_any()
        });
        view! { <Lane title=stage.title() count=count note=value.unwrap_or_default() cards=cards.collect()/> }
    });
    let lanes = lanes.collect_view();
    let body = view! {
        <PageHeader title="Integrations" lead="By stage; what waits longest is on top. Values are without VAT: what was accepted, or else what was last quoted."/>
        {views("/integrations/board")}
        <Board label="Integrations by stage">{lanes}</Board>
    };
    Ok(shown(ui::page(&frame, "Board of integrations", Vec::new(), body.into_any())))
}

/// The funnel.
pub(super) async fn funnel(State(app): State<App>, session: Session) -> Result<Response> {
    let scope = Scope::of(&session.actor)?;
    let frame = tenants::frame(&app, &session, None, Section::Integrations, "/integrations/funnel").await?;
    let lines = count(&store::steps(&app.db, &scope).await?);
    let body = view! {
        <PageHeader title="Integrations" lead="How many ever got how far, and how long it took half of them from the beginning of the intake."/>
        {views("/integrations/funnel")}
        <Card flush=true>{table(&lines)}</Card>
    };
    Ok(shown(ui::page(&frame, "Funnel of integrations", Vec::new(), body.into_any())))
}

fn table(lines: &[Line]) -> AnyView {
    let columns = vec![
        Column::text("Got to"),
        Column::number("Integrations"),
        Column::text("Of all"),
        Column::number("Median time"),
    ];
    let all = lines.first().map_or(0, |line| line.count);
    let rows = lines.iter().map(|line| {
        let percent = (line.count * 100).checked_div(all).unwrap_or(0);
        let of = format!("{percent} %");
        let bar = view! { <ui::Share percent=percent words=of/> };
        vec![
            ui::text(line.name),
            ui::number(line.count),
            bar.into_any(),
            line.median.map_or_else(|| ui::muted("—"), |seconds| ui::text(span(seconds))),
        ]
    });
    view! { <DataTable caption="Funnel" columns=columns rows=rows.collect()/> }.into_any()
}

/// All of them as CSV (RFC 4180).
pub(super) async fn export(State(app): State<App>, session: Session) -> Result<Response> {
    let scope = Scope::of(&session.actor)?;
    let all = store::list(&app.db, &scope).await?;
    let (staff, tenants) = (colleagues(&app.db, &session.actor).await?, tenant_names(&app, &session).await?);
    let worths = worths(&app.db, &scope).await?;
    let moment = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut file = String::from(
        "id,tenantId,tenant,name,system,kind,stage,stageSince,scenario,owner,waitsFor,since,nextStep,createdAt,value,currency\r\n",
    );
    for of in &all {
        let open = of.stage.is_open();
        let worth = worths.get(&(of.tenant_id, of.id));
        let cells = [
            of.id.to_string(),
            of.tenant_id.to_string(),
            tenants.get(&of.tenant_id).cloned().unwrap_or_default(),
            of.details.name.to_string(),
            of.details.system_name.to_string(),
            of.details.system_kind.word().to_owned(),
            of.stage.word().to_owned(),
            moment(of.stage_since),
            of.scenario.map_or("", crate::intake::Scenario::word).to_owned(),
            name_of(&staff, of.details.owner_id).unwrap_or_default(),
            if open { of.next.turn.word().to_owned() } else { String::new() },
            if open { moment(of.turn_since) } else { String::new() },
            of.next.next_step.clone(),
            moment(of.created_at),
            worth.map_or_else(String::new, |worth| worth.currency.typed(worth.net)),
            worth.map_or("", |worth| worth.currency.code()).to_owned(),
        ];
        let _ = write!(file, "{}\r\n", cells.map(|cell| quoted(&cell)).join(","));
    }
    let name = format!("attachment; filename=\"integrations-{}.csv\"", app.clock.now().format("%Y-%m-%d"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, name),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, file).into_response())
}

/// A cell. What a spreadsheet would take for a formula gets an apostrophe in front: names are typed by many.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let cell = if formula { format!("'{cell}") } else { cell.to_owned() };
    if cell.contains([',', '"', '\n', '\r']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(quoted("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        assert_eq!((quoted("a,b"), quoted("plain")), ("\"a,b\"".into(), "plain".into()));
    }
}
