//! Implementations: from the accepted quotation to the day it is live. Accepting makes phases and tasks out of the
//! lines and of what the intake knows, drafts of what is to be configured, and the evidence that has to be seen.
//!
//! `plan` makes all that, `evidence` judges what was measured, `turn` says whom one waits for: no I/O. `store` keeps it.
pub mod evidence;
pub mod plan;
pub mod store;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::Side;
use crate::ids::{EventTypeId, QuotationId, UserId};
pub use evidence::{Outcome, Rule};

vocabulary! {
    /// What a draft becomes.
    Kind, "kind of draft" {
        /// A contract for one kind of event.
        EventType = "event-type", "Event type";
        /// A secret to hand over.
        Token = "token", "Token";
        /// A system that is asked on an interval.
        Source = "source", "Polling source";
    }
}

/// A work package of an accepted quotation, or what comes before and after all of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub title: String,
    /// The version of the quotation whose line it is.
    pub quotation_id: Option<QuotationId>,
    /// As quoted.
    pub minutes: i64,
    /// That it goes live without evidence of its own, if somebody said so.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub waived: Waived,
}

/// That something need not be seen: who said so, when and why. All are set, or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Waived {
    /// Who.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived_by: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived_at: Option<DateTime<Utc>>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waived_why: Option<String>,
}

impl Waived {
    /// Whether somebody said so.
    pub fn is_set(&self) -> bool {
        self.waived_at.is_some()
    }
}

/// Something that is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Task {
    /// Its id.
    pub id: Uuid,
    /// What people decide about it.
    #[serde(flatten)]
    pub details: TaskDetails,
    /// The draft that is turned into the real thing by it.
    pub draft_id: Option<Uuid>,
    /// When it was written down.
    pub created_at: DateTime<Utc>,
    /// When it was done.
    pub done_at: Option<DateTime<Utc>>,
    /// By whom.
    pub done_by: Option<String>,
}

/// What people decide about a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskDetails {
    /// Of which phase.
    pub phase_id: Uuid,
    /// What.
    pub title: String,
    /// What helps with it, in some lines.
    pub note: String,
    /// Who does it.
    pub side: Side,
    /// Whose it is here.
    pub owner_id: Option<UserId>,
    /// By when: 2026-12-31; empty: no date.
    pub due_on: String,
    /// What has to be done before.
    pub needs: Vec<Uuid>,
}

/// Something that is to be configured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Draft {
    /// Its id; of an event type, that of the type which it becomes.
    pub id: Uuid,
    /// What it becomes.
    pub kind: Kind,
    /// What that is called.
    pub name: String,
    /// A contract, or a SOURCE.json without its token.
    pub body: String,
    /// What records become, or what the token is good for.
    pub event_type_id: Option<EventTypeId>,
    /// Who turned it into the real thing, or dropped it.
    pub settled_by: Option<String>,
    /// When.
    pub settled_at: Option<DateTime<Utc>>,
    /// What it became.
    pub made_id: Option<Uuid>,
}

impl Draft {
    /// Whether something is still to be done with it.
    pub fn is_open(&self) -> bool {
        self.settled_at.is_none()
    }
}

/// What has to be seen in live data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// Its id.
    pub id: Uuid,
    /// Of which phase.
    pub phase_id: Uuid,
    /// In the events of which type.
    pub event_type_id: EventTypeId,
    /// What.
    pub rule: Rule,
    /// That it need not be seen, if somebody said so.
    #[serde(flatten)]
    pub waived: Waived,
    /// How it was when it went live.
    pub measured: Option<Outcome>,
}

/// Time that was spent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Spent {
    /// On which phase.
    pub phase_id: Uuid,
    /// On which day.
    pub day: String,
    /// How much, in minutes.
    pub minutes: i64,
    /// On what.
    pub what: String,
    /// By whom.
    pub who: String,
}

/// All of one implementation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Whole {
    /// In their order.
    pub phases: Vec<Phase>,
    /// In their order.
    pub tasks: Vec<Task>,
    /// In their order.
    pub drafts: Vec<Draft>,
    /// Of each phase in its order.
    pub evidence: Vec<Evidence>,
    /// The newest first.
    pub spent: Vec<Spent>,
}

impl Whole {
    /// What has to be done before a task and is not.
    pub fn before<'a>(&'a self, task: &'a Task) -> impl Iterator<Item = &'a Task> {
        self.tasks.iter().filter(|one| one.done_at.is_none() && task.details.needs.contains(&one.id))
    }

    /// Since when a task can be done: when it was written down, or the last that it needs was done.
    pub fn since(&self, task: &Task) -> DateTime<Utc> {
        let needed = self.tasks.iter().filter(|one| task.details.needs.contains(&one.id));
        needed.filter_map(|one| one.done_at).fold(task.created_at, DateTime::max)
    }

