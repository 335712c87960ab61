//! What one transaction of the lane holds, decided without touching the database: which events are new, which
//! repeat an earlier one, which conflict with one, and which requests were seen before.
use std::{
    collections::{HashMap, HashSet},
    fmt::Write,
};

use serde::{Deserialize, Serialize};

use super::{Append, Claim, Half, Mend, Mends, Once, Outcome, Progress, Row, Verdict};
use crate::{
    event_types::Breach,
    ids::{EventId, EventTypeId, ReceiptId, TenantId, TokenId, WindowId},
    metrics::Stored,
};

/// What became of the events of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// How many were accepted.
    pub accepted: usize,
    /// The place of each that repeats an earlier event, and that event.
    pub duplicates: Vec<(usize, EventId)>,
    /// Those that broke their contract: the inside of the answer's `rejected`; empty when there are none.
    pub rejected: String,
    /// Those accepted with a warning, likewise.
    pub warnings: String,
}

impl Summary {
    /// 201 when anything was accepted or recognised, 422 when all of it broke its contract.
    pub fn status(&self) -> u16 {
        if self.accepted + self.duplicates.len() > 0 { 201 } else { 422 }
    }

    /// Notes the errors (a JSON array) of the event at `index`.
    pub fn list(to: &mut String, index: usize, errors: &str) {
        let comma = if to.is_empty() { "" } else { "," };
        let _ = write!(to, r#"{comma}{{"index":{index},"errors":{errors}}}"#);
    }

    /// Notes an event that is stored with its verdict.
    pub fn add(&mut self, index: usize, verdict: Verdict, errors: Option<&str>) {
        match verdict {
            Verdict::Accepted => {
                self.accepted += 1;
                if let Some(errors) = errors {
                    Self::list(&mut self.warnings, index, errors);
                }
            }
            // mended or not: it was rejected then
            Verdict::Quarantined | Verdict::Mended => Self::list(&mut self.rejected, index, errors.unwrap_or("[]")),
        }
    }
}

/// What one commit adds up to for one tenant, type and token: what the follower of batches counts.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq, Eq)]
pub struct Tally {
    /// Whose events.
    pub tenant: TenantId,
    /// Their type.
    pub event_type: EventTypeId,
    /// The token they came with.
    pub source: Option<TokenId>,
    /// How many were accepted.
    pub accepted: i64,
    /// How many were quarantined.
    pub quarantined: i64,
    /// How many repeated an earlier event.
    pub duplicates: i64,
    /// The newest receipt.
    pub last: ReceiptId,
}

/// Body, receipt and summary of the request that used an idempotency key first.
type First = ([u8; 32], ReceiptId, Summary);

/// What is known of the keys and values that a batch asks about.
#[derive(Default)]
pub(super) struct Known {
    /// Unique values seen before: content and event of the first.
    pub values: HashMap<(TenantId, EventTypeId, Half), (Half, EventId)>,
    /// Idempotency keys seen before: body, receipt, and what became of it.
    pub keys: HashMap<(TenantId, [u8; 32]), First>,
    /// Events in quarantine that were mended before, and by which event.
    pub mended: HashMap<(TenantId, EventId), EventId>,
    /// Windows that are held by the epoch they are written for.
    pub held: HashSet<(TenantId, WindowId)>,
}

/// What is to be written, and what is to be answered.
#[derive(Default)]
pub(super) struct Plan<'j> {
    /// One for each request, in their order.
    pub outcomes: Vec<Outcome>,
    pub events: Vec<NewEvent<'j>>,
    pub claims: Vec<Claim>,
    pub receipts: Vec<(TenantId, ReceiptId, Summary)>,
    pub keys: Vec<(TenantId, Once, ReceiptId)>,
    pub tallies: Vec<Tally>,
    pub mended: Vec<Mended<'j>>,
    pub progress: Vec<Advance<'j>>,
    /// Whose requests stored something, and their receipts from the first to the last.
    pub stored: Spans,
}

/// For each tenant, between which receipts its requests lie.
#[derive(Default)]
pub(super) struct Spans(Vec<(TenantId, ReceiptId, ReceiptId)>);

impl Spans {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn hold(&mut self, tenant: TenantId, receipt: ReceiptId) {
        // as with tallies: the last one most often
        match self.0.iter_mut().rfind(|(owner, ..)| *owner == tenant) {
            Some((_, first, last)) => (*first, *last) = (receipt.min(*first), receipt.max(*last)),
            None => self.0.push((tenant, receipt, receipt)),
        }
    }

