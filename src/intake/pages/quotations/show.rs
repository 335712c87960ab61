//! One version: what it says, where it stands, and what can be done to it.
use axum::{
    Form,
    extract::{Path, Query, State as Axum},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Room, badge, download, sheet::sheet};
use crate::{
    app::App,
    auth::{Permit, Right, Role, RunIntakes, SeeIntegrations, Session},
    error::{Error, Result},
    form::{Done, Typed, amiss, shown},
    guests::{self, Link},
    intake::{
        Reason, Stage,
        quotation::{
            Act, Quotation, State, address,
            content::{Change, difference},
            store::{self, Offering},
        },
    },
    ui::{
        self, Button, Card, CodeBlock, Columns, Crumb, Difference, Differences, Facts, FieldErrors, Form as PageForm,
        FormActions, Hidden, Icon, LinkButton, PageHeader, PostButton, Row, TextArea, Tone,
    },
};

/// The integration and the version that an address names. `rest` is what the path has after that of the version.
pub(super) async fn load<R: Right>(
    app: &App,
    session: &Session,
    permit: &Permit<R>,
    named: &Named,
    rest: &str,
) -> Result<(Room, Quotation)> {
    let id = named.quotation()?;
    let room = Room::load(app, session, permit.tenant(), named, &format!("/quotations/{id}{rest}")).await?;
    let of = store::get(&app.db, permit, id).await?;
    if of.integration_id == room.of.id { Ok((room, of)) } else { Err(Error::NotFound("quotation")) }
}

/// The way to a version from its further pages.
pub(super) fn crumbs(room: &Room, of: &Quotation) -> Vec<Crumb> {
    let mut crumbs = room.crumbs(true);
    crumbs.push(Crumb::new("Quotations", format!("{}/quotations", room.here())));
    crumbs.push(Crumb::new(crate::form::sentence(&of.told()), address(of)));
    crumbs
}

/// What the page shows besides the version.
struct Sight {
    links: Vec<Link>,
    /// The version before, and what is different.
    before: Option<(i64, Vec<Change>)>,
    role: Role,
    own: bool,
    /// The most that may go out without approval in its currency, when it comes to more.
    over: Option<i64>,
}

impl Sight {
    async fn load(app: &App, session: &Session, permit: &Permit<SeeIntegrations>, of: &Quotation) -> Result<Self> {
        let all = store::list(&app.db, permit, of.integration_id).await?;
        // a change order differs from an earlier one of the same, and not from what it adds to
        let before = all.into_iter().find(|one| {
            one.number < of.number
                && one.adds_to == of.adds_to
                && (of.adds_to.is_none() || one.state != State::Accepted)
        });
        let name = &session.actor.name;
        Ok(Self {
            links: guests::store::links::<Offering>(&app.db, permit, of.id.0).await?,
            before: before.map(|one| (one.number, difference(&one.content, &of.content))),
            role: session.actor.role,
            own: of.written_by == *name || of.submitted_by.as_ref() == Some(name),
            over: Some(app.settings.quotations)
                .filter(|limit| limit.is_exceeded(&of.content))
                .map(|limit| limit.of(of.content.currency)),
        })
    }

    fn may(&self, act: Act) -> bool {
        act.may(self.role)
    }
}

/// Shows it.
pub(super) async fn show(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let (mut room, of) = load(&app, &session, &permit, &named, "").await?;
    room.notice(
        &done,
        &[
            ("begun", "A draft. Add the work packages, and look through what it supposes and leaves out."),
            ("saved", "Saved."),
            ("submit", "Somebody else is asked to approve it."),
            ("approve", "Approved: it can be sent."),
            ("return", "Returned to be changed."),
            ("send", "Sent, and frozen. Customers with an account see it in their portal; make a link for others."),
            ("withdraw", "Withdrawn."),
            ("revoked", "The link works no more."),
        ],
    );
    let sight = Sight::load(&app, &session, &permit, &of).await?;
    Ok(shown(page(&room, &of, &sight, &Typed::default(), &FieldErrors::new())))
}

/// Does what one of its forms asks.
pub(super) async fn act(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<RunIntakes>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (room, of) = load(&app, &session, &permit, &named, "").await?;
    let mut errors = FieldErrors::new();
    let word = typed.text("form");
    let act = Act::ALL.into_iter().find(|act| act.word() == word);
    let seen = typed.text("seen").parse().unwrap_or(0);
    let reason = errors.keep("reason", Reason::parse(&typed.text("reason")));
    if let (Some(act), Some(reason)) = (act, reason) {
        let (db, clock, limit) = (&app.db, &app.clock, app.settings.quotations);
        let done = match act {
            Act::Send => store::send(db, clock, &permit, limit, of.id, seen).await,
            _ => store::act(db, clock, &permit, limit, of.id, (act, seen, reason)).await,
        };
        match done {
            Ok(after) => return Ok(Redirect::to(&format!("{}?done={word}", address(&after))).into_response()),
            Err(error) => errors.note("", error)?,
        }
    } else if errors.is_empty() {
        errors.push("", "Choose what to do");
    }
    let see = session.permit(permit.tenant())?;
    let of = store::get(&app.db, &permit, of.id).await?;
    let sight = Sight::load(&app, &session, &see, &of).await?;
    Ok(amiss(page(&room, &of, &sight, &typed, &errors)))
}

