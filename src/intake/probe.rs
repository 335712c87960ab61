//! What a probe of their system shows: evidence, like samples and what their system sends. The asking itself is
//! [`feasibility`](crate::polling::probe::feasibility)'s.
use super::{
    checks::{Item, Known, Source},
    findings::{self, Finding, Findings, Yardstick},
};
use crate::{
    event_types::propose::Samples,
    polling::{
        definition::{Definition, PageKind},
        probe::{
            attempt::Wrong,
            boundary::{self, Sureness},
            feasibility::{Answer, Feasibility},
            guess::{Look, Paging},
        },
    },
    ui::format::{bytes, counted},
};

type Check = (Item, Known, String);

/// What a probe shows, as evidence; its records are held against a contract, and not kept.
pub fn of_probe(probed: &Feasibility, against: Option<&Yardstick>) -> Findings {
    let host = url::Url::parse(&probed.definition.url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let host = host.unwrap_or_default();
    let mut found = Findings {
        source: Source::Probe,
        title: format!("GET of {host}"),
        list: Vec::new(),
        contract: None,
        definition: None,
        checks: Vec::new(),
    };
    if let Some(request) = &probed.request {
        found.list.push(Finding::new("Asked", format!("{} {}", request.method, request.url), None));
    }
    let answer = match &probed.answer {
        Ok(answer) => answer,
        Err(Wrong { what, advice }) => {
            found.list.push(Finding::new("Reached", format!("{what}: {advice}"), Some(false)));
            found.checks.push((Item::PullGet, Known::Unknown, format!("a probe could not reach it: {what}")));
            return found;
        }
    };
    reached(&mut found, probed, answer);
    if answer.is_success() {
        held(&mut found, probed, answer, against);
    }
    for (name, value) in &answer.limits {
        found.list.push(Finding::new(name.as_str(), value.as_str(), None));
    }
    found.list.push(Finding::new("Requests", counted(probed.requests as u64, "request"), None));
    found
}

/// Whether there is an answer, over TLS, and what the token does.
fn reached(found: &mut Findings, probed: &Feasibility, answer: &Answer) {
    let (status, definition) = (answer.status, &probed.definition);
    let took = format!("status {status} after {} ms, {}", answer.milliseconds, bytes(answer.bytes as u64));
    found.list.push(Finding::new("Reached", took, Some(answer.is_success())));
    found.list.push(if definition.url.starts_with("https://") {
        Finding::new("TLS", "encrypted, and its certificate is trusted", Some(true))
    } else {
        Finding::new("TLS", "none: the token and the records travel where others can read them", Some(false))
    });
    let refused = matches!(status, 401 | 403);
    if answer.is_success() || refused {
        found.checks.push((Item::PullGet, Known::Yes, format!("it answered a GET with status {status}")));
    } else {
        found.checks.push((Item::PullGet, Known::Unknown, format!("it answered a GET with status {status}")));
    }
    if refused {
        found.list.push(Finding::new("Token", format!("refused: status {status}"), Some(false)));
        found.checks.push((Item::PullToken, Known::Unknown, format!("the token was refused with status {status}")));
    } else if answer.is_success() {
        let how = match (definition.needs_secret(), probed.without_token) {
            (false, _) => "none was given, and it answers".to_owned(),
            (true, Some(status)) if (200..300).contains(&status) => {
                found.list.push(Finding::new("Token", "it answers without the token as well", Some(false)));
                "it answers with the token, and without it".to_owned()
            }
            (true, Some(status)) => {
                let how = format!("it is enough; without it the status is {status}");
                found.list.push(Finding::new("Token", how.as_str(), Some(true)));
                how
            }
            (true, None) => "it is enough".to_owned(),
        };
        found.checks.push((Item::PullToken, Known::Yes, format!("token: {how}")));
    }
}

/// What a success holds.
fn held(found: &mut Findings, probed: &Feasibility, answer: &Answer, against: Option<&Yardstick>) {
    let kind = answer.content_type.as_deref().unwrap_or("no content type");
    if !answer.is_json {
        found.list.push(Finding::new("JSON", format!("the answer is none ({kind})"), Some(false)));
        found.checks.push((Item::PullJson, Known::No, format!("what it answered is no JSON ({kind})")));
        return;
    }
    found.list.push(Finding::new("JSON", kind, Some(true)));
    found.checks.push((Item::PullJson, Known::Yes, "it answered in JSON".into()));
    let Some(look) = &probed.look else {
        found.list.push(Finding::new("Records", "no list of records is in the answer", Some(false)));
        return;
    };
    let all = look.items.len() as u64;
    let records = format!("{} at {}", counted(all, "record"), look.records);
    found.list.push(Finding::new("Records", records, Some(all > 0)));
    window(found, probed);
    found.list.push(pages(&look.paging));
    if all > 0 {
        ids(found, probed, look);
        if let Some(time) = &look.record_time {
            found.list.push(Finding::new("Time of a record", time.pointer.as_str(), None));
        }
        let mut samples = Samples::default();
        if serde_json::to_string(&look.items).is_ok_and(|text| samples.add(&text).is_ok()) {
            let shown = findings::of(&samples, Source::Probe, against);
            found.title = format!("{}, {}", found.title, shown.title);
            found.list.extend(shown.list);
            found.checks.extend(shown.checks);
            found.contract = shown.contract;
        }
    }
    if probed.obeys.0 != Some(false) {
        // one that could not be saved as it is proposes nothing
        let text = serde_json::to_string_pretty(&probed.definition).ok();
        found.definition = text.filter(|text| Definition::parse(text).is_ok());
    }
}

fn window(found: &mut Findings, probed: &Feasibility) {
    let (obeys, seen) = &probed.obeys;
    let word = match obeys {
        Some(true) => "looked at",
        Some(false) => "ignored",
        None => "not seen",
    };
    found.list.push(Finding::new("Window of time", format!("{word}: {seen}"), *obeys));
    match obeys {
        Some(true) => found.checks.push((Item::PullWindow, Known::Yes, seen.clone())),
        Some(false) => found.checks.push((Item::PullWindow, Known::No, seen.clone())),
        None => {}
    }
    let Some(around) = &probed.boundary else { return };
    for (name, bound) in [("First moment", &around.from_bound), ("Last moment", &around.until_bound)] {
        if let Some(value) = bound.value {
            let value = match value {
                crate::polling::definition::Bound::Inclusive => "belongs to the window",
                crate::polling::definition::Bound::Exclusive => "does not belong to the window",
            };
            found.list.push(Finding::new(name, format!("{value} ({})", sure(bound.sureness)), None));
        }
    }
    if let Some(order) = around.order.value {
        let order = match order {
            boundary::Order::Ascending => "the oldest first",
            boundary::Order::Descending => "the newest first",
            boundary::Order::Other => "by something else than time",
        };
        found.list.push(Finding::new("Order", order, None));
    }
}

fn sure(sureness: Sureness) -> &'static str {
    match sureness {
        Sureness::Certain => "certain",
        Sureness::Likely => "likely",
        Sureness::Unknown => "not known",
    }
}

