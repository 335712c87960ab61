//! Money as whole minor units (cents), and sums that neither lose nor make any: products are whole until they are
//! rounded, half up, and each is rounded once.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The largest amount that somebody can write down, in minor units: sums of all lines stay far from where numbers end.
pub const MOST: i64 = 100_000_000_000;

vocabulary! {
    /// What is paid in.
    Currency, "currency" {
        /// Of the euro area.
        Eur = "eur", "Euro";
        /// Of Sweden.
        Sek = "sek", "Swedish krona";
        /// Of Denmark.
        Dkk = "dkk", "Danish krone";
        /// Of Norway.
        Nok = "nok", "Norwegian krone";
        /// Of Switzerland.
        Chf = "chf", "Swiss franc";
        /// Of Britain.
        Gbp = "gbp", "Pound sterling";
        /// Of Poland.
        Pln = "pln", "Polish złoty";
        /// Of Czechia.
        Czk = "czk", "Czech koruna";
        /// Of America.
        Usd = "usd", "US dollar";
        /// Of Japan, which has no smaller coin.
        Jpy = "jpy", "Japanese yen";
    }
}

impl Currency {
    /// As banks spell it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Eur => "EUR",
            Self::Sek => "SEK",
            Self::Dkk => "DKK",
            Self::Nok => "NOK",
            Self::Chf => "CHF",
            Self::Gbp => "GBP",
            Self::Pln => "PLN",
            Self::Czk => "CZK",
            Self::Usd => "USD",
            Self::Jpy => "JPY",
        }
    }

    /// The amount that reads the same in this currency: 150 euros as 150 yen, and not as the 15,000 that cents would be.
    pub fn same_figure(self, minor: i64, from: Self) -> i64 {
        share(minor, 10_i64.pow(self.digits()), 10_i64.pow(from.digits()))
    }

    /// How many digits stand after the point.
    pub const fn digits(self) -> u32 {
        match self {
            Self::Jpy => 0,
            _ => 2,
        }
    }

    /// An amount as it reads without its currency: `1,234.50`.
    pub fn figure(self, minor: i64) -> String {
        let unit = 10_i64.pow(self.digits());
        let sign = if minor < 0 { "−" } else { "" };
        let (whole, part) = (minor.unsigned_abs() / unit.unsigned_abs(), minor.unsigned_abs() % unit.unsigned_abs());
        let whole = crate::ui::format::count(whole);
        match self.digits() {
            0 => format!("{sign}{whole}"),
            digits => format!("{sign}{whole}.{part:0width$}", width = digits as usize),
        }
    }

    /// An amount with its currency.
    pub fn told(self, minor: i64) -> String {
        format!("{} {}", self.code(), self.figure(minor))
    }

    /// As a field holds it: `1234.50`.
    pub fn typed(self, minor: i64) -> String {
        self.figure(minor).replace(',', "")
    }

    /// Reads an amount as people write it: `1234`, `1 234,50`, `1,234.50`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(self, text: &str) -> Result<i64, String> {
        let form = || format!("an amount is a number such as {}", self.typed(123_450));
        let text: String = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '\'' | '’')).collect();
        // the last sign with no more than as many digits after it as the currency has is the point; others group
        let point = text.rfind(['.', ',']).filter(|at| {
            let after = text.len() - at - 1;
            after > 0 && after <= self.digits() as usize
        });
        let (whole, part) = match point {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text.as_str(), ""),
        };
        let whole = grouped(whole).ok_or_else(form)?;
        if !part.bytes().all(|c| c.is_ascii_digit()) {
            return Err(form());
        }
        let minor = format!("{whole}{part:0<width$}", width = self.digits() as usize);
        let minor: i64 = minor.parse().map_err(|_| form())?;
        if minor > MOST {
            return Err(format!("give at most {}", self.told(MOST)));
        }
        Ok(minor)
    }
}

/// The digits of a whole number, with groups of three or without.
fn grouped(text: &str) -> Option<String> {
    let mut groups = text.split(['.', ',']);
    let first = groups.next()?;
    let rest: Vec<_> = groups.collect();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit());
    let right = digits(first)
        && rest.iter().all(|group| digits(group) && group.len() == 3)
        && (rest.is_empty() || first.len() <= 3);
    right.then(|| format!("{first}{}", rest.concat()))
}

/// Hundredths of a percent: what VAT and discounts are told in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Percent(pub i64);

impl Percent {
    /// The whole.
    pub const ALL: i64 = 10_000;

