//! Integrations: one need of a customer, met by one external system, from the first conversation to the day it is live.
//!
//! An *intake* finds out whether it can work, technically and for the need; two verdicts lead to a scenario, and the
//! scenario to what comes next. `stage` is the one place that knows the way; `questions`, `templates` and `checks` are
//! what is asked; `findings` is what samples and wires show. Nothing here does any I/O but `store` and `pages`.
#[macro_use]
mod words;
pub mod checks;
pub mod findings;
pub mod funnel;
pub mod implementation;
mod pages;
pub mod probe;
pub mod questions;
pub mod quotation;
pub mod stage;
pub mod store;
pub mod templates;

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use crate::{
    ids::{EventTypeId, IntegrationId, TenantId, TokenId, UserId},
    name::Name,
};
pub(crate) use pages::questionnaire;
pub use pages::routes;
pub use stage::{Act, Facts, Reason, Why, follows, step};
pub use store::{Scope, Waiting, waiting};
pub use words::{Answer, Confidence, Question, Scenario, Side, Stage, SystemKind};

/// One need of a customer, met by one external system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    /// Whose it is.
    pub tenant_id: TenantId,
    /// Its id.
    pub id: IntegrationId,
    /// What people decide about it.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub details: Details,
    /// Where it stands.
    pub stage: Stage,
    /// Since when.
    pub stage_since: DateTime<Utc>,
    /// How its intake ended.
    pub scenario: Option<Scenario>,
    /// What is to be done next.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub next: Next,
    /// Since when it is their turn.
    pub turn_since: DateTime<Utc>,
    /// The temporary event type that shows what their system sends.
    pub endpoint_type_id: Option<EventTypeId>,
    /// The token that it sends with.
    pub endpoint_token_id: Option<TokenId>,
    /// Who began it.
    pub created_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    pub updated_at: DateTime<Utc>,
}

/// What people decide about an integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// What it is called.
    pub name: Name,
    /// The external system, as people write it.
    pub system_name: Name,
    /// What kind of system it is.
    pub system_kind: SystemKind,
    /// What the customer needs, in a few sentences.
    pub need: String,
    /// Whose it is here.
    pub owner_id: Option<UserId>,
    /// Who works on it with the customer, one a line.
    pub customer_people: String,
    /// Who works on it with the vendor, one a line.
    pub vendor_people: String,
}

/// What is to be done next, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Next {
    /// What.
    pub next_step: String,
    /// By whom.
    pub turn: Side,
}

/// Something that happened to an integration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Happened {
    /// Its id.
    pub id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub who: String,
    /// What, in words.
    pub what: String,
    /// Why, if that was said.
    pub why: String,
    /// Where it led to, when it was a step on the way.
    pub stage: Option<Stage>,
}

/// The answer to one of the two questions of every intake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// Which.
    pub question: Question,
    /// The answer.
    pub answer: Answer,
    /// How sure.
    pub confidence: Confidence,
    /// Who stands for it.
    pub owner_id: Option<UserId>,
    /// What it rests on.
    pub evidence: String,
    /// What is still to be found out, one a line.
    pub open_questions: String,
    /// Who wrote it down.
    pub given_by: String,
    /// When.
    pub given_at: DateTime<Utc>,
}

/// The address of an integration's page.
pub fn address(tenant: TenantId, id: IntegrationId) -> String {
    format!("/tenants/{tenant}/integrations/{id}")
}

/// What earlier intakes of the same system are found by: its letters and digits.
pub fn system_key(name: &str) -> String {
    let key: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    // a name without any is still a name
    if key.is_empty() { name.trim().to_lowercase() } else { key }
}

/// What is to be done first at a stage, until somebody says something better.
pub(crate) fn first_step(stage: Stage) -> &'static str {
    match stage {
        Stage::Intake => "Go through the intake with the customer",
        Stage::Investigation => "Plan the investigation",
        Stage::Quotation => "Draft the quotation",
        Stage::Implementation => "Plan the implementation",
        Stage::NotPossible | Stage::Live | Stage::Retired | Stage::Lost => "",
    }
}

