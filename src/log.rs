//! The log: lines on standard error, for people or for programs, each with the id of the request that it is about.
//!
//! The id travels with the task that answers the request, and is looked up by whoever writes a line: a request that
//! writes none pays nothing for it, which a tracing span with the id as its field would.
use std::{
    fmt::{self, Write as _},
    future::Future,
    io::IsTerminal,
};

use clap::ValueEnum;
use futures_util::future::Either;
use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    EnvFilter,
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::{Full, Writer},
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};
use uuid::Uuid;

/// How lines are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

tokio::task_local! {
    static REQUEST: Uuid;
}

/// Every line that `work` writes carries the id of the request.
pub fn of_request<F: Future>(id: Uuid, work: F) -> impl Future<Output = F::Output> {
    REQUEST.scope(id, work)
}

/// The request at hand.
pub fn request() -> Option<Uuid> {
    REQUEST.try_with(|id| *id).ok()
}

/// For a task that goes on with the request at hand, and would not know it by itself.
pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
    match request() {
        Some(id) => Either::Left(REQUEST.scope(id, work)),
        None => Either::Right(work),
    }
}

/// Starts the log. `RUST_LOG` says how much of it there is; else `level` does.
pub fn start(format: Format, level: &str) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let ansi = std::io::stderr().is_terminal() && format == Format::Text;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr);
    match format {
        Format::Text => log.event_format(Text(tracing_subscriber::fmt::format().with_ansi(ansi))).init(),
        Format::Json => log.event_format(Json).init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("of an unknown kind");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(panic = message, place, "a bug: something panicked");
    }));
}

/// Lines for people, the id at their end.
struct Text(tracing_subscriber::fmt::format::Format<Full>);

impl<S, N> FormatEvent<S, N> for Text
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(id) = request() else { return self.0.format_event(context, writer, event) };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        writeln!(writer, "{} request_id={id}", line.trim_end())
    }
}

/// One object a line: `timestamp`, `level`, `target`, `message`, `request_id`, and the fields of the event.
struct Json;

impl<S, N> FormatEvent<S, N> for Json
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let about = event.metadata();
        let mut fields = Fields(Map::new());
        fields.set("timestamp", time);
        fields.set("level", about.level().as_str());
        fields.set("target", about.target());
        if let Some(id) = request() {
            fields.set("request_id", id.to_string());
        }
        event.record(&mut fields);
        writeln!(writer, "{}", Value::Object(fields.0))
    }
}

struct Fields(Map<String, Value>);

impl Fields {
    fn set(&mut self, name: &str, value: impl Into<Value>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        let _ = write!(text, "{value:?}");
        self.set(field.name(), text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.set(field.name(), value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.set(field.name(), value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.set(field.name(), value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), value);
    }
}
