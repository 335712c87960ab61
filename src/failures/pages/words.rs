//! A group in words.
use chrono::{DateTime, Utc};

use super::super::{ELSEWHERE, Group, advice::advice};
use crate::{
    events::{Filter, Source},
    ui,
};

/// What is wrong, in a line: `/Amount is required but missing`.
pub fn title(group: &Group) -> String {
    super::super::title(&group.path, &group.message, &group.rule)
}

/// What a filter asks for of the quarantine: `of` is its type or group, `token` the name of its token.
pub fn in_words(of: String, filter: &Filter, token: Option<String>) -> String {
    let moment = |at: DateTime<Utc>| format!("{} UTC", ui::Zone::default().write(at).replace('T', " "));
    let source = filter.source.map(|source| match (source, token) {
        (Source::Anonymous, _) => "sent without a token".to_owned(),
        (Source::Token(_), Some(name)) => format!("sent with the token {name}"),
        (Source::Token(id), None) => format!("sent with the token {id}"),
    });
    let time = match (filter.from.map(moment), filter.until.map(moment)) {
        (Some(from), Some(until)) => Some(format!("received from {from} until {until}")),
        (Some(from), None) => Some(format!("received from {from} on")),
        (None, Some(until)) => Some(format!("received before {until}")),
        (None, None) => None,
    };
    let receipt = filter.receipt.map(|id| format!("of the receipt {id}"));
    [Some(of), source, time, receipt].into_iter().flatten().collect::<Vec<_>>().join(", ")
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
