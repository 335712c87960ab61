//! Every program is one, whatever a contract holds: what can parse it here does, and what can run its literals gives
//! the very event back.
use std::{
    fs,
    process::{Command, Output},
};

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    clock::Clock,
    event_types::{Contract, Details},
    ids::{EventTypeId, TenantId},
};

/// Every character that ends a text, a line or a program somewhere.
const HOSTILE: &str =
    "a'b\"c\\d`e${f}#{g}<?php ?>%s{h}\n\r\t\u{b}\u{0}\u{85}\u{2028}\u{2029}*/ // '''\"\"\" 😀é\\u0041\\";

fn of(event: &Value) -> EventType {
    let contract = Contract::parse(&json!({"const": event}).to_string()).unwrap();
    let now = Clock::system().now();
    EventType {
        tenant_id: TenantId::new(&Clock::system()),
        id: EventTypeId::new(&Clock::system()),
        details: Details { contract, ..Details::named("Order */ \u{2028} <?php".parse().unwrap()) },
        created_at: now,
        updated_at: now,
    }
}

fn hostile() -> Value {
    json!({HOSTILE: HOSTILE, "__proto__": {"x": 1}, "0": ["a", {}, [], null, true, false, -1.5, 1e300, u64::MAX],
        "empty": {}, "None": {"0": 0, "1": {HOSTILE: [HOSTILE]}}, "": ""})
}

/// Runs a program on a file; none when the program is not there.
fn run(program: &str, arguments: &[&str], name: &str, text: &str) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, text).unwrap();
    Command::new(program).args(arguments).arg(&file).output().ok()
}

#[track_caller]
fn is_valid(program: &str, arguments: &[&str], name: &str, text: &str) {
    if let Some(output) = run(program, arguments, name, text) {
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_program_can_be_parsed() {
    let plain = json!({"Email Address": "ada@example.com", "Amount": 12.5, "Lines": [{"Sku": "A'1"}]});
    for event in [plain, hostile()] {
        let event_type = of(&event);
        // an apostrophe may stand in an address
        let base = "https://hub.example.com/o'neil";
        for carried in [Carried::Header, Carried::Address] {
            for language in Language::ALL {
                for snippet in snippets(base, &event_type, language, carried) {
                    let code = &snippet.code;
                    assert!(code.contains(&event_type.tenant_id.to_string()), "{code}");
                    assert!(code.contains(&event_type.id.to_string()) && code.contains(VARIABLE), "{code}");
                    match language {
                        Language::Curl => is_valid("bash", &["-n"], "a.sh", code),
                        Language::JavaScript => is_valid("node", &["--check"], "a.mjs", code),
                        Language::Python => is_valid("python3", &["-m", "py_compile"], "a.py", code),
                        Language::Php => is_valid("php", &["-l"], "a.php", code),
                        Language::CSharp => {
                            // there is no compiler here: at least no text is left open, and no line is cut
                            assert_eq!(code.matches("Dictionary").count() > 0, event.is_object());
                            for line in code.lines() {
                                let quotes = line.replace(r"\\", "").replace("\\\"", "").matches('"').count();
                                assert!(quotes.is_multiple_of(2), "{line}");
                            }
                            assert!(!code.contains(['\u{2028}', '\u{2029}', '\u{85}', '\u{0}']));
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn the_shell_hands_over_the_very_event() {
    let event = json!({"it's": "a'b\"c\\d`e$HOME $(id) é\n"});
    let event_type = of(&event);
    for carried in [Carried::Header, Carried::Address] {
        let code = &snippets("https://hub.example.com", &event_type, Language::Curl, carried)[0].code;
        let program = format!("TRIBUTARY_TOKEN=secret\ncurl() {{ printf '%s\\0' \"$@\"; }}\n{code}\n");
        let said = run("bash", &[], "a.sh", &program).expect("a shell").stdout;
        let said = String::from_utf8(said).unwrap();
        let arguments: Vec<_> = said.split('\0').collect();
        let data = arguments[arguments.iter().position(|argument| *argument == "-d").unwrap() + 1];
        assert_eq!(serde_json::from_str::<Value>(data).unwrap(), event);
        let token =
            ["X-CM-PRODUCTTOKEN: secret", "?X-CM-PRODUCTTOKEN=secret"][usize::from(carried == Carried::Address)];
        assert!(arguments.iter().any(|argument| argument.ends_with(token)), "{arguments:?}");
    }
}

/// What the literal of a language is worth, as that language writes it in JSON.
fn evaluated(program: &str, name: &str, text: &str) -> Option<Value> {
    let output = run(program, &[], name, text)?;
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[test]
fn literals_are_worth_what_they_stand_for() {
    // beyond 2^53 JavaScript and PHP have no whole numbers
    let mut event = hostile();
    event["0"][8] = 7.into();
    let js = format!("process.stdout.write(JSON.stringify({}))", Literal::JAVASCRIPT.value(&event, 1));
    let python = format!("import json\nprint(json.dumps({}))", Literal::PYTHON.value(&event, 1));
    let php = format!("<?php echo json_encode({}, JSON_PRESERVE_ZERO_FRACTION);", Literal::PHP.value(&event, 1));
    for (program, name, text) in [("node", "a.mjs", js), ("python3", "a.py", python), ("php", "a.php", php)] {
        if let Some(value) = evaluated(program, name, &text) {
            assert_eq!(value, event, "{program}");
        }
    }
}

proptest! {
    /// C# and JSON escape alike, as far as we escape; the compiler of the one is not here, the parser of the other is.
    #[test]
    fn texts_are_escaped_as_json_has_it(text in ".*") {
        for literal in [Literal::CSHARP, Literal::JAVASCRIPT, Literal::PYTHON] {
            let written = literal.text(&text);
            let ends_a_line = written.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
            prop_assert!(!ends_a_line);
            prop_assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text.clone());
        }
    }
}
