//! **Is it possible?** A few reads of a system that is not connected yet: whether it can be reached and answers in JSON,
//! where its records are, whether it looks at the window it is asked for, whether records keep their ids, and what it
//! says of pages and of how often it may be asked. Nothing is stored.
use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use chrono::TimeDelta;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;

use super::{
    attempt::Wrong,
    boundary::{self, Sureness, boundary},
    guess::{Look, Paging, look},
};
use crate::{
    crypto::Secret,
    event_types::shortened,
    http_client::{Client, Request},
    polling::{
        Window,
        definition::{Authentication, Definition, Pages},
        fetch::{Fault, Reading, Shown, hide},
    },
};

/// The most bytes of an answer: it is held in memory, as values, which take many times more.
const MOST: u64 = 2 << 20;
/// How many headers about limits are told, and how much of each.
const LIMITS: usize = 10;
const LIMIT_LENGTH: usize = 200;
/// How far off a window is put that should hold nothing.
const FAR: TimeDelta = TimeDelta::days(3650);

/// What was found out. What was not looked at is none.
#[derive(Debug)]
pub struct Feasibility {
    /// The window that was asked for.
    pub window: Window,
    /// What was asked first, the token hidden.
    pub request: Option<Shown>,
    /// The first answer, or why there is none.
    pub answer: Result<Answer, Wrong>,
    /// The status of the answer to the same question without the token.
    pub without_token: Option<u16>,
    /// What the answer holds; none, when it is no success, no JSON, or holds no list.
    pub look: Option<Look>,
    /// Whether the same question, asked again, was answered by records with the same ids.
    pub same_again: Option<bool>,
    /// Whether it looks at the window it is asked for, and how that was seen.
    pub obeys: (Option<bool>, String),
    /// What reads around one record have shown of the bounds, where its time could be read.
    pub boundary: Option<boundary::Findings>,
    /// What it was asked by, with all that was found out filled in.
    pub definition: Definition,
    /// How often it was asked.
    pub requests: usize,
}

/// An answer, as far as it matters.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// How long all of it took.
    pub milliseconds: u128,
    /// How long it is, in bytes.
    pub bytes: usize,
    /// What it says it is.
    pub content_type: Option<String>,
    /// Whether it is JSON.
    pub is_json: bool,
    /// What it says of how often it may be asked: headers, as they stand.
    pub limits: Vec<(String, String)>,
}

