//! Tokens: the static secrets that external systems send with their events.
//!
//! A token lives until it is revoked, runs out, or is rolled: then a successor with the same scope takes its place,
//! and for a while, the overlap, both work.
mod pages;
pub mod scan;
mod secret;
pub mod store;
pub mod uses;
mod warnings;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use ipnet::IpNet;
use serde::Serialize;

use crate::{
    ids::{EventTypeId, TenantId, TokenId},
    name::Name,
};
pub use pages::routes;
pub use secret::{Secret, digest, pasted};
pub use store::{
    Overlap, Rolled, Watched, all, change, create, get, known_by, list, revoke, roll, set_overlap, used, watch,
};
pub use warnings::{Facts, Warning, warnings};

/// A token as pages know it: all but its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Token {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: TokenId,
    /// How its secret begins.
    pub prefix: String,
    #[serde(flatten)]
    #[expect(missing_docs, reason = "the text of the type says it")]
    pub details: Details,
    /// When it was created here.
    pub created_at: DateTime<Utc>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
    /// When it last opened the front door, to within some seconds.
    pub last_used_at: Option<DateTime<Utc>>,
    /// The token whose place it took.
    pub predecessor_id: Option<TokenId>,
    /// The token that takes its place.
    pub successor_id: Option<TokenId>,
    /// Until when it works beside its successor.
    pub overlap_ends_at: Option<DateTime<Utc>>,
}

/// What people decide about a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// What it is called.
    pub name: Name,
    /// The only event types it is good for; none: all.
    pub event_types: Option<Vec<EventTypeId>>,
    /// The only networks it may come from; none: any.
    pub addresses: Option<Vec<IpNet>>,
    /// Whether it may switch anonymous use of event types on and off.
    pub can_configure: bool,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Details {
    /// A token for everything, from everywhere, for ever; the rest is said with `Details { …, ..Details::named(name) }`.
    pub fn named(name: Name) -> Self {
        Self { name, event_types: None, addresses: None, can_configure: false, expires_at: None }
    }

    /// Tells one state of them from another: a form that was opened on an older one does not overwrite a newer.
    pub fn fingerprint(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        let digest = crate::crypto::sha256(text.as_bytes());
        format!("{:016x}", u64::from_be_bytes(std::array::from_fn(|n| digest[n])))
    }
}

/// Whether a token works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It does.
    Active,
    /// It has run out.
    Expired,
    /// It was rolled, and its successor works alone now.
    Replaced,
    /// Somebody has revoked it.
    Revoked,
}

impl State {
    /// As pages and the command line say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Replaced => "replaced",
            Self::Revoked => "revoked",
        }
    }
}

impl Token {
    /// Whether it works at `now`.
    pub fn state(&self, now: DateTime<Utc>) -> State {
        let over = |end: Option<DateTime<Utc>>| end.is_some_and(|end| end <= now);
        if self.revoked_at.is_some() {
            State::Revoked
        } else if over(self.overlap_ends_at) {
            State::Replaced
        } else if over(self.details.expires_at) {
            State::Expired
        } else {
            State::Active
        }
    }

    /// When it stops working, or has: by its expiry, or by the end of its overlap.
    pub fn ends_at(&self) -> Option<DateTime<Utc>> {
        earlier(self.details.expires_at, self.overlap_ends_at)
    }

    /// Whether it works beside a successor.
    pub fn overlaps(&self, now: DateTime<Utc>) -> bool {
        self.overlap_ends_at.is_some() && self.state(now) == State::Active
    }
}

fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    one.into_iter().chain(other).min()
}

/// A token as the front door knows it. One secret may be good for several tenants: each has its own.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whose it is.
    pub tenant: TenantId,
    /// Its id.
    pub id: TokenId,
    /// SHA-256 of its secret.
    pub digest: [u8; 32],
    /// The only event types it is good for; none: all.
    pub event_types: Option<Vec<EventTypeId>>,
    /// The only networks it may come from; none: any.
    pub addresses: Option<Vec<IpNet>>,
    /// Whether it may switch anonymous use of event types on and off.
    pub can_configure: bool,
    /// When it stops working.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Known {
    /// Whether it has run out at `now`.
    pub fn is_expired(&self, now: DateTime<Utc>) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether it is good for events of this type.
    pub fn covers(&self, event_type: EventTypeId) -> bool {
        self.event_types.as_ref().is_none_or(|types| types.contains(&event_type))
    }

    /// Whether it may come from this address.
    pub fn may_come_from(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.addresses.as_ref().is_none_or(|networks| networks.iter().any(|network| network.contains(&address)))
    }
}

/// The most networks and event types that one token may list.
pub const MOST_LISTED: usize = 100;

