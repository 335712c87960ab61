//! What the server counts of itself, for Prometheus: all of it registered at the start, with few labels and none that
//! grows with tenants. Without a listener for it nothing is counted, and what would count is a no-op.
use std::time::Duration;

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
    with_local_recorder,
};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// Seconds; a request that waits for a disk takes a few milliseconds.
const SECONDS: [f64; 14] = [0.000_5, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 5.0, 30.0];
/// Requests and events of one commit.
const COUNTS: [f64; 11] = [1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 1000.0, 5000.0, 20_000.0];

const REQUEST_SECONDS: &str = "tributary_ingest_request_duration_seconds";
const COMMIT_SECONDS: &str = "tributary_commit_duration_seconds";
const COMMIT_REQUESTS: &str = "tributary_commit_requests";
const COMMIT_EVENTS: &str = "tributary_commit_events";

/// The statuses that the contract of the wire knows; any other is counted as `other`.
const STATUSES: [(u16, &str); 15] = [
    (200, "200"),
    (201, "201"),
    (204, "204"),
    (400, "400"),
    (401, "401"),
    (403, "403"),
    (404, "404"),
    (405, "405"),
    (408, "408"),
    (413, "413"),
    (415, "415"),
    (422, "422"),
    (429, "429"),
    (500, "500"),
    (503, "503"),
];

/// Everything that is counted.
pub struct Metrics {
    exporter: Option<PrometheusHandle>,
    requests: [Counter; STATUSES.len()],
    other_requests: Counter,
    request_seconds: Histogram,
    /// Connections that came in.
    pub connections: Counter,
    /// Connections that could not be accepted.
    pub connections_failed: Counter,
    /// What the write lane counts.
    pub lane: LaneMetrics,
    /// What became of alerts.
    pub alerts: AlertMetrics,
    /// What is looked up when somebody asks.
    pub state: Gauges,
}

/// What became of the attempts to tell somebody of an alert.
pub struct AlertMetrics {
    /// Taken by the web address, or handed to the outbox of mail.
    pub sent: Counter,
    /// Not taken: it is tried again.
    pub retried: Counter,
    /// Given up.
    pub failed: Counter,
}

/// What the write lane counts. Cheap to clone.
#[derive(Clone)]
pub struct LaneMetrics {
    commits: Counter,
    failed: Counter,
    seconds: Histogram,
    requests: Histogram,
    events: Histogram,
    accepted: Counter,
    quarantined: Counter,
    duplicates: Counter,
}

/// What a commit has stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Stored {
    /// Events that keep their contract.
    pub accepted: u64,
    /// Events that break it.
    pub quarantined: u64,
    /// Events that were there already.
    pub duplicates: u64,
}

/// What is not counted but looked up.
pub struct Gauges {
    /// Whether the server can do its work.
    pub ready: Gauge,
    /// Requests that wait for a commit, and how many may.
    pub lane_requests: (Gauge, Gauge),
    /// Bytes of payload that wait for a commit, and how many may.
    pub lane_bytes: (Gauge, Gauge),
    /// Bytes of bodies in memory, and how many may be.
    pub bodies: (Gauge, Gauge),
    /// Connections that are open, and how many may be.
    pub connections: (Gauge, Gauge),
    /// Connections to the database: in use, idle, and how many there may be.
    pub pool: (Gauge, Gauge, Gauge),
    /// Age of the oldest commit that is not counted yet.
    pub follower_lag: Gauge,
    /// Size of the database.
    pub database_bytes: Gauge,
    /// Room on the disk of a SQLite database.
    pub disk_free: Gauge,
    /// Resident memory.
    pub memory: Gauge,
    /// File handles that are open, and how many may be.
    pub handles: (Gauge, Gauge),
    /// When the process began.
    pub started: Gauge,
}

impl Metrics {
    /// Counts nothing.
    pub fn off() -> Self {
        // without a recorder, what is registered counts nothing
        Self::register(None)
    }

