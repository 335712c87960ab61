//! The link by which a customer sees and answers a version of a quotation without an account.
use chrono::Duration;

use super::{lock, must_be_quoted};
use crate::{
    auth::{Actor, AnswerQuotations, Permit, RunIntakes},
    clock::Clock,
    db::Tx,
    error::{Error, Result},
    guests::{Became, Door, Offer, Opens, Place, Told, Wish},
    ids::QuotationId,
    intake::{
        quotation::Act,
        store::{Note, audit, note},
    },
};

/// How long somebody who has opened a link can come back.
const STAYS: Duration = Duration::seconds(30 * 24 * 3600);

/// One version of a quotation, as a guest sees and answers it.
#[derive(Debug, Clone, Copy)]
pub struct Offering;

impl Place for Offering {
    type Right = AnswerQuotations;
    const OPENS: Opens = Opens::Quotation;
    const STAYS: Option<Duration> = Some(STAYS);
    const DOOR: Door = Door {
        path: "/quotation",
        inside: "/quotation/offer",
        title: "A quotation for you",
        lead: "You were sent this link to look at a quotation, and to accept or decline it.",
        note: "The link can be used once. Then you can come back with this browser for 30 days.",
        button: "Show the quotation",
        asks: "sends you a quotation for",
    };

    fn may(permit: &Permit<RunIntakes>) -> Result<()> {
        if Act::Send.may(permit.actor().role) { Ok(()) } else { Err(Error::Forbidden(Act::Send.verb())) }
    }

    /// It can be opened as long as the quotation is valid.
    async fn offer(tx: &mut Tx, clock: &Clock, permit: &Permit<RunIntakes>, wish: &Wish) -> Result<Offer> {
        let (of, integration) = lock(tx, permit.tenant(), QuotationId(wish.subject)).await?;
        let now = clock.now();
        must_be_quoted(&integration, of.adds_to)?;
        if !of.standing(now).is_offered() {
            return Err(Error::Conflict("a link is for what the customer can still answer: send a version".into()));
        }
        let end = of.content.valid_until.succ_opt().and_then(|day| day.and_hms_opt(0, 0, 0));
        let until = end.map_or(now + STAYS, |end| end.and_utc());
        Ok(Offer { name: integration.details.name.to_string(), until })
    }

    async fn write_down(tx: &mut Tx, clock: &Clock, actor: &Actor, told: &Told) -> Result<()> {
        let (of, integration) = lock(tx, told.tenant, QuotationId(told.subject)).await?;
        let (whom, version) = (&told.for_whom, of.told());
        let (action, what) = match told.became {
            Became::Made => ("quotation.link", format!("made a link for {whom} to answer {version}")),
            Became::Opened => ("quotation.open-link", format!("opened the link to answer {version}")),
            Became::TakenBack => {
                ("quotation.revoke-link", format!("took back the link for {whom} to answer {version}"))
            }
        };
        note(tx, clock, actor, (of.tenant_id, of.integration_id), Note::of(what)).await?;
        let mut after = told.audited();
        after["version"] = of.number.into();
        audit::written(tx, clock, actor, &integration, action, None, after).await
    }
}
