//! A new source, and changing one: a form that explains itself. What is typed lives in it until it is saved, so that it
//! can be tried out and probed as often as one likes, without scripts.
pub(crate) mod asking;
mod import;
mod outcome;
mod values;
mod view;

use std::time::Duration;

use axum::{
    Form,
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use serde::Deserialize;

use self::outcome::Outcome;
use super::{Named, words};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, Session},
    crypto::{self, Secret, seal::Place},
    error::{Error, Result},
    event_types::{self, test_event},
    form::{Typed, amiss, sentence, shown},
    ids::{EventTypeId, SourceId, TenantId},
    ingest,
    polling::{
        Source, Terms, Window,
        definition::Definition,
        probe::{
            attempt::{Attempt, Wrong, attempt},
            boundary::boundary,
        },
        store::{self, change, look},
        terms::Prepared,
    },
    tenants,
    ui::{FieldErrors, Frame, Section, Zone},
};

pub(super) use import::{ask as ask_import, read as import};

/// How long a page may try and probe: less than a page may take at all.
const PATIENCE: Duration = Duration::from_secs(24);
/// How long one answer may take meanwhile.
const ANSWER_SECONDS: u32 = 20;

/// What is being edited.
enum Subject {
    New { tenant: TenantId, types: Vec<(EventTypeId, String)> },
    Edit(Box<Source>),
}

/// What lies on the desk.
struct Desk {
    subject: Subject,
    typed: Typed,
    /// By which clocks moments are typed and told.
    zone: Zone,
    errors: FieldErrors,
    /// The token that was typed, sealed for who typed it: no page shows it again.
    carried: String,
    outcome: Option<Outcome>,
    note: Option<&'static str>,
}

impl Desk {
    fn new(subject: Subject, typed: Typed, zone: Zone) -> Self {
        Self { subject, typed, zone, errors: FieldErrors::new(), carried: String::new(), outcome: None, note: None }
    }
}

/// Which event type the new source is for, when somebody comes from its page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(rename = "type")]
    event_type: Option<String>,
}

async fn subject_new(app: &App, tenant: TenantId) -> Result<Subject> {
    let types = event_types::store::names(&app.db, tenant).await?;
    Ok(Subject::New { tenant, types: types.into_iter().map(|(id, name)| (id, name.to_string())).collect() })
}

async fn frame(app: &App, session: &Session, tenant: TenantId, path: String) -> Result<Frame> {
    tenants::frame(app, session, Some(tenant), Section::Sources, path).await
}

/// Asks for a new source.
pub(super) async fn ask(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let subject = subject_new(&app, tenant).await?;
    let mut typed = values::blank();
    let only = match &subject {
        Subject::New { types, .. } if types.len() == 1 => types.first().map(|(id, _)| id.to_string()),
        _ => None,
    };
    if let Some(id) = asked.event_type.or(only) {
        typed = values::with(&typed, &[("event_type", id)]);
    }
    let frame = frame(&app, &session, tenant, format!("/tenants/{tenant}/sources/new")).await?;
    Ok(shown(view::page(&frame, &Desk::new(subject, typed, session.zone))))
}

/// Creates it, or tries it out.
pub(super) async fn submit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let tenant = permit.tenant();
    let subject = subject_new(&app, tenant).await?;
    let mut desk = Desk::new(subject, typed, session.zone);
    let secret = desk.secret(&app, &permit, None).await?;
    if desk.is_to_be_saved() {
        if let Some(source) = desk.create(&app, &permit, secret).await? {
            return Ok(Redirect::to(&format!("{}?done=created", words::address(&source))).into_response());
        }
    } else {
        let event_type = desk.typed.text("event_type").parse().ok();
        desk.attempt(&app, &session, &permit, event_type, secret).await?;
    }
    let frame = frame(&app, &session, tenant, format!("/tenants/{tenant}/sources/new")).await?;
    Ok(desk.answer(&frame))
}

/// What the page of the source proposes.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Proposed {
    lookback: Option<u32>,
}

/// Asks what to change.
pub(super) async fn ask_edit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Query(proposed): Query<Proposed>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let definition = words::definition(&source)?;
    let frame = frame(&app, &session, permit.tenant(), format!("{}/edit", words::address(&source))).await?;
    let mut typed = values::of(&definition);
    if let Some(minutes) = proposed.lookback {
        typed = values::with(&typed, &[("lookback_minutes", minutes.to_string())]);
    }
    let desk = Desk::new(Subject::Edit(Box::new(source)), typed, session.zone);
    Ok(shown(view::page(&frame, &desk)))
}

