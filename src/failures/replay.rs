//! Replaying all events in quarantine that a filter asks for: a background task.
//!
//! A step reads a few events, judges each by the contract that is in force then, and hands those that keep it to the
//! write lane, which mends each once. What is wrong with the others by now, and how far the task is, commit together.
//! A process that dies between the two leaves events that are mended and not yet counted; they are found again by the
//! task that mended them, so the next one to take it counts each once.
use std::collections::{HashMap, hash_map::Entry};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{
    href,
    mend::{self, Judged, Mend, Still},
    store,
};
use crate::{
    app::App,
    auth::{Configure, Permit, ReadConfiguration, ReadPayloads},
    db::{Tx, lane::Mends},
    error::{Error, Result},
    event_types::{Breach, EventType},
    events::{self, Event, Filter, Verdict},
    ids::{EventId, EventTypeId, TaskId, TenantId},
    jobs::{self, About, Effects, Kind, Outcome, Stepping, Task},
    sql,
};

/// How many events one step replays.
const AT_ONCE: usize = 50;

/// The task.
pub const KIND: Kind = Kind {
    name: "quarantine.replay",
    title: "Replay of quarantine",
    noun: "event",
    counters: &[(MENDED, "Mended"), (FAILING, "Still failing")],
    step,
    about,
};
const MENDED: &str = "mended";
const FAILING: &str = "failing";

/// Which events in quarantine are to be replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Its fields stand beside the words: so tasks read that were queued when there was only a group, a type and a time.
    #[serde(flatten)]
    filter: Filter,
    /// What that is, in words: "Order placed".
    of: String,
}

impl Asked {
    /// What `filter` asks for of the quarantine as it was at `counted`: events that come later are for the next time.
    pub fn new(filter: &Filter, counted: DateTime<Utc>, of: String) -> Self {
        let until = Some(filter.until.map_or(counted, |until| until.min(counted)));
        Self { filter: Filter { verdict: Some(Verdict::Quarantined), warned: false, until, ..filter.clone() }, of }
    }

    /// What that is, in words.
    pub fn of(&self) -> &str {
        &self.of
    }

    /// The first id that is not meant.
    fn end(&self) -> EventId {
        self.filter.ids().end
    }
}

/// How many events that are.
///
/// # Errors
/// When the database fails.
pub async fn count(app: &App, permit: &Permit<ReadPayloads>, asked: &Asked) -> Result<i64> {
    events::store::count(&app.db, permit, &asked.filter).await
}

/// Queues the task.
///
/// # Errors
/// [`Error::Conflict`] when too many tasks wait already; when the database fails.
pub async fn start(app: &App, permit: &Permit<Configure>, asked: Asked, total: i64) -> Result<TaskId> {
    let (permit, clock) = (permit.clone(), app.clock.clone());
    let queued = app.db.write(move |tx| {
        Box::pin(async move { jobs::enqueue(tx, &clock, &permit, KIND.name, &asked, Some(total)).await })
    });
    let id = queued.await?;
    app.jobs.wake();
    Ok(id)
}

fn about(task: &Task, _: DateTime<Utc>) -> About {
    let Ok(asked) = task.input::<Asked>() else { return About::default() };
    let mut links = vec![(format!("/tenants/{}/quarantine", task.tenant), "Quarantine".to_owned())];
    if let Some(group) = asked.filter.group {
        links.insert(0, (href(task.tenant, group), "The group".to_owned()));
    }
    let note = "Those that fail still are in quarantine as before, with what is wrong with them by now.";
    About { facts: vec![("Events of", asked.of)], links, note: Some(note.to_owned()), ..About::default() }
}

fn step<'a>(app: &'a App, task: &'a Task) -> Stepping<'a> {
    Box::pin(replay(app, task))
}

