//! What was seen, as evidence of an intake: from sample payloads, and from what their system really sends. Whatever else
//! looks at a system (a probe that asks it by GET, say) hands its [`Findings`] to [`super::store::attach`] as these do:
//! they are kept, pre-fill the check list, and so propose the verdict.
//!
//! What the samples held is not kept: only how often fields are there, and a contract without values.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checks::{Item, Known, Source};
use crate::event_types::{
    Contract,
    field::{Identifies, Step},
    propose::{Samples, SamplesError, propose},
    shortened,
};

/// How many of the rules that are broken are told, the most frequent first.
const MOST_BROKEN: usize = 5;

/// The longest text of a finding, in bytes, and the most findings of one piece of evidence.
const LONGEST: usize = 600;
pub(in crate::intake) const MOST: usize = 100;

/// How full an identifying field has to be, in percent, to count as always there.
const FULL: u64 = 95;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// Where.
    pub source: Source,
    /// In a few words: "12 sample payloads".
    pub title: String,
    /// One by one.
    pub list: Vec<Finding>,
    /// The contract that it proposes.
    pub contract: Option<String>,
    /// The source that it proposes, as a SOURCE.json without a token.
    pub definition: Option<String>,
    /// What it says about the check list, and how that is known.
    pub checks: Vec<(Item, Known, String)>,
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub name: String,
    /// How it is.
    pub value: String,
    /// Whether that is good; none: neither.
    pub good: Option<bool>,
}

impl Finding {
    pub(super) fn new(name: impl Into<String>, value: impl Into<String>, good: Option<bool>) -> Self {
        Self { name: plain(&name.into()), value: plain(&value.into()), good }
    }
}

/// What another system calls its fields, and says, as it may be kept: without control characters, which a database may
/// not take, and not at any length.
pub(in crate::intake) fn plain(text: &str) -> String {
    shortened(&text.replace(char::is_control, "\u{fffd}"), LONGEST)
}

/// A contract that what was seen is held against: a draft, an active one, or one that was proposed before.
#[derive(Debug, Clone)]
pub struct Yardstick {
    /// What it is called in the findings.
    pub name: String,
    /// The contract.
    pub contract: Contract,
}

/// What a text of samples shows.
///
/// # Errors
/// When it holds none.
pub fn of_samples(text: &str, against: Option<&Yardstick>) -> Result<Findings, SamplesError> {
    let mut samples = Samples::default();
    samples.add(text)?;
    Ok(of(&samples, Source::Sample, against))
}

/// What events show that came in by the temporary endpoint.
///
/// # Errors
/// When there are none.
pub fn of_events<'a>(
    payloads: impl IntoIterator<Item = &'a str>,
    against: Option<&Yardstick>,
) -> Result<Findings, SamplesError> {
    let mut samples = Samples::default();
    for payload in payloads {
        samples.add(payload)?;
    }
    if samples.is_empty() {
        return Err(SamplesError::Empty);
    }
    Ok(of(&samples, Source::Endpoint, against))
}

/// What samples show, wherever they are from.
pub(super) fn of(samples: &Samples, source: Source, against: Option<&Yardstick>) -> Findings {
    let proposal = propose(samples);
    let fields = proposal.walk();
    let all = samples.len() as u64;
    let (noun, place) = match source {
        Source::Endpoint => ("event", "what their system sent"),
        Source::Probe => ("record", "their records"),
        _ => ("sample payload", "samples"),
    };
    let mut list = vec![Finding::new("Fields", crate::ui::format::count(fields.len() as u64), None)];
    let values: Vec<Value> = samples.values().collect();
    if let Some(yardstick) = against {
        list.extend(held_against(yardstick, &values));
    }
    let identifying: Vec<_> =
        fields.iter().filter_map(|(path, field)| Some((path, *field, field.identifies?))).collect();
    let identifying: Vec<_> = identifying
        .into_iter()
        .map(|(path, _, by)| (path, values.iter().filter(|event| is_filled(event, &path.0)).count() as u64, by))
        .collect();
    for (path, filled, by) in &identifying {
        let rate = percent(*filled, all);
        let by = match by {
            Identifies::Email => "an e-mail address",
            Identifies::Phone => "a telephone number",
            Identifies::Id => "a number of the customer",
        };
        let value = format!("{by}, there in {filled} of {all} ({rate} %)");
        list.push(Finding::new(path.to_string(), value, Some(rate >= FULL)));
    }
    let optional: Vec<_> = fields
        .iter()
        .filter(|(path, field)| path.depth() == 0 && !field.required)
        .map(|(path, _)| path.to_string())
        .collect();
    if !optional.is_empty() {
        list.push(Finding::new("Not always there", optional.join(", "), None));
    }
    let best = identifying.iter().map(|(path, filled, _)| (percent(*filled, all), path)).max_by_key(|(rate, _)| *rate);
    let identifier = match best {
        None => (Known::No, format!("no field in {place} says whom a record is about")),
        Some((rate, path)) if rate >= FULL => (Known::Yes, format!("{path} is there in {rate} % of {place}")),
        Some((rate, path)) => (Known::Unknown, format!("{path} is there in only {rate} % of {place}")),
    };
    if best.is_none() {
        list.push(Finding::new("Identifier", "no field says whom a record is about", Some(false)));
    }
    let mut checks = vec![(Item::Identifier, identifier.0, identifier.1)];
    if source == Source::Endpoint {
        let how = format!("{} came in by the temporary endpoint", crate::ui::format::counted(all, "event"));
        checks.push((Item::PushPost, Known::Yes, how.clone()));
        checks.push((Item::PushToken, Known::Yes, how));
    }
    let title = crate::ui::format::counted(all, noun);
    Findings { source, title, list, contract: Some(proposal.contract()), definition: None, checks }
}