    /// As `batches` has them: tenant and receipt, of the first and of the last.
    pub fn to_bytes(&self) -> Vec<u8> {
        let ends = self.0.iter().flat_map(|(tenant, first, last)| [(tenant, first), (tenant, last)]);
        ends.flat_map(|(tenant, receipt)| [tenant.0.into_bytes(), receipt.0.into_bytes()]).flatten().collect()
    }
}

/// What one request has mended: each original, and the event in its place.
pub(super) struct Mended<'j> {
    pub append: &'j Append,
    pub mends: &'j Mends,
    pub pairs: Vec<(EventId, EventId)>,
}

/// How far a window comes, and what its records became.
pub(super) struct Advance<'j> {
    pub append: &'j Append,
    pub progress: &'j Progress,
    pub became: Became,
}

/// What records became: how many of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Became {
    pub fresh: i64,
    pub duplicates: i64,
    pub quarantined: i64,
}

impl Became {
    pub fn add(&mut self, more: Self) {
        self.fresh += more.fresh;
        self.duplicates += more.duplicates;
        self.quarantined += more.quarantined;
    }
}

/// An event to be written.
pub(super) struct NewEvent<'j> {
    pub tenant: TenantId,
    pub id: EventId,
    pub source: Option<TokenId>,
    pub row: &'j Row,
    /// In place of the row's own, when it conflicts.
    pub conflict: Option<String>,
}

impl NewEvent<'_> {
    pub fn verdict(&self) -> Verdict {
        if self.conflict.is_some() { Verdict::Quarantined } else { self.row.verdict }
    }

    pub fn errors(&self) -> Option<&str> {
        self.conflict.as_deref().or(self.row.errors.as_deref())
    }
}

enum Fate {
    New,
    Duplicate(EventId),
    Conflict(EventId),
}

/// Decides a batch. `known` holds what the database says of its keys and values, and learns what the batch adds.
pub(super) fn decide<'j>(jobs: impl Iterator<Item = &'j Append>, known: &mut Known) -> Plan<'j> {
    let mut plan = Plan::default();
    for append in jobs {
        let outcome = plan.decide_one(append, known);
        plan.outcomes.push(outcome);
    }
    plan
}

impl<'j> Plan<'j> {
    /// What the plan stores, once it is committed.
    pub fn counted(&self) -> Stored {
        let sum = |of: fn(&Tally) -> i64| u64::try_from(self.tallies.iter().map(of).sum::<i64>()).unwrap_or(0);
        Stored {
            accepted: sum(|tally| tally.accepted),
            quarantined: sum(|tally| tally.quarantined),
            duplicates: sum(|tally| tally.duplicates),
        }
    }

    fn decide_one(&mut self, append: &'j Append, known: &mut Known) -> Outcome {
        if let Some(mends) = &append.mends {
            return self.mend(append, mends, known);
        }
        if let Some(once) = &append.once
            && let Some((body, receipt, summary)) = known.keys.get(&(append.tenant, once.key))
        {
            return if *body == once.body { Outcome::Repeated(*receipt, summary.clone()) } else { Outcome::KeyReused };
        }
        if let Some(progress) = &append.progress
            && !known.held.contains(&(append.tenant, progress.window))
        {
            return Outcome::Fenced;
        }
        let fates = fates(append, known);
        if let Some(summary) = refusal(append, &fates) {
            return Outcome::Refused(summary);
        }
        let summary = self.store(append, fates, known);
        if let Some(progress) = &append.progress {
            self.advance(append, progress, &summary);
            return Outcome::Stored(summary);
        }
        if append.once.is_some() || !summary.duplicates.is_empty() {
            self.receipts.push((append.tenant, append.receipt, summary.clone()));
        }
        if let Some(once) = &append.once {
            known.keys.insert((append.tenant, once.key), (once.body, append.receipt, summary.clone()));
            self.keys.push((append.tenant, once.clone(), append.receipt));
        }
        Outcome::Stored(summary)
    }

    fn advance(&mut self, append: &'j Append, progress: &'j Progress, summary: &Summary) {
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let (fresh, duplicates) = (count(summary.accepted), count(summary.duplicates.len()));
        let quarantined = count(append.rows.len()) - fresh - duplicates;
        self.progress.push(Advance { append, progress, became: Became { fresh, duplicates, quarantined } });
    }

