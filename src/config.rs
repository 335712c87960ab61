//! Every setting of the server: a flag of `tributary serve`, an environment variable, and a default.
use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::Args;
use ipnet::IpNet;

use crate::{intake::quotation::Limit, mail::MailSettings};

/// Where the database is. Every command takes it.
#[derive(Debug, Clone, Args)]
pub struct DatabaseSettings {
    /// Address of the database: <sqlite://PATH> or <postgres://USER@HOST/NAME>
    #[arg(
        long,
        env = "DATABASE_URL",
        default_value = "sqlite://data/tributary.db",
        hide_env_values = true,
        global = true
    )]
    pub database_url: String,
}

/// The settings of `tributary serve`.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, env = "TRIBUTARY_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// The address that browsers and vendors use, such as <https://hub.example.com>; links and the cookie follow it
    /// [default: http:// and the address listened on]
    #[arg(long, env = "TRIBUTARY_PUBLIC_URL")]
    pub public_url: Option<url::Url>,
    /// A network whose X-Forwarded-For is believed; repeat for more
    #[arg(long, env = "TRIBUTARY_TRUSTED_PROXY", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpNet>,
    /// Most connections at once
    #[arg(long, env = "TRIBUTARY_MAX_CONNECTIONS", default_value_t = 4096, value_parser = connections)]
    pub max_connections: usize,
    /// Seconds in which the head of a request must have arrived
    #[arg(long, env = "TRIBUTARY_HEADER_TIMEOUT", default_value = "10", value_parser = seconds)]
    pub header_timeout: Duration,
    /// Seconds in which the body of a request must have arrived
    #[arg(long, env = "TRIBUTARY_BODY_TIMEOUT", default_value = "30", value_parser = seconds)]
    pub body_timeout: Duration,
    /// Seconds for which a peer may read nothing of an answer that waits for it; then its connection is closed
    #[arg(long, env = "TRIBUTARY_WRITE_TIMEOUT", default_value = "30", value_parser = seconds)]
    pub write_timeout: Duration,
    /// Address and port for Prometheus, apart from those of the server; without it, nothing is counted
    #[arg(long, env = "TRIBUTARY_METRICS_LISTEN")]
    pub metrics_listen: Option<SocketAddr>,
    /// A host inside this network that may be asked, and sent alerts, all the same: HOST or HOST:PORT; repeat for more
    #[arg(long, env = "TRIBUTARY_ALLOW_OUTBOUND", value_name = "HOST", value_delimiter = ',')]
    pub allow_outbound: Vec<String>,
    /// Seconds between two looks for what is amiss
    #[arg(long, env = "TRIBUTARY_ALERT_INTERVAL", default_value = "15", value_parser = seconds)]
    pub alert_interval: Duration,
    /// The file with the key that seals secrets at rest [default: made beside a SQLite database]
    #[arg(long, env = "TRIBUTARY_KEY_FILE", value_name = "PATH")]
    pub key_file: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for the text of the whole command")]
    pub mail: MailSettings,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for the text of the whole command")]
    pub limits: Limits,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would take it for the text of the whole command")]
    pub quotations: Limit,
}

/// How much an ingest request may hold.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Most bytes of a request body, as sent
    #[arg(long, env = "TRIBUTARY_MAX_BODY", default_value_t = 5 << 20)]
    pub max_body: usize,
    /// Most bytes of a request body, after decompression
    #[arg(long, env = "TRIBUTARY_MAX_DECODED_BODY", default_value_t = 20 << 20)]
    pub max_decoded_body: usize,
    /// Most bytes of one event (at most 16777215)
    #[arg(long, env = "TRIBUTARY_MAX_EVENT", default_value_t = 256 << 10, value_parser = clap::value_parser!(u32).range(1..16_777_216))]
    pub max_event: u32,
    /// Most events of one request (at most 65000)
    #[arg(long, env = "TRIBUTARY_MAX_EVENTS", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=65_000))]
    pub max_events: u32,
    /// Most ingest requests a second for each tenant; 0 is no limit
    #[arg(long, env = "TRIBUTARY_TENANT_RATE", default_value_t = 0)]
    pub tenant_rate: u32,
    /// Most bytes of request bodies held in memory at once
    #[arg(long, env = "TRIBUTARY_BODY_MEMORY", default_value_t = 32 << 20)]
    pub body_memory: usize,
}

impl Settings {
    /// The address that the outside uses, without a slash at its end. `bound` is the address listened on.
    pub fn public_base(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{bound}"),
        }
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.05..=86_400.0).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => Err("a number of seconds from 0.05 to 86400".into()),
    }
}

fn connections(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(connections) if (1..=1_000_000).contains(&connections) => Ok(connections),
        _ => Err("a number from 1 to 1000000".into()),
    }
}
