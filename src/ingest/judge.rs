//! Keeps one event to its contract, and says what is to become of it.
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, value::RawValue};

use super::{
    problem::Problem,
    scan::{BEYOND, MAX_DEPTH, scan},
    split::{Raw, in_words},
};
use crate::{
    crypto,
    db::lane::{Half, Row, Unique, Verdict},
    event_types::{Breach, EventType, Policy, UniqueFields},
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
    let details = &event_type.details;
    let needs_values = !details.contract.accepts_anything() || !details.unique_fields.is_empty();
    if breaches.is_empty() && needs_values {
        match serde_json::from_str::<Value>(&text) {
            Ok(value) => {
                breaches = details.contract.check(&value);
                unique = unique_value(&details.unique_fields, &value, &raw, &mut breaches);
            }
            // the one thing that the syntax allows and no value can hold; the scan has looked for it
            Err(_) => breaches.push(Breach::new("", "number", BEYOND)),
        }
    }
    if let (None, Some(identity)) = (&unique, &raw.identity)
        && details.unique_fields.is_empty()
    {
        unique = Some(Unique { value: half(identity.as_bytes()), content: half(&raw.payload), path: Arc::from("") });
    }
    let broken = !breaches.is_empty();
    let verdict = match details.policy {
        Policy::Quarantine | Policy::Refuse if broken => Verdict::Quarantined,
        _ => Verdict::Accepted,
    };
    Ok(Row {
        event_type: event_type.id,
        verdict,
        errors: broken.then(|| Breach::list(&breaches)),
        unique: if verdict == Verdict::Accepted { unique } else { None },
        refuse: details.policy == Policy::Refuse,
        payload: raw.payload,
    })
}

/// Judges the text of one event that did not come over the wire, such as one that was mended: of `longest` bytes at
/// most.
///
/// # Errors
/// Says in words why it is no event at all.
pub fn judge_text(event_type: &EventType, text: &str, longest: u32) -> Result<Row, String> {
    let value: &RawValue =
        serde_json::from_str(text).map_err(|error| format!("this is not JSON: {}", in_words(&error)))?;
    let event = value.get();
    if !event.starts_with('{') {
        return Err("an event must be a JSON object".into());
    }
    if event.len() > longest as usize {
        return Err(format!("an event is at most {longest} bytes long"));
    }
    let raw = Raw { payload: Bytes::copy_from_slice(event.as_bytes()), event_type: None, identity: None };
    judge(event_type, raw).map_err(|_| format!("an event is nested at most {MAX_DEPTH} levels deep"))
}

/// The most that is kept of a record that is too large to be an event, in bytes.
const MOST_KEPT: usize = 1 << 20;

/// Judges a record that was polled. It is never refused: what breaks its contract is quarantined, and so is what is no
/// event at all (`fault` says why, if that is known already). `unique` tells it from every other record of the tenant:
/// read again it is a duplicate, and once it has changed it is another.
pub fn judge_record(event_type: &EventType, record: &str, unique: &str, fault: Option<&str>, longest: u32) -> Row {
    let digest = half(unique.as_bytes());
    let unique = Unique { value: digest, content: digest, path: Arc::from("") };
    let judged = fault.map_or_else(|| judge_text(event_type, record, longest), |why| Err(why.to_owned()));
    match judged {
        Ok(row) => Row { unique: Some(unique), refuse: false, ..row },
        Err(why) => {
            let kept = if record.len() > MOST_KEPT {
                let start = &record[..record.floor_char_boundary(MOST_KEPT / 2)];
                serde_json::json!({ "bytes": record.len(), "start": start }).to_string()
            } else {
                record.to_owned()
            };
            Row {
                event_type: event_type.id,
                verdict: Verdict::Quarantined,
                errors: Some(Breach::list(&[Breach::new("", "record", why)])),
                unique: Some(unique),
                refuse: false,
                payload: Bytes::from(kept),
            }
        }
    }
}

fn unique_value(fields: &UniqueFields, value: &Value, raw: &Raw, breaches: &mut Vec<Breach>) -> Option<Unique> {
    if fields.is_empty() {
        return None;
    }
    let text = std::str::from_utf8(&raw.payload).unwrap_or_default();
    let Some(together) = fields.together(value, text) else {
        let missing = |path: &&str| value.pointer(path).is_none_or(Value::is_null);
        for path in fields.pointers().filter(missing) {
            if !breaches.iter().any(|breach| breach.path == path) {
                breaches.push(Breach::new(path, "required", "makes the event unique, but is missing"));
            }
        }
        return None;
    };
    Some(Unique {
        value: half(together.as_bytes()),
        content: half(&raw.payload),
        path: Arc::from(fields.pointers().next().unwrap_or_default()),
    })
}

fn half(bytes: &[u8]) -> Half {
    let digest = crypto::sha256(bytes);
    std::array::from_fn(|at| digest[at])
}
