//! The pages of an implementation: what is to be done and whose turn it is, what is to be configured, what has to be
//! seen before it goes live, and the hours.
mod draft;
mod evidence;
mod points;
mod show;
mod task;
mod waive;

use axum::{Router, routing::get};
use leptos::prelude::*;

use super::{Named, Room, name_of};
use crate::{
    app::App,
    auth::{Configure, Permit, Right, RunImplementations, SeeIntegrations, Session, WaiveEvidence},
    error::{Error, Result},
    event_types,
    ids::EventTypeId,
    intake::{
        Stage,
        implementation::{Kind, Task, Whole, store},
    },
    ui::{self, Choice, Crumb},
};

/// The routes of implementations.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/tenants/{tenant}/integrations/{integration}/implementation", get(show::show).post(show::act))
        .route(
            "/tenants/{tenant}/integrations/{integration}/implementation/tasks/{point}",
            get(task::ask).post(task::save),
        )
        .route(
            "/tenants/{tenant}/integrations/{integration}/implementation/drafts/{point}",
            get(draft::ask).post(draft::save),
        )
        .route(
            "/tenants/{tenant}/integrations/{integration}/implementation/evidence/{point}",
            get(evidence::ask).post(evidence::save),
        )
        .route(
            "/tenants/{tenant}/integrations/{integration}/implementation/waive/{point}",
            get(waive::ask).post(waive::take),
        )
}

/// What an address calls something that is not there yet.
const NEW: &str = "new";

/// What the pages of an implementation begin with.
struct Site {
    room: Room,
    whole: Whole,
    types: Vec<(EventTypeId, String)>,
    may_run: bool,
    may_configure: bool,
    may_waive: bool,
}

impl Site {
    /// Loads it. `rest` is what the page's path has after that of the implementation.
    async fn load<R: Right>(
        app: &App,
        session: &Session,
        permit: &Permit<R>,
        named: &Named,
        rest: &str,
    ) -> Result<Self> {
        let tenant = permit.tenant();
        let room = Room::load(app, session, tenant, named, &format!("/implementation{rest}")).await?;
        let see: Permit<SeeIntegrations> = session.permit(tenant)?;
        let whole = store::load(&app.db, &see, room.of.id).await?;
        let types = event_types::store::names(&app.db, tenant).await?;
        let open = room.of.stage == Stage::Implementation;
        Ok(Self {
            whole,
            types: types.into_iter().map(|(id, name)| (id, name.to_string())).collect(),
            may_run: open && session.permit::<RunImplementations>(tenant).is_ok(),
            may_configure: open && session.permit::<Configure>(tenant).is_ok(),
            may_waive: open && session.permit::<WaiveEvidence>(tenant).is_ok(),
            room,
        })
    }

    fn here(&self) -> String {
        format!("{}/implementation", self.room.here())
    }

    fn crumbs(&self) -> Vec<Crumb> {
        let mut crumbs = self.room.crumbs(true);
        crumbs.push(Crumb::new("Implementation", self.here()));
        crumbs
    }

    /// What an event type is called, whether it is there or drafted.
    fn type_name(&self, id: EventTypeId) -> String {
        let made = self.types.iter().find(|(known, _)| *known == id).map(|(_, name)| name.clone());
        made.or_else(|| self.whole.drafts.iter().find(|one| one.id == id.0).map(|one| format!("{} (draft)", one.name)))
            .unwrap_or_else(|| "an event type that is gone".into())
    }

    /// Event types that can be chosen: those there are, and those that are drafted.
    fn type_choices(&self) -> Vec<Choice> {
        let drafted = self.whole.drafts.iter().filter(|one| one.kind == Kind::EventType && one.is_open());
        let drafted = drafted.map(|one| Choice::new(one.id.to_string(), format!("{} (draft)", one.name)));
        let made = self.types.iter().map(|(id, name)| Choice::new(id.to_string(), name.as_str()));
        drafted.chain(made).collect()
    }

    /// The type that an id names, if it can be chosen.
    fn chosen_type(&self, text: &str) -> Result<EventTypeId, &'static str> {
        let known = self.type_choices().iter().any(|one| one.value == text);
        text.parse().ok().filter(|_| known).ok_or("choose an event type from the list")
    }

    fn phase_choices(&self) -> Vec<Choice> {
        self.whole.phases.iter().map(|one| Choice::new(one.id.to_string(), one.title.as_str())).collect()
    }

    /// The phase that an id names.
    fn chosen_phase(&self, text: &str) -> Result<uuid::Uuid, &'static str> {
        let id = crate::ids::guid(text).ok().filter(|id| self.whole.phases.iter().any(|one| one.id == *id));
        id.ok_or("choose a phase from the list")
    }

    /// Who does a task.
    fn whose(&self, task: &Task) -> AnyView {
        let side = ui::text(task.details.side.title());
        match name_of(&self.room.staff, task.details.owner_id) {
            Some(name) => ui::two_lines(side, ui::text(name)),
            None => side,
        }
    }
}

/// An id of something of an implementation.
fn id_of(text: &str, what: &'static str) -> Result<uuid::Uuid> {
    crate::ids::guid(text).map_err(|_| Error::NotFound(what))
}
