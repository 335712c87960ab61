//! What there is to look after about a token: a pure function over what is known of it.
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{
    State, Token,
    store::uses::{LastUse, Network},
    uses::Why,
};

/// How long before its end a token asks for attention.
const SOON: TimeDelta = TimeDelta::days(14);
/// How long a token may be left unused; and how long it takes to know where it comes from.
pub(super) const FIRST_WEEK: TimeDelta = TimeDelta::days(7);
/// How long something that happened is worth a warning.
pub(super) const LATELY: TimeDelta = TimeDelta::days(7);
/// How long the place that a token is sent in is worth one: it is written in logs that are kept.
const IN_LOGS: TimeDelta = TimeDelta::days(30);
/// How short before its end an overlap was still needed.
const SHORTLY: TimeDelta = TimeDelta::hours(1);

/// What is known.
pub struct Facts<'a> {
    /// The token.
    pub token: &'a Token,
    /// How it was last used.
    pub last_use: Option<&'a LastUse>,
    /// Where it came from.
    pub networks: &'a [Network],
    /// When the token that takes its place was last used.
    pub successor_used_at: Option<DateTime<Utc>>,
}

/// Something to look after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", rename_all_fields = "camelCase", tag = "kind")]
pub enum Warning {
    /// The overlap has ended, and its sender seems to send with it still.
    NotSwitched {
        /// When it was last used.
        at: DateTime<Utc>,
    },
    /// It has ended, and somebody tries it still.
    StillTried {
        /// When it was last tried.
        at: DateTime<Utc>,
        /// From where.
        address: String,
    },
    /// Somebody tried it from outside its networks.
    Outside {
        /// When.
        at: DateTime<Utc>,
        /// From where.
        address: String,
    },
    /// It ends soon.
    Expiring {
        /// When.
        at: DateTime<Utc>,
    },
    /// It comes from a network that it never came from.
    NewNetwork {
        /// When it first came from there.
        at: DateTime<Utc>,
        /// Which.
        network: String,
    },
    /// It is sent in an address.
    InAddress {
        /// When it last was.
        at: DateTime<Utc>,
    },
    /// It is sent by a web page.
    InBrowser {
        /// When it last was.
        at: DateTime<Utc>,
        /// Which.
        origin: String,
    },
    /// Nobody has used it.
    NeverUsed {
        /// Since when it is there.
        at: DateTime<Utc>,
    },
}

impl Warning {
    /// In a word or two, for a list.
    pub fn word(&self) -> &'static str {
        match self {
            Self::NotSwitched { .. } => "sender not switched",
            Self::StillTried { .. } => "still tried",
            Self::Outside { .. } => "tried from elsewhere",
            Self::Expiring { .. } => "ends soon",
            Self::NewNetwork { .. } => "new network",
            Self::InAddress { .. } => "sent in an address",
            Self::InBrowser { .. } => "sent by a browser",
            Self::NeverUsed { .. } => "never used",
        }
    }

    /// What is so.
    pub fn title(&self) -> String {
        match self {
            Self::NotSwitched { .. } => "Its overlap has ended while its sender still used it".into(),
            Self::StillTried { address, .. } => format!("It has ended, and is still tried from {address}"),
            Self::Outside { address, .. } => format!("It was tried from {address}, outside its networks"),
            Self::Expiring { .. } => "It stops working soon".into(),
            Self::NewNetwork { network, .. } => format!("It comes from a new network: {network}"),
            Self::InAddress { .. } => "It is sent in an address".into(),
            Self::InBrowser { origin, .. } => format!("It is sent by a web page: {origin}"),
            Self::NeverUsed { .. } => "Nobody has used it".into(),
        }
    }

    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::NotSwitched { .. } => {
                "Put the successor's secret where the sender keeps it; until then, give this token more time."
            }
            Self::StillTried { .. } => {
                "A sender is being refused. Give it a token that works, or prolong this one if it is the right sender."
            }
            Self::Outside { .. } => {
                "If the sender has moved, add its network. If it has not, somebody else holds the secret: roll it."
            }
            Self::Expiring { .. } => "Roll it, and give its sender the successor in time; or let it last longer.",
            Self::NewNetwork { .. } => {
                "If the sender has moved or grown, all is well. If nobody knows of it, roll the token and limit it to its networks."
            }
            Self::InAddress { .. } => {
                "Addresses end up in the logs of proxies. Send it in the header X-CM-PRODUCTTOKEN, then roll it."
            }
            Self::InBrowser { .. } => {
                "Every visitor of that page can read it. Send from a server, or allow anonymous events of that type; then revoke it."
            }
            Self::NeverUsed { .. } => "Give it to its sender, or revoke it: what nobody needs can only be lost.",
        }
    }

    /// When it was so, or will be.
    pub fn at(&self) -> DateTime<Utc> {
        match self {
            Self::NotSwitched { at }
            | Self::StillTried { at, .. }
            | Self::Outside { at, .. }
            | Self::Expiring { at }
            | Self::NewNetwork { at, .. }
            | Self::InAddress { at }
            | Self::InBrowser { at, .. }
            | Self::NeverUsed { at } => *at,
        }
    }

    /// Whether events are being lost, so that it cannot wait.
    pub fn is_urgent(&self) -> bool {
        matches!(self, Self::NotSwitched { .. } | Self::StillTried { .. })
    }
}

