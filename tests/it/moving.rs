//! Backup, restore and copy, as operators use them: the real program, on both databases.
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tributary::{
    db::{Db, newest_migration},
    ids::EventTypeId,
    sql,
};

use crate::support::{
    Asking, TestApp, each_address,
    program::{Done, Served, run, tributary},
};

fn program(database: &str, arguments: &[&str]) -> Done {
    let mut command = tributary(database);
    command.arg("--json").args(arguments);
    run(command, "")
}

fn done(database: &str, arguments: &[&str]) -> Value {
    let done = program(database, arguments);
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    done.json()
}

fn refused(database: &str, arguments: &[&str], words: &[&str]) {
    let done = program(database, arguments);
    assert_eq!(done.code, 1, "{arguments:?}: {}{}", done.out, done.err);
    let error: Value = serde_json::from_str(done.err.trim()).unwrap_or_else(|_| panic!("not one line: {}", done.err));
    let text = error["error"].as_str().unwrap();
    assert!(words.iter().all(|word| text.contains(word)), "{arguments:?}: {text}");
}

fn rows(answer: &Value, table: &str) -> u64 {
    let tables = answer["tables"].as_array().unwrap();
    let found = tables.iter().find(|one| one["table"] == table).unwrap_or_else(|| panic!("no {table} in {answer}"));
    found["rows"].as_u64().unwrap()
}

fn sqlite(path: &Path) -> String {
    format!("sqlite://{}", path.display())
}

/// An installation with events of all kinds, whose server has stopped.
struct Filled {
    app: TestApp,
    event_type: EventTypeId,
    receipt: String,
    payloads: Vec<String>,
}

const BODY: &str = r#"[{ "Id":"a", "Text":"tab\t \\N '; -- 😀 \u2028" },{"Id":"b"},{"Id":"b"},{"Id":"b","x":1}]"#;

impl Filled {
    async fn new(address: String) -> Self {
        let app = TestApp::new(address).await;
        let event_type = app.unique_by(&["Id"]).await;
        app.start().await;
        let receipt = app.ask(Self::once(&app, event_type)).await.json()["receiptId"].as_str().unwrap().to_owned();
        app.stop().await;
        let payloads = app.payloads().await;
        assert_eq!(payloads.len(), 3);
        app.db.close().await;
        Self { app, event_type, receipt, payloads }
    }

    fn once(app: &TestApp, event_type: EventTypeId) -> Asking {
        app.to_type(event_type, BODY).header("idempotency-key", "the one")
    }

