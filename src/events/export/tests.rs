//! Exports as they are written, step by step.
use super::*;
use crate::{
    auth::Role,
    db::testing::each,
    events::testing::{Bench, Browser, WRONG, some_token, some_type},
    jobs::{Jobs, State, store as tasks, worker},
};

fn app(bench: &Bench) -> App {
    let app = crate::auth::testing::app(&bench.db, &bench.clock);
    App { lane: bench.lane.clone(), jobs: Jobs::new(crate::server::KINDS), ..app }
}

async fn done(bench: &Bench, filter: &Filter, format: Format) -> Task {
    let permit = bench.permit();
    let counted = estimate(&bench.db, &permit, filter).await.unwrap();
    let order = Order::new(filter, format, None, None);
    let id = start(&bench.db, &bench.clock, &permit, order, counted).await.unwrap();
    let task = tasks::claim(&bench.db, &bench.clock).await.unwrap().unwrap();
    worker::turn(&app(bench), task).await;
    jobs::get(&bench.db, &permit, id).await.unwrap()
}

async fn text(db: &Db, task: &Task) -> String {
    let mut text = Vec::new();
    let mut number = 0;
    while let Some(piece) = output::piece(db, task.tenant, task.id, number).await.unwrap() {
        assert!(piece.len() <= output::PIECE);
        text.extend(output::text(&piece).unwrap());
        number += 1;
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn every_event_of_the_filter_is_there_once_and_as_it_was_sent() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let stranger = Bench::with_tenant(&db).await;
        stranger.one(some_type(0), r#"{"whose":"another's"}"#).await;
        let mut sent = Vec::new();
        for n in 0..60 {
            // long enough that it takes several steps and pieces
            let noise: String = (0..4_000).map(|_| char::from(rand::random_range(b'a'..=b'z'))).collect();
            let payloads: Vec<_> =
                (0..20).map(|k| format!("{{ \"n\":{n}.{k}00000000000000000001, \"noise\" : \"{noise}\" }}")).collect();
            let token = Some(some_token(n % 2));
            let of = |k: usize| (some_type(n % 3), token, payloads[k].as_str(), (k == 0).then_some(WRONG));
            bench.send(&(0..20).map(of).collect::<Vec<_>>()).await;
            sent.extend(payloads);
        }
        let task = done(&bench, &Filter::default(), Format::Jsonl).await;
        assert_eq!((task.state, task.done, task.total), (State::Done, 1_200, Some(1_200)), "{:?}", task.error);
        let file = text(&db, &task).await;
        assert_eq!(i64::try_from(file.len()).unwrap(), task.counter("bytes"));
        let mut found = Vec::new();
        for line in file.lines() {
            let (_, rest) = line.split_once("\"payload\":").unwrap();
            found.push(rest.rsplit_once(",\"errors\":").unwrap().0.to_owned());
        }
        found.sort();
        sent.sort();
        assert!(found == sent, "{} of {}", found.len(), sent.len());
        assert!(file.lines().map(|line| &line[7..43]).is_sorted_by(|a, b| a > b), "newest first, each once");

        let quarantined = Filter { verdict: Some(Verdict::Quarantined), ..Filter::default() };
        let filter = Filter {
            event_type: Some(some_type(1)),
            source: Some(super::super::Source::Token(some_token(1))),
            ..quarantined.clone()
        };
        for (filter, count) in [(quarantined, 60), (filter, 10)] {
            assert_eq!(estimate(&db, &bench.permit(), &filter).await.unwrap(), Estimate::Exactly(count));
            let task = done(&bench, &filter, Format::Csv).await;
            let file = text(&db, &task).await;
            assert_eq!((task.done, file.matches("\r\n").count()), (count, usize::try_from(count).unwrap() + 1));
            assert!(file.starts_with("id,receivedAt,eventTypeId,verdict,sourceId,errors,n,noise,otherFields\r\n"));
        }
    })
    .await;
}

