//! Figures, sizes and times as people read them.
use chrono::{DateTime, Utc};

/// A count, its thousands set apart: `1,204,377`.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 event`, `2,000 events`. The plural adds an `s`.
pub fn counted(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

/// A size: `512 B`, `1.4 KB`, `10 MB`; steps of 1,024, one decimal below ten.
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KB", "MB", "GB", "TB"];
    let (mut tenths, mut unit) = (u128::from(value) * 10, 0);
    while tenths >= 10_235 && unit + 1 < UNITS.len() {
        tenths = (tenths + 512) / 1024;
        unit += 1;
    }
    let (whole, tenth) = (tenths / 10, tenths % 10);
    if unit == 0 || whole >= 10 || tenth == 0 {
        let whole = if unit > 0 && tenth >= 5 { whole + 1 } else { whole };
        format!("{whole} {}", UNITS[unit])
    } else {
        format!("{whole}.{tenth} {}", UNITS[unit])
    }
}

/// How far `then` is from `now`: `just now`, `3 min ago`, `in 2 h`; past thirty days the date. The boot script
/// keeps these fresh and counts the same way.
pub fn relative(now: DateTime<Utc>, then: DateTime<Utc>) -> String {
    let seconds = (now - then).num_seconds();
    let amount = match seconds.unsigned_abs() {
        0..5 => return "just now".into(),
        s @ 5..60 => format!("{s} s"),
        s @ 60..3_600 => format!("{} min", s / 60),
        s @ 3_600..86_400 => format!("{} h", s / 3_600),
        s @ 86_400..2_592_000 => format!("{} d", s / 86_400),
        _ => return then.format("%-d %b %Y").to_string(),
    };
    if seconds < 0 { format!("in {amount}") } else { format!("{amount} ago") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{TimeDelta, TimeZone};

    #[test]
    fn thousands_are_set_apart() {
        let cases = [(0, "0"), (7, "7"), (999, "999"), (1_000, "1,000"), (1_204_377, "1,204,377")];
        for (value, text) in cases {
            assert_eq!(count(value), text);
        }
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(2_000, "event"), "2,000 events");
    }

    #[test]
    fn sizes_read_well() {
        let cases = [
            (0, "0 B"),
            (1, "1 B"),
            (1_023, "1023 B"),
            (1_024, "1 KB"),
            (1_434, "1.4 KB"),
            (10_240, "10 KB"),
            (262_144, "256 KB"),
            (10_485_760, "10 MB"),
            (1_610_612_736, "1.5 GB"),
        ];
        for (value, text) in cases {
            assert_eq!(bytes(value), text);
        }
    }

    #[test]
    fn times_are_told_from_now() {
        let now = Utc.with_ymd_and_hms(2026, 11, 18, 12, 0, 0).single().expect("a time");
        let cases = [
            (0, "just now"),
            (4, "just now"),
            (-3, "just now"),
            (5, "5 s ago"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (3_600, "1 h ago"),
            (86_399, "23 h ago"),
            (86_400, "1 d ago"),
            (29 * 86_400, "29 d ago"),
            (30 * 86_400, "19 Oct 2026"),
            (-90, "in 1 min"),
            (-7_200, "in 2 h"),
        ];
        for (seconds, text) in cases {
            assert_eq!(relative(now, now - TimeDelta::seconds(seconds)), text, "{seconds} s");
        }
    }
}
