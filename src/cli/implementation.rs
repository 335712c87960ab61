//! `tributary integration plan|done|make|waive`: what is built, and what stands between it and going live.
use clap::Args;
use serde_json::json;
use uuid::Uuid;

use super::{Context, Usage, input, source::Keys};
use crate::{
    auth::SeeIntegrations,
    crypto::seal::Keyring,
    ids::{IntegrationId, TenantId},
    intake::{
        Reason, Stage, hours,
        implementation::{
            Kind, Whole,
            store::{self, Made, Secrets},
        },
        store as integrations,
    },
    tokens::Secret,
};

/// Whose, and which.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    pub(super) tenant: TenantId,
    /// The id of the integration: see `tributary integration list`
    #[arg(value_name = "INTEGRATION_ID", value_parser = input::id::<IntegrationId>)]
    pub(super) id: IntegrationId,
}

/// Say that a task is done, or is not after all
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary integration done --tenant ID INTEGRATION_ID TASK_ID
  tributary integration done --tenant ID INTEGRATION_ID TASK_ID --undo")]
pub(super) struct Done {
    #[command(flatten)]
    of: Which,
    /// The id of the task: see `tributary integration plan`
    #[arg(value_name = "TASK_ID", value_parser = crate::ids::guid)]
    task: Uuid,
    /// It is not done after all
    #[arg(long)]
    undo: bool,
}

/// Turn a draft into the event type, token or polling source that it drafts; a token is shown this once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary integration make --tenant ID INTEGRATION_ID DRAFT_ID
  tributary --json integration make --tenant ID INTEGRATION_ID DRAFT_ID | jq -r .token
  tributary integration make --tenant ID INTEGRATION_ID DRAFT_ID --their-token-file token.txt")]
pub(super) struct Make {
    #[command(flatten)]
    of: Which,
    /// The id of the draft: see `tributary integration plan`
    #[arg(value_name = "DRAFT_ID", value_parser = crate::ids::guid)]
    draft: Uuid,
    /// For a polling source: the file that holds the token by which their system knows us
    #[arg(long, value_name = "FILE")]
    their_token_file: Option<std::path::PathBuf>,
    #[command(flatten)]
    keys: Keys,
}

/// Waive acceptance evidence, or that a line names any; the reason stands on the timeline
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary integration waive --tenant ID INTEGRATION_ID EVIDENCE_ID --reason \"sales begin in March\"
  tributary integration waive --tenant ID INTEGRATION_ID PHASE_ID --reason \"a training leaves no events\"
  tributary integration waive --tenant ID INTEGRATION_ID EVIDENCE_ID --undo --reason \"sales have begun\"")]
pub(super) struct Waive {
    #[command(flatten)]
    of: Which,
    /// The id of the evidence, or of the line that names none: see `tributary integration plan`
    #[arg(value_name = "POINT_ID", value_parser = crate::ids::guid)]
    point: Uuid,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Take the waiver back: it has to be seen again
    #[arg(long)]
    undo: bool,
}

impl Which {
    async fn load(&self, context: &Context) -> anyhow::Result<(crate::intake::Integration, Whole)> {
        let db = context.db().await?;
        let see = context.actor.permit::<SeeIntegrations>(self.tenant)?;
        let of = integrations::get(&db, &see, self.id).await?;
        Ok((of, store::load(&db, &see, self.id).await?))
    }

    pub(super) async fn plan(self, context: &Context) -> anyhow::Result<()> {
        let (of, whole) = self.load(context).await?;
        let see = context.actor.permit::<SeeIntegrations>(self.tenant)?;
        let outcomes = if of.stage == Stage::Implementation {
            store::measure(&context.db().await?, &context.clock, &see, &whole).await?
        } else {
            whole.evidence.iter().filter_map(|one| Some((one.id, one.measured.clone()?))).collect()
        };
        let missing = whole.missing(&outcomes);
        let mut answer = json!(whole);
        answer["stage"] = json!(of.stage);
        answer["missing"] = json!(missing);
        answer["measured"] = outcomes
            .iter()
            .map(|(id, outcome)| (id.to_string(), json!(outcome)))
            .collect::<serde_json::Map<_, _>>()
            .into();
        answer["next"] = whole
            .ready()
            .iter()
            .map(|task| {
                let details = &task.details;
                json!({ "task": task.id, "turn": details.side, "since": whole.since(task), "nextStep": details.title,
                    "dueOn": details.due_on })
            })
            .collect::<Vec<_>>()
            .into();
        let (quoted, spent) = whole.sums();
        answer["quotedMinutes"] = json!(quoted);
        answer["spentMinutes"] = json!(spent);
        context.out.record(&answer, || told(&of, &whole, &outcomes, &missing))
    }
}

