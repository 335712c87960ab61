//! Lists, counts and walks, on both databases.
use std::collections::BTreeSet;

use chrono::TimeDelta;
use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::*;
use crate::{
    db::testing::each,
    events::{
        Source,
        testing::{Bench, Given, WRONG, some_token, some_type},
    },
};

/// What is wrong with every third event.
fn mixed(n: u128) -> Given<'static> {
    (some_type(n % 3), Some(some_token(n % 2)), r#"{"n":1}"#, n.is_multiple_of(4).then_some(WRONG))
}

fn matches(filter: &Filter, given: &Given) -> bool {
    filter.event_type.is_none_or(|asked| asked == given.0)
        && filter.source.is_none_or(|asked| given.1.map_or(Source::Anonymous, Source::Token) == asked)
        && filter.verdict.is_none_or(|asked| (asked == Verdict::Quarantined) == given.3.is_some())
}

fn every_filter() -> Vec<Filter> {
    let types = [None, Some(some_type(1))];
    let sources = [None, Some(Source::Token(some_token(1))), Some(Source::Anonymous)];
    let verdicts = [None, Some(Verdict::Accepted), Some(Verdict::Quarantined)];
    let mut filters = Vec::new();
    for event_type in types {
        for source in sources {
            for verdict in verdicts {
                filters.push(Filter { event_type, source, verdict, ..Filter::default() });
            }
        }
    }
    filters
}

