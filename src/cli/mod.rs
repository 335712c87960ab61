//! The command line: one file a subcommand. It works on the database as the audited actor `cli`; `send` alone goes
//! over HTTP. Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
mod alert;
mod audit;
mod backup;
mod copy;
mod demo;
mod event_type;
mod events;
mod host;
mod implementation;
mod input;
mod intake;
mod integration;
mod link;
mod migrate;
mod moving;
mod output;
mod quarantine;
mod quotation;
mod restore;
mod send;
pub mod serve;
mod source;
mod task;
mod tenant;
mod token;
mod tried;
mod user;
mod validate;
mod vendor;
mod versions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::{
    auth::Actor,
    clock::Clock,
    config::{DatabaseSettings, Settings},
    db::{Db, OpenError},
    error::Error,
    log,
};
pub use output::Output;

/// Takes events of external systems into a Customer Data Platform: durably, and by contract.
#[derive(Debug, Parser)]
#[command(
    name = "tributary",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  tributary user add --email ada@example.com --role administrator --password-stdin < password.txt
  tributary tenant add \"Acme\"
  tributary event-type add --tenant ID \"Order\" --schema order.json --unique \"Order ID\"
  tributary token add --tenant ID \"web shop\"
  tributary send --url http://127.0.0.1:3000 --tenant ID --event-type ID order-1.json
  tributary events tail --tenant ID

Each command says more: tributary token add --help"
)]
pub struct Cli {
    /// Answer in JSON, one object a line; errors as {"error": …}
    #[arg(long, global = true)]
    json: bool,
    /// How the log is written: for people, or one JSON object a line
    #[arg(long, env = "TRIBUTARY_LOG_FORMAT", default_value = "text", global = true)]
    log_format: log::Format,
    #[command(flatten)]
    database: DatabaseSettings,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server: the web pages, the front door and what works behind them
    #[command(after_help = "\
Examples:
  tributary serve
  tributary serve --listen 127.0.0.1:0 --database-url sqlite:///var/lib/tributary/tributary.db
  tributary serve --listen 0.0.0.0:3000 --public-url https://hub.example.com --trusted-proxy 10.0.0.0/8
  DATABASE_URL=postgres://tributary@db.example.com/tributary tributary serve")]
    Serve(Box<Settings>),
    Migrate(migrate::Migrate),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Copy(copy::Copy),
    #[command(subcommand)]
    Tenant(tenant::Tenant),
    #[command(subcommand)]
    EventType(event_type::EventType),
    #[command(subcommand)]
    Token(token::Token),
    #[command(subcommand)]
    Source(source::Source),
    #[command(subcommand)]
    Host(host::Hosts),
    #[command(subcommand)]
    Events(events::Events),
    #[command(subcommand)]
    Quarantine(quarantine::Quarantine),
    #[command(subcommand)]
    Integration(integration::Integration),
    #[command(subcommand)]
    Intake(intake::Intake),
    #[command(subcommand)]
    Quotation(quotation::Quotation),
    #[command(subcommand)]
    Task(task::Task),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Alert(alert::Alert),
    #[command(subcommand)]
    Audit(audit::Audit),
    Send(send::Send),
    Demo(demo::Demo),
    Validate(validate::Validate),
    Vendor(vendor::Vendor),
}

/// What every command is given.
pub struct Context {
    /// Where it answers.
    pub out: Output,
    /// The time.
    pub clock: Clock,
    /// Who acts.
    pub actor: Actor,
    database_url: String,
    database_was_named: bool,
}

impl Context {
    /// Opens the database that is there, and brings its tables up to date.
    ///
    /// # Errors
    /// See [`crate::db::OpenError`].
    pub async fn db(&self) -> anyhow::Result<Db> {
        Ok(Db::open_existing(&self.database_url).await?)
    }

    /// The same, and makes one where there is none: for commands that an installation may begin with.
    ///
    /// # Errors
    /// See [`crate::db::OpenError`].
    pub async fn new_db(&self) -> anyhow::Result<Db> {
        Ok(Db::open(&self.database_url).await?)
    }

    /// Whether somebody said which database: not every command needs one.
    pub fn database_was_named(&self) -> bool {
        self.database_was_named
    }

    /// The address of the database.
    pub fn database_url(&self) -> &str {
        &self.database_url
    }
}

