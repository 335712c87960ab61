//! What a draft says besides its lines: to whom, in which currency, what is taken off, what it supposes and leaves out.
use axum::{
    Form,
    extract::{Path, State},
    response::{IntoResponse, Redirect, Response},
};
use chrono::NaiveDate;
use leptos::prelude::*;

use super::{Named, Room};
use crate::{
    app::App,
    auth::{Permit, RunIntakes, Session},
    error::Result,
    form::{Typed, amiss, shown},
    intake::{
        parse_line, parse_text,
        quotation::{Content, Currency, Discount, Line, Percent, Quotation, address, content::HIGHEST_RATE, store},
    },
    ui::{
        self, Button, Card, Choice, Field, FieldErrors, Form as PageForm, FormActions, Hidden, LinkButton, PageHeader,
        Select, TextArea, Tone,
    },
};

const NO_DISCOUNT: &str = "none";
const BY_PERCENT: &str = "percent";
const BY_AMOUNT: &str = "amount";

/// Shows the form.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (room, of) = super::show::load(&app, &session, &permit, &named, "/edit").await?;
    Ok(shown(page(&room, &of, &typed(&of), &FieldErrors::new())))
}

/// Saves it.
pub(super) async fn save(
    State(app): State<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (room, of) = super::show::load(&app, &session, &permit, &named, "/edit").await?;
    let mut errors = FieldErrors::new();
    if let Some(content) = read(&typed, &of.content, app.clock.now().date_naive(), &mut errors) {
        let seen = typed.text("seen").parse().unwrap_or(0);
        match store::save(&app.db, &app.clock, &permit, of.id, seen, content).await {
            Ok(after) => return Ok(Redirect::to(&format!("{}?done=saved", address(&after))).into_response()),
            Err(error) => errors.note("", error)?,
        }
    }
    Ok(amiss(page(&room, &of, &typed, &errors)))
}

fn typed(of: &Quotation) -> Typed {
    let content = &of.content;
    let (kind, off) = match content.discount {
        Discount::None => (NO_DISCOUNT, String::new()),
        Discount::Percent(part) => (BY_PERCENT, part.typed()),
        Discount::Amount(amount) => (BY_AMOUNT, content.currency.typed(amount)),
    };
    [
        ("title", content.title.clone()),
        ("addressee", content.addressee.clone()),
        ("currency", content.currency.word().to_owned()),
        ("discount", kind.to_owned()),
        ("off", off),
        ("discount_reason", content.discount_reason.clone()),
        ("assumptions", content.assumptions.clone()),
        ("exclusions", content.exclusions.clone()),
        ("valid_until", content.valid_until.to_string()),
        ("seen", of.revision.to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into_iter()
    .collect()
}

fn read(typed: &Typed, before: &Content, today: NaiveDate, errors: &mut FieldErrors) -> Option<Content> {
    let named = |text: String, why: &str| if text.is_empty() { Err(why.to_owned()) } else { Ok(text) };
    let title = parse_line(&typed.text("title"), 200).and_then(|text| named(text, "say what it is for"));
    let title = errors.keep("title", title);
    let addressee = parse_text(&typed.text("addressee"), 1_000).and_then(|text| named(text, "say who gets it"));
    let addressee = errors.keep("addressee", addressee);
    let currency = typed.text("currency").parse::<Currency>().map_err(|_| "choose a currency");
    let currency = errors.keep("currency", currency);
    let discount = match typed.text("discount").as_str() {
        BY_PERCENT => errors.keep("off", Percent::parse(&typed.text("off"))).map(Discount::Percent),
        BY_AMOUNT => {
            errors.keep("off", currency.unwrap_or(before.currency).parse(&typed.text("off"))).map(Discount::Amount)
        }
        _ => Some(Discount::None),
    };
    let discount_reason = errors.keep("discount_reason", parse_line(&typed.text("discount_reason"), 200));
    let assumptions = errors.keep("assumptions", parse_text(&typed.text("assumptions"), 8_000));
    let exclusions = errors.keep("exclusions", parse_text(&typed.text("exclusions"), 8_000));
    let valid_until = typed.text("valid_until").trim().parse::<NaiveDate>();
    let valid_until = valid_until.map_err(|_| "a day is written as 2026-12-31").and_then(|day| {
        let far = today.checked_add_months(chrono::Months::new(24)).unwrap_or(day);
        if day < today {
            Err("it has to be valid today at least")
        } else if day > far {
            Err("it can be valid for two years at most")
        } else {
            Ok(day)
        }
    });
    let valid_until = errors.keep("valid_until", valid_until);
    let currency = currency?;
    // rates stand as they were typed
    let rate = |line: &Line| currency.same_figure(line.rate, before.currency).min(HIGHEST_RATE);
    let lines = before.lines.iter().map(|line| Line { rate: rate(line), ..line.clone() }).collect();
    Some(Content {
        title: title?,
        addressee: addressee?,
        currency,
        lines,
        discount: discount?,
        discount_reason: discount_reason?,
        assumptions: assumptions?,
        exclusions: exclusions?,
        valid_until: valid_until?,
    })
}

fn page(room: &Room, of: &Quotation, typed: &Typed, errors: &FieldErrors) -> String {
    let here = address(of);
    let currencies =
        Currency::ALL.iter().map(|one| Choice::new(one.word(), format!("{} · {}", one.code(), one.title()))).collect();
    let kinds = vec![
        Choice::new(NO_DISCOUNT, "None"),
        Choice::new(BY_PERCENT, "Percent of the sum"),
        Choice::new(BY_AMOUNT, "An amount"),
    ];
    let text = |name: &str| typed.text(name);
    let body = view! {
        <PageHeader title=format!("Terms of version {}", of.number) lead="All but the lines. The customer reads every word of it."/>
        <Card>
            <PageForm action=format!("{here}/edit") errors=errors>
                <Hidden name="seen" value=text("seen")/>
                <Field name="title" label="Title" value=text("title") autocomplete="off" errors=errors/>
                <TextArea name="addressee" label="To" value=text("addressee") rows=3 hint="Company, person, address" errors=errors/>
                <Field name="valid_until" label="Valid until" value=text("valid_until") kind="date" hint="It can be accepted until the end of this day, in UTC." errors=errors/>
                <Select name="currency" label="Currency" choices=currencies value=text("currency") hint="Rates keep their numbers when it is changed." errors=errors/>
                <Select name="discount" label="Discount" choices=kinds value=text("discount") errors=errors/>
                <Field name="off" label="How much" value=text("off") autocomplete="off" optional=true hint="5 for five percent, or 500.00 as an amount" errors=errors/>
                <Field name="discount_reason" label="Reason for the discount" value=text("discount_reason") autocomplete="off" optional=true errors=errors/>
                <TextArea name="assumptions" label="Assumptions" value=text("assumptions") rows=6 optional=true hint="One a line: what the price supposes" errors=errors/>
                <TextArea name="exclusions" label="Not included" value=text("exclusions") rows=4 optional=true hint="One a line" errors=errors/>
                <FormActions>
                    <Button tone=Tone::Primary>"Save the terms"</Button>
                    <LinkButton href=here.clone() tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
    };
    ui::page(&room.frame, "Terms", super::show::crumbs(room, of), body.into_any())
}
