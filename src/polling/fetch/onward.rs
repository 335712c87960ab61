//! How a reading goes on after a page, and what it does when the list has moved meanwhile.
use super::{Fault, Position, Reading, page::At};

/// How often a list that moves is begun again.
const MOST_MOVED: u32 = 3;

impl Reading {
    pub(super) fn onward_to(&self, at: Option<At>) -> Position {
        Position {
            done: at.is_none(),
            at: at.unwrap_or_default(),
            index: 0,
            seen: String::new(),
            pages: self.position.pages + 1,
            ..self.position.clone()
        }
    }

    /// Without an upper bound there is nothing to split: what comes in order is asked for since the newest instead.
    pub(super) fn past_the_cap(&self, onward: Position) -> Result<Position, Fault> {
        let since = self.position.since.unwrap_or(self.window.from);
        match onward.newest {
            Some(newest) if !self.definition.is_bounded() && !onward.out_of_order && newest > since => Ok(Position {
                since: Some(newest),
                // asked for outward, older ones come first: they are in order all the same
                newest: None,
                records: onward.records,
                ..Position::default()
            }),
            _ => {
                let what = format!("the window has more than {} pages", self.definition.pages.cap.0);
                Err(Fault::split(what, "less is asked for at once; or allow it more pages"))
            }
        }
    }

    /// The page does not begin as it did: it is handed out once more.
    pub(super) fn page_again(&mut self) -> Result<(), Fault> {
        self.open = None;
        self.moves()?;
        self.position.index = 0;
        self.position.seen = String::new();
        // its records are older than the newest of it that was handed out: they are in order all the same
        self.position.newest = None;
        Ok(())
    }

    /// The pages do not join: all of them are read once more.
    pub(super) fn begin_again(&mut self) -> Result<(), Fault> {
        self.open = None;
        self.moves()?;
        let (since, moved, records) = (self.position.since, self.position.moved, self.position.records);
        self.position = Position { records, moved, since, ..Position::default() };
        Ok(())
    }

    fn moves(&mut self) -> Result<(), Fault> {
        self.position.moved += 1;
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.error = Some("the list has moved since the page before; it is read again".into());
        }
        if self.position.moved > MOST_MOVED {
            return Err(Fault::passing("the list moves while it is read, again and again"));
        }
        Ok(())
    }
}
