//! `tributary send`: posts events as an external system would.
use std::{fmt::Write, path::Path, time::Duration};

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use super::{Context, Refused, Usage, input};
use crate::{
    http_client,
    ids::{EventTypeId, TenantId},
};

/// How long to wait for the answer.
const TIMEOUT: Duration = Duration::from_mins(1);
/// The most that is read of it, in bytes.
const LONGEST_ANSWER: usize = 4 << 20;

/// Send events over HTTP, as an external system does
///
/// The token comes from the variable `TRIBUTARY_TOKEN`, or from standard input when the events come from a file.
/// Done (exit code 0) means that Tributary has them on disk; the answer names those that went to quarantine.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary send --url http://127.0.0.1:3000 --tenant ID --event-type ID order.json < token.txt
  echo '{\"Order ID\": 1}' | TRIBUTARY_TOKEN=trb_… tributary send --url http://127.0.0.1:3000 --tenant ID --event-type ID -
  tributary send --url https://hub.example.com --tenant ID --event-type ID orders.ndjson < token.txt")]
pub(super) struct Send {
    /// The address of Tributary
    #[arg(long)]
    url: url::Url,
    /// Whose events
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// Their type
    #[arg(long, value_name = "ID", value_parser = input::id::<EventTypeId>)]
    event_type: EventTypeId,
    /// The events: an object or an array of objects; one object a line when it ends in .ndjson or .jsonl; - for
    /// standard input
    #[arg(default_value = "-")]
    file: String,
}

impl Send {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        if !matches!(self.url.scheme(), "http" | "https") {
            return Err(Usage("the address begins with http:// or https://".into()).into());
        }
        let token = self.token()?;
        let body = input::text(&self.file)?;
        let by_line = Path::new(&self.file).extension().is_some_and(|kind| kind == "ndjson" || kind == "jsonl");
        let base = self.url.as_str().trim_end_matches('/');
        let url = format!("{base}/events/v1.0/tenants/{}/events/{}", self.tenant, self.event_type);
        let answer = http_client::direct(TIMEOUT)?
            .post(url)
            .header("Content-Type", if by_line { "application/x-ndjson" } else { "application/json" })
            .header("X-CM-PRODUCTTOKEN", token)
            .body(body)
            .send()
            .await
            .map_err(reqwest::Error::without_url)
            .with_context(|| format!("{base} does not answer: is Tributary running there?"))?;
        let status = answer.status();
        let body = http_client::body(answer, LONGEST_ANSWER).await.map_err(reqwest::Error::without_url)?;
        let said: Value = serde_json::from_slice(&body)
            .unwrap_or_else(|_| json!({"status": status.as_u16(), "detail": String::from_utf8_lossy(&body)}));
        context.out.record(&said, || words(&said))?;
        if !status.is_success() {
            return Err(Refused(format!("refused with {status}")).into());
        }
        Ok(())
    }

    fn token(&self) -> anyhow::Result<String> {
        let token = match std::env::var("TRIBUTARY_TOKEN") {
            Ok(token) => token.trim().to_owned(),
            Err(_) if self.file == "-" => {
                let usage = "the events come from standard input, so the token must be in the variable TRIBUTARY_TOKEN";
                return Err(Usage(usage.into()).into());
            }
            Err(_) => input::secret()?,
        };
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Usage("a token is some visible ASCII characters: none came".into()).into());
        }
        Ok(token)
    }
}

/// The answer, for people.
fn words(said: &Value) -> String {
    let mut text = String::new();
    if let Some(receipt) = said["receiptId"].as_str() {
        let rejected = said["rejected"].as_array().map_or(0, Vec::len);
        let _ = writeln!(
            text,
            "receipt {receipt}: {} accepted, {} duplicates, {rejected} in quarantine",
            said["accepted"], said["duplicates"]
        );
    } else if let Some(detail) = said["detail"].as_str() {
        let _ = writeln!(text, "{}: {detail}", said["title"].as_str().unwrap_or("refused"));
    }
    // a refusal says the same twice, for those who know only one of the two
    let errors = if said["rejected"].is_array() { "rejected" } else { "errors" };
    for list in [errors, "warnings"] {
        for event in said[list].as_array().into_iter().flatten() {
            for error in event["errors"].as_array().into_iter().flatten() {
                let part = |key: &str| error[key].as_str().unwrap_or_default();
                let _ =
                    writeln!(text, "event {}: {} {} ({})", event["index"], part("path"), part("message"), part("rule"));
            }
        }
    }
    text
}
