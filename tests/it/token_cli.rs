//! Tokens and the audit trail by the command line: the real program, on both databases.
use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{
    each_address,
    program::{Done, run, tributary},
};

fn command(database: &str, arguments: &[&str], stdin: &str) -> Done {
    let mut command = tributary(database);
    command.args(arguments);
    run(command, stdin)
}

fn json(database: &str, arguments: &[&str]) -> Value {
    let done = command(database, &[&["--json"], arguments].concat(), "");
    assert_eq!(done.code, 0, "{arguments:?}: {}", done.err);
    done.json()
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_rolled_edited_and_shown() {
    each_address(async |db| {
        let tenant = json(&db, &["tenant", "add", "Acme"]);
        let tenant = text(&tenant, "id");
        let token =
            |arguments: &[&str]| json(&db, &[&["token", arguments[0], "--tenant", tenant], &arguments[1..]].concat());
        let old = token(&["add", "web shop", "--address", "192.0.2.0/24"]);
        let old = text(&old, "id");
        let rolled = token(&["roll", old, "--overlap", "7d", "--expires", "90d"]);
        assert!(text(&rolled, "token").starts_with("trb_") && rolled["predecessorId"] == old);
        let new = text(&rolled, "id");
        let shown = token(&["show", new]);
        assert_eq!((&shown["predecessorId"], &shown["addresses"]), (&json!(old), &json!(["192.0.2.0/24"])));
        assert_eq!(shown["warnings"], json!([]));
        let again = command(&db, &["token", "roll", "--tenant", tenant, old], "");
        assert!(again.code == 1 && again.err.contains("rolled already"), "{}", again.err);

        let before = token(&["show", old])["overlapEndsAt"].clone();
        assert_eq!(before, rolled["predecessorEndsAt"]);
        assert_ne!(token(&["overlap", old, "--overlap", "1h"])["overlapEndsAt"], before);
        token(&["overlap", old, "--overlap", "now"]);
        let listed = command(&db, &["token", "list", "--tenant", tenant], "");
        assert!(listed.out.lines().any(|line| line.contains(old) && line.contains("replaced")), "{}", listed.out);

        let edited =
            token(&["edit", new, "--name", "shop", "--any-address", "--never-expires", "--can-configure", "true"]);
        assert_eq!((&edited["name"], &edited["addresses"]), (&json!("shop"), &Value::Null));
        assert_eq!((&edited["expiresAt"], &edited["canConfigure"]), (&Value::Null, &json!(true)));
        assert_eq!(token(&["edit", new, "--address", "10.0.0.0/8"])["name"], "shop", "the rest stays");
        for wrong in [
            &["token", "roll", "--tenant", tenant, new, "--overlap", "31d"][..],
            &["token", "edit", "--tenant", tenant, new, "--address", "nowhere"],
            &["token", "edit", "--tenant", tenant, new, "--address", "10.0.0.0/8", "--any-address"],
        ] {
            assert_eq!(command(&db, wrong, "").code, 2, "{wrong:?}");
        }

        // and the trail tells all of it, to people and to programs
        let trail = command(&db, &["audit", "list", "--tenant", tenant, "--action", "token"], "");
        assert_eq!((trail.code, trail.out.lines().count()), (0, 7), "{}", trail.out);
        assert!(trail.out.lines().last().unwrap().contains("cli  created the token web shop"), "{}", trail.out);
        let entries = command(&db, &["--json", "audit", "list", "--object", new], "").lines();
        let actions: Vec<_> = entries.iter().map(|entry| text(entry, "action")).collect();
        assert_eq!(actions, ["token.change", "token.change", "token.create"]);
        assert_eq!(entries[0]["before"]["addresses"], Value::Null);
        assert_eq!(entries[0]["after"]["addresses"], json!(["10.0.0.0/8"]));
        let limited = command(&db, &["--json", "audit", "list", "--limit", "2", "--actor", "CLI"], "").lines();
        assert_eq!(limited.len(), 2);
        let count =
            |arguments: &[&str]| command(&db, &[&["--json", "audit", "list"], arguments].concat(), "").lines().len();
        assert_eq!((count(&["--until", "2020-01-01"]), count(&["--from", "2020-01-01"])), (0, 8));
        for wrong in [&["--action", "nonsense"], &["--from", "yesterday"]] {
            let refused = command(&db, &[&["audit", "list"], &wrong[..]].concat(), "");
            assert_eq!(refused.code, 2, "{wrong:?}: {}", refused.err);
        }
    })
    .await;
}

fn write(folder: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_are_found_in_files_and_never_repeated() {
    each_address(async |db| {
        let tenant = json(&db, &["tenant", "add", "Acme"]);
        let tenant = text(&tenant, "id");
        let add = |name: &str| json(&db, &["token", "add", "--tenant", tenant, name]);
        let (used, gone) = (add("web shop"), add("cash desk"));
        json(&db, &["token", "revoke", "--tenant", tenant, text(&gone, "id")]);
        let (used, gone) = (text(&used, "token"), text(&gone, "token"));
        let stranger = tributary::tokens::Secret::generate();

        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        write(folder, "clean/readme.md", "tokens begin with trb_ and are secret");
        write(folder, "src/deep/a.ts", format!("const a = 1;\nconst token = \"{used}\";\n"));
        write(folder, "src/.env", format!("OLD={gone}\nOTHER={}\n", stranger.expose()));
        write(folder, ".git/objects/x", used);
        write(
            folder,
            "windows/env.ps1",
            format!("\u{feff}$t = \"{used}\"").encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>(),
        );
        write(folder, "large.log", " ".repeat((10 << 20) + 1) + used);
        let root = folder.display().to_string();

        let found = command(&db, &["--json", "token", "scan", &root], "");
        let lines = found.lines();
        let places: Vec<_> = lines
            .iter()
            .map(|line| (text(line, "path").trim_start_matches(&root).to_owned(), &line["line"], &line["column"]))
            .collect();
        let place = |path: &str, line, column| (path.to_owned(), json!(line), json!(column));
        let expected = [
            place("/src/.env", 1, 5),
            place("/src/.env", 2, 7),
            place("/src/deep/a.ts", 2, 16),
            place("/windows/env.ps1", 1, 7),
        ];
        assert_eq!(
            places,
            expected.iter().map(|(path, line, column)| (path.clone(), line, column)).collect::<Vec<_>>()
        );
        let states: Vec<_> = lines.iter().map(|line| &line["known"][0]["state"]).collect();
        assert_eq!(states, [&json!("revoked"), &Value::Null, &json!("active"), &json!("active")]);
        assert_eq!(
            (&lines[2]["known"][0]["tenant"], &lines[2]["known"][0]["name"]),
            (&json!("Acme"), &json!("web shop"))
        );
        assert_eq!(found.code, 1);
        assert!(found.err.contains("large.log") && found.err.contains("1 file or folder could not be looked at"));
        let said = command(&db, &["token", "scan", &root], "");
        assert!(said.out.contains("/src/deep/a.ts:2:16: ") && said.out.contains("web shop (active) of Acme"));
        for done in [&found, &said] {
            for secret in [used, gone, stranger.expose()] {
                assert!(!done.out.contains(&secret[..14]) && !done.err.contains(&secret[..14]), "{}", done.out);
            }
        }

        let clean = command(&db, &["token", "scan", &format!("{root}/clean")], "");
        assert_eq!((clean.code, clean.out.trim()), (0, "no token in 1 text"));
        // what was not looked at is no good news
        write(folder, "unread/large.log", " ".repeat((10 << 20) + 1));
        let unread = command(&db, &["token", "scan", &format!("{root}/unread")], "");
        assert!(unread.code == 2 && unread.err.contains("could not be looked at"), "{}", unread.err);
        let piped = command(&db, &["token", "scan", "-"], &format!("x {used}"));
        assert!(piped.code == 1 && piped.out.starts_with("-:1:3: trb_"), "{}", piped.out);
        assert_eq!(command(&db, &["token", "scan", &format!("{root}/nothing")], "").code, 2);
        // nobody is asked when no database is named
        let mut alone = tributary(&db);
        alone.env_remove("DATABASE_URL").current_dir(folder).args(["--json", "token", "scan", "src/deep"]);
        let alone = run(alone, "");
        assert_eq!((alone.code, &alone.lines()[0]["known"]), (1, &Value::Null));
        assert!(!folder.join("data").exists(), "no database is made");
    })
    .await;
}
