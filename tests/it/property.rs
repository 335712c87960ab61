//! Whatever is sent, the answer is one of the table.
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
    test_runner::TestRunner,
};
use serde_json::{Value, json};
use tributary::ids::EventTypeId;

use crate::{
    bodies::{gzip, zstd},
    support::{Asking, TestApp, each},
};

/// One request, before it is known to whom.
#[derive(Debug, Clone)]
struct Case {
    route: usize,
    strict: Option<&'static str>,
    media: &'static str,
    encoding: &'static str,
    key: Option<u8>,
    cloud: Option<&'static str>,
    /// Which of the types takes the place of `%TYPE%`.
    named: usize,
    body: Vec<u8>,
}

const ROUTES: usize = 7;

/// Names and texts that mean something to somebody.
fn some_text() -> impl Strategy<Value = String> {
    let known = select(vec![
        "Amount",
        "Id",
        "EventTypeId",
        "Event",
        "IsEnabled",
        "specversion",
        "id",
        "source",
        "type",
        "data",
        "1.0",
        "%TYPE%",
        "",
        "'; DROP TABLE events; --",
        "<script>",
        "\u{0}",
        "\u{ffff}",
        "\u{1f600}",
        "Last Name",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => ".{0,12}"]
}

fn some_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        some_text().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec((some_text(), inner), 0..5).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

/// Something that one of the routes takes.
fn some_good_body() -> impl Strategy<Value = Vec<u8>> {
    select(vec![
        r#"{"Amount":1}"#,
        r#"[{"Amount":1.10,"Id":1},{"Amount":"x","Id":2},{"Id":1}]"#,
        "{\"Id\":1}\n{\"Id\":2}\n",
        r#"[{"EventTypeId":"%TYPE%","Event":{"Amount":1,"Id":3}}]"#,
        r#"{"EventTypeId":"%TYPE%","IsEnabled":true,"Event":{"a":[[[[1]]]]}}"#,
        r#"{"specversion":"1.0","id":"1","source":"s","type":"%TYPE%","data":{"Amount":2,"Id":4}}"#,
        r#"[{"specversion":"1.0","id":"2","source":"s","type":"%TYPE%","data":{"Id":5,"a":"\ud800","b":"\u0000"}}]"#,
        r#"{"a":1e400,"Id":1e400,"Id":-0}"#,
    ])
    .prop_map(|text| text.as_bytes().to_vec())
}

/// The same, with some bytes changed, left out or put in.
fn some_spoilt_body() -> impl Strategy<Value = Vec<u8>> {
    (some_good_body(), vec((any::<Index>(), any::<u8>(), 0..4_u8), 0..4)).prop_map(|(mut body, changes)| {
        for (place, byte, how) in changes {
            let at = place.index(body.len().max(1)).min(body.len().saturating_sub(1));
            match how {
                _ if body.is_empty() => body.push(byte),
                0 => body[at] = byte,
                1 => drop(body.remove(at)),
                2 => body.insert(at, byte),
                _ => body.truncate(at),
            }
        }
        body
    })
}

fn some_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => some_good_body(),
        4 => some_spoilt_body(),
        1 => vec(any::<u8>(), 0..300),
        1 => ".{0,60}".prop_map(String::into_bytes),
        2 => some_json().prop_map(|value| value.to_string().into_bytes()),
        1 => vec(some_json(), 0..4).prop_map(|values| {
            values.iter().map(Value::to_string).collect::<Vec<_>>().join("\n").into_bytes()
        }),
    ]
}

/// Anything to anywhere.
fn some_case() -> impl Strategy<Value = Case> {
    let media = select(vec![
        "application/json",
        "application/json; charset=utf-8",
        "application/x-ndjson",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "text/plain",
        "",
    ]);
    let encoding = select(vec!["", "", "", "", "gzip", "zstd", "not gzip", "not zstd", "br"]);
    let (strict, cloud) = (select(vec!["true", "true", "false", "", "x"]), select(vec!["1.0", "", "x"]));
    let headers = (option::weighted(0.3, strict), option::weighted(0.2, 0..4_u8), option::weighted(0.1, cloud));
    (0..ROUTES, media, encoding, headers, 0..3_usize, some_body()).prop_map(
        |(route, media, encoding, (strict, key, cloud), named, body)| Case {
            route,
            strict,
            media,
            encoding,
            key,
            cloud,
            named,
            body,
        },
    )
}

