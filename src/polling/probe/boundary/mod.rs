//! **Probe the boundary**: a few small reads around one known record find out what the other side makes of a window:
//! whether its bounds belong to it, how finely it tells moments apart, which zone it means, how it sorts, and whether it
//! looks at the parameters at all. A verdict is called certain only where two reads that differ in nothing but one
//! bound differ in that record, and nothing finer than what can be asked for may lie between them; what was not seen is
//! unknown.
use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Serialize;

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

/// How many pages of a window are looked at.
const PAGES: usize = 8;
/// How far apart zones are, in minutes, and how far they reach.
const QUARTER: i64 = 15;
const FARTHEST: i64 = 15 * 60;

struct Prober<'p> {
    client: &'p Client,
    definition: Definition,
    secret: Option<&'p Secret>,
    requests: usize,
}

/// What two reads saw of a record: none, when there was more than can be looked at.
type Seen = Option<bool>;

impl Prober<'_> {
    /// The records of the first pages of a window whose bounds are sent exactly as they are, as far as `enough` says;
    /// and whether that was all.
    async fn ask(
        &mut self,
        window: Window,
        pages: usize,
        enough: impl Fn(&Record) -> bool,
    ) -> Result<(Vec<Record>, bool), Fault> {
        let mut reading = Reading::new(self.client, &self.definition, self.secret, window, None);
        let mut records = Vec::new();
        let mut page = 0;
        let asked = loop {
            match reading.next_of_page().await {
                Ok(Some(chunk)) => {
                    let found = chunk.records.iter().any(&enough);
                    records.extend(chunk.records);
                    if found {
                        break Ok(true);
                    }
                }
                Ok(None) => {
                    page += 1;
                    if reading.is_at_end() || page == pages {
                        break Ok(reading.is_at_end());
                    }
                }
                Err(fault) => break Err(fault),
            }
        };
        self.requests += reading.evidence().len();
        Ok((records, asked?))
    }

    async fn holds(&mut self, known: &Known, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<Seen, Fault> {
        let is_it = |record: &Record| record.unique == known.unique;
        let (records, all) = self.ask(Window::new(from, until), PAGES, is_it).await?;
        if records.iter().any(is_it) { Ok(Some(true)) } else { Ok(all.then_some(false)) }
    }

    /// Windows that begin `by` before a moment, at it, and `by` after it.
    async fn around_from(&mut self, known: &Known, at: DateTime<Utc>, by: TimeDelta) -> Result<[Seen; 3], Fault> {
        let end = at + known.step * 3;
        Ok([
            self.holds(known, at - by, end).await?,
            self.holds(known, at, end).await?,
            self.holds(known, at + by, end).await?,
        ])
    }

    /// Windows that end `by` before a moment, at it, and `by` after it.
    async fn around_until(&mut self, known: &Known, at: DateTime<Utc>, by: TimeDelta) -> Result<[Seen; 3], Fault> {
        let begin = at - known.step * 3;
        Ok([
            self.holds(known, begin, at - by).await?,
            self.holds(known, begin, at).await?,
            self.holds(known, begin, at + by).await?,
        ])
    }

    /// What reads around a moment say of the bounds that are looked at.
    async fn around(
        &mut self,
        known: &Known,
        at: DateTime<Utc>,
        by: TimeDelta,
        looks_at: [bool; 2],
    ) -> Result<[Option<Bound>; 2], Fault> {
        let from = if looks_at[0] { says(self.around_from(known, at, by).await?) } else { None };
        let until = if looks_at[1] { says(self.around_until(known, at, by).await?) } else { None };
        Ok([from, until])
    }
}

/// The record that is looked for.
struct Known {
    unique: String,
    /// Its own time.
    time: DateTime<Utc>,
    /// What its time is a whole number of.
    step: TimeDelta,
    /// The least span that can be asked for.
    finest: TimeDelta,
    order: Option<Order>,
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
    let (finest, bounded) = (exact.granule(), exact.is_bounded());
    let zone = exact.record_time.as_ref().map_or(Tz::UTC, |rule| rule.format.zone());
    let mut prober = Prober { client, definition: exact, secret, requests: 0 };
    let (all, _) = prober.ask(window, 1, |_| false).await?;
    let nothing = "no record with a time was found in the window";
    let mut found = Findings {
        obeys: Verdict::unknown(nothing),
        from_bound: Verdict::unknown(nothing),
        until_bound: Verdict::unknown(nothing),
        precision: Verdict::unknown(nothing),
        offset_minutes: Verdict::unknown(nothing),
        order: order(&all),
        requests: 0,
    };
    let times: Vec<_> = all.iter().filter_map(|record| Some((record.unique.clone(), record.time?))).collect();
    found.precision = precision(times.iter().map(|(_, time)| *time), zone);
    if let Some((unique, time)) = times.get(times.len() / 2).cloned() {
        let step = found.precision.value.map_or(finest, Precision::span).max(finest);
        let known = Known { unique, time, step, finest, order: found.order.value };
        look(&mut prober, &mut found, &known, bounded).await?;
    }
    found.requests = prober.requests;
    Ok(found)
}

