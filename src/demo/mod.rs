//! A demo: one tenant with invented people and three weeks of plausible history, to look around in and to take
//! pictures of. It is filled by the same lane and judged by the same contracts as everything else, it says on every
//! page what it is, and it goes in one act, since it has an id of its own that no other tenant can have.
mod erase;
mod fill;
mod integrations;
mod kinds;
mod pages;
mod payloads;
mod rhythm;
pub mod send;

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::{
    auth::{Permit, ReadPayloads},
    db::Db,
    error::Result,
    events::follower,
    failures,
};
pub use erase::{Erased, Impact, erase, impact};
pub use fill::{Filled, fill};
pub use kinds::Sender;
pub use pages::routes;

pub use crate::tenants::DEMO as TENANT;

/// What it is called.
pub const NAME: &str = "Harbour Theatre (demo)";

/// How far back its history goes, in days.
pub const DAYS: i64 = 21;

/// Waits until all that was committed by `until` is counted and grouped, by this process or by a server that runs
/// beside it.
async fn settle(db: &Db, read: &Permit<ReadPayloads>, until: DateTime<Utc>) -> Result<()> {
    loop {
        follower::step(db).await?;
        failures::follow::step(db).await?;
        let counted = follower::oldest(db).await?.is_none_or(|oldest| oldest > until);
        if counted && !failures::store::is_behind(db, read).await? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[cfg(test)]
mod tests;
