//! One draft: looked through, changed, and turned into the real thing by one act.
use axum::{
    Form,
    extract::{Path, Query, State as Axum},
    response::{IntoResponse, Redirect, Response},
};
use leptos::prelude::*;

use super::{Named, Site, points};
use crate::{
    app::App,
    auth::{Configure, Permit, RunImplementations, SeeIntegrations, Session},
    error::{Error, Result},
    event_types,
    form::{Done, Typed, amiss, shown},
    intake::{
        implementation::{
            Draft, Kind,
            store::{self, Made, Secrets, Written},
        },
        parse_text,
    },
    tokens::Secret,
    ui::{
        self, Alert, Button, Card, CodeBlock, CopyField, Facts, Field, FieldErrors, Form as PageForm, FormActions,
        LinkButton, PageHeader, PostButton, Row, Select, State as Mood, TextArea, Tone,
    },
};

/// The longest contract or definition, in characters.
const LONGEST: usize = 200_000;

async fn load<R: crate::auth::Right>(
    app: &App,
    session: &Session,
    permit: &Permit<R>,
    named: &Named,
) -> Result<(Site, Draft)> {
    let site = Site::load(app, session, permit, named, &format!("/drafts/{}", named.point)).await?;
    let id = super::id_of(&named.point, "draft")?;
    let draft = site.whole.drafts.iter().find(|one| one.id == id).cloned().ok_or(Error::NotFound("draft"))?;
    Ok((site, draft))
}

/// Shows it.
pub(in crate::intake::pages) async fn ask(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<SeeIntegrations>,
    Path(named): Path<Named>,
    Query(done): Query<Done>,
) -> Result<Response> {
    let (mut site, draft) = load(&app, &session, &permit, &named).await?;
    site.room.notice(&done, &[("saved", "Saved: the draft says so now.")]);
    let event_type = draft.event_type_id.map(|id| id.to_string()).unwrap_or_default();
    let typed = [("name", draft.name.clone()), ("body", draft.body.clone()), ("event_type", event_type)]
        .map(|(name, value)| (name.to_owned(), value));
    Ok(shown(page(&site, &draft, &typed.into_iter().collect(), &FieldErrors::new())))
}

/// Saves it, drops it, or makes what it drafts.
pub(in crate::intake::pages) async fn save(
    Axum(app): Axum<App>,
    session: Session,
    permit: Permit<RunImplementations>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let (site, draft) = load(&app, &session, &permit, &named).await?;
    let of = site.room.of.id;
    let mut errors = FieldErrors::new();
    let (db, clock) = (&app.db, &app.clock);
    let form = typed.text("form");
    let to = match form.as_str() {
        "drop" | "restore" => {
            let drop = form == "drop";
            let word = if drop { "dropped" } else { "restored" };
            told(store::drop_draft(db, clock, &permit, of, draft.id, drop).await, &mut errors)?
                .map(|()| format!("{}?done={word}", site.here()))
        }
        "make" => match read(&draft, &typed, &mut errors) {
            Some(written) => {
                let configure: Permit<Configure> = session.permit(permit.tenant())?;
                let theirs = Some(typed.text("token").trim().to_owned()).filter(|token| !token.is_empty());
                let secret = Secret::generate();
                let secrets = Secrets { made: Some(secret.clone()), theirs };
                let key = (of, draft.id);
                let made = store::make(db, clock, &app.keys, &configure, key, Some(written), secrets).await;
                match told(made, &mut errors)? {
                    Some(Made::Token(made)) => return handed(&app, &session, &site, &draft, &made, &secret).await,
                    Some(_) => Some(format!("{}?done=made", site.here())),
                    None => None,
                }
            }
            None => None,
        },
        _ => match read(&draft, &typed, &mut errors) {
            Some(written) => told(store::save_draft(db, clock, &permit, of, draft.id, written).await, &mut errors)?
                .map(|()| format!("{}/drafts/{}?done=saved", site.here(), draft.id)),
            None => None,
        },
    };
    match to {
        Some(to) => Ok(Redirect::to(&to).into_response()),
        None => Ok(amiss(page(&site, &draft, &typed, &errors))),
    }
}

/// Notes what its sender can mend.
fn told<T>(done: Result<T>, errors: &mut FieldErrors) -> Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) => errors.note("", error).map(|()| None),
    }
}

fn read(draft: &Draft, typed: &Typed, errors: &mut FieldErrors) -> Option<Written> {
    let name = errors.keep("name", typed.text("name").parse());
    let body = errors.keep("body", parse_text(&typed.text("body"), LONGEST));
    let event_type = typed.text("event_type").parse().ok();
    if draft.kind != Kind::EventType && event_type.is_none() {
        errors.push("event_type", "Choose an event type");
        return None;
    }
    Some(Written { name: name?, body: body?, event_type })
}

