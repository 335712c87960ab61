//! The command line, as scripts use it: the real program, on both databases.
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::{
    ORDER, each_address,
    program::{Done, Served, run, tributary},
};

const NOBODY: &str = "0198c0de-0000-7000-8000-0000000000ff";

/// The program on one database.
#[derive(Clone)]
struct Program(String);

impl Program {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = tributary(&self.0);
        command.args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Done {
        run(self.command(arguments), "")
    }

    /// Runs a command that has to succeed, and reads its one line of JSON.
    fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[&["--json"], arguments].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
        done.json()
    }

    fn id(&self, arguments: &[&str]) -> String {
        self.json(arguments)["id"].as_str().expect("an id").to_owned()
    }

    /// Sends the events of a file; the token comes by standard input.
    fn send(&self, to: SocketAddr, tenant: &str, event_type: &str, file: &Path, token: &str) -> Done {
        let (url, file) = (format!("http://{to}"), file.display().to_string());
        run(
            self.command(&["--json", "send", "--url", &url, "--tenant", tenant, "--event-type", event_type, &file]),
            token,
        )
    }
}

fn guid(value: &Value) -> bool {
    value.as_str().is_some_and(|text| tributary::ids::guid(text).is_ok() && text == text.to_lowercase())
}

/// A contract is tried on events, one of them in quarantine, before anybody is judged by it.
fn is_tried(program: &Program, tenant: &str, order: &str, [loose, strict]: &[PathBuf; 2]) {
    let tried =
        |more: &[&str]| program.run(&[&["--json", "event-type", "try", "--tenant", tenant, order], more].concat());
    let (loose, strict) = (loose.display().to_string(), strict.display().to_string());
    let (loose, strict) = (tried(&["--schema", &loose]), tried(&["--schema", &strict]));
    assert_eq!((loose.code, &loose.json()["wouldPass"]), (0, &json!(1)), "{}", loose.err);
    assert_eq!((strict.code, &strict.lines()[0]["wouldBreak"]), (1, &json!(1)), "{}", strict.err);
    let version = tried(&["--version", "1", "--last", "1"]).lines().remove(0);
    assert_eq!((&version["lookedAt"], &version["ended"]), (&json!(1), &json!("count")));
    assert_eq!(tried(&[]).code, 1, "there is no draft");
    assert_eq!(tried(&["--last", "0"]).code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_is_set_up_and_its_events_are_sent_listed_and_counted() {
    each_address(async |address| {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let program = Program(address);
        let migrated = program.run(&["migrate"]);
        assert_eq!(migrated.code, 0, "{}", migrated.err);
        let tenant = program.json(&["tenant", "add", "Acme"]);
        assert!(guid(&tenant["id"]), "{tenant}");
        let tenant = tenant["id"].as_str().unwrap().to_owned();
        let schema = file("order.json", ORDER).display().to_string();
        let order = program.id(&[
            "event-type",
            "add",
            "--tenant",
            &tenant,
            "Order",
            "--schema",
            &schema,
            "--unique",
            "Order ID",
        ]);
        let ticket = program.id(&[
            "event-type",
            "add",
            "--tenant",
            &tenant,
            "Ticket",
            "--unique",
            "/Ticket/Number",
            "--unique",
            "Shop",
        ]);
        let token = program.json(&["token", "add", "--tenant", &tenant, "web shop"]);
        let limited = program.json(&["token", "add", "--tenant", &tenant, "--event-type", &ticket, "cash desk"]);
        assert!(guid(&token["id"]) && token["token"].as_str().unwrap().starts_with("trb_"), "{token}");
        let secret = token["token"].as_str().unwrap();

        let served = Served::start(program.command(&[]));
        let good = r#"{ "Order ID" : "A1", "Amount":1.10 }"#;
        let sent = program.send(
            served.to,
            &tenant,
            &order,
            &file("a.json", &format!("[{good},{{\"Order ID\":\"A2\"}}]")),
            secret,
        );
        assert_eq!(sent.code, 0, "{}", sent.err);
        assert_eq!((&sent.json()["accepted"], &sent.json()["rejected"][0]["index"]), (&json!(1), &json!(1)));
        tokio::time::sleep(Duration::from_millis(5)).await;
        let lines =
            file("b.ndjson", "{\"Ticket\":{\"Number\":1},\"Shop\":1}\n{\"Ticket\":{\"Number\":1},\"Shop\":2}\n");
        let sent = program.send(served.to, &tenant, &ticket, &lines, limited["token"].as_str().unwrap());
        assert_eq!((sent.code, &sent.json()["accepted"]), (0, &json!(2)), "{}", sent.err);
        for (what, event_type, token) in
            [("another type", &order, limited["token"].as_str().unwrap()), ("another token", &order, "trb_wrong")]
        {
            let refused = program.send(served.to, &tenant, event_type, &lines, token);
            assert_eq!(refused.code, 1, "{what}: {}", refused.out);
            assert!(refused.json()["status"].as_u64().unwrap() >= 400);
        }

        let count = |more: &[&str]| program.json(&[&["events", "count", "--tenant", &tenant], more].concat());
        assert_eq!(count(&[]), json!({"count": 4}));
        assert_eq!(count(&["--event-type", &order]), json!({"count": 2}));
        assert_eq!(count(&["--verdict", "accepted"]), json!({"count": 3}));
        assert_eq!(count(&["--verdict", "quarantined"]), json!({"count": 1}));
        assert_eq!(count(&["--event-type", &ticket, "--verdict", "quarantined"]), json!({"count": 0}));
        let schemas = [("loose.json", "{}"), ("strict.json", r#"{"required":["Coupon"]}"#)];
        is_tried(&program, &tenant, &order, &schemas.map(|(name, text)| file(name, text)));
        let listed = program.run(&["events", "list", "--tenant", &tenant, "--json"]);
        assert_eq!(listed.code, 0, "{}", listed.err);
        // the payload is the event as sent, spaces and numbers included
        assert!(listed.out.contains(good), "{}", listed.out);
        let rows = listed.lines();
        let types: Vec<_> = rows.iter().map(|row| row["eventTypeId"].as_str().unwrap()).collect();
        assert_eq!(types, [&ticket, &ticket, &order, &order], "newest first");
        assert_eq!(rows[0]["payload"], json!({"Ticket": {"Number": 1}, "Shop": 2}));
        for row in &rows {
            assert!(guid(&row["id"]), "{row}");
            row["receivedAt"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        }
        let limited_list = program.run(&["events", "list", "--tenant", &tenant, "--limit", "1", "--json"]);
        assert_eq!(limited_list.lines(), rows[..1]);

        // a revoked token is refused by the running server within a second
        let revoked = program.run(&["token", "revoke", "--tenant", &tenant, token["id"].as_str().unwrap()]);
        assert_eq!(revoked.code, 0, "{}", revoked.err);
        tokio::time::sleep(Duration::from_secs(1)).await;
        let refused = program.send(served.to, &tenant, &order, &file("c.json", good), secret);
        assert_eq!((refused.code, &refused.json()["status"]), (1, &json!(401)));

        let (code, out, log, took) = served.terminate();
        assert_eq!(code, Some(0), "{log}");
        assert!(took < Duration::from_secs(10), "{took:?}");
        assert!(out.lines().next().unwrap().starts_with("listening on http://127.0.0.1:"), "{out}");
        assert!(out.contains("/setup/") || out.contains("/setup?"), "no link to begin with: {out}");
        assert_eq!(count(&[]), json!({"count": 4}));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn exit_codes_and_streams_are_what_scripts_expect() {
    each_address(async |address| {
        let program = Program(address);
        let tenant = program.id(&["tenant", "add", "Acme"]);
        // --json may stand anywhere
        for line in ["--json tenant list", "tenant --json list", "tenant list --json"] {
            let listed = program.run(&line.split(' ').collect::<Vec<_>>());
            assert_eq!((listed.code, &listed.json()["id"]), (0, &json!(tenant)), "{line}");
            assert_eq!(listed.err, "", "{line}");
        }
        let people = program.run(&["tenant", "list"]);
        assert!(people.code == 0 && people.out.contains("Acme") && !people.out.starts_with('{'), "{}", people.out);

        for line in [
            "tenant rename",
            "tenant add",
            "tenant add --id x Acme",
            "event-type add Order",
            "event-type add --tenant x Order",
            "events count",
            "events list --tenant 0198c0de-0000-7000-8000-0000000000ff --limit many",
            "events count --tenant 0198c0de-0000-7000-8000-0000000000ff --verdict odd",
            "user add --email a@b.example --role nobody --password-stdin",
            "user add --email a@b.example --role customer --password-stdin",
            "user add --email a@b.example --role consultant",
            "serve --listen nowhere",
            "serve --body-timeout nan",
            "serve --header-timeout inf",
            "serve --write-timeout -1",
            "serve --max-connections 18446744073709551615",
            "serve --max-connections 0",
            "event-type add --tenant 0198c0de-0000-7000-8000-0000000000ff Order --unique ",
            "tenant list --database-url mysql://db.example.com/x",
            "send --url ftp://127.0.0.1 --tenant 0198c0de-0000-7000-8000-0000000000ff --event-type 0198c0de-0000-7000-8000-0000000000ff x",
        ] {
            let done = program.run(&line.split(' ').collect::<Vec<_>>());
            assert_eq!((done.code, done.out.as_str()), (2, ""), "{line}: {}", done.err);
            assert!(!done.err.is_empty(), "{line}");
        }
        let missing = program.run(&["--json", "token", "edit"]);
        let error: Value = serde_json::from_str(missing.err.trim()).expect("one line of JSON");
        assert!(missing.code == 2 && error["error"].as_str().unwrap().contains("--tenant <ID>"), "{}", missing.err);
        let taken = format!("tenant add --id {tenant} Again");
        for line in [
            &*taken,
            &format!("event-type add --tenant {NOBODY} Order"),
            &format!("event-type add --tenant {tenant} Order --schema /nowhere.json"),
            &format!("token add --tenant {NOBODY} x"),
            &format!("token add --tenant {tenant} --event-type {NOBODY} x"),
            &format!("token revoke --tenant {tenant} {NOBODY}"),
            &format!("events list --tenant {NOBODY}"),
            &format!("events count --tenant {NOBODY}"),
            "tenant list --database-url sqlite:///proc/nowhere/x.db",
            "tenant list --database-url postgres://nobody@127.0.0.1:1/x",
        ] {
            let done = program.run(&line.split(' ').collect::<Vec<_>>());
            assert_eq!((done.code, done.out.as_str()), (1, ""), "{line}: {}", done.err);
            let in_json = program.run(&[&["--json"], &*line.split(' ').collect::<Vec<_>>()].concat());
            let last = in_json.err.lines().last().unwrap_or_default();
            let error: Value = serde_json::from_str(last).unwrap_or_else(|_| panic!("{line}: {}", in_json.err));
            assert!(in_json.code == 1 && error["error"].is_string(), "{line}: {}", in_json.err);
        }
        for command in ["serve", "migrate", "user add", "user list", "user invite", "user deactivate", "user reactivate", "user reset-password", "user role", "user reset-second-factor", "tenant add", "tenant list", "tenant retention", "event-type add", "event-type list", "event-type propose", "event-type try", "token add", "token list", "token revoke", "events list", "events count", "events tail", "events export", "task list", "task show", "task cancel", "send", "validate"] {
            let help = program.run(&[&*command.split(' ').collect::<Vec<_>>(), &["--help"]].concat());
            assert!(help.code == 0 && help.out.contains("Examples:") && help.err.is_empty(), "{command}: {}", help.err);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn secrets_come_by_standard_input_and_are_never_said_again() {
    each_address(async |address| {
        let program = Program(address.clone());
        let tenant = program.id(&["tenant", "add", "Acme", "--id", "8C1F0F0E-5A5C-4A5D-9A3E-0123456789AB"]);
        assert_eq!(tenant, "8c1f0f0e-5a5c-4a5d-9a3e-0123456789ab");
        let password = "correct horse battery canary";
        let add = |role: &[&str], password: &str| {
            let email = format!("{}@acme.example", role[0]);
            let arguments =
                [&["--json", "user", "add", "--email", &email, "--password-stdin", "--role"], role].concat();
            run(program.command(&arguments), password)
        };
        for role in [
            &["administrator"][..],
            &["consultant"],
            &["success-manager"],
            &["account-manager"],
            &["customer", "--tenant", &tenant],
        ] {
            let added = add(role, &format!("{password}\n"));
            assert!(added.code == 0 && guid(&added.json()["id"]), "{role:?}: {}", added.err);
            assert!(!format!("{}{}", added.out, added.err).contains("canary"));
        }
        let again = add(&["consultant"], password);
        assert_eq!((again.code, again.out.as_str()), (1, ""), "the address is taken: {}", again.err);
        assert_eq!(add(&["administrator", "--name", "x"], "short").code, 1);

        let imported = "8C1F0F0E-5A5C-4A5D-9A3E-00000CANARY0";
        let arguments = ["--json", "token", "add", "--tenant", &tenant, "as before", "--import"];
        let token = run(program.command(&arguments), &format!("{imported}\n"));
        assert_eq!(token.code, 0, "{}", token.err);
        assert_eq!(token.json()["token"], imported);
        let again = run(program.command(&arguments), imported);
        assert!(again.code == 1 && !again.err.contains("CANARY"), "{}", again.err);
        assert_eq!(run(program.command(&arguments), "").code, 2);
        let listed = program.run(&["token", "list", "--tenant", &tenant, "--json"]);
        assert!(
            listed.code == 0 && !listed.out.contains("CANARY") && listed.out.contains("8C1F0F0E"),
            "{}",
            listed.out
        );
        // what the database keeps is not the secret either
        if let Some(file) = address.strip_prefix("sqlite://") {
            let bytes: Vec<u8> =
                ["", "-wal"].iter().flat_map(|end| std::fs::read(format!("{file}{end}")).unwrap_or_default()).collect();
            for secret in [imported.as_bytes(), password.as_bytes()] {
                assert!(!bytes.windows(secret.len()).any(|window| window == secret), "a secret lies in the database");
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn validate_needs_neither_server_nor_database() {
    let folder = tempfile::tempdir().unwrap();
    let schema = folder.path().join("order.json");
    std::fs::write(&schema, ORDER).unwrap();
    let schema = schema.display().to_string();
    let validate = |schema: &str, events: &str| {
        let mut command = tributary("postgres://nobody@127.0.0.1:1/nothing");
        command.args(["--json", "validate", "--schema", schema, "-"]);
        run(command, events)
    };
    let right = validate(&schema, "{\"Amount\":1}\n{\"Amount\":2}");
    assert_eq!((right.code, right.json()), (0, json!({"valid": 2, "rejected": []})), "{}", right.err);
    let wrong = validate(&schema, r#"[{"Amount":1},{}]"#);
    assert_eq!((wrong.code, &wrong.json()["rejected"][0]["index"]), (1, &json!(1)));
    assert_eq!(validate(&schema, "{").code, 1);
    assert_eq!(validate("/nowhere.json", "{}").code, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contract_is_proposed_without_server_or_database() {
    let propose = |arguments: &[&str], events: &str| {
        let mut command = tributary("postgres://nobody@127.0.0.1:1/nothing");
        command.args(["event-type", "propose"]).args(arguments);
        run(command, events)
    };
    let events = "{\"Klantnummer\": \"007\", \"E-mail\": \"jane@example.com\"}\n{\"Klantnummer\": \"008\"}";
    let plain = propose(&["-"], events);
    let schema: Value = serde_json::from_str(&plain.out).expect("a schema");
    let expected = json!({"type": "object", "required": ["Klantnummer"], "properties": {
        "Klantnummer": {"type": "string", "x-identifies": "id"},
        "E-mail": {"type": "string", "format": "email", "x-identifies": "email"}}});
    assert_eq!((plain.code, schema), (0, expected.clone()), "{}", plain.err);
    assert!(plain.out.find("Klantnummer\": {") < plain.out.find("E-mail\": {"), "in the order of the sample");
    let told = propose(&["--json", "-"], events).json();
    assert_eq!((&told["samples"], &told["schema"]), (&json!(2), &expected));
    assert_eq!((&told["fields"][1]["seen"], &told["fields"][1]["of"]), (&json!(1), &json!(2)));
    let wrong = propose(&["-"], "{\n\"a\": }");
    assert!(wrong.code == 1 && wrong.err.contains("line 2"), "{}", wrong.err);
    assert_eq!(propose(&["/nowhere.json"], "").code, 1);
    assert_eq!(propose(&[], "").code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_are_invited_changed_and_shut_out() {
    each_address(async |address| {
        let program = Program(address);
        let tenant = program.id(&["tenant", "add", "Acme"]);
        let invited = program.json(&[
            "user",
            "invite",
            "Grace@example.com",
            "--role",
            "administrator",
            "--public-url",
            "https://hub.example.com/",
        ]);
        let link = invited["link"].as_str().unwrap();
        assert!(link.starts_with("https://hub.example.com/invitation?token=") && guid(&invited["id"]), "{invited}");
        assert_eq!(invited["email"], "grace@example.com");
        let twice = program.run(&["--json", "user", "invite", "grace@example.com", "--role", "consultant"]);
        assert!(twice.code == 1 && twice.err.contains("invited already"), "{}", twice.err);
        let customer = program.run(&["user", "invite", "eve@example.com", "--role", "customer"]);
        assert_eq!(customer.code, 2, "a customer needs a tenant");

        let add = |email: &str| {
            let arguments = ["--json", "user", "add", "--email", email, "--role", "administrator", "--password-stdin"];
            assert_eq!(run(program.command(&arguments), "correct horse battery").code, 0);
        };
        add("ada@example.com");
        let listed = || {
            let mut rows = program.run(&["--json", "user", "list"]).lines();
            rows.sort_by_key(|row| row["email"].to_string());
            rows.iter().map(|row| format!("{} {} {}", row["email"], row["state"], row["role"])).collect::<Vec<_>>()
        };
        assert_eq!(
            listed(),
            [r#""ada@example.com" "active" "administrator""#, r#""grace@example.com" "invited" "administrator""#]
        );
        for refused in [
            vec!["user", "deactivate", "ada@example.com"],
            vec!["user", "role", "ada@example.com", "--role", "consultant"],
        ] {
            let done = program.run(&refused);
            assert!(done.code == 1 && done.err.contains("last active administrator"), "{}", done.err);
        }
        add("bob@example.com");
        program.json(&["user", "deactivate", "ada@example.com"]);
        assert!(program.run(&["user", "reset-password", "ada@example.com"]).err.contains("deactivated"));
        program.json(&["user", "reactivate", "ada@example.com"]);
        let reset = program.json(&["user", "reset-password", "ada@example.com"]);
        assert!(reset["link"].as_str().unwrap().starts_with("http://127.0.0.1:3000/reset-password?token="), "{reset}");
        let changed = program.json(&["user", "role", "ada@example.com", "--role", "customer", "--tenant", &tenant]);
        assert_eq!((&changed["role"], &changed["tenant"]), (&json!("customer"), &json!(tenant)));
        let none = program.run(&["user", "reset-second-factor", "ada@example.com"]);
        assert_eq!(none.code, 1, "there is none");
        let unknown = program.run(&["user", "deactivate", "nobody@example.com"]);
        assert!(unknown.code == 1 && unknown.err.contains("tributary user list"), "{}", unknown.err);
    })
    .await;
}
