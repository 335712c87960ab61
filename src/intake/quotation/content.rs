//! What a quotation says, and the document that it becomes when it is sent: one text, whose digest stands on every copy.
use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::money::{Currency, Discount, Percent, Totals, share, totals};
use crate::{
    crypto,
    ids::{IntegrationId, QuotationId, TenantId},
};

/// The most lines.
pub const MOST_LINES: usize = 100;
/// The most hours of one line, and the highest rate, in minor units.
pub const MOST_HOURS: i64 = 10_000;
/// The highest rate of an hour, in minor units.
pub const HIGHEST_RATE: i64 = 100_000_000;

vocabulary! {
    /// How a line is paid.
    Pricing, "pricing" {
        /// What it says is what it costs.
        Fixed = "fixed", "Fixed price";
        /// What it takes is what it costs; the hours are an estimate.
        Time = "time", "By time spent";
    }
}

/// One work package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// What it is called.
    pub package: String,
    /// What is done, in some lines.
    pub description: String,
    /// Who does it.
    pub role: String,
    /// How it is paid.
    pub pricing: Pricing,
    /// How long it takes.
    pub minutes: i64,
    /// What an hour costs, in minor units.
    pub rate: i64,
    /// VAT on it.
    pub vat: Percent,
}

impl Line {
    /// What it comes to, without VAT.
    pub fn net(&self) -> i64 {
        share(self.rate, self.minutes, 60)
    }
}

/// What a quotation says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// What it is called.
    pub title: String,
    /// To whom, in some lines.
    pub addressee: String,
    /// What is paid in.
    pub currency: Currency,
    /// The work.
    pub lines: Vec<Line>,
    /// What is taken off.
    pub discount: Discount,
    /// Why.
    pub discount_reason: String,
    /// What it supposes, one a line.
    pub assumptions: String,
    /// What it leaves out, one a line.
    pub exclusions: String,
    /// The last day on which it can be accepted.
    pub valid_until: NaiveDate,
}

impl Content {
    /// What it comes to.
    pub fn totals(&self) -> Totals {
        let lines: Vec<_> = self.lines.iter().map(|line| (line.net(), line.vat)).collect();
        totals(&lines, self.discount)
    }

    /// How long all of it takes.
    pub fn minutes(&self) -> i64 {
        self.lines.iter().map(|line| line.minutes).sum()
    }

    /// Whether its last day has passed: it can be accepted until the end of that day, in UTC.
    pub fn is_past(&self, now: DateTime<Utc>) -> bool {
        now.date_naive() > self.valid_until
    }
}

/// A version as it was sent. Its text is what the customer accepts: the same bytes for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    /// How to read this.
    pub format: String,
    /// Which version.
    pub id: QuotationId,
    /// Its number within the integration.
    pub number: i64,
    /// Whose.
    pub tenant: TenantId,
    /// What they are called.
    pub customer: String,
    /// Of which integration.
    pub integration: IntegrationId,
    /// What it is called.
    pub name: String,
    /// With which external system.
    pub system: String,
    /// What it says.
    pub content: Content,
    /// What it comes to.
    pub totals: Totals,
    /// Who sent it.
    pub sent_by: String,
    /// When.
    pub sent_at: DateTime<Utc>,
}

/// The format of [`Document`].
pub const FORMAT: &str = "tributary-quotation-1";

impl Document {
    /// Its one text.
    pub fn text(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).unwrap_or_default();
        text.push('\n');
        text
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

/// The digest of some bytes, as it is printed.
pub fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    crypto::sha256(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What is different between two versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// Of what.
    pub what: String,
    /// As it was; empty: it was not there.
    pub before: String,
    /// As it is; empty: it is not there any more.
    pub after: String,
}

/// All that is different, in the order in which a quotation says it.
pub fn difference(before: &Content, after: &Content) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |what: &str, before: String, after: String| {
        if before != after {
            changes.push(Change { what: what.to_owned(), before, after });
        }
    };
    note("Title", before.title.clone(), after.title.clone());
    note("To", before.addressee.clone(), after.addressee.clone());
    note("Currency", before.currency.code().into(), after.currency.code().into());
    let paired = pairs(&before.lines, &after.lines);
    for (old, new) in paired {
        match (old, new) {
            (Some(old), Some(new)) => {
                let of = |what: &str| format!("“{}”: {what}", new.package);
                note(&of("work package"), old.package.clone(), new.package.clone());
                note(&of("description"), old.description.clone(), new.description.clone());
                note(&of("role"), old.role.clone(), new.role.clone());
                note(&of("pricing"), old.pricing.title().into(), new.pricing.title().into());
                note(&of("hours"), super::hours(old.minutes), super::hours(new.minutes));
                note(&of("rate"), before.currency.told(old.rate), after.currency.told(new.rate));
                note(&of("VAT"), old.vat.to_string(), new.vat.to_string());
            }
            (Some(old), None) => note("Line removed", told(before.currency, old), String::new()),
            (None, Some(new)) => note("Line added", String::new(), told(after.currency, new)),
            (None, None) => {}
        }
    }
    note("Discount", discount(before), discount(after));
    note("Assumptions", before.assumptions.clone(), after.assumptions.clone());
    note("Exclusions", before.exclusions.clone(), after.exclusions.clone());
    note("Valid until", before.valid_until.to_string(), after.valid_until.to_string());
    let (was, is) = (before.totals(), after.totals());
    note("Total without VAT", before.currency.told(was.net), after.currency.told(is.net));
    note("Total with VAT", before.currency.told(was.gross), after.currency.told(is.gross));
    changes
}

