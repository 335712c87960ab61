//! Asks for a page: what is asked goes into the evidence, and a status that is no answer becomes a fault.
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta};
use reqwest::{StatusCode, header};

use super::{
    Evidence, Fault, Position, Reading,
    answer::{Body, Open},
    page::At,
    path::{Records, Steps},
    request,
    scan::Scanner,
};
use crate::{
    http_client::{Answer, Request},
    polling::definition::PageKind,
};

/// How much is shown of an answer that is none.
const SHOWN: usize = 300;

impl Reading {
    /// Asks for a page.
    pub(super) async fn ask(&mut self) -> Result<(), Fault> {
        let mut question = self.question()?;
        let shown = question.shown(&self.definition, self.secret.as_ref());
        if let (Some(validator), At::First) = (&self.validator, &self.position.at) {
            validator.ask(&shown.url, &mut question.headers);
        }
        self.evidence.push(Evidence {
            method: shown.method,
            url: shown.url,
            status: None,
            started_at: self.client.clock().now(),
            milliseconds: 0,
            bytes: 0,
            records: 0,
            sha256: None,
            error: None,
        });
        let began = Instant::now();
        let within = Duration::from_secs(self.definition.limits.seconds.into());
        let mut asked = Request::get(question.url, question.headers, within);
        asked.ca.clone_from(&self.definition.ca);
        let sent = self.client.send(asked).await;
        self.spent(began);
        let answer = sent?;
        let status = answer.status();
        if let Some(evidence) = self.evidence.last_mut() {
            evidence.status = Some(status.as_u16());
        }
        self.watch_clock(&answer);
        if status == StatusCode::NO_CONTENT || (status == StatusCode::NOT_MODIFIED && self.definition.conditional) {
            self.onward = Some(Position { done: true, ..self.position.clone() });
            return Ok(());
        }
        if status == StatusCode::NOT_FOUND
            && let (PageKind::Number { start, .. }, At::Number(number)) =
                (&self.definition.pages.kind, &self.position.at)
        {
            // how some say that there is no such page any more
            let at = (*number > start + 1).then(|| At::Back(number - 2));
            self.onward = Some(self.onward_to(at));
            return Ok(());
        }
        if !status.is_success() {
            let wait = request::retry_after(answer.headers(), self.client.clock().now());
            let says = answer.start(SHOWN).await;
            let says = request::hide(&String::from_utf8_lossy(&says), self.secret.as_ref());
            let says = says.split_whitespace().collect::<Vec<_>>().join(" ");
            return Err(Fault::status(status.as_u16(), wait, &says));
        }
        if let Some(encoding) =
            answer.headers().get(header::CONTENT_ENCODING).filter(|encoding| *encoding != "identity")
        {
            let what = format!(
                "the answer is packed as {}, which was not asked for",
                String::from_utf8_lossy(encoding.as_bytes())
            );
            return Err(Fault::stop(what, "have the other side send it plain or as gzip"));
        }
        let records = self.records.as_ref().map_err(Clone::clone)?;
        let next = match &self.definition.pages.kind {
            PageKind::CursorInBody { path, .. } | PageKind::NextInBody { path } => Steps::parse(path),
            _ => None,
        };
        let body = match records {
            Records::Steps(steps) => Body::Stream(Box::new(Scanner::new(steps, next.as_ref()))),
            Records::Path(_) => Body::Whole(Vec::new()),
        };
        self.open = Some(Open {
            answer,
            began,
            body,
            hash: sha2::Sha256::default(),
            records: 0,
            // what comes twice there is not handed out twice anyway
            skip: if matches!(self.position.at, At::Back(_)) { 0 } else { self.position.index },
            skipped: String::new(),
            last: String::new(),
            overlaps: matches!(self.position.at, At::Offset(offset) if offset > 0),
        });
        Ok(())
    }

    fn watch_clock(&mut self, answer: &Answer) {
        let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let date = date.and_then(|date| DateTime::parse_from_rfc2822(date).ok());
        let Some((date, evidence)) = date.zip(self.evidence.last()) else { return };
        let now = self.client.clock().now();
        let middle = evidence.started_at + (now - evidence.started_at) / 2;
        // the header leaves out what is less than a second: half of one, on average
        self.skew = Some(date.to_utc() + TimeDelta::milliseconds(500) - middle);
    }
}
