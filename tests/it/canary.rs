//! A token and a payload that sing when they are found where they do not belong: in logs, errors, pages, headers.
use crate::support::{
    Answer, Asking, ORDER, TestApp, contract, each_address,
    program::{Served, tributary},
};

const SECRET: &str = "canary-4d1f-payload";

/// Everything that came back, as text.
fn whole(answer: &Answer) -> String {
    let headers: Vec<_> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{}\n{}\n{}", answer.status, headers.join("\n"), answer.text())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_token_and_no_payload_is_found_in_logs_errors_or_pages() {
    each_address(async |address| {
        let app = TestApp::new(address).await;
        let id = app
            .event_type(|details| {
                let text = r#","Note":{"type":"string","maxLength":3},"Kind":{"enum":["a","b"]},"When":{"format":"date"}"#;
                details.contract = contract(&ORDER.replace(r#""Amount":{"type":"number"}"#, &format!(r#""Amount":{{"type":"number"}}{text}"#)));
            })
            .await;
        let unique = app.unique_by(&["Id"]).await;
        let may = app.token_with(|details| details.can_configure = true).await.1;
        let tokens = [app.token.clone(), may.clone(), "trb_wrongcanary0000000000000000000000".to_owned()];
        let mut command = tributary(&app.database);
        command.env("RUST_LOG", "trace");
        let served = Served::start(command);

        let path = app.path(&format!("/events/{id}"));
        let query = |token: &str| format!("?X-CM-PRODUCTTOKEN={token}&strict=false");
        let mut answers = Vec::new();
        for token in &tokens {
            for body in [
                r#"{"Amount":1,"Extra":"canary-4d1f-payload"}"#,
                r#"{"Amount":"canary-4d1f-payload","Note":"canary-4d1f-payload","Kind":"canary-4d1f-payload","When":"canary-4d1f-payload"}"#,
                r#"{"Amount":canary-4d1f-payload}"#,
                r#""canary-4d1f-payload""#,
                r#"{"Amount":1,"a":"canary-4d1f-payload\u0000"}"#,
                r#"[{"Amount":1,"Extra":"canary-4d1f-payload"}"#,
            ] {
                for place in ["header", "query", "bearer"] {
                    for rest in ["", "/validate", "/not/there"] {
                        let mut asking = Asking::new("POST", format!("{path}{rest}")).header("content-type", "application/json");
                        match place {
                            "header" => asking = asking.header("X-CM-PRODUCTTOKEN", token),
                            "query" => asking.target.push_str(&query(token)),
                            _ => asking = asking.header("Authorization", format!("Bearer {token}")),
                        }
                        answers.push(asking.body(body).header("idempotency-key", format!("{SECRET}{body}")).send(served.to).await);
                    }
                }
            }
            let post = |target: String, body: String| {
                Asking::new("POST", target).header("x-cm-producttoken", token).header("content-type", "application/json").body(body)
            };
            let plain = |rest: &str, body: &str| post(app.path(rest), body.to_owned());
            for asking in [
                plain("/events", &format!(r#"[{{"EventTypeId":"{SECRET}","Event":{{}}}}]"#)),
                plain("/events", &format!(r#"{{"EventTypeId":{{"{SECRET}":1}},"Event":{{}}}}"#)),
                plain("/events", &format!(r#"[{{"EventTypeId":"{id}","Event":"{SECRET}"}}]"#)),
                plain(&format!("/events/{unique}"), &format!(r#"[{{"Id":"{SECRET}"}},{{"Id":"{SECRET}","x":1}}]"#)),
                plain("/eventtypewhitelistings", &format!(r#"{{"EventTypeId":"{SECRET}","IsEnabled":true}}"#)),
                plain("/eventtypewhitelistings", &format!(r#"{{"EventTypeId":"{id}","IsEnabled":"{SECRET}"}}"#)),
                plain("/eventtypewhitelistings", &format!(r#"{{"EventTypeId":"{unique}","IsEnabled":true}}"#)),
                plain("/events/anonymousevents", &format!(r#"[{{"EventTypeId":"{id}","Event":{{"a":"{SECRET}"}}}}]"#)),
                post(format!("{path}{}", query(token)), format!(r#"{{"specversion":"{SECRET}","id":"1"}}"#)).header("ce-id", SECRET),
                post(path.clone(), "{}".into()).header("content-type", SECRET),
                post(path.clone(), "{}".into()).header("content-encoding", SECRET),
                post(path.clone(), "{}".into()).header("authorization", format!("Bearer {SECRET}")),
                post(format!("{path}?strict={SECRET}"), "{}".into()),
                Asking { method: "DELETE".into(), ..post(format!("{path}{}", query(token)), "{}".into()) },
                Asking::new("GET", format!("{}{}", app.path(&format!("/receipts/{id}")), query(token))),
                // pages, for whoever pastes the address into a browser
                Asking::new("GET", format!("/{}", query(token))).header("accept", "text/html"),
                Asking::new("GET", format!("/login{}", query(token))).header("accept", "text/html"),
                Asking::new("GET", format!("/nothing{}", query(token))).header("accept", "text/html"),
                Asking::new("POST", format!("/login{}", query(token)))
                    .header("accept", "text/html")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .body(format!("email=a%40b.example&password={SECRET}")),
            ] {
                answers.push(asking.send(served.to).await);
            }
        }
        let statuses: std::collections::BTreeSet<_> = answers.iter().map(|answer| answer.status).collect();
        for status in [200, 201, 400, 401, 403, 404, 405, 415, 422] {
            assert!(statuses.contains(&status), "the canary was not taken to a {status}: {statuses:?}");
        }
        // stored it is, of course
        assert!(app.payloads().await.iter().any(|payload| payload.contains(SECRET)));
        app.db.close().await;

        let (code, out, log, _) = served.terminate();
        assert_eq!(code, Some(0));
        let seen = ["DEBUG", "sqlx::query", "tributary::server", "INSERT INTO events"].iter().all(|word| log.contains(word));
        assert!(seen, "not all of the log was seen: {}", log.chars().take(5000).collect::<String>());
        let answers = answers.iter().map(whole).collect::<Vec<_>>().join("\n");
        for (place, text) in [("log", log), ("answers", answers), ("standard output", out)] {
            for word in tokens.iter().map(String::as_str).chain([SECRET]) {
                // recognising a token by its first characters is allowed, and nothing beyond
                let sung = &word[word.len().min(13)..];
                if let Some(line) = text.lines().find(|line| line.contains(word) || (word != SECRET && line.contains(sung))) {
                    panic!("the canary sings in the {place}: {line}");
                }
            }
        }
    })
    .await;
}
