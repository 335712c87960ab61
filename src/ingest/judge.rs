//! Keeps one event to its contract, and says what is to become of it.
use std::sync::Arc;

use serde_json::Value;

use super::{
    problem::Problem,
    scan::{MAX_DEPTH, scan},
    split::Raw,
};
use crate::{
    crypto,
    db::lane::{Half, Row, Unique, Verdict},
    event_types::{Breach, EventType, Policy},
};

/// Judges one event.
///
/// # Errors
/// When it is nested too deeply to be looked at: 400, for the whole request.
pub fn judge(event_type: &EventType, raw: Raw) -> Result<Row, Problem> {
    // the splitter took it from a body that is UTF-8
    let text = String::from_utf8_lossy(&raw.payload);
    let mut breaches =
        scan(&text).map_err(|_| Problem::bad(format!("an event is nested deeper than {MAX_DEPTH} levels")))?;
    let mut unique = None;
    let needs_values = !event_type.contract.accepts_anything() || !event_type.unique_fields.is_empty();
    if breaches.is_empty() && needs_values {
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                breaches = event_type.contract.check(&value);
                unique = unique_value(event_type, &value, &raw, &mut breaches);
            }
            // the one thing that the syntax allows and no value can hold
            Err(_) => breaches.push(Breach {
                path: String::new(),
                rule: "number".into(),
                message: "holds a number beyond the range of a 64-bit float".into(),
            }),
        }
    }
    if let (None, Some(identity)) = (&unique, &raw.identity)
        && event_type.unique_fields.is_empty()
    {
        unique = Some(Unique { value: half(identity.as_bytes()), content: half(&raw.payload), path: Arc::from("") });
    }
    let broken = !breaches.is_empty();
    let verdict = match event_type.policy {
        Policy::Quarantine | Policy::Refuse if broken => Verdict::Quarantined,
        _ => Verdict::Accepted,
    };
    Ok(Row {
        event_type: event_type.id,
        verdict,
        errors: broken.then(|| serde_json::to_string(&breaches).unwrap_or_else(|_| "[]".into())),
        unique: if verdict == Verdict::Accepted { unique } else { None },
        refuse: event_type.policy == Policy::Refuse,
        payload: raw.payload,
    })
}

fn unique_value(event_type: &EventType, value: &Value, raw: &Raw, breaches: &mut Vec<Breach>) -> Option<Unique> {
    let fields = &event_type.unique_fields;
    if fields.is_empty() {
        return None;
    }
    let Some(values) = fields.values(value) else {
        for path in fields.missing(value) {
            if !breaches.iter().any(|breach| breach.path == path) {
                breaches.push(Breach {
                    path: path.to_owned(),
                    rule: "required".into(),
                    message: "makes the event unique, but is missing".into(),
                });
            }
        }
        return None;
    };
    let together = serde_json::to_string(&values).unwrap_or_default();
    Some(Unique {
        value: half(together.as_bytes()),
        content: half(&raw.payload),
        path: Arc::from(fields.pointers().first().map_or("", String::as_str)),
    })
}

fn half(bytes: &[u8]) -> Half {
    let digest = crypto::sha256(bytes);
    std::array::from_fn(|at| digest[at])
}
