//! What is to be raised and what is over, by what is known: a pure function, the same for whoever looks.
use std::collections::{HashMap, HashSet};

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::{Ailment, Alert, Details, Kind, Resolution, Rules};
use crate::{
    events::{
        follower::hour,
        hours::Figures,
        rhythm::{Verdict, Watched},
    },
    failures::{self, Brief},
    ids::{AlertId, EventTypeId, TenantId},
    polling::{self, store::Standing},
};

/// What is known.
#[derive(Debug, Default)]
pub struct Facts {
    /// The enabled types of enabled tenants.
    pub types: Vec<Watched>,
    /// What came of them lately.
    pub figures: Vec<(TenantId, EventTypeId, Figures)>,
    /// Failure groups: those that are open, and those that an open alert is about.
    pub causes: Vec<Brief>,
    /// Polling sources: those that do not stand as they should, and those that an open alert is about.
    pub sources: Vec<Standing>,
    /// What they are watched for; the rest is as [`Rules::default`] says.
    pub rules: HashMap<(TenantId, EventTypeId), Rules>,
    /// The alerts that are open.
    pub open: Vec<Alert>,
}

/// Something that is amiss now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose.
    pub tenant: TenantId,
    /// Of which type.
    pub event_type: EventTypeId,
    /// What.
    pub kind: Kind,
    /// The type, or the failure group.
    pub subject: Uuid,
    /// The figures.
    pub details: Details,
}

/// What there is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// To raise one.
    Open(Found),
    /// To say that one is over.
    Resolve(AlertId, Resolution),
}

/// What is to be raised and resolved at `now`; what is over comes first.
pub fn changes(facts: &Facts, now: DateTime<Utc>) -> Vec<Change> {
    let watched: HashMap<_, _> = facts.types.iter().map(|one| ((one.tenant, one.event_type), one)).collect();
    let rules = |key: &(TenantId, EventTypeId)| {
        watched.contains_key(key).then(|| facts.rules.get(key).copied().unwrap_or_default())
    };
    let mut found = Vec::new();
    let mut over = Vec::new();
    let mut open = HashSet::new();
    let rates = rates(facts, now);
    let sources: HashMap<_, _> = facts.sources.iter().map(|one| ((one.tenant_id, one.id.0), one)).collect();
    let causes: HashMap<_, _> = facts.causes.iter().map(|cause| ((cause.tenant_id, cause.id.0), cause)).collect();
    for alert in &facts.open {
        let key = (alert.tenant_id, alert.event_type_id);
        let cause = causes.get(&(alert.tenant_id, alert.subject)).copied();
        let source = sources.get(&(alert.tenant_id, alert.subject)).copied();
        let resolution = match rules(&key) {
            None => Some(Resolution::Unwatched),
            Some(_) if alert.kind == Kind::Source => recovered(alert, source),
            Some(rules) => ended(alert, rules, watched.get(&key).copied(), rates.get(&key).copied(), cause),
        };
        match resolution {
            Some(resolution) => over.push(Change::Resolve(alert.id, resolution)),
            None => {
                open.insert((alert.tenant_id, alert.kind, alert.subject));
            }
        }
    }
    let mut find = |one: Found| {
        if open.insert((one.tenant, one.kind, one.subject)) {
            found.push(Change::Open(one));
        }
    };
    for one in &facts.types {
        let key = (one.tenant, one.event_type);
        let Some(rules) = rules(&key) else { continue };
        let raise = |kind, details| Found {
            tenant: one.tenant,
            event_type: one.event_type,
            kind,
            subject: one.event_type.0,
            details,
        };
        if let Verdict::Silent { since, waited } = one.verdict
            && rules.silence
        {
            let details = Details::Silence { last_at: since, waited_minutes: waited.num_minutes() };
            find(raise(Kind::Silence, details));
        }
        if let Some((events, quarantined)) = rates.get(&key).copied()
            && rules.rejections
            && events >= rules.minimum
            && quarantined * 100 >= events * rules.percent
            && quarantined > 0
        {
            let (percent, hours) = (rules.percent, rules.hours);
            find(raise(Kind::Rejections, Details::Rejections { events, quarantined, percent, hours }));
        }
    }
    for cause in facts.causes.iter().filter(|cause| cause.state == failures::State::Open) {
        if !rules(&(cause.tenant_id, cause.event_type_id)).is_some_and(|rules| rules.failures) {
            continue;
        }
        find(Found {
            tenant: cause.tenant_id,
            event_type: cause.event_type_id,
            kind: Kind::FailureGroup,
            subject: cause.id.0,
            details: Details::Failures {
                rule: cause.rule.clone(),
                path: cause.path.clone(),
                message: cause.message.clone(),
                came_back: cause.reopened_at.is_some(),
            },
        });
    }
    for one in &facts.sources {
        let watched = rules(&(one.tenant_id, one.event_type_id)).is_some();
        let Some(ailment) = Ailment::of(one.state, one.health).filter(|_| watched) else { continue };
        find(Found {
            tenant: one.tenant_id,
            event_type: one.event_type_id,
            kind: Kind::Source,
            subject: one.id.0,
            details: Details::Source { name: one.name.clone(), ailment, reason: one.reason.clone() },
        });
    }
    over.extend(found);
    over
}

