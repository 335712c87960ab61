//! `tributary event-type show|versions|diff|activate|rollback|copy`: the versions of a contract.
use clap::Args;
use serde_json::{Value, json};

use super::{Context, Refused, Usage, input};
use crate::{
    auth::{Configure, Permit, ReadConfiguration},
    db::Db,
    event_types::{
        self, Contract,
        diff::{self, Change},
        versions::{self, Made},
    },
    ids::{EventTypeId, TenantId},
    name::Name,
};

/// Which event type of which tenant.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// Which
    #[arg(value_name = "EVENT-TYPE", value_parser = input::id::<EventTypeId>)]
    id: EventTypeId,
}

impl Which {
    /// Which type.
    pub(super) fn id(&self) -> EventTypeId {
        self.id
    }

    pub(super) async fn open(
        &self,
        context: &Context,
    ) -> anyhow::Result<(Db, Permit<ReadConfiguration>, Permit<Configure>)> {
        let db = context.db().await?;
        Ok((db, context.actor.permit(self.tenant)?, context.actor.permit(self.tenant)?))
    }
}

/// Show an event type, its contract and whether a draft waits
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "\
Examples:
  tributary event-type show --tenant ID EVENT-TYPE
  tributary event-type show --tenant ID EVENT-TYPE --json | jq .contract > contract.json
  tributary event-type show --tenant ID EVENT-TYPE --version 2"
)]
pub(super) struct Show {
    #[command(flatten)]
    which: Which,
    /// Show the contract of this version instead of the active one
    #[arg(long, value_name = "NUMBER")]
    version: Option<i64>,
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, read, _) = self.which.open(context).await?;
        let event_type = event_types::get(&db, &read, self.which.id).await?;
        let version = match self.version {
            Some(number) => versions::get(&db, &read, self.which.id, number).await?,
            None => versions::active(&db, &read, self.which.id).await?,
        };
        let draft = versions::draft(&db, &read, self.which.id).await?;
        let mut record = serde_json::to_value(&event_type)?;
        record["contract"] = version.contract.schema();
        record["version"] = version.made.number.into();
        record["draft"] = draft.as_ref().map_or(Value::Null, |draft| draft.contract.schema());
        context.out.record(&record, || {
            let waits = draft.as_ref().map_or_else(String::new, |draft| {
                let (tenant, id) = (self.which.tenant, self.which.id);
                format!(
                    "\n\na draft by {} waits\nnext: tributary event-type diff --tenant {tenant} {id}",
                    draft.updated_by
                )
            });
            format!(
                "{}\n  id       {}\n  policy   {}\n  version  {}\n\n{}{waits}",
                event_type.details.name,
                event_type.id,
                event_type.details.policy,
                version.made.number,
                version.contract.text()
            )
        })
    }
}

/// List the versions of a contract, newest first
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type versions --tenant ID EVENT-TYPE
  tributary event-type versions --tenant ID EVENT-TYPE --json | jq .number")]
pub(super) struct Versions {
    #[command(flatten)]
    which: Which,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: usize,
}

impl Versions {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, read, _) = self.which.open(context).await?;
        let made = versions::list(&db, &read, self.which.id, None, self.limit).await?;
        let cells = |made: &Made| {
            let restores = made.restores.map(|number| format!("(brings back {number}) ")).unwrap_or_default();
            let note = made.note.as_deref().unwrap_or_default().replace('\n', " ");
            [
                made.number.to_string(),
                made.at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
                made.by.clone().unwrap_or_else(|| "-".into()),
                format!("{restores}{note}"),
            ]
        };
        context.out.table(&made, ["VERSION", "ACTIVE FROM", "BY", "NOTE"], cells, "")
    }
}

/// Say in words how two versions of a contract differ [default: the active one and the draft]
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type diff --tenant ID EVENT-TYPE
  tributary event-type diff --tenant ID EVENT-TYPE --from 1 --to 3
  tributary event-type diff --tenant ID EVENT-TYPE --schema order.json --json | jq -e 'select(.effect == \"stricter\")'")]
pub(super) struct Diff {
    #[command(flatten)]
    which: Which,
    /// The older version [default: the active one]
    #[arg(long, value_name = "NUMBER")]
    from: Option<i64>,
    /// The newer version [default: the draft]
    #[arg(long, value_name = "NUMBER", conflicts_with = "schema")]
    to: Option<i64>,
    /// Compare with a file instead, or - for standard input
    #[arg(long, value_name = "FILE")]
    schema: Option<String>,
}

impl Diff {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let schema = self.schema.as_deref().map(input::text).transpose()?;
        let (db, read, _) = self.which.open(context).await?;
        let id = self.which.id;
        let old = match self.from {
            Some(number) => versions::get(&db, &read, id, number).await?,
            None => versions::active(&db, &read, id).await?,
        };
        let new = match (schema, self.to) {
            (Some(text), _) => Contract::parse(text.trim())?,
            (None, Some(number)) => versions::get(&db, &read, id, number).await?.contract,
            (None, None) => match versions::draft(&db, &read, id).await? {
                Some(draft) => draft.contract,
                None => return Err(Refused("there is no draft: say --to NUMBER or --schema FILE".into()).into()),
            },
        };
        let changes = diff::diff(&old.contract, &new);
        let cells = |change: &Change| [change.effect.word().to_owned(), change.words.to_string()];
        context.out.table(&changes, ["FOR EVENTS", "WHAT CHANGES"], cells, "nothing is different")
    }
}

