//! `tributary intake`: what was asked and answered.
use chrono::TimeDelta;
use clap::Subcommand;
use serde_json::json;

use super::{
    Context, input,
    integration::scope,
    source::{Asked, Asking},
};
use crate::{
    auth::{RunIntakes, SeeIntegrations},
    ids::{IntegrationId, TenantId},
    intake::{
        checks::{self, Item, Known},
        probe::of_probe,
        questions::SECTIONS,
        store::{self, Answered},
    },
    polling::probe::feasibility::feasibility,
};

/// Read the intake of an integration: answers, check list, evidence
#[derive(Debug, Subcommand)]
pub(super) enum Intake {
    /// Show what was answered, what the check list says, and what is still open
    #[command(after_help = "\
Examples:
  tributary intake show INTEGRATION_ID
  tributary --json intake show --tenant ID INTEGRATION_ID | jq .proposal")]
    Show {
        /// Whose [default: of whichever tenant it is]
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: Option<TenantId>,
        /// The id of the integration: see `tributary integration list`
        #[arg(value_name = "INTEGRATION_ID", value_parser = input::id::<IntegrationId>)]
        id: IntegrationId,
    },
    /// Write all of an intake to standard output: Markdown for people, with --json one object
    #[command(after_help = "\
Examples:
  tributary intake export INTEGRATION_ID > intake.md
  tributary --json intake export --tenant ID INTEGRATION_ID > intake.json")]
    Export {
        /// Whose [default: of whichever tenant it is]
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: Option<TenantId>,
        /// The id of the integration: see `tributary integration list`
        #[arg(value_name = "INTEGRATION_ID", value_parser = input::id::<IntegrationId>)]
        id: IntegrationId,
    },
    /// Ask their system a few times, and attach what that shows: reachable, JSON, windows, numbers, pages
    #[command(after_help = "\
Examples:
  tributary intake probe INTEGRATION_ID --file SOURCE.json --token-stdin < token.txt
  tributary --json intake probe INTEGRATION_ID --file SOURCE.json --from 2026-03-01T00:00:00Z | jq .findings

Nothing that is read is kept, and neither is the token. Left out of FILE, records, recordId and recordTime are found.")]
    Probe {
        /// Whose [default: of whichever tenant it is]
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: Option<TenantId>,
        /// The id of the integration: see `tributary integration list`
        #[arg(value_name = "INTEGRATION_ID", value_parser = input::id::<IntegrationId>)]
        id: IntegrationId,
        #[command(flatten)]
        asked: Box<Asked>,
    },
}

impl Intake {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (tenant, id, whole) = match self {
            Self::Show { tenant, id } => (tenant, id, false),
            Self::Export { tenant, id } => (tenant, id, true),
            Self::Probe { tenant, id, asked } => return probe(context, tenant, id, *asked).await,
        };
        let db = context.db().await?;
        let of = store::find(&db, &scope(context, tenant).await?, id).await?;
        let see = context.actor.permit::<SeeIntegrations>(of.tenant_id)?;
        let answers = store::answers(&db, &see, id).await?;
        let checks = store::checks(&db, &see, id).await?;
        let evidence = store::evidence(&db, &see, id).await?;
        let known = |item: Item| checks.iter().find(|one| one.item == item).map_or(Known::Unknown, |one| one.known);
        let proposal = checks::propose(known);
        let mut all = json!({
            "integration": of, "answers": answers, "checks": checks, "evidence": evidence,
            "proposal": {"answer": proposal.answer, "reasons": proposal.reasons, "open": proposal.open},
        });
        if whole {
            all["verdicts"] = json!(store::verdicts(&db, &see, id).await?);
            all["timeline"] = json!(store::timeline(&db, &see, id, 10_000).await?);
            if let Some(investigation) = store::investigation(&db, &see, id).await? {
                all["investigation"] = json!({
                    "plan": investigation, "questions": store::questions(&db, &see, id).await?,
                    "time": store::spent(&db, &see, id).await?,
                });
            }
        }
        context.out.record(&all, || {
            let title = format!("# Intake of {} ({})\n", of.details.name, of.details.system_name);
            let mut lines = vec![title, of.details.need.clone()];
            lines.extend(told(&answers, whole));
            lines.push("\n## Technical check list\n".into());
            lines.extend(Item::ALL.iter().map(|item| format!("- {}: {}", item.title(), known(*item))));
            lines.push(format!("\nIt proposes: technically possible? {}", proposal.answer));
            lines.extend(proposal.reasons.iter().chain(&proposal.open).map(|words| format!("- {words}")));
            if !evidence.is_empty() {
                lines.push("\n## Evidence\n".into());
            }
            for one in &evidence {
                lines.push(format!("- {}, {}", one.title, one.source.title()));
                lines.extend(one.findings.iter().map(|finding| format!("  - {}: {}", finding.name, finding.value)));
            }
            lines.join("\n")
        })
    }
}

/// Probes their system, and attaches what was seen.
async fn probe(context: &Context, tenant: Option<TenantId>, id: IntegrationId, asked: Asked) -> anyhow::Result<()> {
    let db = context.db().await?;
    let of = store::find(&db, &scope(context, tenant).await?, id).await?;
    let Asking { client, definition, secret, window } = asked.read(context, TimeDelta::days(7))?;
    let found = of_probe(&feasibility(&client, &definition, secret.as_ref(), window).await, None);
    let told = json!({"title": found.title, "findings": found.list, "source": found.definition});
    let lines: Vec<_> = found.list.iter().map(|one| format!("- {}: {}", one.name, one.value)).collect();
    store::attach(&db, &context.clock, &context.actor.permit::<RunIntakes>(of.tenant_id)?, id, found).await?;
    context.out.record(&told, || lines.join("\n"))
}

/// The answers, section by section; the unanswered too when somebody wants to read on.
fn told(answers: &[Answered], whole: bool) -> Vec<String> {
    let mut lines = Vec::new();
    for section in SECTIONS {
        let done = section.questions.iter().filter(|asked| answers.iter().any(|one| one.question == asked.key)).count();
        lines.push(format!("\n## {} ({done} of {})\n", section.title, section.questions.len()));
        for asked in section.questions {
            match answers.iter().find(|one| one.question == asked.key) {
                Some(one) => {
                    let by = if whole {
                        format!(" ({}, {})", one.answered_by, one.answered_at.format("%Y-%m-%d"))
                    } else {
                        String::new()
                    };
                    lines.push(format!("- {} {}{by}", asked.text, asked.told(&one.answer).replace('\n', "; ")));
                }
                None if whole => lines.push(format!("- {} —", asked.text)),
                None => {}
            }
        }
    }
    lines
}
