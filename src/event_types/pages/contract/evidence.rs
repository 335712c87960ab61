//! What samples said about each field: carried along in the form while a proposal is corrected, and kept nowhere.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event_types::propose::Proposal;

/// What samples said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Evidence {
    /// How many events there were.
    pub samples: usize,
    /// What they said about each field, by its place.
    pub fields: BTreeMap<String, Seen>,
}

/// What samples said about one field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// In how many of the objects that may hold it it was.
    pub times: u64,
    pub of: u64,
    /// Some values.
    pub values: Vec<String>,
    /// What to look at twice.
    pub notes: Vec<String>,
}

impl Evidence {
    pub(super) fn of(proposal: &Proposal) -> Self {
        let fields = proposal.walk().into_iter().map(|(path, field)| {
            let notes = field.notes.iter().map(|note| (*note).to_owned()).collect();
            let mut seen = Seen { times: field.seen, of: field.of, values: field.examples.clone(), notes };
            if let Some(each) = &field.each {
                seen.values.extend(each.examples.iter().cloned());
            }
            (path.to_string(), seen)
        });
        Self { samples: proposal.samples, fields: fields.collect() }
    }

    /// Reads what a form carried; none when it carried none.
    pub(super) fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Seen {
    /// How often it was there.
    pub(super) fn often(&self) -> String {
        format!("in {} of {}", self.times, self.of)
    }
}
