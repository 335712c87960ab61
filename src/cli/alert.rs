//! `tributary alert`: what is amiss, whom it is told, and whether that gets through.
use std::time::Duration;

use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Context, Refused, input};
use crate::{
    alerts::{self, Alert as Told, Channel, Keeper, Notice, Scope, Standing, message},
    auth::{Administer, Configure, Grant, Permit, ReadConfiguration},
    db::Db,
    event_types,
    ids::{AlertId, ChannelId, EventTypeId, TenantId},
    tenants,
};

/// How long a test is waited for, and how often it is looked at.
const WAIT: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(200);

/// List what is amiss and whom it is told, and try whether that gets through
#[derive(Debug, Subcommand)]
pub(super) enum Alert {
    /// List what is amiss of a tenant, and what was in the last 30 days
    #[command(after_help = "\
Examples:
  tributary alert list --tenant ID
  tributary --json alert list --tenant ID | jq -r 'select(.state == \"open\") | .title'")]
    List {
        /// Whose
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: TenantId,
    },
    /// List whom a tenant's alerts are told
    #[command(after_help = "\
Examples:
  tributary alert channels --tenant ID
  tributary alert channels --installation")]
    Channels(Whose),
    /// Send a test to a channel, by a running server, and say what became of it
    #[command(after_help = "\
Examples:
  tributary alert test --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c
  tributary alert test --installation 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c")]
    Test {
        #[command(flatten)]
        whose: Whose,
        /// The id of the channel: see `tributary alert channels`
        #[arg(value_parser = input::id::<ChannelId>)]
        channel: ChannelId,
    },
}

/// Whose channels.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Whose {
    /// Those of a tenant
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: Option<TenantId>,
    /// Those that are told of every tenant
    #[arg(long)]
    installation: bool,
}

impl Whose {
    fn scope(&self, context: &Context) -> anyhow::Result<Scope> {
        Ok(match self.tenant {
            Some(tenant) => Scope::from(&context.actor.permit::<ReadConfiguration>(tenant)?),
            None => Scope::from(&context.actor.grant::<Administer>()?),
        })
    }

    fn keeper(&self, context: &Context) -> anyhow::Result<Keeper> {
        let tenant: Option<Permit<Configure>> = self.tenant.map(|id| context.actor.permit(id)).transpose()?;
        if let Some(permit) = tenant {
            return Ok(Keeper::from(&permit));
        }
        let grant: Grant<Administer> = context.actor.grant()?;
        Ok(Keeper::from(&grant))
    }

    async fn open(&self, context: &Context) -> anyhow::Result<Db> {
        let db = context.db().await?;
        if let Some(tenant) = self.tenant {
            tenants::get(&db, &context.actor.permit(tenant)?).await?;
        }
        Ok(db)
    }
}

/// An alert as programs read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: AlertId,
    kind: &'static str,
    state: &'static str,
    title: String,
    event_type_id: EventTypeId,
    opened_at: DateTime<Utc>,
    resolved_at: Option<DateTime<Utc>>,
    details: alerts::Details,
}

impl Alert {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List { tenant } => list(context, tenant).await,
            Self::Channels(whose) => {
                let db = whose.open(context).await?;
                let channels = alerts::store::channels(&db, whose.scope(context)?).await?;
                let cells = |one: &Channel| {
                    [
                        one.id.to_string(),
                        one.name.to_string(),
                        one.kind.word().to_owned(),
                        if one.enabled { "told" } else { "paused" }.to_owned(),
                        one.address.clone(),
                    ]
                };
                let none = "nobody is told\nnext: add a channel on the page Alerts";
                context.out.table(&channels, ["ID", "NAME", "HOW", "STATE", "WHERE"], cells, none)
            }
            Self::Test { whose, channel } => test(context, &whose, channel).await,
        }
    }
}

async fn list(context: &Context, tenant: TenantId) -> anyhow::Result<()> {
    let db = context.db().await?;
    tenants::get(&db, &context.actor.permit(tenant)?).await?;
    let names = event_types::store::names(&db, tenant).await?;
    let shown = |alert: Told| {
        let name = names.iter().find(|(id, _)| *id == alert.event_type_id);
        let name = name.map_or_else(|| alert.event_type_id.to_string(), |(_, name)| name.to_string());
        Shown {
            id: alert.id,
            kind: alert.kind.word(),
            state: if alert.resolved_at.is_some() { "resolved" } else { "open" },
            title: message::title(&alert, &name),
            event_type_id: alert.event_type_id,
            opened_at: alert.opened_at,
            resolved_at: alert.resolved_at,
            details: alert.details,
        }
    };
    let alerts = alerts::store::alerts(&db, &context.actor.permit(tenant)?, 200).await?;
    let alerts: Vec<_> = alerts.into_iter().map(shown).collect();
    let cells = |one: &Shown| {
        [
            one.opened_at.format("%Y-%m-%d %H:%M UTC").to_string(),
            one.state.to_owned(),
            one.kind.to_owned(),
            one.title.clone(),
        ]
    };
    let none = format!("nothing is amiss, and nothing was\nnext: tributary alert channels --tenant {tenant}");
    context.out.table(&alerts, ["SINCE", "STATE", "KIND", "WHAT"], cells, &none)
}

async fn test(context: &Context, whose: &Whose, channel: ChannelId) -> anyhow::Result<()> {
    let db = whose.open(context).await?;
    let id = alerts::store::test(&db, &context.clock, &whose.keeper(context)?, channel).await?;
    let began = tokio::time::Instant::now();
    loop {
        let notices = alerts::store::notices_of(&db, whose.scope(context)?, Some(channel), 20).await?;
        let notice = notices.into_iter().find(|notice| notice.id == id);
        match notice {
            Some(notice) if notice.state != Standing::Waiting || notice.attempts > 0 && notice.fault.is_some() => {
                return became(context, &notice);
            }
            _ if began.elapsed() > WAIT => {
                return Err(Refused("nobody has sent the test yet: it is sent once a server runs".into()).into());
            }
            _ => tokio::time::sleep(LOOK).await,
        }
    }
}

fn became(context: &Context, notice: &Notice) -> anyhow::Result<()> {
    if let Some(fault) = &notice.fault {
        let again = if notice.state == Standing::Waiting { "; it is tried again" } else { "" };
        return Err(Refused(format!("the test did not get through: {fault}{again}")).into());
    }
    context.out.record(notice, || {
        let answer = notice.status.map(|status| format!(": {status}")).unwrap_or_default();
        format!("the test was {}{answer}", notice.state.title())
    })
}
