//! `tributary event-type`: contracts.
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Context, Usage, input, versions};
use crate::{
    event_types::{
        self, Contract, Details, Policy, SearchableFields, UniqueFields,
        propose::{Proposed, Samples, propose},
    },
    events::fields,
    ids::{EventTypeId, TenantId},
    name::Name,
    tenants,
};

/// Create and list event types, and the versions of the contracts that events keep
#[derive(Debug, Subcommand)]
pub(super) enum EventType {
    Add(Box<Add>),
    Propose(Propose),
    Searchable(Searchable),
    Show(versions::Show),
    Versions(versions::Versions),
    Draft(versions::Draft),
    Diff(versions::Diff),
    Try(super::tried::Try),
    Activate(versions::Activate),
    Rollback(versions::Rollback),
    Copy(versions::Copy),
    /// List the event types of a tenant
    #[command(after_help = "\
Examples:
  tributary event-type list --tenant ID
  tributary event-type list --tenant ID --json | jq '{name, contract}'")]
    List {
        /// Whose
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: TenantId,
    },
}

/// Create an event type
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type add --tenant ID \"Order\"
  tributary event-type add --tenant ID \"Order\" --schema order.json --unique \"Order ID\"
  tributary event-type add --tenant ID \"Order\" --searchable \"Email Address\" --searchable /Order/Number
  tributary event-type add --tenant ID \"Ticket\" --unique /Ticket/Number --unique /Shop --policy refuse
  curl -s https://example.com/order.json | tributary event-type add --tenant ID \"Order\" --schema -")]
pub(super) struct Add {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// The id it has elsewhere, for a customer who moves here [default: a new one]
    #[arg(long, value_name = "GUID", value_parser = input::id::<EventTypeId>)]
    id: Option<EventTypeId>,
    /// The contract: a file with a JSON Schema (2020-12), or - for standard input [default: any object]
    #[arg(long, value_name = "FILE")]
    schema: Option<String>,
    /// A field that makes an event unique: a key, or a /pointer; repeat it for a key of several fields
    #[arg(long, value_name = "FIELD")]
    unique: Vec<String>,
    /// A field that events are found by: a key, or a /pointer; repeat it for up to eight
    #[arg(long, value_name = "FIELD")]
    searchable: Vec<String>,
    /// What it is for
    #[arg(long, default_value = "", hide_default_value = true)]
    description: String,
    /// What becomes of events that break the contract
    #[arg(long, value_enum, default_value_t = Policy::Quarantine)]
    policy: Policy,
    /// Accept its events without a token
    #[arg(long)]
    anonymous: bool,
    /// What it is called
    name: Name,
}

/// Propose a contract from samples of events, without a server or a database
///
/// The proposed JSON Schema goes to standard output. With --json there is more beside it: how often each field was
/// seen, some of its values, and what to look at twice. The schema itself holds no value of a sample, but for those of
/// closed sets.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type propose orders.ndjson
  tributary event-type propose orders.ndjson > order.schema.json
  tributary event-type propose monday.json tuesday.json --json | jq .fields
  cat orders.json | tributary event-type propose - | tributary event-type add --tenant ID \"Order\" --schema -")]
pub(super) struct Propose {
    /// Events: an object, an array of objects, or one object a line; - for standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
}

impl Propose {
    fn run(&self, context: &Context) -> anyhow::Result<()> {
        let mut samples = Samples::default();
        for file in &self.files {
            samples.add(&input::text(file)?).map_err(|why| anyhow::anyhow!("{file}: {why}"))?;
        }
        let proposal = propose(&samples);
        let text = proposal.contract();
        Contract::parse(&text)?;
        let fields: Vec<Value> = proposal.walk().iter().map(|(path, field)| told(&path.to_string(), field)).collect();
        let schema: Value = serde_json::from_str(&text)?;
        context.out.record(&json!({"samples": proposal.samples, "schema": schema, "fields": fields}), || text)
    }
}

/// What samples say about one field.
fn told(path: &str, field: &Proposed) -> Value {
    json!({
        "path": path,
        "types": field.types,
        "nullable": field.nullable,
        "format": field.format,
        "allowed": field.allowed,
        "required": field.required,
        "identifies": field.identifies,
        "seen": field.seen,
        "of": field.of,
        "examples": field.examples,
        "notes": field.notes,
    })
}

