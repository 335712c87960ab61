//! What came of trying a definition out, and of probing the boundary.
use leptos::prelude::*;
use serde::Serialize;

use super::values;
use crate::{
    event_types::Breach,
    form::{Typed, sentence},
    polling::probe::{
        attempt::{Attempt, Wrong},
        boundary::{Findings, Order, Sureness, Verdict},
    },
    ui::{
        self, Alert, Badge, CodeBlock, Column, DataTable, Facts, Hidden, Json, Mark, Near, Outcome as Panel,
        State as Mood, Zone, format,
    },
};

/// How much of an event a row of the table shows, in characters.
const IN_A_ROW: usize = 72;

/// What came of it.
pub(super) enum Outcome {
    /// It was tried; with each event's breaches of its contract, where the type is known.
    Tried(Box<Attempt>, Option<Vec<Vec<Breach>>>),
    /// The boundary was probed.
    Probed(Box<Findings>),
    /// It could not be.
    Failed(Wrong),
}

/// The result, below the buttons that led to it.
pub(super) fn view(outcome: &Outcome, zone: Zone) -> AnyView {
    let shown = match outcome {
        Outcome::Tried(tried, verdicts) => self::tried(tried, verdicts.as_deref(), zone),
        Outcome::Probed(found) => probed(found),
        Outcome::Failed(wrong) => fault(wrong),
    };
    view! { <Panel id="result" label="Result">{shown}</Panel> }.into_any()
}

fn fault(wrong: &Wrong) -> AnyView {
    let advice = (!wrong.advice.is_empty()).then(|| view! { <p>{format!("{}.", sentence(wrong.advice))}</p> });
    view! { <Alert state=Mood::Error title=sentence(&wrong.what) announce=true>{advice}</Alert> }.into_any()
}

fn tried(tried: &Attempt, verdicts: Option<&[Vec<Breach>]>, zone: Zone) -> AnyView {
    let summary = match &tried.fault {
        Some(wrong) => fault(wrong),
        None => said(tried, verdicts),
    };
    let request = tried.request.as_ref().map(|request| {
        let mut lines = vec![format!("{} {}", request.method, request.url)];
        lines.extend(request.headers.iter().map(|(name, value)| format!("{name}: {value}")));
        view! { <CodeBlock id="tried-request" label="What was asked" code=lines.join("\n")/> }
    });
    let answer = tried.answer.clone().filter(|answer| !answer.is_empty()).map(|answer| {
        view! { <CodeBlock id="tried-answer" label="How the answer begins" code=answer/> }
    });
    let next = match (&tried.next, tried.fault.is_some()) {
        (Some(next), _) => {
            view! { <CodeBlock id="tried-next" label="The next page" code=format!("{} {}", next.method, next.url)/> }
                .into_any()
        }
        (None, false) => ui::muted("There is no further page."),
        (None, true) => ().into_any(),
    };
    view! { {summary} {facts(tried, zone)} {request} {answer} {events(tried, verdicts, zone)} {next} }.into_any()
}

fn said(tried: &Attempt, verdicts: Option<&[Vec<Breach>]>) -> AnyView {
    let found = format!("{} found on the first page", format::counted(tried.records, "record"));
    let broken = match verdicts {
        Some(verdicts) => verdicts.iter().filter(|breaches| !breaches.is_empty()).count(),
        None => tried.events.iter().filter(|event| event.fault.is_some()).count(),
    };
    let (mood, title, words) = if tried.records == 0 {
        let words = "Perhaps there were none in this span: try a longer one. Or they stand elsewhere in the answer.";
        (Mood::Warning, "No record was found".to_owned(), words)
    } else if broken > 0 {
        let words = "They are kept, with the reasons, until they are mended. Or mend the mapping now.";
        let title = format!("{found}; of the first {}, {broken} would go to quarantine", tried.events.len());
        (Mood::Warning, title, words)
    } else if verdicts.is_none() {
        (Mood::Ok, found, "Choose an event type to see whether they keep its contract.")
    } else {
        (Mood::Ok, format!("{found}, and those that were looked at keep their contract"), "Nothing was stored.")
    };
    view! { <Alert state=mood title=title announce=true><p>{words}</p></Alert> }.into_any()
}

fn facts(tried: &Attempt, zone: Zone) -> AnyView {
    let mut items = vec![("Asked for", ui::text(tried.window.told(zone)))];
    if let Some(evidence) = &tried.evidence {
        let status = evidence.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        items.push(("Status", ui::text(status)));
        items.push(("Took", ui::text(format!("{} ms", format::count(evidence.milliseconds)))));
        items.push(("Size", ui::text(format::bytes(evidence.bytes))));
    }
    if let Some(skew) = tried.skew_seconds {
        let words = match skew {
            -2..=2 => "as ours".to_owned(),
            ahead @ 3.. => format!("about {ahead} s ahead of ours"),
            behind => format!("about {} s behind ours", behind.unsigned_abs()),
        };
        items.push(("Its clock", ui::text(words)));
    }
    view! { <Facts items=items/> }.into_any()
}

