//! What a trial found, as a card: how many events a contract would judge differently, and which. Shown wherever a
//! contract is about to become active.
use leptos::prelude::*;

use crate::{
    event_types::{
        EventType, Policy,
        trial::{self, Change, Ended, Trial},
    },
    ui::{self, Card, Column, DataTable, Frame, Stat, Stats, Tab, Tabs},
};

/// What becomes of events that break a contract.
pub(super) fn fate(policy: Policy) -> &'static str {
    match policy {
        Policy::Quarantine => "go to quarantine",
        Policy::Refuse => "are refused, with their whole request",
        Policy::Warn => "are accepted with a warning",
    }
}

/// How many events are tried: one of the sizes, whatever is asked for.
pub(super) fn size(asked: Option<&str>) -> usize {
    let asked = asked.and_then(|text| text.parse().ok());
    asked.filter(|asked| trial::SIZES.contains(asked)).unwrap_or(trial::USUAL)
}

/// A trial, and the page that shows it.
pub(super) struct Tried<'a> {
    /// Whose events were tried.
    pub event_type: &'a EventType,
    /// What came of it.
    pub trial: &'a Trial,
    /// What was tried: "The draft".
    pub what: &'static str,
    /// How many were asked for.
    pub size: usize,
    /// The page with a trial of so many.
    pub path: Box<dyn Fn(usize) -> String + 'a>,
}

impl Tried<'_> {
    /// The card that shows it.
    pub(super) fn draw(&self, frame: &Frame) -> AnyView {
        let trial = self.trial;
        let tabs =
            trial::SIZES.map(|size| Tab::new(format!("Newest {}", ui::format::count(size as u64)), (self.path)(size)));
        let nav = view! { <Tabs label="How many events are tried" tabs=tabs.into() current=(self.path)(self.size)/> };
        if trial.looked_at == 0 {
            return view! {
                <Card title="Trial" lead=format!("{} is tried on the newest events of this type. Nothing is stored by that.", self.what)>
                    <p>{ui::muted("There are no events of this type yet, so there is nothing to try it on.")}</p>
                </Card>
            }
            .into_any();
        }
        let refused = (self.event_type.details.policy == Policy::Refuse).then(|| {
            view! { <p>{ui::muted("This type refuses what breaks its contract. Refused requests left nothing behind, so they cannot be tried.")}</p> }
        });
        view! {
            <Card title="Trial" lead=looked(frame, trial)>
                {nav}
                {self.figures()}
                {refused}
                {self.groups()}
            </Card>
        }
        .into_any()
    }

    fn figures(&self) -> AnyView {
        let trial = self.trial;
        let count = |n: usize| ui::format::count(n as u64);
        let fate = match self.event_type.details.policy {
            Policy::Quarantine => "would go to quarantine",
            Policy::Refuse => "would be refused",
            Policy::Warn => "would get a warning",
        };
        let already = match trial.break_already {
            0 => "",
            n if n == trial.would_break => "; all of them break the active contract too",
            _ => "; some of them break the active contract too",
        };
        let accepted = format!("of {} accepted {fate}{already}", ui::format::counted(trial.accepted as u64, "event"));
        let quarantined =
            format!("of {} would pass", ui::format::counted(trial.quarantined as u64, "quarantined event"));
        let conflicts = (trial.conflicts > 0).then(|| {
            let so = format!(
                "{} would keep the contract, but repeat the unique value of another event: no contract mends that.",
                ui::format::counted(trial.conflicts as u64, "quarantined event")
            );
            view! { <p>{ui::muted(so)}</p> }
        });
        view! {
            <Stats>
                <Stat label="Accepted before" figure=count(trial.would_break)>{accepted}</Stat>
                <Stat label="Quarantined before" figure=count(trial.would_pass)>{quarantined}</Stat>
            </Stats>
            {conflicts}
        }
        .into_any()
    }

    fn groups(&self) -> AnyView {
        let trial = self.trial;
        if trial.groups.is_empty() {
            return view! { <p>"No event would be judged differently."</p> }.into_any();
        }
        let columns = vec![
            Column::text("Where"),
            Column::text("What"),
            Column::text("Events like these"),
            Column::number("Events"),
        ];
        let rows = trial.groups.iter().map(|group| {
            let what = match group.change {
                Change::WouldBreak => group.message.clone(),
                Change::WouldPass => format!("passes now; before: {}", group.message),
            };
            let badge = match group.change {
                Change::WouldBreak => view! { <ui::Badge state=ui::State::Warning word="breaks"/> }.into_any(),
                Change::WouldPass => view! { <ui::Badge state=ui::State::Ok word="passes"/> }.into_any(),
            };
            let samples = group.samples.iter().enumerate().map(|(n, id)| {
                let href = format!("/tenants/{}/events/{id}", self.event_type.tenant_id);
                view! { {(n > 0).then_some(", ")}{ui::link(href, format!("sample {}", n + 1))} }
            });
            let place = if group.path.is_empty() { "the event".to_owned() } else { group.path.clone() };
            vec![
                ui::mono(place),
                view! { {badge}" "{what} }.into_any(),
                samples.collect_view().into_any(),
                ui::number(group.events as u64),
            ]
        });
        view! { <DataTable caption="Events that would be judged differently" columns=columns rows=rows.collect()/> }
            .into_any()
    }
}

/// How many events were looked at, back to when, and why no more.
fn looked(frame: &Frame, trial: &Trial) -> String {
    let events = ui::format::counted(trial.looked_at as u64, "event");
    let since = trial.since.map(|since| format!(", back to {}", frame.moment().in_full(since))).unwrap_or_default();
    match trial.ended {
        Ended::All => format!("All {events} of this type{since}. Nothing is stored by trying."),
        Ended::Count => format!("The newest {events}{since}. Nothing is stored by trying."),
        Ended::Bytes => {
            format!("The newest {events}{since}: they are long, so it was enough before. Nothing is stored by trying.")
        }
        Ended::Time => {
            format!("The newest {events}{since}: it took long, so it was enough before. Nothing is stored by trying.")
        }
    }
}