/// How many keep a contract, and which of its rules the others break, and where; nothing of what they hold.
fn held_against(yardstick: &Yardstick, values: &[Value]) -> Vec<Finding> {
    let mut broken: BTreeMap<(String, String), u64> = BTreeMap::new();
    let mut kept = 0_u64;
    for event in values {
        let breaches = yardstick.contract.check(event);
        kept += u64::from(breaches.is_empty());
        let mut places: Vec<_> = breaches.into_iter().map(|breach| (starred(&breach.path), breach.rule)).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            *broken.entry(place).or_default() += 1;
        }
    }
    let all = values.len() as u64;
    let keeps = Finding::new(yardstick.name.as_str(), format!("kept by {kept} of {all}"), Some(kept == all));
    let mut broken: Vec<_> = broken.into_iter().collect();
    broken.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let told = broken.into_iter().take(MOST_BROKEN).map(|((path, rule), count)| {
        let path = if path.is_empty() { "the whole event".to_owned() } else { path };
        Finding::new(path, format!("breaks the rule “{rule}” in {count} of {all}"), Some(false))
    });
    std::iter::once(keeps).chain(told).collect()
}

/// A place in a list is any place of it.
fn starred(path: &str) -> String {
    let step = |step: &str| match step.parse::<u32>() {
        Ok(_) => "*".to_owned(),
        Err(_) => step.to_owned(),
    };
    path.split('/').map(step).collect::<Vec<_>>().join("/")
}

/// Whether there is something at this place of an event: null and empty texts are nothing. Of a list, one will do.
fn is_filled(value: &Value, path: &[Step]) -> bool {
    match path.split_first() {
        None => !value.is_null() && value.as_str().is_none_or(|text| !text.trim().is_empty()),
        Some((Step::Key(key), rest)) => value.get(key).is_some_and(|value| is_filled(value, rest)),
        Some((Step::Each, rest)) => {
            value.as_array().is_some_and(|items| items.iter().any(|item| is_filled(item, rest)))
        }
    }
}

fn percent(seen: u64, of: u64) -> u64 {
    // rounded down: what is not quite full is not full
    (seen * 100).checked_div(of).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_say_how_full_the_identifier_is_and_are_not_kept() {
        let mut lines: Vec<_> =
            (0..19).map(|n| format!(r#"{{"Email Address":"jane{n}@example.com","Order":{n}}}"#)).collect();
        let full = of_samples(&lines.join("\n"), None).unwrap();
        assert_eq!((full.title.as_str(), full.source), ("19 sample payloads", Source::Sample));
        assert!(
            full.checks.iter().any(|(item, known, _)| (*item, *known) == (Item::Identifier, Known::Yes)),
            "{full:?}"
        );
        assert!(!format!("{full:?}").contains("jane3@example.com"));
        lines.extend(["{\"Order\":20}".to_owned(), "{\"Order\":21}".to_owned()]);
        let holes = of_samples(&lines.join("\n"), None).unwrap();
        assert_eq!(holes.checks[0].1, Known::Unknown, "{holes:?}");
        assert!(holes.checks[0].2.contains("90 %"), "{holes:?}");
        // what is there but says nothing is not filled in
        let hollow = lines.iter().map(|line| line.replace("jane7@example.com", " ")).collect::<Vec<_>>().join(",")
            + r#",{"Email Address":null}"#;
        assert!(of_samples(&hollow, None).unwrap().checks[0].2.contains("only 81 %"), "{hollow}");
        let nobody = of_samples(r#"{"Amount":1}"#, None).unwrap();
        assert_eq!(nobody.checks[0].1, Known::No);
        assert!(of_samples("", None).is_err() && of_samples("[1]", None).is_err());
    }

    #[test]
    fn samples_are_held_against_a_drafted_contract_and_what_they_hold_is_not_told() {
        let draft = r#"{"type":"object","required":["Email"],"properties":{"Lines":{"items":{"required":["Sku"]}}}}"#;
        let yardstick = Yardstick { name: "Draft".into(), contract: Contract::parse(draft).unwrap() };
        let text = r#"{"Email":"a@example.com"} {"Email":"b@example.com","Lines":[{},{"Sku":1},{}]} {"Lines":[{}]}"#;
        let found = of_samples(text, Some(&yardstick)).unwrap();
        let told: Vec<_> = found.list.iter().map(|one| format!("{}: {}", one.name, one.value)).collect();
        assert!(told.contains(&"Draft: kept by 1 of 3".to_owned()), "{told:?}");
        assert!(told.contains(&"/Lines/*/Sku: breaks the rule “required” in 2 of 3".to_owned()), "{told:?}");
        assert!(told.contains(&"/Email: breaks the rule “required” in 1 of 3".to_owned()), "{told:?}");
        assert!(!format!("{found:?}").contains("a@example.com"));
        let keeps = of_samples(r#"{"Email":"a@example.com"}"#, Some(&yardstick)).unwrap();
        assert!(keeps.list.iter().any(|one| one.name == "Draft" && one.good == Some(true)));
    }

    #[test]
    fn what_came_in_shows_that_they_can_send() {
        let seen = of_events([r#"{"Email Address":"a@example.com"}"#], None).unwrap();
        let yes: Vec<_> =
            seen.checks.iter().filter(|(_, known, _)| *known == Known::Yes).map(|(item, ..)| *item).collect();
        assert_eq!(yes, [Item::Identifier, Item::PushPost, Item::PushToken]);
        assert_eq!(of_events([], None).unwrap_err(), SamplesError::Empty);
    }
}
