//! `tributary tenant`: customers.
use clap::Subcommand;
use serde_json::json;

use super::{Context, input};
use crate::{ids::TenantId, name::Name, tenants};

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
}

impl Tenant {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        match self {
            Self::Add { id, name } => {
                let made = tenants::create(&db, &context.clock, &context.actor.grant()?, id, name).await?;
                context.out.record(&json!({"id": made.id, "name": made.name}), || {
                    format!(
                        "created the tenant {}\n  id  {}\n\nnext: tributary event-type add --tenant {} \"Order\"",
                        made.name, made.id, made.id
                    )
                })
            }
            Self::List => {
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
