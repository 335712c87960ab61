//! Reads an answer as it comes: its records, and what leads to the next page.
use std::time::Instant;

use reqwest::header;
use sha2::Digest as _;

use super::{
    Fault, Made, Reading, chained,
    page::{self, At, Read},
    path::{Records, Steps},
    record::Maker,
    request,
    scan::{Broken, Raw, Scanner},
    validator::Validator,
};
use crate::{
    crypto,
    http_client::Answer,
    polling::definition::{MOST_BYTES_OF_PATHS, PageKind},
};

/// An answer under way.
pub(super) struct Open {
    pub answer: Answer,
    pub began: Instant,
    pub body: Body,
    pub hash: sha2::Sha256,
    /// Records so far.
    pub records: u64,
    /// Records still to be passed over, and a digest over those that were.
    pub skip: u64,
    pub skipped: String,
    pub last: String,
    /// The first one repeats the last one of the page before.
    pub overlaps: bool,
}

pub(super) enum Body {
    Stream(Box<Scanner>),
    Whole(Vec<u8>),
}

impl Reading {
    /// Reads on in the answer.
    pub(super) async fn read(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let mut most = self.definition.limits.bytes;
        if matches!(open.body, Body::Whole(_)) {
            most = most.min(MOST_BYTES_OF_PATHS);
        }
        let chunk = open.answer.chunk(most).await;
        let began = open.began;
        self.spent(began);
        let Some(chunk) = chunk? else { return self.end() };
        let Some(open) = &mut self.open else { return Ok(()) };
        open.hash.update(&chunk);
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.bytes += chunk.len() as u64;
        }
        if self.evidence.len() == 1 {
            let sample = self.sample.get_or_insert_default();
            let room = self.samples - sample.len();
            sample.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        let raws = match &mut open.body {
            Body::Whole(body) => {
                body.extend_from_slice(&chunk);
                return Ok(());
            }
            Body::Stream(scanner) => {
                let fed = scanner.feed(&chunk);
                let raws = std::mem::take(&mut scanner.out);
                fed.map_err(|broken| self.broken(broken))?;
                raws
            }
        };
        raws.into_iter().try_for_each(|raw| self.take(raw))
    }

