//! **Probe the boundary**: a few small reads around one known record find out what the other side makes of a window:
//! whether its bounds belong to it, how finely it tells moments apart, which zone it means, how it sorts, and whether it
//! looks at the parameters at all. A verdict is called certain only where two reads that differ in nothing but one
//! bound differ in that record; what was not seen is unknown.
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use std::collections::BTreeSet;

use crate::{
    crypto::Secret,
    http_client::Client,
    polling::{
        Window,
        definition::{Bound, Definition, Precision},
        fetch::{Fault, Reading, Record},
    },
};

/// How sure a verdict is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sureness {
    /// It was seen, both ways.
    Certain,
    /// What was seen speaks for it.
    Likely,
    /// It was not seen.
    Unknown,
}

/// What was found out about one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict<T> {
    /// What it is.
    pub value: Option<T>,
    /// How sure that is.
    pub sureness: Sureness,
    /// What was seen.
    pub seen: String,
}

impl<T> Verdict<T> {
    fn unknown(seen: impl Into<String>) -> Self {
        Self { value: None, sureness: Sureness::Unknown, seen: seen.into() }
    }

    fn of(value: T, sureness: Sureness, seen: impl Into<String>) -> Self {
        Self { value: Some(value), sureness, seen: seen.into() }
    }
}

/// How a list is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    /// The oldest first.
    Ascending,
    /// The newest first.
    Descending,
    /// By something else.
    Other,
}

/// What was found out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// Whether it looks at the window.
    pub obeys: Verdict<bool>,
    /// Whether the first moment belongs to a window.
    pub from_bound: Verdict<Bound>,
    /// Whether the last one does.
    pub until_bound: Verdict<Bound>,
    /// How finely it tells moments apart.
    pub precision: Verdict<Precision>,
    /// How far its clock face is from what the definition says, in minutes: a zone that is not the one meant.
    pub offset_minutes: Verdict<i64>,
    /// How it sorts.
    pub order: Verdict<Order>,
    /// How often it was asked.
    pub requests: usize,
}

/// How many times it is asked at most.
const MOST: usize = 12;

struct Prober<'p> {
    client: &'p Client,
    definition: Definition,
    secret: Option<&'p Secret>,
    requests: usize,
}

