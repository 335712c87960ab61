//! What is asked for one page of a window, and how it is shown: secrets hidden.
use base64::{Engine, prelude::BASE64_STANDARD};
use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE};
use serde::Serialize;
use url::Url;

use super::{Fault, page::At};
use crate::{
    crypto::Secret,
    polling::{
        Window,
        definition::{Authentication, Definition, PageKind},
    },
};

/// What stands where a secret was.
const HIDDEN: &str = "…";

/// One question.
#[derive(Debug, Clone)]
pub struct Question {
    /// Where.
    pub url: Url,
    /// What is said beside it.
    pub headers: HeaderMap,
}

/// One question as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// How.
    pub method: &'static str,
    /// Where.
    pub url: String,
    /// What is said beside it.
    pub headers: Vec<(String, String)>,
}

/// Writes the question for a page of a window.
pub(super) fn question(of: &Definition, secret: Option<&Secret>, window: Window, at: &At) -> Result<Question, Fault> {
    let wrong = |what: &str| Fault::stop(what.to_owned(), "mend the definition");
    let mut url = match at {
        At::Next(address) => Url::parse(address),
        _ => Url::parse(&of.url),
    }
    .map_err(|_| wrong("its address cannot be read"))?;
    if !matches!(at, At::Next(_)) {
        let mut pairs: Vec<(&str, String)> =
            of.parameters.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        pairs.extend(bounds(of, window));
        pairs.extend(page(of, at));
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &of.headers {
        let name = HeaderName::try_from(name).map_err(|_| wrong("a header cannot be sent"))?;
        headers.insert(name, HeaderValue::try_from(value).map_err(|_| wrong("a header cannot be sent"))?);
    }
    if of.conditional && *at == At::First {
        // a second earlier: the header holds whole seconds, and "since" means after. And earlier by what the other side
        // does not look into, as the bounds are: a record of 10:00:40 is one of 10:00 to it; a day may have 25 hours
        let granule = of.granule() + of.granule() / 24;
        let since = (window.from - granule - TimeDelta::seconds(1)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        headers.insert(IF_MODIFIED_SINCE, HeaderValue::try_from(since).map_err(|_| wrong("a time cannot be sent"))?);
    }
    if !of.needs_secret() {
        return Ok(Question { url, headers });
    }
    let secret = secret.ok_or_else(|| Fault::stop("it has no token", "give it one"))?.reveal();
    let (name, value) = match &of.authentication {
        Authentication::Query { name } => {
            // an address of a next page may hold it already
            without(&mut url, name);
            url.query_pairs_mut().append_pair(name, secret);
            return Ok(Question { url, headers });
        }
        Authentication::Header { name, prefix } => {
            let name = HeaderName::try_from(name).map_err(|_| wrong("a header cannot be sent"))?;
            (name, format!("{prefix}{secret}"))
        }
        Authentication::Bearer => (AUTHORIZATION, format!("Bearer {secret}")),
        Authentication::Basic { user } => {
            (AUTHORIZATION, format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{secret}"))))
        }
        Authentication::None => return Ok(Question { url, headers }),
    };
    let unsendable = |_| Fault::stop("the token holds characters that no header can hold", "replace it");
    let mut value = HeaderValue::try_from(value).map_err(unsendable)?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(Question { url, headers })
}

/// The address of a next page, without the secret that it may repeat.
pub(super) fn clean(of: &Definition, at: At) -> At {
    match (&of.authentication, at) {
        (Authentication::Query { name }, At::Next(address)) => match Url::parse(&address) {
            Ok(mut url) => {
                without(&mut url, name);
                At::Next(url.into())
            }
            Err(_) => At::Next(address),
        },
        (_, at) => at,
    }
}

fn without(url: &mut Url, parameter: &str) {
    if url.query_pairs().any(|(name, _)| name == parameter) {
        let kept: Vec<_> = url.query_pairs().into_owned().filter(|(name, _)| name != parameter).collect();
        url.set_query(None);
        if !kept.is_empty() {
            url.query_pairs_mut().extend_pairs(kept);
        }
    }
}

/// The parameters of a window.
fn bounds(of: &Definition, window: Window) -> Vec<(&str, String)> {
    let [from, until] = of.ends(window);
    let filled = |template: &String| template.replace("{from}", &from).replace("{until}", &until);
    of.window.parameters.iter().map(|(name, template)| (name.as_str(), filled(template))).collect()
}

fn page<'d>(of: &'d Definition, at: &At) -> Vec<(&'d str, String)> {
    let (parameter, value, size) = match (&of.pages.kind, at) {
        (PageKind::Number { parameter, size, start }, at) => {
            let number = if let At::Number(number) | At::Back(number) = at { *number } else { *start };
            (parameter, number.to_string(), size.as_ref())
        }
        (PageKind::Offset { parameter, size }, at) => {
            // the last record of the page before comes once more, to see that nothing has moved
            let offset = if let At::Offset(offset) = at { offset.saturating_sub(1) } else { 0 };
            (parameter, offset.to_string(), size.as_ref())
        }
        (PageKind::CursorInBody { parameter, .. } | PageKind::CursorInHeader { parameter, .. }, At::Cursor(token)) => {
            (parameter, token.clone(), None)
        }
        _ => return Vec::new(),
    };
    let size = size.map(|size| (size.parameter.as_str(), size.value.to_string()));
    size.into_iter().chain([(parameter.as_str(), value)]).collect()
}

impl Question {
    /// How it may be shown.
    pub fn shown(&self, of: &Definition, secret: Option<&Secret>) -> Shown {
        let headers = self.headers.iter().map(|(name, value)| {
            let value = match value.to_str() {
                Ok(_) if value.is_sensitive() => match &of.authentication {
                    Authentication::Bearer => format!("Bearer {HIDDEN}"),
                    Authentication::Basic { .. } => format!("Basic {HIDDEN}"),
                    Authentication::Header { prefix, .. } => format!("{prefix}{HIDDEN}"),
                    _ => HIDDEN.to_owned(),
                },
                Ok(text) => hide(text, secret),
                Err(_) => HIDDEN.to_owned(),
            };
            (name.to_string(), value)
        });
        Shown { method: "GET", url: hide(self.url.as_str(), secret), headers: headers.collect() }
    }
}

/// Stands for the secret where nobody may see it; no way of writing it changes these letters.
const STAND_IN: &str = "TRIBUTARY_SOURCE_TOKEN";

/// What would be asked for the first page of a window, without asking, and without the secret.
///
/// # Errors
/// When it cannot be written.
pub fn preview(of: &Definition, window: Window) -> Result<Shown, Fault> {
    let secret = Secret::given(STAND_IN);
    Ok(question(of, Some(&secret), window, &At::First)?.shown(of, Some(&secret)))
}

/// The same as a command, for a shell that knows the secret as `$TOKEN`.
///
/// # Errors
/// When it cannot be written.
pub fn curl(of: &Definition, window: Window) -> Result<String, Fault> {
    let secret = Secret::given(STAND_IN);
    let question = question(of, Some(&secret), window, &At::First)?;
    let quoted = |text: &str| {
        let inner = text.replace('\'', r"'\''").replace(STAND_IN, "'\"$TOKEN\"'");
        match inner.strip_suffix('\'').filter(|_| text.ends_with(STAND_IN)) {
            Some(inner) => format!("'{inner}"),
            None => format!("'{inner}'"),
        }
    };
    let mut lines = vec!["curl --silent --show-error --compressed".to_owned()];
    for (name, value) in &question.headers {
        match &of.authentication {
            Authentication::Basic { user } if name == AUTHORIZATION => {
                lines.push(format!("--user {}", quoted(&format!("{user}:{STAND_IN}"))));
            }
            _ => lines.push(format!("--header {}", quoted(&format!("{name}: {}", value.to_str().unwrap_or_default())))),
        }
    }
    lines.push(quoted(question.url.as_str()));
    Ok(lines.join(" \\\n  "))
}

/// A text without the secret, however it is written.
pub fn hide(text: &str, secret: Option<&Secret>) -> String {
    let Some(secret) = secret.map(Secret::reveal).filter(|secret| !secret.is_empty()) else { return text.to_owned() };
    let form: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let percent = form.replace('+', "%20");
    let mut hidden = text.to_owned();
    for written in [secret, &form, &percent] {
        hidden = hidden.replace(written, HIDDEN);
    }
    hidden
}

/// When the other side wants to be asked again: seconds, or a date.
pub(super) fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<std::time::Duration> {
    let text = headers.get(reqwest::header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(std::time::Duration::from_secs(seconds));
    }
    let date = DateTime::parse_from_rfc2822(text).ok()?;
    Some((date.to_utc() - now).to_std().unwrap_or_default())
}
