//! The token of a request: where it may stand, whose it is, and what it may do.
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::{DateTime, Utc};

use super::{directory::Snapshot, problem::Problem};
use crate::{
    crypto,
    ids::TenantId,
    tokens::{
        Known,
        uses::{Glimpse, Place, Uses, Why},
    },
};

/// Header and query parameter, in lower case.
pub const TOKEN: &str = "x-cm-producttoken";

/// What the query string of an ingest request says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    token: Option<String>,
    /// Whether one event that breaks its contract refuses the whole request.
    pub strict: bool,
}

impl Query {
    /// Reads it. Names are case-insensitive; what is not known is ignored.
    pub fn parse(query: Option<&str>) -> Result<Self, Problem> {
        let mut parsed = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            if name.eq_ignore_ascii_case(TOKEN) {
                if parsed.token.as_ref().is_some_and(|token| *token != *value) {
                    return Err(two_tokens());
                }
                parsed.token = Some(value.into_owned());
            } else if name.eq_ignore_ascii_case("strict") {
                parsed.strict = match &*value.to_ascii_lowercase() {
                    "true" | "1" => true,
                    "false" | "0" | "" => false,
                    _ => return Err(Problem::bad("the query parameter strict takes true or false")),
                };
            }
        }
        Ok(parsed)
    }
}

fn two_tokens() -> Problem {
    Problem::bad("the request holds two different tokens; send one")
}

/// The token's text, wherever it stands. The same one in several places is one, and counts as in the worst of them.
fn text<'r>(headers: &'r HeaderMap, query: &'r Query) -> Result<Option<(&'r [u8], Place)>, Problem> {
    let in_header = headers.get_all(TOKEN).iter().map(|value| (value.as_bytes(), Place::Header));
    let bearer = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let (scheme, token) = value.as_bytes().split_at_checked(7)?;
        scheme.eq_ignore_ascii_case(b"bearer ").then_some((token, Place::Bearer))
    });
    let in_query = query.token.iter().map(|token| (token.as_bytes(), Place::Query));
    let mut found = None;
    for (token, place) in in_header.chain(bearer).chain(in_query) {
        let token = token.trim_ascii();
        if token.is_empty() {
            continue;
        }
        if found.is_some_and(|(found, _)| found != token) {
            return Err(two_tokens());
        }
        found = Some((token, place));
    }
    Ok(found)
}

/// Finds the token of a request for `tenant`, valid at `now` and from `address`; notes the use of it.
pub fn authenticate(
    snapshot: &Snapshot,
    uses: &Uses,
    tenant: TenantId,
    headers: &HeaderMap,
    query: &Query,
    address: std::net::IpAddr,
    now: DateTime<Utc>,
) -> Result<Arc<Known>, Problem> {
    let (text, place) = text(headers, query)?.ok_or_else(Problem::unauthorized)?;
    let known = snapshot.tokens(&crypto::sha256(text));
    let seen = Glimpse {
        at: now,
        address,
        place,
        agent: headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default(),
        origin: headers.get(header::ORIGIN).map(HeaderValue::as_bytes),
    };
    let own = known.iter().find(|token| token.tenant == tenant);
    let Some(token) = own.filter(|token| !token.is_expired(now)) else {
        if let Some(ended) = own {
            uses.refuse(ended, &seen, Why::Ended);
        }
        return Err(if known.iter().any(|token| !token.is_expired(now)) {
            Problem::forbidden("the token belongs to another tenant than the one in the path")
        } else {
            Problem::unauthorized()
        });
    };
    if !snapshot.tenant(tenant).is_some_and(|tenant| tenant.enabled) {
        return Err(Problem::forbidden("the tenant is disabled"));
    }
    if !token.may_come_from(address) {
        uses.refuse(token, &seen, Why::Network);
        return Err(Problem::forbidden("the token does not hold for the address that the request comes from"));
    }
    uses.note(token, &seen);
    Ok(token.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(*name, HeaderValue::from_static(value));
            map
        })
    }

    #[test]
    fn the_same_token_in_two_places_is_one_and_two_are_refused() {
        let query = Query::parse(Some("a=1&X-cm-ProductToken=one%20x")).unwrap();
        let found =
            |pairs| text(&headers(pairs), &query).map(|found| found.map(|(text, place)| (text.to_vec(), place)));
        let one = |place| (b"one x".to_vec(), place);
        assert_eq!(found(&[]).unwrap().unwrap(), one(Place::Query));
        assert_eq!(found(&[("authorization", "bearer one x"), (TOKEN, "one x")]).unwrap().unwrap(), one(Place::Query));
        assert_eq!(found(&[("authorization", "Bearer two")]).unwrap_err().status(), 400);
        assert_eq!(found(&[(TOKEN, "one x"), (TOKEN, "two")]).unwrap_err().status(), 400);
        assert_eq!(found(&[("authorization", "Basic two"), (TOKEN, "")]).unwrap().unwrap(), one(Place::Query));
        let without = Query::default();
        for (pairs, place) in [([(TOKEN, "x")], Place::Header), ([("authorization", "Bearer x")], Place::Bearer)] {
            assert_eq!(text(&headers(&pairs), &without).unwrap().unwrap().1, place);
        }
        assert!(Query::parse(Some("x-cm-producttoken=1&X-CM-PRODUCTTOKEN=2")).is_err());
    }

    #[test]
    fn strict_is_true_or_false() {
        assert!(Query::parse(Some("strict=TRUE")).unwrap().strict);
        assert!(!Query::parse(None).unwrap().strict);
        assert_eq!(Query::parse(Some("strict=maybe")).unwrap_err().status(), 400);
    }
}