/// Why an open alert of a source is over, if it is.
fn recovered(alert: &Alert, source: Option<&Standing>) -> Option<Resolution> {
    let Details::Source { ailment: was, .. } = alert.details else { return None };
    let Some(source) = source.filter(|source| source.state != polling::State::Paused) else {
        return Some(Resolution::Unwatched);
    };
    match Ailment::of(source.state, source.health) {
        None => Some(Resolution::Mended),
        Some(is) if is > was => Some(Resolution::Worse),
        // resumed and given up again since: that is another one
        Some(is) if is == was && is.is_final() && source.health_since > alert.opened_at => Some(Resolution::Mended),
        Some(_) => None,
    }
}

/// Why an open alert is over, if it is.
fn ended(
    alert: &Alert,
    rules: Rules,
    watched: Option<&Watched>,
    rate: Option<(i64, i64)>,
    cause: Option<&Brief>,
) -> Option<Resolution> {
    let is_watched = match alert.kind {
        Kind::Silence => rules.silence,
        Kind::Rejections => rules.rejections,
        Kind::FailureGroup => rules.failures,
        Kind::Source => true,
    };
    if !is_watched {
        return Some(Resolution::Unwatched);
    }
    let mended = match &alert.details {
        // only an event ends silence
        Details::Silence { last_at, .. } => watched?.last_at > Some(*last_at),
        Details::Rejections { .. } => {
            let (events, quarantined) = rate.unwrap_or((0, 0));
            // a quarter below the threshold, so that a rate beside it does not tell of itself all day
            events < rules.minimum || quarantined * 400 < events * rules.percent * 3
        }
        Details::Failures { .. } => cause.is_none_or(|cause| {
            matches!(cause.state, failures::State::Resolved | failures::State::Ignored)
                // resolved and back again since: that is another one
                || cause.reopened_at.is_some_and(|at| at > alert.opened_at)
        }),
        Details::Source { .. } => false,
    };
    mended.then_some(Resolution::Mended)
}

