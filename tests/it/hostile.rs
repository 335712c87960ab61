//! Bodies and connections that mean no good.
use std::time::{Duration, Instant};

use serde_json::json;
use tributary::auth::Role;

use crate::{
    bodies::{gzip, zstd},
    support::{
        Answer, Asking, Connection, TestApp,
        browser::{Browser, account},
        each, oracle,
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_json_objects_is_400_and_stores_nothing() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        let bodies: Vec<Vec<u8>> = vec![
            "".into(),
            " \r\n\t".into(),
            "\u{feff}".into(),
            "[]".into(),
            " [ ] ".into(),
            "null".into(),
            "true".into(),
            "1".into(),
            "NaN".into(),
            r#""text""#.into(),
            r#"{"a":NaN}"#.into(),
            r#"{"a":Infinity}"#.into(),
            r#"{"a":-Infinity}"#.into(),
            r#"{"a":01}"#.into(),
            r#"{"a":.5}"#.into(),
            r#"{"a":1.}"#.into(),
            r#"{"a":+1}"#.into(),
            r#"{"a":0x1}"#.into(),
            r#"{"a":1,}"#.into(),
            r"{'a':1}".into(),
            r"{a:1}".into(),
            r#"{"a":1} {"a":2}"#.into(),
            r#"{"a":1}]"#.into(),
            r#"[{"a":1},]"#.into(),
            r#"[{"a":1},null]"#.into(),
            r#"[[{"a":1}]]"#.into(),
            r#"{"a":"\x"}"#.into(),
            r#"{"a":"\u12"}"#.into(),
            "{\"a\":\"raw\nbreak\"}".into(),
            "{\"a\":\"raw\0nul\"}".into(),
            "{\"a\":1}\0".into(),
            "// comment\n{}".into(),
            b"{\"a\":\"\xff\"}".to_vec(),
            b"{\"a\":\"\xc0\x80\"}".to_vec(),
            b"{\"a\":\"\xed\xa0\x80\"}".to_vec(),
            b"\xff\xfe{\0}\0".to_vec(),
            b"\x1f\x8b\x08".to_vec(),
            "a=1&b=2".into(),
            "<xml/>".into(),
            "[".repeat(100_000).into(),
            r#"{"a":"#.repeat(100_000).into(),
        ];
        for body in bodies {
            let told = String::from_utf8_lossy(&body).chars().take(40).collect::<String>();
            for rest in [format!("/events/{id}"), format!("/events/{id}/validate"), "/events".into()] {
                let answer = app.ask(app.post(&rest).body(body.clone())).await;
                assert_eq!(answer.status, 400, "{told} to {rest}: {}", answer.text());
            }
            let mut lines = app.to_type(id, body.clone());
            lines.headers[1].1 = "application/x-ndjson".into();
            // two events on a line are none; on two lines they would be two
            let answer = app.ask(lines).await;
            assert_eq!(answer.status, 400, "{told} as lines: {}", answer.text());
        }
        for body in [r#"{"Event":{}}"#, r#"{"EventTypeId":1,"Event":{}}"#, r#"{"EventTypeId":null}"#] {
            assert_eq!(app.ask(app.post("/events").body(body)).await.status, 400, "{body}");
        }
        let named = |event: &str| format!(r#"{{"EventTypeId":"{id}","Event":{event}}}"#);
        for event in ["1", "[]", "null", r#""{}""#, "{},\"Event\":{}"] {
            assert_eq!(app.ask(app.post("/events").body(named(event))).await.status, 400, "{event}");
        }
        assert_eq!(app.stored().await.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_nested_64_levels_at_most_counted_from_its_own_braces() {
    each(async |app: TestApp| {
        let any = app.event_type(|_| {}).await;
        let checked = app
            .event_type(|details| details.contract = crate::support::contract(r#"{"type":"object","maxProperties":9}"#))
            .await;
        app.start().await;
        let objects = |levels: usize| format!("{}{{}}{}", r#"{"a":"#.repeat(levels - 1), "}".repeat(levels - 1));
        let arrays = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels - 1), "]".repeat(levels - 1));
        let cloud = |event: String| {
            format!(r#"[{{"specversion":"1.0","id":"{}","source":"s","type":"{any}","data":{event}}}]"#, event.len())
        };
        for nested in [objects, arrays] as [fn(usize) -> String; 2] {
            for id in [any, checked] {
                let named = |event: String| format!(r#"[{{"EventTypeId":"{id}","Event":{event}}}]"#);
                assert_eq!(app.send(id, nested(64)).await.status, 201);
                assert_eq!(app.send(id, format!("[{}]", nested(64))).await.status, 201);
                assert_eq!(app.ask(app.post("/events").body(named(nested(64)))).await.status, 201);
                for levels in [65, 100, 129, 20_000] {
                    assert_eq!(app.send(id, nested(levels)).await.status, 400, "{levels}");
                    assert_eq!(app.send(id, format!("[{{}},{}]", nested(levels))).await.status, 400, "{levels}");
                    assert_eq!(app.ask(app.post("/events").body(named(nested(levels)))).await.status, 400, "{levels}");
                }
            }
            let mut asking = app.to_type(any, cloud(nested(64)));
            asking.headers[1].1 = "application/cloudevents-batch+json".into();
            assert_eq!(app.ask(asking.clone()).await.status, 201);
            asking.body = cloud(nested(65)).into();
            assert_eq!(app.ask(asking).await.status, 400);
        }
        assert_eq!(app.stored().await.len(), 2 * (2 * 3 + 1));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_event_is_told_in_a_few_kilobytes() {
    each(async |app: TestApp| {
        let (any, warning) = (
            app.event_type(|_| {}).await,
            app.event_type(|details| details.policy = tributary::event_types::Policy::Warn).await,
        );
        app.start().await;
        let nul = |key: &str, faults: usize| format!(r#"{{"{key}":[{}]}}"#, vec![r#""\u0000""#; faults].join(","));
        let twice = format!("{{{}}}", vec![r#""a":1"#; 30_000].join(","));
        let events = [nul(&"k".repeat(510), 28_000), nul(&r"\u0001".repeat(20_000), 12_000), twice];
        let body =
            gzip(format!("[{}]", events.iter().cycle().take(9).cloned().collect::<Vec<_>>().join(",")).as_bytes());
        for (id, status) in [(any, 422), (warning, 201)] {
            let answer = app.ask(app.to_type(id, body.clone()).header("content-encoding", "gzip")).await;
            assert_eq!(answer.status, status);
            // an answer may tell it twice, as `rejected` and `errors`
            assert!(answer.body.len() < 2 * 9 * (5 << 10), "{}", answer.body.len());
            let told = answer.json()[if id == any { "rejected" } else { "warnings" }].clone();
            let count = |at: usize| told[at]["errors"].as_array().unwrap().len();
            assert_eq!((count(0), count(2)), (20, 20), "{told}");
            assert!((1..=20).contains(&count(1)), "{told}");
        }
        for event in app.stored().await {
            let errors = event.errors.unwrap();
            assert!(errors.len() <= 4 << 10, "{}", errors.len());
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn millions_of_values_in_a_small_body_are_not_looked_into() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        // whole and broken alike: what is behind the most is not read
        for end in ["0]", "0", "}"] {
            let body = gzip(format!("[{}{end}", "0,".repeat(10 << 20).split_at((20 << 20) - 4).0).as_bytes());
            for rest in [format!("/events/{id}"), format!("/events/{id}/validate"), "/events".into()] {
                let asking = app.post(&rest).header("content-encoding", "gzip").body(body.clone());
                let answer = app.ask(asking).await;
                assert_eq!((answer.status, answer.detail().contains("more than 10000 events")), (413, true), "{rest}");
            }
        }
        assert_eq!(app.stored().await.len(), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_413_and_the_limit_itself_is_not() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        let event = |bytes: usize| format!(r#"{{"x":"{}"}}"#, "x".repeat(bytes - 8));
        let many = |events: usize| format!("[{}]", vec!["{}"; events].join(","));
        let padded = |bytes: usize| format!("{{}}{}", " ".repeat(bytes - 2));
        let lines = |body: String| {
            let mut asking = app.to_type(id, body);
            asking.headers[1].1 = "application/x-ndjson".into();
            asking
        };
        let packed = |body: Vec<u8>, encoding: &str| app.to_type(id, body).header("content-encoding", encoding);
        let zeros = |mib: usize| vec![b' '; mib << 20];
        let most = 256 << 10;
        for (status, what, asking) in [
            (201, "an event of 256 KiB", app.to_type(id, event(most))),
            (413, "an event of a byte more", app.to_type(id, event(most + 1))),
            (413, "beside a small one", app.to_type(id, format!("[{{}},{}]", event(most + 1)))),
            (201, "10,000 events", app.to_type(id, many(10_000))),
            (413, "10,001 events", app.to_type(id, many(10_001))),
            (201, "10,000 lines", lines("{}\n".repeat(10_000))),
            (413, "10,001 lines", lines("{}\n".repeat(10_001))),
            (201, "5 MiB", app.to_type(id, padded(5 << 20))),
            (413, "a byte more", app.to_type(id, padded((5 << 20) + 1))),
            (413, "a string of 10 MB", app.to_type(id, event(10_000_000))),
            (413, "a gzip bomb", packed(gzip(&zeros(200)), "gzip")),
            (413, "a zstd bomb", packed(zstd(&zeros(200)), "zstd")),
            (413, "a gzip bomb of several members", packed([gzip(&zeros(15)), gzip(&zeros(15))].concat(), "gzip")),
            (201, "20 MiB decompressed", packed(gzip(padded(20 << 20).as_bytes()), "gzip")),
            (413, "a byte more", packed(zstd(padded((20 << 20) + 1).as_bytes()), "zstd")),
            (400, "gzip cut short", packed(gzip(&zeros(1))[..500].to_vec(), "gzip")),
            (400, "zstd cut short", packed(zstd(&zeros(1))[..30].to_vec(), "zstd")),
            (400, "no gzip", packed(b"{}".to_vec(), "gzip")),
            (400, "no zstd", packed(b"{}".to_vec(), "zstd")),
            (400, "gzip and then something", packed([gzip(b"{}"), b"{}".to_vec()].concat(), "gzip")),
            (400, "an empty gzip", packed(gzip(b""), "gzip")),
            (400, "a zstd window of 128 MiB", packed(wide_zstd(), "zstd")),
            (415, "two encodings", packed(gzip(&gzip(b"{}")), "gzip, gzip")),
            (
                415,
                "two encodings in two headers",
                packed(gzip(&gzip(b"{}")), "gzip").header("content-encoding", "gzip"),
            ),
            (415, "brotli", packed(b"{}".to_vec(), "br")),
            (415, "deflate", packed(b"{}".to_vec(), "deflate")),
        ] {
            let began = Instant::now();
            let answer = app.ask(asking).await;
            assert_eq!(answer.status, status, "{what}: {}", answer.text());
            assert!(began.elapsed() < Duration::from_secs(20), "{what} took {:?}", began.elapsed());
        }
        assert_eq!(app.stored().await.len(), 1 + 10_000 + 10_000 + 1 + 1);
    })
    .await;
}

/// A zstd frame whose header asks for a window of 128 MiB.
fn wide_zstd() -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.window_log(27).unwrap();
    std::io::Write::write_all(&mut encoder, b"{}").unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_body_does_not_cost_its_sender_the_answer() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        app.start().await;
        let body = format!(r#"{{"x":"{}"}}"#, "x".repeat(9_000_000));
        let unknown = app.with_token("unknown");
        for (status, asking) in [
            (413, app.to_type(id, body.clone())),
            (401, unknown.to_type(id, body.clone())),
            (415, app.to_type(id, body.clone()).header("content-encoding", "br")),
            (404, app.post("/nothing").body(body.clone())),
        ] {
            // a client that reads only when it has written all
            let answer = app.ask(asking).await;
            assert_eq!(answer.status, status);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stalls_is_cut_off_and_stores_nothing() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start_with(&["--body-timeout", "0.4", "--header-timeout", "0.4"]).await;
        let head = |more: &str| {
            let path = app.path(&format!("/events/{id}"));
            format!("POST {path} HTTP/1.1\r\nhost: t\r\nx-cm-producttoken: {}\r\ncontent-type: application/json\r\n{more}\r\n", app.token)
        };
        let soon = Duration::from_secs(5);
        for (what, begin) in [
            ("a chunked body", format!("{}2\r\n{{}}\r\n", head("transfer-encoding: chunked\r\n"))),
            ("a body with a length", format!("{}{{", head("content-length: 2\r\n"))),
            ("a body that never begins", head("content-length: 2\r\nexpect: 100-continue\r\n")),
        ] {
            let mut connection = Connection::open(to).await;
            connection.write(begin.as_bytes()).await;
            let began = Instant::now();
            let answer = connection.answer("POST").await.unwrap_or_else(|| panic!("{what} was not answered"));
            oracle::check(&app.to_type(id, ""), &answer);
            assert_eq!(answer.status, 408, "{what}: {}", answer.text());
            assert!(began.elapsed() < soon, "{what}: {:?}", began.elapsed());
            assert_eq!(answer.header("connection"), Some("close"), "{what}");
            assert!(connection.is_closed_within(soon).await, "{what} left the connection open");
        }
        // one byte after the other, for ever
        let mut connection = Connection::open(to).await;
        connection.write(head("content-length: 1000\r\n").as_bytes()).await;
        let began = Instant::now();
        let mut dripping = true;
        while dripping && began.elapsed() < soon {
            dripping = tokio::io::AsyncWriteExt::write_all(&mut connection.stream, b" ").await.is_ok();
            tokio::time::sleep(Duration::from_millis(50)).await;
            if began.elapsed() > Duration::from_millis(800) {
                break;
            }
        }
        assert_eq!(connection.answer("POST").await.map(|answer| answer.status), Some(408));

        // heads that do not end, or never begin
        for begin in ["", "POST / HTTP/1.1\r\nhost:", head("").trim_end()] {
            let mut connection = Connection::open(to).await;
            connection.write(begin.as_bytes()).await;
            assert!(connection.is_closed_within(soon).await, "{begin:?} was waited for");
        }
        // a client that goes away in the middle is nothing to mind
        let mut connection = Connection::open(to).await;
        connection.write(head("content-length: 1000\r\n").as_bytes()).await;
        drop(connection);
        assert_eq!(app.send(id, "{}").await.status, 201);
        assert_eq!(app.stored().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_does_not_read_gives_up_the_place() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start_with(&["--max-connections", "1", "--write-timeout", "1"]).await;
        // far more answers than the sockets hold, asked for at once
        let mut greedy = Connection::open(to).await;
        let once = Asking::new("GET", "/openapi.json").bytes();
        greedy.write(&once.repeat(600)).await;
        // there is one place: who comes next is answered when the first one's is free
        let began = Instant::now();
        assert_eq!(app.send(id, "{}").await.status, 201);
        assert!(began.elapsed() >= Duration::from_millis(300), "the first did not hold its place");
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        drop(greedy);
        // one that reads slowly, but reads, keeps it
        let mut slow = Connection::open(to).await;
        slow.write(&once.repeat(200)).await;
        for _ in 0..200 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            assert_eq!(slow.answer("GET").await.expect("an answer").status, 200);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_sent_all_and_closes_that_side_is_answered() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start().await;
        let mut half = Connection::open(to).await;
        half.write(&app.to_type(id, r#"{"half":true}"#).bytes()).await;
        tokio::io::AsyncWriteExt::shutdown(&mut half.stream).await.unwrap();
        assert_eq!(half.answer("POST").await.expect("an answer").status, 201);
        assert!(half.is_closed_within(Duration::from_secs(5)).await, "nothing more can come, and it is kept");
        assert_eq!(app.stored().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_away_from_a_live_page_gives_up_the_place() {
    each(async |app: TestApp| {
        account(&app, "ada@example.com", Role::Consultant, None).await;
        let to = app.start_with(&["--max-connections", "1"]).await;
        let mut ada = Browser::signed_in(&app, "ada@example.com").await;
        let mut live = Connection::open(to).await;
        let asking = Asking::new("GET", format!("/tenants/{}/stream", app.tenant))
            .header("cookie", format!("tributary={}", ada.cookies["tributary"]));
        live.write(&asking.bytes()).await;
        let mut some = [0; 12];
        tokio::io::AsyncReadExt::read_exact(&mut live.stream, &mut some).await.unwrap();
        assert_eq!(&some, b"HTTP/1.1 200");
        drop(live);
        // there is one place: who comes next is answered when it is free
        let next = tokio::time::timeout(Duration::from_secs(12), ada.get("/account"));
        assert_eq!(next.await.expect("the place is free again").status, 200);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_head_of_a_request_has_16_kib() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start().await;
        let with = |padding: usize| app.to_type(id, "{}").header("x-padding", "x".repeat(padding));
        let rest = with(0).header("connection", "close").bytes().len();
        assert_eq!(with((16 << 10) - 1 - rest).send(to).await.status, 201);
        assert_eq!(with(16 << 10).send(to).await.status, 431);
        assert_eq!(app.stored().await.len(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_over_the_cap_wait_for_their_turn() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start_with(&["--max-connections", "2"]).await;
        let asking = app.to_type(id, "{}");
        let mut first = Connection::open(to).await;
        let mut second = Connection::open(to).await;
        for connection in [&mut first, &mut second] {
            assert_eq!(connection.ask(&asking).await.unwrap().status, 201);
        }
        let mut third = Connection::open(to).await;
        third.write(&asking.bytes()).await;
        let waiting = tokio::time::timeout(Duration::from_millis(400), third.answer("POST")).await;
        assert!(waiting.is_err(), "a third was served beside two");
        drop(first);
        assert_eq!(third.answer("POST").await.unwrap().status, 201);
        assert_eq!(second.ask(&asking).await.unwrap().status, 201);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_http_is_answered_or_cut_off_and_harms_nobody() {
    each(async |app: TestApp| {
        let id = app.event_type(|_| {}).await;
        let to = app.start().await;
        let path = app.path(&format!("/events/{id}"));
        let token = &app.token;
        let smuggled = format!("POST {path} HTTP/1.1\r\nhost: t\r\nx-cm-producttoken: {token}\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}");
        let head = format!("POST {path} HTTP/1.1\r\nhost: t\r\nx-cm-producttoken: {token}\r\ncontent-type: application/json\r\n");
        for (what, bytes) in [
            ("noise", "\u{16}\u{3}\u{1}\r\n\r\n".to_owned()),
            ("no version", "GET /\r\n\r\n".to_owned()),
            ("another protocol", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned()),
            ("a long target", format!("GET /{} HTTP/1.1\r\nhost: t\r\n\r\n", "x".repeat(100_000))),
            ("a long header", format!("GET / HTTP/1.1\r\nhost: t\r\nx: {}\r\n\r\n", "x".repeat(1_000_000))),
            ("many headers", format!("GET / HTTP/1.1\r\nhost: t\r\n{}\r\n", "x: y\r\n".repeat(500))),
            ("two lengths", format!("{head}content-length: 2\r\ncontent-length: 200\r\n\r\n{{}}")),
            ("no number as length", format!("{head}content-length: -2\r\n\r\n{{}}")),
            ("a bad chunk", format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n")),
            ("another coding", format!("{head}transfer-encoding: gzip\r\n\r\n{{}}")),
            ("length and chunks", format!("{head}content-length: {}\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}", 5 + smuggled.len())),
        ] {
            let mut connection = Connection::open(to).await;
            let _ = tokio::io::AsyncWriteExt::write_all(&mut connection.stream, bytes.as_bytes()).await;
            if let Some(answer) = connection.answer("POST").await {
                assert!((400..500).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
            }
        }
        assert_eq!(app.stored().await.len(), 0, "a request within a request was taken");
        let pipelined = format!("{smuggled}{smuggled}");
        let mut connection = Connection::open(to).await;
        connection.write(pipelined.as_bytes()).await;
        let status = |answer: Option<Answer>| answer.map(|answer| json!(answer.status));
        assert_eq!((status(connection.answer("POST").await), status(connection.answer("POST").await)), (Some(json!(201)), Some(json!(201))));
        assert_eq!(app.stored().await.len(), 2);
    })
    .await;
}
