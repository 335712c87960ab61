//! Tenants: the customers of the platform. A tenant owns everything that carries its id.
mod frame;
mod origin;
mod pages;
pub mod retention;
pub mod store;
#[cfg(test)]
pub mod testing;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::{ids::TenantId, name::Name};
pub use frame::frame;
pub use origin::Origin;
pub use pages::{routes, state};
pub use retention::Retention;
pub use store::{all, create, get, list, rename, set_cors_origins, set_enabled};

/// The one tenant that is a demo: its people and events are invented, and it may be removed whole. No other can have
/// this id.
pub const DEMO: TenantId = TenantId(uuid::Uuid::from_u128(0x4000_8000_0000_0000_de30));

/// One customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// What it is called.
    pub name: Name,
    /// Whether the front door accepts its events.
    pub enabled: bool,
    /// The web pages that may post events from a browser.
    pub cors_origins: Vec<Origin>,
    /// When it was created here.
    pub created_at: DateTime<Utc>,
}
