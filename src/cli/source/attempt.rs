//! `tributary source try`: one real GET, and what would come of it. Nothing is stored.
use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;

use crate::{
    cli::{Context, Refused, input},
    crypto::Secret,
    http_client::{Allowed, Client},
    polling::{
        Window,
        definition::{Definition, SourceFile},
        probe::attempt::{Attempt, attempt},
    },
};

/// Ask a source once, and show what would come of it; nothing is stored
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary source try --file SOURCE.json
  tributary source try --file SOURCE.json --from 2026-03-01T10:00:00Z --until 2026-03-01T11:00:00Z
  tributary source try --file SOURCE.json --token-stdin < token.txt
  tributary source try --file SOURCE.json --allow-outbound erp.internal:8080")]
pub(in crate::cli) struct Try {
    #[command(flatten)]
    asked: Asked,
}

/// What is asked, and for which window; with the token that may be read from standard input.
#[derive(Debug, Args)]
pub(in crate::cli) struct Asked {
    /// The definition of the source; - for standard input
    #[arg(long, value_name = "FILE")]
    file: String,
    /// The first moment asked for [default: an hour before the last one; seven days for a probe]
    #[arg(long, value_name = "TIME")]
    from: Option<DateTime<Utc>>,
    /// The first moment not asked for [default: now]
    #[arg(long, value_name = "TIME")]
    until: Option<DateTime<Utc>>,
    /// Read the token from standard input
    #[arg(long)]
    token_stdin: bool,
    /// A host inside this network that may be asked: HOST or HOST:PORT; repeat for more
    #[arg(long, env = "TRIBUTARY_ALLOW_OUTBOUND", value_name = "HOST", value_delimiter = ',')]
    allow_outbound: Vec<String>,
}

/// What is needed to ask.
pub(in crate::cli) struct Asking {
    pub client: Client,
    pub definition: Definition,
    pub secret: Option<Secret>,
    pub window: Window,
}

impl Asked {
    /// Reads the file, and the token where it comes from standard input. `span` is how long the window is unless it
    /// is said.
    pub(in crate::cli) fn read(self, context: &Context, span: TimeDelta) -> anyhow::Result<Asking> {
        let file = SourceFile::parse(&input::text(&self.file)?).map_err(|problems| {
            let lines: Vec<_> = problems.iter().map(|one| format!("{}: {}", one.pointer, one.message)).collect();
            Refused(lines.join("; "))
        })?;
        let secret = if self.token_stdin { Some(input::secret()?) } else { file.secret }.map(Secret::given);
        let until = self.until.unwrap_or_else(|| context.clock.now());
        let window = Window::new(self.from.unwrap_or(until - span), until);
        if window.is_empty() {
            return Err(Refused("the window is empty: --from is before --until".into()).into());
        }
        let client = Client::new(Allowed::new(&self.allow_outbound), context.clock.clone());
        Ok(Asking { client, definition: file.definition, secret, window })
    }
}

impl Try {
    pub(in crate::cli) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let Asking { client, definition, secret, window } = self.asked.read(context, TimeDelta::hours(1))?;
        let tried = attempt(&client, &definition, secret.as_ref(), window).await;
        context.out.record(&tried, || in_words(&tried))?;
        match &tried.fault {
            Some(fault) => Err(Refused(format!("{}: {}", fault.what, fault.advice)).into()),
            None => Ok(()),
        }
    }
}

fn in_words(tried: &Attempt) -> String {
    let mut text = String::new();
    if let Some(request) = &tried.request {
        let _ = writeln!(text, "{} {}", request.method, request.url);
        for (name, value) in &request.headers {
            let _ = writeln!(text, "{name}: {value}");
        }
    }
    if let Some(evidence) = &tried.evidence {
        let status = evidence.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let _ = writeln!(text, "\n{status} after {} ms, {} bytes", evidence.milliseconds, evidence.bytes);
    }
    if let Some(answer) = tried.answer.as_ref().filter(|_| tried.records == 0) {
        let _ = writeln!(text, "{answer}");
    }
    let more = if tried.another_page { ", and another page follows" } else { "" };
    let _ = writeln!(text, "\n{} records on the first page{more}", tried.records);
    for event in &tried.events {
        let _ = writeln!(text, "{}", event.event);
        if let Some(fault) = &event.fault {
            let _ = writeln!(text, "  to quarantine: {fault}");
        }
    }
    text
}
