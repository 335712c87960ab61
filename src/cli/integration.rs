//! `tributary integration`: from intake to live.
use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::{
    Context, Usage,
    implementation::{Done, Make, Waive, Which},
    input,
    link::{Link, Unlink, links},
};
use crate::{
    auth::{self, SeeIntegrations, email::Email},
    ids::{IntegrationId, TenantId},
    intake::{
        Act, Details, Integration as One, Next, Reason, Scenario, Side, Stage, SystemKind,
        store::{self, Scope, Taken},
    },
    name::Name,
};

/// List integrations, begin one, and take it from stage to stage
#[derive(Debug, Subcommand)]
pub(super) enum Integration {
    /// List integrations, of one tenant or of all
    #[command(after_help = "\
Examples:
  tributary integration list
  tributary integration list --tenant ID --stage intake
  tributary integration list --turn customer
  tributary integration list --json | jq -r 'select(.stage == \"live\") | .name'")]
    List {
        /// Whose [default: everybody's]
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: Option<TenantId>,
        /// Only those at this stage
        #[arg(long)]
        stage: Option<Stage>,
        /// Only those that wait for this side
        #[arg(long)]
        turn: Option<Side>,
    },
    /// Show one integration with its verdicts and its timeline
    #[command(after_help = "\
Examples:
  tributary integration show 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c
  tributary --json integration show --tenant ID INTEGRATION_ID | jq .timeline")]
    Show {
        /// Whose [default: of whichever tenant it is]
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: Option<TenantId>,
        /// The id of the integration: see `tributary integration list`
        #[arg(value_name = "INTEGRATION_ID", value_parser = input::id::<IntegrationId>)]
        id: IntegrationId,
    },
    Add(Add),
    Advance(Advance),
    /// Show the implementation: open points and whose turn it is, drafts, evidence as measured now, hours
    #[command(after_help = "\
Examples:
  tributary integration plan --tenant ID INTEGRATION_ID
  tributary --json integration plan --tenant ID INTEGRATION_ID | jq -r '.missing[]'")]
    Plan(Which),
    Done(Done),
    Make(Make),
    Waive(Waive),
    Link(Link),
    /// List the links by which people without an account follow it, with how each stands
    #[command(after_help = "\
Examples:
  tributary integration links --tenant ID INTEGRATION_ID
  tributary --json integration links --tenant ID INTEGRATION_ID | jq -r 'select(.standing == \"opened\") | .forWhom'")]
    Links(Which),
    Unlink(Unlink),
}

/// Begin an integration with its intake
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary integration add --tenant ID --system \"Salesforce\" --kind crm --need \"Know members by name\" \"Members\"
  tributary --json integration add --tenant ID --system Lightspeed --kind web-shop --need \"Sales\" \"Sales\" | jq -r .id")]
pub(super) struct Add {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// The external system
    #[arg(long, value_name = "NAME")]
    system: Name,
    /// What kind of system it is
    #[arg(long, default_value = "custom")]
    kind: SystemKind,
    /// What the customer needs, in a sentence or two
    #[arg(long, value_name = "TEXT")]
    need: String,
    /// Whose it is here, by e-mail address [default: nobody's]
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
    /// What it is called
    name: Name,
}

/// What can be done to an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Word {
    /// End the intake in a scenario: --scenario
    Choose,
    /// End the investigation: --possible or --not-possible
    Conclude,
    /// Go live: all acceptance evidence is there
    GoLive,
    /// Close as lost: the customer does not want it
    Close,
    /// Look again at what was not possible
    Reopen,
    /// Put it away
    Retire,
}

/// Take an integration to another stage; an illegal step is refused with the reason
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary integration advance --tenant ID INTEGRATION_ID choose --scenario investigation
  tributary integration advance --tenant ID INTEGRATION_ID conclude --possible --next \"Draft the quotation\"
  tributary integration advance --tenant ID INTEGRATION_ID retire --reason \"replaced by the new web shop\"")]
pub(super) struct Advance {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// The id of the integration: see `tributary integration list`
    #[arg(value_name = "INTEGRATION_ID", value_parser = input::id::<IntegrationId>)]
    id: IntegrationId,
    /// What is done
    act: Word,
    /// For choose: which scenario
    #[arg(long)]
    scenario: Option<Scenario>,
    /// For conclude: it is possible
    #[arg(long, conflicts_with = "not_possible")]
    possible: bool,
    /// For conclude: it is not
    #[arg(long)]
    not_possible: bool,
    /// Why; it stands on the timeline
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    /// What is to be done then [default: what is usual]
    #[arg(long, value_name = "TEXT")]
    next: Option<String>,
    /// Whose turn it is then
    #[arg(long, default_value = "us")]
    turn: Side,
}

impl Integration {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List { tenant, stage, turn } => list(context, tenant, stage, turn).await,
            Self::Show { tenant, id } => show(context, tenant, id).await,
            Self::Add(add) => add.run(context).await,
            Self::Advance(advance) => advance.run(context).await,
            Self::Plan(which) => which.plan(context).await,
            Self::Done(done) => done.run(context).await,
            Self::Make(make) => make.run(context).await,
            Self::Waive(waive) => waive.run(context).await,
            Self::Link(link) => link.run(context).await,
            Self::Links(which) => links(context, &which).await,
            Self::Unlink(unlink) => unlink.run(context).await,
        }
    }
}

/// Of one tenant that exists, or of all.
pub(super) async fn scope(context: &Context, tenant: Option<TenantId>) -> anyhow::Result<Scope> {
    Ok(match tenant {
        Some(tenant) => {
            crate::tenants::get(&context.db().await?, &context.actor.permit(tenant)?).await?;
            Scope::One(context.actor.permit(tenant)?)
        }
        None => Scope::of(&context.actor)?,
    })
}