    /// What can be done now, what is due first before the others.
    pub fn ready(&self) -> Vec<&Task> {
        let open = self.tasks.iter().filter(|one| one.done_at.is_none());
        let mut ready: Vec<_> = open.filter(|one| self.before(one).next().is_none()).collect();
        // without a date comes last; of one day, in the order of the plan
        ready.sort_by_key(|one| (one.details.due_on.is_empty(), one.details.due_on.clone()));
        ready
    }

    /// How long was spent on a phase.
    pub fn spent_on(&self, phase: Uuid) -> i64 {
        self.spent.iter().filter(|one| one.phase_id == phase).map(|one| one.minutes).sum()
    }

    /// Minutes quoted, and minutes spent.
    pub fn sums(&self) -> (i64, i64) {
        (self.phases.iter().map(|one| one.minutes).sum(), self.spent.iter().map(|one| one.minutes).sum())
    }

    /// What stands between it and going live, in words: evidence that is neither seen nor waived.
    pub fn missing(&self, outcomes: &[(Uuid, Outcome)]) -> Vec<String> {
        let mut missing = Vec::new();
        for phase in &self.phases {
            let mut named = self.evidence.iter().filter(|one| one.phase_id == phase.id).peekable();
            if phase.quotation_id.is_some() && named.peek().is_none() && !phase.waived.is_set() {
                missing.push(format!("“{}” names no evidence", phase.title));
            }
            for one in named.filter(|one| !one.waived.is_set()) {
                match outcomes.iter().find(|(id, _)| *id == one.id) {
                    Some((_, outcome)) if outcome.met => {}
                    Some((_, outcome)) => missing.push(format!("{}: {}", one.rule.told(), outcome.told)),
                    None => missing.push(format!("{}: not measured yet", one.rule.told())),
                }
            }
        }
        if self.phases.is_empty() {
            missing.push("nothing is planned yet".into());
        }
        missing
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::clock::Clock;

    fn task(clock: &Clock, title: &str, due_on: &str, needs: &[&Task]) -> Task {
        Task {
            id: crate::ids::new_id(clock),
            details: TaskDetails {
                phase_id: Uuid::nil(),
                title: title.into(),
                note: String::new(),
                side: Side::Us,
                owner_id: None,
                due_on: due_on.into(),
                needs: needs.iter().map(|one| one.id).collect(),
            },
            draft_id: None,
            created_at: clock.now(),
            done_at: None,
            done_by: None,
        }
    }

    #[test]
    fn what_is_due_first_and_waits_for_nothing_is_next() {
        let clock = Clock::still();
        let first = task(&clock, "first", "2030-02-01", &[]);
        let second = task(&clock, "second", "2030-01-01", &[&first]);
        let some_day = task(&clock, "some day", "", &[]);
        let mut whole = Whole { tasks: vec![some_day, first, second], ..Whole::default() };
        let titles = |whole: &Whole| whole.ready().iter().map(|one| one.details.title.clone()).collect::<Vec<_>>();
        assert_eq!(titles(&whole), ["first", "some day"]);
        clock.advance(3_600);
        whole.tasks[1].done_at = Some(clock.now());
        assert_eq!(titles(&whole), ["second", "some day"]);
        assert_eq!(whole.since(&whole.tasks[2]), clock.now());
    }

    #[test]
    fn a_line_goes_live_by_evidence_or_by_a_waiver_alone() {
        let phase = |quotation: bool| Phase {
            id: Uuid::from_u128(u128::from(quotation)),
            title: "Connect".into(),
            quotation_id: quotation.then(QuotationId::default),
            minutes: 60,
            waived: Waived::default(),
        };
        let waived = || Waived { waived_at: Some(DateTime::UNIX_EPOCH), ..Waived::default() };
        let mut whole = Whole { phases: vec![phase(false), phase(true)], ..Whole::default() };
        assert_eq!(whole.missing(&[]), ["“Connect” names no evidence"]);
        whole.phases[1].waived = waived();
        assert!(whole.missing(&[]).is_empty());
        let rule = Rule::Accepted { events: 3 };
        let id = Uuid::from_u128(7);
        whole.evidence.push(Evidence {
            id,
            phase_id: whole.phases[1].id,
            event_type_id: EventTypeId::default(),
            rule,
            waived: Waived::default(),
            measured: None,
        });
        // to have waived that it names none says nothing of what it names by now
        assert_eq!(whole.missing(&[]).len(), 1);
        let seen = |met| vec![(id, Outcome { met, told: "2 of 3".into(), at: DateTime::UNIX_EPOCH })];
        assert!(whole.missing(&seen(false))[0].ends_with("2 of 3") && whole.missing(&seen(true)).is_empty());
        whole.evidence[0].waived = waived();
        assert!(whole.missing(&[]).is_empty());
        assert!(!Whole::default().missing(&[]).is_empty());
    }
}
