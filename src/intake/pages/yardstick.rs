//! The contracts that evidence can be held against: those of the tenant's event types, drafts among them, and what
//! earlier evidence of the same intake proposed.
use super::Room;
use crate::{
    app::App,
    auth::{ReadConfiguration, Session},
    error::{Error, Result},
    event_types::{self, Contract, versions},
    ids::EventTypeId,
    intake::{findings::Yardstick, store::Seen},
    ui::{Choice, FieldErrors},
};

/// What can be chosen, in the order in which it is offered; nothing when there is no contract that demands anything.
pub(super) async fn choices(app: &App, session: &Session, room: &Room, seen: &[Seen]) -> Result<Vec<Choice>> {
    let read = session.permit::<ReadConfiguration>(room.of.tenant_id)?;
    let drafted = versions::drafted(&app.db, &read).await?;
    let mut choices = Vec::new();
    for one in seen.iter().filter(|one| one.contract.is_some()) {
        choices.push(Choice::new(format!("evidence:{}", one.id), format!("Proposed from {}", one.title)));
    }
    for of in event_types::list(&app.db, &read).await? {
        let name = &of.details.name;
        if drafted.contains(&of.id) {
            choices.push(Choice::new(format!("draft:{}", of.id), format!("{name}, its draft")));
        }
        if !of.details.contract.accepts_anything() {
            choices.push(Choice::new(format!("type:{}", of.id), format!("{name}, as it is active")));
        }
    }
    if !choices.is_empty() {
        choices.insert(0, Choice::new("", "None: only propose one"));
    }
    Ok(choices)
}

/// What was chosen; the outer `None` when it is none of what was offered.
pub(super) async fn chosen(
    app: &App,
    session: &Session,
    room: &Room,
    (field, value): (&'static str, &str),
    errors: &mut FieldErrors,
) -> Result<Option<Option<Yardstick>>> {
    if value.is_empty() {
        return Ok(Some(None));
    }
    match find(app, session, room, value).await {
        Ok(found) => Ok(Some(Some(found))),
        Err(Error::NotFound(_)) => {
            errors.push(field, "It is not there any more: choose another");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

async fn find(app: &App, session: &Session, room: &Room, value: &str) -> Result<Yardstick> {
    const NONE: Error = Error::NotFound("contract");
    let read = session.permit::<ReadConfiguration>(room.of.tenant_id)?;
    let (kind, id) = value.split_once(':').ok_or(NONE)?;
    if kind == "evidence" {
        let id = crate::ids::guid(id).map_err(|_| NONE)?;
        let seen = super::store::evidence(&app.db, &read, room.of.id).await?;
        let one = seen.into_iter().find(|one| one.id == id).ok_or(NONE)?;
        let contract = Contract::parse(&one.contract.ok_or(NONE)?).map_err(Error::internal)?;
        return Ok(Yardstick { name: format!("What {} proposed", one.title), contract });
    }
    let id: EventTypeId = id.parse().map_err(|_| NONE)?;
    let of = event_types::get(&app.db, &read, id).await?;
    let name = &of.details.name;
    match kind {
        "draft" => {
            let draft = versions::draft(&app.db, &read, id).await?.ok_or(NONE)?;
            Ok(Yardstick { name: format!("Draft of {name}"), contract: draft.contract })
        }
        "type" => Ok(Yardstick { name: format!("Contract of {name}"), contract: of.details.contract }),
        _ => Err(NONE),
    }
}
