//! The link by which somebody without an account follows one integration in the portal, and does what its customer is
//! asked for. What it costs, they do not see.
use chrono::{Duration, TimeDelta};

use crate::{
    auth::{Actor, Permit, RunIntakes, SeePortal},
    clock::Clock,
    db::Tx,
    error::{Error, Result},
    guests::{Became, Door, Offer, Opens, Place, Told, Wish, pages::DAYS},
    ids::IntegrationId,
    intake::{
        Stage,
        store::{Note, audit, lock, note},
    },
};

/// One integration in the portal, as a guest sees it.
#[derive(Debug, Clone, Copy)]
pub struct Following;

impl Place for Following {
    type Right = SeePortal;
    const OPENS: Opens = Opens::Portal;
    /// As long as the link says, and no longer.
    const STAYS: Option<Duration> = None;
    const DOOR: Door = Door {
        path: "/portal",
        inside: "/portal/integration",
        title: "How your integration stands",
        lead: "You were sent this link to see how far an integration of yours is, and to answer what you are asked for.",
        note: "The link can be opened once. Then you can come back with this browser, as long as the link is good.",
        button: "Show it",
        asks: "invites you to follow and help along",
    };

    async fn offer(tx: &mut Tx, clock: &Clock, permit: &Permit<RunIntakes>, wish: &Wish) -> Result<Offer> {
        let of = lock(tx, permit.tenant(), IntegrationId(wish.subject)).await?;
        if !may_be_followed(of.stage) {
            return Err(Error::Conflict(format!("there is nothing to follow: it stands at {}", of.stage.title())));
        }
        let (fewest, usual, most) = DAYS;
        let days = wish.days.unwrap_or(usual).clamp(fewest, most);
        Ok(Offer { name: of.details.name.to_string(), until: clock.now() + TimeDelta::days(days) })
    }

    async fn write_down(tx: &mut Tx, clock: &Clock, actor: &Actor, told: &Told) -> Result<()> {
        let of = lock(tx, told.tenant, IntegrationId(told.subject)).await?;
        let whom = &told.for_whom;
        let (action, what) = match told.became {
            Became::Made => ("portal.link", format!("made a link for {whom} to the portal")),
            Became::Opened => ("portal.open-link", "opened the link to the portal".to_owned()),
            Became::TakenBack => ("portal.revoke-link", format!("took back the link for {whom} to the portal")),
        };
        note(tx, clock, actor, (of.tenant_id, of.id), Note::of(what)).await?;
        audit::written(tx, clock, actor, &of, action, None, told.audited()).await
    }
}

/// Whether there is something to follow: it is on its way, or live.
pub fn may_be_followed(stage: Stage) -> bool {
    stage.is_open() || stage == Stage::Live
}
