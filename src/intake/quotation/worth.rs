//! What an integration is worth, as far as anybody has written it down: what was accepted, or else what was last offered
//! or drafted. Without VAT.
use std::collections::{BTreeMap, HashMap};

use super::{Currency, State};
use crate::ids::{IntegrationId, TenantId};

/// What is known of one version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Priced {
    /// Whose.
    pub tenant_id: TenantId,
    /// Of which integration.
    pub integration_id: IntegrationId,
    /// Its number within that.
    pub number: i64,
    /// Where it stands.
    pub state: State,
    /// What it is paid in.
    pub currency: Currency,
    /// What it comes to without VAT, in minor units.
    pub net: i64,
}

/// An amount of one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worth {
    /// What it is paid in.
    pub currency: Currency,
    /// In minor units, without VAT.
    pub net: i64,
}

impl Worth {
    /// As pages say it, on one line.
    pub fn told(self) -> String {
        self.currency.told(self.net).replace(' ', "\u{a0}")
    }
}

/// What integrations are worth, by integration.
pub type Worths = HashMap<(TenantId, IntegrationId), Worth>;

/// What each integration is worth.
pub fn worths(versions: &[Priced]) -> Worths {
    let mut all: HashMap<_, Vec<Priced>> = HashMap::new();
    for one in versions {
        all.entry((one.tenant_id, one.integration_id)).or_default().push(*one);
    }
    all.into_iter().filter_map(|(of, versions)| Some((of, worth(versions)?))).collect()
}

/// What the versions of one integration say that it is worth: all that was accepted, change orders too; or else the last
/// version that was not withdrawn. What was accepted in a second currency is left out, since a sum is of one.
pub fn worth(mut versions: Vec<Priced>) -> Option<Worth> {
    versions.sort_by_key(|one| one.number);
    let accepted: Vec<_> = versions.iter().filter(|one| one.state == State::Accepted).collect();
    let Some(first) = accepted.first() else {
        let last = versions.iter().rfind(|one| one.state != State::Withdrawn)?;
        return Some(Worth { currency: last.currency, net: last.net });
    };
    let net = accepted.iter().filter(|one| one.currency == first.currency).map(|one| one.net).sum();
    Some(Worth { currency: first.currency, net })
}

/// The sum of each currency: `EUR 42,000.00 + SEK 3,000.00`; nothing when there is none.
pub fn sum(all: impl IntoIterator<Item = Worth>) -> Option<String> {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for one in all {
        *sums.entry(one.currency).or_default() += one.net;
    }
    let told: Vec<_> = sums.into_iter().map(|(currency, net)| Worth { currency, net }.told()).collect();
    (!told.is_empty()).then(|| told.join(" + "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_counts_and_else_what_was_said_last() {
        let key = (TenantId::default(), IntegrationId::default());
        let version = |number, state, currency, net| Priced {
            tenant_id: key.0,
            integration_id: key.1,
            number,
            state,
            currency,
            net,
        };
        let of = |versions: &[Priced]| worths(versions).get(&key).map(|worth| worth.told());
        let eur = Currency::Eur;
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[version(1, State::Withdrawn, eur, 100)]), None);
        let declined = [version(2, State::Draft, eur, 7_000), version(1, State::Declined, eur, 9_000)];
        assert_eq!(of(&declined).as_deref(), Some("EUR\u{a0}70.00"));
        let withdrawn = [version(2, State::Withdrawn, eur, 7_000), version(1, State::Declined, eur, 9_000)];
        assert_eq!(of(&withdrawn).as_deref(), Some("EUR\u{a0}90.00"));
        let ordered = [
            version(4, State::Draft, eur, 1),
            version(3, State::Accepted, Currency::Sek, 5),
            version(2, State::Accepted, eur, 2_500),
            version(1, State::Accepted, eur, 10_000),
        ];
        assert_eq!(of(&ordered).as_deref(), Some("EUR\u{a0}125.00"));
        let all = [(eur, 100), (Currency::Jpy, 7), (eur, 50)].map(|(currency, net)| Worth { currency, net });
        assert_eq!(sum(all).as_deref(), Some("EUR\u{a0}1.50 + JPY\u{a0}7"));
        assert_eq!(sum([]), None);
    }
}
