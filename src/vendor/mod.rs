//! A stand-in external system: it holds records that anybody can count, answers for a window of time as real ones do,
//! and fails as real ones do. Everything is a function of its seed and the number of the request, and it can say what
//! it truly holds: so that a test can tell whether something was missed. `tributary vendor` runs it by itself.
mod faults;
mod listen;
mod world;

pub use faults::Trouble;
pub use listen::{Running, start};
pub use world::{Item, World};

use chrono::{DateTime, TimeDelta, Utc};
use clap::ValueEnum;

use crate::polling::definition::{Bound, Precision, TimeFormat};

/// How its answers go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Paging {
    /// They do not.
    #[default]
    None,
    /// By `page` and `size`.
    Number,
    /// By `offset` and `size`.
    Offset,
    /// By `cursor`, from `meta.cursor`.
    Cursor,
    /// By `cursor`, from the header `x-next`.
    CursorHeader,
    /// By the address in `meta.next`.
    Next,
    /// By the header `Link`.
    Link,
}

/// What it is like.
#[derive(Debug, Clone)]
pub struct Manner {
    /// Where everything random comes from.
    pub seed: u64,
    /// How many records it holds in the end.
    pub records: u64,
    /// When the first one is changed.
    pub start: DateTime<Utc>,
    /// Between two records, about.
    pub step: TimeDelta,
    /// How late one in ten is seen, after the time it carries.
    pub late: TimeDelta,
    /// How its answers go on, and how many records a page holds.
    pub paging: Paging,
    /// The most records of a page, whatever is asked for.
    pub size: u64,
    /// Whether records of the moments asked for are among the answers.
    pub bounds: [Bound; 2],
    /// How finely it keeps moments.
    pub precision: Precision,
    /// How it writes them, and reads them.
    pub format: TimeFormat,
    /// How it reads them, where that is another way.
    pub reads: Option<TimeFormat>,
    /// The newest first.
    pub descending: bool,
    /// It does not look at the window.
    pub ignores: bool,
    /// It says when nothing has changed: by `ETag`, and by `Last-Modified`.
    pub conditional: bool,
    /// How far its clock is ahead.
    pub skew: TimeDelta,
    /// Who may ask: `Authorization: Bearer …`.
    pub token: Option<String>,
    /// What goes wrong.
    pub troubles: Vec<Trouble>,
    /// Of so many requests, one goes wrong.
    pub every: u64,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            seed: 1,
            records: 1000,
            start: DateTime::from_timestamp(1_772_323_200, 0).unwrap_or_default(),
            step: TimeDelta::seconds(30),
            late: TimeDelta::zero(),
            paging: Paging::None,
            size: 100,
            bounds: [Bound::Inclusive, Bound::Exclusive],
            precision: Precision::Milliseconds,
            format: TimeFormat::default(),
            reads: None,
            descending: false,
            ignores: false,
            conditional: false,
            skew: TimeDelta::zero(),
            token: None,
            troubles: Vec::new(),
            every: 3,
        }
    }
}

/// A number out of a seed and others: the same each time.
pub(crate) fn draw(seed: u64, parts: &[u64]) -> u64 {
    let mut bytes = seed.to_le_bytes().to_vec();
    for part in parts {
        bytes.extend_from_slice(&part.to_le_bytes());
    }
    let digest = crate::crypto::sha256(&bytes);
    u64::from_le_bytes([digest[0], digest[1], digest[2], digest[3], digest[4], digest[5], digest[6], digest[7]])
}
