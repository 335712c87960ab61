//! What a source was asked for, and what is to be asked next: plain rules, without a clock and without I/O.
//!
//! The windows of a ledger tile `[start, watermark)`: each begins where the one before it ends, never at the moment a
//! timer fired nor at the newest record. [`grow`] moves the watermark, [`halves`] replaces a window by two, [`slices`]
//! puts windows before the start. Windows that are read once more lie beside the ledger.
#[cfg(test)]
mod tests;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::Window;

/// Most windows that one act adds: a range is cut into longer ones rather than into more.
pub const MOST: usize = 10_000;

/// Why there is a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum Kind {
    /// The schedule has moved the watermark.
    Scheduled,
    /// Somebody has moved the start.
    Backfill,
    /// Somebody wanted it read once more.
    Reread,
    /// Read once more at random, to find out whether anything had been missed.
    Check,
}

impl Kind {
    /// Whether it is a part of the ledger, or lies beside it.
    pub fn tiles(self) -> bool {
        matches!(self, Self::Scheduled | Self::Backfill)
    }

    /// As the database and the command line say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Backfill => "backfill",
            Self::Reread => "reread",
            Self::Check => "check",
        }
    }
}

/// How a window stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, sqlx::Type)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "TEXT", rename_all = "lowercase")]
pub enum State {
    /// Nobody is at it.
    Open,
    /// Somebody is, or was until they were cut off.
    Running,
    /// All of it is stored.
    Done,
    /// It cannot be read, and somebody has to mend that.
    Failed,
    /// Two others stand for it.
    Split,
}

impl State {
    /// As the database and the command line say it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Split => "split",
        }
    }
}

/// How a source can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How precisely it takes bounds: two windows within one such span are answered alike.
    pub granule: TimeDelta,
    /// The longest that is asked for at once when several were missed.
    pub longest: TimeDelta,
    /// Whether it takes an upper bound: one that does not is asked for all since a moment, and cannot be split.
    pub bounded: bool,
}

/// How a ledger grows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Growth {
    /// The newest window, which nobody has begun, reaches up to here instead.
    pub stretched: Option<DateTime<Utc>>,
    /// Windows that come after it.
    pub new: Vec<Window>,
}

impl Growth {
    /// Where the ledger ends then.
    pub fn watermark(&self) -> Option<DateTime<Utc>> {
        self.new.last().map(|window| window.until).or(self.stretched)
    }
}

/// Lets the ledger reach from its `watermark` up to `reach`. What was missed is merged: `waiting`, the newest window if
/// nobody has begun it, is stretched as far as one ask may go, and the rest is cut into asks as long as that.
pub fn grow(watermark: DateTime<Utc>, waiting: Option<Window>, reach: DateTime<Utc>, shape: Shape) -> Growth {
    let mut growth = Growth::default();
    // however coarse the other side's bounds are: they are rendered outward, so that today can be read each hour
    let reach = floor(reach, TimeDelta::seconds(1));
    let mut from = watermark;
    if from >= reach {
        return growth;
    }
    if let Some(waiting) = waiting.filter(|waiting| waiting.until == watermark) {
        let until = if shape.bounded { reach.min(waiting.from + shape.longest) } else { reach };
        if until > watermark {
            growth.stretched = Some(until);
            from = until;
        }
    }
    growth.new = if shape.bounded {
        cut(Window::new(from, reach), shape.longest, shape.granule)
    } else if from < reach {
        vec![Window::new(from, reach)]
    } else {
        Vec::new()
    };
    growth
}

/// The two that stand for a window that is too large; none when it cannot be smaller.
pub fn halves(window: Window, shape: Shape) -> Option<[Window; 2]> {
    if !shape.bounded {
        return None;
    }
    let middle = floor(window.from + window.length() / 2, shape.granule);
    // a window need not begin at a granule: then its first half ends at the next one
    let middle = if middle <= window.from { middle + shape.granule } else { middle };
    let [first, second] = [Window::new(window.from, middle), Window::new(middle, window.until)];
    (!first.is_empty() && !second.is_empty()).then_some([first, second])
}

/// A range in slices of about this length, oldest first. None is shorter than a granule but perhaps the last.
pub fn slices(range: Window, slice: TimeDelta, shape: Shape) -> Vec<Window> {
    if range.is_empty() {
        return Vec::new();
    }
    if !shape.bounded {
        return vec![range];
    }
    cut(range, slice, shape.granule)
}

fn cut(range: Window, longest: TimeDelta, granule: TimeDelta) -> Vec<Window> {
    let mut windows = Vec::new();
    if range.is_empty() {
        return windows;
    }
    let most = i32::try_from(MOST).unwrap_or(i32::MAX);
    let longest = longest.max(granule).max(range.length() / most + granule);
    let mut from = range.from;
    while from < range.until {
        let until = floor(from + longest, granule);
        let until = if until <= from { from + longest } else { until }.min(range.until);
        windows.push(Window::new(from, until));
        from = until;
    }
    windows
}

/// What of a range that somebody wants lies before the ledger, and what in it. What lies after it, the schedule will
/// ask for. Between a range and the start of the ledger there is to be no gap: it is a part of what lies before.
pub fn parts(range: Window, start: DateTime<Utc>, watermark: DateTime<Utc>) -> (Option<Window>, Option<Window>) {
    let before = Window::new(range.from, start);
    let within = Window::new(range.from.max(start), range.until.min(watermark));
    let some = |window: Window| (!window.is_empty()).then_some(window);
    (some(before), some(within))
}

/// Down to a whole granule since 1970.
pub fn floor(moment: DateTime<Utc>, granule: TimeDelta) -> DateTime<Utc> {
    let granule = granule.num_microseconds().unwrap_or(1).max(1);
    let micros = moment.timestamp_micros();
    DateTime::from_timestamp_micros(micros - micros.rem_euclid(granule)).unwrap_or(moment)
}

/// Two windows that should meet and do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// Nobody will ever ask for this.
    #[error("nothing covers {} to {}", .0.from, .0.until)]
    Gap(Window),
    /// This is asked for twice.
    #[error("{} to {} is covered twice", .0.from, .0.until)]
    Overlap(Window),
}

/// Whether these windows tile `whole`. They may come in any order.
///
/// # Errors
/// The first place at which they do not.
pub fn check(windows: &[Window], whole: Window) -> Result<(), Flaw> {
    let mut windows = windows.to_vec();
    windows.sort_unstable();
    let mut at = whole.from;
    for window in windows {
        if window.from > at {
            return Err(Flaw::Gap(Window::new(at, window.from)));
        }
        if window.from < at {
            return Err(Flaw::Overlap(Window::new(window.from, at.min(window.until))));
        }
        at = window.until;
    }
    if at < whole.until {
        return Err(Flaw::Gap(Window::new(at, whole.until)));
    }
    if at > whole.until {
        return Err(Flaw::Overlap(Window::new(whole.until, at)));
    }
    Ok(())
}
