//! Along which index a list of events is walked, and the texts that walk along it. Every text is fixed, and written so
//! that no planner takes another index: the plans of SQLite are tested, those of PostgreSQL as well.
use super::{Cursor, Filter, Source, Verdict};
use crate::ids::{EventId, EventTypeId, TokenId};

/// The index along which a filter is answered.
#[derive(Debug, Clone, Copy)]
pub(super) enum Along {
    All,
    Type(EventTypeId),
    Quarantined,
    Mended,
}

/// A half-open range of ids.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) low: EventId,
    pub(super) high: EventId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    Older,
    Newer,
}

/// The range of an index: `$1` tenant, `$2` and `$3` ids, `$4` type. Each is written so that no planner can take
/// another index for it: SQLite, when it knows no figures, prefers the primary key to the index of a type as long as
/// the type is compared by itself.
macro_rules! along {
    (all) => {
        "tenant_id = $1 AND id >= $2 AND id < $3"
    };
    (of_type) => {
        "tenant_id = $1 AND (event_type_id, id) >= ($4, $2) AND (event_type_id, id) < ($4, $3)"
    };
    (quarantined) => {
        "tenant_id = $1 AND id >= $2 AND id < $3 AND verdict = 'quarantined'"
    };
    (mended) => {
        "tenant_id = $1 AND id >= $2 AND id < $3 AND verdict = 'mended'"
    };
}

macro_rules! order {
    (all, $order:literal) => {
        concat!(" ORDER BY id ", $order)
    };
    (of_type, $order:literal) => {
        concat!(" ORDER BY event_type_id ", $order, ", id ", $order)
    };
    (quarantined, $order:literal) => {
        concat!(" ORDER BY id ", $order)
    };
    (mended, $order:literal) => {
        concat!(" ORDER BY id ", $order)
    };
}

/// The range, and what its index does not know: `$5` token, `$6` verdict (or that it is accepted with a warning), `$7`
/// the id that stands for no token.
macro_rules! wherever {
    ($along:ident) => {
        concat!(
            " FROM events WHERE ",
            along!($along),
            " AND event_type_id = COALESCE($4, event_type_id)
              AND (verdict = COALESCE($6, verdict) OR ($6 = 'warned' AND verdict = 'accepted' AND errors IS NOT NULL))
              AND ($5 IS NULL OR COALESCE(source_id, $7) = $5)"
        )
    };
}

/// `$8` characters of a payload, `$9` rows. Without the questions that the index cannot answer when none is asked:
/// PostgreSQL would think them choosy, and gather the whole range to sort it.
macro_rules! listed {
    (exact $along:ident, $order:literal) => {
        listed!(concat!(" FROM events WHERE ", along!($along)), order!($along, $order))
    };
    (sifted $along:ident, $order:literal) => {
        listed!(wherever!($along), order!($along, $order))
    };
    ($from:expr, $order:expr) => {
        concat!(
            "SELECT id, event_type_id, source_id, verdict, substr(payload, 1, $8) AS payload, errors",
            $from,
            $order,
            " LIMIT $9"
        )
    };
}

/// Ids alone: `$5` of them, after `$6` others.
macro_rules! ids {
    ($along:ident, $order:literal) => {
        concat!("SELECT id FROM events WHERE ", along!($along), order!($along, $order), " LIMIT $5 OFFSET $6")
    };
}

macro_rules! all_but_broken {
    ($along:ident) => {
        concat!(
            "SELECT (SELECT COUNT(*) FROM events WHERE ",
            along!($along),
            ") - (SELECT COUNT(*) FROM events WHERE ",
            along!(quarantined),
            " AND event_type_id = COALESCE($4, event_type_id)) - (SELECT COUNT(*) FROM events WHERE ",
            along!(mended),
            " AND event_type_id = COALESCE($4, event_type_id))"
        )
    };
}

impl Along {
    /// What a field holds, no index of events knows: see [`super::fields`].
    pub(super) fn of(filter: &Filter) -> Self {
        match (filter.verdict, filter.event_type) {
            (Some(Verdict::Quarantined), _) => Self::Quarantined,
            (Some(Verdict::Mended), _) => Self::Mended,
            (_, Some(event_type)) => Self::Type(event_type),
            _ => Self::All,
        }
    }

    /// Whether its index knows everything that the filter asks.
    pub(super) fn knows(self, filter: &Filter) -> bool {
        filter.source.is_none()
            && filter.field.is_none()
            && match self {
                Self::All | Self::Type(_) => filter.verdict.is_none(),
                Self::Quarantined | Self::Mended => filter.event_type.is_none(),
            }
    }