impl Answer {
    /// Whether the other side has done what it was asked for.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Finds out what can be found out. `definition` says the address, where the token goes, and by which parameters a window
/// is asked for (by none, when nobody knows them); `window` is a span in which there are records.
pub async fn feasibility(
    client: &Client,
    definition: &Definition,
    secret: Option<&Secret>,
    window: Window,
) -> Feasibility {
    let question = Reading::new(client, definition, secret, window, None).question();
    let first = ask(client, definition, secret, window).await;
    let (answer, body) = match first {
        Ok(got) => (Ok(got.answer), got.body.map(|body| (body, got.headers))),
        Err(fault) => (Err(Wrong::from(&fault)), None),
    };
    let success = answer.as_ref().is_ok_and(Answer::is_success);
    let mut found = Feasibility {
        window,
        request: question.ok().map(|question| question.shown(definition, secret)),
        answer,
        without_token: None,
        look: None,
        same_again: None,
        obeys: (None, "there were no records to compare".into()),
        boundary: None,
        definition: definition.clone(),
        requests: 1,
    };
    if definition.needs_secret() && success {
        let open = Definition { authentication: Authentication::None, ..definition.clone() };
        found.without_token = ask(client, &open, None, window).await.ok().map(|got| got.answer.status);
        found.requests += 1;
    }
    let Some(seen) = body.filter(|_| success).and_then(|(body, headers)| look(body, &headers)) else { return found };
    fill_in(&mut found.definition, &seen);
    let again = ask(client, &found.definition, secret, window).await;
    found.requests += 1;
    found.same_again = again.ok().and_then(|got| look(got.body?, &got.headers)).and_then(|again| same(&seen, &again));
    if found.definition.window.parameters.is_empty() {
        found.obeys = (None, "no parameters are named by which a window could be asked for".into());
    } else if !seen.items.is_empty() {
        windows(client, &mut found, secret, &seen).await;
    }
    found.look = Some(seen);
    found
}

/// An answer, and what it holds.
struct Got {
    answer: Answer,
    headers: HeaderMap,
    body: Option<Value>,
}

/// Asks for the first page of a window.
async fn ask(client: &Client, of: &Definition, secret: Option<&Secret>, window: Window) -> Result<Got, Fault> {
    let question = Reading::new(client, of, secret, window, None).question()?;
    let began = Instant::now();
    let within = Duration::from_secs(of.limits.seconds.into());
    let mut request = Request::get(question.url, question.headers, within);
    request.ca.clone_from(&of.ca);
    let mut answer = client.send(request).await?;
    let headers = answer.headers().clone();
    let status = answer.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk(MOST.min(of.limits.bytes)).await? {
        body.extend_from_slice(&chunk);
    }
    // whoever answers may say back what they were told, and as much as they like
    let text = |name: &str| {
        let value = headers.get(name)?.to_str().ok()?;
        Some(shortened(&hide(value, secret), LIMIT_LENGTH))
    };
    let value = serde_json::from_slice(&body).ok();
    let answer = Answer {
        status,
        milliseconds: began.elapsed().as_millis(),
        bytes: body.len(),
        content_type: text(CONTENT_TYPE.as_str()),
        is_json: value.is_some(),
        limits: headers
            .keys()
            .filter(|name| limits(name.as_str()))
            .filter_map(|name| Some((shortened(name.as_str(), LIMIT_LENGTH), text(name.as_str())?)))
            .take(LIMITS)
            .collect(),
    };
    Ok(Got { answer, headers, body: value })
}

/// Whether a header speaks of how often one may ask.
fn limits(name: &str) -> bool {
    name == "retry-after" || name.contains("ratelimit") || name.contains("rate-limit")
}

/// Fills in what an answer shows, where nobody has said otherwise.
fn fill_in(definition: &mut Definition, seen: &Look) {
    definition.records.clone_from(&seen.records);
    definition.record_id = seen.record_id.iter().cloned().collect();
    definition.record_time.clone_from(&seen.record_time);
    // what changes with every change of it
    definition.version = seen.record_id.as_ref().and(seen.record_time.as_ref()).map(|time| time.pointer.clone());
    if let Paging::Known(kind) = &seen.paging {
        definition.pages = Pages { kind: kind.clone(), ..definition.pages };
    }
}

/// Whether two answers hold the same records, by their ids; none, when they have none.
fn same(one: &Look, other: &Look) -> Option<bool> {
    let pointer = one.record_id.as_ref()?;
    let ids = |look: &Look| {
        look.items.iter().map(|item| item.pointer(pointer).map(ToString::to_string)).collect::<HashSet<_>>()
    };
    Some(ids(one) == ids(other))
}

/// Whether windows are looked at: by reads around one record where its time can be read, else by windows far away, which
/// should hold nothing.
async fn windows(client: &Client, found: &mut Feasibility, secret: Option<&Secret>, seen: &Look) {
    if found.definition.record_time.is_some() {
        match boundary(client, &found.definition, secret, found.window).await {
            Ok(around) => {
                found.requests += around.requests;
                found.obeys = (around.obeys.value, around.obeys.seen.clone());
                fill_in_bounds(&mut found.definition, &around);
                found.boundary = Some(around);
            }
            Err(fault) => found.obeys = (None, fault.what().to_owned()),
        }
        return;
    }
    let mut same = Vec::new();
    // who is asked since long ago may answer with all there is
    let far = if found.definition.is_bounded() { vec![-FAR, FAR] } else { vec![FAR] };
    for by in far {
        let window = Window::new(found.window.from + by, found.window.until + by);
        found.requests += 1;
        match ask(client, &found.definition, secret, window)
            .await
            .map(|got| got.body.and_then(|body| look(body, &got.headers)))
        {
            Ok(there) => same.push(there.is_some_and(|there| there.items == seen.items)),
            Err(fault) => {
                found.obeys = (None, fault.what().to_owned());
                return;
            }
        }
    }
    found.obeys = if same.contains(&true) {
        (Some(false), "windows ten years away are answered by the same records".into())
    } else {
        (Some(true), "windows ten years away are answered differently".into())
    };
}

/// Fills in what was seen of the bounds, as far as it is sure enough.
fn fill_in_bounds(definition: &mut Definition, around: &boundary::Findings) {
    if let Some(bound) = around.from_bound.value {
        definition.window.from_bound = bound;
    }
    if let Some(bound) = around.until_bound.value {
        definition.window.until_bound = bound;
    }
    if let Some(precision) = around.precision.value.filter(|_| around.precision.sureness != Sureness::Unknown) {
        definition.window.precision = precision;
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        clock::Clock,
        http_client::Allowed,
        polling::definition::{PageKind, testing},
        vendor::{self, Manner, Paging as Kind},
    };

    async fn probed(manner: Manner, changes: Value) -> Feasibility {
        let window = Window::new(manner.start - TimeDelta::days(1), manner.start + TimeDelta::days(1));
        let running = vendor::start("127.0.0.1:0".parse().unwrap(), manner, Clock::system()).await.unwrap();
        let client = Client::new(Allowed::new(&[running.address.to_string()]), Clock::system());
        let mut usual = json!({"records": "$", "recordId": [], "version": null});
        for (name, value) in changes.as_object().cloned().unwrap_or_default() {
            usual[name] = value;
        }
        feasibility(&client, &testing::definition(&running.url(), usual), None, window).await
    }

    fn manner() -> Manner {
        let start = "2026-05-20T10:20:30.400Z".parse().unwrap();
        Manner { records: 60, start, step: TimeDelta::minutes(7), paging: Kind::Next, size: 20, ..Manner::default() }
    }

    #[tokio::test]
    async fn a_system_that_can_be_polled_is_known_by_its_answers_alone() {
        let found = probed(manner(), json!({})).await;
        let look = found.look.as_ref().unwrap();
        assert_eq!((look.records.as_str(), look.items.len()), ("$.data.items", 20));
        assert_eq!(found.obeys.0, Some(true), "{found:?}");
        assert_eq!(found.same_again, Some(true));
        let definition = &found.definition;
        assert_eq!((&*definition.record_id[0], definition.version.as_deref()), ("/id", Some("/changed")));
        assert_eq!(definition.pages.kind, PageKind::NextInBody { path: "$.meta.next".into() });
        // what was found out would be taken as it is
        assert!(Definition::parse(&serde_json::to_string(definition).unwrap()).is_ok());
    }

    #[tokio::test]
    async fn who_ignores_the_window_is_found_out_with_times_and_without() {
        let ignores = || Manner { ignores: true, ..manner() };
        assert_eq!(probed(ignores(), json!({})).await.obeys.0, Some(false));
        let elsewhere = json!({"window": {"parameters": {"since": "{from}", "before": "{until}"}}});
        assert_eq!(probed(manner(), elsewhere).await.obeys.0, Some(false), "it does not know these parameters");
    }
}