async fn look(prober: &mut Prober<'_>, found: &mut Findings, known: &Known, bounded: bool) -> Result<(), Fault> {
    let (time, far, hour) = (known.time, TimeDelta::days(400), TimeDelta::hours(1));
    // far before it and far after it: who answers with it all the same does not look at that bound
    let before = prober.holds(known, time - far - hour, time - far).await?;
    let after = if bounded || before == Some(true) {
        prober.holds(known, time + far, time + far + hour).await?
    } else {
        Some(false)
    };
    let (looks_at_from, looks_at_until) = (after == Some(false), before == Some(false) && bounded);
    found.obeys = match (before, after) {
        (Some(true), Some(true)) => {
            Verdict::of(false, Sureness::Certain, "windows long before and long after the record hold it all the same")
        }
        (Some(false), Some(false)) => {
            Verdict::of(true, Sureness::Certain, "windows long before and long after the record do not hold it")
        }
        (Some(true), Some(false)) if !bounded => {
            Verdict::of(true, Sureness::Certain, "what is asked for since long after the record does not hold it")
        }
        (Some(true), Some(false)) => {
            Verdict::of(false, Sureness::Certain, "it looks at the first moment alone: the last one is ignored")
        }
        (Some(false), Some(true)) => {
            Verdict::of(false, Sureness::Certain, "it looks at the last moment alone: the first one is ignored")
        }
        _ => Verdict::unknown("there are too many records to see whether it looks at the window"),
    };
    let ignored = "that parameter of the window is ignored";
    found.from_bound = Verdict::unknown(ignored);
    found.until_bound = Verdict::unknown(if bounded { ignored } else { "windows of this source have no last moment" });
    found.offset_minutes = Verdict::unknown("the parameters of the window are ignored");
    if !looks_at_from && !looks_at_until {
        return Ok(());
    }
    bounds(prober, found, known, [looks_at_from, looks_at_until]).await
}

/// What three reads around a moment say of a bound there: whether the read at the moment itself is like the one on the
/// inner side of it. None: nothing.
fn says(seen: [Seen; 3]) -> Option<Bound> {
    match seen {
        [Some(true), Some(true), Some(false)] | [Some(false), Some(true), Some(true)] => Some(Bound::Inclusive),
        [Some(true), Some(false), Some(false)] | [Some(false), Some(false), Some(true)] => Some(Bound::Exclusive),
        _ => None,
    }
}