/// Changes it, or tries the change out.
pub(super) async fn edit(
    State(app): State<App>,
    session: Session,
    permit: Permit<Configure>,
    Path(named): Path<Named>,
    Form(typed): Form<Typed>,
) -> Result<Response> {
    let source = store::get(&app.db, &permit, named.id()?).await?;
    let here = words::address(&source);
    let (id, event_type) = (source.id, source.event_type);
    let mut desk = Desk::new(Subject::Edit(Box::new(source)), typed, session.zone);
    let secret = desk.secret(&app, &permit, Some(id)).await?;
    if desk.is_to_be_saved() {
        if let Some(source) = desk.change(&app, &permit, id).await? {
            return Ok(Redirect::to(&format!("{}?done=saved", words::address(&source))).into_response());
        }
    } else {
        desk.attempt(&app, &session, &permit, Some(event_type), secret).await?;
    }
    let frame = frame(&app, &session, permit.tenant(), format!("{here}/edit")).await?;
    Ok(desk.answer(&frame))
}

impl Desk {
    fn is_to_be_saved(&self) -> bool {
        !matches!(self.typed.text("act").as_str(), "try" | "probe" | "fill")
    }

    fn answer(&self, frame: &Frame) -> Response {
        let page = view::page(frame, self);
        if self.errors.is_empty() { shown(page) } else { amiss(page) }
    }

    /// The token that holds: the one that was typed, the one that was typed before, or the one that is stored. The
    /// first two are carried along, sealed.
    async fn secret(&mut self, app: &App, permit: &Permit<Configure>, of: Option<SourceId>) -> Result<Option<Secret>> {
        let row = format!("{}/{}", permit.tenant(), permit.actor().name);
        let place = || Place { column: "sources.form", row: &row };
        let typed = self.typed.text("token").trim().to_owned();
        if !typed.is_empty() {
            let sealed = app.keys.seal(place(), typed.as_bytes()).map_err(Error::internal)?;
            self.carried = crypto::base64url(&sealed);
            return Ok(Some(Secret::given(typed)));
        }
        let carried = self.typed.text("carried_token");
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(&carried).ok().filter(|sealed| !sealed.is_empty());
        let opened = sealed.and_then(|sealed| app.keys.open(place(), &sealed).ok());
        if let Some(opened) = opened.and_then(|plain| String::from_utf8(plain).ok()) {
            self.carried = carried;
            return Ok(Some(Secret::given(opened)));
        }
        let Some(id) = of else { return Ok(None) };
        let sealed = look::sealed(&app.db, permit, id).await?;
        let open = |sealed: Vec<u8>| change::open(&app.keys, permit.tenant(), id, &sealed);
        Ok(sealed.map(open).transpose()?.map(Secret::given))
    }

    /// Reads what is typed. A token that is stored goes to no other host than the one it was given for.
    fn read(&mut self, secret: Option<&Secret>) -> Option<Definition> {
        let definition = values::read(&self.typed, &mut self.errors)?;
        if definition.needs_secret() && secret.is_none() {
            self.errors.push("token", "Type the token that it knows us by");
            return None;
        }
        if let Subject::Edit(source) = &self.subject
            && definition.needs_secret()
            && self.carried.is_empty()
            && Terms::of(&definition, source.id).is_ok_and(|terms| terms.host != source.host)
        {
            self.errors.push("token", "The address leads to another host: type the token for it");
            return None;
        }
        Some(definition)
    }

    async fn create(
        &mut self,
        app: &App,
        permit: &Permit<Configure>,
        secret: Option<Secret>,
    ) -> Result<Option<Source>> {
        let definition = self.read(secret.as_ref());
        let event_type = self.typed.text("event_type").parse::<EventTypeId>().ok();
        if event_type.is_none() {
            self.errors.push("event_type", "Choose what its records become");
        }
        let start = self.moment("start");
        let (Some(definition), Some(event_type), true) = (definition, event_type, self.errors.is_empty()) else {
            return Ok(None);
        };
        let prepared = prepared(&definition, secret.as_ref())?;
        match change::create(&app.db, &app.clock, &app.keys, permit, event_type, prepared, start).await {
            Ok(source) => Ok(Some(source)),
            Err(Error::NotFound("event type")) => {
                self.errors.push("event_type", "There is no such event type any more");
                Ok(None)
            }
            Err(Error::Refused(why)) => {
                self.errors.push("", sentence(&why));
                Ok(None)
            }
            Err(error) => self.errors.note("", error).map(|()| None),
        }
    }