/// What was sent, as a file.
pub(super) async fn file(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
) -> Result<Response> {
    let (_, of) = load(&app, &session, &permit, &named, "/files").await?;
    download(&of, store::files(&app.db, &permit, of.id).await?, &named.file)
}

fn page(room: &Room, of: &Quotation, sight: &Sight, typed: &Typed, errors: &FieldErrors) -> String {
    let here = address(of);
    let standing = of.standing(room.frame.now);
    let changeable = standing.is_open() && sight.may(Act::Edit) && room.of.stage == stage_of(of);
    let ways = changeable.then(|| {
        view! {
            <LinkButton href=format!("{here}/lines/new") icon=Icon::Plus>"Add a line"</LinkButton>
            <LinkButton href=format!("{here}/edit") icon=Icon::Settings>"Terms"</LinkButton>
        }
    });
    let files = of.document_digest.is_some().then(|| {
        view! {
            <LinkButton href=format!("{here}/files/pdf") icon=Icon::Download>"PDF"</LinkButton>
            <LinkButton href=format!("{here}/files/json") tone=Tone::Quiet icon=Icon::Download>"JSON"</LinkButton>
        }
    });
    let link = |n: usize, name: &str| {
        if changeable { ui::link(format!("{here}/lines/{}", n + 1), name) } else { ui::strong(name) }
    };
    let main = view! {
        <ui::FormErrors errors=errors/>
        <ui::Sheet>{sheet(of, link)}</ui::Sheet>
        {changes(sight)}
    };
    let aside = view! {
        {stands(room, of)}
        {acts(room, of, sight, standing, typed, errors)}
        {shared(room, of, sight, standing)}
        {command(of)}
    };
    let lead = crate::form::sentence(&format!("{} for {}", of.told(), room.of.details.name));
    let body = view! {
        <PageHeader title=of.content.title.as_str() lead=lead badge=badge(standing)>{files}{ways}</PageHeader>
        {room.tabs("/quotations")}
        <Columns main=main.into_any() aside=aside.into_any()/>
    };
    let mut crumbs = crumbs(room, of);
    crumbs.pop();
    ui::page(&room.frame, &of.content.title, crumbs, body.into_any())
}

/// The stage at which it is written and answered: a change order adds to what is being built.
const fn stage_of(of: &Quotation) -> Stage {
    if of.adds_to.is_some() { Stage::Implementation } else { Stage::Quotation }
}

/// What is different from the version before.
fn changes(sight: &Sight) -> Option<AnyView> {
    let (number, changes) = sight.before.as_ref()?;
    let title = format!("Different from version {number}");
    if changes.is_empty() {
        return Some(view! { <Card title=title><p>{ui::muted("Nothing.")}</p></Card> }.into_any());
    }
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let fields = changes
        .iter()
        .map(|one| Difference { field: one.what.clone(), before: some(&one.before), after: some(&one.after) })
        .collect();
    Some(view! { <Card title=title><Differences fields=fields/></Card> }.into_any())
}

fn stands(room: &Room, of: &Quotation) -> AnyView {
    let now = room.frame.moment();
    let by = |who: &Option<String>, at: Option<chrono::DateTime<chrono::Utc>>| {
        let (who, at) = (who.clone()?, at?);
        Some(view! { {who}", "{ui::ago(now, at)} }.into_any())
    };
    let mut items = vec![("Written by", ui::text(of.written_by.as_str()))];
    items.extend(of.submitted_by.as_ref().map(|who| ("Approval asked by", ui::text(who.as_str()))));
    items.extend(by(&of.approved_by, of.approved_at).map(|words| ("Approved by", words)));
    items.extend(by(&of.sent_by, of.sent_at).map(|words| ("Sent by", words)));
    items.extend(of.viewed_at.map(|at| ("First looked at", ui::ago(now, at))));
    items.extend(of.decided_by.as_ref().map(|who| {
        let role = of.decided_role.as_ref().map(|role| format!(", {role}")).unwrap_or_default();
        ("Answered by", ui::text(format!("{who}{role}")))
    }));
    items.extend(of.decided_at.map(|at| ("Answered", ui::at(now, at))));
    items.extend(of.decided_from.as_ref().map(|address| ("From the address", ui::mono(address.as_str()))));
    items.extend((!of.reason.is_empty()).then(|| ("Reason", ui::paragraphs(&of.reason))));
    view! { <Card title="Where it stands"><Facts items=items/></Card> }.into_any()
}