#[tokio::test]
async fn every_filter_finds_and_counts_what_it_asks_for() {
    each(async |db| {
        let bench = Bench::new(&db);
        let permit = bench.permit();
        let mut sent = Vec::new();
        for n in 0..60 {
            let mut given = mixed(n);
            if n % 5 == 0 {
                given.1 = None;
            }
            sent.push((bench.send(&[given]).await.event(0), given));
            bench.send_as(TenantId::new(&bench.clock), ReceiptId::issue(&bench.clock), &[given]).await;
        }
        sent.sort_by_key(|(id, _)| std::cmp::Reverse(*id));
        for filter in every_filter() {
            let expected: Vec<_> =
                sent.iter().filter(|(_, given)| matches(&filter, given)).map(|(id, _)| *id).collect();
            let mut found = Vec::new();
            let mut cursor = Cursor::Newest;
            loop {
                // few rows to look at, so that the edge is met as well
                let page = look(&db, bench.tenant, &filter, cursor, 7, START, 9).await.unwrap();
                found.extend(page.events.iter().map(|event| event.id));
                let Some(older) = page.older else { break };
                cursor = Cursor::Before(older);
            }
            assert_eq!(found, expected, "{filter:?}");
            let counted = count(&db, &permit, &filter).await.unwrap();
            assert_eq!(usize::try_from(counted).unwrap(), expected.len(), "{filter:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn walking_there_and_back_while_events_arrive_neither_repeats_nor_skips() {
    each(async |db| {
        let bench = Bench::new(&db);
        let mut random = StdRng::seed_from_u64(7);
        for filter in every_filter() {
            let mut before = BTreeSet::new();
            for n in 0..40 {
                let given = mixed(n);
                let id = bench.send(&[given]).await.event(0);
                if matches(&filter, &given) {
                    before.insert(id);
                }
            }
            let known: BTreeSet<_> = before.clone();
            let oldest = known.first().copied();
            let limit = random.random_range(1..9);
            let at_most = random.random_range(2..15);
            let mut cursor = Cursor::Newest;
            let mut there = Vec::new();
            let turning = loop {
                let page = look(&db, bench.tenant, &filter, cursor, limit, START, at_most).await.unwrap();
                assert!(page.events.len() <= limit);
                there.extend(page.events.iter().map(|event| event.id));
                bench.send(&[mixed(random.random_range(0..12))]).await;
                match page.older {
                    Some(older) if page.events.last().is_none_or(|last| Some(last.id) > oldest) => {
                        cursor = Cursor::Before(older);
                    }
                    _ => break page,
                }
            };
            assert!(there.is_sorted_by(|a, b| a > b), "{filter:?}: repeated or out of order");
            assert!(known.iter().all(|id| there.contains(id)), "{filter:?}: skipped on the way to older ones");

            // and back, from the last page
            let mut back: Vec<_> = turning.events.iter().rev().map(|event| event.id).collect();
            let mut newer = turning.newer;
            while let Some(after) = newer {
                let page = look(&db, bench.tenant, &filter, Cursor::After(after), limit, START, at_most).await.unwrap();
                back.extend(page.events.iter().rev().map(|event| event.id));
                if random.random_range(0..3) == 0 {
                    bench.send(&[mixed(random.random_range(0..12))]).await;
                }
                newer = page.newer;
            }
            assert!(back.is_sorted_by(|a, b| a < b), "{filter:?}: repeated or out of order on the way back");
            let from = turning.events.last().map(|event| event.id);
            let missing: Vec<_> =
                known.iter().filter(|id| from.is_none_or(|from| **id >= from) && !back.contains(id)).collect();
            assert!(missing.is_empty(), "{filter:?}: skipped on the way back: {missing:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn times_and_receipts_are_ranges() {
    each(async |db| {
        let bench = Bench::new(&db);
        let permit = bench.permit();
        let mut receipts = Vec::new();
        for _ in 0..3 {
            receipts.push(bench.send(&[mixed(1), mixed(4), mixed(2)]).await);
            bench.clock.advance(60);
        }
        let found = async |filter: Filter| {
            let page = page(&db, &permit, &filter, Cursor::Newest, 50).await.unwrap();
            page.events.into_iter().map(|event| event.id).collect::<Vec<_>>()
        };
        let events = |receipt: ReceiptId| (0..3).rev().map(|index| receipt.event(index)).collect::<Vec<_>>();
        let (from, until) = (receipts[1].received_at(), receipts[2].received_at());
        let filter = Filter { from: Some(from), until: Some(until), ..Filter::default() };
        assert_eq!(found(filter).await, events(receipts[1]), "from is within, until is not");
        assert_eq!(found(Filter { receipt: Some(receipts[2]), ..Filter::default() }).await, events(receipts[2]));
        let never = Filter { from: Some(until), until: Some(from), ..Filter::default() };
        assert!(found(never).await.is_empty());

        let fared = of_receipt(&db, bench.tenant, receipts[0]).await.unwrap();
        assert_eq!(fared.iter().map(|one| one.id.index()).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(fared[1].errors.as_deref(), Some(WRONG));
        assert_eq!(fared[1].verdict, Verdict::Quarantined);
        assert_eq!(fared[0].verdict, Verdict::Accepted);
        assert!(receipt_row(&db, bench.tenant, receipts[0]).await.unwrap().is_none());
    })
    .await;
}

#[tokio::test]
async fn an_event_is_given_as_sent_and_to_its_tenant_alone() {
    each(async |db| {
        let bench = Bench::new(&db);
        let payload = format!(r#"{{ "n" : 1.000000000000000000001,  "ü":"{}" }}"#, "é".repeat(1000));
        let id = bench.one(some_type(0), &payload).await;
        let event = one(&db, &bench.permit(), id).await.unwrap().unwrap();
        assert_eq!((event.payload.as_str(), event.source_id), (payload.as_str(), None));
        let listed = page(&db, &bench.permit(), &Filter::default(), Cursor::Newest, 5).await.unwrap();
        let start: String = payload.chars().take(300).collect();
        assert_eq!(listed.events[0].payload, start);
        let whole = whole_page(&db, &bench.permit(), &Filter::default(), Cursor::Newest, 5).await.unwrap();
        assert_eq!(whole.events[0].payload, payload);

        let stranger = Bench::new(&db);
        assert!(one(&db, &stranger.permit(), id).await.unwrap().is_none());
        assert!(any(&db, &bench.permit()).await.unwrap());
        assert!(!any(&db, &stranger.permit()).await.unwrap());
    })
    .await;
}

#[tokio::test]
async fn a_page_that_looked_far_enough_says_how_far() {
    each(async |db| {
        let bench = Bench::new(&db);
        let wanted = bench.send(&[(some_type(0), Some(some_token(9)), "{}", None)]).await.event(0);
        for n in 0..20 {
            bench.send(&[mixed(n)]).await;
        }
        let filter = Filter { source: Some(Source::Token(some_token(9))), ..Filter::default() };
        let first = look(&db, bench.tenant, &filter, Cursor::Newest, 5, START, 15).await.unwrap();
        assert!(first.events.is_empty() && first.scanned_to.is_some());
        let next = Cursor::Before(first.older.unwrap());
        let second = look(&db, bench.tenant, &filter, next, 5, START, 15).await.unwrap();
        assert_eq!(second.events.iter().map(|event| event.id).collect::<Vec<_>>(), [wanted]);
        assert_eq!((second.older, second.scanned_to), (None, None));
    })
    .await;
}

#[tokio::test]
async fn from_an_empty_page_one_comes_back_to_the_event_it_began_at() {
    each(async |db| {
        let bench = Bench::new(&db);
        let (permit, all) = (bench.permit(), Filter::default());
        let only = bench.one(some_type(0), "{}").await;
        let below = page(&db, &permit, &all, Cursor::Before(only), 5).await.unwrap();
        assert!(below.events.is_empty() && below.older.is_none());
        let back = page(&db, &permit, &all, Cursor::After(below.newer.unwrap()), 5).await.unwrap();
        assert_eq!(back.events.iter().map(|event| event.id).collect::<Vec<_>>(), [only]);
        let above = page(&db, &permit, &all, Cursor::After(only), 5).await.unwrap();
        assert!(above.events.is_empty() && above.newer.is_none());
        let back = page(&db, &permit, &all, Cursor::Before(above.older.unwrap()), 5).await.unwrap();
        assert_eq!(back.events.iter().map(|event| event.id).collect::<Vec<_>>(), [only]);
    })
    .await;
}

/// The plan of a statement on SQLite, in its words.
async fn plan(db: &Db, text: &str, arguments: usize) -> String {
    let Db::Sqlite { read, .. } = db else { panic!("only SQLite explains itself so") };
    let mut query =
        sqlx::query_as::<_, (i64, i64, i64, String)>(sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}")));
    for _ in 0..arguments {
        query = query.bind(None::<i64>);
    }
    let steps = query.fetch_all(read).await.unwrap();
    steps.into_iter().map(|(.., words)| words).collect::<Vec<_>>().join("; ")
}

#[tokio::test]
async fn every_statement_walks_along_its_index() {
    each(async |db| {
        if !db.is_sqlite() {
            return;
        }
        let (all, of_type, quarantined) = ("sqlite_autoindex_events_1", "events_of_type", "events_quarantined");
        let mut statements = vec![(OF_RECEIPT, 3, all)];
        for (along, index) in
            [(Along::All, all), (Along::Type(some_type(0)), of_type), (Along::Quarantined, quarantined)]
        {
            for towards in [Towards::Older, Towards::Newer] {
                statements.push((along.list(towards, true), 9, index));
                statements.push((along.list(towards, false), 9, index));
                statements.push((along.ids(towards), 6, index));
            }
            statements.push((along.count(true), 4, if matches!(along, Along::All) { "" } else { index }));
            statements.push((along.count(false), 7, index));
        }
        for (text, arguments, index) in statements {
            let plan = plan(&db, text, arguments).await;
            let (id, pair) = ("id>? AND id<?", "(event_type_id,id)>(?,?) AND (event_type_id,id)<(?,?)");
            assert!(
                plan.starts_with("SEARCH") && plan.contains(index) && (plan.contains(id) || plan.contains(pair)),
                "{text}\n{plan}"
            );
            assert!(!plan.contains("TEMP B-TREE") && !plan.contains("SCAN"), "{text}\n{plan}");
        }
        let plan = plan(&db, LAST_OF_TYPES, 2).await;
        assert!(plan.contains("events_of_type") && !plan.contains("SCAN"), "{plan}");
    })
    .await;
}

#[tokio::test]
async fn postgresql_reads_a_page_without_sorting_its_range() {
    each(async |db| {
        let Db::Postgres(pool) = &db else { return };
        let fill = "INSERT INTO events
            SELECT CAST('00000000-0000-0000-0000-00000000000' || (n % 2) AS UUID), CAST(lpad(to_hex(n), 32, '0') AS UUID),
                   CAST('00000000-0000-0000-0000-00000000000' || (n % 7) AS UUID), NULL,
                   CASE WHEN n % 50 = 0 THEN 'quarantined' ELSE 'accepted' END, repeat('x', 200), NULL
            FROM generate_series(1, 40000) AS n";
        sqlx::raw_sql(fill).execute(pool).await.unwrap();
        sqlx::raw_sql("ANALYZE events").execute(pool).await.unwrap();
        let event_type = some_type(3);
        for (along, index) in [
            (Along::All, "events_pkey"),
            (Along::Type(event_type), "events_of_type"),
            (Along::Quarantined, "events_quarantined"),
        ] {
            for towards in [Towards::Older, Towards::Newer] {
                let mut connection = pool.acquire().await.unwrap();
                // as it is planned once for all values, which is what a statement used often comes to
                sqlx::raw_sql("SET plan_cache_mode = force_generic_plan").execute(&mut *connection).await.unwrap();
                let text = format!(
                    "PREPARE listed (uuid, uuid, uuid, uuid, uuid, text, uuid, int, bigint) AS {}",
                    along.list(towards, true)
                );
                sqlx::raw_sql(sqlx::AssertSqlSafe(text)).execute(&mut *connection).await.unwrap();
                let nil = uuid::Uuid::nil();
                let explain = format!(
                    "EXPLAIN EXECUTE listed ('{nil}', '{nil}', '{}', '{event_type}', NULL, NULL, '{nil}', 300, 51)",
                    uuid::Uuid::max()
                );
                let steps: Vec<(String,)> =
                    sqlx::query_as(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
                let plan = steps.into_iter().map(|(words,)| words).collect::<Vec<_>>().join("\n");
                assert!(plan.contains(index) && !plan.contains("Sort"), "{along:?} {towards:?}\n{plan}");
                sqlx::raw_sql("DEALLOCATE listed").execute(&mut *connection).await.unwrap();
            }
        }
    })
    .await;
}

#[tokio::test]
async fn the_streams_are_told_the_newest_and_what_lies_between() {
    each(async |db| {
        let bench = Bench::new(&db);
        let start = EventId::floor(bench.clock.now() - TimeDelta::seconds(1));
        let mut ids = Vec::new();
        for n in 0..6 {
            ids.push(bench.one(some_type(n % 2), "{}").await);
        }
        ids.sort();
        let told = since(&db, bench.tenant, None, ids[1], 3, START).await.unwrap();
        assert_eq!(told.iter().map(|event| event.id).collect::<Vec<_>>(), [ids[5], ids[4], ids[3]]);
        let one_type = since(&db, bench.tenant, Some(some_type(1)), start, 10, START).await.unwrap();
        assert_eq!(one_type.len(), 3);
        let between = ids_between(&db, bench.tenant, None, ids[0], ids[2], 10).await.unwrap();
        assert_eq!(between, [ids[2], ids[1]]);
        assert!(start_of(&db, bench.tenant, ids[0], START).await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn events_accepted_with_a_warning_are_found_and_counted() {
    each(async |db| {
        let bench = Bench::new(&db);
        let mut warned = Vec::new();
        for n in 0..30_u128 {
            let id = bench.send(&[mixed(n)]).await.event(0);
            if !n.is_multiple_of(4) && n.is_multiple_of(5) {
                warned.push(id);
            }
        }
        let ids = warned.clone();
        let write = db.write(move |tx| {
            Box::pin(async move {
                for id in ids {
                    sql!(exec tx, "UPDATE events SET errors = $2 WHERE id = $1", id, WRONG)?;
                }
                Ok(())
            })
        });
        write.await.unwrap();
        warned.reverse();
        let filter = Filter { verdict: Some(Verdict::Accepted), warned: true, ..Filter::default() };
        for at_most in [7, 50_000] {
            let (mut found, mut cursor) = (Vec::new(), Cursor::Newest);
            loop {
                let page = look(&db, bench.tenant, &filter, cursor, 2, START, at_most).await.unwrap();
                found.extend(page.events.iter().map(|event| event.id));
                let Some(older) = page.older else { break };
                cursor = Cursor::Before(older);
            }
            assert_eq!(found, warned);
        }
        let permit = bench.permit();
        assert_eq!(count(&db, &permit, &filter).await.unwrap(), i64::try_from(warned.len()).unwrap());
        let all = Filter { warned: false, ..filter };
        assert_eq!(count(&db, &permit, &all).await.unwrap(), 30 - 8);
        assert_eq!(warned_of_type(&db, &permit, some_type(2), 100).await.unwrap(), (10, 1));
        assert_eq!(warned_of_type(&db, &permit, some_type(2), 3).await.unwrap(), (3, 0));
    })
    .await;
}
