//! `tributary tenant`: customers.
use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, Refused, input};
use crate::{
    auth::{Configure, Permit, See},
    events::retention::{COUNTED, removed, would_go},
    ids::TenantId,
    name::Name,
    tenants::{self, Retention, retention},
};

/// Create and list tenants: the customers of the platform
#[derive(Debug, Subcommand)]
pub(super) enum Tenant {
    /// Create a tenant
    #[command(after_help = "\
Examples:
  tributary tenant add \"Acme\"
  tributary --json tenant add \"Acme\" | jq -r .id
  tributary tenant add --id 3f0c0b0a-6f1e-4a53-9c55-0f5d3f8a1b2c \"Acme\"")]
    Add {
        /// The id it has elsewhere, for a customer who moves here [default: a new one]
        #[arg(long, value_name = "GUID", value_parser = input::id::<TenantId>)]
        id: Option<TenantId>,
        /// What it is called
        name: Name,
    },
    /// List all tenants
    #[command(after_help = "\
Examples:
  tributary tenant list
  tributary tenant list --json | jq -r 'select(.enabled) | .id'")]
    List,
    Retention(Keep),
}

/// Show or change how long a tenant's events are kept
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary tenant retention --tenant ID
  tributary tenant retention --tenant ID --accepted-days 365 --unique-days 400
  tributary tenant retention --tenant ID --quarantined-days 7 --remove
  tributary --json tenant retention --tenant ID | jq .acceptedDays")]
pub(super) struct Keep {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// Days that accepted events are kept
    #[arg(long, value_name = "N")]
    accepted_days: Option<i64>,
    /// Days that events in quarantine are kept
    #[arg(long, value_name = "N")]
    quarantined_days: Option<i64>,
    /// Days that the hashes of unique values are kept; no fewer than their events
    #[arg(long, value_name = "N")]
    unique_days: Option<i64>,
    /// Let events go that have had their time by the new days: nobody can bring them back
    #[arg(long)]
    remove: bool,
}

impl Keep {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let see: Permit<See> = context.actor.permit(self.tenant)?;
        tenants::get(&db, &see).await?;
        let permit: Permit<Configure> = context.actor.permit(self.tenant)?;
        let from = retention::get(&db, &permit).await?;
        let to = Retention {
            accepted: self.accepted_days.unwrap_or(from.accepted),
            quarantined: self.quarantined_days.unwrap_or(from.quarantined),
            unique: self.unique_days.unwrap_or(from.unique),
        }
        .check()?;
        if to.is_shorter_than(from) && !self.remove {
            let (accepted, quarantined) = would_go(&db, &permit, to, context.clock.now()).await?;
            let count = |of: i64| if of >= COUNTED { format!("more than {of}") } else { of.to_string() };
            return Err(Refused(format!(
                "{} accepted events and {} in quarantine have had their time by that, and would go: say so with --remove",
                count(accepted),
                count(quarantined)
            ))
            .into());
        }
        let kept = retention::set(&db, &context.clock, &permit, to).await?;
        let gone = removed(&db, &permit).await?;
        let answer = json!({
            "acceptedDays": kept.accepted, "quarantinedDays": kept.quarantined, "uniqueDays": kept.unique,
            "removed": {"accepted": gone.accepted, "quarantined": gone.quarantined, "since": gone.since},
        });
        context.out.record(&answer, || {
            let mut lines = vec![
                format!("accepted events       {} days", kept.accepted),
                format!("events in quarantine  {} days", kept.quarantined),
                format!("unique values         {} days", kept.unique),
            ];
            lines.extend(gone.since.map(|since| {
                let since = since.format("%Y-%m-%d");
                format!("removed since {since}: {} accepted, {} in quarantine", gone.accepted, gone.quarantined)
            }));
            lines.join("\n")
        })
    }
}

impl Tenant {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Retention(keep) => keep.run(context).await,
            Self::Add { id, name } => {
                let db = context.new_db().await?;
                let made = tenants::create(&db, &context.clock, &context.actor.grant()?, id, name).await?;
                context.out.record(&json!({"id": made.id, "name": made.name}), || {
                    format!(
                        "created the tenant {}\n  id  {}\n\nnext: tributary event-type add --tenant {} \"Order\"",
                        made.name, made.id, made.id
                    )
                })
            }
            Self::List => {
                let db = context.db().await?;
                let all = tenants::list(&db, &context.actor.grant()?).await?;
                let cells = |tenant: &tenants::Tenant| {
                    let state = if tenant.enabled { "enabled" } else { "disabled" };
                    [tenant.id.to_string(), state.to_owned(), tenant.name.to_string()]
                };
                let none = "there are no tenants\nnext: tributary tenant add \"Acme\"";
                context.out.table(&all, ["ID", "STATE", "NAME"], cells, none)
            }
        }
    }
}