/// A form that is one act.
fn one(of: &Quotation, act: Act, verb: &'static str, tone: Tone) -> AnyView {
    let fields = vec![("form", act.word().to_owned()), ("seen", of.revision.to_string())];
    view! { <PostButton action=address(of) tone=tone fields=fields>{verb}</PostButton> }.into_any()
}

/// A form that is an act with its reason, folded away.
fn reasoned(of: &Quotation, act: Act, verb: &'static str, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let own = typed.text("form") == act.word();
    let (reason, none) = (if own { typed.text("reason") } else { String::new() }, FieldErrors::new());
    // two such forms never stand on one page, so the name of the field is its own
    let errors = if own { errors } else { &none };
    view! {
        <ui::Fold summary=format!("{verb}…") open=own>
            <PageForm action=address(of)>
                <Hidden name="form" value=act.word()/>
                <Hidden name="seen" value=of.revision.to_string()/>
                <TextArea name="reason" label="Reason" value=reason rows=3 errors=errors/>
                <FormActions><Button tone=Tone::Danger>{verb}</Button></FormActions>
            </PageForm>
        </ui::Fold>
    }
    .into_any()
}

fn acts(room: &Room, of: &Quotation, sight: &Sight, standing: State, typed: &Typed, errors: &FieldErrors) -> AnyView {
    if room.of.stage != stage_of(of) && !standing.is_open() {
        return ().into_any();
    }
    let mut rows: Vec<AnyView> = Vec::new();
    let mut say = |words: &str| rows.push(view! { <p>{ui::muted(words.to_owned())}</p> }.into_any());
    match standing {
        State::Draft if of.content.lines.is_empty() => say("It can be sent once it has a line."),
        State::Draft if sight.over.is_some() => {
            let currency = of.content.currency;
            let why = match sight.over.unwrap_or(0) {
                0 => format!("In {} nothing is sent without approval", currency.code()),
                most => format!("It comes to more than {} without VAT", currency.told(most)),
            };
            say(&format!("{why}: somebody else looks at it first."));
            if sight.may(Act::Submit) {
                rows.push(one(of, Act::Submit, "Ask for approval", Tone::Primary));
            }
        }
        State::Draft | State::Approved if sight.may(Act::Send) => {
            say("Sending freezes it: what the customer gets stays as it is.");
            rows.push(one(of, Act::Send, "Send it", Tone::Primary));
        }
        State::Draft | State::Approved => say("A success or account manager sends it."),
        State::Awaiting if sight.own => say("Somebody else approves it: an administrator or an account manager."),
        State::Awaiting if sight.may(Act::Approve) => {
            say("Look through it with fresh eyes.");
            rows.push(one(of, Act::Approve, "Approve it", Tone::Primary));
            rows.push(reasoned(of, Act::Return, "Return it", typed, errors));
        }
        State::Awaiting => say("It waits for an administrator or an account manager."),
        State::Sent | State::Viewed => say("It waits for the customer's answer."),
        State::Accepted => say("The customer has accepted it: it stands for good."),
        State::Declined | State::Expired | State::Withdrawn => {
            say("Draft a new version, or close the integration as lost.");
        }
    }
    if standing.is_offered() && sight.may(Act::Withdraw) {
        rows.push(reasoned(of, Act::Withdraw, "Withdraw it", typed, errors));
    } else if standing.is_open() && sight.may(Act::Withdraw) {
        rows.push(one(of, Act::Withdraw, "Discard it", Tone::Quiet));
    }
    let guide = ui::link("/guide#quotation", "How quotations work");
    view! { <Card title="What next">{rows}<p>{guide}</p></Card> }.into_any()
}

/// The links by which the customer answers.
fn shared(room: &Room, of: &Quotation, sight: &Sight, standing: State) -> Option<AnyView> {
    let may = sight.may(Act::Send) && standing.is_offered();
    if of.document_digest.is_none() || (!may && sight.links.is_empty()) {
        return None;
    }
    let revoke = format!("{}/links", address(of));
    let href = revoke.clone();
    let make = may.then(|| {
        view! { <Row><LinkButton href=href icon=Icon::Plus>"Make a link"</LinkButton></Row> }
    });
    let revoke = sight.may(Act::Send).then_some(revoke.as_str());
    let table = guests::pages::table("Links", &sight.links, revoke, room.frame.moment());
    let lead = "Who has no account answers by a link.";
    Some(view! { <Card title="Links" lead=lead>{table}{make}</Card> }.into_any())
}

fn command(of: &Quotation) -> AnyView {
    let (tenant, id) = (of.tenant_id, of.id);
    let last = if of.document_digest.is_some() {
        "tributary quotation verify FILE".to_owned()
    } else {
        format!("tributary quotation send --tenant {tenant} {id}")
    };
    let code = format!("tributary quotation show --tenant {tenant} {id}\n{last}");
    view! { <Card title="On the command line"><CodeBlock id="commands" label="tributary" code=code/></Card> }.into_any()
}
