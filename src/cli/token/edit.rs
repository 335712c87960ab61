//! `tributary token edit`: what a token is good for, changed; its secret stays.
use clap::Args;
use ipnet::IpNet;

use super::{Context, Usage, input};
use crate::{
    auth::ReadConfiguration,
    ids::{EventTypeId, TenantId, TokenId},
    name::Name,
    tokens,
};

/// Change what a token is good for; what is not named stays, and so does the secret
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary token edit --tenant ID TOKEN_ID --name \"web shop\"
  tributary token edit --tenant ID TOKEN_ID --address 192.0.2.0/24 --address 2001:db8::/32
  tributary token edit --tenant ID TOKEN_ID --all-event-types --never-expires
  tributary token edit --tenant ID TOKEN_ID --event-type ID --expires 90d --can-configure false")]
pub(in crate::cli) struct Edit {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// What it is called
    #[arg(long)]
    name: Option<Name>,
    /// The only event type it is good for; repeat it for more
    #[arg(long, value_name = "ID", value_parser = input::id::<EventTypeId>, conflicts_with = "all_event_types")]
    event_type: Vec<EventTypeId>,
    /// Good for all event types
    #[arg(long)]
    all_event_types: bool,
    /// The only network or address it may come from; repeat it for more
    #[arg(long, value_name = "NET", conflicts_with = "any_address")]
    address: Vec<String>,
    /// May come from anywhere
    #[arg(long)]
    any_address: bool,
    /// When it stops working: 2027-01-31T00:00:00Z, 2027-01-31, 90d
    #[arg(long, value_name = "WHEN", conflicts_with = "never_expires")]
    expires: Option<String>,
    /// Works for ever
    #[arg(long)]
    never_expires: bool,
    /// Whether it may switch anonymous use of event types on and off
    #[arg(long, value_name = "YES")]
    can_configure: Option<bool>,
    /// The id of the token: see `tributary token list`
    #[arg(value_name = "TOKEN_ID", value_parser = input::id::<TokenId>)]
    id: TokenId,
}

impl Edit {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let networks: Option<Vec<IpNet>> = tokens::parse_networks(&self.address).map_err(Usage)?;
        let end = self.expires.as_deref().map(|text| tokens::parse_expiry(text, context.clock.now()));
        let end = end.transpose().map_err(Usage)?;
        let db = context.db().await?;
        let before = tokens::get(&db, &context.actor.permit::<ReadConfiguration>(self.tenant)?, self.id).await?;
        let seen = before.details.fingerprint();
        let mut details = before.details;
        if let Some(name) = self.name {
            details.name = name;
        }
        if self.all_event_types || !self.event_type.is_empty() {
            details.event_types = Some(self.event_type);
        }
        if self.any_address || networks.is_some() {
            details.addresses = networks;
        }
        if self.never_expires || end.is_some() {
            details.expires_at = end;
        }
        details.can_configure = self.can_configure.unwrap_or(details.can_configure);
        let permit = context.actor.permit(self.tenant)?;
        let token = tokens::change(&db, &context.clock, &permit, self.id, &seen, details).await?;
        context.out.record(&token, || format!("changed the token {}: it holds within a second", token.details.name))
    }
}
