//! The demo, as the command line fills it, sends to it and removes it.
use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::support::{
    each_address,
    program::{Served, run, tributary},
};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_filled_sent_to_and_removed() {
    each_address(async |database: String| {
        let command = |arguments: &[&str]| {
            let mut command = tributary(&database);
            command.arg("--json").args(arguments);
            command
        };
        let send = || run(command(&["demo", "send", "--url", "http://127.0.0.1:9"]), "");
        let done = send();
        assert!(done.code == 1 && done.err.contains("there is no "), "{}", done.err);
        assert_eq!(run(command(&["migrate"]), "").code, 0);
        let done = send();
        assert_eq!(done.code, 1, "{}", done.err);
        assert!(done.err.contains("tributary demo fills one"), "{}", done.err);

        let filled = run(command(&["demo"]), "");
        assert_eq!(filled.code, 0, "{}", filled.err);
        let filled = filled.json();
        let tenant = filled["id"].as_str().unwrap();
        let count = || {
            let counted = run(command(&["events", "count", "--tenant", tenant]), "").json();
            counted["count"].as_u64().unwrap()
        };
        let before = count();
        assert!(before > 10_000, "{filled}");
        let again = run(command(&["demo"]), "");
        assert!(again.code == 1 && again.err.contains("there already"), "{}", again.err);

        let served = Served::start(tributary(&database));
        let url = format!("http://{}", served.to);
        let mut sender = command(&["demo", "send", "--url", &url, "--every", "0.05"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(sender.stdout.take().unwrap()).lines().take(20);
        let sent: Vec<Value> = lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
        let stored = sent.iter().filter(|sent| matches!(sent["status"].as_u64(), Some(201 | 422))).count();
        assert!(stored > 0, "{sent:?}");
        assert!(Command::new("kill").args(["-TERM", &sender.id().to_string()]).status().unwrap().success());
        assert_eq!(sender.wait().unwrap().code(), Some(0));
        assert!(count() >= before + stored as u64);
        let tokens = run(command(&["token", "list", "--tenant", tenant]), "").lines();
        let live: Vec<_> = tokens.iter().filter(|token| token["name"] == "Live sender").collect();
        assert!(live.len() == 1 && live[0]["revokedAt"].is_string(), "{live:?}");

        let removed = run(command(&["demo", "remove"]), "");
        assert_eq!(removed.code, 0, "{}", removed.err);
        assert!(removed.json()["rows"].as_u64().unwrap() > before);
        assert_eq!(run(command(&["tenant", "list"]), "").lines().len(), 0);
        let twice = run(command(&["demo", "remove"]), "");
        assert_eq!(twice.code, 1, "{}", twice.err);
        assert_eq!(served.terminate().0, Some(0));
    })
    .await;
}
