//! `tributary host`: where servers go to, and what of this network may be asked at all.
use clap::Subcommand;
use serde_json::json;

use super::{Context, Refused};
use crate::{
    hosts::{Asked, Granted, Host, store},
    polling::store::change,
};

/// List the hosts that are asked, limit them, and allow those of this network
#[derive(Debug, Subcommand)]
pub(super) enum Hosts {
    /// List the hosts that sources ask: how many sources, how much at once
    #[command(after_help = "\
Examples:
  tributary host list
  tributary --json host list | jq -r 'select(.running == .slots) | .host'")]
    List,
    /// List the hosts of this network that administrators have allowed
    #[command(after_help = "\
Examples:
  tributary host allowed
  tributary --json host allowed | jq -r .host")]
    Allowed,
    /// Allow a host of this network; running servers go there within a second
    #[command(after_help = "\
Examples:
  tributary host allow erp.internal
  tributary host allow 10.0.0.7:8080")]
    Allow {
        /// HOST, or HOST:PORT for that port alone
        host: Host,
    },
    /// Allow it no longer
    #[command(after_help = "\
Examples:
  tributary host withdraw erp.internal")]
    Withdraw {
        /// As it was allowed
        host: Host,
    },
    /// Say how much of a host all servers together may ask
    #[command(after_help = "\
Examples:
  tributary host limit shop.example.com --slots 4
  tributary host limit shop.example.com --slots 4 --per-minute 120")]
    Limit {
        /// HOST, or HOST:PORT where a source names a port
        host: Host,
        /// Most windows under way at once
        #[arg(long, value_name = "N", default_value_t = crate::polling::store::lease::SLOTS)]
        slots: i64,
        /// Most requests a minute; 0 is no limit
        #[arg(long, value_name = "N", default_value_t = 0)]
        per_minute: i64,
    },
}

impl Hosts {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let db = context.db().await?;
        let grant = context.actor.grant()?;
        match self {
            Self::List => {
                let asked = store::asked(&db, &grant).await?;
                let cells = |one: &Asked| {
                    [
                        one.host.clone(),
                        one.sources.to_string(),
                        one.running.to_string(),
                        one.slots.to_string(),
                        if one.per_minute == 0 { "no limit".into() } else { one.per_minute.to_string() },
                    ]
                };
                let titles = ["HOST", "SOURCES", "UNDER WAY", "AT ONCE", "A MINUTE"];
                context.out.table(&asked, titles, cells, "no source asks any host")
            }
            Self::Allowed => {
                let granted = store::granted(&db, &grant).await?;
                let cells = |one: &Granted| {
                    let since = one.allowed_at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
                    [one.host.clone(), one.allowed_by.clone(), since]
                };
                let none = "no host of this network is allowed, but by --allow-outbound";
                context.out.table(&granted, ["HOST", "ALLOWED BY", "SINCE"], cells, none)
            }
            Self::Allow { host } => {
                store::allow(&db, &context.clock, &grant, host.clone()).await?;
                context.out.record(&json!({"host": host.as_str()}), || format!("{host} is allowed"))
            }
            Self::Withdraw { host } => {
                store::withdraw(&db, &context.clock, &grant, host.clone()).await?;
                context.out.record(&json!({"host": host.as_str()}), || format!("{host} is allowed no longer"))
            }
            Self::Limit { host, slots, per_minute } => {
                if !store::asked(&db, &grant).await?.iter().any(|one| one.host == host.as_str()) {
                    return Err(Refused(format!("no source asks {host}: see tributary host list")).into());
                }
                change::limit_host(&db, &context.clock, &grant, host.to_string(), slots, per_minute).await?;
                let answer = json!({"host": host.as_str(), "slots": slots, "perMinute": per_minute});
                context.out.record(&answer, || format!("{host}: {slots} windows at once"))
            }
        }
    }
}
