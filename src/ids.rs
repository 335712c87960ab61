//! Identifiers. All are UUIDs; those made here are of version 7 and sort by time.
//!
//! An event's id is its receipt's id plus its place in the request: the last sixteen bits of a receipt's id are
//! zero, and its events count up from one. So an event names its receipt, a receipt finds its events as a range of
//! the primary key, and neither needs a column or an index for it.
use std::{fmt, str::FromStr};

use chrono::{DateTime, SubsecRound, Utc};
use rand::Rng;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{clock::Clock, error::Error};

/// A new identifier, of the time that `clock` tells.
pub fn new_id(clock: &Clock) -> Uuid {
    let mut random = [0; 10];
    rand::rng().fill_bytes(&mut random);
    let millis = u64::try_from(clock.now().timestamp_millis()).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
}

/// The moment that an identifier of version 7 was made, to the millisecond.
pub fn moment(id: Uuid) -> DateTime<Utc> {
    let millis = i64::try_from(id.as_u128() >> 80).unwrap_or(0);
    DateTime::from_timestamp_millis(millis).unwrap_or_default()
}

/// The smallest identifier of version 7 that can have been made at `moment` or later.
pub fn floor(moment: DateTime<Utc>) -> Uuid {
    let millis = u128::try_from(moment.trunc_subsecs(3).timestamp_millis()).unwrap_or(0);
    Uuid::from_u128(millis << 80)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Default, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type,
        )]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new one.
            pub fn new(clock: &Clock) -> Self {
                Self(new_id(clock))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            /// Reads a GUID with hyphens, in either case.
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                guid(text).map(Self)
            }
        }
    };
}

/// Reads a GUID as the wire writes it: 8-4-4-4-12 hexadecimal digits, in either case, and nothing else.
///
/// # Errors
/// When it is none.
pub fn guid(text: &str) -> Result<Uuid, uuid::Error> {
    // `Uuid::parse_str` takes braces, URNs and bare digits too
    let hyphened = text.len() == 36;
    Uuid::parse_str(if hyphened { text } else { "" })
}

/// The GUID that the address of a page holds, of a `link`, a `task` or whatever `what` is.
///
/// # Errors
/// [`Error::NotFound`] when it is none.
pub fn named(text: &str, what: &'static str) -> Result<Uuid, Error> {
    guid(text).map_err(|_| Error::NotFound(what))
}

id!(/// A tenant.
    TenantId);
id!(/// An event type.
    EventTypeId);
id!(/// A token.
    TokenId);
id!(/// An account of a person.
    UserId);
id!(/// What one ingest request became. Its last sixteen bits are zero.
    ReceiptId);
id!(/// A group of failures: it follows from what they have in common.
    FailureGroupId);
id!(/// A request: its answer carries it, the log names it, and so does the trail of what it changed.
    RequestId);
id!(/// An event: its receipt's id plus its place in the request, counted from one.
    EventId);
id!(/// A background task.
    TaskId);
id!(/// A polling source: an external system that is asked on an interval.
    SourceId);
id!(/// A window of a polling source: a span of time that is asked for.
    WindowId);
id!(/// Somebody or something that is told of alerts.
    ChannelId);
id!(/// Something amiss, from its beginning to its end.
    AlertId);
id!(/// What a channel is told, once.
    NoticeId);
id!(/// One need of a customer, met by one external system.
    IntegrationId);
id!(/// One version of a quotation.
    QuotationId);

/// The most events that one receipt can number.
pub const EVENTS_OF_A_RECEIPT: usize = 0xFFFE;

impl ReceiptId {
    /// A new receipt of the time that `clock` tells.
    pub fn issue(clock: &Clock) -> Self {
        Self(Uuid::from_u128(new_id(clock).as_u128() & !0xFFFF))
    }

    /// The id of the event at `index` (from 0) of the request.
    pub fn event(self, index: usize) -> EventId {
        EventId(Uuid::from_u128(self.0.as_u128() | (index as u128 + 1)))
    }

    /// The last id that an event of this receipt can have.
    pub fn last_event(self) -> EventId {
        EventId(Uuid::from_u128(self.0.as_u128() | 0xFFFF))
    }

    /// When the request was received.
    pub fn received_at(self) -> DateTime<Utc> {
        moment(self.0)
    }

    /// Whether this can be a receipt at all.
    pub fn is_receipt(self) -> bool {
        self.0.as_u128().trailing_zeros() >= 16
    }
}

impl EventId {
    /// The receipt that this event belongs to.
    pub fn receipt(self) -> ReceiptId {
        ReceiptId(Uuid::from_u128(self.0.as_u128() & !0xFFFF))
    }

    /// Its place in the request, from 0.
    pub fn index(self) -> usize {
        ((self.0.as_u128() & 0xFFFF) as usize).saturating_sub(1)
    }

    /// When it was received.
    pub fn received_at(self) -> DateTime<Utc> {
        moment(self.0)
    }

    /// The smallest id of an event received at `moment` or later.
    pub fn floor(moment: DateTime<Utc>) -> Self {
        Self(floor(moment))
    }

    /// The id right above.
    #[must_use]
    pub fn next(self) -> Self {
        Self(Uuid::from_u128(self.0.as_u128().saturating_add(1)))
    }

    /// Greater than every id: where "newest first" begins.
    pub const MAX: Self = Self(Uuid::max());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_event_names_its_receipt_and_place(index in 0..EVENTS_OF_A_RECEIPT) {
            let receipt = ReceiptId::issue(&Clock::system());
            let event = receipt.event(index);
            prop_assert_eq!(event.receipt(), receipt);
            prop_assert_eq!(event.index(), index);
            prop_assert!(event.0 > receipt.0 && event <= receipt.last_event());
            prop_assert_eq!(event.received_at(), receipt.received_at());
            prop_assert!(EventId::floor(event.received_at()) <= event);
        }
    }

    #[test]
    fn only_the_form_of_the_wire_is_a_guid() {
        assert!(guid("0198C0DE-0000-7000-8000-000000000001").is_ok());
        for bad in ["", "0198c0de00007000800000000000000a", "{0198c0de-0000-7000-8000-000000000001}", "x"] {
            assert!(guid(bad).is_err(), "{bad}");
        }
    }
}
