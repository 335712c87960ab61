//! How dear a quotation may be that goes out without a second pair of eyes: an amount for each currency, since what is
//! much in one is little in another.
use std::{fmt, str::FromStr};

use clap::Args;

use super::{Content, Currency};

/// What may go out without a second pair of eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub struct Limit {
    /// What a quotation may come to without VAT before somebody else approves it, for each currency: EUR=10000,SEK=100000;
    /// in whole units. In a currency that is not named, every quotation is approved first; an amount alone is in euros
    #[arg(long, env = "TRIBUTARY_APPROVE_ABOVE", value_name = "AMOUNTS", default_value_t)]
    pub approve_above: Amounts,
}

impl Limit {
    /// Whether it comes to more.
    pub fn is_exceeded(self, content: &Content) -> bool {
        content.totals().net > self.of(content.currency)
    }

    /// The most that may go out in a currency, in minor units.
    pub fn of(self, currency: Currency) -> i64 {
        let unit = 10_i64.pow(currency.digits());
        self.approve_above.0[currency as usize].saturating_mul(unit)
    }
}

/// The most that can be set.
const MOST: i64 = 1_000_000_000;

/// An amount for each currency, in whole units, in the order of [`Currency::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amounts([i64; Currency::ALL.len()]);

impl Amounts {
    /// The same figure whatever the currency.
    pub const fn everywhere(amount: i64) -> Self {
        Self([amount; Currency::ALL.len()])
    }
}

/// About as much everywhere, in round figures.
impl Default for Amounts {
    fn default() -> Self {
        let mut all = Self::everywhere(0);
        for currency in Currency::ALL {
            all.0[*currency as usize] = match currency {
                Currency::Eur | Currency::Chf | Currency::Gbp | Currency::Usd => 10_000,
                Currency::Sek | Currency::Dkk | Currency::Nok => 100_000,
                Currency::Pln => 50_000,
                Currency::Czk => 250_000,
                Currency::Jpy => 1_500_000,
            };
        }
        all
    }
}

impl FromStr for Amounts {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = Self::everywhere(0);
        let mut named = Vec::new();
        for part in text.split([',', ' ']).filter(|part| !part.is_empty()) {
            let (code, amount) = part.split_once('=').unwrap_or((Currency::Eur.code(), part));
            let currency = Currency::ALL.iter().copied().find(|one| one.code().eq_ignore_ascii_case(code));
            let currency =
                currency.ok_or_else(|| format!("no currency is called {code}: write EUR=10000,SEK=100000"))?;
            let amount: i64 = amount.parse().ok().filter(|amount| (0..=MOST).contains(amount)).ok_or_else(|| {
                format!("{part} sets no amount: write EUR=10000,SEK=100000, in whole units up to {MOST}")
            })?;
            if named.contains(&currency) {
                return Err(format!("{} is set twice", currency.code()));
            }
            named.push(currency);
            all.0[currency as usize] = amount;
        }
        if named.is_empty() { Err("set at least one amount, such as EUR=10000".into()) } else { Ok(all) }
    }
}

/// As it is read: the currencies in which something may go out.
impl fmt::Display for Amounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set =
            Currency::ALL.iter().zip(self.0).filter(|(currency, amount)| *amount > 0 || **currency == Currency::Eur);
        for (place, (currency, amount)) in set.enumerate() {
            write!(f, "{}{}={amount}", if place == 0 { "" } else { "," }, currency.code())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::quotation::content::tests::{content, line};

    #[test]
    fn a_limit_in_one_currency_says_nothing_of_another() {
        let limit = Limit { approve_above: "EUR=10000, jpy=1500000".parse().unwrap() };
        // an hour at the rate, without VAT
        let over =
            |currency, minor| limit.is_exceeded(&Content { currency, ..content(vec![line("Connect", 60, minor)]) });
        assert!(!over(Currency::Eur, 1_000_000) && over(Currency::Eur, 1_000_001));
        // a yen has no smaller coin
        assert!(!over(Currency::Jpy, 1_500_000) && over(Currency::Jpy, 1_500_001));
        // what nobody has set an amount for is looked at, however little it is
        assert!(over(Currency::Sek, 1) && !over(Currency::Sek, 0));
        // as it was written before there were currencies: nothing goes out that did not
        let old: Amounts = "20000".parse().unwrap();
        assert_eq!(old, "EUR=20000".parse().unwrap());
        assert_eq!("0".parse::<Amounts>().unwrap(), Amounts::everywhere(0));
    }

    #[test]
    fn amounts_read_back_as_they_are_told() {
        for all in [Amounts::default(), Amounts::everywhere(0), Amounts::everywhere(7), "NOK=5".parse().unwrap()] {
            assert_eq!(all.to_string().parse(), Ok(all), "{all}");
        }
        for currency in Currency::ALL {
            assert!(Amounts::default().0[*currency as usize] > 0, "{currency}");
        }
        for bad in ["", ",", "EUR", "EUR=", "EUR=x", "EUR=-1", "XXX=1", "EUR=1,EUR=2", "EUR=1000000001", "1.5"] {
            assert!(bad.parse::<Amounts>().is_err(), "{bad}");
        }
    }
}
