//! The systems that send to the demo, and the contracts they keep, or break.
use serde_json::Value;

use super::payloads::{Fault, World};
use crate::event_types::{Contract, Details, SearchableFields, UniqueFields};

/// A system that sends events of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Sender {
    /// The customers' records.
    Crm,
    /// The web shop.
    Shop,
    /// The gates at the doors.
    Gates,
    /// The bookkeeping.
    Erp,
}

impl Sender {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Crm, Self::Shop, Self::Gates, Self::Erp];

    /// Those that send while somebody watches; the bookkeeping has fallen silent.
    pub const LIVE: [Self; 3] = [Self::Crm, Self::Shop, Self::Gates];

    /// What its token is called.
    pub fn token_name(self) -> &'static str {
        match self {
            Self::Crm => "CRM",
            Self::Shop => "Web shop",
            Self::Gates => "Ticket gates",
            Self::Erp => "Bookkeeping",
        }
    }

    /// What the type of its events is called.
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Crm => "Contact updated",
            Self::Shop => "Order placed",
            Self::Gates => "Ticket scanned",
            Self::Erp => "Invoice paid",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Crm => "The CRM sends a contact whenever somebody changes it.",
            Self::Shop => "The web shop sends an order once it is paid.",
            Self::Gates => "The gates send a ticket when its visitor walks in.",
            Self::Erp => "The bookkeeping sends at night what was paid the day before.",
        }
    }

    fn unique(self) -> &'static [&'static str] {
        match self {
            Self::Crm => &["Contact ID", "Updated At"],
            Self::Shop => &["Order Number"],
            Self::Gates => &["Ticket Number"],
            Self::Erp => &["Invoice Number"],
        }
    }

    /// What its events are asked for by, so that finding by a field can be tried.
    fn searchable(self) -> &'static [&'static str] {
        match self {
            Self::Crm => &["Email Address"],
            Self::Shop => &["Email Address", "Order Number"],
            Self::Gates => &["Ticket Number"],
            Self::Erp => &["Invoice Number"],
        }
    }

    /// The texts of its contract, the oldest first.
    pub(super) fn contracts(self) -> &'static [&'static str] {
        match self {
            Self::Crm => &[include_str!("contracts/contact-updated.json")],
            Self::Shop => {
                &[include_str!("contracts/order-placed-1.json"), include_str!("contracts/order-placed-2.json")]
            }
            Self::Gates => &[include_str!("contracts/ticket-scanned.json")],
            Self::Erp => &[include_str!("contracts/invoice-paid.json")],
        }
    }

    /// Its type, with the oldest contract.
    pub(super) fn details(self) -> anyhow::Result<Details> {
        let wrong = |why: String| anyhow::anyhow!("the demo's {}: {why}", self.type_name());
        Ok(Details {
            description: self.description().to_owned(),
            contract: Contract::parse(self.contracts()[0]).map_err(|error| wrong(error.to_string()))?,
            unique_fields: UniqueFields::parse(self.unique()).map_err(wrong)?,
            searchable_fields: SearchableFields::parse(self.searchable()).map_err(wrong)?,
            ..Details::named(self.type_name().parse().map_err(|_| wrong("no name".into()))?)
        })
    }

    /// One event that happened at this moment.
    pub(super) fn event(self, world: &mut World, at: chrono::DateTime<chrono::Utc>, fault: Option<Fault>) -> Value {
        match self {
            Self::Crm => world.contact(at, fault),
            Self::Shop => world.order(at, fault),
            Self::Gates => world.scan(at, fault),
            Self::Erp => world.invoice(at),
        }
    }
}