/// Save a file as the draft of a contract; it judges nothing until it is activated
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type draft --tenant ID EVENT-TYPE --schema order.json
  tributary event-type show --tenant ID EVENT-TYPE --json | jq '.contract | .required += [\"Email\"]' |
    tributary event-type draft --tenant ID EVENT-TYPE --schema -")]
pub(super) struct Draft {
    #[command(flatten)]
    which: Which,
    /// A file with a JSON Schema (2020-12), or - for standard input
    #[arg(long, value_name = "FILE")]
    schema: String,
}

impl Draft {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let contract = Contract::parse(input::text(&self.schema)?.trim())?;
        let (db, _, permit) = self.which.open(context).await?;
        let (tenant, id) = (self.which.tenant, self.which.id);
        let draft = versions::save_draft(&db, &context.clock, &permit, id, contract).await?;
        context.out.record(&json!({"base": draft.base, "active": draft.active}), || {
            format!(
                "saved the draft; version {} is active\n\nnext: tributary event-type diff --tenant {tenant} {id}",
                draft.active
            )
        })
    }
}

/// Make the draft the active contract; or a file, as draft and active contract at once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type activate --tenant ID EVENT-TYPE --note \"amounts are required\"
  tributary event-type activate --tenant ID EVENT-TYPE --schema order.json")]
pub(super) struct Activate {
    #[command(flatten)]
    which: Which,
    /// A file with a JSON Schema (2020-12), or - for standard input: it takes the place of the draft first
    #[arg(long, value_name = "FILE")]
    schema: Option<String>,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

impl Activate {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let note = versions::parse_note(&self.note).map_err(Usage)?;
        let schema = match &self.schema {
            Some(file) => Some(Contract::parse(input::text(file)?.trim())?),
            None => None,
        };
        let (db, read, permit) = self.which.open(context).await?;
        let id = self.which.id;
        let draft = match schema {
            Some(contract) => Some(versions::save_draft(&db, &context.clock, &permit, id, contract).await?),
            None => versions::draft(&db, &read, id).await?,
        };
        let Some(draft) = draft else { return Err(Refused("there is no draft: say --schema FILE".into()).into()) };
        versions::activate(&db, &context.clock, &permit, id, note, draft.fingerprint()).await?;
        made(context, &db, &read, id).await
    }
}

/// Make the contract of an earlier version active again, as a new version
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type rollback --tenant ID EVENT-TYPE --to 2
  tributary event-type rollback --tenant ID EVENT-TYPE --to 2 --note \"the shop is not ready\"")]
pub(super) struct Rollback {
    #[command(flatten)]
    which: Which,
    /// The version to bring back
    #[arg(long, value_name = "NUMBER")]
    to: i64,
    /// Why
    #[arg(long, default_value = "", hide_default_value = true)]
    note: String,
}

impl Rollback {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let note = versions::parse_note(&self.note).map_err(Usage)?;
        let (db, read, permit) = self.which.open(context).await?;
        let id = self.which.id;
        let active = versions::active(&db, &read, id).await?.made.number;
        versions::roll_back(&db, &context.clock, &permit, id, self.to, active, note).await?;
        made(context, &db, &read, id).await
    }
}

async fn made(context: &Context, db: &Db, read: &Permit<ReadConfiguration>, id: EventTypeId) -> anyhow::Result<()> {
    let made = versions::active(db, read, id).await?.made;
    let tenant = read.tenant();
    context.out.record(&made, || {
        let number = made.number;
        format!("version {number} is active\n\nnext: tributary event-type versions --tenant {tenant} {id}")
    })
}

/// Copy an event type to another tenant, without its tokens, events and older versions
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type copy --tenant ID EVENT-TYPE --to OTHER-TENANT
  tributary event-type copy --tenant ID EVENT-TYPE --to OTHER-TENANT --name \"Order placed\"")]
pub(super) struct Copy {
    #[command(flatten)]
    which: Which,
    /// The tenant that it is copied to
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    to: TenantId,
    /// What the copy is called [default: the same]
    #[arg(long)]
    name: Option<Name>,
}

impl Copy {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let (db, read, _) = self.which.open(context).await?;
        let name = match self.name {
            Some(name) => name,
            None => event_types::get(&db, &read, self.which.id).await?.details.name,
        };
        let to = context.actor.permit(self.to)?;
        let made = event_types::copy(&db, &context.clock, &read, self.which.id, &to, name).await?;
        context.out.record(&json!({"id": made.id, "tenantId": made.tenant_id, "name": made.details.name}), || {
            let (name, id, tenant) = (&made.details.name, made.id, made.tenant_id);
            format!("copied as {name}\n  id  {id}\n\nnext: tributary token add --tenant {tenant} \"{name}\"")
        })
    }
}