/// What there is to look after at `now`, the most urgent first. A revoked token asks for nothing.
pub fn warnings(facts: &Facts, now: DateTime<Utc>) -> Vec<Warning> {
    let token = facts.token;
    let state = token.state(now);
    if state == State::Revoked {
        return Vec::new();
    }
    let lately = |at: &DateTime<Utc>| now - *at < LATELY;
    let (last, mut found) = (facts.last_use, Vec::new());
    if state == State::Replaced
        && let (Some(end), Some(at)) = (token.overlap_ends_at, token.last_used_at)
        && now - end < LATELY
    {
        let switched = facts.successor_used_at.is_some_and(|used| used > at);
        if at >= end - SHORTLY || (at >= end - TimeDelta::days(1) && !switched) {
            found.push(Warning::NotSwitched { at });
        }
    }
    let refused = last.and_then(|last| Some((last.refused_at?, last.refused_why?, last.refused_address.clone()?)));
    if let Some((at, why, address)) = refused.filter(|(at, ..)| lately(at)) {
        match why {
            Why::Ended if state != State::Active => found.push(Warning::StillTried { at, address }),
            // it was given more time meanwhile
            Why::Ended => {}
            Why::Network => found.push(Warning::Outside { at, address }),
        }
    }
    if state != State::Active {
        return found;
    }
    // the end of an overlap is meant to come
    if let Some(at) = token.details.expires_at.filter(|at| *at - now <= SOON && !token.overlaps(now)) {
        found.push(Warning::Expiring { at });
    }
    // one that knows the networks of its predecessor needs no week to learn them
    let knows = facts.networks.iter().any(|one| one.is_inherited_by(token));
    let learnt = if knows { token.created_at } else { token.created_at + FIRST_WEEK };
    let new = facts.networks.iter().filter(|one| lately(&one.first_at) && one.first_at > learnt);
    if let Some(newest) = new.max_by_key(|one| one.first_at) {
        found.push(Warning::NewNetwork { at: newest.first_at, network: newest.network.clone() });
    }
    let in_logs = |at: &DateTime<Utc>| now - *at < IN_LOGS;
    if let Some(at) = last.and_then(|last| last.query_at).filter(in_logs) {
        found.push(Warning::InAddress { at });
    }
    if let Some((at, origin)) =
        last.and_then(|last| Some((last.browser_at?, last.origin.clone()?))).filter(|(at, _)| in_logs(at))
    {
        found.push(Warning::InBrowser { at, origin });
    }
    if token.last_used_at.is_none() && now - token.created_at >= FIRST_WEEK {
        found.push(Warning::NeverUsed { at: token.created_at });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ids::{TenantId, TokenId},
        tokens::Details,
    };

    const DAY: TimeDelta = TimeDelta::days(1);

    fn now() -> DateTime<Utc> {
        "2026-11-18T10:00:00Z".parse().unwrap()
    }

    /// A token of thirty days that was used a minute ago.
    fn token() -> Token {
        Token {
            tenant_id: TenantId::default(),
            id: TokenId::default(),
            prefix: "trb_".into(),
            details: Details::named("shop".parse().unwrap()),
            created_at: now() - DAY * 30,
            revoked_at: None,
            last_used_at: Some(now() - TimeDelta::minutes(1)),
            predecessor_id: None,
            successor_id: None,
            overlap_ends_at: None,
        }
    }

    fn words(token: &Token, last_use: &LastUse, networks: &[Network], successor: Option<DateTime<Utc>>) -> Vec<String> {
        let facts = Facts { token, last_use: Some(last_use), networks, successor_used_at: successor };
        warnings(&facts, now()).iter().map(|warning| warning.word().to_owned()).collect()
    }

    fn of_token(change: impl FnOnce(&mut Token)) -> Vec<String> {
        let mut token = token();
        change(&mut token);
        words(&token, &LastUse::default(), &[], None)
    }

    fn of_use(change: impl FnOnce(&mut LastUse)) -> Vec<String> {
        let mut last = LastUse::default();
        change(&mut last);
        words(&token(), &last, &[], None)
    }

    const NONE: [&str; 0] = [];

    #[test]
    fn a_token_that_is_well_asks_for_nothing() {
        assert_eq!(of_token(|_| {}), NONE);
        let facts = Facts { token: &token(), last_use: None, networks: &[], successor_used_at: None };
        assert!(warnings(&facts, now()).is_empty());
    }

    #[test]
    fn the_end_is_told_two_weeks_before() {
        let ending = |days| of_token(|token| token.details.expires_at = Some(now() + DAY * days));
        assert_eq!(ending(15), NONE);
        assert_eq!(ending(14), ["ends soon"]);
        assert_eq!(ending(0), NONE, "it has ended, and nobody tries it");
        // a token that was rolled is meant to end
        let rolled = of_token(|token| {
            token.details.expires_at = Some(now() + DAY);
            token.overlap_ends_at = Some(now() + DAY);
        });
        assert_eq!(rolled, NONE);
    }

    #[test]
    fn a_token_that_nobody_uses_is_told_after_a_week() {
        let unused = |age| {
            of_token(|token| {
                token.last_used_at = None;
                token.created_at = now() - age;
            })
        };
        assert_eq!(unused(DAY * 7 - TimeDelta::seconds(1)), NONE);
        assert_eq!(unused(DAY * 7), ["never used"]);
    }

    #[test]
    fn addresses_and_browsers_are_told_while_logs_are_kept() {
        let query = |age: i64| of_use(|last| last.query_at = Some(now() - DAY * i32::try_from(age).unwrap()));
        assert_eq!((query(29), query(30)), (vec!["sent in an address".to_owned()], vec![]));
        let browser = of_use(|last| {
            last.browser_at = Some(now());
            last.origin = Some("https://shop.example.com".into());
        });
        assert_eq!(browser, ["sent by a browser"]);
    }

    #[test]
    fn a_network_is_new_for_a_week_but_not_in_the_first() {
        let networks = |first: DateTime<Utc>| {
            vec![Network {
                token_id: TokenId::default(),
                network: "192.0.2.0/24".into(),
                first_at: first,
                last_at: now(),
            }]
        };
        let seen = |age, first_ago| {
            let token = Token { created_at: now() - DAY * age, ..token() };
            words(&token, &LastUse::default(), &networks(now() - DAY * first_ago), None)
        };
        assert_eq!(seen(30, 1), ["new network"]);
        assert_eq!(seen(30, 7), NONE, "no longer new");
        assert_eq!(seen(6, 1), NONE, "everything is new in the first week");
        assert_eq!(seen(8, 1), NONE, "it came in the first week");
    }

    #[test]
    fn a_successor_knows_the_networks_of_its_predecessor() {
        let network = |name: &str, first_ago: i32| Network {
            token_id: TokenId::default(),
            network: name.into(),
            first_at: now() - DAY * first_ago,
            last_at: now(),
        };
        let young = Token { created_at: now() - DAY * 2, predecessor_id: Some(TokenId::default()), ..token() };
        let told = |networks: &[Network]| words(&young, &LastUse::default(), networks, None);
        assert_eq!(told(&[network("192.0.2.0/24", 40)]), NONE);
        assert_eq!(told(&[network("192.0.2.0/24", 40), network("198.51.100.0/24", 1)]), ["new network"]);
        assert_eq!(told(&[network("192.0.2.0/24", 3)]), NONE, "its predecessor came from there");
        assert_eq!(told(&[network("198.51.100.0/24", 1)]), NONE, "it knows none: everything is new");
    }

    #[test]
    fn one_that_has_ended_and_is_tried_is_told() {
        let tried = |ended: bool, why, ago: i32| {
            let expires_at = ended.then(|| now() - DAY * 2);
            let token = Token { details: Details { expires_at, ..token().details }, ..token() };
            let last = LastUse {
                refused_at: Some(now() - DAY * ago),
                refused_why: Some(why),
                refused_address: Some("192.0.2.7".into()),
                ..LastUse::default()
            };
            words(&token, &last, &[], None)
        };
        assert_eq!(tried(true, Why::Ended, 1), ["still tried"]);
        assert_eq!(tried(true, Why::Ended, 7), NONE);
        assert_eq!(tried(false, Why::Ended, 1), NONE, "it was given more time");
        assert_eq!(tried(false, Why::Network, 1), ["tried from elsewhere"]);
    }

    #[test]
    fn an_overlap_that_ended_too_early_is_told() {
        let ended = |used: TimeDelta, successor: Option<TimeDelta>| {
            let end = now() - DAY;
            let token = Token { overlap_ends_at: Some(end), last_used_at: Some(end - used), ..token() };
            words(&token, &LastUse::default(), &[], successor.map(|ago| end - ago))
        };
        let (short, hours) = (TimeDelta::minutes(5), TimeDelta::hours(5));
        assert_eq!(ended(short, None), ["sender not switched"]);
        assert_eq!(ended(short, Some(TimeDelta::minutes(1))), ["sender not switched"], "perhaps not all of it");
        assert_eq!(ended(hours, None), ["sender not switched"]);
        assert_eq!(ended(hours, Some(TimeDelta::hours(6))), ["sender not switched"], "it went back");
        assert_eq!(ended(hours, Some(TimeDelta::hours(4))), NONE);
        assert_eq!(ended(DAY * 2, None), NONE, "nothing was sent in between");
    }

    #[test]
    fn a_revoked_token_asks_for_nothing() {
        let revoked = of_token(|token| {
            token.revoked_at = Some(now());
            token.details.expires_at = Some(now() + DAY);
            token.last_used_at = None;
        });
        assert_eq!(revoked, NONE);
    }
}
