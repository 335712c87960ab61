//! The audit trail, as it is read: who changed what, when and from where, with before and after. It is written by
//! `auth::audit`, in the transaction of each change, and never changed: the database refuses that itself.
//!
//! Administrators read all of it. Whoever reads the configuration of a tenant reads its trail whole; everybody else
//! who sees the tenant, its customers first of all, is told who did what and when, without addresses and values.
mod changes;
mod filter;
mod pages;
pub mod store;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::audit::words::{self, Object},
    failures,
    ids::{self, FailureGroupId, RequestId, TaskId, TenantId, UserId},
    jobs,
    ui::{Difference, Zone},
};
pub use changes::changes;
pub use filter::{Asked, Cursor, Filter};
pub use pages::{Names, history, routes};
pub use store::Eyes;

/// One change that somebody made.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Entry {
    /// Its id, which holds its moment.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// The account; the command line and tokens have none.
    pub actor_id: Option<UserId>,
    /// Who.
    pub actor: String,
    /// From where; none when who reads is not told.
    pub address: Option<String>,
    /// Of which tenant; none for what concerns the installation.
    pub tenant_id: Option<TenantId>,
    /// What, as `object.verb`.
    pub action: String,
    /// To what.
    pub object_id: String,
    /// How it was, as JSON; none when who reads is not told.
    pub before: Option<String>,
    /// How it is since, as JSON.
    pub after: Option<String>,
    /// By which request.
    pub request_id: Option<RequestId>,
    /// What it was done to, by name.
    #[sqlx(skip)]
    pub object: Option<String>,
}

impl Entry {
    /// What was done, as a sentence goes on after the name of who did it: `revoked the token`.
    pub fn words(&self) -> &str {
        words::of(&self.action).map_or(self.action.as_str(), |words| words.words)
    }

    /// What kind of thing it was done to.
    pub fn kind(&self) -> Object {
        words::of(&self.action).map_or(Object::Other, |words| words.object)
    }

    /// Where what it was done to is found, if it has a page.
    pub fn href(&self) -> Option<String> {
        if self.kind() == Object::User {
            return Some(format!("/people/{}", self.object_id));
        }
        let tenant = self.tenant_id?;
        match self.kind() {
            Object::Tenant => Some(format!("/tenants/{tenant}")),
            Object::EventType => Some(format!("/tenants/{tenant}/event-types/{}", self.object_id)),
            Object::Token => Some(format!("/tenants/{tenant}/tokens/{}", self.object_id)),
            Object::Source => Some(format!("/tenants/{tenant}/sources/{}", self.object_id)),
            Object::Event => Some(format!("/tenants/{tenant}/events/{}", self.object_id)),
            Object::FailureGroup => Some(failures::href(tenant, FailureGroupId(ids::guid(&self.object_id).ok()?))),
            Object::Task => Some(jobs::href(tenant, TaskId(ids::guid(&self.object_id).ok()?))),
            Object::Integration => Some(format!("/tenants/{tenant}/integrations/{}", self.object_id)),
            Object::User | Object::Other => None,
        }
    }

    /// What became different.
    pub fn changes(&self, zone: Zone) -> Vec<Difference> {
        changes(self.before.as_deref(), self.after.as_deref(), zone)
    }

    /// As a line of an export.
    pub fn line(&self) -> Line<'_> {
        let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Line {
            id: self.id,
            at: self.at,
            actor: &self.actor,
            actor_id: self.actor_id,
            address: self.address.as_deref(),
            tenant_id: self.tenant_id,
            action: &self.action,
            words: self.words(),
            object_id: &self.object_id,
            object: self.object.as_deref(),
            before: json(&self.before),
            after: json(&self.after),
            request_id: self.request_id,
        }
    }
}

/// An entry as programs read it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Line<'a> {
    id: Uuid,
    at: DateTime<Utc>,
    actor: &'a str,
    actor_id: Option<UserId>,
    address: Option<&'a str>,
    tenant_id: Option<TenantId>,
    action: &'a str,
    words: &'a str,
    object_id: &'a str,
    object: Option<&'a str>,
    before: Option<serde_json::Value>,
    after: Option<serde_json::Value>,
    request_id: Option<RequestId>,
}
