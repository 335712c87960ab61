//! How an answer goes on, and how far a reading has come.
use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, LINK};
use serde::{Deserialize, Serialize};
use url::Url;

use super::Fault;
use crate::polling::definition::{PageKind, Pages};

/// How far a reading has come: the page, and the records of it that were handed out. A new reading goes on from here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Position {
    /// The page that is read.
    pub(super) at: At,
    /// Records of it that were handed out.
    #[serde(default)]
    pub(super) index: u64,
    /// A digest over these: on going on, the page must begin with the same.
    #[serde(default)]
    pub(super) seen: String,
    /// Pages that were read to their end.
    #[serde(default)]
    pub(super) pages: u32,
    /// Records of all pages so far.
    #[serde(default)]
    pub(super) records: u64,
    /// A digest of the page before.
    #[serde(default)]
    pub(super) page_before: String,
    /// A digest of the last record of the page before.
    #[serde(default)]
    pub(super) record_before: String,
    /// How often it was begun again because the list had moved.
    #[serde(default)]
    pub(super) moved: u32,
    /// Without an upper bound: since when it is asked now.
    #[serde(default)]
    pub(super) since: Option<DateTime<Utc>>,
    /// The newest record, while they come in order.
    #[serde(default)]
    pub(super) newest: Option<DateTime<Utc>>,
    /// A record was older than one before it, or had no time.
    #[serde(default)]
    pub(super) out_of_order: bool,
    /// Nothing follows.
    #[serde(default)]
    pub(super) done: bool,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum At {
    /// The first one.
    #[default]
    First,
    /// By its number.
    Number(u64),
    /// By its number, once more, from the last to the first: see [`after`].
    Back(u64),
    /// After so many records.
    Offset(u64),
    /// By a token.
    Cursor(String),
    /// By its address.
    Next(String),
}

impl Position {
    /// The number of the page that is read, counted from one.
    pub fn page(&self) -> u32 {
        self.pages + 1
    }
}

/// What came of a page.
pub(super) struct Read<'r> {
    pub records: u64,
    pub headers: &'r HeaderMap,
    /// The token or address in the body, as JSON.
    pub token: Option<&'r [u8]>,
    /// Where it came from.
    pub url: &'r Url,
}

/// The page after `at`, if there is one.
///
/// Pages with numbers are read twice when there are several, the second time from the last to the first: what leaves
/// the list meanwhile moves all that follows one place ahead, and one record from a page still to be read to one that
/// was read already. Offsets overlap by one record instead, which tells the same.
///
/// # Errors
/// When what leads there cannot be used.
pub(super) fn after(pages: &Pages, at: &At, read: &Read) -> Result<Option<At>, Fault> {
    Ok(match (&pages.kind, at) {
        (PageKind::None, _) => None,
        (PageKind::Number { start, .. }, At::Back(number)) => (number > start).then(|| At::Back(number - 1)),
        (PageKind::Number { start, .. }, _) => {
            let number = if let At::Number(number) = at { *number } else { *start };
            match read.records {
                // an empty page is the end; how many a page holds is the other side's to say
                0 if number > start + 1 => Some(At::Back(number - 2)),
                0 => None,
                _ => Some(At::Number(number + 1)),
            }
        }
        (PageKind::Offset { .. }, _) => {
            let offset = if let At::Offset(offset) = at { *offset } else { 0 };
            (read.records > 0).then(|| At::Offset(offset + read.records))
        }
        (PageKind::CursorInBody { .. }, _) => token(read.token)?.map(At::Cursor),
        (PageKind::CursorInHeader { header, .. }, _) => {
            let token = read.headers.get(header).and_then(|value| value.to_str().ok()).map(str::trim);
            token.filter(|token| !token.is_empty()).map(|token| At::Cursor(token.to_owned()))
        }
        (PageKind::NextInBody { .. }, _) => match token(read.token)? {
            Some(address) => Some(At::Next(same_origin(read.url, &address)?)),
            None => None,
        },
        (PageKind::Link, _) => match link(read.headers) {
            Some(address) => Some(At::Next(same_origin(read.url, &address)?)),
            None => None,
        },
    })
}

fn token(json: Option<&[u8]>) -> Result<Option<String>, Fault> {
    use serde_json::Value;
    let Some(json) = json else { return Ok(None) };
    match serde_json::from_slice(json) {
        Ok(Value::Null | Value::Bool(false)) => Ok(None),
        Ok(Value::String(text)) => Ok(Some(text).filter(|text| !text.trim().is_empty())),
        // as it was written: a long number is no other
        Ok(Value::Number(_)) => Ok(Some(String::from_utf8_lossy(json).trim().to_owned())),
        _ => Err(Fault::stop("what should lead to the next page is neither text nor a number", "mend pages.path")),
    }
}

fn same_origin(from: &Url, address: &str) -> Result<String, Fault> {
    let next = from.join(address);
    let next = next.map_err(|_| Fault::stop("the address of the next page is none", "mend pages"))?;
    if next.origin() != from.origin() {
        let what = format!("the next page is at {}, another origin", next.origin().ascii_serialization());
        return Err(Fault::stop(what, "take that address, if that is meant; the token is sent to one origin alone"));
    }
    Ok(next.into())
}

/// The address of `rel="next"` in the headers `Link`.
fn link(headers: &HeaderMap) -> Option<String> {
    for value in headers.get_all(LINK) {
        let mut rest = value.to_str().ok()?;
        while let Some(start) = rest.find('<') {
            let end = start + rest[start..].find('>')?;
            let address = &rest[start + 1..end];
            let after = &rest[end + 1..];
            // parameters end at the comma before the next address
            let parameters = &after[..after.find('<').unwrap_or(after.len())];
            for parameter in parameters.split(';') {
                let Some((name, value)) = parameter.split_once('=') else { continue };
                let value = value.trim().trim_end_matches(',').trim().trim_matches('"');
                let next = value.split_ascii_whitespace().any(|relation| relation.eq_ignore_ascii_case("next"));
                if name.trim().eq_ignore_ascii_case("rel") && next {
                    return Some(address.trim().to_owned());
                }
            }
            rest = after;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_as_they_are_written_in_the_wild() {
        for (header, expected) in [
            (r#"<https://a.example.com/?p=2>; rel="next""#, Some("https://a.example.com/?p=2")),
            (r#"<https://a.example.com/?p=1>; rel="prev", </x?a=1,2;3>; title="a, b"; rel=next"#, Some("/x?a=1,2;3")),
            (r#"<a>; rel="last next", <b>; rel="first""#, Some("a")),
            (r#"<a>; rel="last""#, None),
            ("nonsense", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.append(LINK, header.parse().unwrap());
            assert_eq!(link(&headers).as_deref(), expected, "{header}");
        }
    }

    #[test]
    fn the_next_address_stays_where_it_came_from() {
        let from = "https://a.example.com/x/orders?p=1".parse().unwrap();
        assert_eq!(same_origin(&from, "?p=2").unwrap(), "https://a.example.com/x/orders?p=2");
        for away in
            ["http://a.example.com/", "https://a.example.com:8443/", "//b.example.com/", "javascript:1", "http://"]
        {
            assert!(same_origin(&from, away).is_err(), "{away}");
        }
    }
}
