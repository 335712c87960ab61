//! What the events of the demo hold. Everybody in it is invented and lives at example.com.
use chrono::{DateTime, Utc};
use rand::{RngExt, SeedableRng, rngs::StdRng, seq::IndexedRandom};
use serde_json::{Value, json};

const FIRST: [&str; 24] = [
    "Anna", "Bram", "Chloe", "Daan", "Eline", "Femke", "Gijs", "Hanna", "Ibrahim", "Jasmijn", "Koen", "Lotte", "Mila",
    "Noah", "Olivia", "Pieter", "Quinten", "Roos", "Sem", "Tess", "Umar", "Vera", "Willem", "Yara",
];
const LAST: [&str; 20] = [
    "Bakker",
    "Bos",
    "Clarke",
    "de Boer",
    "de Vries",
    "Dekker",
    "Evans",
    "Hendriks",
    "Hughes",
    "Jansen",
    "Kaya",
    "Meijer",
    "Mulder",
    "Osei",
    "Peters",
    "Smit",
    "van den Berg",
    "van Dijk",
    "Visser",
    "Yilmaz",
];
const SHOWS: [&str; 6] =
    ["The Tempest", "Jazz at the Quay", "Nutcracker", "Stand-up Thursday", "Piano Nights", "The Lighthouse"];
const ARTICLES: [(&str, i64); 7] = [
    ("Ticket, first rank", 4_250),
    ("Ticket, second rank", 2_950),
    ("Ticket, balcony", 1_950),
    ("Programme", 500),
    ("Interval drink", 650),
    ("Gift card", 2_500),
    ("Tote bag", 1_250),
];
const GATES: [&str; 3] = ["Main hall", "Balcony", "Side door"];
/// How many people there are.
const PEOPLE: u32 = 1_800;

/// What a sender does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The CRM: an e-mail address that is cut off.
    HalfAddress,
    /// The shop's new release: amounts as text with a comma, and another currency.
    AmountAsText,
    /// The gates, before they were mended: ticket numbers without their letter.
    BareNumber,
}

/// The town around the theatre, the same for the same seed.
pub struct World {
    rng: StdRng,
    orders: u32,
    tickets: u32,
    invoices: u32,
}

struct Person {
    id: String,
    first: &'static str,
    last: &'static str,
    email: String,
    mobile: String,
}

/// `n` is taken around the length: everybody has a name.
fn named<const N: usize>(list: [&'static str; N], n: u32) -> &'static str {
    list[n as usize % N]
}

impl World {
    /// The world of a seed; its numbers count on from `first`, so that no two runs have the same.
    pub fn new(seed: u64, first: u32) -> Self {
        Self { rng: StdRng::seed_from_u64(seed), orders: first, tickets: first, invoices: first }
    }

    /// A number in `0..1`.
    pub fn chance(&mut self) -> f64 {
        self.rng.random()
    }

    /// A number below `most`.
    pub fn below(&mut self, most: u32) -> u32 {
        self.rng.random_range(0..most.max(1))
    }

    fn one<T: Copy>(&mut self, of: &[T], else_: T) -> T {
        of.choose(&mut self.rng).copied().unwrap_or(else_)
    }

    fn person(&mut self) -> Person {
        let n = self.below(PEOPLE);
        let (first, last) = (named(FIRST, n), named(LAST, n / 24 + n));
        let plain: String = format!("{first}.{last}").to_lowercase().replace(' ', "");
        Person {
            id: format!("C-{:06}", 100_000 + n),
            first,
            last,
            email: format!("{plain}{}@example.com", n % 97),
            // a range that the regulator keeps free for fiction
            mobile: format!("+44 7700 900{:03}", n % 1_000),
        }
    }

    pub(super) fn contact(&mut self, at: DateTime<Utc>, fault: Option<Fault>) -> Value {
        let person = self.person();
        let email = match fault {
            Some(Fault::HalfAddress) => person.email.split_inclusive('@').next().unwrap_or_default().to_owned(),
            _ => person.email,
        };
        json!({
            "Contact ID": person.id,
            "Email Address": email,
            "First Name": person.first,
            "Last Name": person.last,
            "Mobile Number": person.mobile,
            "Newsletter": self.chance() < 0.6,
            "Updated At": moment(at),
        })
    }

    pub(super) fn order(&mut self, at: DateTime<Utc>, fault: Option<Fault>) -> Value {
        self.orders += 1;
        let person = self.person();
        let mut cents = 0;
        let lines: Vec<_> = (0..=self.below(3))
            .map(|_| {
                let (article, price) = self.one(&ARTICLES, ARTICLES[0]);
                let quantity = i64::from(1 + self.below(3));
                cents += price * quantity;
                json!({"Article": article, "Quantity": quantity, "Price": euros(price)})
            })
            .collect();
        let mut order = json!({
            "Order Number": format!("HT-{:06}", self.orders),
            "Email Address": person.email,
            "Amount": euros(cents),
            "Currency": if self.chance() < 0.93 { "EUR" } else { "GBP" },
            "Placed At": moment(at),
            "Lines": lines,
        });
        if fault == Some(Fault::AmountAsText) {
            order["Amount"] = json!(format!("{},{:02}", cents / 100, cents % 100));
            if self.chance() < 0.4 {
                order["Currency"] = json!("EURO");
            }
        } else if self.chance() < 0.08 {
            order["Voucher Code"] = json!("AUTUMN10");
        }
        order
    }

    pub(super) fn scan(&mut self, at: DateTime<Utc>, fault: Option<Fault>) -> Value {
        self.tickets += 1;
        let person = self.person();
        let letter = if fault == Some(Fault::BareNumber) { "" } else { "T" };
        let show = SHOWS[usize::try_from(at.timestamp() / 86_400).unwrap_or(0) % SHOWS.len()];
        json!({
            "Ticket Number": format!("{letter}{:08}", 20_260_000 + self.tickets),
            "Email Address": person.email,
            "Show": show,
            "Gate": self.one(&GATES, GATES[0]),
            "Scanned At": moment(at),
        })
    }

    pub(super) fn invoice(&mut self, at: DateTime<Utc>) -> Value {
        self.invoices += 1;
        let customer = 100_000 + self.below(PEOPLE);
        let cents = i64::from(1_000 + self.below(40_000));
        json!({
            "Invoice Number": format!("INV-{:06}", self.invoices),
            "Customer Number": format!("C-{customer:06}"),
            "Amount": euros(cents),
            "Paid On": (at - chrono::TimeDelta::days(1)).date_naive(),
        })
    }
}

/// An amount as a number, of at most a few thousand: exact enough for a double.
fn euros(cents: i64) -> Value {
    format!("{}.{:02}", cents / 100, cents % 100).parse::<f64>().map_or(Value::Null, Value::from)
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