    /// Reads `25`, `7.7`, `8,1 %`.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "a rate is a percentage such as 25 or 8.1";
        let text = text.trim().trim_end_matches('%').trim_end().replace(',', ".");
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        let digits = |text: &str, most| (1..=most).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
        if !digits(whole, 3) || !digits(part, 2) {
            return Err(FORM.into());
        }
        let parse = |text: &str| text.parse::<i64>().map_err(|_| FORM.to_owned());
        let hundredths = parse(whole)? * 100 + parse(&format!("{part:0<2}"))?;
        if hundredths > Self::ALL { Err("a rate is at most 100 %".into()) } else { Ok(Self(hundredths)) }
    }

    /// As a field holds it: `25`, `8.1`.
    pub fn typed(self) -> String {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => whole.to_string(),
            (whole, part) => format!("{whole}.{part:02}").trim_end_matches('0').to_owned(),
        }
    }
}

impl std::fmt::Display for Percent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} %", self.typed())
    }
}

/// `of × part ÷ whole`, rounded half up: the product is exact, and what is half goes up.
pub fn share(of: i64, part: i64, whole: i64) -> i64 {
    let (product, whole) = (i128::from(of) * i128::from(part), i128::from(whole));
    let rounded = (2 * product + whole).div_euclid(2 * whole);
    i64::try_from(rounded).unwrap_or(i64::MAX)
}

/// What is taken off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Discount {
    /// Nothing.
    #[default]
    None,
    /// A part of everything.
    Percent(Percent),
    /// An amount, in minor units.
    Amount(i64),
}

/// The sums of one VAT rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtRate {
    /// Which.
    pub rate: Percent,
    /// The lines.
    pub net: i64,
    /// What is taken off them.
    pub discount: i64,
    /// VAT on what is left.
    pub vat: i64,
}

/// What all of it comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Totals {
    /// The lines.
    pub lines: i64,
    /// What is taken off.
    pub discount: i64,
    /// What is left, without VAT.
    pub net: i64,
    /// VAT of all rates.
    pub vat: i64,
    /// What is to be paid.
    pub gross: i64,
    /// By VAT rate, the lowest first.
    pub rates: Vec<AtRate>,
}

