//! The link by which a customer answers an intake without an account.
use chrono::Duration;

use super::{Note, audit, lock, note};
use crate::{
    auth::{Actor, AnswerIntakes, Permit, RunIntakes},
    clock::Clock,
    db::Tx,
    error::{Error, Result},
    guests::{Became, Door, Offer, Opens, Place, Told, Wish},
    ids::IntegrationId,
};

/// How long a link waits to be opened.
const LIFETIME: Duration = Duration::seconds(14 * 24 * 3600);

/// The questions of one intake, as a guest answers them.
#[derive(Debug, Clone, Copy)]
pub struct Answering;

impl Place for Answering {
    type Right = AnswerIntakes;
    const OPENS: Opens = Opens::Intake;
    const STAYS: Option<Duration> = Some(Duration::seconds(30 * 24 * 3600));
    const DOOR: Door = Door {
        path: "/answer",
        inside: "/answer/intake",
        title: "Questions about your integration",
        lead: "You were sent this link to answer some questions about a system of yours.",
        note: "It takes about twenty minutes. Every part is saved by itself, so you can stop and come back with this browser for 30 days.",
        button: "Begin",
        asks: "asks you to answer some questions about",
    };

    async fn offer(tx: &mut Tx, clock: &Clock, permit: &Permit<RunIntakes>, wish: &Wish) -> Result<Offer> {
        let of = lock(tx, permit.tenant(), IntegrationId(wish.subject)).await?;
        if !of.stage.is_open() {
            return Err(Error::Conflict(format!("the intake is over: it stands at {}", of.stage.title())));
        }
        Ok(Offer { name: of.details.name.to_string(), until: clock.now() + LIFETIME })
    }

    async fn write_down(tx: &mut Tx, clock: &Clock, actor: &Actor, told: &Told) -> Result<()> {
        let of = lock(tx, told.tenant, IntegrationId(told.subject)).await?;
        let whom = &told.for_whom;
        let (action, what) = match told.became {
            Became::Made => ("intake.link", format!("made a link for {whom} to answer the intake")),
            Became::Opened => ("intake.open-link", "opened the link to answer the intake".to_owned()),
            Became::TakenBack => ("intake.revoke-link", format!("took back the link for {whom}")),
        };
        note(tx, clock, actor, (of.tenant_id, of.id), Note::of(what)).await?;
        audit::written(tx, clock, actor, &of, action, None, told.audited()).await
    }
}
