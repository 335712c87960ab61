//! How busy each system is: a theatre's week, hour by hour.
use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};

use super::Sender;

/// Of a day, in the order of its hours: how busy an office is.
const OFFICE: [f64; 24] = [
    0.0, 0.0, 0.0, 0.0, 0.0, 0.1, 0.3, 0.8, 1.6, 2.0, 2.1, 1.8, 1.1, 1.7, 2.0, 1.8, 1.2, 0.5, 0.3, 0.2, 0.2, 0.1, 0.1,
    0.0,
];
/// The same of a web shop: lunch and evening.
const SHOP: [f64; 24] = [
    0.3, 0.1, 0.1, 0.0, 0.0, 0.1, 0.3, 0.6, 0.9, 1.1, 1.2, 1.4, 1.6, 1.3, 1.1, 1.1, 1.2, 1.4, 1.7, 2.1, 2.3, 1.9, 1.2,
    0.6,
];

/// How many events a system sends in the hour that begins at `hour`, on average.
pub fn expected(sender: Sender, hour: DateTime<Utc>) -> f64 {
    let at = hour.hour() as usize;
    let weekend = matches!(hour.weekday(), Weekday::Sat | Weekday::Sun);
    match sender {
        Sender::Crm => OFFICE[at] * if weekend { 1.0 } else { 18.0 },
        Sender::Shop => SHOP[at] * if weekend { 16.0 } else { 11.0 },
        Sender::Gates => match (hour.weekday(), at) {
            (Weekday::Mon | Weekday::Tue, _) => 0.0,
            (Weekday::Sun, 13) => 260.0,
            (_, 18) => 210.0,
            (_, 19) => 150.0,
            _ => 0.0,
        },
        // a run in the night
        Sender::Erp => {
            if at == 2 {
                38.0
            } else {
                0.0
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_has_its_evenings_and_its_quiet_hours() {
        let hour = |text: &str| text.parse::<DateTime<Utc>>().unwrap();
        // a Wednesday and a Monday
        assert!(expected(Sender::Gates, hour("2026-11-18T18:00:00Z")) > 100.0);
        assert!(expected(Sender::Gates, hour("2026-11-16T18:00:00Z")) < 1.0);
        assert!(
            expected(Sender::Crm, hour("2026-11-18T10:00:00Z"))
                > 10.0 * expected(Sender::Crm, hour("2026-11-21T10:00:00Z"))
        );
        let week = |sender| {
            (0..168).map(|n| expected(sender, hour("2026-11-16T00:00:00Z") + chrono::TimeDelta::hours(n))).sum::<f64>()
        };
        for sender in Sender::ALL {
            assert!((200.0..4_000.0).contains(&week(sender)), "{sender:?} {}", week(sender));
        }
    }
}
