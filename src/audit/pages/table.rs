//! Entries of the trail as rows: when, who, what with what became different, and from where.
use std::collections::HashMap;

use leptos::prelude::*;

use crate::{
    app::App,
    audit::{Entry, Eyes},
    auth::{Permit, ReadConfiguration},
    error::Result,
    event_types,
    ids::TenantId,
    tokens,
    ui::{self, Column, DataTable, Difference, Differences, Frame},
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

    /// Those of tenants.
    pub(super) fn of_tenants(tenants: impl IntoIterator<Item = (TenantId, String)>) -> Self {
        Self(tenants.into_iter().map(|(id, name)| (id.to_string(), name)).collect())
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

/// The table of some entries, as far as `eyes` may see them.
pub fn table(frame: &Frame, caption: &str, entries: &[Entry], names: &Names, eyes: &Eyes) -> AnyView {
    let of_all = matches!(eyes, Eyes::Everything(_));
    let mut columns = vec![Column::text("What"), Column::text("Who")];
    columns.extend(of_all.then(|| Column::text("Tenant")));
    columns.push(Column::text("When"));
    let rows = entries.iter().map(|entry| {
        let mut cells = vec![what(entry, names, eyes.see_values()), who(entry, names)];
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
        let what = view! { <div>{sentence(entry.words())}</div> {differences(entry, names)} };
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

fn what(entry: &Entry, names: &Names, whole: bool) -> AnyView {
    // what has a page but no name is told by its id
    let label = entry.object.clone().or_else(|| entry.href().map(|_| entry.object_id.clone()));
    let object = label.map(|label| match entry.href().filter(|_| whole) {
        Some(href) => ui::link(href, label),
        None => ui::strong(label),
    });
    view! { <div>{sentence(entry.words())}" "{object}</div> {differences(entry, names)} }.into_any()
}

fn differences(entry: &Entry, names: &Names) -> AnyView {
    let fields = entry.changes().into_iter().map(|one| names.difference(one)).collect();
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