impl Prober<'_> {
    /// The records of the first page of a window whose bounds are sent exactly as they are.
    async fn ask(&mut self, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Vec<Record>, Fault> {
        self.requests += 1;
        let mut reading = Reading::new(self.client, &self.definition, self.secret, Window::new(from, until), None);
        let mut records = Vec::new();
        while let Some(chunk) = reading.next_of_page().await? {
            records.extend(chunk.records);
        }
        Ok(records)
    }

    async fn holds(&mut self, unique: &str, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<bool, Fault> {
        Ok(self.ask(from, until).await?.iter().any(|record| record.unique == unique))
    }
}

/// Probes around a record of `window`. The definition has to say where the time of a record is.
///
/// # Errors
/// When the other side cannot be asked.
pub async fn boundary(
    client: &Client,
    definition: &Definition,
    secret: Option<&Secret>,
    window: Window,
) -> Result<Findings, Fault> {
    let mut exact = definition.clone();
    // what is sent must be what is meant: nothing is written outward
    exact.window.precision = Precision::Milliseconds;
    exact.window.from_bound = Bound::Inclusive;
    exact.window.until_bound = Bound::Exclusive;
    let granule = exact.granule();
    let mut prober = Prober { client, definition: exact, secret, requests: 0 };
    let all = prober.ask(window.from, window.until).await?;
    let mut found = Findings {
        obeys: Verdict::unknown("no record was found in the window"),
        from_bound: Verdict::unknown("no record was found to look at"),
        until_bound: Verdict::unknown("no record was found to look at"),
        precision: Verdict::unknown("no record was found to look at"),
        offset_minutes: Verdict::unknown("no record was found to look at"),
        order: order(&all),
        requests: 0,
    };
    let times: Vec<_> = all.iter().filter_map(|record| Some((record.unique.clone(), record.time?))).collect();
    found.precision = precision(times.iter().map(|(_, time)| *time));
    if let Some((unique, time)) = times.get(times.len() / 2).cloned() {
        look(&mut prober, &mut found, &unique, time, granule).await?;
    }
    found.requests = prober.requests;
    Ok(found)
}

async fn look(
    prober: &mut Prober<'_>,
    found: &mut Findings,
    unique: &str,
    time: DateTime<Utc>,
    granule: TimeDelta,
) -> Result<(), Fault> {
    let day = TimeDelta::days(2);
    // far before everything: who answers the same does not look at the window
    let long_ago = time - TimeDelta::days(20_000);
    if prober.holds(unique, long_ago, long_ago + TimeDelta::hours(1)).await? {
        found.obeys = Verdict::of(false, Sureness::Certain, "a window decades before the record holds it all the same");
        let why = "the parameters of the window are ignored";
        (found.from_bound, found.until_bound) = (Verdict::unknown(why), Verdict::unknown(why));
        found.offset_minutes = Verdict::unknown(why);
        return Ok(());
    }
    found.obeys = Verdict::of(true, Sureness::Certain, "a window decades before the record does not hold it");
    // windows far wider than a granule on the other side: only one bound is near
    let step = found.precision.value.map_or(granule, Precision::span).max(granule);
    let (low, high) = (time - step, time + step);
    let on = prober.holds(unique, time, time + day).await?;
    let below = prober.holds(unique, low, time + day).await?;
    let above = prober.holds(unique, high, time + day).await?;
    found.from_bound = match (below, on, above) {
        (true, true, false) => Verdict::of(
            Bound::Inclusive,
            Sureness::Certain,
            "a window that begins at its moment holds it, one that begins a step later does not",
        ),
        (true, false, false) => Verdict::of(
            Bound::Exclusive,
            Sureness::Certain,
            "a window that begins at its moment does not hold it, one that begins a step earlier does",
        ),
        _ => Verdict::unknown("windows that begin around its moment hold it in no order that says anything"),
    };
    let on = prober.holds(unique, time - day, time).await?;
    let below = prober.holds(unique, time - day, low).await?;
    let above = prober.holds(unique, time - day, high).await?;
    found.until_bound = match (below, on, above) {
        (false, true, true) => Verdict::of(
            Bound::Inclusive,
            Sureness::Certain,
            "a window that ends at its moment holds it, one that ends a step earlier does not",
        ),
        (false, false, true) => Verdict::of(
            Bound::Exclusive,
            Sureness::Certain,
            "a window that ends at its moment does not hold it, one that ends a step later does",
        ),
        _ => Verdict::unknown("windows that end around its moment hold it in no order that says anything"),
    };
    let seen = found.from_bound.value.is_some() && found.until_bound.value.is_some();
    found.offset_minutes = if seen {
        Verdict::of(0, Sureness::Certain, "the bounds lie where the record's own time is")
    } else {
        offset(prober, unique, time).await?
    };
    Ok(())
}

/// How far off its clock face is: by halves until one hour is left, then by quarters.
async fn offset(prober: &mut Prober<'_>, unique: &str, time: DateTime<Utc>) -> Result<Verdict<i64>, Fault> {
    let (mut low, mut high) = (-15 * 60_i64, 15 * 60_i64);
    let far = TimeDelta::days(3);
    while high - low > 15 && prober.requests < 2 * MOST {
        let middle = (low + high).div_euclid(30) * 15;
        // begins so far after its moment: still holding it, the clock face is further ahead
        if prober.holds(unique, time + TimeDelta::minutes(middle), time + far).await? {
            low = middle
        } else {
            high = middle
        }
    }
    if low == -15 * 60 || high == 15 * 60 {
        return Ok(Verdict::unknown("no shift of up to 15 hours explains what was seen"));
    }
    Ok(Verdict::of(low, Sureness::Likely, format!("the record is found as if its time were about {low} minutes later")))
}

fn order(all: &[Record]) -> Verdict<Order> {
    let times: Vec<_> = all.iter().filter_map(|record| record.time).collect();
    let different = times.iter().collect::<BTreeSet<_>>().len();
    if different < 3 {
        return Verdict::unknown(format!("{different} different times are too few to say"));
    }
    let sureness = if different >= 8 { Sureness::Certain } else { Sureness::Likely };
    let seen = format!("{} records with {different} different times", times.len());
    if times.is_sorted() {
        Verdict::of(Order::Ascending, sureness, seen)
    } else if times.iter().rev().is_sorted() {
        Verdict::of(Order::Descending, sureness, seen)
    } else {
        Verdict::of(Order::Other, Sureness::Certain, seen)
    }
}

/// The coarsest span that all times are whole multiples of.
fn precision(times: impl Iterator<Item = DateTime<Utc>>) -> Verdict<Precision> {
    let millis: BTreeSet<_> = times.map(|time| time.timestamp_millis()).collect();
    if millis.is_empty() {
        return Verdict::unknown("no record has a time that can be read");
    }
    let whole =
        |precision: &&Precision| millis.iter().all(|at| at.rem_euclid(precision.span().num_milliseconds()) == 0);
    let found = Precision::ALL.iter().rev().find(whole).copied().unwrap_or(Precision::Milliseconds);
    let sureness = match (found, millis.len()) {
        // one that is finer settles it
        (Precision::Milliseconds, _) | (_, 8..) => Sureness::Certain,
        (_, 3..) => Sureness::Likely,
        _ => Sureness::Unknown,
    };
    Verdict {
        value: (sureness != Sureness::Unknown).then_some(found),
        sureness,
        seen: format!("{} different times", millis.len()),
    }
}
