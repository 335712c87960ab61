//! From windows to what is drawn: the strip of what is covered, and the volumes by the hour.
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::words;
use crate::{
    events::{
        follower::hour,
        hours::{Figures, Span},
    },
    ids::WindowId,
    polling::{
        Source, Window,
        ledger::{Kind, State},
        store::look::Piece,
    },
    ui::{Cover, CoverPart, Zone},
};

/// How finely the strip tells moments apart: so many cells.
const CELLS: i64 = 250;
/// Thousandths of the whole, as the component counts.
const WHOLE: i64 = 1000;

/// What became of a window; none: it lies beside the ledger, and says nothing of it.
fn cover(piece: &Piece) -> Option<Cover> {
    match (piece.kind, piece.state) {
        (Kind::Scheduled | Kind::Backfill, State::Done) => Some(Cover::Done),
        (Kind::Scheduled | Kind::Backfill, State::Running) | (Kind::Reread, State::Running | State::Open) => {
            Some(Cover::Running)
        }
        (Kind::Scheduled | Kind::Backfill, State::Open) => Some(Cover::Missing),
        (Kind::Scheduled | Kind::Backfill, State::Failed) => Some(Cover::Failed),
        (Kind::Reread | Kind::Check, State::Done) => Some(Cover::Again),
        // what failed beside the ledger is told in the list of windows; for what was split, others stand
        _ => None,
    }
}

/// A run of cells that are alike.
struct Run {
    cells: (i64, i64),
    span: Window,
    cover: Cover,
    windows: Vec<WindowId>,
}

/// The parts of a strip over `within`: of windows that fall into one cell, the one that most needs a look is shown;
/// neighbours that are alike become one part.
pub(super) fn parts(source: &Source, pieces: &[Piece], within: Window, zone: Zone, linked: bool) -> Vec<CoverPart> {
    let length = within.length().num_milliseconds().max(1);
    let cell = |moment: DateTime<Utc>| {
        let passed = (moment - within.from).num_milliseconds().clamp(0, length);
        i64::try_from(i128::from(passed) * i128::from(CELLS) / i128::from(length)).unwrap_or(0)
    };
    // by cell: what is shown there, and by which windows
    let mut cells: BTreeMap<i64, (Cover, Window, Vec<WindowId>)> = BTreeMap::new();
    for piece in pieces {
        let Some(cover) = cover(piece) else { continue };
        let span = Window::new(piece.from_at, piece.until_at);
        let (first, last) =
            (cell(span.from).min(CELLS - 1), cell(span.until - TimeDelta::milliseconds(1)).min(CELLS - 1));
        for at in first..=last.max(first) {
            match cells.get_mut(&at) {
                Some(known) if known.0 == cover => {
                    known.1 = Window::new(known.1.from.min(span.from), known.1.until.max(span.until));
                    known.2.push(piece.id);
                }
                Some(known) if known.0 > cover => {}
                Some(known) => *known = (cover, span, vec![piece.id]),
                None => {
                    cells.insert(at, (cover, span, vec![piece.id]));
                }
            }
        }
    }
    let mut runs: Vec<Run> = Vec::new();
    for (at, (cover, span, windows)) in cells {
        match runs.last_mut() {
            Some(run) if run.cover == cover && run.cells.1 == at => {
                run.cells.1 = at + 1;
                run.span.until = run.span.until.max(span.until);
                run.windows.extend(windows);
            }
            _ => runs.push(Run { cells: (at, at + 1), span, cover, windows }),
        }
    }
    runs.into_iter().map(|run| run.part(source, zone, linked)).collect()
}

impl Run {
    fn part(mut self, source: &Source, zone: Zone, linked: bool) -> CoverPart {
        self.windows.sort_unstable();
        self.windows.dedup();
        let thousandths = |cell: i64| u32::try_from(cell * WHOLE / CELLS).unwrap_or(0);
        let count = self.windows.len();
        let href = match (linked, self.windows.as_slice()) {
            (false, _) => None,
            (true, [only]) => Some(words::of_window(source, *only)),
            (true, _) => Some(format!(
                "{}?from={}&until={}#ledger",
                words::address(source),
                crate::ui::in_address(self.span.from),
                crate::ui::in_address(self.span.until),
            )),
        };
        let many = if count > 1 {
            format!(" ({})", crate::ui::format::counted(count as u64, "window"))
        } else {
            String::new()
        };
        CoverPart {
            begin: thousandths(self.cells.0),
            end: thousandths(self.cells.1),
            cover: self.cover,
            label: format!("{}{many}", self.span.told(zone)),
            href,
        }
    }
}

/// What stands below the strip.
pub(super) fn ticks(within: Window, span: Span, zone: Zone) -> Vec<String> {
    let form = if span == Span::Day { "%-d %b, %H:%M %Z" } else { "%-d %b" };
    let middle = within.from + within.length() / 2;
    [within.from, middle, within.until].map(|moment| zone.told(moment, form)).into()
}

/// New events by the hour that their windows begin in.
pub(super) fn volumes(pieces: &[Piece]) -> Vec<Figures> {
    let mut hours: BTreeMap<DateTime<Utc>, (i64, i64)> = BTreeMap::new();
    for piece in pieces {
        let sum = hours.entry(hour(piece.from_at)).or_default();
        sum.0 += piece.fresh;
        sum.1 += piece.quarantined;
    }
    hours.into_iter().map(|(hour, (accepted, quarantined))| Figures { hour, accepted, quarantined }).collect()
}