/// Reads networks: `10.0.0.0/8`, `2001:db8::/32`, or a single address. Empty ones are dropped; none means any.
///
/// # Errors
/// Says which is none.
pub fn parse_networks<S: AsRef<str>>(texts: impl IntoIterator<Item = S>) -> Result<Option<Vec<IpNet>>, String> {
    let mut networks = Vec::new();
    for text in texts {
        let text = text.as_ref().trim();
        if text.is_empty() {
            continue;
        }
        let network = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical())))
            .map_err(|_| format!("“{text}” is neither an address nor a network such as 192.0.2.0/24 or 2001:db8::/32"))?
            .trunc();
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    if networks.len() > MOST_LISTED {
        return Err(format!("a token lists at most {MOST_LISTED} networks"));
    }
    Ok((!networks.is_empty()).then_some(networks))
}

/// Reads when a token stops working: a moment (`2027-01-31T00:00:00Z`), the end of a day (`2027-01-31`, in UTC), or
/// a time from `now` (`90d`, `12h`).
///
/// # Errors
/// When it is none of them, or not in the future.
pub fn parse_expiry(text: &str, now: DateTime<Utc>) -> Result<DateTime<Utc>, String> {
    const FORM: &str =
        "an expiry is a moment such as 2027-01-31T00:00:00Z, a day such as 2027-01-31, or a time from now such as 90d";
    let text = text.trim();
    let end = if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        moment.to_utc()
    } else if let Ok(day) = text.parse::<chrono::NaiveDate>() {
        let next = day.succ_opt().ok_or(FORM)?;
        next.and_time(chrono::NaiveTime::MIN).and_utc()
    } else {
        let (count, hours) = match (text.strip_suffix('d'), text.strip_suffix('h')) {
            (Some(days), _) => (days, 24),
            (_, Some(hours)) => (hours, 1),
            _ => return Err(FORM.into()),
        };
        let count: i64 = count.parse::<u32>().map_err(|_| FORM)?.into();
        now.checked_add_signed(chrono::Duration::hours(count * hours)).ok_or(FORM)?
    };
    if end <= now {
        return Err("an expiry lies in the future".into());
    }
    if end > now + chrono::Duration::days(36_525) {
        return Err("an expiry lies within a hundred years: leave it out for a token that does not expire".into());
    }
    // a whole second, so that it reads well wherever it is shown
    Ok(chrono::SubsecRound::trunc_subsecs(end, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses_are_read() {
        let read =
            parse_networks(["10.1.2.3/8", " 192.0.2.7 ", "2001:db8::1/32", "", "10.0.0.0/8", "::1"]).unwrap().unwrap();
        let texts: Vec<_> = read.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.0.0.0/8", "192.0.2.7/32", "2001:db8::/32", "::1/128"]);
        assert_eq!(parse_networks(["", " "]).unwrap(), None);
        for bad in ["10.0.0.0/33", "example.com", "10.0.0", "*"] {
            assert!(parse_networks([bad]).unwrap_err().starts_with(&format!("“{bad}”")));
        }
    }

    #[test]
    fn a_token_comes_from_its_networks_only() {
        let known = |networks: &[&str]| Known {
            tenant: TenantId(uuid::Uuid::nil()),
            id: TokenId(uuid::Uuid::nil()),
            digest: [0; 32],
            event_types: None,
            addresses: parse_networks(networks).unwrap(),
            can_configure: false,
            expires_at: None,
        };
        let both = known(&["10.0.0.0/8", "2001:db8::/32"]);
        for (address, may) in
            [("10.9.9.9", true), ("::ffff:10.9.9.9", true), ("11.0.0.1", false), ("2001:db8::5", true), ("::1", false)]
        {
            assert_eq!(both.may_come_from(address.parse().unwrap()), may, "{address}");
        }
        assert!(known(&[]).may_come_from("11.0.0.1".parse().unwrap()));
    }

    #[test]
    fn an_expiry_lies_in_the_future() {
        let now: DateTime<Utc> = "2026-11-18T10:00:00Z".parse().unwrap();
        for (text, end) in [
            ("2027-01-31T12:00:00+02:00", "2027-01-31T10:00:00Z"),
            ("2026-11-18", "2026-11-19T00:00:00Z"),
            ("30d", "2026-12-18T10:00:00Z"),
            ("12h", "2026-11-18T22:00:00Z"),
        ] {
            assert_eq!(parse_expiry(text, now).unwrap(), end.parse::<DateTime<Utc>>().unwrap(), "{text}");
        }
        for bad in ["", "soon", "0d", "-1d", "4294967295d", "2026-11-17", "2026-11-18T10:00:00Z", "d", "9999-12-31"] {
            assert!(parse_expiry(bad, now).is_err(), "{bad}");
        }
    }
}