fn told(
    of: &crate::intake::Integration,
    whole: &Whole,
    outcomes: &[(Uuid, crate::intake::implementation::Outcome)],
    missing: &[String],
) -> String {
    let (quoted, spent) = whole.sums();
    let mut lines = vec![
        format!("{} is at {}", of.details.name, of.stage),
        format!("  hours   {} spent of {} quoted", hours(spent), hours(quoted)),
    ];
    let mut section = |title: &str, rows: Vec<String>| {
        if !rows.is_empty() {
            lines.push(format!("\n{title}"));
            lines.extend(rows.into_iter().map(|row| format!("  {row}")));
        }
    };
    let ready = whole.ready();
    let rows = ready.iter().map(|task| {
        let since = whole.since(task).format("%Y-%m-%d");
        format!(
            "{}  {:<8}  since {since}  due {}  {}",
            task.id, task.details.side, task.details.due_on, task.details.title
        )
    });
    section("whose turn it is", rows.collect());
    let later = whole.tasks.iter().filter(|one| one.done_at.is_none() && !ready.iter().any(|task| task.id == one.id));
    let rows = later.map(|task| format!("{}  {:<8}  {}", task.id, task.details.side, task.details.title));
    section("later", rows.collect());
    let rows = whole.drafts.iter().map(|one| {
        let state = match (one.settled_at, one.made_id) {
            (None, _) => "draft",
            (Some(_), Some(_)) => "made",
            (Some(_), None) => "dropped",
        };
        format!("{}  {state:<8}  {}: {}", one.id, one.kind.title(), one.name)
    });
    section("to be configured", rows.collect());
    let rows = whole.evidence.iter().map(|one| {
        let outcome = outcomes.iter().find(|(id, _)| *id == one.id).map(|(_, outcome)| outcome);
        let (state, told) = match outcome {
            _ if one.waived.is_set() => ("waived", one.waived.waived_why.clone().unwrap_or_default()),
            Some(outcome) if outcome.met => ("seen", outcome.told.clone()),
            Some(outcome) => ("not yet", outcome.told.clone()),
            None => ("not yet", "not measured".to_owned()),
        };
        format!("{}  {state:<8}  {}: {}", one.id, one.rule.told(), told.replace('\n', " "))
    });
    section("acceptance evidence", rows.collect());
    section("missing before it goes live", missing.to_vec());
    lines.join("\n")
}

impl Done {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let permit = context.actor.permit(self.of.tenant)?;
        store::set_done(&db, &context.clock, &permit, self.of.id, self.task, !self.undo).await?;
        let (of, whole) = self.of.load(context).await?;
        let answer =
            json!({ "task": self.task, "done": !self.undo, "turn": of.next.turn, "nextStep": of.next.next_step });
        context.out.record(&answer, || {
            let left = whole.tasks.iter().filter(|one| one.done_at.is_none()).count();
            format!("{left} to do\n  next  {}: {}", of.next.turn, of.next.next_step)
        })
    }
}

impl Make {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let keys = match self.of.load(context).await?.1.drafts.iter().find(|one| one.id == self.draft) {
            // only a source has a secret to be sealed
            Some(draft) if draft.kind == Kind::Source => self.keys.ring(&db),
            _ => Keyring::in_memory(),
        };
        let theirs = match &self.their_token_file {
            Some(file) => Some(tokio::fs::read_to_string(file).await?.trim().to_owned()),
            None => None,
        };
        let secret = Secret::generate();
        let secrets = Secrets { made: Some(secret.clone()), theirs };
        let permit = context.actor.permit(self.of.tenant)?;
        let key = (self.of.id, self.draft);
        let made = store::make(&db, &context.clock, &keys, &permit, key, None, secrets).await?;
        let (kind, id, token) = match made {
            Made::EventType(made) => (Kind::EventType, made.id.to_string(), None),
            Made::Token(made) => (Kind::Token, made.id.to_string(), Some(secret.expose().to_owned())),
            Made::Source(made) => (Kind::Source, made.id.to_string(), None),
        };
        context.out.record(&json!({ "kind": kind, "id": id, "token": token }), || {
            let token = token.map_or_else(String::new, |token| format!("\n  token  {token}\n\nit is not shown again"));
            format!("made the {}\n  id     {id}{token}", kind.title().to_lowercase())
        })
    }
}

impl Waive {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let reason = Reason::parse(&self.reason).map_err(|why| Usage(format!("--reason: {why}")))?;
        let permit = context.actor.permit(self.of.tenant)?;
        store::waive(&db, &context.clock, &permit, self.of.id, (self.point, self.undo), reason).await?;
        let (key, word) = if self.undo { ("takenBack", "taken back") } else { ("waived", "waived") };
        context.out.record(&json!({ key: self.point }), || word.to_owned())
    }
}
