//! What goes wrong: each trouble is a function of the seed and the number of the request.
use clap::ValueEnum;

use super::{Manner, draw};

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Trouble {
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 429, `Retry-After` in seconds.
    TooMany,
    /// 503, `Retry-After` as a date.
    Away,
    /// 500.
    Fails,
    /// The connection is cut in the middle of the body.
    Reset,
    /// The body comes a few bytes at a time, and never ends.
    Drip,
    /// A small body that is large unpacked.
    Bomb,
    /// The JSON ends in its middle, as if it were whole.
    Cut,
    /// The same cursor again and again.
    Repeat,
    /// An item leaves the head of the list between two pages.
    Shift,
    /// Sent to an address inside.
    Inside,
    /// A page for people.
    Html,
}

impl Manner {
    /// What goes wrong with a request, counted from one.
    pub fn trouble(&self, request: u64) -> Option<Trouble> {
        let drawn = draw(self.seed, &[4, request]);
        if self.troubles.is_empty() || !drawn.is_multiple_of(self.every.max(1)) {
            return None;
        }
        let which = (drawn / self.every.max(1)) % self.troubles.len() as u64;
        self.troubles.get(usize::try_from(which).unwrap_or(0)).copied()
    }
}