/// JSON, said to be JSON.
fn some_plain_case() -> impl Strategy<Value = Case> {
    (some_case(), prop_oneof![some_good_body(), some_spoilt_body()]).prop_map(|(case, body)| Case {
        strict: case.strict.filter(|strict| *strict != "x"),
        media: "application/json",
        encoding: "",
        cloud: None,
        body,
        ..case
    })
}

impl Case {
    fn asking(&self, app: &TestApp, types: &[EventTypeId; 3]) -> Asking {
        let one = |n: usize| format!("/events/{}", types[n]);
        let rest = match self.route {
            n @ 0..3 => one(n),
            3 => "/events".to_owned(),
            4 => "/events/anonymousevents".to_owned(),
            5 => format!("{}/validate", one(1)),
            _ => "/eventtypewhitelistings".to_owned(),
        };
        let query = self.strict.map_or_else(String::new, |strict| format!("?strict={strict}"));
        let mut asking =
            Asking::new("POST", app.path(&format!("{rest}{query}"))).header("x-cm-producttoken", &app.token);
        if !self.media.is_empty() {
            asking = asking.header("content-type", self.media);
        }
        // where a type is named, let it be one that is there, now and then
        let body = replaced(&self.body, b"%TYPE%", types[self.named].to_string().as_bytes());
        let (name, body) = match self.encoding {
            "gzip" => ("gzip", gzip(&body)),
            "zstd" => ("zstd", zstd(&body)),
            other => (other.trim_start_matches("not "), body),
        };
        if !name.is_empty() {
            asking = asking.header("content-encoding", name);
        }
        if let Some(key) = self.key {
            asking = asking.header("idempotency-key", key.to_string());
        }
        if let Some(version) = self.cloud {
            for (name, value) in
                [("ce-specversion", version), ("ce-id", "7"), ("ce-source", "s"), ("ce-type", &types[0].to_string())]
            {
                asking = asking.header(name, value);
            }
        }
        asking.body(body)
    }
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at..].starts_with(from) {
            out.extend_from_slice(to);
            at += from.len();
        } else {
            out.push(bytes[at]);
            at += 1;
        }
    }
    out
}

/// The answer keeps the document (asking checks that), is never of the server's fault, and what it says is stored is
/// found again.
async fn check(app: &TestApp, asking: Asking, keyed: bool) -> u16 {
    let answer = app.ask(asking.clone()).await;
    assert!(answer.status < 500, "{}", answer.text());
    let told = answer.json();
    let Some(receipt) = told["receiptId"].as_str() else { return answer.status };
    let found = app.receipt(receipt).await;
    assert_eq!(found.status, 200, "no receipt of {}", answer.text());
    let found = found.json();
    assert_eq!(found["rejected"], told["rejected"]);
    let number = |value: &Value| value.as_u64().expect("a number");
    let (accepted, duplicates) = (number(&found["accepted"]), number(&found["duplicates"]));
    let rejected = found["rejected"].as_array().expect("a list").len() as u64;
    let events = found["events"].as_array().expect("a list").len() as u64;
    assert_eq!(events, accepted + duplicates + rejected, "{found}");
    let told = (number(&told["accepted"]), number(&told["duplicates"]));
    let repeated = keyed && told == (0, accepted);
    assert!(repeated || told == (accepted, duplicates), "{told:?} and later {found}");
    answer.status
}

#[tokio::test(flavor = "multi_thread")]
async fn any_bytes_to_any_route_are_answered_by_the_table() {
    each(async |app: TestApp| {
        let types = [
            app.event_type(|details| details.anonymous = true).await,
            app.orders().await,
            app.unique_by(&["Id"]).await,
        ];
        let may = app.with_token(app.token_with(|details| details.can_configure = true).await.1);
        may.start().await;
        let cases = if app.db.is_sqlite() { 1500 } else { 700 };
        let config =
            ProptestConfig { cases, failure_persistence: None, max_shrink_iters: 500, ..ProptestConfig::default() };
        let seen = std::sync::Mutex::new(std::collections::BTreeMap::new());
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            TestRunner::new(config)
                .run(&prop_oneof![some_case(), some_plain_case()], |case| {
                    let status = handle.block_on(check(&may, case.asking(&may, &types), case.key.is_some()));
                    *seen.lock().unwrap().entry(status).or_insert(0) += 1;
                    Ok(())
                })
                .unwrap_or_else(|failed| panic!("{failed}"));
        });
        let seen = seen.into_inner().unwrap();
        // those that no run of chance leaves out; 403 has tables of its own
        for status in [200, 201, 400, 415, 422] {
            assert!(
                seen.contains_key(&status),
                "the requests are too much alike, none was answered {status}: {seen:?}"
            );
        }
    })
    .await;
}
