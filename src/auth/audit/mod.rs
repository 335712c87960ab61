//! The audit trail: who changed what, when and from where, with before and after. Written in the transaction of
//! the change itself, so neither exists without the other. This is its writing end; it is read in `crate::audit`.
pub mod words;

use serde::Serialize;

use super::Actor;
use crate::{
    clock::Clock,
    db::{Tx, lane::Trail},
    error::Result,
    ids::{EventId, TenantId, new_id},
    sql,
};

/// One change to be written down.
pub struct Entry<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// Of which tenant; none for what concerns the installation.
    pub tenant: Option<TenantId>,
    /// What, as `object.verb`: `token.revoke`.
    pub action: &'static str,
    /// The id of what was changed.
    pub object: String,
    /// How it was; never with a secret in it.
    pub before: Option<serde_json::Value>,
    /// How it is now; never with a secret in it.
    pub after: Option<serde_json::Value>,
}

/// Writes one change down.
///
/// # Errors
/// When the database does.
pub async fn record(tx: &mut Tx, clock: &Clock, entry: Entry<'_>) -> Result<()> {
    debug_assert!(words::of(entry.action).is_some(), "{} has no words: see auth/audit/words.rs", entry.action);
    sql!(
        exec tx,
        "INSERT INTO audit (id, at, actor_id, actor, address, tenant_id, action, object_id, before, after, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        new_id(clock),
        clock.now(),
        entry.actor.user,
        &entry.actor.name,
        entry.actor.address.map(|address| address.to_string()),
        entry.tenant,
        entry.action,
        &entry.object,
        entry.before.as_ref().map(ToString::to_string),
        entry.after.as_ref().map(ToString::to_string),
        entry.actor.request,
    )?;
    Ok(())
}

/// An entry about an event, for the write lane to write in the transaction that changes the event.
pub fn of_event<const N: usize>(
    clock: &Clock,
    actor: &Actor,
    action: &'static str,
    event: EventId,
    after: [(&str, serde_json::Value); N],
) -> Trail {
    debug_assert!(words::of(action).is_some(), "{action} has no words: see auth/audit/words.rs");
    Trail {
        id: new_id(clock),
        at: clock.now(),
        actor_id: actor.user,
        actor: actor.name.clone(),
        address: actor.address.map(|address| address.to_string()),
        request: actor.request,
        action,
        object: event.to_string(),
        after: after.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
    }
}

/// What the front door keeps in memory has changed: every process reads it again within a second.
///
/// # Errors
/// When the database does.
pub async fn configuration_changed(tx: &mut Tx) -> Result<()> {
    sql!(exec tx, "UPDATE configuration SET version = version + 1 WHERE id = 1")?;
    Ok(())
}

/// A value as the trail keeps it.
pub fn snapshot(value: &impl Serialize) -> Option<serde_json::Value> {
    serde_json::to_value(value).ok()
}
