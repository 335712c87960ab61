//! What an intake gives to the first draft: what was seen and said becomes what the price supposes, and what is open or
//! ruled out becomes what it leaves out.
use std::fmt::Write as _;

use crate::intake::{
    Verdict,
    checks::{Item, Known},
    questions::question,
    store::{Answered, Checked, OpenQuestion},
};

/// The answers that a price rests on.
const WEIGH: [&str; 6] = ["records", "per-day", "peak", "history", "freshness", "test-environment"];

/// Assumptions and exclusions, one a line.
pub fn carried(
    checks: &[Checked],
    answers: &[Answered],
    verdicts: &[Verdict],
    found: &[OpenQuestion],
) -> (String, String) {
    let (mut assumed, mut excluded) = (String::new(), String::new());
    let mut add = |to_assumed: bool, line: String| {
        let to = if to_assumed { &mut assumed } else { &mut excluded };
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() {
            let _ = writeln!(to, "{line}");
        }
    };
    let known = |item: Item| checks.iter().find(|one| one.item == item).map_or(Known::Unknown, |one| one.known);
    for item in Item::ALL.iter().filter(|item| known(**item) == Known::Yes) {
        add(true, item.title().into());
    }
    for key in WEIGH {
        let said = answers.iter().find(|one| one.question == key);
        if let (Some(said), Some((_, asked))) = (said, question(key)) {
            add(true, format!("{} {}", asked.text, asked.told(&said.answer)));
        }
    }
    for one in found.iter().filter(|one| !one.answer.is_empty()) {
        add(true, format!("{} {}", one.question, one.answer));
    }
    for item in Item::ALL.iter().filter(|item| known(**item) == Known::No) {
        add(false, format!("Not there, and not counted on: {}", lower(item.title())));
    }
    for line in verdicts.iter().flat_map(|one| one.open_questions.lines()) {
        if !found.iter().any(|one| one.question == line.trim() && !one.answer.is_empty()) {
            add(false, format!("Not settled by the intake: {line}"));
        }
    }
    (assumed.trim_end().to_owned(), excluded.trim_end().to_owned())
}

fn lower(text: &str) -> String {
    let mut rest = text.chars();
    rest.next().map(|first| first.to_lowercase().chain(rest).collect()).unwrap_or_default()
}
