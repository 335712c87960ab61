//! Quotations as a customer sees them who is signed in, and the form by which they answer; who comes by a link answers
//! by the same form.
use axum::{
    Form,
    extract::{Path, Query, State as Axum},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, badge, download, sheet::sheet};
use crate::{
    app::App,
    auth::{AnswerQuotations, Permit, SeeQuotations, Session},
    error::Result,
    form::{Done, Typed, amiss, shown},
    intake::{
        Reason, parse_line,
        quotation::{
            Acceptance, Quotation, State,
            store::{self, Bell},
        },
    },
    tenants,
    ui::{
        self, Alert, Button, Card, Checkbox, Column, DataTable, Empty, Field, FieldErrors, Form as PageForm,
        FormActions, Hidden, Icon, LinkButton, Notice, PageHeader, Section, State as Mood, TextArea, Tone,
    },
};

/// All that were sent to a tenant.
pub(super) async fn all(Axum(app): Axum<App>, session: Session, permit: Permit<SeeQuotations>) -> Result<Response> {
    let tenant = permit.tenant();
    let base = format!("/tenants/{tenant}/quotations");
    let frame = tenants::frame(&app, &session, Some(tenant), Section::Quotations, base.as_str()).await?;
    let all: Vec<_> =
        store::of_tenant(&app.db, &permit).await?.into_iter().filter(|one| one.sent_at.is_some()).collect();
    let now = frame.moment();
    let content = if all.is_empty() {
        view! { <Empty icon=Icon::Contract title="No quotation yet" why="What we offer you stands here, from the day on which it is sent."/> }
            .into_any()
    } else {
        let columns = vec![
            Column::text("Quotation"),
            Column::text("State"),
            Column::number("With VAT"),
            Column::text("Valid until"),
            Column::text("Sent").wide_only(),
        ];
        let rows = all.iter().map(|one| {
            let name = ui::link(format!("{base}/{}", one.id), one.content.title.as_str());
            vec![
                ui::two_lines(name, ui::text(format!("Version {}", one.number))),
                badge(one.standing(now.at)),
                ui::text(one.content.currency.told(one.content.totals().gross)),
                ui::text(one.content.valid_until.to_string()),
                one.sent_at.map_or_else(|| ui::text(""), |at| ui::ago(now, at)),
            ]
        });
        view! { <Card flush=true><DataTable caption="Quotations" columns=columns rows=rows.collect()/></Card> }
            .into_any()
    };
    let body = view! {
        <PageHeader title="Quotations" lead="What was offered to you, and what became of it.">
            {ui::guide("quotation", "How quotations work")}
        </PageHeader>
        {content}
    };
    Ok(shown(ui::page(&frame, "Quotations", Vec::new(), body.into_any())))
}

/// One of them; looking at it is written down.
pub(super) async fn show(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<SeeQuotations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let id = named.quotation()?;
    if let Ok(customer) = session.permit::<AnswerQuotations>(permit.tenant()) {
        store::view(&app.db, &app.clock, &customer, id).await?;
    }
    let of = store::get(&app.db, &permit, id).await?;
    if of.sent_at.is_none() {
        return Err(crate::error::Error::NotFound("quotation"));
    }
    page(&app, &session, &of, &done, &Typed::default(), &FieldErrors::new()).await.map(shown)
}

/// Accepts or declines it.
pub(super) async fn answer(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<AnswerQuotations>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let of = store::get(&app.db, &permit, named.quotation()?).await?;
    let mut errors = FieldErrors::new();
    if let Some(word) = take(&app, &permit, &of, &typed, &mut errors).await? {
        let to = format!("/tenants/{}/quotations/{}?done={word}", of.tenant_id, of.id);
        return Ok(Redirect::to(&to).into_response());
    }
    let of = store::get(&app.db, &permit, of.id).await?;
    page(&app, &session, &of, &Done::default(), &typed, &errors).await.map(amiss)
}

/// What was sent, as a file.
pub(super) async fn file(
    Axum(app): Axum<App>,
    permit: Permit<SeeQuotations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let of = store::get(&app.db, &permit, named.quotation()?).await?;
    download(&of, store::files(&app.db, &permit, of.id).await?, &named.file)
}

async fn page(
    app: &App,
    session: &Session,
    of: &Quotation,
    done: &Done,
    typed: &Typed,
    errors: &FieldErrors,
) -> Result<String> {
    let base = format!("/tenants/{}/quotations", of.tenant_id);
    let path = format!("{base}/{}", of.id);
    let mut frame = tenants::frame(app, session, Some(of.tenant_id), Section::Quotations, path.as_str()).await?;
    frame.notice = thanks(done);
    let may = session.permit::<AnswerQuotations>(of.tenant_id).is_ok();
    let body = offer(of, &path, may, &frame, typed, errors);
    Ok(ui::page(&frame, &of.content.title, vec![ui::Crumb::new("Quotations", base)], body))
}

/// What is said once they have answered.
pub(super) fn thanks(done: &Done) -> Option<Notice> {
    match done.done.as_deref() {
        Some("accepted") => Some(Notice::ok("Accepted. Thank you: we begin, and tell you what we need from you.")),
        Some("declined") => Some(Notice::ok("Declined. Thank you for telling us why.")),
        _ => None,
    }
}

