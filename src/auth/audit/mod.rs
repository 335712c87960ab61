//! The audit trail: who changed what, when and from where, with before and after. Written in the transaction of
//! the change itself, so neither exists without the other. This is its writing end; it is read in `crate::audit`.
pub mod words;

use chrono::TimeDelta;
use serde::Serialize;
use uuid::Uuid;

use super::Actor;
use crate::{
    clock::Clock,
    db::{Tx, lane::Trail},
    error::Result,
    ids::{self, EventId, TenantId, new_id},
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
    let now = clock.now();
    let id = after_those_of_its_moment(tx, new_id(clock)).await?;
    sql!(
        exec tx,
        "INSERT INTO audit (id, at, actor_id, actor, address, tenant_id, action, object_id, before, after, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        id,
        now,
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

/// An id of the same millisecond above those that the trail has of it: the order of ids is that of the changes. How far
/// above is left to chance, so that two who write at once do not meet.
async fn after_those_of_its_moment(tx: &mut Tx, id: Uuid) -> Result<Uuid> {
    let next = ids::floor(ids::moment(id) + TimeDelta::milliseconds(1));
    let last =
        sql!(opt(Uuid,), tx, "SELECT id FROM audit WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 1", id, next,)?;
    let chance = id.as_u128() & 0xFFFF_FFFF;
    Ok(last.filter(|(last,)| *last >= id).map_or(id, |(last,)| Uuid::from_u128(last.as_u128() + 1 + chance)))
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
