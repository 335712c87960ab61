//! Moments. Every one of them names its zone, and UTC can always be had.
use super::format;
use chrono::{DateTime, FixedOffset, SecondsFormat, Utc};
use leptos::prelude::*;

/// The zone times are shown in, besides UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone(Option<FixedOffset>);

impl Zone {
    /// A zone that is `offset` away from UTC; what is not known by offset is shown in UTC.
    pub fn parse(name: &str) -> Self {
        Self(name.parse::<FixedOffset>().ok().filter(|offset| offset.local_minus_utc() != 0))
    }
}

/// The moment of the request and the zone of who asked: what times are told by.
#[derive(Clone, Copy, Debug, Default)]
pub struct Now {
    /// The moment, from the injected clock.
    pub at: DateTime<Utc>,
    /// The viewer's zone.
    pub zone: Zone,
}

impl Now {
    /// In full: `18 Nov 2026, 14:05:09 +01:00 (13:05:09 UTC)`.
    pub fn in_full(self, then: DateTime<Utc>) -> String {
        match self.zone.0 {
            None => then.format("%-d %b %Y, %H:%M:%S UTC").to_string(),
            Some(offset) => {
                let local = then.with_timezone(&offset);
                format!("{} ({})", local.format("%-d %b %Y, %H:%M:%S %:z"), then.format("%H:%M:%S UTC"))
            }
        }
    }
}

fn machine(then: DateTime<Utc>) -> String {
    then.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// How long ago; in full when pointed at. For lists, whose rows lead to a page that tells the time in full.
pub fn ago(now: Now, then: DateTime<Utc>) -> AnyView {
    view! {
        <time datetime=machine(then) data-relative="" title=now.in_full(then)>{format::relative(now.at, then)}</time>
    }
    .into_any()
}

/// In full, and how long ago. For the page of one thing.
pub fn at(now: Now, then: DateTime<Utc>) -> AnyView {
    view! {
        <span class="moment">
            <time datetime=machine(then)>{now.in_full(then)}</time>
            " "
            <time class="muted" datetime=machine(then) data-relative="">{format::relative(now.at, then)}</time>
        </span>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeZone;

    #[test]
    fn both_clocks_are_told() {
        let then = Utc.with_ymd_and_hms(2026, 11, 18, 13, 5, 9).single().expect("a time");
        let told = |zone| Now { at: then, zone: Zone::parse(zone) }.in_full(then);
        assert_eq!(told("+01:00"), "18 Nov 2026, 14:05:09 +01:00 (13:05:09 UTC)");
        assert_eq!(told("UTC"), "18 Nov 2026, 13:05:09 UTC");
        assert_eq!(told("nowhere"), "18 Nov 2026, 13:05:09 UTC");
    }
}