    /// Takes a record over.
    fn take(&mut self, raw: Raw) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let digest = crypto::sha256(&raw.text);
        open.records += 1;
        open.last = crypto::base64url(&digest);
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.records += 1;
        }
        if open.overlaps && open.records == 1 {
            if open.last != self.position.record_before {
                return self.begin_again();
            }
            return Ok(());
        }
        if open.skip > 0 {
            open.skip -= 1;
            open.skipped = chained(&open.skipped, &digest);
            if open.skip == 0 && open.skipped != self.position.seen {
                return self.page_again();
            }
            return Ok(());
        }
        let mapper = self.mapper.as_ref().map_err(Clone::clone)?;
        let made = Maker { definition: &self.definition, mapper }.make(&raw);
        let record = made.map_err(|broken| self.broken(broken))?;
        match record.time {
            Some(time) if self.position.newest.is_none_or(|newest| newest <= time) => self.position.newest = Some(time),
            _ => self.position.out_of_order = true,
        }
        if matches!(self.definition.pages.kind, PageKind::Number { .. })
            && !self.known.insert(crypto::sha256(record.unique.as_bytes()))
            && matches!(self.position.at, At::Back(_))
        {
            return Ok(());
        }
        self.ready.push_back(Made { record, digest });
        if self.position.records + self.ready.len() as u64 > self.definition.limits.records {
            let what = format!("the window holds more than {} records", self.definition.limits.records);
            return Err(Fault::split(what, "less is asked for at once; or allow it more"));
        }
        Ok(())
    }

    /// The answer has come to its end.
    fn end(&mut self) -> Result<(), Fault> {
        let Some(open) = &mut self.open else { return Ok(()) };
        let token = match &mut open.body {
            Body::Stream(scanner) => {
                let ended = scanner.end();
                let (raws, token) = (std::mem::take(&mut scanner.out), scanner.token.take());
                ended.map_err(|broken| self.broken(broken))?;
                raws.into_iter().try_for_each(|raw| self.take(raw))?;
                token
            }
            Body::Whole(body) => {
                let body = std::mem::take(body);
                let (raws, token) = self.picked(&body)?;
                raws.into_iter().try_for_each(|raw| self.take(raw))?;
                token
            }
        };
        // a list that has moved is asked for again
        let Some(open) = self.open.take() else { return Ok(()) };
        if open.skip > 0 {
            return self.page_again();
        }
        if open.overlaps && open.records == 0 {
            return self.begin_again();
        }
        let digest = crypto::base64url(&open.hash.finalize());
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.sha256 = Some(digest.clone());
        }
        if open.records > u64::from(open.overlaps) && digest == self.position.page_before {
            return Err(Fault::stop(
                "the other side answers two pages alike",
                "it does not know the parameter for pages, or means another one; mend pages",
            ));
        }
        let read = Read {
            records: open.records - u64::from(open.overlaps),
            headers: open.answer.headers(),
            token: token.as_deref(),
            url: open.answer.url(),
        };
        // it speaks of one page: of several, the others may have changed
        self.validator = match (&self.position.at, self.evidence.last()) {
            (At::First, Some(asked)) if self.definition.conditional => Validator::of(&asked.url, read.headers),
            _ => None,
        };
        let at = page::after(&self.definition.pages, &self.position.at, &read)?;
        let at = at.map(|at| request::clean(&self.definition, at));
        if let Some(At::Cursor(token) | At::Next(token)) = &at
            && !self.tokens.insert(crypto::sha256(token.as_bytes()))
        {
            return Err(Fault::stop(
                "the other side leads to a page that was read already",
                "it would go around in circles; mend pages, or tell who runs the other side",
            ));
        }
        let mut onward = self.onward_to(at);
        onward.page_before = if matches!(onward.at, At::Back(_)) { String::new() } else { digest };
        onward.record_before = open.last;
        if !onward.done && !matches!(onward.at, At::Back(_)) && onward.pages >= self.definition.pages.cap.0 {
            onward = self.past_the_cap(onward)?;
        }
        self.onward = Some(onward);
        Ok(())
    }

    /// The records of an answer that is held in memory.
    fn picked(&self, body: &[u8]) -> Result<(Vec<Raw>, Option<Vec<u8>>), Fault> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let answer: serde_json::Value = serde_json::from_slice(body)
            .map_err(|error| self.broken(if error.is_eof() { Broken::EndsEarly } else { Broken::NotJson(0) }))?;
        let Ok(Records::Path(path)) = &self.records else { return Ok((Vec::new(), None)) };
        let found = path.query(&answer).all();
        // a path to one list means what is in it
        let found = match found.as_slice() {
            [serde_json::Value::Array(list)] => list.iter().collect(),
            _ => found,
        };
        let raw = |value: &serde_json::Value| {
            let text = value.to_string().into_bytes();
            Raw { bytes: text.len() as u64, text }
        };
        let token = match &self.definition.pages.kind {
            PageKind::CursorInBody { path, .. } | PageKind::NextInBody { path } => {
                Steps::parse(path).and_then(|steps| {
                    let found = steps.0.iter().try_fold(&answer, |value, step| value.get(step))?;
                    Some(found.to_string().into_bytes())
                })
            }
            _ => None,
        };
        Ok((found.into_iter().map(raw).collect(), token))
    }

    fn broken(&self, broken: Broken) -> Fault {
        let kind = self.open.as_ref().and_then(|open| open.answer.headers().get(header::CONTENT_TYPE));
        let kind = kind.and_then(|kind| kind.to_str().ok()).filter(|kind| !kind.contains("json"));
        let says =
            kind.map(|kind| format!(" (it says {})", request::hide(kind, self.secret.as_ref()))).unwrap_or_default();
        match broken {
            Broken::NotJson(at) => Fault::passing(format!("the answer is not JSON from byte {at} on{says}")),
            Broken::EndsEarly => Fault::passing(format!("the answer ends in the middle of its JSON{says}")),
            Broken::NoRecords => Fault::stop(
                format!("the answer holds nothing at {}", self.definition.records),
                "say where its records are",
            ),
            Broken::NotAList => Fault::stop(
                format!("at {} of the answer is neither a list nor an object{says}", self.definition.records),
                "say where its records are",
            ),
        }
    }
}