#[tokio::test]
async fn one_that_was_cut_off_goes_on_without_a_gap_or_a_repeat() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let noise = "x".repeat(30_000);
        for n in 0..300 {
            bench.one(some_type(0), &format!("{{\"n\":{n},\"noise\":\"{noise}\"}}")).await;
        }
        let (app, permit) = (app(&bench), bench.permit());
        let order = Order::new(&Filter::default(), Format::Jsonl, None, None);
        let id = start(&db, &bench.clock, &permit, order, Estimate::More).await.unwrap();
        let task = tasks::claim(&db, &bench.clock).await.unwrap().unwrap();
        // one step, and what came of a second is lost with its process
        let effects = write_some(&app, &task, LONGEST).await.unwrap();
        let task = tasks::commit(&db, &bench.clock, &task, effects).await.unwrap().unwrap();
        assert!(task.state == State::Running && task.done > 0 && task.done < 300, "{}", task.done);
        drop(write_some(&app, &task, LONGEST).await.unwrap());
        bench.one(some_type(0), "{\"n\":\"late\"}").await;
        worker::turn(&app, task).await;
        let task = jobs::get(&db, &permit, id).await.unwrap();
        let file = text(&db, &task).await;
        let mut found: Vec<i64> = file
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["payload"]["n"].as_i64().unwrap())
            .collect();
        // those of one millisecond stand in any order
        found.sort_unstable();
        assert_eq!(found, (0..300).collect::<Vec<_>>(), "what came later is not of it");
    })
    .await;
}

#[tokio::test]
async fn one_that_grows_too_long_says_what_to_do() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        bench.one(some_type(0), &format!("{{\"noise\":\"{}\"}}", "x".repeat(2_000))).await;
        let order = Order::new(&Filter::default(), Format::Jsonl, None, None);
        start(&db, &bench.clock, &bench.permit(), order, Estimate::More).await.unwrap();
        let task = tasks::claim(&db, &bench.clock).await.unwrap().unwrap();
        let effects = write_some(&app(&bench), &task, 1_000).await.unwrap();
        let task = tasks::commit(&db, &bench.clock, &task, effects).await.unwrap().unwrap();
        assert_eq!(task.state, State::Failed);
        assert!(task.error.as_deref().unwrap().contains("Narrow the filter"), "{:?}", task.error);
        assert_eq!(text(&db, &task).await, "");
    })
    .await;
}

#[tokio::test]
async fn it_is_asked_for_and_its_file_handed_out_by_pages() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let evil = bench.named_type("<script>alert(1)</script>").await;
        let ada = Browser::new(&bench, Role::Consultant, None).await;
        let base = format!("/tenants/{}", bench.tenant);
        assert!(ada.page(&format!("{base}/exports/new")).await.contains("There is nothing to export"));
        bench.one(evil, r#"{"a":"=1"}"#).await;
        let explorer = ada.page(&format!("{base}/events?type={evil}")).await;
        assert!(explorer.contains(&format!("{base}/exports/new?type={evil}")), "a way there");
        let page = ada.page(&format!("{base}/exports/new?type={evil}&from=nonsense")).await;
        assert!(page.contains("1 event") && page.contains("&lt;script&gt;") && !page.contains("<script>alert"));
        assert!(page.contains("left out") && page.contains("tributary events export --tenant"));

        let filter = Filter { event_type: Some(evil), ..Filter::default() };
        let task = done(&bench, &filter, Format::Csv).await;
        let path = format!("{base}/exports/{}", task.id);
        let file = ada.page(&path).await;
        assert!(file.starts_with("id,") && file.contains(",'=1,"), "{file}");
        let answer = ada.ask(&path).await;
        let disposition = answer.headers()["content-disposition"].to_str().unwrap();
        assert!(disposition.starts_with("attachment; filename=\"events-20") && disposition.ends_with(".csv\""));
        let packed = ada.ask(&format!("{path}?compressed=gzip")).await;
        assert_eq!(packed.headers()["content-type"], "application/gzip");
        let downloads = "SELECT COUNT(*) FROM audit WHERE action = 'events.download' AND actor LIKE '%@example.com'";
        assert_eq!(sql!(value i64, db, downloads).unwrap(), 3);

        let about = about(&task, bench.clock.now());
        assert_eq!(about.files[0].0, path);
        bench.clock.advance(8 * 86_400);
        // a session does not last that long either
        let ada = Browser::new(&bench, Role::Consultant, None).await;
        assert_eq!(ada.ask(&path).await.status(), 404, "its time is over");
        assert!(super::about(&task, bench.clock.now()).files.is_empty());
        let stranger = Browser::new(&bench, Role::Consultant, Some(crate::ids::TenantId::new(&bench.clock))).await;
        assert_eq!(stranger.ask(&path).await.status(), 404);
        let other = Bench::with_tenant(&db).await;
        assert_eq!(ada.ask(&format!("/tenants/{}/exports/{}", other.tenant, task.id)).await.status(), 404);
    })
    .await;
}
