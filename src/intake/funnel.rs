//! How many integrations get how far, and how long it takes them: from the steps on their timelines.
use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::words::Stage;
use crate::ids::{IntegrationId, TenantId};

/// One step of one integration.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Step {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Of which.
    pub integration_id: IntegrationId,
    /// When.
    pub at: DateTime<Utc>,
    /// Where it led to.
    pub stage: Stage,
}

/// One line of the funnel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What is counted.
    pub name: &'static str,
    /// The stage whose first entry is counted; none for what is a sum of several.
    pub stage: Option<Stage>,
    /// How many ever got there.
    pub count: u64,
    /// The median of how long it took them from the intake, in seconds.
    pub median: Option<i64>,
}

/// Counts who ever got where. Who got there twice is counted once, at the first time.
pub fn funnel(steps: &[Step]) -> Vec<Line> {
    let mut first: BTreeMap<(TenantId, IntegrationId), BTreeMap<Stage, DateTime<Utc>>> = BTreeMap::new();
    for step in steps {
        let of = first.entry((step.tenant_id, step.integration_id)).or_default();
        let at = of.entry(step.stage).or_insert(step.at);
        *at = (*at).min(step.at);
    }
    let line = |name, stages: &[Stage]| {
        let mut lasted: Vec<i64> = Vec::new();
        for of in first.values() {
            let reached = stages.iter().filter_map(|stage| of.get(stage)).min();
            if let (Some(began), Some(reached)) = (of.get(&Stage::Intake), reached) {
                lasted.push((*reached - *began).num_seconds().max(0));
            }
        }
        let count = lasted.len() as u64;
        let stage = if let [one] = stages { Some(*one) } else { None };
        let median = (stage != Some(Stage::Intake)).then(|| median(&mut lasted)).flatten();
        Line { name, stage, count, median }
    };
    vec![
        line("Intake begun", &[Stage::Intake]),
        line("Scenario chosen", &[Stage::NotPossible, Stage::Investigation, Stage::Quotation]),
        line("Not possible", &[Stage::NotPossible]),
        line("Investigated", &[Stage::Investigation]),
        line("To be quoted", &[Stage::Quotation]),
        line("Accepted", &[Stage::Implementation]),
        line("Live", &[Stage::Live]),
        line("Lost", &[Stage::Lost]),
    ]
}

fn median(values: &mut [i64]) -> Option<i64> {
    values.sort_unstable();
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(i64::midpoint(values[middle - 1], values[middle])),
    }
}

/// A span of time as people say it: `3 d`, `5 h`.
pub fn span(seconds: i64) -> String {
    match seconds {
        ..60 => "under a minute".into(),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_is_counted_once_at_the_first_time() {
        let step = |of: u128, hours: i64, stage| Step {
            tenant_id: TenantId::default(),
            integration_id: IntegrationId(uuid::Uuid::from_u128(of)),
            at: DateTime::UNIX_EPOCH + chrono::Duration::hours(hours),
            stage,
        };
        let steps = [
            step(1, 0, Stage::Intake),
            step(1, 2, Stage::NotPossible),
            step(1, 9, Stage::Intake),
            step(1, 10, Stage::Investigation),
            step(2, 0, Stage::Intake),
            step(2, 4, Stage::Quotation),
            step(3, 5, Stage::Intake),
        ];
        let lines = funnel(&steps);
        let of =
            |name: &str| lines.iter().find(|line| line.name == name).map(|line| (line.count, line.median)).unwrap();
        assert_eq!(of("Intake begun"), (3, None));
        assert_eq!(of("Scenario chosen"), (2, Some(3 * 3_600)));
        assert_eq!(of("Investigated"), (1, Some(36_000)));
        assert_eq!(of("Live"), (0, None));
        assert_eq!(
            (span(59), span(90), span(7_200), span(200_000)),
            ("under a minute".into(), "1 min".into(), "2 h".into(), "2 d".into())
        );
    }
}