    /// A server on another database answers as this one would: the same token, receipt, key, duplicates, payloads.
    async fn lives_at(&self, address: &str) {
        let db = Db::open(address).await.unwrap();
        let app = TestApp { db, database: address.to_owned(), servers: std::sync::Arc::default(), ..self.app.clone() };
        app.start().await;
        assert_eq!(app.payloads().await, self.payloads);
        let repeated = app.ask(Self::once(&app, self.event_type)).await;
        assert_eq!(
            (repeated.status, &repeated.json()["receiptId"]),
            (201, &json!(self.receipt)),
            "{}",
            repeated.text()
        );
        assert_eq!(app.receipt(&self.receipt).await.status, 200);
        let again = app.send(self.event_type, r#"[{"Id":"b"},{"Id":"new"}]"#).await.json();
        assert_eq!((&again["duplicates"], &again["accepted"]), (&json!(1), &json!(1)));
        app.stop().await;
        app.db.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_either_is_restored_into_either() {
    each_address(async |from| {
        let folder = tempfile::tempdir().unwrap();
        let filled = Filled::new(from.clone()).await;
        let file = folder.path().join("backup.db");
        let path = file.to_str().unwrap();
        let made = done(&from, &["backup", path]);
        assert_eq!((rows(&made, "events"), rows(&made, "idempotency_keys")), (3, 1));
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        refused(&from, &["backup", path], &["exists already", "--force"]);
        assert_eq!(rows(&done(&from, &["backup", "--force", path]), "events"), 3);

        each_address(async |to| {
            let restored = done(&to, &["restore", path]);
            assert_eq!((rows(&restored, "events"), &restored["kept"]), (3, &Value::Null));
            filled.lives_at(&to).await;
            // now it holds something
            let word = if to.starts_with("sqlite") { "exists already" } else { "not empty" };
            refused(&to, &["restore", path], &[word]);
            let restored = done(&to, &["restore", "--force", path]);
            if to.starts_with("sqlite") {
                let kept = restored["kept"].as_str().unwrap();
                let old =
                    done(&sqlite(Path::new(kept)), &["events", "count", "--tenant", &filled.app.tenant.to_string()]);
                assert!(old.to_string().contains('4'), "what was there is kept: {old}");
            }
            filled.lives_at(&to).await;
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_exchanged_under_a_running_server() {
    each_address(async |address| {
        let folder = tempfile::tempdir().unwrap();
        let filled = Filled::new(address.clone()).await;
        let file = folder.path().join("backup.db");
        let path = file.to_str().unwrap();
        let served = Served::start(tributary(&address));
        // a backup is made while it runs
        assert_eq!(rows(&done(&address, &["backup", path]), "events"), 3);
        let other = sqlite(&folder.path().join("other.db"));
        refused(&address, &["restore", "--force", path], &["stop it first"]);
        refused(&other, &["copy", "--from", &address, "--to", &other], &["stop it first", "--live"]);
        refused(&other, &["copy", "--from", &sqlite(&file), "--to", &address, "--wipe-target"], &["stop it first"]);
        let live = done(&other, &["copy", "--from", &address, "--to", &other, "--live"]);
        assert_eq!(rows(&live, "events"), 3);
        assert_eq!(served.terminate().0, Some(0));
        filled.lives_at(&other).await;
        filled.lives_at(&address).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_holds_what_was_acknowledged_before_it() {
    each_address(async |address| {
        let folder = tempfile::tempdir().unwrap();
        let app = TestApp::new(address.clone()).await;
        let id = app.event_type(|_| {}).await;
        let served = Served::start(tributary(&address));
        let (begin, end) =
            (std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)), tokio_util::sync::CancellationToken::new());
        let senders: Vec<_> = (0..8)
            .map(|sender| {
                let (app, to, sent, end) = (app.clone(), served.to, begin.clone(), end.clone());
                tokio::spawn(async move {
                    let mut connection = crate::support::Connection::open(to).await;
                    for n in 0.. {
                        if end.is_cancelled() {
                            return;
                        }
                        let body = format!(r#"[{{"s":{sender},"n":{n}}},{{"s":{sender},"n":{n}}}]"#);
                        assert_eq!(connection.ask(&app.to_type(id, body)).await.unwrap().status, 201);
                        sent.fetch_add(2, std::sync::atomic::Ordering::SeqCst);
                    }
                })
            })
            .collect();
        let sent = || begin.load(std::sync::atomic::Ordering::SeqCst) as u64;
        while sent() < 500 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (before, path) = (sent(), folder.path().join("b.db"));
        let (of, to) = (address.clone(), path.display().to_string());
        let made = tokio::task::spawn_blocking(move || done(&of, &["backup", &to])).await.unwrap();
        let held = rows(&made, "events");
        end.cancel();
        for sender in senders {
            sender.await.unwrap();
        }
        assert!(held >= before && held <= sent() && held.is_multiple_of(2), "{before} ≤ {held} ≤ {}", sent());
        // one moment: what was counted and what waits to be counted is all there is, not more and not less
        let backup = Db::open(&sqlite(&path)).await.unwrap();
        while tributary::events::follower::step(&backup).await.unwrap() > 0 {}
        let text = "SELECT CAST(SUM(accepted) AS BIGINT) FROM event_counts";
        assert_eq!(u64::try_from(sql!(value i64, &backup, text).unwrap()).unwrap(), held);
        backup.close().await;
        assert_eq!(served.terminate().0, Some(0));
        app.db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_backup_or_a_broken_one_changes_nothing() {
    each_address(async |address| {
        let folder = tempfile::tempdir().unwrap();
        let filled = Filled::new(address.clone()).await;
        let good = folder.path().join("good.db");
        done(&address, &["backup", good.to_str().unwrap()]);
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path.display().to_string()
        };
        let bytes = std::fs::read(&good).unwrap();
        let mut broken = bytes.clone();
        let middle = broken.len() / 2;
        broken[middle..middle + 3000].fill(0x5A);
        let no_database = ["no database of Tributary"];
        for (path, words) in [
            (file("empty", b""), &no_database[..]),
            (file("text", b"-- PostgreSQL database dump"), &no_database),
            (file("cut", &bytes[..bytes.len() / 2]), &[]),
            (file("broken", &broken), &[]),
            (folder.path().join("nowhere").display().to_string(), &["there is no backup"]),
        ] {
            refused(&address, &["restore", "--force", &path], words);
        }
        // of a version that is not out yet
        let newer = file("newer", &bytes);
        change(
            &newer,
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES ($1, 'of the future', true, x'00', 0)",
            newest_migration() + 1,
        )
        .await;
        refused(&address, &["restore", "--force", &newer], &["newer version"]);
        filled.lives_at(&address).await;
    })
    .await;
}

async fn change(path: &str, statement: &'static str, value: i64) {
    use sqlx::{Connection, SqliteConnection};
    let mut connection = SqliteConnection::connect(&format!("sqlite://{path}")).await.unwrap();
    sqlx::query(statement).bind(value).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_goes_to_an_empty_database_and_tells_what_it_did() {
    each_address(async |to| {
        each_address(async |from| {
            let filled = Filled::new(from.clone()).await;
            let copied = done(&from, &["copy", "--from", &from, "--to", &to, "--wipe-target"]);
            assert_eq!(rows(&copied, "events"), 3);
            assert_eq!(copied["nul_replaced"], 0);
            let tables = copied["tables"].as_array().unwrap();
            assert_eq!(
                copied["rows"].as_u64().unwrap(),
                tables.iter().map(|table| table["rows"].as_u64().unwrap()).sum::<u64>()
            );
            assert!(tables.iter().all(|table| table["checksum"].as_str().is_some_and(|sum| sum.len() == 32)));
            filled.lives_at(&to).await;
            refused(&from, &["copy", "--from", &from, "--to", &to], &["not empty", "events (4)", "--wipe-target"]);
            filled.lives_at(&from).await;
            let back = done(&from, &["copy", "--from", &to, "--to", &from, "--wipe-target"]);
            assert_eq!(rows(&back, "events"), 4);
            let again = done(&from, &["copy", "--from", &from, "--to", &to, "--wipe-target"]);
            let sums = |answer: &Value| {
                let tables = answer["tables"].as_array().unwrap().clone();
                tables.into_iter().map(|table| table["checksum"].clone()).collect::<Vec<_>>()
            };
            assert_eq!(sums(&back), sums(&again), "there and back is the same");
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_killed_leaves_nothing_and_is_begun_again() {
    each_address(async |from| {
        let filled = Filled::new(from.clone()).await;
        let many = Db::open(&from).await.unwrap();
        let tenant = filled.app.tenant;
        // enough to be met in the middle
        for _ in 0..8 {
            let clock = filled.app.clock.clone();
            let bench = tributary::db::lane::Lane::start(&many, &clock);
            let rows = (0..15_000).map(|n| row(n, filled.event_type)).collect();
            let receipt = tributary::ids::ReceiptId::issue(&clock);
            let append = tributary::db::lane::Append {
                tenant,
                receipt,
                source: None,
                rows,
                strict: false,
                once: None,
                mends: None,
                progress: None,
            };
            bench.append(bench.admit(0).await.unwrap(), append).await.unwrap();
        }
        many.close().await;
        each_address(async |to| {
            let mut command = tributary(&from);
            command.args(["copy", "--from", &from, "--to", &to]).stdout(Stdio::null()).stderr(Stdio::null());
            let mut child = command.spawn().unwrap();
            let began = Instant::now();
            while !has_begun(&to).await {
                assert!(child.try_wait().unwrap().is_none(), "it ended before it was seen to begin");
                assert!(began.elapsed() < Duration::from_mins(1), "it does not begin");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            let copied = done(&from, &["copy", "--from", &from, "--to", &to]);
            assert_eq!(rows(&copied, "events"), 120_003);
            if let Some(path) = to.strip_prefix("sqlite://") {
                let left: Vec<PathBuf> = std::fs::read_dir(Path::new(path).parent().unwrap())
                    .unwrap()
                    .map(|entry| entry.unwrap().path())
                    .filter(|path| path.to_string_lossy().contains("partial"))
                    .collect();
                assert!(left.is_empty(), "{left:?}");
            }
        })
        .await;
    })
    .await;
}

fn row(n: usize, event_type: EventTypeId) -> tributary::db::lane::Row {
    tributary::db::lane::Row {
        event_type,
        verdict: tributary::db::lane::Verdict::Accepted,
        payload: format!(r#"{{"n":{n}}}"#).into(),
        errors: None,
        unique: None,
        refuse: false,
    }
}

/// Whether something is being written there: a partial file of some size, or rows of a transaction under way.
async fn has_begun(to: &str) -> bool {
    use sqlx::{Connection, PgConnection};
    if let Some(path) = to.strip_prefix("sqlite://") {
        let Ok(folder) = std::fs::read_dir(Path::new(path).parent().unwrap()) else { return false };
        return folder.flatten().any(|entry| {
            entry.file_name().to_string_lossy().contains("partial")
                && entry.metadata().is_ok_and(|file| file.len() > 1 << 20)
        });
    }
    let mut connection = PgConnection::connect(to).await.unwrap();
    let text = "SELECT COUNT(*) FROM pg_stat_progress_copy WHERE datname = current_database() AND relid IS NOT NULL";
    let copying: i64 = sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    copying > 0
}

#[tokio::test(flavor = "multi_thread")]
async fn another_program_that_has_the_file_open_is_noticed() {
    use sqlx::{Connection, SqliteConnection};
    let folder = tempfile::tempdir().unwrap();
    let address = sqlite(&folder.path().join("a.db"));
    let filled = Filled::new(address.clone()).await;
    let file = folder.path().join("backup.db").display().to_string();
    done(&address, &["backup", &file]);
    let mut shell = SqliteConnection::connect(&address).await.unwrap();
    let count: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM events").fetch_one(&mut shell).await.unwrap();
    refused(&address, &["restore", "--force", &file], &["another program", "close it first"]);
    shell.close().await.unwrap();
    assert_eq!(count, 3);
    // one that died without settling its log
    done(&address, &["restore", "--force", &file]);
    filled.lives_at(&address).await;
    refused(&address, &["copy", "--from", "mysql://x", "--to", &address], &["sqlite:// or postgres://"]);
    refused(
        &address,
        &["backup", &folder.path().join("a.db").display().to_string(), "--force"],
        &["the database itself"],
    );
}