    /// Counts, and tells what it has counted.
    ///
    /// # Errors
    /// Never: there are bounds for every histogram.
    pub fn on() -> Result<Self, BuildError> {
        let mut builder = PrometheusBuilder::new();
        let buckets: [(&str, &[f64]); 4] = [
            (REQUEST_SECONDS, &SECONDS),
            (COMMIT_SECONDS, &SECONDS),
            (COMMIT_REQUESTS, &COUNTS),
            (COMMIT_EVENTS, &COUNTS),
        ];
        for (name, bounds) in buckets {
            builder = builder.set_buckets_for_metric(Matcher::Full(name.into()), bounds)?;
        }
        let recorder = builder.build_recorder();
        let exporter = recorder.handle();
        Ok(with_local_recorder(&recorder, || {
            describe();
            Self::register(Some(exporter))
        }))
    }

    fn register(exporter: Option<PrometheusHandle>) -> Self {
        let request = |status: &'static str| counter!("tributary_ingest_requests_total", "status" => status);
        let metrics = Self {
            exporter,
            requests: STATUSES.map(|(_, name)| request(name)),
            other_requests: request("other"),
            request_seconds: histogram!(REQUEST_SECONDS),
            connections: counter!("tributary_connections_total"),
            connections_failed: counter!("tributary_connections_failed_total"),
            lane: LaneMetrics::register(),
            alerts: AlertMetrics::register(),
            state: Gauges::register(),
        };
        gauge!("tributary_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        metrics
    }

    /// Whether anything is counted.
    pub fn is_on(&self) -> bool {
        self.exporter.is_some()
    }

    /// Counts an answer of the front door.
    pub fn answered(&self, status: u16, took: Duration) {
        let known = STATUSES.iter().position(|(known, _)| *known == status);
        known.map_or(&self.other_requests, |at| &self.requests[at]).increment(1);
        self.request_seconds.record(took);
    }

    /// Everything, in the text form of Prometheus.
    pub fn render(&self) -> String {
        self.exporter.as_ref().map(PrometheusHandle::render).unwrap_or_default()
    }

    /// Adds up what histograms have gathered, so that they do not grow when nobody asks.
    pub fn tidy(&self) {
        if let Some(exporter) = &self.exporter {
            exporter.run_upkeep();
        }
    }
}

impl AlertMetrics {
    fn register() -> Self {
        let attempts = |result: &'static str| counter!("tributary_alerts_total", "result" => result);
        Self { sent: attempts("sent"), retried: attempts("retried"), failed: attempts("failed") }
    }
}

impl LaneMetrics {
    fn register() -> Self {
        let events = |verdict: &'static str| counter!("tributary_events_total", "verdict" => verdict);
        let commits = |result: &'static str| counter!("tributary_commits_total", "result" => result);
        Self {
            commits: commits("ok"),
            failed: commits("failed"),
            seconds: histogram!(COMMIT_SECONDS),
            requests: histogram!(COMMIT_REQUESTS),
            events: histogram!(COMMIT_EVENTS),
            accepted: events("accepted"),
            quarantined: events("quarantined"),
            duplicates: events("duplicate"),
        }
    }

    /// Counts nothing.
    pub fn off() -> Self {
        Self::register()
    }

    /// Counts a commit.
    pub fn committed(&self, requests: usize, stored: Stored, took: Duration) {
        self.commits.increment(1);
        self.seconds.record(took);
        #[expect(clippy::cast_precision_loss, reason = "no commit holds that many")]
        {
            self.requests.record(requests as f64);
            self.events.record((stored.accepted + stored.quarantined) as f64);
        }
        self.accepted.increment(stored.accepted);
        self.quarantined.increment(stored.quarantined);
        self.duplicates.increment(stored.duplicates);
    }

