//! What was seen, as evidence of an intake: from sample payloads, and from what their system really sends. Whatever else
//! looks at a system (a probe that asks it by GET, say) hands its [`Findings`] to [`super::store::attach`] as these do:
//! they are kept, pre-fill the check list, and so propose the verdict.
//!
//! What the samples held is not kept: only how often fields are there, and a contract without values.
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::checks::{Item, Known, Source};
use crate::event_types::{
    field::{Identifies, Step},
    propose::{Samples, SamplesError, propose},
};

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
    fn new(name: impl Into<String>, value: impl Into<String>, good: Option<bool>) -> Self {
        Self { name: name.into(), value: value.into(), good }
    }
}

/// What a text of samples shows.
///
/// # Errors
/// When it holds none.
pub fn of_samples(text: &str) -> Result<Findings, SamplesError> {
    let mut samples = Samples::default();
    samples.add(text)?;
    Ok(of(&samples, Source::Sample))
}

/// What events show that came in by the temporary endpoint.
///
/// # Errors
/// When there are none.
pub fn of_events<'a>(payloads: impl IntoIterator<Item = &'a str>) -> Result<Findings, SamplesError> {
    let mut samples = Samples::default();
    for payload in payloads {
        samples.add(payload)?;
    }
    if samples.is_empty() {
        return Err(SamplesError::Empty);
    }
    Ok(of(&samples, Source::Endpoint))
}

fn of(samples: &Samples, source: Source) -> Findings {
    let proposal = propose(samples);
    let fields = proposal.walk();
    let all = samples.len() as u64;
    let (noun, place) = match source {
        Source::Endpoint => ("event", "what their system sent"),
        _ => ("sample payload", "samples"),
    };
    let mut list = vec![Finding::new("Fields", crate::ui::format::count(fields.len() as u64), None)];
    let identifying: Vec<_> =
        fields.iter().filter_map(|(path, field)| Some((path, *field, field.identifies?))).collect();
    let values: Vec<Value> = samples.values().collect();
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
        let value = format!("{by}, filled in in {filled} of {all} ({rate} %)");
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
        Some((rate, path)) if rate >= FULL => (Known::Yes, format!("{path} is filled in in {rate} % of {place}")),
        Some((rate, path)) => (Known::Unknown, format!("{path} is filled in in only {rate} % of {place}")),
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
    Findings { source, title: crate::ui::format::counted(all, noun), list, contract: Some(proposal.contract()), checks }
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
        let full = of_samples(&lines.join("\n")).unwrap();
        assert_eq!((full.title.as_str(), full.source), ("19 sample payloads", Source::Sample));
        assert!(
            full.checks.iter().any(|(item, known, _)| (*item, *known) == (Item::Identifier, Known::Yes)),
            "{full:?}"
        );
        assert!(!format!("{full:?}").contains("jane3@example.com"));
        lines.extend(["{\"Order\":20}".to_owned(), "{\"Order\":21}".to_owned()]);
        let holes = of_samples(&lines.join("\n")).unwrap();
        assert_eq!(holes.checks[0].1, Known::Unknown, "{holes:?}");
        assert!(holes.checks[0].2.contains("90 %"), "{holes:?}");
        // what is there but says nothing is not filled in
        let hollow = lines.iter().map(|line| line.replace("jane7@example.com", " ")).collect::<Vec<_>>().join(",")
            + r#",{"Email Address":null}"#;
        assert!(of_samples(&hollow).unwrap().checks[0].2.contains("only 81 %"), "{hollow}");
        let nobody = of_samples(r#"{"Amount":1}"#).unwrap();
        assert_eq!(nobody.checks[0].1, Known::No);
        assert!(of_samples("").is_err() && of_samples("[1]").is_err());
    }

    #[test]
    fn what_came_in_shows_that_they_can_send() {
        let seen = of_events([r#"{"Email Address":"a@example.com"}"#]).unwrap();
        let yes: Vec<_> =
            seen.checks.iter().filter(|(_, known, _)| *known == Known::Yes).map(|(item, ..)| *item).collect();
        assert_eq!(yes, [Item::Identifier, Item::PushPost, Item::PushToken]);
        assert_eq!(of_events([]).unwrap_err(), SamplesError::Empty);
    }
}
