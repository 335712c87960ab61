//! `tributary validate`: keeps events to a contract, without a server.
use std::fmt::Write;

use clap::Args;
use serde::Serialize;
use serde_json::Value;

use super::{Context, Refused, input};
use crate::event_types::{Breach, Contract};

/// Check a contract, and events against it, without a server or a database
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary validate --schema order.json
  tributary validate --schema order.json orders.ndjson
  echo '{\"Order ID\": 1}' | tributary validate --schema order.json -")]
pub(super) struct Validate {
    /// The contract: a JSON Schema (2020-12)
    #[arg(long, value_name = "FILE")]
    schema: String,
    /// Events: an object, an array of objects, or one object a line; - for standard input
    #[arg(value_name = "EVENT-FILE")]
    events: Option<String>,
}

/// What is answered: the same as the dry run of a server.
#[derive(Default, Serialize)]
struct Checked {
    valid: usize,
    rejected: Vec<Rejected>,
}

#[derive(Serialize)]
struct Rejected {
    index: usize,
    errors: Vec<Breach>,
}

impl Validate {
    pub(super) fn run(self, context: &Context) -> anyhow::Result<()> {
        let contract = Contract::parse(&input::text(&self.schema)?)?;
        let Some(file) = &self.events else {
            return context.out.record(&Checked::default(), || "the contract is fine".into());
        };
        let events = events(&input::text(file)?)?;
        let mut rejected = Vec::new();
        let mut told = String::new();
        for (index, event) in events.iter().enumerate() {
            if !event.is_object() {
                anyhow::bail!("event {index} is not an object");
            }
            let breaches = contract.check(event);
            for breach in &breaches {
                let _ = writeln!(told, "event {index}: {} {} ({})", breach.path, breach.message, breach.rule);
            }
            if !breaches.is_empty() {
                rejected.push(Rejected { index, errors: breaches });
            }
        }
        let (wrong, right) = (rejected.len(), events.len() - rejected.len());
        context.out.record(&Checked { valid: right, rejected }, || {
            format!("{told}{right} of {} events keep the contract", events.len())
        })?;
        if wrong > 0 {
            return Err(Refused(format!("{wrong} of {} events break the contract", events.len())).into());
        }
        Ok(())
    }
}

/// Reads events: an object, an array, or one object a line.
fn events(text: &str) -> anyhow::Result<Vec<Value>> {
    let texts = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut values =
        texts.collect::<Result<Vec<_>, _>>().map_err(|error| anyhow::anyhow!("this is not JSON: {error}"))?;
    match values.as_mut_slice() {
        [] => anyhow::bail!("there are no events"),
        [Value::Array(events)] => Ok(std::mem::take(events)),
        _ => Ok(values),
    }
}

#[cfg(test)]
mod tests {
    use super::events;

    #[test]
    fn events_come_in_three_forms() {
        for (text, count) in [("{}", 1), ("[{},{}]", 2), ("{}\n{}\n{}\n", 3), ("[]", 0), ("5", 1)] {
            assert_eq!(events(text).unwrap().len(), count, "{text}");
        }
        for bad in ["", "  ", "{", "{} x"] {
            assert!(events(bad).is_err(), "{bad}");
        }
    }
}