    fn store(&mut self, append: &'j Append, fates: Vec<Fate>, known: &mut Known) -> Summary {
        let mut summary = Summary::default();
        let tenant = append.tenant;
        for (index, (row, fate)) in append.rows.iter().zip(fates).enumerate() {
            let id = append.receipt.event(index);
            let conflict = match fate {
                Fate::Duplicate(first) => {
                    summary.duplicates.push((index, first));
                    self.tally(append, row.event_type).duplicates += 1;
                    continue;
                }
                Fate::Conflict(first) => Some(conflict_error(row, first)),
                Fate::New => None,
            };
            let event = NewEvent { tenant, id, source: append.source, row, conflict };
            summary.add(index, event.verdict(), event.errors());
            match event.verdict() {
                Verdict::Accepted => self.tally(append, row.event_type).accepted += 1,
                Verdict::Quarantined | Verdict::Mended => self.tally(append, row.event_type).quarantined += 1,
            }
            // only an accepted event claims its value: one in quarantine may be sent again, mended. What was polled is
            // read again as it was, and stays in quarantine once
            let claims = event.verdict() == Verdict::Accepted || append.progress.is_some();
            if let (true, Some(unique)) = (claims, &row.unique) {
                let key = (tenant, row.event_type, unique.value);
                if known.values.insert(key, (unique.content, id)).is_none() {
                    self.claims.push((tenant, row.event_type, unique.value, unique.content, id));
                }
            }
            self.events.push(event);
        }
        if append.progress.is_none() || !append.rows.is_empty() {
            self.stored.hold(tenant, append.receipt);
        }
        summary
    }

    /// A request that mends: each of its rows is accepted once in place of its original, or not stored at all.
    fn mend(&mut self, append: &'j Append, mends: &'j Mends, known: &mut Known) -> Outcome {
        let mut became = Vec::with_capacity(append.rows.len());
        for (index, (row, (original, source))) in append.rows.iter().zip(&mends.originals).enumerate() {
            let one = self.mend_one(append, row, (index, *original, *source), known);
            if let Mend::New(id) | Mend::Same(id) = one {
                known.mended.insert((append.tenant, *original), id);
            }
            became.push(one);
        }
        let pairs: Vec<_> = mends
            .originals
            .iter()
            .zip(&became)
            .filter_map(|((original, _), one)| match one {
                Mend::New(id) | Mend::Same(id) => Some((*original, *id)),
                Mend::Before(_) | Mend::Still(_) => None,
            })
            .collect();
        if !pairs.is_empty() {
            self.stored.hold(append.tenant, append.receipt);
            self.mended.push(Mended { append, mends, pairs });
        }
        Outcome::Mended(became)
    }

    fn mend_one(
        &mut self,
        append: &'j Append,
        row: &'j Row,
        (index, original, source): (usize, EventId, Option<TokenId>),
        known: &mut Known,
    ) -> Mend {
        let tenant = append.tenant;
        if let Some(before) = known.mended.get(&(tenant, original)) {
            return Mend::Before(*before);
        }
        if row.verdict != Verdict::Accepted {
            return Mend::Still(row.errors.clone().unwrap_or_else(|| "[]".into()));
        }
        let id = append.receipt.event(index);
        if let Some(unique) = &row.unique {
            let key = (tenant, row.event_type, unique.value);
            match known.values.get(&key) {
                Some((content, first)) if *content == unique.content => return Mend::Same(*first),
                Some((_, first)) => return Mend::Still(conflict_error(row, *first)),
                None => {
                    known.values.insert(key, (unique.content, id));
                    self.claims.push((tenant, row.event_type, unique.value, unique.content, id));
                }
            }
        }
        self.tally(append, row.event_type).accepted += 1;
        self.events.push(NewEvent { tenant, id, source, row, conflict: None });
        Mend::New(id)
    }

    fn tally(&mut self, append: &Append, event_type: EventTypeId) -> &mut Tally {
        let same = |t: &Tally| t.event_type == event_type && t.tenant == append.tenant && t.source == append.source;
        // few different ones in a batch, and the last one most often: a search from the end beats a map
        let at = self.tallies.iter().rposition(same).unwrap_or_else(|| {
            self.tallies.push(Tally {
                tenant: append.tenant,
                event_type,
                source: append.source,
                accepted: 0,
                quarantined: 0,
                duplicates: 0,
                last: append.receipt,
            });
            self.tallies.len() - 1
        });
        let tally = &mut self.tallies[at];
        tally.last = tally.last.max(append.receipt);
        tally
    }
}

