//! `tributary token`: the secrets of external systems.
mod edit;
mod roll;
mod scan;

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Context, Refused, Usage, input};
use crate::{
    auth::ReadConfiguration,
    ids::{EventTypeId, TenantId, TokenId},
    name::Name,
    tenants,
    tokens::{self, Details, Secret, Watched},
};

/// Create, list, roll and revoke tokens: the secrets that external systems send
#[derive(Debug, Subcommand)]
pub(super) enum Token {
    Add(Add),
    /// List the tokens of a tenant, never their secrets
    #[command(after_help = "\
Examples:
  tributary token list --tenant ID
  tributary token list --tenant ID --json | jq 'select(.lastUsedAt == null)'")]
    List {
        /// Whose
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: TenantId,
    },
    /// Show one token: whether it works, how it was last used, and what there is to look after
    #[command(after_help = "\
Examples:
  tributary token show --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c
  tributary --json token show --tenant ID TOKEN_ID | jq .warnings")]
    Show {
        /// Whose
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: TenantId,
        /// The id of the token: see `tributary token list`
        #[arg(value_name = "TOKEN_ID", value_parser = input::id::<TokenId>)]
        id: TokenId,
    },
    Edit(edit::Edit),
    Roll(roll::Roll),
    Overlap(roll::Change),
    Scan(scan::Scan),
    /// Revoke a token: from now on, nobody gets in with it; it cannot be undone
    #[command(after_help = "\
Examples:
  tributary token revoke --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c")]
    Revoke {
        /// Whose
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: TenantId,
        /// The id of the token: see `tributary token list`
        #[arg(value_parser = input::id::<TokenId>)]
        id: TokenId,
    },
}

/// Create a token; its secret is shown this once
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary token add --tenant ID \"web shop\"
  tributary token add --tenant ID \"cash desks\" --event-type ID --expires 90d --address 192.0.2.0/24
  tributary --json token add --tenant ID \"web shop\" | jq -r .token
  tributary token add --tenant ID \"as before\" --import < old-token.txt")]
pub(super) struct Add {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// The only event type it is good for; repeat it for more [default: all]
    #[arg(long, value_name = "ID", value_parser = input::id::<EventTypeId>)]
    event_type: Vec<EventTypeId>,
    /// When it stops working: 2027-01-31T00:00:00Z, 2027-01-31, 90d [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// The only network or address it may come from; repeat it for more [default: any]
    #[arg(long, value_name = "NET")]
    address: Vec<String>,
    /// Let it switch anonymous use of event types on and off
    #[arg(long)]
    can_configure: bool,
    /// Take a secret that is in use elsewhere, from standard input
    #[arg(long)]
    import: bool,
    /// What it is called
    name: Name,
}

impl Token {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Add(add) => add.run(context).await,
            Self::List { tenant } => list(context, tenant).await,
            Self::Show { tenant, id } => show(context, tenant, id).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Roll(roll) => roll.run(context).await,
            Self::Overlap(change) => change.run(context).await,
            Self::Scan(scan) => scan.run(context).await,
            Self::Revoke { tenant, id } => {
                let db = context.db().await?;
                let gone = tokens::revoke(&db, &context.clock, &context.actor.permit(tenant)?, id).await?;
                let answer = json!({"id": gone.id, "revokedAt": gone.revoked_at});
                context.out.record(&answer, || {
                    format!("revoked the token {}: it is refused everywhere within a second", gone.details.name)
                })
            }
        }
    }
}

impl Add {
    async fn run(self, context: &Context) -> anyhow::Result<()> {
        let expires_at = self.expires.as_deref().map(|text| tokens::parse_expiry(text, context.clock.now()));
        let details = Details {
            event_types: Some(self.event_type),
            addresses: tokens::parse_networks(&self.address).map_err(Usage)?,
            can_configure: self.can_configure,
            expires_at: expires_at.transpose().map_err(Usage)?,
            ..Details::named(self.name)
        };
        let secret = if self.import { Secret::import(&input::secret()?).map_err(Usage)? } else { Secret::generate() };
        let db = context.db().await?;
        let permit = context.actor.permit(self.tenant)?;
        let made = tokens::create(&db, &context.clock, &permit, &secret, details).await?;
        let answer = json!({"id": made.id, "token": secret.expose(), "name": made.details.name});
        context.out.record(&answer, || {
            if self.import {
                return format!("imported the token {}\n  id  {}", made.details.name, made.id);
            }
            format!(
                "created the token {}\n  id     {}\n  token  {}\n\nThe token is shown this once: keep it where its \
                 sender finds it.\nnext: TRIBUTARY_TOKEN=… tributary send --url http://127.0.0.1:3000 --tenant {} \
                 --event-type ID event.json",
                made.details.name,
                made.id,
                secret.expose(),
                made.tenant_id,
            )
        })
    }
}

fn moment(at: Option<chrono::DateTime<chrono::Utc>>) -> String {
    at.map_or_else(|| "never".to_owned(), |at| at.format("%Y-%m-%d %H:%M UTC").to_string())
}

async fn list(context: &Context, tenant: TenantId) -> anyhow::Result<()> {
    let db = context.db().await?;
    tenants::get(&db, &context.actor.permit(tenant)?).await?;
    let now = context.clock.now();
    let all = tokens::watch(&db, &context.actor.permit(tenant)?, now).await?;
    let cells = |watched: &Watched| {
        let token = &watched.token;
        let warnings: Vec<_> = watched.warnings.iter().map(tokens::Warning::word).collect();
        [
            token.id.to_string(),
            format!("{}…", token.prefix),
            token.state(now).word().to_owned(),
            moment(token.ends_at()),
            moment(token.last_used_at),
            if warnings.is_empty() { "-".to_owned() } else { warnings.join(", ") },
            token.details.name.to_string(),
        ]
    };
    let none = format!("the tenant has no tokens\nnext: tributary token add --tenant {tenant} \"web shop\"");
    context.out.table(&all, ["ID", "TOKEN", "STATE", "ENDS", "LAST USED", "WARNINGS", "NAME"], cells, &none)
}

async fn show(context: &Context, tenant: TenantId, id: TokenId) -> anyhow::Result<()> {
    let db = context.db().await?;
    let permit = context.actor.permit::<ReadConfiguration>(tenant)?;
    let watched = tokens::store::watch_one(&db, &permit, id, context.clock.now()).await?;
    context.out.record(&watched, || text(&watched, context.clock.now()))
}

/// One token, a fact a line.
fn text(watched: &Watched, now: chrono::DateTime<chrono::Utc>) -> String {
    let token = &watched.token;
    let mut lines = vec![
        format!("{}  {}…  {}", token.details.name, token.prefix, token.state(now).word()),
        format!("  id         {}", token.id),
        format!("  ends       {}", moment(token.ends_at())),
        format!("  last used  {}", moment(token.last_used_at)),
    ];
    if let Some((agent, address)) =
        watched.last_use.as_ref().and_then(|last| Some((last.agent.as_ref()?, last.address.as_ref()?)))
    {
        lines.push(format!("  by         {agent} from {address}"));
    }
    lines.extend(token.successor_id.map(|id| format!("  successor  {id}")));
    lines.extend(token.predecessor_id.map(|id| format!("  took the place of {id}")));
    for warning in &watched.warnings {
        lines.push(format!("\n! {}\n  {}", warning.title(), warning.advice()));
    }
    // what a sender calls itself must not reach the terminal as a command
    lines.join("\n").replace(|c: char| c.is_control() && c != '\n', "\u{fffd}")
}
