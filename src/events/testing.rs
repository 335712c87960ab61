//! Events for tests, brought in by the lane itself.
use bytes::Bytes;

use super::Verdict;
use crate::{
    auth::{Actor, Permit, ReadPayloads},
    clock::Clock,
    db::{
        Db,
        lane::{Append, Lane, Outcome, Row},
    },
    ids::{EventId, EventTypeId, ReceiptId, TenantId, TokenId},
};

/// A tenant with a lane to its database.
pub struct Bench {
    pub db: Db,
    pub clock: Clock,
    pub lane: Lane,
    pub tenant: TenantId,
}

/// One event to come: type, token, payload, and what is wrong with it.
pub type Given<'a> = (EventTypeId, Option<TokenId>, &'a str, Option<&'a str>);

impl Bench {
    pub fn new(db: &Db) -> Self {
        let clock = Clock::system();
        let lane = Lane::start(db, &clock);
        let tenant = TenantId::new(&clock);
        Self { db: db.clone(), clock, lane, tenant }
    }

    pub fn permit(&self) -> Permit<ReadPayloads> {
        Actor::cli().permit(self.tenant).unwrap()
    }

    /// Sends events of one token as one request, now.
    pub async fn send(&self, events: &[Given<'_>]) -> ReceiptId {
        self.send_as(self.tenant, ReceiptId::issue(&self.clock), events).await
    }

    /// The same, for another tenant or with another receipt.
    pub async fn send_as(&self, tenant: TenantId, receipt: ReceiptId, events: &[Given<'_>]) -> ReceiptId {
        let row = |(event_type, _, payload, errors): &Given| Row {
            event_type: *event_type,
            verdict: if errors.is_some() { Verdict::Quarantined } else { Verdict::Accepted },
            payload: Bytes::copy_from_slice(payload.as_bytes()),
            errors: errors.map(str::to_owned),
            unique: None,
            refuse: false,
        };
        let rows = events.iter().map(row).collect();
        let source = events.first().and_then(|(_, source, ..)| *source);
        let append = Append { tenant, receipt, source, rows, strict: false, once: None };
        assert!(matches!(self.lane.append(append).await.unwrap(), Outcome::Stored(_)));
        receipt
    }

    /// One event of a type.
    pub async fn one(&self, event_type: EventTypeId, payload: &str) -> EventId {
        self.send(&[(event_type, None, payload, None)]).await.event(0)
    }
}

pub fn some_type(n: u128) -> EventTypeId {
    EventTypeId(uuid::Uuid::from_u128(n + 1))
}

pub fn some_token(n: u128) -> TokenId {
    TokenId(uuid::Uuid::from_u128(n + 1))
}

pub const WRONG: &str = r#"[{"path":"/n","rule":"type","message":"expected a number, got a string"}]"#;