/// The page that shows a token, this once.
async fn handed(
    app: &App,
    session: &Session,
    site: &Site,
    draft: &Draft,
    made: &crate::tokens::Token,
    secret: &Secret,
) -> Result<Response> {
    let read = session.permit(site.room.of.tenant_id)?;
    let curl = match draft.event_type_id.or_else(|| made.details.event_types.as_ref()?.first().copied()) {
        Some(id) => {
            let of = event_types::get(&app.db, &read, id).await?;
            let code = event_types::curl(&app.public_base, &of, secret.expose());
            Some(view! { <CodeBlock id="curl" label="curl, with this token" code=code/> })
        }
        None => None,
    };
    let body = view! {
        <PageHeader title="The token is made" lead="Hand it over by a way that nobody else reads."/>
        <Alert state=Mood::Warning title="Copy the token now: it will not be shown again" announce=true>
            <p>"Only a digest is kept. If it is lost, roll the token."</p>
        </Alert>
        <Card>
            <CopyField id="token" label="Token" value=secret.expose() hint="It is good for this event type alone."/>
            {curl}
            <Row><LinkButton href=site.here() tone=Tone::Primary>"I have copied it"</LinkButton></Row>
        </Card>
    };
    Ok(shown(ui::page(&site.room.frame, "Token", site.crumbs(), body.into_any())))
}

fn page(site: &Site, draft: &Draft, typed: &Typed, errors: &FieldErrors) -> String {
    let lead = match draft.kind {
        Kind::EventType => "The contract of one kind of event, drafted from what was seen in the intake.",
        Kind::Token => "A static secret that their system sends along. It is made here, and shown once.",
        Kind::Source => "A system that is asked on an interval. The draft holds what the intake knows of it.",
    };
    let body = if draft.is_open() && site.may_run { form(site, draft, typed, errors) } else { settled(site, draft) };
    let title = format!("{}: {}", draft.kind.title(), draft.name);
    let body = view! { <PageHeader title=title.as_str() lead=lead/> <ui::FormErrors errors=errors/> {body} };
    ui::page(&site.room.frame, &title, site.crumbs(), body.into_any())
}

fn settled(site: &Site, draft: &Draft) -> AnyView {
    let now = site.room.frame.moment();
    let state = match (draft.settled_at, draft.made_id) {
        (None, _) => "A draft",
        (Some(_), Some(_)) => "Made",
        (Some(_), None) => "Dropped",
    };
    let mut items = vec![("State", ui::text(state))];
    items.extend(draft.settled_by.as_ref().map(|who| ("By", ui::text(who.as_str()))));
    items.extend(draft.settled_at.map(|at| ("When", ui::at(now, at))));
    items.extend(points::made(site, draft).map(|href| ("What it became", ui::link(href, draft.name.as_str()))));
    let body = (!draft.body.is_empty())
        .then(|| view! { <CodeBlock id="body" label=draft.kind.title() code=draft.body.clone()/> });
    let restore = (!draft.is_open() && draft.made_id.is_none() && site.may_run).then(|| {
        let action = format!("{}/drafts/{}", site.here(), draft.id);
        let action = action.as_str();
        let fields = vec![("form", "restore".to_owned())];
        view! { <Row><PostButton action=action fields=fields>"Take it up again"</PostButton></Row> }
    });
    view! { <Card><Facts items=items/>{body}{restore}</Card> }.into_any()
}

fn form(site: &Site, draft: &Draft, typed: &Typed, errors: &FieldErrors) -> AnyView {
    let here = site.here();
    let action = format!("{here}/drafts/{}", draft.id);
    let action = action.as_str();
    let text = |name: &str| typed.text(name);
    let verb = match draft.kind {
        Kind::EventType => "Make the event type",
        Kind::Token => "Make the token",
        Kind::Source => "Make the source",
    };
    let body = match draft.kind {
        Kind::EventType => Some(view! {
            <TextArea name="body" label="Contract" value=text("body") rows=16 mono=true optional=true hint="JSON Schema. Without one, any object is taken; it can be changed in the designer once the type is there." errors=errors/>
        }.into_any()),
        Kind::Token => None,
        Kind::Source => Some(view! {
            <TextArea name="body" label="SOURCE.json" value=text("body") rows=16 mono=true hint="Without the token." errors=errors/>
            <Field name="token" label="Token" kind="password" autocomplete="off" optional=true hint="The one by which their system knows us. It is sealed, and shown on no page." errors=errors/>
        }.into_any()),
    };
    let of = (draft.kind != Kind::EventType).then(|| {
        let label = if draft.kind == Kind::Token { "Good for" } else { "What its records become" };
        view! { <Select name="event_type" label=label choices=site.type_choices() value=text("event_type") errors=errors/> }
    });
    let make =
        site.may_configure.then(|| view! { <Button tone=Tone::Primary name="form" value="make">{verb}</Button> });
    let fields = vec![("form", "drop".to_owned())];
    view! {
        <Card>
            <PageForm action=action>
                <Field name="name" label="Name" value=text("name") autocomplete="off" errors=errors/>
                {of}
                {body}
                <FormActions>
                    {make}
                    <Button name="form" value="save">"Save the draft"</Button>
                    <LinkButton href=here tone=Tone::Quiet>"Cancel"</LinkButton>
                </FormActions>
            </PageForm>
        </Card>
        <Card title="Not needed?" lead="What is dropped stays here, and can be taken up again.">
            <Row><PostButton action=action tone=Tone::Plain fields=fields>"Drop this draft"</PostButton></Row>
        </Card>
    }
    .into_any()
}