/// Reads some lines: trimmed, without control characters but line breaks and tabs.
///
/// # Errors
/// Says what is wrong with them.
pub(crate) fn parse_text(text: &str, longest: usize) -> Result<String, String> {
    let text = text.trim().replace("\r\n", "\n");
    if text.chars().count() > longest {
        return Err(format!("write at most {longest} characters"));
    }
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err("leave out control characters".into());
    }
    Ok(text)
}

/// Reads one line.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn parse_line(text: &str, longest: usize) -> Result<String, String> {
    let text = parse_text(text, longest)?;
    if text.contains(['\n', '\t']) { Err("write one line".into()) } else { Ok(text) }
}

/// Reads hours as people write them: `8`, `1.5`, `1,5`, `0:30`. In minutes.
///
/// # Errors
/// Says what is wrong with them.
pub(crate) fn parse_hours(text: &str, most: i64) -> Result<i64, String> {
    const FORM: &str = "hours are a number such as 8 or 1.5";
    let text = text.trim();
    let minutes = if let Some((hours, minutes)) = text.split_once(':') {
        let (hours, minutes): (i64, i64) = (hours.parse().map_err(|_| FORM)?, minutes.parse().map_err(|_| FORM)?);
        if !(0..60).contains(&minutes) {
            return Err(FORM.into());
        }
        hours.checked_mul(60).and_then(|hours| hours.checked_add(minutes)).ok_or(FORM)?
    } else {
        let text = text.replace(',', ".");
        let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
        let whole: i64 = whole.parse().map_err(|_| FORM)?;
        let digits = part.len();
        if !(1..=2).contains(&digits) || !part.bytes().all(|c| c.is_ascii_digit()) {
            return Err(FORM.into());
        }
        let part: i64 = part.parse().map_err(|_| FORM)?;
        let part = if digits == 1 { part * 6 } else { part * 60 / 100 };
        whole.checked_mul(60).and_then(|whole| whole.checked_add(part)).ok_or(FORM)?
    };
    if minutes < 1 {
        return Err("give more than nothing".into());
    }
    if minutes > most * 60 {
        return Err(format!("give at most {most} hours"));
    }
    Ok(minutes)
}

/// Minutes as hours: `8 h`, `1.5 h`, `0:20 h`.
pub(crate) fn hours(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (hours, 0) => format!("{hours} h"),
        (hours, rest) if rest % 6 == 0 => format!("{hours}.{} h", rest / 6),
        (hours, rest) => format!("{hours}:{rest:02} h"),
    }
}

/// Reads a day, or none.
///
/// # Errors
/// When it is none.
pub(crate) fn parse_day(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let day: chrono::NaiveDate = text.parse().map_err(|_| "a day is written as 2026-12-31".to_owned())?;
    Ok(day.format("%Y-%m-%d").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_known_by_its_letters_and_digits() {
        assert_eq!(system_key(" Sales-Force  2"), "salesforce2");
        assert_eq!(system_key("Örtliche Kasse"), "örtlichekasse");
        assert_eq!(system_key("***"), "***");
    }

    #[test]
    fn hours_read_back_as_they_are_told() {
        for (text, minutes, told) in [
            ("8", 480, "8 h"),
            ("1.5", 90, "1.5 h"),
            ("1,25", 75, "1:15 h"),
            ("0:30", 30, "0.5 h"),
            ("0.1", 6, "0.1 h"),
            ("2:07", 127, "2:07 h"),
        ] {
            assert_eq!(parse_hours(text, 40).unwrap(), minutes, "{text}");
            assert_eq!(hours(minutes), told);
            assert_eq!(parse_hours(told.trim_end_matches(" h"), 40).unwrap(), minutes);
        }
        for bad in ["", "x", "-1", "0", "41", "1.", "1:60", "1.234", "9223372036854775807", "9223372036854775807:01"] {
            assert!(parse_hours(bad, 40).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_day_is_one_of_the_calendar() {
        assert_eq!(parse_day(" 2028-02-29 ").unwrap(), "2028-02-29");
        assert_eq!(parse_day("").unwrap(), "");
        assert!(parse_day("2027-02-29").is_err() && parse_day("tomorrow").is_err());
    }
}