async fn list(
    context: &Context,
    tenant: Option<TenantId>,
    stage: Option<Stage>,
    turn: Option<Side>,
) -> anyhow::Result<()> {
    let db = context.db().await?;
    let all = store::list(&db, &scope(context, tenant).await?).await?;
    let kept = |of: &One| {
        stage.is_none_or(|stage| of.stage == stage)
            && turn.is_none_or(|turn| of.stage.is_open() && of.next.turn == turn)
    };
    let rows: Vec<One> = all.into_iter().filter(kept).collect();
    let cells = |of: &One| {
        let waits = if of.stage.is_open() { of.next.turn.word() } else { "-" };
        let since = of.stage_since.format("%Y-%m-%d").to_string();
        [of.id.to_string(), of.stage.word().to_owned(), since, waits.to_owned(), of.details.name.to_string()]
    };
    let none = "there are no integrations\nnext: tributary integration add --tenant ID --system NAME --need TEXT NAME";
    context.out.table(&rows, ["ID", "STAGE", "SINCE", "WAITS FOR", "NAME"], cells, none)
}

async fn show(context: &Context, tenant: Option<TenantId>, id: IntegrationId) -> anyhow::Result<()> {
    let db = context.db().await?;
    let of = store::find(&db, &scope(context, tenant).await?, id).await?;
    let see = context.actor.permit::<SeeIntegrations>(of.tenant_id)?;
    let verdicts = store::verdicts(&db, &see, id).await?;
    let timeline = store::timeline(&db, &see, id, 500).await?;
    let mut answer = json!(of);
    answer["verdicts"] = json!(verdicts);
    answer["timeline"] = json!(timeline);
    context.out.record(&answer, || {
        let mut lines = vec![
            format!("{} ({}, {})", of.details.name, of.details.system_name, of.details.system_kind),
            format!("  id      {}", of.id),
            format!("  tenant  {}", of.tenant_id),
            format!("  stage   {} since {}", of.stage, of.stage_since.format("%Y-%m-%d")),
            format!("  need    {}", of.details.need.replace('\n', " ")),
        ];
        if of.stage.is_open() {
            lines.push(format!("  next    {}: {}", of.next.turn, of.next.next_step));
        }
        for verdict in &verdicts {
            lines.push(format!(
                "  {:<22} {} (confidence {})",
                verdict.question.title(),
                verdict.answer,
                verdict.confidence
            ));
        }
        lines.push("\ntimeline, newest first".into());
        for one in &timeline {
            let why = if one.why.is_empty() { String::new() } else { format!(": {}", one.why.replace('\n', " ")) };
            lines.push(format!("  {}  {} {}{why}", one.at.format("%Y-%m-%d %H:%M UTC"), one.who, one.what));
        }
        lines.join("\n")
    })
}

impl Add {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let owner_id = match &self.owner {
            Some(email) => {
                let email = Email::parse(email).map_err(|why| Usage(why.to_string()))?;
                Some(auth::store::person_by_email(&db, &context.actor.grant()?, &email).await?.id)
            }
            None => None,
        };
        let need = self.need.trim().to_owned();
        if need.is_empty() || need.chars().count() > 4_000 || need.chars().any(|c| c.is_control() && c != '\n') {
            bail!(Usage("--need is a sentence or two, without control characters".into()));
        }
        let details = Details {
            name: self.name,
            system_name: self.system,
            system_kind: self.kind,
            need,
            owner_id,
            customer_people: String::new(),
            vendor_people: String::new(),
        };
        let permit = context.actor.permit(self.tenant)?;
        let made = store::create(&db, &context.clock, &permit, details, None).await?;
        context.out.record(&made, || {
            format!(
                "began the intake of {}\n  id  {}\n\nnext: tributary intake show --tenant {} {}",
                made.details.name, made.id, made.tenant_id, made.id
            )
        })
    }
}

impl Advance {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let act = match self.act {
            Word::Choose => Act::Choose(self.scenario.ok_or_else(|| Usage("choose needs --scenario".into()))?),
            Word::Conclude if self.possible => Act::Conclude(true),
            Word::Conclude if self.not_possible => Act::Conclude(false),
            Word::Conclude => bail!(Usage("conclude needs --possible or --not-possible".into())),
            Word::GoLive => Act::GoLive,
            Word::Close => Act::Close,
            Word::Reopen => Act::Reopen,
            Word::Retire => Act::Retire,
        };
        let reason = Reason::parse(&self.reason).map_err(|why| Usage(format!("--reason: {why}")))?;
        let next = match self.next.as_deref().map(str::trim) {
            Some(step) if step.is_empty() || step.chars().count() > 300 || step.chars().any(char::is_control) => {
                bail!(Usage("--next is one line of at most 300 characters".into()))
            }
            Some(step) => Some(Next { next_step: step.to_owned(), turn: self.turn }),
            None => Some(Next { next_step: crate::intake::first_step(act.to()).into(), turn: self.turn }),
        };
        let db = context.db().await?;
        let permit = context.actor.permit(self.tenant)?;
        let after = store::advance(&db, &context.clock, &permit, self.id, Taken { act, reason, next }).await?;
        context.out.record(&after, || {
            let next = if after.stage.is_open() {
                format!("\n  next  {}: {}", after.next.turn, after.next.next_step)
            } else {
                String::new()
            };
            format!("{} is at {} now{next}", after.details.name, after.stage)
        })
    }
}
