//! Background tasks through the front door: exported by whichever server is there, and by the command line alike.
use std::process::Command;

use serde_json::{Value, json};
use tributary::{
    auth::{Actor, ReadPayloads},
    events::{Filter, export},
    jobs::{self, State},
};

use crate::support::{
    TestApp, each,
    program::{Done, run, tributary},
};

fn command(app: &TestApp, arguments: &[&str]) -> Command {
    let mut command = tributary(&app.database);
    command.args(arguments);
    command
}

fn cli(app: &TestApp, arguments: &[&str]) -> Done {
    run(command(app, arguments), "")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_outlives_the_server_that_began_it_and_equals_that_of_the_command_line() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start().await;
        let noise = "x".repeat(3_000);
        for batch in 0..20 {
            let events = (0..100).map(|n| format!("{{\"n\":{batch}.{n},\"noise\":\"{noise}\"}}")).collect::<Vec<_>>();
            let sent = app.to_type(id, format!("[{}]", events.join(","))).send(to).await;
            assert_eq!(sent.status, 201, "{}", sent.text());
        }
        let permit = Actor::cli().permit::<ReadPayloads>(app.tenant).unwrap();
        let order = export::Order::new(&Filter::default(), export::Format::Jsonl, None, None);
        let task = export::start(&app.db, &app.clock, &permit, order, export::Estimate::More).await.unwrap();
        // stopped in the middle, or before the beginning: either way another goes on
        let begun = async { while jobs::get(&app.db, &permit, task).await.unwrap().done == 0 {} };
        let _ = tokio::time::timeout(std::time::Duration::from_secs(20), begun).await;
        app.stop().await;
        let left = jobs::get(&app.db, &permit, task).await.unwrap();
        assert!(left.done > 0, "it had begun");
        app.start().await;
        let done = async {
            loop {
                let task = jobs::get(&app.db, &permit, task).await.unwrap();
                if !task.state.is_open() {
                    return task;
                }
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
        };
        let done = tokio::time::timeout(std::time::Duration::from_secs(30), done).await.expect("it goes on");
        assert_eq!((done.state, done.done, done.total), (State::Done, 2_000, Some(2_000)), "{:?}", done.error);
        let (mut file, mut number) = (Vec::new(), 0);
        while let Some(piece) = jobs::output::piece(&app.db, app.tenant, task, number).await.unwrap() {
            file.extend(jobs::output::text(&piece).unwrap());
            number += 1;
        }
        let tenant = app.tenant.to_string();
        let direct = cli(&app, &["events", "export", "--tenant", &tenant]);
        assert_eq!(direct.code, 0, "{}", direct.err);
        assert!(direct.out.as_bytes() == file, "{} and {} bytes", direct.out.len(), file.len());
        let sheet = cli(&app, &["events", "export", "--tenant", &tenant, "--format", "csv", "--until", "2000-01-01"]);
        assert_eq!(sheet.out, "id,receivedAt,eventTypeId,verdict,sourceId,errors,otherFields\r\n");

        let shown = cli(&app, &["--json", "task", "show", "--tenant", &tenant, &task.to_string()]).json();
        assert_eq!((&shown["state"], &shown["done"]), (&json!("done"), &json!(2_000)));
        let listed = cli(&app, &["--json", "task", "list", "--tenant", &tenant]).lines();
        assert_eq!(listed.len(), 1);
        let cancelled = cli(&app, &["task", "cancel", "--tenant", &tenant, &task.to_string()]);
        assert!(cancelled.code == 0 && cancelled.out.contains("done"), "{}", cancelled.out);
        let other = app.another_tenant().await.tenant.to_string();
        for verb in ["show", "cancel"] {
            let foreign = cli(&app, &["task", verb, "--tenant", &other, &task.to_string()]);
            assert!(foreign.code == 1 && foreign.err.contains("no such task"), "{}", foreign.err);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_task_begins_at_once_in_a_server_and_is_cancelled_by_the_command_line() {
    each(async |app: TestApp| {
        let permit = Actor::cli().permit::<ReadPayloads>(app.tenant).unwrap();
        let order = export::Order::new(&Filter::default(), export::Format::Csv, None, None);
        let task = export::start(&app.db, &app.clock, &permit, order, export::Estimate::More).await.unwrap();
        let (tenant, id) = (app.tenant.to_string(), task.to_string());
        let cancelled = cli(&app, &["--json", "task", "cancel", "--tenant", &tenant, &id]).json();
        assert_eq!(cancelled["state"], "cancelled");
        app.start().await;
        app.exported(export::Format::Csv).await;
        assert_eq!(jobs::get(&app.db, &permit, task).await.unwrap().state, State::Cancelled);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_remove_events_has_to_be_said() {
    each(async |app: TestApp| {
        let tenant = app.tenant.to_string();
        let keep = |more: &[&str]| cli(&app, &[&["--json", "tenant", "retention", "--tenant", &tenant], more].concat());
        let shown = keep(&[]).json();
        assert_eq!((&shown["acceptedDays"], &shown["quarantinedDays"]), (&json!(90), &json!(30)));
        assert_eq!((&shown["uniqueDays"], &shown["removed"]["since"]), (&json!(396), &Value::Null));
        assert_eq!(keep(&["--accepted-days", "365"]).json()["acceptedDays"], 365);
        let shorter = keep(&["--accepted-days", "7"]);
        assert!(shorter.code == 1 && shorter.err.contains("--remove"), "{}", shorter.err);
        for wrong in [["--accepted-days", "0"], ["--accepted-days", "3651"], ["--unique-days", "364"]] {
            assert_eq!(keep(&wrong).code, 1, "{wrong:?}");
        }
        assert_eq!(keep(&["--accepted-days", "7", "--remove"]).json()["acceptedDays"], 7);
        let nobody = cli(&app, &["tenant", "retention", "--tenant", "0198c0de-0000-7000-8000-0000000000ff"]);
        assert!(nobody.code == 1 && nobody.err.contains("no such tenant"), "{}", nobody.err);
    })
    .await;
}