impl EventType {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::Propose(propose) => propose.run(context),
            Self::Searchable(searchable) => searchable.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Versions(command) => command.run(context).await,
            Self::Draft(command) => command.run(context).await,
            Self::Diff(command) => command.run(context).await,
            Self::Try(command) => command.run(context).await,
            Self::Activate(command) => command.run(context).await,
            Self::Rollback(command) => command.run(context).await,
            Self::Copy(command) => command.run(context).await,
            Self::List { tenant } => list(context, tenant).await,
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let contract = match &self.schema {
            Some(file) => Contract::parse(&input::text(file)?)?,
            None => Contract::default(),
        };
        if self.unique.iter().any(|field| field.trim().is_empty()) {
            return Err(Usage("--unique names a field, and here it names none".into()).into());
        }
        let details = Details {
            description: event_types::parse_description(&self.description).map_err(Usage)?,
            contract,
            policy: self.policy,
            unique_fields: UniqueFields::parse(&self.unique).map_err(Usage)?,
            searchable_fields: SearchableFields::parse(&self.searchable).map_err(Usage)?,
            anonymous: self.anonymous,
            ..Details::named(self.name)
        };
        let db = context.db().await?;
        let permit = context.actor.permit(self.tenant)?;
        let made = event_types::create(&db, &context.clock, &permit, self.id, details).await?;
        context.out.record(&json!({"id": made.id, "name": made.details.name}), || {
            format!(
                "created the event type {}\n  id    {}\n  path  /events/v1.0/tenants/{tenant}/events/{}\n\n\
                 next: tributary token add --tenant {tenant} \"web shop\"",
                made.details.name,
                made.id,
                made.id,
                tenant = made.tenant_id,
            )
        })
    }
}

/// Say which fields the events of a type are found by
///
/// What is named takes the place of what was. Without any field, none is searchable any more. Fields that were not
/// searchable before are filled in by a background task of the server.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary event-type searchable --tenant ID TYPE-ID \"Email Address\" \"Order Number\"
  tributary event-type searchable --tenant ID TYPE-ID --none
  tributary events list --tenant ID --event-type TYPE-ID --field \"Email Address\" --value jane@example.com")]
pub(super) struct Searchable {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// The type
    #[arg(value_name = "TYPE-ID", value_parser = input::id::<EventTypeId>)]
    id: EventTypeId,
    /// The fields: keys, or /pointers
    #[arg(value_name = "FIELD", required_unless_present = "none", conflicts_with = "none")]
    fields: Vec<String>,
    /// None any more
    #[arg(long)]
    none: bool,
}

impl Searchable {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let fields = SearchableFields::parse(&self.fields).map_err(Usage)?;
        let db = context.db().await?;
        let permit = context.actor.permit(self.tenant)?;
        let change = move |details: &mut Details| details.searchable_fields = fields;
        event_types::update(&db, &context.clock, &permit, self.id, change).await?;
        let standing = fields::store::standing(&db, &permit, Some(self.id)).await?;
        context.out.record(&json!({"fields": standing}), || {
            if standing.is_empty() {
                return "no field is searchable".to_owned();
            }
            let line = |one: &fields::store::Standing| {
                let state = if one.ready { "ready" } else { "is being filled in by the server" };
                format!("{}  {state}", one.field)
            };
            let next = format!("next: tributary task list --tenant {}", self.tenant);
            standing.iter().map(line).chain([next]).collect::<Vec<_>>().join("\n")
        })
    }
}

async fn list(context: &Context, tenant: TenantId) -> anyhow::Result<()> {
    let db = context.db().await?;
    tenants::get(&db, &context.actor.permit(tenant)?).await?;
    let all = event_types::list(&db, &context.actor.permit(tenant)?).await?;
    let rows: Vec<Value> = all
        .iter()
        .map(|event_type| {
            let mut row = serde_json::to_value(event_type)?;
            row["contract"] = event_type.details.contract.schema();
            Ok(row)
        })
        .collect::<serde_json::Result<_>>()?;
    let cells = |row: &Value| {
        let text = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
        let state = if row["enabled"] == true { "enabled" } else { "disabled" };
        let unique: Vec<_> = row["uniqueFields"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        [text("id"), state.to_owned(), text("policy"), unique.join(" "), text("name")]
    };
    let none = format!("the tenant has no event types\nnext: tributary event-type add --tenant {tenant} \"Order\"");
    context.out.table(&rows, ["ID", "STATE", "POLICY", "UNIQUE BY", "NAME"], cells, &none)
}
