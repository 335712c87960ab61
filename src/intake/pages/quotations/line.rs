//! One line of a draft: added, changed, removed.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, Session},
    error::{Error, Result},
    form::{Typed, amiss, shown},
    intake::{
        hours, parse_hours, parse_line, parse_text,
        quotation::{
            Content, Line, Percent, Pricing, Quotation, address,
            content::{HIGHEST_RATE, MOST_HOURS, MOST_LINES},
            store,
        },
    },
    ui::{
        self, Button, Card, Choice, Field, FieldErrors, Form as PageForm, FormActions, Hidden, LinkButton, PageHeader,
        RadioGroup, TextArea, Tone,
    },
};

/// What an address calls a line that is not there yet.
const NEW: &str = "new";

/// Shows the form.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (room, of) = super::show::load(&app, &session, &permit, &named, &format!("/lines/{}", named.line)).await?;
    let typed = typed(&of, place(&of, &named.line)?);
    Ok(shown(page(&room, &of, &named.line, &typed, &FieldErrors::new())))
}

/// Saves the line, or removes it.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (room, of) = super::show::load(&app, &session, &permit, &named, &format!("/lines/{}", named.line)).await?;
    let at = place(&of, &named.line)?;
    let mut errors = FieldErrors::new();
    let act = typed.text("form");
    let mut lines = of.content.lines.clone();
    let ready = if act == "remove" {
        at.is_some_and(|at| {
            at < lines.len() && {
                lines.remove(at);
                true
            }
        })
    } else if let Some(line) = read(&typed, &of.content, &mut errors) {
        match at {
            Some(at) => lines[at] = line,
            None => lines.push(line),
        }
        true
    } else {
        false
    };
    if lines.len() > MOST_LINES {
        errors.push("", format!("A quotation has at most {MOST_LINES} lines"));
    } else if ready {
        let seen = typed.text("seen").parse().unwrap_or(0);
        let content = Content { lines, ..of.content.clone() };
        match store::save(&app.db, &app.clock, &permit, of.id, seen, content).await {
            Ok(_) if act == "more" => {
                return Ok(Redirect::to(&format!("{}/lines/{NEW}", address(&of))).into_response());
            }
            Ok(_) => return Ok(Redirect::to(&format!("{}?done=saved", address(&of))).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&room, &of, &named.line, &typed, &errors)))
}

/// Which line an address names, from 1; none is a new one.
fn place(of: &Quotation, line: &str) -> Result<Option<usize>> {
    if line == NEW {
        return Ok(None);
    }
    let at = line.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|at| *at < of.content.lines.len());
    at.map(Some).ok_or(Error::NotFound("line"))
}

fn typed(of: &Quotation, at: Option<usize>) -> Typed {
    let currency = of.content.currency;
    let last = of.content.lines.last();
    let fields = match at.and_then(|at| of.content.lines.get(at)) {
        Some(line) => [
            ("package", line.package.clone()),
            ("description", line.description.clone()),
            ("role", line.role.clone()),
            ("pricing", line.pricing.word().to_owned()),
            ("hours", hours(line.minutes).trim_end_matches(" h").to_owned()),
            ("rate", currency.typed(line.rate)),
            ("vat", line.vat.typed()),
            ("seen", of.revision.to_string()),
        ],
        // who adds lines often adds the next at the same rate
        None => [
            ("package", String::new()),
            ("description", String::new()),
            ("role", last.map_or_else(|| "Consultant".into(), |line| line.role.clone())),
            ("pricing", last.map_or(Pricing::Fixed, |line| line.pricing).word().to_owned()),
            ("hours", String::new()),
            ("rate", last.map_or_else(String::new, |line| currency.typed(line.rate))),
            ("vat", last.map_or_else(String::new, |line| line.vat.typed())),
            ("seen", of.revision.to_string()),
        ],
    };
    fields.map(|(name, value)| (name.to_owned(), value)).into_iter().collect()
}

fn read(typed: &Typed, content: &Content, errors: &mut FieldErrors) -> Option<Line> {
    let package = parse_line(&typed.text("package"), 200)
        .and_then(|text| if text.is_empty() { Err("name the work package".into()) } else { Ok(text) });
    let package = errors.keep("package", package);
    let description = errors.keep("description", parse_text(&typed.text("description"), 4_000));
    let role = errors.keep("role", parse_line(&typed.text("role"), 100));
    let pricing = typed.text("pricing").parse::<Pricing>().map_err(|_| "choose how it is paid");
    let pricing = errors.keep("pricing", pricing);
    let minutes = errors.keep("hours", parse_hours(&typed.text("hours"), MOST_HOURS));
    let rate = content.currency.parse(&typed.text("rate")).and_then(|rate| {
        if rate > HIGHEST_RATE {
            Err(format!("give at most {}", content.currency.told(HIGHEST_RATE)))
        } else {
            Ok(rate)
        }
    });
    let rate = errors.keep("rate", rate);
    let vat = errors.keep("vat", Percent::parse(&typed.text("vat")));
    Some(Line {
        package: package?,
        description: description?,
        role: role?,
        pricing: pricing?,
        minutes: minutes?,
        rate: rate?,
        vat: vat?,
    })
}

fn page(room: &Room, of: &Quotation, line: &str, typed: &Typed, errors: &FieldErrors) -> String {
    let here = address(of);
    let here = here.as_str();
    let is_new = line == NEW;
    let title = if is_new { "Add a line".to_owned() } else { format!("Line {line}") };
    let pricings = vec![
        Choice::new(Pricing::Fixed.word(), Pricing::Fixed.title()).hint("What it says is what it costs."),
        Choice::new(Pricing::Time.word(), Pricing::Time.title())
            .hint("What it takes is what it costs; the hours are an estimate."),
    ];
    let text = |name: &str| typed.text(name);
    let rate = format!("Rate of an hour, {}", of.content.currency.code());
    let remove = (!is_new).then(|| {
        view! {
            <Card>
                <PageForm action=format!("{here}/lines/{line}")>
                    <Hidden name="form" value="remove"/>
                    <Hidden name="seen" value=of.revision.to_string()/>
                    <FormActions><Button tone=Tone::Danger>"Remove this line"</Button></FormActions>
                </PageForm>
            </Card>
        }
    });
    let body = view! {
        <PageHeader title=title.clone() lead="A work package: what is done, by whom, for how long and at which rate."/>
        <Card>
            <PageForm action=format!("{here}/lines/{line}") errors=errors>
                <Hidden name="seen" value=text("seen")/>
                <Field name="package" label="Work package" value=text("package") autocomplete="off" focus=errors.is_empty() errors=errors/>
                <TextArea name="description" label="Description" value=text("description") rows=4 optional=true errors=errors/>
                <Field name="role" label="Role" value=text("role") autocomplete="off" optional=true hint="Who does it" errors=errors/>
                <RadioGroup name="pricing" label="How it is paid" choices=pricings value=text("pricing") errors=errors/>
                <Field name="hours" label="Hours" value=text("hours") autocomplete="off" hint="8, 1.5 or 0:30" errors=errors/>
                <Field name="rate" label=rate value=text("rate") autocomplete="off" errors=errors/>
                <Field name="vat" label="VAT, in percent" value=text("vat") autocomplete="off" hint="25, 8.1 or 0" errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Save the line"</Button>
                    <Button name="form" value="more">"Save and add another"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
        {remove}
    };
    ui::page(&room.frame, &title, super::show::crumbs(room, of), body.into_any())
}
