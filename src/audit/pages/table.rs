//! Entries of the trail as rows: when, who, what with what became different, and from where.
use std::collections::{HashMap, HashSet};

use leptos::prelude::*;

use crate::{
    app::App,
    audit::{Entry, Eyes},
    auth::{Administer, Permit, ReadConfiguration, ReadPayloads, See, Session, audit::words::Object, store},
    error::{Error, Result},
    event_types, failures,
    ids::{self, FailureGroupId, SourceId, TaskId, TenantId},
    jobs, polling, tokens,
    ui::{self, Column, DataTable, Difference, Differences, Frame, Section},
};

/// What the ids in entries are called.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Those of a tenant's event types and tokens.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of_tenant(app: &App, permit: &Permit<ReadConfiguration>) -> Result<Self> {
        let types = event_types::store::names(&app.db, permit.tenant()).await?;
        let tokens = tokens::list(&app.db, permit).await?;
        let types = types.into_iter().map(|(id, name)| (id.to_string(), name.to_string()));
        let tokens = tokens
            .into_iter()
            .map(|token| (token.id.to_string(), format!("{} ({}…)", token.details.name, token.prefix)));
        Ok(Self(types.chain(tokens).collect()))
    }

    /// Those of a tenant's event types: what its customers are told.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn of_types(app: &App, tenant: TenantId) -> Result<Self> {
        let types = event_types::store::names(&app.db, tenant).await?;
        Ok(Self(types.into_iter().map(|(id, name)| (id.to_string(), name.to_string())).collect()))
    }

    /// Those of tenants.
    pub(super) fn of_tenants(tenants: impl IntoIterator<Item = (TenantId, String)>) -> Self {
        Self(tenants.into_iter().map(|(id, name)| (id.to_string(), name)).collect())
    }

    /// And those of what was changed by some entries, where an entry does not say it: what they are called now. What
    /// is gone, or not for `session` to see, stays without.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn with_those_of(mut self, app: &App, session: &Session, entries: &[Entry]) -> Result<Self> {
        let mut typed = HashSet::new();
        for entry in entries.iter().filter(|entry| entry.object.is_none()) {
            let (Some(tenant), Ok(id)) = (entry.tenant_id, ids::guid(&entry.object_id)) else { continue };
            if self.0.contains_key(&entry.object_id) {
                continue;
            }
            let found = match entry.kind() {
                Object::EventType if typed.insert(tenant) && session.permit::<ReadConfiguration>(tenant).is_ok() => {
                    self.0.extend(Self::of_types(app, tenant).await?.0);
                    continue;
                }
                Object::FailureGroup => {
                    let Ok(permit) = session.permit::<ReadPayloads>(tenant) else { continue };
                    failures::store::get(&app.db, &permit, FailureGroupId(id))
                        .await
                        .map(|group| format!("{} {}", group.path, group.message).trim().to_owned())
                }
                Object::Task => {
                    let Ok(permit) = session.permit::<ReadPayloads>(tenant) else { continue };
                    jobs::get(&app.db, &permit, TaskId(id))
                        .await
                        .map(|task| app.jobs.kind(&task.kind).map_or(task.kind, |kind| kind.title.to_owned()))
                }
                Object::Source => {
                    let Ok(permit) = session.permit::<See>(tenant) else { continue };
                    polling::get(&app.db, &permit, SourceId(id)).await.map(|source| source.name)
                }
                _ => continue,
            };
            match found {
                Ok(name) => self.0.insert(entry.object_id.clone(), name),
                Err(Error::NotFound(_)) => None,
                Err(error) => return Err(error),
            };
        }
        if let Ok(grant) = session.grant::<Administer>()
            && entries.iter().any(|entry| entry.kind() == Object::User && entry.object.is_none())
        {
            let people = store::list_people(&app.db, &grant, store::Filter::default()).await?;
            self.0.extend(people.into_iter().map(|person| (person.id.to_string(), person.email)));
        }
        Ok(self)
    }

    fn get(&self, id: &str) -> Option<&String> {
        self.0.get(id)
    }

    /// A value, or a list of values, with names in the place of ids.
    fn named(&self, value: &str) -> String {
        let known = |part: &str| self.get(part).cloned().unwrap_or_else(|| part.to_owned());
        value.split(", ").map(known).collect::<Vec<_>>().join(", ")
    }

    fn difference(&self, difference: Difference) -> Difference {
        let named = |value: Option<String>| value.map(|value| self.named(&value));
        Difference { before: named(difference.before), after: named(difference.after), ..difference }
    }
}

