//! `tributary source`: external systems that are asked on an interval.
mod attempt;

use clap::Subcommand;

use super::Context;

/// External systems that are asked on an interval
#[derive(Debug, Subcommand)]
pub(super) enum Source {
    Try(attempt::Try),
}

impl Source {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        match self {
            Self::Try(command) => command.run(context).await,
        }
    }
}