    /// `exact`: the index alone can tell.
    pub(super) const fn list(self, towards: Towards, exact: bool) -> &'static str {
        match (self, towards, exact) {
            (Self::All, Towards::Older, true) => listed!(exact all, "DESC"),
            (Self::All, Towards::Newer, true) => listed!(exact all, "ASC"),
            (Self::Type(_), Towards::Older, true) => listed!(exact of_type, "DESC"),
            (Self::Type(_), Towards::Newer, true) => listed!(exact of_type, "ASC"),
            (Self::Quarantined, Towards::Older, true) => listed!(exact quarantined, "DESC"),
            (Self::Mended, Towards::Older, true) => listed!(exact mended, "DESC"),
            (Self::Quarantined, Towards::Newer, true) => listed!(exact quarantined, "ASC"),
            (Self::Mended, Towards::Newer, true) => listed!(exact mended, "ASC"),
            (Self::All, Towards::Older, false) => listed!(sifted all, "DESC"),
            (Self::All, Towards::Newer, false) => listed!(sifted all, "ASC"),
            (Self::Type(_), Towards::Older, false) => listed!(sifted of_type, "DESC"),
            (Self::Type(_), Towards::Newer, false) => listed!(sifted of_type, "ASC"),
            (Self::Quarantined, Towards::Older, false) => listed!(sifted quarantined, "DESC"),
            (Self::Mended, Towards::Older, false) => listed!(sifted mended, "DESC"),
            (Self::Quarantined, Towards::Newer, false) => listed!(sifted quarantined, "ASC"),
            (Self::Mended, Towards::Newer, false) => listed!(sifted mended, "ASC"),
        }
    }

    pub(super) const fn ids(self, towards: Towards) -> &'static str {
        match (self, towards) {
            (Self::All, Towards::Older) => ids!(all, "DESC"),
            (Self::All, Towards::Newer) => ids!(all, "ASC"),
            (Self::Type(_), Towards::Older) => ids!(of_type, "DESC"),
            (Self::Type(_), Towards::Newer) => ids!(of_type, "ASC"),
            (Self::Quarantined, Towards::Older) => ids!(quarantined, "DESC"),
            (Self::Mended, Towards::Older) => ids!(mended, "DESC"),
            (Self::Quarantined, Towards::Newer) => ids!(quarantined, "ASC"),
            (Self::Mended, Towards::Newer) => ids!(mended, "ASC"),
        }
    }

    /// `exact`: the index alone can tell.
    pub(super) const fn count(self, exact: bool) -> &'static str {
        match (self, exact) {
            (Self::All, true) => concat!("SELECT COUNT(*) FROM events WHERE ", along!(all)),
            (Self::Type(_), true) => concat!("SELECT COUNT(*) FROM events WHERE ", along!(of_type)),
            (Self::Quarantined, true) => concat!("SELECT COUNT(*) FROM events WHERE ", along!(quarantined)),
            (Self::Mended, true) => concat!("SELECT COUNT(*) FROM events WHERE ", along!(mended)),
            (Self::All, false) => concat!("SELECT COUNT(*)", wherever!(all)),
            (Self::Type(_), false) => concat!("SELECT COUNT(*)", wherever!(of_type)),
            (Self::Quarantined, false) => concat!("SELECT COUNT(*)", wherever!(quarantined)),
            (Self::Mended, false) => concat!("SELECT COUNT(*)", wherever!(mended)),
        }
    }

    /// Counts what [`Along::ids`] lists.
    pub(super) const fn count_up_to(self) -> &'static str {
        match self {
            Self::All => concat!("SELECT COUNT(*) FROM (", ids!(all, "DESC"), ") AS ids"),
            Self::Type(_) => concat!("SELECT COUNT(*) FROM (", ids!(of_type, "DESC"), ") AS ids"),
            Self::Quarantined => concat!("SELECT COUNT(*) FROM (", ids!(quarantined, "DESC"), ") AS ids"),
            Self::Mended => concat!("SELECT COUNT(*) FROM (", ids!(mended, "DESC"), ") AS ids"),
        }
    }

    pub(super) const fn count_accepted(self) -> &'static str {
        match self {
            Self::Type(_) => all_but_broken!(of_type),
            Self::All | Self::Quarantined | Self::Mended => all_but_broken!(all),
        }
    }
}

impl Range {
    /// The ids that the filter's times and receipt allow.
    pub(super) fn of(filter: &Filter) -> Self {
        let mut range = Self { low: EventId(uuid::Uuid::nil()), high: EventId::MAX };
        if let Some(receipt) = filter.receipt {
            range = Self { low: EventId(receipt.0), high: next(receipt.last_event()) };
        }
        if let Some(from) = filter.from {
            range.low = range.low.max(EventId::floor(from));
        }
        if let Some(until) = filter.until {
            range.high = range.high.min(EventId::floor(until));
        }
        range
    }

    /// What is left of it beyond the cursor, and in which direction it is walked from there.
    pub(super) fn cut(&mut self, cursor: Cursor) -> Towards {
        match cursor {
            Cursor::Newest => Towards::Older,
            Cursor::Before(id) => {
                self.high = self.high.min(id);
                Towards::Older
            }
            Cursor::After(id) => {
                self.low = self.low.max(next(id));
                Towards::Newer
            }
        }
    }

    /// What is left of it beyond this event.
    pub(super) fn beyond(&mut self, id: EventId, towards: Towards) {
        match towards {
            Towards::Older => self.high = self.high.min(id),
            Towards::Newer => self.low = self.low.max(next(id)),
        }
    }
}

pub(super) fn next(id: EventId) -> EventId {
    id.next()
}

pub(super) fn previous(id: EventId) -> EventId {
    EventId(uuid::Uuid::from_u128(id.0.as_u128().saturating_sub(1)))
}

pub(super) fn source(filter: &Filter) -> Option<TokenId> {
    filter.source.map(|source| match source {
        Source::Token(id) => id,
        Source::Anonymous => TokenId(uuid::Uuid::nil()),
    })
}
