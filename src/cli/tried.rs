//! `tributary event-type try`: what a contract would make of the newest events, before anybody is judged by it.
use clap::Args;

use super::{Context, Refused, input, output::Output, versions::Which};
use crate::{
    auth::ReadPayloads,
    event_types::{
        self, Contract,
        trial::{self, Change, Ended, Group, Trial},
        versions,
    },
};

/// Try a contract on the newest events, stored and quarantined [default: the draft]; nothing is stored by that
#[derive(Debug, Args)]
#[command(
    disable_version_flag = true,
    after_help = "\
Examples:
  tributary event-type try --tenant ID EVENT-TYPE
  tributary event-type try --tenant ID EVENT-TYPE --version 2 --last 10000
  tributary event-type try --tenant ID EVENT-TYPE --schema order.json --json | jq .wouldBreak

Exit code 0: no accepted event would break it, 1: some would."
)]
pub(super) struct Try {
    #[command(flatten)]
    which: Which,
    /// Try a file with a JSON Schema (2020-12), or - for standard input
    #[arg(long, value_name = "FILE")]
    schema: Option<String>,
    /// Try an earlier version, as rolling back would bring it
    #[arg(long, value_name = "NUMBER", conflicts_with = "schema")]
    version: Option<i64>,
    /// On so many events at most
    #[arg(long, value_name = "COUNT", default_value_t = trial::USUAL, value_parser = last)]
    last: usize,
    /// Most bytes of one event, as the server is told
    #[arg(long, env = "TRIBUTARY_MAX_EVENT", value_name = "BYTES", default_value_t = 256 << 10)]
    max_event: u32,
}

/// As many as a page offers at most.
fn last(text: &str) -> Result<usize, String> {
    let most = trial::SIZES.into_iter().max().unwrap_or(trial::USUAL);
    text.parse().ok().filter(|count| (1..=most).contains(count)).ok_or(format!("a number from 1 to {most}"))
}

impl Try {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let schema = self.schema.as_deref().map(input::text).transpose()?;
        let (db, read, _) = self.which.open(context).await?;
        let id = self.which.id();
        let event_type = event_types::get(&db, &read, id).await?;
        let contract = match (schema, self.version) {
            (Some(text), _) => Contract::parse(text.trim())?,
            (None, Some(number)) => versions::get(&db, &read, id, number).await?.contract,
            (None, None) => match versions::draft(&db, &read, id).await? {
                Some(draft) => draft.contract,
                None => return Err(Refused("there is no draft: say --version NUMBER or --schema FILE".into()).into()),
            },
        };
        let permit = context.actor.permit::<ReadPayloads>(read.tenant())?;
        let trial = trial::trial(&db, &permit, self.max_event, &event_type, &contract, self.last).await?;
        told(context.out, &trial)?;
        match trial.would_break {
            0 => Ok(()),
            n => Err(Refused(format!("{n} of {} accepted events would break it", trial.accepted)).into()),
        }
    }
}

fn told(out: Output, trial: &Trial) -> anyhow::Result<()> {
    out.record(trial, || {
        let ended = match trial.ended {
            Ended::All => "all of this type",
            Ended::Count => "the newest",
            Ended::Bytes => "the newest; they are long, so it was enough",
            Ended::Time => "the newest; it took long, so it was enough",
        };
        let mut lines = vec![
            format!("tried on {} events ({ended})", trial.looked_at),
            format!("  accepted     {} of {} would break it", trial.would_break, trial.accepted),
            format!("  quarantined  {} of {} would pass", trial.would_pass, trial.quarantined),
        ];
        lines.extend(trial.groups.iter().map(line));
        lines.join("\n")
    })
}

/// What senders call their fields must not reach the terminal as a command.
fn line(group: &Group) -> String {
    let change = match group.change {
        Change::WouldBreak => "breaks",
        Change::WouldPass => "passes",
    };
    let place = if group.path.is_empty() { "the event" } else { &group.path };
    let sample = group.samples.first().map(|id| format!("  such as {id}")).unwrap_or_default();
    format!("  {change:<7} {:>6}  {place}: {}{sample}", group.events, group.message)
        .replace(char::is_control, "\u{fffd}")
}
