//! `tributary task`: what goes on in the background.
use clap::{Args, Subcommand};
use serde::Serialize;

use super::{Context, input};
use crate::{
    db::Db,
    ids::{TaskId, TenantId},
    jobs::{self, State, Task as Job},
    server, tenants,
};

/// List, look at and cancel what goes on in the background
#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// List the tasks of a tenant, newest first
    #[command(after_help = "\
Examples:
  tributary task list --tenant ID
  tributary --json task list --tenant ID | jq -c 'select(.state == \"running\")'")]
    List {
        /// Whose
        #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
        tenant: TenantId,
    },
    /// Show how far a task is
    #[command(after_help = "\
Examples:
  tributary task show --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c
  tributary --json task show --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c | jq -r .state")]
    Show(Which),
    /// Cancel a task; what it has done so far stays done
    #[command(after_help = "\
Examples:
  tributary task cancel --tenant ID 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c")]
    Cancel(Which),
}

/// Which task.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Whose
    #[arg(long, value_name = "ID", value_parser = input::id::<TenantId>)]
    tenant: TenantId,
    /// The id of the task: see `tributary task list`
    #[arg(value_parser = input::id::<TaskId>)]
    id: TaskId,
}

/// A task as programs read it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown<'a> {
    id: TaskId,
    kind: &'a str,
    state: State,
    cancelling: bool,
    done: i64,
    total: Option<i64>,
    counters: &'a jobs::Counters,
    error: Option<&'a str>,
    started_by: &'a str,
    created_at: chrono::DateTime<chrono::Utc>,
    began_at: Option<chrono::DateTime<chrono::Utc>>,
    ended_at: Option<chrono::DateTime<chrono::Utc>>,
}

impl<'a> Shown<'a> {
    fn of(task: &'a Job) -> Self {
        Self {
            id: task.id,
            kind: &task.kind,
            state: task.state,
            cancelling: task.cancelling && task.state.is_open(),
            done: task.done,
            total: task.total,
            counters: &task.counters,
            error: task.error.as_deref(),
            started_by: &task.started_by,
            created_at: task.created_at,
            began_at: task.began_at,
            ended_at: task.ended_at,
        }
    }

    fn far(&self) -> String {
        let total = self.total.map(|total| format!(" of {total}")).unwrap_or_default();
        format!("{}{total}", self.done)
    }
}

impl Task {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::List { tenant } => {
                let db = open(context, tenant).await?;
                let tasks = jobs::list(&db, &context.actor.permit(tenant)?, None).await?;
                let shown: Vec<_> = tasks.iter().map(Shown::of).collect();
                let cells = |task: &Shown| {
                    [
                        task.id.to_string(),
                        title(task.kind),
                        task.state.word().to_owned(),
                        task.far(),
                        task.created_at.format("%Y-%m-%d %H:%M UTC").to_string(),
                        task.started_by.to_owned(),
                    ]
                };
                let none = format!("the tenant has no tasks\nnext: tributary events export --tenant {tenant} --help");
                context.out.table(&shown, ["ID", "TASK", "STATE", "DONE", "STARTED", "BY"], cells, &none)
            }
            Self::Show(which) => {
                let db = open(context, which.tenant).await?;
                show(context, &db, &which).await
            }
            Self::Cancel(which) => {
                let db = open(context, which.tenant).await?;
                let permit = context.actor.permit::<crate::auth::Configure>(which.tenant)?;
                jobs::cancel(&db, &context.clock, &permit, which.id).await?;
                show(context, &db, &which).await
            }
        }
    }
}

async fn open(context: &Context, tenant: TenantId) -> anyhow::Result<Db> {
    let db = context.db().await?;
    tenants::get(&db, &context.actor.permit(tenant)?).await?;
    Ok(db)
}

async fn show(context: &Context, db: &Db, which: &Which) -> anyhow::Result<()> {
    let task = jobs::get(db, &context.actor.permit(which.tenant)?, which.id).await?;
    let shown = Shown::of(&task);
    context.out.record(&shown, || {
        let state = if shown.cancelling { "cancelling" } else { shown.state.word() };
        let mut lines = vec![format!("{}: {state}", title(shown.kind)), format!("  done  {}", shown.far())];
        lines.extend(shown.counters.iter().map(|(name, count)| format!("  {name}  {count}")));
        lines.extend(shown.error.map(|error| format!("  error  {error}")));
        lines.join("\n")
    })
}

/// As pages call it.
fn title(kind: &str) -> String {
    server::KINDS.iter().find(|known| known.name == kind).map_or(kind, |known| known.title).to_owned()
}