    async fn change(&mut self, app: &App, permit: &Permit<Configure>, id: SourceId) -> Result<Option<Source>> {
        // what is stored stays where it is: only what was typed replaces it
        let typed = if self.carried.is_empty() { None } else { self.secret(app, permit, None).await? };
        let known = matches!(&self.subject, Subject::Edit(source) if source.has_secret).then(|| Secret::given(""));
        let Some(definition) = self.read(typed.as_ref().or(known.as_ref())) else { return Ok(None) };
        let prepared = prepared(&definition, typed.as_ref())?;
        match change::edit(&app.db, &app.clock, &app.keys, permit, id, prepared).await {
            Ok(source) => Ok(Some(source)),
            Err(Error::Refused(why)) => {
                self.errors.push("", sentence(&why));
                Ok(None)
            }
            Err(error) => self.errors.note("", error).map(|()| None),
        }
    }

    /// A moment that may be left out.
    fn moment(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        let text = self.typed.text(name);
        if text.trim().is_empty() {
            return None;
        }
        let read = self.zone.typed(text.trim());
        if read.is_none() {
            self.errors.push(name, "Type a moment, such as 2026-05-01T00:00");
        }
        read
    }

    /// The span to try with.
    fn span(&mut self, definition: &Definition, now: DateTime<Utc>) -> Option<Window> {
        let (from, until) = (self.moment("try_from"), self.moment("try_until"));
        let terms = match Terms::of(definition, SourceId::default()) {
            Ok(terms) => terms,
            Err(error) => {
                self.errors.push("", sentence(&error.to_string()));
                return None;
            }
        };
        let until = until.unwrap_or_else(|| from.map_or(now - terms.timing.settle, |from| from + terms.interval(now)));
        let window = Window::new(from.unwrap_or_else(|| until - terms.interval(now)), until);
        if window.is_empty() {
            self.errors.push("try_until", "It has to lie after the moment it is asked from");
        }
        self.errors.is_empty().then_some(window)
    }

    /// Tries what is typed out, or probes the boundary, or fills in what a probe has found.
    async fn attempt(
        &mut self,
        app: &App,
        session: &Session,
        permit: &Permit<Configure>,
        event_type: Option<EventTypeId>,
        secret: Option<Secret>,
    ) -> Result<()> {
        if self.typed.text("act") == "fill" {
            self.typed = outcome::filled(&self.typed);
            self.note = Some("What the probe has found is filled in. Nothing is saved yet.");
            return Ok(());
        }
        let Some(mut definition) = self.read(secret.as_ref()) else { return Ok(()) };
        let Some(window) = self.span(&definition, app.clock.now()) else { return Ok(()) };
        definition.limits.seconds = definition.limits.seconds.min(ANSWER_SECONDS);
        let client = &app.client;
        let late = || {
            Outcome::Failed(Wrong {
                what: format!("it took longer than {} seconds", PATIENCE.as_secs()),
                advice: "ask for a shorter span; the schedule itself is more patient",
            })
        };
        self.outcome = Some(if self.typed.text("act") == "probe" {
            if definition.record_time.is_none() {
                self.errors.push("record_time", "The probe looks at a record around its own time: say where that is");
                return Ok(());
            }
            match tokio::time::timeout(PATIENCE, boundary(client, &definition, secret.as_ref(), window)).await {
                Ok(Ok(found)) => Outcome::Probed(Box::new(found)),
                Ok(Err(fault)) => Outcome::Failed(Wrong::from(&fault)),
                Err(_) => late(),
            }
        } else {
            match tokio::time::timeout(PATIENCE, attempt(client, &definition, secret.as_ref(), window)).await {
                Ok(tried) => {
                    let verdicts = verdicts(app, session, permit, event_type, &tried).await?;
                    Outcome::Tried(Box::new(tried), verdicts)
                }
                Err(_) => late(),
            }
        });
        Ok(())
    }
}

/// What is kept of a definition, and of the token that was typed.
fn prepared(definition: &Definition, secret: Option<&Secret>) -> Result<Prepared> {
    Ok(Prepared {
        name: definition.name.clone(),
        definition: serde_json::to_string(definition).map_err(Error::internal)?,
        secret: secret.filter(|_| definition.needs_secret()).map(|secret| secret.reveal().to_owned()),
    })
}

/// What the contract says of each event; none when no type was chosen.
async fn verdicts(
    app: &App,
    session: &Session,
    permit: &Permit<Configure>,
    event_type: Option<EventTypeId>,
    tried: &Attempt,
) -> Result<Option<Vec<Vec<event_types::Breach>>>> {
    let Some(id) = event_type else { return Ok(None) };
    let read = session.permit::<ReadConfiguration>(permit.tenant())?;
    let event_type = match event_types::get(&app.db, &read, id).await {
        Ok(event_type) => event_type,
        Err(Error::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let judge = |event: &crate::polling::probe::attempt::Tried| {
        let text = event.event.to_string();
        let longest = app.settings.limits.max_event;
        let row = ingest::judge_record(&event_type, &text, &event.unique, event.fault.as_deref(), longest);
        test_event::breaches(&row)
    };
    Ok(Some(tried.events.iter().map(judge).collect()))
}
