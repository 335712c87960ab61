//! What was seen of each field: counted once, judged later.
use std::collections::{BTreeMap, HashMap};

use crate::event_types::{
    field::Format,
    spans::{Kind, Node},
};

/// How many different texts of a field are told apart.
const MOST_TEXTS: usize = 64;
/// How many examples are kept, and how long each may be, in characters.
const MOST_EXAMPLES: usize = 3;
const LONGEST_EXAMPLE: usize = 60;
/// Beyond so many, the keys of an object are data and not names.
const MOST_KEYS: usize = 256;

/// All that was seen of one place.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How many values.
    pub count: u64,
    pub nulls: u64,
    pub booleans: u64,
    pub integers: u64,
    /// Numbers with a fraction or an exponent.
    pub fractions: u64,
    pub texts: Texts,
    pub arrays: u64,
    pub objects: u64,
    /// The fields of its objects, as first seen.
    pub fields: Vec<(String, Seen)>,
    index: HashMap<String, usize>,
    /// Set when there were more fields than are kept.
    pub overflowed: bool,
    /// The items of its arrays.
    pub each: Option<Box<Seen>>,
    pub examples: Vec<String>,
}

/// The texts of one place.
#[derive(Debug)]
pub(super) struct Texts {
    pub count: u64,
    pub empty: u64,
    /// Each with how often it was seen; none once there are too many.
    pub known: Option<BTreeMap<String, u64>>,
    /// The forms that all of them have.
    pub formats: Vec<Format>,
    /// How many look like day-month-year, like a number with a decimal comma, like a number that begins with zero, or
    /// like a moment without a zone.
    pub days_first: u64,
    pub commas: u64,
    pub zeros: u64,
    pub zoneless: u64,
    /// All begin with a plus.
    pub pluses: u64,
    /// How many look like a telephone number.
    pub phones: u64,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            count: 0,
            empty: 0,
            known: Some(BTreeMap::new()),
            formats: Format::ALL.to_vec(),
            days_first: 0,
            commas: 0,
            zeros: 0,
            zoneless: 0,
            pluses: 0,
            phones: 0,
        }
    }
}

impl Seen {
    pub(super) fn add(&mut self, text: &str, node: &Node) {
        self.count += 1;
        match &node.kind {
            Kind::Object(members) => {
                self.objects += 1;
                for member in members {
                    if let Some(field) = self.field(&member.key) {
                        field.add(text, &member.value);
                    }
                }
            }
            Kind::Array(items) => {
                self.arrays += 1;
                for item in items {
                    self.each.get_or_insert_default().add(text, item);
                }
            }
            Kind::Scalar => self.scalar(node.raw(text)),
        }
    }

    fn field(&mut self, key: &str) -> Option<&mut Self> {
        let place = match self.index.get(key) {
            Some(place) => *place,
            None if self.fields.len() >= MOST_KEYS => {
                self.overflowed = true;
                return None;
            }
            None => {
                self.fields.push((key.to_owned(), Self::default()));
                self.index.insert(key.to_owned(), self.fields.len() - 1);
                self.fields.len() - 1
            }
        };
        Some(&mut self.fields[place].1)
    }

    fn scalar(&mut self, raw: &str) {
        match raw.as_bytes().first() {
            Some(b'n') => self.nulls += 1,
            Some(b't' | b'f') => {
                self.booleans += 1;
                self.example(raw);
            }
            Some(b'"') => {
                let value: String = serde_json::from_str(raw).unwrap_or_default();
                self.texts.add(&value);
                self.example(&value);
            }
            _ => {
                if raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
                    self.integers += 1;
                } else {
                    self.fractions += 1;
                }
                self.example(raw);
            }
        }
    }

    fn example(&mut self, value: &str) {
        if self.examples.len() >= MOST_EXAMPLES || value.is_empty() {
            return;
        }
        let mut short: String = value.chars().take(LONGEST_EXAMPLE).collect();
        if short.len() < value.len() {
            short.push('…');
        }
        if !self.examples.contains(&short) {
            self.examples.push(short);
        }
    }
}

impl Texts {
    fn add(&mut self, text: &str) {
        self.count += 1;
        self.empty += u64::from(text.is_empty());
        self.formats.retain(|format| has_form(*format, text));
        self.days_first += u64::from(is_day_first(text));
        self.commas += u64::from(has_decimal_comma(text));
        self.zeros += u64::from(text.len() > 1 && text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()));
        self.zoneless += u64::from(is_zoneless(text));
        self.pluses += u64::from(text.trim_start().starts_with('+'));
        self.phones += u64::from(Format::Phone.takes(text));
        if let Some(known) = &mut self.known {
            *known.entry(text.to_owned()).or_default() += 1;
            if known.len() > MOST_TEXTS {
                self.known = None;
            }
        }
    }
}

fn has_form(format: Format, text: &str) -> bool {
    // a URI may be nearly anything with a colon in it: only what is surely an address on the web
    let plausible = match format {
        Format::Uri => text.starts_with("https://") || text.starts_with("http://"),
        Format::Email => text.contains('@'),
        _ => true,
    };
    plausible && format.takes(text)
}

/// `31-12-2026`, `1/2/26`
fn is_day_first(text: &str) -> bool {
    let parts: Vec<_> = text.split(['-', '/', '.']).collect();
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    matches!(parts[..], [day, month, year] if digits(day) && digits(month) && digits(year)
        && day.len() <= 2 && month.len() <= 2 && matches!(year.len(), 2 | 4))
}

/// `12,50`, `1.250,00`
fn has_decimal_comma(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    text.split_once(',').is_some_and(|(whole, cents)| {
        !whole.is_empty()
            && whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
            && (1..=2).contains(&cents.len())
            && cents.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// `2026-01-31T12:00:00`, `2026-01-31 12:00`
fn is_zoneless(text: &str) -> bool {
    let (Some(date), Some(rest)) = (text.get(..10), text.get(10..)) else { return false };
    let mut rest = rest.chars();
    matches!(rest.next(), Some('T' | ' '))
        && rest.all(|c| c.is_ascii_digit() || c == ':' || c == '.')
        && Format::Date.takes(date)
}