/// Which pages who reads may open.
#[derive(Clone, Copy)]
struct Sees {
    all: bool,
    values: bool,
    payloads: bool,
}

impl Sees {
    fn open(self, kind: Object) -> bool {
        match kind {
            Object::User => self.all,
            // whoever sees a tenant sees how its sources stand
            Object::Source => true,
            Object::Event | Object::FailureGroup | Object::Task => self.all || self.payloads,
            Object::Tenant | Object::EventType | Object::Token | Object::Integration | Object::Other => self.values,
        }
    }
}

/// The table of some entries, as far as `eyes` may see them.
pub fn table(frame: &Frame, caption: &str, entries: &[Entry], names: &Names, eyes: &Eyes) -> AnyView {
    let of_all = matches!(eyes, Eyes::Everything(_));
    let sees = Sees { all: of_all, values: eyes.see_values(), payloads: frame.open.contains(&Section::Events) };
    let mut columns = vec![Column::text("What"), Column::text("Who")];
    columns.extend(of_all.then(|| Column::text("Tenant")));
    columns.push(Column::text("When"));
    let rows = entries.iter().map(|entry| {
        let mut cells = vec![what(entry, names, sees, frame.zone()), who(entry, names)];
        cells.extend(of_all.then(|| whose(entry, names)));
        cells.push(ui::at(frame.moment(), entry.at));
        cells
    });
    view! { <DataTable caption=caption columns=columns rows=rows.collect()/> }.into_any()
}

/// The changes of one thing, on its own page: what it is called is known there.
pub fn history(frame: &Frame, caption: &str, entries: &[Entry], names: &Names) -> AnyView {
    let columns = vec![Column::text("What"), Column::text("Who"), Column::text("When")];
    let row = |entry: &Entry| {
        let what = view! { <div>{sentence(entry.words())}</div> {differences(entry, names, frame.zone())} };
        vec![what.into_any(), who(entry, names), ui::at(frame.moment(), entry.at)]
    };
    view! { <DataTable caption=caption columns=columns rows=entries.iter().map(row).collect()/> }.into_any()
}

/// Who, and from where. Whoever has no account is no e-mail address.
fn who(entry: &Entry, names: &Names) -> AnyView {
    let who = match entry.actor.strip_prefix("token ") {
        Some(id) => format!("the token {}", names.named(id)),
        None if entry.actor == "cli" => "command line".into(),
        None => entry.actor.clone(),
    };
    let from = entry.address.as_deref().map(|address| view! { <div>{ui::muted(format!("from {address}"))}</div> });
    view! { {who} {from} }.into_any()
}

fn what(entry: &Entry, names: &Names, sees: Sees, zone: ui::Zone) -> AnyView {
    let known = entry.object.as_ref().or_else(|| names.get(&entry.object_id)).cloned();
    let own = entry.kind() == Object::User && entry.actor_id.is_some_and(|id| id.to_string() == entry.object_id);
    // what has a page but no name is told by its id; who did something to themselves is told already
    let label = known.filter(|_| !own).or_else(|| entry.href().filter(|_| !own).map(|_| entry.object_id.clone()));
    let object = label.map(|label| match entry.href().filter(|_| sees.open(entry.kind())) {
        Some(href) => ui::link(href, label),
        None => ui::strong(label),
    });
    view! { <div>{sentence(entry.words())}" "{object}</div> {differences(entry, names, zone)} }.into_any()
}

fn differences(entry: &Entry, names: &Names, zone: ui::Zone) -> AnyView {
    let fields = entry.changes(zone).into_iter().map(|one| names.difference(one)).collect();
    view! { <Differences fields=fields new=entry.before.is_none()/> }.into_any()
}

fn whose(entry: &Entry, names: &Names) -> AnyView {
    match entry.tenant_id {
        None => ui::muted("the installation"),
        Some(id) => {
            let id = id.to_string();
            ui::text(names.get(&id).cloned().unwrap_or(id))
        }
    }
}

/// Begins with a capital.
pub(super) fn sentence(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}