fn pages(paging: &Paging) -> Finding {
    let (how, good) = match paging {
        Paging::None => ("nothing says that an answer goes on: ask for all that fits one answer".to_owned(), None),
        Paging::Known(PageKind::Link) => ("the header Link leads to the next page".to_owned(), Some(true)),
        Paging::Known(PageKind::NextInBody { path }) => (format!("{path} leads to the next page"), Some(true)),
        Paging::Known(_) => ("in a way that can be followed".to_owned(), Some(true)),
        Paging::Token(path) => {
            (format!("a token for the next page is at {path}; their documentation says which parameter takes it"), None)
        }
        Paging::Numbers(names) => {
            let names = names.join(", ");
            (format!("by number or offset, as {names} say; their documentation says which parameter asks for it"), None)
        }
    };
    Finding::new("Pages", how, good)
}

fn ids(found: &mut Findings, probed: &Feasibility, look: &Look) {
    let check: Option<Check> = match (&look.record_id, probed.same_again) {
        (None, _) => {
            let none = "no field is different in every record and looks like its number";
            found.list.push(Finding::new("Number of a record", none, Some(false)));
            None
        }
        (Some(pointer), same) => {
            let (how, good) = match same {
                Some(true) => ("different in every record, and the same when asked again", Some(true)),
                Some(false) => ("different in every record, but others came when asked again", Some(false)),
                None => ("different in every record", None),
            };
            found.list.push(Finding::new("Number of a record", format!("{pointer}: {how}"), good));
            (good == Some(true)).then(|| (Item::RecordId, Known::Yes, format!("{pointer} is {how}")))
        }
    };
    found.checks.extend(check);
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use serde_json::json;

    use super::*;
    use crate::polling::{Window, definition::testing::definition};

    fn probed(answer: Result<Answer, Wrong>) -> Feasibility {
        let now: DateTime<Utc> = "2026-05-01T12:00:00Z".parse().unwrap();
        Feasibility {
            window: Window::new(now - TimeDelta::hours(1), now),
            request: None,
            answer,
            without_token: None,
            look: None,
            same_again: None,
            obeys: (None, "there were no records to compare".into()),
            boundary: None,
            definition: definition("http://shop.example.com/orders", json!({})),
            requests: 1,
        }
    }

    fn known(found: &Findings, item: Item) -> Option<Known> {
        found.checks.iter().find(|(one, ..)| *one == item).map(|(_, known, _)| *known)
    }

    #[test]
    fn what_was_not_seen_is_neither_yes_nor_no() {
        let nobody = of_probe(&probed(Err(Wrong { what: "no connection".into(), advice: "mend it" })), None);
        assert_eq!(known(&nobody, Item::PullGet), Some(Known::Unknown));
        assert_eq!((nobody.checks.len(), nobody.definition), (1, None));
        let said = |status, is_json| {
            let content_type = Some("text/html".into());
            let limits = vec![("retry-after".to_owned(), "30".to_owned())];
            of_probe(&probed(Ok(Answer { status, milliseconds: 3, bytes: 10, content_type, is_json, limits })), None)
        };
        let refused = said(401, true);
        assert_eq!(known(&refused, Item::PullGet), Some(Known::Yes));
        assert_eq!(known(&refused, Item::PullToken), Some(Known::Unknown));
        assert_eq!(known(&refused, Item::PullJson), None);
        assert!(refused.list.iter().any(|one| one.name == "retry-after" && one.value == "30"));
        assert!(refused.list.iter().any(|one| one.name == "TLS" && one.good == Some(false)));
        assert_eq!(known(&said(200, false), Item::PullJson), Some(Known::No));
        assert_eq!(known(&said(500, false), Item::PullGet), Some(Known::Unknown));
    }
}