/// A discount in words.
pub fn discount(of: &Content) -> String {
    let amount = match of.discount {
        Discount::None => return "none".into(),
        Discount::Percent(part) => part.to_string(),
        Discount::Amount(amount) => of.currency.told(amount),
    };
    if of.discount_reason.is_empty() { amount } else { format!("{amount}, {}", of.discount_reason) }
}

fn told(currency: Currency, line: &Line) -> String {
    format!(
        "{}: {} at {}, {}",
        line.package,
        super::hours(line.minutes),
        currency.told(line.rate),
        line.pricing.title()
    )
}

/// Whether two lines, each at its place, are one.
type Fits = fn((usize, &Line), (usize, &Line)) -> bool;

/// Which line became which: what is the same, then what is called the same, then what is left at the same place.
fn pairs<'a>(before: &'a [Line], after: &'a [Line]) -> Vec<(Option<&'a Line>, Option<&'a Line>)> {
    let mut partner: Vec<Option<usize>> = vec![None; after.len()];
    let mut taken = vec![false; before.len()];
    let by: [Fits; 3] =
        [|(_, old), (_, new)| old == new, |(_, old), (_, new)| old.package == new.package, |(m, _), (n, _)| m == n];
    for fits in by {
        for (n, new) in after.iter().enumerate().filter(|(n, _)| partner[*n].is_none()).collect::<Vec<_>>() {
            let found = before.iter().enumerate().find(|(m, old)| !taken[*m] && fits((*m, old), (n, new)));
            if let Some((m, _)) = found {
                partner[n] = Some(m);
                taken[m] = true;
            }
        }
    }
    let mut all: Vec<_> = after.iter().zip(&partner).map(|(new, old)| (old.map(|m| &before[m]), Some(new))).collect();
    let gone = before.iter().zip(&taken).filter(|(_, taken)| !**taken);
    all.extend(gone.map(|(old, _)| (Some(old), None)));
    all
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(crate) fn line(package: &str, minutes: i64, rate: i64) -> Line {
        Line {
            package: package.into(),
            description: "All of it".into(),
            role: "Consultant".into(),
            pricing: Pricing::Fixed,
            minutes,
            rate,
            vat: Percent(2_500),
        }
    }

    pub(crate) fn content(lines: Vec<Line>) -> Content {
        Content {
            title: "Members".into(),
            addressee: "Harbour Museum".into(),
            currency: Currency::Eur,
            lines,
            discount: Discount::None,
            discount_reason: String::new(),
            assumptions: "A token is there".into(),
            exclusions: String::new(),
            valid_until: "2030-01-31".parse().unwrap(),
        }
    }

    fn contents() -> impl Strategy<Value = Content> {
        let one =
            ("[a-c]", 1..600_i64, 0..20_000_i64).prop_map(|(package, minutes, rate)| line(&package, minutes, rate));
        (prop::collection::vec(one, 0..6), "[xy]?", 0..3_i64).prop_map(|(lines, assumptions, off)| Content {
            assumptions,
            discount: if off == 0 { Discount::None } else { Discount::Percent(Percent(off * 100)) },
            ..content(lines)
        })
    }

    proptest! {
        /// A line comes to hours times rate, exactly, and what is half goes up; up to the most that anybody can write.
        #[test]
        fn a_line_is_hours_times_rate_rounded_once(minutes in 0..=MOST_HOURS * 60, rate in 0..=HIGHEST_RATE) {
            let (product, net) = (i128::from(minutes) * i128::from(rate), i128::from(line("Connect", minutes, rate).net()));
            // net is the whole number for which net - 1/2 <= product / 60 < net + 1/2
            prop_assert!(120 * net - 60 <= 2 * product && 2 * product < 120 * net + 60, "{} of {}", net, product);
        }

        /// A difference says nothing exactly when there is none but the order of lines, and turned round it says the
        /// same from the other side.
        #[test]
        fn a_difference_leaves_nothing_out(one in contents(), other in contents()) {
            prop_assert!(difference(&one, &one).is_empty());
            let sorted = |of: &Content| {
                let mut lines: Vec<_> = of.lines.iter().map(|line| format!("{line:?}")).collect();
                lines.sort();
                (lines, of.assumptions.clone(), of.discount)
            };
            prop_assert_eq!(difference(&one, &other).is_empty(), sorted(&one) == sorted(&other));
        }
    }

    #[test]
    fn a_difference_names_what_changed() {
        let before = content(vec![line("Connect", 480, 15_000), line("Test", 120, 15_000)]);
        let mut after = content(vec![line("Connect", 600, 15_000), line("Train", 120, 12_000)]);
        after.lines[1].vat = Percent(0);
        let told: Vec<_> = difference(&before, &after)
            .into_iter()
            .map(|one| format!("{}: {} → {}", one.what, one.before, one.after))
            .collect();
        assert_eq!(
            told,
            [
                "“Connect”: hours: 8 h → 10 h",
                "“Train”: work package: Test → Train",
                "“Train”: rate: EUR 150.00 → EUR 120.00",
                "“Train”: VAT: 25 % → 0 %",
                "Total without VAT: EUR 1,500.00 → EUR 1,740.00",
                "Total with VAT: EUR 1,875.00 → EUR 2,115.00",
            ]
        );
    }

    #[test]
    fn it_is_good_until_the_end_of_its_last_day() {
        let of = content(Vec::new());
        let at = |text: &str| of.is_past(text.parse().unwrap());
        assert!(!at("2030-01-31T23:59:59Z") && at("2030-02-01T00:00:00Z"));
    }
}