/// Adds up lines: each a net amount and its VAT rate.
///
/// The discount is spread over the rates by their net sums, so that not a cent is lost; VAT is computed once for each
/// rate, on what is left of its net sum, and rounded half up.
pub fn totals(lines: &[(i64, Percent)], discount: Discount) -> Totals {
    let mut nets: BTreeMap<Percent, i64> = BTreeMap::new();
    for (net, rate) in lines {
        *nets.entry(*rate).or_default() += net;
    }
    let all: i64 = nets.values().sum();
    let off = match discount {
        Discount::None => 0,
        Discount::Percent(part) => share(all, part.0, Percent::ALL),
        Discount::Amount(amount) => amount,
    };
    let off = off.clamp(0, all);
    let (mut seen, mut given) = (0, 0);
    let mut totals = Totals { lines: all, discount: off, net: all - off, ..Totals::default() };
    for (rate, net) in nets {
        seen += net;
        // what is due by now, less what was given: the last rate gets the rest
        let due = if all == 0 { 0 } else { share(off, seen, all) };
        let own = due - given;
        given = due;
        let vat = share(net - own, rate.0, Percent::ALL);
        totals.vat += vat;
        totals.rates.push(AtRate { rate, net, discount: own, vat });
    }
    totals.gross = totals.net + totals.vat;
    totals
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A rational number, and nothing lost: what sums are compared with.
    #[derive(Clone, Copy)]
    struct Ratio(i128, i128);

    impl Ratio {
        /// The whole number next to it, what is half going up, found by counting and not by the code under test.
        fn half_up(self) -> i128 {
            let floor = self.0.div_euclid(self.1);
            let rest = self.0 - floor * self.1;
            floor + i128::from(rest * 2 >= self.1)
        }
    }

    /// Small ones too, so that halves come up: of a thousand wholes hardly one is met right in the middle.
    fn wholes() -> impl Strategy<Value = i64> {
        prop_oneof![1..=12_i64, Just(60), Just(Percent::ALL), 1..=Percent::ALL]
    }

    fn lines() -> impl Strategy<Value = Vec<(i64, Percent)>> {
        let rate = prop_oneof![Just(0), Just(600), Just(770), Just(1_900), Just(2_500), 0..=Percent::ALL];
        prop::collection::vec((0..=MOST, rate.prop_map(Percent)), 0..40)
    }

    fn discounts() -> impl Strategy<Value = Discount> {
        prop_oneof![
            Just(Discount::None),
            (0..=Percent::ALL).prop_map(|part| Discount::Percent(Percent(part))),
            (0..=MOST).prop_map(Discount::Amount),
        ]
    }

    proptest! {
        #[test]
        fn a_share_is_the_exact_one_rounded_half_up(of in 0..=MOST * 200, part in 0..=Percent::ALL, whole in wholes()) {
            let exact = Ratio(i128::from(of) * i128::from(part), i128::from(whole));
            prop_assert_eq!(i128::from(share(of, part, whole)), exact.half_up());
        }

        /// Nothing is lost, nothing is made, and VAT is what the law of arithmetic says of each rate.
        #[test]
        fn sums_are_exact(lines in lines(), discount in discounts()) {
            let totals = totals(&lines, discount);
            let net: i128 = lines.iter().map(|(net, _)| i128::from(*net)).sum();
            prop_assert_eq!(i128::from(totals.lines), net);
            prop_assert_eq!(totals.rates.iter().map(|at| at.net).sum::<i64>(), totals.lines);
            prop_assert_eq!(totals.rates.iter().map(|at| at.discount).sum::<i64>(), totals.discount);
            prop_assert_eq!(totals.rates.iter().map(|at| at.vat).sum::<i64>(), totals.vat);
            prop_assert_eq!(totals.lines - totals.discount, totals.net);
            prop_assert_eq!(totals.net + totals.vat, totals.gross);
            let off = match discount {
                Discount::None => 0,
                Discount::Percent(part) => Ratio(net * i128::from(part.0), 10_000).half_up(),
                Discount::Amount(amount) => i128::from(amount).min(net),
            };
            prop_assert_eq!(i128::from(totals.discount), off);
            for at in &totals.rates {
                let own: i128 = lines.iter().filter(|(_, rate)| *rate == at.rate).map(|(net, _)| i128::from(*net)).sum();
                prop_assert_eq!(i128::from(at.net), own);
                let left = own - i128::from(at.discount);
                prop_assert!((0..=own).contains(&left), "{:?}", at);
                prop_assert_eq!(i128::from(at.vat), Ratio(left * i128::from(at.rate.0), 10_000).half_up());
                // each rate bears its part of the discount, to the cent
                if net > 0 {
                    let fair = Ratio(off * own, net).half_up();
                    prop_assert!((i128::from(at.discount) - fair).abs() <= 1, "{:?} {}", at, fair);
                }
            }
        }

        /// In which order lines stand changes nothing.
        #[test]
        fn order_does_not_matter(lines in lines(), discount in discounts()) {
            let mut turned = lines.clone();
            turned.reverse();
            prop_assert_eq!(totals(&lines, discount), totals(&turned, discount));
        }

        #[test]
        fn amounts_read_back_as_they_are_told(minor in 0..=MOST, at in 0..Currency::ALL.len()) {
            let currency = Currency::ALL[at];
            prop_assert_eq!(currency.parse(&currency.typed(minor)), Ok(minor));
            prop_assert_eq!(currency.parse(&currency.figure(minor)), Ok(minor));
        }

        #[test]
        fn rates_read_back_as_they_are_told(hundredths in 0..=Percent::ALL) {
            let rate = Percent(hundredths);
            prop_assert_eq!(Percent::parse(&rate.typed()), Ok(rate));
            prop_assert_eq!(Percent::parse(&rate.to_string()), Ok(rate));
        }
    }

    #[test]
    fn an_amount_reads_the_same_in_another_currency() {
        assert_eq!(Currency::Jpy.same_figure(15_000, Currency::Eur), 150);
        assert_eq!(Currency::Eur.same_figure(150, Currency::Jpy), 15_000);
        assert_eq!(Currency::Sek.same_figure(15_050, Currency::Eur), 15_050);
    }

    #[test]
    fn amounts_are_read_as_people_write_them() {
        for (text, minor) in [
            ("1234", 123_400),
            ("1 234,5", 123_450),
            ("1,234.50", 123_450),
            ("1.234,50", 123_450),
            ("1'234.05", 123_405),
            ("1,234", 123_400),
            ("0.07", 7),
            ("12,345,678", 1_234_567_800),
        ] {
            assert_eq!(Currency::Eur.parse(text), Ok(minor), "{text}");
        }
        assert_eq!(Currency::Jpy.parse("12,000"), Ok(12_000));
        for bad in ["", "x", "-1", "1.2345", "1,23,456", "1.", ".5", "1e3", "99999999999999999999", "1000000000.01"] {
            assert!(Currency::Eur.parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Currency::Eur.told(-7), "EUR −0.07");
        assert_eq!(Percent(810).to_string(), "8.1 %");
        for bad in ["", "-1", "100.01", "7.777", "x", "1e1"] {
            assert!(Percent::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn vat_is_computed_on_the_sum_and_not_line_by_line() {
        // three times 0.03 at 19 %: 0.0057 each, which would be 0.03 line by line, and is 0.0171 of the sum
        let thrice = [(3, Percent(1_900)); 3];
        assert_eq!(totals(&thrice, Discount::None).vat, 2);
        // half goes up: 0.10 at 25 % is 0.025
        assert_eq!(totals(&[(10, Percent(2_500))], Discount::None).vat, 3);
    }
}