/// How many events of each type came within the hours that its rule looks at, and how many of them were quarantined.
fn rates(facts: &Facts, now: DateTime<Utc>) -> HashMap<(TenantId, EventTypeId), (i64, i64)> {
    let mut sums: HashMap<_, (i64, i64)> = HashMap::new();
    for (tenant, event_type, figures) in &facts.figures {
        let key = (*tenant, *event_type);
        let rules = facts.rules.get(&key).copied().unwrap_or_default();
        if figures.hour >= hour(now) - TimeDelta::hours(rules.hours) {
            let sum = sums.entry(key).or_default();
            sum.0 += figures.accepted + figures.quarantined;
            sum.1 += figures.quarantined;
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::Clock,
        ids::{FailureGroupId, SourceId},
    };
    use proptest::prelude::*;

    fn now() -> DateTime<Utc> {
        "2026-11-18T10:30:00Z".parse().unwrap()
    }

    fn tenant() -> TenantId {
        TenantId(Uuid::from_u128(1))
    }

    fn a_type(n: u128) -> EventTypeId {
        EventTypeId(Uuid::from_u128(100 + n))
    }

    fn silent(n: u128, hours: i64) -> Watched {
        let since = now() - TimeDelta::hours(hours);
        let verdict = Verdict::Silent { since, waited: TimeDelta::hours(1) };
        Watched { tenant: tenant(), event_type: a_type(n), last_at: Some(since), verdict }
    }

    fn regular(n: u128) -> Watched {
        let verdict = Verdict::Regular { silent_from: now() + TimeDelta::hours(1) };
        Watched { tenant: tenant(), event_type: a_type(n), last_at: Some(now()), verdict }
    }

    fn cause(n: u128, state: failures::State, reopened_at: Option<DateTime<Utc>>) -> Brief {
        Brief {
            failures: 1,
            first_at: now(),
            tenant_id: tenant(),
            id: FailureGroupId(Uuid::from_u128(900 + n)),
            event_type_id: a_type(n),
            rule: "required".into(),
            path: "/Amount".into(),
            message: "is required but missing".into(),
            state,
            reopened_at,
        }
    }

    fn figures(n: u128, hours_ago: i64, accepted: i64, quarantined: i64) -> (TenantId, EventTypeId, Figures) {
        let hour = hour(now()) - TimeDelta::hours(hours_ago);
        (tenant(), a_type(n), Figures { hour, accepted, quarantined })
    }

    /// Does what there is to do; what that was.
    fn apply(facts: &mut Facts, now: DateTime<Utc>) -> Vec<Change> {
        let changes = changes(facts, now);
        for change in &changes {
            match change {
                Change::Open(found) => facts.open.push(Alert {
                    tenant_id: found.tenant,
                    id: AlertId::new(&Clock::still()),
                    kind: found.kind,
                    event_type_id: found.event_type,
                    subject: found.subject,
                    details: found.details.clone(),
                    opened_at: now,
                    resolved_at: None,
                    resolution: None,
                }),
                Change::Resolve(id, _) => facts.open.retain(|alert| alert.id != *id),
            }
        }
        changes
    }

    fn told(changes: &[Change]) -> Vec<&'static str> {
        let word = |change: &Change| match change {
            Change::Open(found) => found.kind.word(),
            Change::Resolve(_, Resolution::Mended) => "mended",
            Change::Resolve(_, Resolution::Unwatched) => "unwatched",
            Change::Resolve(_, Resolution::Worse) => "worse",
        };
        changes.iter().map(word).collect()
    }

    #[test]
    fn silence_is_told_once_and_ended_by_an_event_alone() {
        let mut facts = Facts { types: vec![silent(1, 5), regular(2)], ..Facts::default() };
        assert_eq!(told(&apply(&mut facts, now())), ["silence"]);
        assert!(apply(&mut facts, now()).is_empty());
        // what is no longer known is no event
        facts.types[0].verdict = Verdict::Unknown;
        assert!(apply(&mut facts, now()).is_empty());
        facts.types[0] = regular(1);
        assert_eq!(told(&apply(&mut facts, now())), ["mended"]);
        facts.types[0] = silent(1, 5);
        apply(&mut facts, now());
        facts.rules.insert((tenant(), a_type(1)), Rules { silence: false, ..Rules::default() });
        assert_eq!(told(&apply(&mut facts, now())), ["unwatched"]);
        assert!(apply(&mut facts, now()).is_empty());
        facts.rules.clear();
        apply(&mut facts, now());
        // disabled
        facts.types.clear();
        assert_eq!(told(&apply(&mut facts, now())), ["unwatched"]);
    }

    #[test]
    fn a_rate_is_told_above_its_threshold_and_over_well_below() {
        let mut facts = Facts { types: vec![regular(1)], ..Facts::default() };
        let mut with = |some: Vec<_>| {
            facts.figures = some;
            told(&apply(&mut facts, now()))
        };
        assert!(with(vec![figures(1, 0, 20, 20)]).is_empty(), "too few");
        assert!(with(vec![figures(1, 0, 91, 9)]).is_empty());
        // both hours together, and none before
        assert!(with(vec![figures(1, 2, 0, 900), figures(1, 1, 60, 4), figures(1, 0, 35, 4)]).is_empty());
        assert_eq!(with(vec![figures(1, 1, 60, 5), figures(1, 0, 30, 5)]), ["rejections"]);
        assert!(with(vec![figures(1, 0, 92, 8)]).is_empty(), "beside the threshold");
        assert_eq!(with(vec![figures(1, 0, 93, 7)]), ["mended"]);
        assert_eq!(with(vec![figures(1, 0, 0, 50)]), ["rejections"]);
        assert_eq!(with(Vec::new()), ["mended"], "nothing comes any more");
    }

    #[test]
    fn a_failure_group_is_told_when_it_is_new_and_when_it_comes_back() {
        use failures::State::{Acknowledged, Ignored, Open, Resolved};
        let mut facts = Facts { types: vec![regular(1)], ..Facts::default() };
        let mut with = |some: Brief| {
            facts.causes = vec![some];
            let changes = apply(&mut facts, now());
            told(&changes)
        };
        assert_eq!(with(cause(1, Open, None)), ["failure-group"]);
        assert!(with(cause(1, Acknowledged, None)).is_empty(), "somebody is at it");
        assert_eq!(with(cause(1, Resolved, None)), ["mended"]);
        let back = now() - TimeDelta::minutes(1);
        assert_eq!(with(cause(1, Open, Some(back))), ["failure-group"]);
        assert!(with(cause(1, Open, Some(back))).is_empty());
        // resolved and back between two looks
        assert_eq!(with(cause(1, Open, Some(now() + TimeDelta::seconds(5)))), ["mended", "failure-group"]);
        assert_eq!(with(cause(1, Ignored, None)), ["mended"]);
        assert!(with(cause(1, Ignored, None)).is_empty());
    }

    #[test]
    fn a_source_is_told_as_it_becomes_worse_and_once_when_it_runs_again() {
        use polling::{Health, State};
        let mut facts = Facts { types: vec![regular(1)], ..Facts::default() };
        let mut with = |sources: Vec<Standing>| {
            facts.sources = sources;
            told(&apply(&mut facts, now()))
        };
        let stands = |state, health| {
            vec![Standing {
                tenant_id: tenant(),
                id: SourceId(Uuid::from_u128(77)),
                event_type_id: a_type(1),
                name: "Orders".into(),
                state,
                health,
                health_since: now() - TimeDelta::minutes(1),
                reason: None,
            }]
        };
        assert!(with(stands(State::Active, Health::Fresh)).is_empty());
        assert_eq!(with(stands(State::Active, Health::Late)), ["source"]);
        assert!(with(stands(State::Active, Health::Late)).is_empty());
        assert_eq!(with(stands(State::Active, Health::Failing)), ["worse", "source"]);
        assert!(with(stands(State::Active, Health::Late)).is_empty(), "it is on its way");
        assert_eq!(with(stands(State::Active, Health::Fresh)), ["mended"]);
        assert_eq!(with(stands(State::Refused, Health::Failing)), ["source"]);
        assert_eq!(with(stands(State::Paused, Health::Paused)), ["unwatched"]);
        assert_eq!(with(stands(State::Stopped, Health::Failing)), ["source"]);
        let mut again = stands(State::Stopped, Health::Failing);
        again[0].health_since = now() + TimeDelta::seconds(1);
        assert_eq!(with(again), ["mended", "source"], "resumed, and stopped again");
        assert_eq!(with(Vec::new()), ["unwatched"], "removed");
        let mut of_a_disabled_type = stands(State::Stopped, Health::Failing);
        of_a_disabled_type[0].event_type_id = a_type(2);
        assert!(with(of_a_disabled_type).is_empty());
    }

    proptest! {
        /// Whatever is known: what was done leaves nothing to be done, and nothing is open twice.
        #[test]
        fn to_look_again_changes_nothing(
            types in prop::collection::vec((0_u128..4, any::<bool>(), 1_i64..90), 0..4),
            rates in prop::collection::vec((0_u128..4, 0_i64..30, 0_i64..200, 0_i64..200), 0..12),
            groups in prop::collection::vec((0_u128..4, 0_usize..4), 0..6),
            rules in prop::collection::vec((0_u128..4, any::<bool>(), any::<bool>(), any::<bool>(), 1_i64..100), 0..4),
        ) {
            let mut facts = Facts::default();
            for (n, quiet, hours) in types {
                facts.types.retain(|one| one.event_type != a_type(n));
                facts.types.push(if quiet { silent(n, hours) } else { regular(n) });
            }
            facts.figures = rates.into_iter().map(|(n, ago, good, bad)| figures(n, ago, good, bad)).collect();
            facts.causes = groups.into_iter().map(|(n, state)| cause(n, failures::State::ALL[state], None)).collect();
            facts.causes.dedup_by_key(|cause| cause.id);
            for (n, silence, rejections, failures, percent) in rules {
                let rules = Rules { silence, failures, rejections, percent, ..Rules::default() };
                facts.rules.insert((tenant(), a_type(n)), rules);
            }
            apply(&mut facts, now());
            let mut seen = HashSet::new();
            prop_assert!(facts.open.iter().all(|alert| seen.insert((alert.kind, alert.subject))));
            let unstable = facts.causes.iter().any(|one| facts.causes.iter().any(|other| one.id == other.id && one != other));
            prop_assert!(unstable || changes(&facts, now()).is_empty());
        }
    }
}