/// Reads the form and does what it says: the word for what was done, when it was done.
pub(super) async fn take(
    app: &App,
    permit: &Permit<AnswerQuotations>,
    of: &Quotation,
    typed: &Typed,
    errors: &mut FieldErrors,
) -> Result<Option<&'static str>> {
    let named = |text: &str, why: &str| {
        parse_line(text, 120).and_then(|text| if text.is_empty() { Err(why.to_owned()) } else { Ok(text) })
    };
    let (db, clock, bell, digest) = (&app.db, &app.clock, Bell::of(app), typed.text("digest"));
    let done = if typed.text("form") == "decline" {
        let name = errors.keep("decline_name", named(&typed.text("decline_name"), "write your name"));
        let reason = errors.keep("reason", Reason::parse(&typed.text("reason")));
        let (Some(name), Some(reason)) = (name, reason) else { return Ok(None) };
        store::decline(db, clock, permit, &bell, of.id, &digest, (name, reason)).await.map(|_| "declined")
    } else {
        let name = errors.keep("name", named(&typed.text("name"), "write your name"));
        let role = errors.keep("role", named(&typed.text("role"), "write what you are in your company"));
        if !typed.ticked("agree") {
            errors.push("agree", "Tick the box to accept");
        }
        let (Some(name), Some(role), true) = (name, role, typed.ticked("agree")) else { return Ok(None) };
        store::accept(db, clock, permit, &bell, of.id, &digest, Acceptance { name, role }).await.map(|_| "accepted")
    };
    match done {
        Ok(word) => {
            app.mail.wake();
            Ok(Some(word))
        }
        Err(error) => errors.note("", error).map(|()| None),
    }
}

/// What the customer sees: the sheet, and below it the two ways to answer.
pub(super) fn offer(
    of: &Quotation,
    path: &str,
    may: bool,
    frame: &ui::Frame,
    typed: &Typed,
    errors: &FieldErrors,
) -> AnyView {
    let standing = of.standing(frame.now);
    let lead = match standing {
        State::Sent | State::Viewed => {
            format!("You can accept it until the end of {} (UTC).", of.content.valid_until.format("%-d %B %Y"))
        }
        State::Accepted => "It is accepted, and stands as it is.".into(),
        State::Declined => "It was declined.".into(),
        State::Expired => "Its time has run out. Ask us for a new one.".into(),
        _ => "It is not offered any more.".into(),
    };
    let answered = of.decided_at.map(|at| {
        let who = of.decided_by.clone().unwrap_or_default();
        let role = of.decided_role.as_ref().map(|role| format!(", {role}")).unwrap_or_default();
        let (title, mood) =
            if standing == State::Accepted { ("Accepted", Mood::Ok) } else { ("Declined", Mood::Neutral) };
        view! { <Alert state=mood title=title><p>{format!("By {who}{role}, ")}{ui::at(frame.moment(), at)}</p></Alert> }
    });
    let forms = (may && standing.is_offered()).then(|| forms(of, path, typed, errors));
    let late = (!(may && standing.is_offered())).then(|| view! { <ui::FormErrors errors=errors/> });
    view! {
        <PageHeader title=of.content.title.as_str() lead=lead badge=badge(standing)>
            <LinkButton href=format!("{path}/files/pdf") icon=Icon::Download>"PDF"</LinkButton>
            {ui::guide("quotation", "How this works")}
        </PageHeader>
        {late}
        {answered}
        <ui::Sheet>{sheet(of, |_, name| ui::strong(name))}</ui::Sheet>
        {forms}
    }
    .into_any()
}

fn forms(of: &Quotation, path: &str, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let digest = of.document_digest.as_deref().unwrap_or_default();
    let none = FieldErrors::new();
    let declining = typed.text("form") == "decline";
    let (yes, no) = if declining { (&none, errors) } else { (errors, &none) };
    let total = of.content.currency.told(of.content.totals().gross);
    let agree = format!("I accept this quotation for my company: {total} with VAT.");
    view! {
        <Card title="Accept" lead="Your name, your role, the time and your address are kept with it.">
            <PageForm action=path errors=yes>
                <Hidden name="form" value="accept"/>
                <Hidden name="digest" value=digest/>
                <Field name="name" label="Your name" value=typed.text("name") autocomplete="name" errors=yes/>
                <Field name="role" label="Your role" value=typed.text("role") autocomplete="organization-title" hint="Such as head of marketing" errors=yes/>
                <Checkbox name="agree" label=agree checked=typed.ticked("agree") errors=yes/>
                <FormActions><Button tone=Tone::Primary>"Accept the quotation"</Button></FormActions>
            </PageForm>
        </Card>
        <Card>
            <ui::Fold summary="Decline…" open=declining>
                <PageForm action=path errors=no>
                    <Hidden name="form" value="decline"/>
                    <Hidden name="digest" value=digest/>
                    <Field name="decline_name" label="Your name" value=typed.text("decline_name") autocomplete="name" errors=no/>
                    <TextArea name="reason" label="Reason" value=typed.text("reason") rows=3 hint="What would have to be different?" errors=no/>
                    <FormActions><Button>"Decline the quotation"</Button></FormActions>
                </PageForm>
            </ui::Fold>
        </Card>
    }
    .into_any()
}