/// Looks where the bounds lie, and what is done with a record that lies upon one: as finely as can be asked for, first
/// at the record's own time, then where another zone would put it. A time that is kept more finely than it is shown
/// lies behind them all.
async fn bounds(
    prober: &mut Prober<'_>,
    found: &mut Findings,
    known: &Known,
    looks_at: [bool; 2],
) -> Result<(), Fault> {
    let (finest, step) = (known.finest, known.step);
    let any = |said: &[Option<Bound>; 2]| said.iter().any(Option::is_some);
    let mut said = prober.around(known, known.time, finest, looks_at).await?;
    if any(&said) {
        found.offset_minutes = Verdict::of(0, Sureness::Certain, "the bounds lie where the record's own time is");
    } else if let Some(quarter) = offset(prober, known, looks_at[0]).await? {
        // the moment that is left out lies at the next quarter of an hour
        for minutes in [quarter, quarter + QUARTER] {
            said = prober.around(known, known.time + TimeDelta::minutes(minutes), finest, looks_at).await?;
            if any(&said) {
                let seen = format!("the record is found as if its time were {minutes} minutes later than it says");
                found.offset_minutes = Verdict::of(minutes, Sureness::Likely, seen);
                break;
            }
        }
    }
    let mut hidden = false;
    if !any(&said) && finest < step {
        said = prober.around(known, known.time, step, looks_at).await?;
        hidden = any(&said);
        if hidden {
            found.offset_minutes = Verdict::of(0, Sureness::Likely, "the bounds lie near the record's own time");
            found.precision.sureness = Sureness::Likely;
            found.precision.seen = "its times are shown so, but kept more finely".into();
        }
    }
    if !any(&said) {
        found.offset_minutes = Verdict::unknown("no shift of up to 15 hours explains what was seen");
    }
    // where nothing finer can be asked for, only what is at the moment itself and on no side of it proves the moment
    let proven = finest < step || said[0] == Some(Bound::Exclusive) || said[1] == Some(Bound::Inclusive);
    let verdict = |bound: Option<Bound>, does: &str| match bound {
        None => Verdict::unknown("windows around its moment hold it in no order that says anything"),
        // asked for a little more, nothing can be missed
        Some(_) if hidden => Verdict::of(
            Bound::Exclusive,
            Sureness::Likely,
            "times are kept more finely than they are shown: taken so, a little more is asked for, and nothing is missed",
        ),
        Some(bound) if proven => {
            let (at, beside) = match bound {
                Bound::Inclusive => ("holds it", "a little further in does not"),
                Bound::Exclusive => ("does not hold it", "a little further out does"),
            };
            Verdict::of(bound, Sureness::Certain, format!("a window that {does} at its moment {at}, one {beside}"))
        }
        Some(bound) => Verdict::of(
            bound,
            Sureness::Likely,
            "so it seems, unless times are kept more finely than can be asked for: exclusive is safe in any case",
        ),
    };
    if looks_at[0] {
        found.from_bound = verdict(said[0], "begins");
    }
    if looks_at[1] {
        found.until_bound = verdict(said[1], "ends");
    }
    Ok(())
}

/// How far off the clock face of the bounds is, in quarters of an hour, by halves; none when no such shift explains
/// what is seen. A list that begins with the newest record is asked by its end, so that few pages are read.
async fn offset(prober: &mut Prober<'_>, known: &Known, by_from: bool) -> Result<Option<i64>, Fault> {
    let by_until = known.order == Some(Order::Descending) || !by_from;
    let far = TimeDelta::minutes(2 * FARTHEST);
    // `low` lies before the bound, `high` behind it
    let (mut low, mut high) = (-FARTHEST, FARTHEST);
    while high - low > QUARTER {
        let middle = (low + high).div_euclid(2 * QUARTER) * QUARTER;
        let at = known.time + TimeDelta::minutes(middle);
        let seen = if by_until {
            prober.holds(known, at - far, at).await?.map(|holds| !holds)
        } else {
            prober.holds(known, at, at + far).await?
        };
        match seen {
            Some(true) => low = middle,
            Some(false) => high = middle,
            None => return Ok(None),
        }
    }
    Ok((low > -FARTHEST && high < FARTHEST).then_some(low))
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

/// The coarsest span that all times are whole multiples of: by UTC, or by the clock on the wall where they are shown.
fn precision(times: impl Iterator<Item = DateTime<Utc>>, zone: Tz) -> Verdict<Precision> {
    let times: BTreeSet<_> = times.collect();
    if times.is_empty() {
        return Verdict::unknown("no record has a time that can be read");
    }
    let all_whole = |precision: &&Precision, face: fn(&DateTime<Utc>, Tz) -> i64| {
        times.iter().all(|time| face(time, zone).rem_euclid(precision.span().num_milliseconds()) == 0)
    };
    let whole = |precision: &&Precision| {
        all_whole(precision, |time, _| time.timestamp_millis())
            || all_whole(precision, |time, zone| time.with_timezone(&zone).naive_local().and_utc().timestamp_millis())
    };
    let found = Precision::ALL.iter().rev().find(whole).copied().unwrap_or(Precision::Milliseconds);
    let sureness = match (found, times.len()) {
        // one that is finer settles it
        (Precision::Milliseconds, _) | (_, 8..) => Sureness::Certain,
        (_, 3..) => Sureness::Likely,
        _ => Sureness::Unknown,
    };
    Verdict {
        value: (sureness != Sureness::Unknown).then_some(found),
        sureness,
        seen: format!("{} different times", times.len()),
    }
}

#[cfg(test)]
mod tests;