fn events(tried: &Attempt, verdicts: Option<&[Vec<Breach>]>, zone: Zone) -> Option<AnyView> {
    let first = tried.events.first()?;
    let none = Vec::new();
    let breaches = |n: usize| verdicts.and_then(|verdicts| verdicts.get(n)).unwrap_or(&none).as_slice();
    let rows = tried.events.iter().enumerate().map(|(n, event)| {
        let mut text = event.event.to_string();
        if let Some((at, _)) = text.char_indices().nth(IN_A_ROW) {
            text.truncate(at);
            text.push('…');
        }
        let reasons = match (&event.fault, breaches(n)) {
            (Some(fault), _) => Some(fault.clone()),
            (None, []) => None,
            (None, breaches) => {
                let words: Vec<_> =
                    breaches.iter().take(3).map(|one| format!("{} {}", one.path, one.message)).collect();
                Some(words.join("; "))
            }
        };
        let verdict = match (reasons, verdicts) {
            (Some(reasons), _) => ui::two_lines(
                view! { <Badge state=Mood::Warning word="quarantine"/> }.into_any(),
                ui::text(sentence(&reasons)),
            ),
            (None, Some(_)) => view! { <Badge state=Mood::Ok word="accepted"/> }.into_any(),
            (None, None) => ui::muted("not judged"),
        };
        let time = event.time.map_or_else(|| ui::muted("none"), |time| ui::text(zone.in_full(time)));
        vec![ui::number(n as u64 + 1), verdict, ui::mono(text), time]
    });
    let columns = vec![
        Column::text("No."),
        Column::text("Would be"),
        Column::text("Event"),
        Column::text("Its time").wide_only(),
    ];
    let marks = breaches(0).iter().map(|breach| Mark::new(breach.path.clone(), breach.message.clone())).collect();
    let text = serde_json::to_string_pretty(&first.event).unwrap_or_default();
    Some(
        view! {
            <Near title="The events that they would become">
                <DataTable caption="Events that the records would become" columns=columns rows=rows.collect()/>
            </Near>
            <Json label="The first of them in full" text=text marks=marks/>
        }
        .into_any(),
    )
}

fn certainty(sureness: Sureness) -> AnyView {
    let (mood, word) = match sureness {
        Sureness::Certain => (Mood::Ok, "certain"),
        Sureness::Likely => (Mood::Warning, "likely"),
        Sureness::Unknown => (Mood::Neutral, "not known"),
    };
    view! { <Badge state=mood word=word/> }.into_any()
}

fn finding<T>(what: &str, verdict: &Verdict<T>, words: impl Fn(&T) -> String) -> Vec<AnyView> {
    let value = verdict.value.as_ref().map_or_else(|| ui::muted("not found out"), |value| ui::text(words(value)));
    vec![ui::text(what), value, certainty(verdict.sureness), ui::text(sentence(&verdict.seen))]
}

fn probed(found: &Findings) -> AnyView {
    let ignored = found.obeys.value == Some(false);
    let told = found.from_bound.value.is_some() || found.until_bound.value.is_some();
    let (mood, title, words) = if ignored {
        (
            Mood::Error,
            "The other side ignores the span that it is asked for",
            "It answers the same whatever is asked. Mend the names of the parameters: as it is, it would be read whole each time.",
        )
    } else if told {
        (
            Mood::Ok,
            "The probe has found something out",
            "What is certain was seen both ways. Fill it in below, then try it.",
        )
    } else {
        (
            Mood::Warning,
            "The probe has found little out",
            "It needs a record in the span whose own time it can read: name the record's own time, or ask for a longer span.",
        )
    };
    let bound =
        |bound: &_| if values::bound(*bound) == "inclusive" { "is answered" } else { "is not answered" }.to_owned();
    let rows = vec![
        finding("The span", &found.obeys, |obeys| if *obeys { "is looked at" } else { "is ignored" }.to_owned()),
        finding("A record at the first moment", &found.from_bound, bound),
        finding("A record at the last moment", &found.until_bound, bound),
        finding("It tells moments apart by", &found.precision, |one| match values::precision(*one) {
            "milliseconds" => "milliseconds".to_owned(),
            word => format!("{word}s"),
        }),
        finding("Its clock face", &found.offset_minutes, |minutes| match minutes {
            0 => "is the one that was meant".to_owned(),
            minutes => format!("differs by {minutes} minutes: choose moments without a zone, and name the zone"),
        }),
        finding("Its records are sorted", &found.order, |order| {
            match order {
                Order::Ascending => "oldest first",
                Order::Descending => "newest first",
                Order::Other => "by something else than their time",
            }
            .to_owned()
        }),
    ];
    let columns = vec![
        Column::text("What"),
        Column::text("Found"),
        Column::text("How sure"),
        Column::text("What was seen").wide_only(),
    ];
    let hidden =
        |name: &str, value: Option<String>| value.map(|value| view! { <Hidden name=name.to_owned() value=value/> });
    view! {
        <Alert state=mood title=title announce=true><p>{words}</p></Alert>
        <DataTable caption="What the probe has found out" columns=columns rows=rows/>
        {ui::muted(format!("It was asked {} times, and nothing was stored.", found.requests))}
        {hidden("found_from_bound", spelled(&found.from_bound))}
        {hidden("found_until_bound", spelled(&found.until_bound))}
        {hidden("found_precision", spelled(&found.precision))}
    }
    .into_any()
}

fn spelled<T: Serialize>(verdict: &Verdict<T>) -> Option<String> {
    verdict.value.as_ref().map(values::word)
}

/// The form with what a probe has found.
pub(super) fn filled(typed: &Typed) -> Typed {
    let found =
        [("from_bound", "found_from_bound"), ("until_bound", "found_until_bound"), ("precision", "found_precision")];
    let changes: Vec<_> = found
        .into_iter()
        .map(|(field, found)| (field, typed.text(found)))
        .filter(|(_, value)| !value.is_empty())
        .collect();
    values::with(typed, &changes)
}