async fn replay(app: &App, task: &Task) -> Result<Effects> {
    let asked: Asked = task.input()?;
    let after = task.cursor::<EventId>()?.unwrap_or(EventId(uuid::Uuid::nil()));
    let (events, last) = next(app, &task.permit()?, &asked, after).await?;
    let (all, upto) = (last.is_none(), last.unwrap_or(asked.end()));
    let failing = mend_all(app, task, events).await?;
    let range = Range { tenant: task.tenant, task: task.id, after, upto };
    Ok(Effects::new(move |tx| {
        Box::pin(async move {
            for (event, still) in &failing {
                mend::still(tx, range.tenant, *event, still).await?;
            }
            let mended = range.mended(tx).await?;
            let outcome = if all { Outcome::done() } else { Outcome::more(&upto)? };
            let did = failing.len() + usize::try_from(mended).unwrap_or(0);
            let failing = i64::try_from(failing.len()).unwrap_or(i64::MAX);
            Ok(outcome.did(did).counting(MENDED, mended).counting(FAILING, failing))
        })
    }))
}

/// The events of one step, and the task that mends them.
struct Range {
    tenant: TenantId,
    task: TaskId,
    after: EventId,
    upto: EventId,
}

impl Range {
    /// How many of them this task has mended, by this try or by one that was cut off.
    async fn mended(&self, tx: &mut Tx) -> Result<i64> {
        let text = "SELECT COUNT(*) FROM mended
            WHERE tenant_id = $1 AND event_id > $2 AND event_id <= $3 AND task_id = $4";
        Ok(sql!(value i64, tx, text, self.tenant, self.after, self.upto, self.task)?)
    }
}

/// The oldest events that are asked for, after this one; and how far they reach, when there may be more.
async fn next(
    app: &App,
    permit: &Permit<ReadPayloads>,
    asked: &Asked,
    after: EventId,
) -> Result<(Vec<Event>, Option<EventId>)> {
    let filter = &asked.filter;
    let Some(group) = filter.group else {
        let events = events::store::oldest_quarantined(&app.db, permit, filter, after, AT_ONCE).await?;
        let last = events.last().filter(|_| events.len() == AT_ONCE).map(|last| last.id);
        return Ok((events, last));
    };
    let ids = store::oldest(&app.db, permit, group, filter, after, AT_ONCE).await?;
    let mut events = Vec::with_capacity(ids.len());
    for id in &ids {
        // one that is gone, or mended by somebody else meanwhile, has no need of it
        events.extend(events::store::one(&app.db, permit, *id).await?);
    }
    Ok((events, ids.last().filter(|_| ids.len() == AT_ONCE).copied()))
}

/// Replays what keeps its contract; gives back what does not.
async fn mend_all(app: &App, task: &Task, events: Vec<Event>) -> Result<Vec<(EventId, Still)>> {
    let read = task.permit::<ReadConfiguration>()?;
    // whoever may no longer configure had the right when they asked
    task.permit::<Configure>()?;
    let (mut rows, mut originals, mut failing) = (Vec::new(), Vec::new(), Vec::new());
    let mut types: HashMap<EventTypeId, Option<EventType>> = HashMap::new();
    for event in events.into_iter().filter(|event| event.verdict == Verdict::Quarantined) {
        let still = |errors: Option<String>| {
            // what cannot be judged fails for the reasons that it has
            let errors = errors.or(event.errors.clone()).unwrap_or_else(|| "[]".into());
            (event.id, Still { event_type: event.event_type_id, errors })
        };
        if let Entry::Vacant(unknown) = types.entry(event.event_type_id) {
            unknown.insert(match mend::type_in_force(app, &read, &event).await {
                Err(Error::Conflict(_)) => None,
                other => Some(other?),
            });
        }
        let Some(Some(event_type)) = types.get(&event.event_type_id) else {
            failing.push(still(None));
            continue;
        };
        match mend::judge(app, event_type, &event.payload) {
            Judged::Kept(row, _) => {
                rows.push(*row);
                originals.push((event.id, event.source_id, event.event_type_id));
            }
            Judged::Broken(breaches) => failing.push(still(Some(Breach::list(&breaches)))),
            Judged::NoEvent(_) => failing.push(still(None)),
        }
    }
    if rows.is_empty() {
        return Ok(failing);
    }
    let mends = Mends {
        originals: originals.iter().map(|(id, source, _)| (*id, *source)).collect(),
        by: task.started_by.clone(),
        task: Some(task.id.0),
        trail: None,
    };
    let became = mend::append(app, task.tenant, rows, mends).await?;
    for ((id, _, event_type), became) in originals.into_iter().zip(became) {
        if let Mend::Still(errors) = became {
            failing.push((id, Still { event_type, errors }));
        }
    }
    Ok(failing)
}

#[cfg(test)]
mod tests;
