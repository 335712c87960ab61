//! `tributary vendor`: a stand-in external system, to try polling out with.
use std::net::SocketAddr;

use chrono::TimeDelta;
use clap::Args;
use serde_json::json;

use super::Context;
use crate::vendor::{self, Manner, Paging, Trouble};

/// Run a stand-in external system that answers for windows of time, and fails as told
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tributary vendor --listen 127.0.0.1:4000
  tributary vendor --listen 127.0.0.1:4000 --paging cursor --size 50 --token secret
  tributary vendor --seed 7 --trouble too-many --trouble reset --every 5")]
pub(super) struct Vendor {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:4000")]
    listen: SocketAddr,
    /// Where everything random comes from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many records it holds
    #[arg(long, default_value_t = 10_000)]
    records: u64,
    /// Hours before now at which the first record was changed
    #[arg(long, default_value_t = 24)]
    hours: u32,
    /// How its answers go on
    #[arg(long, value_enum, default_value_t = Paging::Next)]
    paging: Paging,
    /// The most records of a page
    #[arg(long, default_value_t = 100)]
    size: u64,
    /// The token that it asks for, as Bearer
    #[arg(long)]
    token: Option<String>,
    /// It says when nothing has changed since it was asked last
    #[arg(long)]
    conditional: bool,
    /// Something that goes wrong; repeat for more
    #[arg(long = "trouble", visible_alias = "fault", value_enum)]
    troubles: Vec<Trouble>,
    /// Of so many requests, one goes wrong
    #[arg(long, default_value_t = 3)]
    every: u64,
}

impl Vendor {
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<()> {
        let hours = TimeDelta::hours(self.hours.into());
        // in the time to come there are as many as in the time before
        let step = hours.num_milliseconds() * 2 / i64::try_from(self.records.max(1)).unwrap_or(i64::MAX);
        let manner = Manner {
            seed: self.seed,
            records: self.records,
            start: context.clock.now() - hours,
            step: TimeDelta::milliseconds(step.max(1)),
            paging: self.paging,
            size: self.size,
            token: self.token,
            conditional: self.conditional,
            troubles: self.troubles,
            every: self.every,
            ..Manner::default()
        };
        let running = vendor::start(self.listen, manner, context.clock.clone()).await?;
        context.out.record(&json!({"url": running.url()}), || format!("listening on {}", running.url()))?;
        Ok(running.ended().await?)
    }
}
