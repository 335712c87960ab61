//! A group in words.
use super::super::{ELSEWHERE, Group, advice::advice};
use crate::ui;

/// What is wrong, in a line: `/Amount is required but missing`.
pub(super) fn title(group: &Group) -> String {
    super::super::title(&group.path, &group.message, &group.rule)
}

/// Where it is wrong, in a few words.
pub(super) fn place(path: &str) -> &str {
    match path {
        "" => "the event as a whole",
        ELSEWHERE => "many places",
        path => path,
    }
}

/// What the operator of the sender is told; `example` is what stood there, if anything did.
pub(super) fn to_the_sender(group: &Group, event_type: &str, example: Option<&str>, now: ui::Now) -> String {
    let count = ui::format::counted(u64::try_from(group.failures).unwrap_or(0), "event");
    let example = example.map_or_else(|| "(nothing stands there)".to_owned(), str::to_owned);
    let sender = advice(&group.rule).sender;
    format!(
        "{count} of the type “{event_type}” did not keep the contract.\n\n\
         Where:         {}\n\
         Rule:          {}\n\
         What is wrong: {}\n\
         Example:       {example}\n\
         First seen:    {}\n\
         Last seen:     {}\n\n\
         Please {sender}.",
        place(&group.path),
        group.rule,
        group.message,
        now.in_full(group.first_at),
        now.in_full(group.last_at),
    )
}