    /// Counts a commit that failed.
    pub fn failed(&self) {
        self.failed.increment(1);
    }
}

impl Gauges {
    fn register() -> Self {
        let pool = |state: &'static str| gauge!("tributary_database_connections", "state" => state);
        Self {
            ready: gauge!("tributary_ready"),
            lane_requests: (gauge!("tributary_lane_queued_requests"), gauge!("tributary_lane_queued_requests_limit")),
            lane_bytes: (gauge!("tributary_lane_queued_bytes"), gauge!("tributary_lane_queued_bytes_limit")),
            bodies: (gauge!("tributary_body_memory_bytes"), gauge!("tributary_body_memory_limit_bytes")),
            connections: (gauge!("tributary_connections_open"), gauge!("tributary_connections_limit")),
            pool: (pool("used"), pool("idle"), gauge!("tributary_database_connections_limit")),
            follower_lag: gauge!("tributary_follower_lag_seconds"),
            database_bytes: gauge!("tributary_database_bytes"),
            disk_free: gauge!("tributary_disk_free_bytes"),
            memory: gauge!("process_resident_memory_bytes"),
            handles: (gauge!("process_open_fds"), gauge!("process_max_fds")),
            started: gauge!("process_start_time_seconds"),
        }
    }
}

fn describe() {
    describe_counter!("tributary_ingest_requests_total", "Requests to the front door, by the status of their answers.");
    describe_histogram!(REQUEST_SECONDS, Unit::Seconds, "From the head of a request to its answer.");
    describe_counter!("tributary_events_total", "Events, by what became of them.");
    describe_counter!("tributary_commits_total", "Group commits of the write lane, by how they went.");
    describe_histogram!(COMMIT_SECONDS, Unit::Seconds, "From taking a batch to having it on disk.");
    describe_histogram!(COMMIT_REQUESTS, Unit::Count, "Requests that shared one commit.");
    describe_histogram!(COMMIT_EVENTS, Unit::Count, "Events stored by one commit.");
    describe_counter!("tributary_connections_total", "Connections accepted.");
    describe_counter!("tributary_connections_failed_total", "Connections that could not be accepted.");
    describe_counter!("tributary_alerts_total", "Attempts to tell somebody of an alert, by how they went.");
    describe_gauge!("tributary_build_info", "The version that runs.");
    describe_gauge!("tributary_ready", "1 when /readyz says so.");
    describe_gauge!("tributary_lane_queued_requests", "Requests that wait for a commit.");
    describe_gauge!("tributary_lane_queued_requests_limit", "Above this, requests are answered 503.");
    describe_gauge!("tributary_lane_queued_bytes", Unit::Bytes, "Payload that waits for a commit.");
    describe_gauge!("tributary_lane_queued_bytes_limit", Unit::Bytes, "Above this, requests are answered 503.");
    describe_gauge!("tributary_body_memory_bytes", Unit::Bytes, "Request bodies held in memory.");
    describe_gauge!("tributary_body_memory_limit_bytes", Unit::Bytes, "Above this, requests are answered 503.");
    describe_gauge!("tributary_connections_open", "Connections that are open.");
    describe_gauge!("tributary_connections_limit", "Above this, connections wait in the system's queue.");
    describe_gauge!("tributary_database_connections", "Connections to the database, by state.");
    describe_gauge!("tributary_database_connections_limit", "The most connections to the database.");
    describe_gauge!("tributary_follower_lag_seconds", Unit::Seconds, "Age of the oldest commit not counted yet.");
    describe_gauge!("tributary_database_bytes", Unit::Bytes, "Size of the database, with SQLite's log.");
    describe_gauge!("tributary_disk_free_bytes", Unit::Bytes, "Room on the disk of the SQLite file.");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Resident memory.");
    describe_gauge!("process_open_fds", "File handles that are open.");
    describe_gauge!("process_max_fds", "The most file handles that may be open.");
    describe_gauge!("process_start_time_seconds", Unit::Seconds, "When the process began, since 1970.");
}
