//! How the difference between two contracts is drawn: in words, and line by line.
use leptos::prelude::*;

use crate::{
    event_types::{
        Contract,
        diff::{self, Change, Effect, Line, Piece},
    },
    ui::{self, ChangeItem, Changes, Diff, DiffLine, State},
};

/// What is different in `new`, ready to be drawn.
pub(super) struct Difference {
    changes: Vec<Change>,
    lines: Vec<DiffLine>,
}

impl Difference {
    pub(super) fn between(old: &Contract, new: &Contract) -> Self {
        let (old, new) = (old.schema(), new.schema());
        let (hunks, after) = diff::hunks(&old, &new);
        let mut lines = Vec::new();
        let left = |lines: &mut Vec<DiffLine>, count: usize| {
            if count > 0 {
                lines.push(DiffLine::Left(count));
            }
        };
        for hunk in hunks {
            left(&mut lines, hunk.skipped);
            lines.extend(hunk.lines.into_iter().map(|line| match line {
                Line::Same(text) => DiffLine::Same(text),
                Line::Gone(text) => DiffLine::Gone(text),
                Line::New(text) => DiffLine::New(text),
            }));
        }
        if !lines.is_empty() {
            left(&mut lines, after);
        }
        Self { changes: diff::of_schemas(&old, &new), lines }
    }

    /// Whether the two say the same.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// How many things are different.
    pub(super) fn count(&self) -> usize {
        self.changes.len()
    }

    /// The sentences.
    pub(super) fn words(&self) -> AnyView {
        let items: Vec<_> = self.changes.iter().map(item).collect();
        if items.is_empty() {
            return view! { <p>{ui::muted("Nothing: both say the same, however they are written.")}</p> }.into_any();
        }
        view! { <Changes items=items/> }.into_any()
    }

    /// The lines; nothing when there are none.
    pub(super) fn lines(&self, label: &str) -> Option<AnyView> {
        (!self.lines.is_empty()).then(|| view! { <Diff label=label lines=self.lines.clone()/> }.into_any())
    }
}

fn item(change: &Change) -> ChangeItem {
    let state = match change.effect {
        Effect::Stricter | Effect::Changed => State::Warning,
        Effect::Looser => State::Ok,
        Effect::Neutral => State::Neutral,
    };
    let words = change.words.0.iter().map(|piece| match piece {
        Piece::Text(text) => (false, text.clone()),
        Piece::Quoted(text) => (true, text.clone()),
    });
    ChangeItem { effect: (state, change.effect.word()), words: words.collect() }
}
