//! What an operator sees of a running server: health, metrics, the log.
use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::sync::oneshot;
use tributary::{db::newest_migration, sql};

use crate::support::{
    Answer, Asking, Connection, TestApp, each, each_address,
    program::{Served, tributary},
};

async fn get(to: SocketAddr, path: &str) -> Answer {
    Asking::new("GET", path).send(to).await
}

/// The checks of `/readyz` that are not well, and its status.
async fn wrong(to: SocketAddr) -> (u16, Vec<String>) {
    let answer = get(to, "/readyz").await;
    let told = answer.json();
    let checks = told["checks"].as_array().unwrap();
    assert!(answer.text().lines().count() == checks.len() + 2, "not a line each: {}", answer.text());
    assert_eq!(told["ready"], answer.status == 200, "{told}");
    let wrong = checks.iter().filter(|check| check["ok"] == false);
    (answer.status, wrong.map(|check| check["check"].as_str().unwrap().to_owned()).collect())
}

async fn until(to: SocketAddr, status: u16) -> Vec<String> {
    let began = Instant::now();
    loop {
        let (now, wrong) = wrong(to).await;
        if now == status {
            return wrong;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "still {now}: {wrong:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_says_which_part_cannot_work_and_heals() {
    each(async |app: TestApp| {
        let to = app.start().await;
        assert_eq!(wrong(to).await, (200, vec![]));
        assert_eq!(get(to, "/healthz").await.text(), "ok");

        // somebody else holds what has to be written
        let (held, holds) = oneshot::channel();
        let (let_go, wait) = oneshot::channel::<()>();
        let db = app.db.clone();
        let holding = tokio::spawn(async move {
            db.write(|tx| {
                Box::pin(async move {
                    sql!(exec tx, "UPDATE configuration SET version = version WHERE id = 1")?;
                    held.send(()).unwrap();
                    let _ = wait.await;
                    Ok(())
                })
            })
            .await
        });
        holds.await.unwrap();
        assert_eq!(until(to, 503).await, ["writing"]);
        assert_eq!(get(to, "/healthz").await.status, 200, "it is alive all the same");
        let_go.send(()).unwrap();
        holding.await.unwrap().unwrap();
        until(to, 200).await;

        // a newer version has changed the tables under it
        let next = newest_migration() + 1;
        app.db
            .write(move |tx| {
                Box::pin(async move {
                    let text = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                        VALUES ($1, 'of the future', true, $2, 0)";
                    Ok(sql!(exec tx, text, next, vec![0_u8; 48])?)
                })
            })
            .await
            .unwrap();
        assert_eq!(until(to, 503).await, ["migrations"]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_is_looked_at_once_a_second_however_many_ask() {
    each(async |app: TestApp| {
        let to = app.start().await;
        let mut connection = Connection::open(to).await;
        let began = Instant::now();
        let mut asked = 0;
        while began.elapsed() < Duration::from_millis(500) {
            assert_eq!(connection.ask(&Asking::new("GET", "/readyz")).await.unwrap().status, 200);
            asked += 1;
        }
        // each look syncs the disk: so many of them would not fit
        assert!(asked > 300, "{asked}");
    })
    .await;
}

/// What `/metrics` tells: series and value.
async fn scrape(to: SocketAddr) -> (String, Vec<(String, f64)>) {
    let answer = get(to, "/metrics").await;
    assert_eq!(answer.status, 200);
    assert!(answer.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = answer.text();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let series = lines.map(|line| {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no value: {line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
    });
    let series = series.collect();
    (text, series)
}

fn of(series: &[(String, f64)], name: &str) -> f64 {
    let found = series.iter().find(|(series, _)| series == name);
    found.unwrap_or_else(|| panic!("no {name} in {series:#?}")).1
}

fn metrics_address(app: &TestApp) -> SocketAddr {
    let servers = app.servers.lock().unwrap();
    servers.last().unwrap().1.as_ref().unwrap().metrics_address.expect("the server tells its metrics")
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_what_happened() {
    each(async |app: TestApp| {
        let id = app.unique_by(&["Id"]).await;
        let orders = app.orders().await;
        let to = app.start_with(&["--metrics-listen", "127.0.0.1:0"]).await;
        let metrics = metrics_address(&app);
        assert_ne!(to, metrics);
        assert_eq!(get(metrics, "/").await.status, 404, "nothing else is there");
        app.send(id, r#"[{"Id":1},{"Id":2},{"Id":2},{"Id":2,"x":1}]"#).await;
        app.send(orders, r#"{"Amount":"no number"}"#).await;
        app.with_token("trb_wrong").send(id, r#"{"Id":3}"#).await;
        // a page is not counted
        assert!(get(to, "/login").await.status < 400);

        let (text, series) = scrape(metrics).await;
        for (name, value) in [
            (r#"tributary_ingest_requests_total{status="201"}"#, 1.0),
            (r#"tributary_ingest_requests_total{status="422"}"#, 1.0),
            (r#"tributary_ingest_requests_total{status="401"}"#, 1.0),
            (r#"tributary_ingest_requests_total{status="503"}"#, 0.0),
            (r#"tributary_events_total{verdict="accepted"}"#, 2.0),
            (r#"tributary_events_total{verdict="quarantined"}"#, 2.0),
            (r#"tributary_events_total{verdict="duplicate"}"#, 1.0),
            (r#"tributary_commits_total{result="ok"}"#, 2.0),
            (r#"tributary_commits_total{result="failed"}"#, 0.0),
            ("tributary_ingest_request_duration_seconds_count", 3.0),
            ("tributary_commit_duration_seconds_count", 2.0),
            ("tributary_commit_events_sum", 4.0),
            ("tributary_commit_requests_sum", 2.0),
            ("tributary_lane_queued_requests", 0.0),
            ("tributary_ready", 1.0),
            (concat!(r#"tributary_build_info{version=""#, env!("CARGO_PKG_VERSION"), r#""}"#), 1.0),
        ] {
            assert!((of(&series, name) - value).abs() < 1e-9, "{name}: {} and not {value}", of(&series, name));
        }
        for name in [
            "process_resident_memory_bytes",
            "process_open_fds",
            "tributary_database_bytes",
            "process_start_time_seconds",
        ] {
            assert!(of(&series, name) > 0.0, "{name}");
        }
        assert!(of(&series, "tributary_follower_lag_seconds") < 10.0);
        assert!(!text.contains(&app.tenant.to_string()), "a tenant is no label");
        let unknown: Vec<_> =
            text.lines().filter(|line| line.contains("tributary_") && !line.starts_with('#')).collect();
        assert!(unknown.len() < 120, "so many series: {}", unknown.len());
    })
    .await;
}

/// The names of metrics in a text, without the ends that a histogram gives them.
fn named(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let ours = words.filter(|word| word.starts_with("tributary_") || word.starts_with("process_"));
    let bare =
        ours.map(|word| ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word));
    bare.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboard_alerts_and_handbook_name_metrics_that_exist() {
    let file = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let (dashboard, alerts, handbook) =
        (file("grafana-dashboard.json"), file("prometheus-alerts.yml"), file("operations.md"));
    let json: Value = serde_json::from_str(&dashboard).expect("the dashboard is JSON");
    fn expressions(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("expr").and_then(Value::as_str).map(str::to_owned));
                map.values().for_each(|value| expressions(value, found));
            }
            Value::Array(list) => list.iter().for_each(|value| expressions(value, found)),
            _ => {}
        }
    }
    let mut asked = Vec::new();
    expressions(&json, &mut asked);
    assert!(asked.len() >= 12, "an empty dashboard");
    each(async |app: TestApp| {
        app.start_with(&["--metrics-listen", "127.0.0.1:0"]).await;
        let (text, _) = scrape(metrics_address(&app)).await;
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next());
        let exist: BTreeSet<_> = types.map(str::to_owned).collect();
        for (what, text) in [("the dashboard", asked.join(" ")), ("an alert", alerts.clone())] {
            let missing: Vec<_> = named(&text).difference(&exist).cloned().collect();
            assert!(missing.is_empty(), "{what} asks for {missing:?}");
        }
        let unsaid: Vec<_> = exist.difference(&named(&handbook)).cloned().collect();
        assert!(unsaid.is_empty(), "not in docs/operations.md: {unsaid:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_a_request_carries_its_id_in_json_and_in_text() {
    const SECRET: &str = "canary-77c1-query";
    each_address(async |address| {
        for format in ["json", "text"] {
            let app = TestApp::new(address.clone()).await;
            let id = app.event_type(|_| {}).await;
            let mut command = tributary(&address);
            command.args(["--log-format", format]).env("RUST_LOG", "tributary=debug");
            let served = Served::start(command);
            let target = format!("{}?X-CM-PRODUCTTOKEN={SECRET}", app.path(&format!("/events/{id}")));
            let refused =
                Asking::new("POST", target).header("content-type", "application/json").body("{}").send(served.to).await;
            assert_eq!(refused.status, 401);
            let stored = app.to_type(id, format!(r#"{{"a":"{SECRET}"}}"#)).send(served.to).await;
            assert_eq!(stored.status, 201);
            let (code, _, log, _) = served.terminate();
            assert_eq!(code, Some(0));
            assert!(!log.contains(SECRET), "{log}");
            for answer in [refused, stored] {
                let id = answer.header("x-request-id").unwrap();
                let lines: Vec<_> = log.lines().filter(|line| line.contains(id)).collect();
                assert_eq!(lines.len(), 1, "{log}");
                if format == "json" {
                    let line: Value = serde_json::from_str(lines[0]).unwrap();
                    assert_eq!(
                        (&line["request_id"], &line["message"], &line["level"]),
                        (&id.into(), &"answered".into(), &"DEBUG".into())
                    );
                    assert_eq!(line["status"], answer.status);
                    assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
                } else {
                    assert!(
                        lines[0].ends_with(&format!(" request_id={id}")) && lines[0].contains("answered"),
                        "{}",
                        lines[0]
                    );
                }
            }
            if format == "json" {
                let lines = log.lines().map(|line| serde_json::from_str::<Value>(line));
                assert!(
                    lines.clone().count() > 2 && lines.clone().all(|line| line.is_ok_and(|line| line.is_object())),
                    "{log}"
                );
            }
            app.db.close().await;
        }
    })
    .await;
}
