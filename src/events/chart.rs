//! The chart of events by the hour, as the pages of a tenant and of a type show it.
use chrono::{DateTime, TimeDelta, Utc};
use leptos::prelude::*;

use super::hours::{Bar, Figures, Span, bars};
use crate::ui::{Card, Chart, ChartBar, ChartWords, Empty, Icon, Now, Tab, Zone, format};

/// The chart in its card. `here` is the page's own address, to which the span is added.
pub fn card(figures: &[Figures], span: Span, now: Now, here: &str) -> AnyView {
    let (bars, zone) = (bars(figures, span, now), now.zone);
    let address =
        |span: Span| if span == Span::Day { here.to_owned() } else { format!("{here}?range={}", span.word()) };
    let spans: Vec<_> = Span::ALL.map(|span| Tab::new(span.title(), address(span))).into();
    let every = span.bars().1;
    let ticks = bars.iter().step_by(every).map(|bar| tick(zone, bar, span)).collect();
    let shown: Vec<_> = bars
        .iter()
        .map(|bar| ChartBar {
            label: label(zone, bar, span),
            good: bar.accepted,
            bad: bar.quarantined,
            ahead: bar.ahead,
        })
        .collect();
    let said = summary(zone, &bars, span);
    let word = match span {
        Span::Day => "Hour",
        Span::Week => "Three hours",
        Span::Month => "Half a day",
    };
    let words = ChartWords { span: word, good: "Accepted", bad: "Quarantined" };
    view! {
        <Card title="Events over time" lead=format!("Times are in {}.", zone.name())>
            <Chart bars=shown ticks=ticks summary=said words=words spans=spans current=address(span)/>
        </Card>
    }
    .into_any()
}

/// What stands in the place of a chart when there never was an event.
pub fn nothing() -> AnyView {
    view! {
        <Empty icon=Icon::Overview title="No events yet" why="Once events come, this shows how many there were, hour by hour, and how many of them broke their contract."/>
    }
    .into_any()
}

fn tick(zone: Zone, bar: &Bar, span: Span) -> String {
    match span {
        Span::Day => zone.told(bar.begins, "%H:%M"),
        Span::Week => zone.told(within(bar), "%a %-d"),
        Span::Month => zone.told(within(bar), "%-d %b"),
    }
}

/// The moment whose day is that of a bar. After a change of the clocks bars begin up to an hour before midnight, and
/// always where midnight is not at a full hour of UTC.
fn within(bar: &Bar) -> DateTime<Utc> {
    bar.begins + TimeDelta::hours(1)
}

fn label(zone: Zone, bar: &Bar, span: Span) -> String {
    let begins = zone.told(bar.begins, if span == Span::Day { "%H:%M" } else { "%a %-d %b, %H:%M" });
    let ends = match zone.told(bar.ends, "%H:%M") {
        midnight if midnight == "00:00" => "24:00".to_owned(),
        ends => ends,
    };
    format!("{begins} to {ends}")
}

/// `18,204 events in 24 hours, most at 14:00 (1,204), 0.4 % in quarantine`.
fn summary(zone: Zone, bars: &[Bar], span: Span) -> String {
    let total: u64 = bars.iter().map(|bar| bar.accepted + bar.quarantined).sum();
    let most = bars.iter().max_by_key(|bar| (bar.accepted + bar.quarantined, std::cmp::Reverse(bar.begins)));
    let Some(most) = most.filter(|_| total > 0) else { return format!("No events in {}.", span.title()) };
    let when = match span {
        Span::Day => zone.told(most.begins, "at %H:%M"),
        Span::Week => zone.told(most.begins, "on %A at %H:%M"),
        Span::Month => zone.told(within(most), "on %-d %B"),
    };
    let quarantined: u64 = bars.iter().map(|bar| bar.quarantined).sum();
    format!(
        "{} in {}, most {when} ({}), {} in quarantine.",
        format::counted(total, "event"),
        span.title(),
        format::count(most.accepted + most.quarantined),
        share(quarantined, total),
    )
}

/// How many of all, in percent: `none`, `0.4 %`, `12 %`. Never `0 %` for what is something.
pub fn share(some: u64, all: u64) -> String {
    if some == 0 || all == 0 {
        return "none".into();
    }
    let tenths = u64::try_from(u128::from(some) * 1000 / u128::from(all)).unwrap_or(1000);
    match tenths {
        0 => "under 0.1 %".into(),
        1..100 => format!("{}.{} %", tenths / 10, tenths % 10),
        _ => format!("{} %", tenths / 10),
    }
}

/// A length of time as a sentence says it: `40 min`, `5 h`, `3 d`.
pub fn length(time: TimeDelta) -> String {
    match time.num_minutes() {
        0 => "under a minute".into(),
        minutes @ 1..120 => format!("{minutes} min"),
        minutes @ 120..2_880 => format!("{} h", minutes / 60),
        minutes => format!("{} d", minutes / 1_440),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_tells_how_many_when_and_how_bad() {
        let now: DateTime<Utc> = "2026-11-18T15:20:00Z".parse().unwrap();
        let at = |hour: &str, accepted, quarantined| Figures { hour: hour.parse().unwrap(), accepted, quarantined };
        let figures = [at("2026-11-18T13:00:00Z", 16_927, 73), at("2026-11-18T14:00:00Z", 1_204, 0)];
        let told_in = |zone, span| summary(zone, &bars(&figures, span, Now { at: now, zone }), span);
        let told = |span| told_in(Zone::default(), span);
        assert_eq!(told(Span::Day), "18,204 events in 24 hours, most at 13:00 (17,000), 0.4 % in quarantine.");
        assert_eq!(
            told(Span::Week),
            "18,204 events in 7 days, most on Wednesday at 12:00 (18,204), 0.4 % in quarantine."
        );
        assert_eq!(told(Span::Month), "18,204 events in 28 days, most on 18 November (18,204), 0.4 % in quarantine.");
        // west and east of UTC, days begin when they do there
        let (york, kolkata) = (Zone::parse("America/New_York"), Zone::parse("Asia/Kolkata"));
        for zone in [york, kolkata] {
            let told = told_in(zone, Span::Month);
            assert_eq!(told, "18,204 events in 28 days, most on 18 November (18,204), 0.4 % in quarantine.");
        }
        assert!(told_in(york, Span::Week).contains("on Wednesday at 06:00"), "{}", told_in(york, Span::Week));
        let bars_of = |zone, span| bars(&figures, span, Now { at: now, zone });
        let ticks = |zone| {
            bars_of(zone, Span::Month).iter().step_by(14).map(|bar| tick(zone, bar, Span::Month)).collect::<Vec<_>>()
        };
        // in New York the clocks were put back on the first of November
        for zone in [Zone::default(), york, kolkata] {
            assert_eq!(ticks(zone), ["22 Oct", "29 Oct", "5 Nov", "12 Nov"], "{zone:?}");
        }
        let none = summary(Zone::default(), &bars(&[], Span::Day, Now { at: now, zone: york }), Span::Day);
        assert_eq!(none, "No events in 24 hours.");
    }

    #[test]
    fn shares_and_lengths_read_well() {
        for (some, all, text) in
            [(0, 9, "none"), (1, 100_000, "under 0.1 %"), (1, 250, "0.4 %"), (9, 9, "100 %"), (1, 0, "none")]
        {
            assert_eq!(share(some, all), text);
        }
        for (minutes, text) in [(0, "under a minute"), (61, "61 min"), (180, "3 h"), (4_320, "3 d")] {
            assert_eq!(length(TimeDelta::minutes(minutes)), text);
        }
    }
}
