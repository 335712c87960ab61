//! `tributary token roll` and `overlap`: a successor in the place of a token, and how long both work.
use clap::Args;
use serde_json::json;

use super::{Context, Usage, input};
use crate::{
    ids::{TenantId, TokenId},
    tokens::{self, Overlap, Secret},
};

/// Make a successor with the same scope; its secret is shown this once, and the old one works on for a while
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary token roll --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c
  tributary token roll --tenant ID TOKEN_ID --overlap 7d --expires 365d
  tributary token roll --tenant ID TOKEN_ID --overlap now
  tributary --json token roll --tenant ID TOKEN_ID | jq -r .token")]
pub(in crate::cli) struct Roll {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// How long the old one works on: now, 1h, 1d, 7d, up to 30d
    #[arg(long, value_name = "TIME", default_value = "1d")]
    overlap: Overlap,
    /// When the successor stops working: 2027-01-31T00:00:00Z, 2027-01-31, 90d [default: never]
    #[arg(long, value_name = "WHEN")]
    expires: Option<String>,
    /// The id of the token: see `tributary token list`
    #[arg(value_name = "TOKEN_ID", value_parser = input::id::<TokenId>)]
    id: TokenId,
}

impl Roll {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let expires_at = self.expires.as_deref().map(|text| tokens::parse_expiry(text, context.clock.now()));
        let expires_at = expires_at.transpose().map_err(Usage)?;
        let secret = Secret::generate();
        let db = context.db().await?;
        let permit = context.actor.permit(self.tenant)?;
        let rolled = tokens::roll(&db, &context.clock, &permit, self.id, &secret, self.overlap, expires_at).await?;
        let answer = json!({
            "id": rolled.new.id,
            "token": secret.expose(),
            "name": rolled.new.details.name,
            "predecessorId": rolled.old.id,
            "predecessorEndsAt": rolled.old.ends_at(),
        });
        context.out.record(&answer, || {
            let end = rolled.old.ends_at().filter(|_| self.overlap != Overlap::NONE);
            let old = end.map_or_else(
                || "refused from now on".to_owned(),
                |end| format!("works until {}", end.format("%Y-%m-%d %H:%M UTC")),
            );
            format!(
                "rolled the token {}\n  id     {}\n  token  {}\n  the old one  {} {old}\n\nThe token is shown this once: keep \
                 it where its sender finds it.\nnext: tributary token show --tenant {} {} tells whether the old one is \
                 still used",
                rolled.new.details.name,
                rolled.new.id,
                secret.expose(),
                rolled.old.prefix.clone() + "…",
                self.tenant,
                self.id,
            )
        })
    }
}

/// End the overlap of a token that was rolled, or prolong it, counted from now
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary token overlap --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c --overlap now
  tributary token overlap --tenant ID TOKEN_ID --overlap 7d")]
pub(in crate::cli) struct Change {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// How long the old one works on: now, 1h, 1d, 7d, up to 30d
    #[arg(long, value_name = "TIME")]
    overlap: Overlap,
    /// The id of the old token: see `tributary token list`
    #[arg(value_name = "TOKEN_ID", value_parser = input::id::<TokenId>)]
    id: TokenId,
}

impl Change {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let permit = context.actor.permit(self.tenant)?;
        let token = tokens::set_overlap(&db, &context.clock, &permit, self.id, self.overlap).await?;
        context.out.record(&token, || {
            let end = token.ends_at().map(|end| end.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default();
            if self.overlap == Overlap::NONE {
                format!("the overlap of {} has ended", token.details.name)
            } else {
                format!("{} works until {end}", token.details.name)
            }
        })
    }
}