/// What each event of a request is, seen against what is known and against those before it in the same request.
fn fates(append: &Append, known: &Known) -> Vec<Fate> {
    let mut own: HashMap<(EventTypeId, Half), (Half, EventId)> = HashMap::new();
    let mut fates = Vec::with_capacity(append.rows.len());
    for (index, row) in append.rows.iter().enumerate() {
        let counts = row.verdict == Verdict::Accepted || append.progress.is_some();
        let (Some(unique), true) = (&row.unique, counts) else {
            fates.push(Fate::New);
            continue;
        };
        let first = known
            .values
            .get(&(append.tenant, row.event_type, unique.value))
            .or_else(|| own.get(&(row.event_type, unique.value)));
        fates.push(match first {
            Some((content, first)) if *content == unique.content => Fate::Duplicate(*first),
            Some((_, first)) => Fate::Conflict(*first),
            None => {
                own.insert((row.event_type, unique.value), (unique.content, append.receipt.event(index)));
                Fate::New
            }
        });
    }
    fates
}

/// What is answered when one event refuses the whole request: all that is wrong with it. A strict request minds every
/// breach, also one that its type only warns of.
fn refusal(append: &Append, fates: &[Fate]) -> Option<Summary> {
    let broken = |row: &Row, fate: &Fate| row.errors.is_some() || matches!(fate, Fate::Conflict(_));
    let rows = || append.rows.iter().zip(fates);
    if !rows().any(|(row, fate)| broken(row, fate) && (append.strict || row.refuse)) {
        return None;
    }
    let mut summary = Summary::default();
    for (index, (row, fate)) in rows().enumerate() {
        match fate {
            Fate::Conflict(first) => {
                summary.add(index, Verdict::Quarantined, Some(&conflict_error(row, *first)));
            }
            Fate::New | Fate::Duplicate(_) if append.strict || row.verdict == Verdict::Quarantined => {
                if let Some(errors) = &row.errors {
                    summary.add(index, Verdict::Quarantined, Some(errors));
                }
            }
            Fate::New | Fate::Duplicate(_) => {}
        }
    }
    Some(summary)
}

