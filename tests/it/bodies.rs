//! Every form a body may have, and that what is stored is what was sent.
use std::io::Write;

use crate::support::{Asking, TestApp, each};

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// One request: its media type, further headers, its body, and the payloads that are to be stored.
type Form<'a> = (&'a str, Vec<(&'a str, String)>, String, Vec<&'a str>);

const JSON: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const CLOUD: &str = "application/cloudevents+json";
const CLOUDS: &str = "application/cloudevents-batch+json";

#[tokio::test(flavor = "multi_thread")]
async fn events_of_one_type_come_in_every_form() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        let cloud = |id: &str, data: &str| {
            format!(r#"{{"specversion":"1.0","id":"{id}","source":"/shop","type":"order","time":"2026-11-18T00:00:00Z","data":{data}}}"#)
        };
        let binary = |id: &str| -> Vec<(&str, String)> {
            vec![("ce-specversion", "1.0".into()), ("ce-id", id.into()), ("ce-source", "/shop".into()), ("Ce-Type", "order".into())]
        };
        let forms: Vec<Form> = vec![
            (JSON, vec![], r#"{"a":1}"#.into(), vec![r#"{"a":1}"#]),
            (JSON, vec![], r#" [ {"a":1} , {} ] "#.into(), vec![r#"{"a":1}"#, "{}"]),
            (JSON, vec![], "\u{feff}{\"bom\":1}".into(), vec![r#"{"bom":1}"#]),
            ("Application/JSON; charset=UTF-8; v=1", vec![], r#"{"a":2}"#.into(), vec![r#"{"a":2}"#]),
            (LINES, vec![], "{\"a\":1}\n{\"a\":2}\r\n\n  {\"a\":3}".into(), vec![r#"{"a":1}"#, r#"{"a":2}"#, r#"{"a":3}"#]),
            ("application/x-ndjson;charset=utf-8", vec![], "\u{feff}{\"a\":1}\n".into(), vec![r#"{"a":1}"#]),
            (CLOUD, vec![], cloud("1", r#"{ "a":1 }"#), vec![r#"{ "a":1 }"#]),
            (CLOUDS, vec![], format!("[{},{}]", cloud("2", "{}"), cloud("3", r#"{"b":1}"#)), vec!["{}", r#"{"b":1}"#]),
            (JSON, binary("4"), r#"{"a": 4}"#.into(), vec![r#"{"a": 4}"#]),
            (JSON, vec![("content-encoding", "identity".into())], r#"{"a":5}"#.into(), vec![r#"{"a":5}"#]),
        ];
        let mut expected = Vec::new();
        for (media, headers, body, payloads) in forms {
            for (encoding, encode) in [("", <[u8]>::to_vec as fn(&[u8]) -> Vec<u8>), ("gzip", gzip), ("GZip", gzip), ("x-gzip", gzip), ("zstd", zstd)] {
                let mut asking = Asking::new("POST", app.path(&format!("/events/{id}")))
                    .header("x-cm-producttoken", &app.token)
                    .header("content-type", media);
                for (name, value) in &headers {
                    asking = asking.header(name, value);
                }
                if headers.iter().any(|(name, _)| *name == "content-encoding") && !encoding.is_empty() {
                    continue;
                }
                if !encoding.is_empty() {
                    asking = asking.header("content-encoding", encoding);
                }
                let answer = app.ask(asking.body(encode(body.as_bytes()))).await;
                assert_eq!(answer.status, 201, "{media} {encoding}: {}", answer.text());
                let (accepted, duplicates) = (&answer.json()["accepted"], &answer.json()["duplicates"]);
                // a CloudEvent comes once, however it is compressed
                if encoding.is_empty() || (!media.contains("cloudevents") && headers.len() < 4) {
                    assert_eq!((accepted, duplicates), (&payloads.len().into(), &0.into()), "{media} {encoding}");
                    expected.extend(payloads.iter().map(|payload| (*payload).to_owned()));
                } else {
                    assert_eq!((accepted, duplicates), (&0.into(), &payloads.len().into()), "{media} {encoding}");
                }
            }
        }
        let mut stored = app.payloads().await;
        stored.sort();
        expected.sort();
        assert_eq!(stored, expected);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mixed_events_come_in_every_form_with_their_types() {
    each(async |app: TestApp| {
        let (one, two) = (app.event_type(|_| {}).await, app.event_type(|_| {}).await);
        app.start().await;
        let upper = one.to_string().to_uppercase();
        let named = |id: &str, event: &str| format!(r#"{{"more":[1], "EventTypeId" : "{id}", "Event" : {event} }}"#);
        let (two_id, one_id) = (two.to_string(), one.to_string());
        let cloud = |n: u8, id: &str| {
            format!(r#"{{"specversion":"1.0","id":"{n}","source":"s","type":"{id}","data":{{"n":{n}}}}}"#)
        };
        let forms: Vec<Form> = vec![
            (
                JSON,
                vec![],
                format!("[{},{}]", named(&upper, r#"{"n":0}"#), named(&two_id, r#"{"n":1}"#)),
                vec![&one_id, &two_id],
            ),
            (JSON, vec![], named(&two_id, r#"{"n":2}"#), vec![&two_id]),
            (
                LINES,
                vec![],
                format!("{}\n{}\n", named(&two_id, r#"{"n":3}"#), named(&one_id, r#"{"n":4}"#)),
                vec![&two_id, &one_id],
            ),
            (CLOUD, vec![], cloud(5, &one_id), vec![&one_id]),
            (CLOUDS, vec![], format!("[{},{}]", cloud(6, &two_id), cloud(7, &upper)), vec![&two_id, &one_id]),
            (
                JSON,
                vec![
                    ("ce-specversion", "1.0".into()),
                    ("ce-id", "8".into()),
                    ("ce-source", "s".into()),
                    ("ce-type", upper.clone()),
                ],
                r#"{"n":8}"#.into(),
                vec![&one_id],
            ),
        ];
        let mut expected = Vec::new();
        for (media, headers, body, types) in forms {
            let asking = Asking::new("POST", app.path("/events"))
                .header("x-cm-producttoken", &app.token)
                .header("content-type", media);
            let asking = headers.iter().fold(asking, |asking, (name, value)| asking.header(name, value));
            let answer = app.ask(asking.body(body)).await;
            assert_eq!(answer.status, 201, "{media}: {}", answer.text());
            expected.extend(types.into_iter().map(str::to_owned));
            // ids are of the millisecond: the next request comes later
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        let stored = app.stored().await;
        let types: Vec<_> = stored.iter().map(|event| event.event_type_id.to_string()).collect();
        assert_eq!(types, expected);
        for (n, event) in stored.iter().enumerate() {
            assert_eq!(event.payload, format!(r#"{{"n":{n}}}"#));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_exact_text_between_the_braces_is_kept() {
    each(async |app: TestApp| {
        // one type without a contract, one with; one with unique fields, so that each way to the disk is taken
        let any = app.event_type(|_| {}).await;
        let checked = app
            .event_type(|details| details.contract = crate::support::contract(r#"{"type":"object","minProperties":1}"#))
            .await;
        let warned = app
            .event_type(|details| {
                details.contract = crate::support::contract(r#"{"required":["never there"]}"#);
                details.policy = tributary::event_types::Policy::Warn;
            })
            .await;
        let kept_aside = app
            .event_type(|details| details.contract = crate::support::contract(r#"{"required":["never there"]}"#))
            .await;
        app.start().await;
        let texts = [
            r#"{"b":1,"a":2}"#,
            r#"{ "Last Name" : "Lovelace" ,  "Mobile Phone":"+31 6", "Email Address":"a@b.c"}"#,
            "{\n\t\"lines\": [\r\n 1.10, 1.0, 1e3, -0, -0.0, 0.1E-7 ]\n}",
            r#"{"n":12345678901234567890123456789,"x":1.000000000000000000000000001}"#,
            r#"{"n":12345678901234567890,"m":-9223372036854775809,"e":1E+2}"#,
            r#"{"ключ":"значение","鍵":"値","clé é":"\u00e9\/\"\\","😀":"\ud83d\ude00"}"#,
            r#"{"":"","'":"'; DROP TABLE events; --","$1":"{}","<b>":"</script><script>alert(1)</script>"}"#,
            r#"{"deep":{"deep":{"deep":[[[{}]]]}},"t":true,"f":false,"z":null}"#,
            "{\"del\":\"\u{7f}\u{80}\u{2028}\u{fffe}\u{feff}\"}",
        ];
        for id in [any, checked, warned, kept_aside] {
            let before = app.stored().await.len();
            let body = format!("[{}]", texts.join(" ,\n"));
            let answer = app.send(id, body).await;
            assert_eq!(answer.status, if id == kept_aside { 422 } else { 201 }, "{}", answer.text());
            assert_eq!(app.payloads().await[before..], texts.map(str::to_owned));
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        // a number that no 64-bit float can hold breaks every contract, and is kept as it came
        let beyond = r#"{"n":1e400,"m":-1e999999}"#;
        for id in [any, checked] {
            let refused = app.send(id, beyond).await;
            assert_eq!(refused.status, 422);
            let number = || "number".to_owned();
            assert_eq!(crate::support::rules(&refused.json()["rejected"]), [(0, vec![number(), number()])]);
            assert_eq!(refused.json()["rejected"][0]["errors"][1]["path"], "/m");
        }
        assert_eq!(app.payloads().await.iter().filter(|payload| *payload == beyond).count(), 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_are_taken_in_any_case_and_a_base_address_may_end_with_a_slash() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        let plain = app.path(&format!("/events/{id}"));
        let upper = format!(
            "/events/v1.0/tenants/{}/events/{}",
            app.tenant.to_string().to_uppercase(),
            id.to_string().to_uppercase()
        );
        for target in [&plain, &upper, &format!("/{plain}"), &format!("//{plain}"), &format!("/{plain}?strict=true")] {
            let answer = app.ask(Asking { target: target.clone(), ..app.to_type(id, "{}") }).await;
            assert_eq!(answer.status, 201, "{target}: {}", answer.text());
            let receipt = answer.json()["receiptId"].as_str().unwrap().to_owned();
            assert_eq!(receipt, receipt.to_lowercase());
            assert_eq!(app.receipt(&receipt.to_uppercase()).await.json()["receiptId"], receipt);
        }
        let simple = |text: String| text.replace('-', "");
        for target in [
            plain.replace(&id.to_string(), &format!("%7B{id}%7D")),
            plain.replace(&id.to_string(), &simple(id.to_string())),
            plain.replace(&app.tenant.to_string(), &simple(app.tenant.to_string())),
            plain.replace(&id.to_string(), &format!("urn:uuid:{id}")),
            plain.replace(&id.to_string(), "%ff"),
        ] {
            let answer = app.ask(Asking { target: target.clone(), ..app.to_type(id, "{}") }).await;
            assert_eq!(answer.status, 400, "{target}: {}", answer.text());
        }
        assert_eq!(app.stored().await.len(), 5);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cloud_event_that_is_none_is_refused() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        let whole =
            |change: &str| format!(r#"{{"specversion":"1.0","id":"1","source":"s","type":"t","data":{{}}{change}}}"#);
        let bodies = [
            whole("").replace(r#""specversion":"1.0","#, ""),
            whole("").replace("1.0", "0.3"),
            whole("").replace(r#""id":"1""#, r#""id":"""#),
            whole("").replace(r#""id":"1""#, r#""id":1"#),
            whole("").replace(r#""source":"s","#, ""),
            whole("").replace(r#""data":{}"#, r#""data":null"#),
            whole("").replace(r#""data":{}"#, r#""data":[{}]"#),
            whole("").replace(r#""data":{}"#, r#""data_base64":"e30=""#),
            whole(r#","id":"2""#),
            "[]".into(),
            "1".into(),
            r#""x""#.into(),
        ];
        for body in bodies {
            for (media, body) in [(CLOUD, body.clone()), (CLOUDS, format!("[{body}]"))] {
                let mut asking = app.to_type(id, body.clone());
                asking.headers[1].1 = media.into();
                let answer = app.ask(asking).await;
                assert_eq!(answer.status, 400, "{media} {body}: {}", answer.text());
            }
        }
        let binary = |media: &str| {
            let mut asking = app.to_type(id, r#"{"a":1}"#);
            asking.headers[1].1 = media.into();
            let attributes = [("ce-specversion", "1.0"), ("ce-id", "1"), ("ce-source", "s"), ("ce-type", "t")];
            attributes.iter().fold(asking, |asking, (name, value)| asking.header(name, *value))
        };
        assert_eq!(app.ask(binary(LINES)).await.status, 400);
        for missing in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
            let mut asking = app.to_type(id, "{}");
            for name in ["ce-specversion", "ce-id", "ce-source", "ce-type"] {
                if name != missing {
                    asking = asking.header(name, "1.0");
                }
            }
            let answer = app.ask(asking).await;
            assert_eq!(answer.status, 400, "without {missing}: {}", answer.text());
        }
        assert_eq!(app.stored().await.len(), 0);
    })
    .await;
}
