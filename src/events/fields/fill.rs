//! A field that was marked as searchable is filled in for the events from before, newest first: a background task.
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{follow::values, store, walk::Pace};
use crate::{
    app::App,
    auth::Configure,
    error::Result,
    event_types::Pointer,
    events::{
        along::{Along, Range, Towards},
        store::{WHOLE, between},
    },
    ids::{EventId, EventTypeId},
    jobs::{About, Effects, Kind, Outcome, Stepping, Task},
    sql,
};

/// The task.
pub const KIND: Kind = Kind {
    name: "events.index-fields",
    title: "Index of searchable fields",
    noun: "event",
    counters: &[],
    step: |app, task| Box::pin(fill(app, task)) as Stepping<'_>,
    about,
};

/// Which fields of which type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    event_type: EventTypeId,
    /// As JSON pointers.
    fields: Vec<String>,
    /// What the type was called then, for people.
    name: String,
}

impl Asked {
    pub(super) fn new(event_type: EventTypeId, name: &str, fields: &[String]) -> Self {
        Self { event_type, fields: fields.to_vec(), name: name.to_owned() }
    }
}

/// Where the next step goes on.
#[derive(Serialize, Deserialize)]
struct Place {
    below: EventId,
    /// How many events a step reads.
    at_once: i64,
}

async fn fill(app: &App, task: &Task) -> Result<Effects> {
    let asked: Asked = task.input()?;
    let (tenant, event_type, id) = (task.tenant, asked.event_type, task.id);
    // whoever may no longer configure had the right when they asked
    task.permit::<Configure>()?;
    let mut pace = Pace::new();
    let place = task.cursor::<Place>()?;
    let total = match &place {
        Some(_) => None,
        None => Some(total(app, task, event_type).await?),
    };
    let Place { below, at_once } = place.unwrap_or(Place { below: EventId::MAX, at_once: pace.limit() });
    // one that is no longer searchable needs no filling in
    let fields: Vec<Pointer> = store::fields(&app.db, tenant, event_type)
        .await?
        .into_iter()
        .filter(|field| asked.fields.iter().any(|asked| asked == field.as_str()))
        .collect();
    let range = Range { low: EventId(uuid::Uuid::nil()), high: below };
    let events = if fields.is_empty() {
        Vec::new()
    } else {
        between(&app.db, tenant, Along::Type(event_type), range, Towards::Older, (at_once, WHOLE)).await?
    };
    pace.learn(&events);
    let full = i64::try_from(events.len()).unwrap_or(0) >= at_once;
    let next = events.last().filter(|_| full).map(|last| Place { below: last.id, at_once: pace.limit() });
    let (values, did) = (values(tenant, event_type, &fields, &events), events.len());
    let mut outcome = match &next {
        Some(place) => Outcome::more(place)?,
        None => Outcome::done(),
    }
    .did(did);
    if let Some(total) = total {
        outcome = outcome.of(total);
    }
    Ok(Effects::new(move |tx| {
        Box::pin(async move {
            store::insert(tx, tenant, &values).await?;
            if next.is_none() {
                store::ready(tx, tenant, id).await?;
            }
            Ok(outcome)
        })
    }))
}

async fn total(app: &App, task: &Task, event_type: EventTypeId) -> Result<i64> {
    let text = "SELECT COUNT(*) FROM events WHERE tenant_id = $1 AND event_type_id = $2";
    Ok(sql!(value i64, app.db, text, task.tenant, event_type)?)
}

fn about(task: &Task, _: DateTime<Utc>) -> About {
    let Ok(asked) = task.input::<Asked>() else { return About::default() };
    let href = format!("/tenants/{}/event-types/{}", task.tenant, asked.event_type);
    let fields = asked.fields.iter().filter_map(|field| Some(Pointer::parse(field).ok()?.label().to_owned()));
    About {
        facts: vec![("Event type", asked.name.clone()), ("Fields", fields.collect::<Vec<_>>().join(", "))],
        links: vec![(href, "The event type".to_owned())],
        note: Some("Until it is done, events are looked through; from then on the index finds them.".to_owned()),
        ..About::default()
    }
}