fn conflict_error(row: &Row, first: EventId) -> String {
    let path = row.unique.as_ref().map_or("", |unique| &*unique.path);
    let message = format!("event {first} has the same value with another payload");
    Breach::list(&[Breach::new(path, "conflict", message)])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::{clock::Clock, db::lane::Unique};

    fn append(rows: &[(u8, u8)], strict: bool, once: Option<(u8, u8)>) -> Append {
        let clock = Clock::system();
        Append {
            tenant: TenantId(uuid::Uuid::nil()),
            receipt: ReceiptId::issue(&clock),
            source: None,
            rows: rows
                .iter()
                .map(|(value, content)| Row {
                    event_type: EventTypeId(uuid::Uuid::nil()),
                    verdict: Verdict::Accepted,
                    payload: Bytes::from_static(b"{}"),
                    errors: None,
                    unique: Some(Unique { value: [*value; 16], content: [*content; 16], path: Arc::from("/id") }),
                    refuse: false,
                })
                .collect(),
            strict,
            once: once.map(|(key, body)| Once { key: [key; 32], body: [body; 32] }),
            mends: None,
            progress: None,
        }
    }

    #[test]
    fn a_repeat_is_a_duplicate_and_another_payload_a_conflict() {
        let request = append(&[(1, 1), (1, 1), (1, 2)], false, None);
        let plan = decide([&request].into_iter(), &mut Known::default());
        let Outcome::Stored(summary) = &plan.outcomes[0] else { panic!("{:?}", plan.outcomes) };
        assert_eq!((summary.accepted, summary.duplicates.as_slice()), (1, &[(1, request.receipt.event(0))][..]));
        assert!(summary.rejected.contains(r#""index":2"#) && summary.rejected.contains(r#""rule":"conflict""#));
        assert_eq!((plan.events.len(), plan.claims.len(), plan.receipts.len()), (2, 1, 1));
    }

    #[test]
    fn a_strict_request_with_a_conflict_leaves_nothing_behind() {
        let (first, strict, third) =
            (append(&[(1, 1)], false, None), append(&[(2, 2), (1, 9)], true, None), append(&[(2, 3)], false, None));
        let plan = decide([&first, &strict, &third].into_iter(), &mut Known::default());
        assert!(matches!(&plan.outcomes[1], Outcome::Refused(s) if s.status() == 422));
        // the refused request has not claimed the value 2
        assert!(matches!(&plan.outcomes[2], Outcome::Stored(s) if s.accepted == 1));
        assert_eq!(plan.events.len(), 2);
    }

    #[test]
    fn a_twin_in_the_same_batch_is_answered_like_the_first() {
        let (first, twin, other) = (
            append(&[(1, 1)], false, Some((7, 7))),
            append(&[(1, 1)], false, Some((7, 7))),
            append(&[], false, Some((7, 8))),
        );
        let plan = decide([&first, &twin, &other].into_iter(), &mut Known::default());
        assert!(matches!(&plan.outcomes[1], Outcome::Repeated(r, s) if *r == first.receipt && s.accepted == 1));
        assert!(matches!(&plan.outcomes[2], Outcome::KeyReused));
        assert_eq!((plan.events.len(), plan.keys.len()), (1, 1));
    }

    #[test]
    fn an_original_is_mended_once_and_one_that_conflicts_is_not_stored() {
        let originals = append(&[(9, 9), (9, 9), (9, 9), (9, 9)], false, None).receipt;
        let mend = |rows: &[(u8, u8)], of: &[usize]| Append {
            mends: Some(Mends {
                originals: of.iter().map(|n| (originals.event(*n), None)).collect(),
                by: "cli".into(),
                task: None,
                trail: None,
            }),
            ..append(rows, false, None)
        };
        let (first, second) = (mend(&[(1, 1), (1, 1), (1, 2)], &[0, 1, 2]), mend(&[(4, 4), (5, 5)], &[0, 2]));
        let plan = decide([&first, &second].into_iter(), &mut Known::default());
        let accepted = first.receipt.event(0);
        let Outcome::Mended(became) = &plan.outcomes[0] else { panic!("{:?}", plan.outcomes) };
        assert_eq!(became[..2], [Mend::New(accepted), Mend::Same(accepted)]);
        assert!(matches!(&became[2], Mend::Still(errors) if errors.contains("conflict")));
        let Outcome::Mended(became) = &plan.outcomes[1] else { panic!("{:?}", plan.outcomes) };
        assert_eq!(became[..], [Mend::Before(accepted), Mend::New(second.receipt.event(1))]);
        assert_eq!((plan.events.len(), plan.claims.len(), plan.receipts.len()), (2, 2, 0));
        assert_eq!(plan.mended.iter().map(|mended| mended.pairs.len()).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(plan.tallies.iter().map(|tally| tally.accepted).sum::<i64>(), 2);
    }

    fn polled(rows: &[(u8, u8)], quarantined: bool, window: u128) -> Append {
        let mut append = append(rows, false, None);
        for row in append.rows.iter_mut().filter(|_| quarantined) {
            (row.verdict, row.errors) = (Verdict::Quarantined, Some("[]".into()));
        }
        append.progress = Some(Box::new(Progress {
            source: crate::ids::SourceId(uuid::Uuid::nil()),
            window: WindowId(uuid::Uuid::from_u128(window)),
            epoch: 1,
            request: 0,
            reached: None,
        }));
        append
    }

    #[test]
    fn what_was_polled_counts_once_even_in_quarantine_and_only_for_whoever_holds_the_window() {
        let requests =
            [polled(&[(1, 1), (2, 2)], true, 7), polled(&[(1, 1), (3, 3)], false, 7), polled(&[(4, 4)], false, 8)];
        let mut known = Known::default();
        known.held.insert((TenantId(uuid::Uuid::nil()), WindowId(uuid::Uuid::from_u128(7))));
        let plan = decide(requests.iter(), &mut known);
        assert!(
            matches!(&plan.outcomes[..], [Outcome::Stored(_), Outcome::Stored(s), Outcome::Fenced] if s.accepted == 1)
        );
        let sums: Vec<_> =
            plan.progress.iter().map(|p| (p.became.fresh, p.became.duplicates, p.became.quarantined)).collect();
        assert_eq!(sums, [(0, 0, 2), (1, 1, 0)]);
        assert_eq!((plan.events.len(), plan.claims.len(), plan.receipts.len()), (3, 3, 0));
    }
}
