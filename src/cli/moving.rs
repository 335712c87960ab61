//! What backup, restore and copy tell: progress on standard error, and a list of tables.
use std::{
    io::{IsTerminal, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

use crate::transfer::Moved;

/// Said after every move: what moves with it by hand alone.
pub(super) const KEY: &str = "the file of keys is not part of it: the server needs the one in use until now, beside a SQLite \
     database (tributary.key for tributary.db) or by TRIBUTARY_KEY_FILE";

/// How often a line is said: on a terminal it is written over.
const EVERY: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(5));

/// Tells how far a move has come, unless a program reads the answer and nobody watches.
pub(super) struct Progress {
    began: Instant,
    terminal: bool,
    last: Mutex<Instant>,
}

impl Progress {
    pub fn new() -> Self {
        let began = Instant::now();
        Self { began, terminal: std::io::stderr().is_terminal(), last: Mutex::new(began) }
    }

    /// Tells it, if it is time to.
    pub fn tell(&self, table: &str, done: u64, all: u64) {
        let Ok(mut last) = self.last.lock() else { return };
        let every = if self.terminal { EVERY.0 } else { EVERY.1 };
        if last.elapsed() < every {
            return;
        }
        *last = Instant::now();
        let line = format!("copying {table}: {} of {} rows", grouped(done), grouped(all));
        // when nobody reads it, nobody misses it
        let _ = if self.terminal {
            write!(std::io::stderr(), "\r\x1b[2K{line}")
        } else {
            writeln!(std::io::stderr(), "{line}")
        };
    }

    /// Since the beginning, to a tenth.
    pub fn seconds(&self) -> f64 {
        (self.began.elapsed().as_secs_f64() * 10.0).round() / 10.0
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.terminal {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

/// The tables with their rows, in two columns.
pub(super) fn listed(tables: &[Moved]) -> String {
    let width = tables.iter().map(|table| table.table.len()).max().unwrap_or(0);
    let rows: Vec<_> = tables.iter().map(|table| grouped(table.rows)).collect();
    let digits = rows.iter().map(String::len).max().unwrap_or(0);
    let lines = tables.iter().zip(rows).map(|(table, rows)| format!("{:width$}  {rows:>digits$}", table.table));
    lines.collect::<Vec<_>>().join("\n")
}

/// 1234567 as 1,234,567.
pub(super) fn grouped(number: u64) -> String {
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

/// Bytes, in the unit that fits.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..=1023 => format!("{bytes} bytes"),
        1024..=1_048_575 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", grouped(bytes >> 20)),
    }
}