/// The command line is wrong in a way that only the command itself could see.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// The answer was given, and it is no.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(pub String);

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misunderstood(&error),
    };
    log::start(cli.log_format, if matches!(cli.command, Command::Serve(_)) { "info" } else { "warn" });
    let context = Context {
        out: Output::new(cli.json),
        clock: Clock::system(),
        actor: Actor::cli(),
        database_url: cli.database.database_url,
        database_was_named: std::env::var_os("DATABASE_URL").is_some()
            || std::env::args_os().any(|argument| argument.to_string_lossy().starts_with("--database-url")),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(context.out, &error.into()),
    };
    let done = runtime.block_on(async {
        match cli.command {
            Command::Serve(settings) => serve::run(*settings, context.database_url()).await,
            Command::Migrate(command) => command.run(&context).await,
            Command::Backup(command) => command.run(&context).await,
            Command::Restore(command) => command.run(&context).await,
            Command::Copy(command) => command.run(&context).await,
            Command::Tenant(command) => command.run(&context).await,
            Command::EventType(command) => command.run(&context).await,
            Command::Token(command) => command.run(&context).await,
            Command::Source(command) => command.run(&context).await,
            Command::Host(command) => command.run(&context).await,
            Command::Events(command) => command.run(&context).await,
            Command::Quarantine(command) => command.run(&context).await,
            Command::Integration(command) => command.run(&context).await,
            Command::Intake(command) => command.run(&context).await,
            Command::Quotation(quotation) => quotation.run(&context).await,
            Command::Task(command) => command.run(&context).await,
            Command::User(command) => command.run(&context).await,
            Command::Alert(command) => command.run(&context).await,
            Command::Audit(command) => command.run(&context).await,
            Command::Send(command) => command.run(&context).await,
            Command::Demo(command) => command.run(&context).await,
            Command::Validate(command) => command.run(&context),
            Command::Vendor(command) => command.run(&context).await,
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(context.out, &error),
    }
}

/// Help and versions are answers; anything else is wrong usage.
fn misunderstood(error: &clap::Error) -> ExitCode {
    if error.use_stderr() && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        // what is missing stands on lines of its own, up to an empty one
        let said = text.split("\n\n").next().unwrap_or_default();
        Output::new(true).error(said.trim_start_matches("error: "), None);
    } else if error.print().is_err() {
        // nobody reads it
    }
    if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS }
}

fn failed(out: Output, error: &anyhow::Error) -> ExitCode {
    let piped = error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe);
    if piped {
        // whoever reads has seen enough
        return ExitCode::SUCCESS;
    }
    out.error(&format!("{error:#}"), hint(error));
    let misused = error.is::<Usage>() || matches!(error.downcast_ref(), Some(OpenError::UnknownKind));
    ExitCode::from(if misused { 2 } else { 1 })
}

/// What to do about it.
fn hint(error: &anyhow::Error) -> Option<&'static str> {
    match error.downcast_ref::<Error>()? {
        Error::NotFound("tenant") => Some("tributary tenant list shows all there are"),
        Error::NotFound("demo") => Some("tributary demo fills one"),
        Error::NotFound("event type") => Some("tributary event-type list --tenant ID shows all there are"),
        Error::NotFound("group of failures") => Some("tributary quarantine groups --tenant ID shows all there are"),
        Error::NotFound("person") => Some("tributary user list shows all there are"),
        Error::NotFound("channel") => Some("tributary alert channels --tenant ID shows all there are"),
        Error::NotFound("token") => Some("tributary token list --tenant ID shows all there are"),
        Error::NotFound("integration") => Some("tributary integration list shows all there are"),
        Error::NotFound("quotation") => Some("tributary quotation list shows all there are"),
        Error::NotFound("implementation task" | "draft" | "evidence") => {
            Some("tributary integration plan shows all there are")
        }
        Error::NotFound("source") => Some("tributary source list --tenant ID shows all there are"),
        Error::NotFound("window") => Some("tributary source ledger --id ID shows all there are"),
        Error::NotFound("task") => Some("tributary task list --tenant ID shows all there are"),
        Error::Unavailable(_) | Error::Database(_) => Some("RUST_LOG=info shows more"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        fn walk(command: &clap::Command) {
            if command.get_name() == "help" {
                return;
            }
            if command.has_subcommands() {
                command.get_subcommands().for_each(walk);
                return;
            }
            let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(after.starts_with("Examples:\n  tributary "), "{}", command.get_name());
        }
        walk(&Cli::command());
    }

    #[test]
    fn json_may_stand_anywhere() {
        for line in ["--json tenant add X", "tenant --json add X", "tenant add --json X", "tenant add X --json"] {
            assert!(Cli::try_parse_from(format!("tributary {line}").split(' ')).unwrap().json, "{line}");
        }
    }
}
