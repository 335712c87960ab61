//! Guests: who comes without an account, by a link that one of us made for them. Its secret is kept as a digest;
//! following it shows a button, and only that uses it up and begins a session that is good for one thing alone.
//! Whatever is the matter with a link that does not work, nobody is told.
//!
//! A slice that lets guests in says what they are let into ([`Place`]); everything else about links is here, once.
pub mod gate;
pub mod pages;
pub mod store;

use std::{future::Future, marker::PhantomData};

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    auth::{Actor, Permit, Right, RunIntakes},
    clock::Clock,
    db::Tx,
    error::Result,
    mail,
};

/// What a link opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, sqlx::Type)]
#[serde(rename_all = "kebab-case")]
#[sqlx(type_name = "TEXT", rename_all = "kebab-case")]
pub enum Opens {
    /// The questions of an intake.
    Intake,
    /// A version of a quotation.
    Quotation,
    /// One integration as its customer sees it.
    Portal,
}

/// A place that guests are let into.
pub trait Place: Send + Sync + 'static {
    /// What a guest may do there; nothing else is open to them.
    type Right: Right;
    /// What its links open.
    const OPENS: Opens;
    /// What its door says.
    const DOOR: Door;
    /// How long somebody who has opened a link can come back; none: as long as the link says.
    const STAYS: Option<Duration>;

    /// Whether somebody may make and take back links, besides running intakes.
    ///
    /// # Errors
    /// [`crate::error::Error::Forbidden`] when not.
    fn may(_permit: &Permit<RunIntakes>) -> Result<()> {
        Ok(())
    }

    /// Locks what a link is to open, and says whether one can be made.
    ///
    /// # Errors
    /// [`crate::error::Error::Conflict`] when nobody is let in now; [`crate::error::Error::NotFound`] when the tenant has
    /// none such; when the database fails.
    fn offer(
        tx: &mut Tx,
        clock: &Clock,
        permit: &Permit<RunIntakes>,
        wish: &Wish,
    ) -> impl Future<Output = Result<Offer>> + Send;

    /// Writes down what became of a link: on the timeline, and in the audit trail.
    ///
    /// # Errors
    /// When the database fails.
    fn write_down(tx: &mut Tx, clock: &Clock, actor: &Actor, told: &Told) -> impl Future<Output = Result<()>> + Send;
}

/// What the door of a place says.
#[derive(Debug)]
pub struct Door {
    /// Where its links lead to.
    pub path: &'static str,
    /// Where a guest is who has come in.
    pub inside: &'static str,
    /// The title of the page, and of the letter with a link.
    pub title: &'static str,
    /// Why somebody was sent here.
    pub lead: &'static str,
    /// What to know before it is opened.
    pub note: &'static str,
    /// The button that opens it.
    pub button: &'static str,
    /// What the sender of a letter does with it: "asks you to answer some questions about".
    pub asks: &'static str,
}

/// A link that somebody wishes for.
#[derive(Debug, Clone)]
pub struct Wish {
    /// What it is to open.
    pub subject: Uuid,
    /// Whom it is for.
    pub for_whom: crate::name::Name,
    /// The address that it is sent to, if there is mail; else it is shown.
    pub send_to: Option<crate::auth::email::Email>,
    /// For how many days, where that can be chosen.
    pub days: Option<i64>,
}

/// What a link would open.
#[derive(Debug, Clone)]
pub struct Offer {
    /// What that is called.
    pub name: String,
    /// Until when it can be opened.
    pub until: DateTime<Utc>,
}

/// What became of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// It was made.
    Made,
    /// It was opened, and is used up.
    Opened,
    /// It was taken back.
    TakenBack,
}

/// The same, with which link it was.
#[derive(Debug, Clone)]
pub struct Told {
    /// What became of it.
    pub became: Became,
    /// Whose.
    pub tenant: crate::ids::TenantId,
    /// What it opens.
    pub subject: Uuid,
    /// Whom it is for.
    pub for_whom: String,
    /// The address that it was sent to.
    pub sent_to: Option<String>,
}

impl Told {
    /// What the audit trail keeps of it.
    pub fn audited(&self) -> serde_json::Value {
        let mut kept = serde_json::json!({ "for": self.for_whom });
        if let Some(to) = &self.sent_to {
            kept["sentTo"] = to.as_str().into();
        }
        kept
    }
}

/// A link that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Its id.
    pub id: Uuid,
    /// Whom it is for.
    pub for_whom: String,
    /// Who made it.
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Until when it can be opened.
    pub expires_at: DateTime<Utc>,
    /// When it was opened.
    pub used_at: Option<DateTime<Utc>>,
    /// When it was taken back.
    pub revoked_at: Option<DateTime<Utc>>,
    /// Until when whoever opened it can come back.
    pub session_expires_at: Option<DateTime<Utc>>,
    /// The letter that it was sent with, as long as nobody has opened it.
    #[sqlx(skip)]
    pub letter: Option<mail::Outgoing>,
}

/// How a link stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Nobody has opened it yet.
    Waiting,
    /// Somebody has, and can come back.
    Opened,
    /// It, or the session that began with it, has run out.
    RunOut,
    /// It was taken back.
    TakenBack,
}

impl Standing {
    /// As pages and the command line say it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Waiting => "not opened yet",
            Self::Opened => "opened",
            Self::RunOut => "run out",
            Self::TakenBack => "taken back",
        }
    }
}

impl Link {
    /// Until when it can be opened, or whoever opened it can come back.
    pub fn until(&self) -> DateTime<Utc> {
        self.session_expires_at.unwrap_or(self.expires_at)
    }

    /// How it stands.
    pub fn standing(&self, now: DateTime<Utc>) -> Standing {
        match (self.revoked_at, self.used_at) {
            (Some(_), _) => Standing::TakenBack,
            (None, _) if self.until() <= now => Standing::RunOut,
            (None, Some(_)) => Standing::Opened,
            (None, None) => Standing::Waiting,
        }
    }

    /// Whether it can be opened, or whoever opened it can come back.
    pub fn is_good(&self, now: DateTime<Utc>) -> bool {
        matches!(self.standing(now), Standing::Waiting | Standing::Opened)
    }
}

/// Somebody who came in by a link.
pub struct Guest<P: Place> {
    /// Their authority: over the one thing that the link opens, as whoever asks with it has to see to.
    pub permit: Permit<P::Right>,
    /// That one thing.
    pub subject: Uuid,
    /// What they are called.
    pub who: String,
    place: PhantomData<P>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_waits_is_opened_runs_out_and_is_taken_back() {
        let at = |hour| DateTime::UNIX_EPOCH + Duration::hours(hour);
        let mut link = Link {
            id: Uuid::nil(),
            for_whom: "Jane".into(),
            made_by: "ada@example.com".into(),
            made_at: at(0),
            expires_at: at(10),
            used_at: None,
            revoked_at: None,
            session_expires_at: None,
            letter: None,
        };
        assert_eq!((link.standing(at(9)), link.standing(at(10))), (Standing::Waiting, Standing::RunOut));
        (link.used_at, link.session_expires_at) = (Some(at(9)), Some(at(20)));
        assert_eq!((link.standing(at(19)), link.standing(at(20))), (Standing::Opened, Standing::RunOut));
        assert!(link.is_good(at(19)) && !link.is_good(at(20)));
        link.revoked_at = Some(at(11));
        assert_eq!(link.standing(at(12)), Standing::TakenBack);
    }
}
