//! The only code the browser runs. Each island is a small component that moves by itself; it knows plain
//! shared types and nothing of the server. Copying, relative times and the like need no state and live in the
//! boot script.
mod first_event;
mod live_tail;
pub mod model;
mod new_events;
#[cfg(feature = "hydrate")]
mod stream;

pub use first_event::FirstEvent;
pub use live_tail::LiveTail;
pub use new_events::NewEvents;

/// The icon of what went well: a tick in a circle.
const ACCEPTED: &str = "M1.75 8a6.25 6.25 0 1 0 12.5 0a6.25 6.25 0 1 0-12.5 0m3.45.3 1.9 1.9 3.8-4.2";
/// The icon of what wants a look: a triangle with its mark.
const WARNING: &str = "M8 2.2 14.6 13.5H1.4ZM8 6.4v3.2M8 11.6v.1";

/// `14:05:09 UTC` out of `2026-11-18T14:05:09.123Z`.
fn clock_time(received_at: &str) -> String {
    local_time(received_at, "UTC", 0)
}

/// `15:05:09 CET` out of `2026-11-18T14:05:09.123Z`, by a clock of that name so many minutes ahead of UTC.
fn local_time(received_at: &str, clock: &str, ahead: i32) -> String {
    let told = || {
        let (hours, rest) = received_at.get(11..19)?.split_once(':')?;
        let (minutes, seconds) = rest.split_once(':')?;
        let local = (hours.parse::<i32>().ok()? * 60 + minutes.parse::<i32>().ok()? + ahead).rem_euclid(24 * 60);
        Some(format!("{:02}:{:02}:{seconds} {clock}", local / 60, local % 60))
    };
    told().unwrap_or_else(|| received_at.to_owned())
}

/// 4950 as 4,950.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::local_time;

    #[test]
    fn clocks_are_ahead_and_behind() {
        let told = |clock, ahead| local_time("2026-11-18T23:05:09.123Z", clock, ahead);
        assert_eq!(told("UTC", 0), "23:05:09 UTC");
        assert_eq!(told("+0545", 345), "04:50:09 +0545");
        assert_eq!(told("PST", -480), "15:05:09 PST");
        assert_eq!(local_time("soon", "UTC", 0), "soon");
    }
}
