//! The index, its filling and the walk, on both databases.
use std::collections::BTreeSet;

use super::{
    follow::Following,
    store::{self, knows, standing},
    walk::{NEWER, NEWER_IDS, OLDER, OLDER_IDS, Walk},
};
use crate::{
    app::App,
    auth::{Actor, Configure, Permit},
    db::{Db, Reach, testing::each},
    event_types::{self, SearchableFields},
    events::{
        Cursor, FieldIs, Filter, Source, Verdict, follower,
        retention::Sweeper,
        store::START,
        testing::{Bench, WRONG, some_token},
    },
    ids::{EventId, EventTypeId},
    jobs::{self, Jobs, State, store as tasks, worker},
    sql,
};

fn app(bench: &Bench) -> App {
    let app = crate::auth::testing::app(&bench.db, &bench.clock);
    App { lane: bench.lane.clone(), jobs: Jobs::new(crate::server::KINDS), ..app }
}

fn permit(bench: &Bench) -> Permit<Configure> {
    Actor::cli().permit(bench.tenant).unwrap()
}

async fn mark(bench: &Bench, id: EventTypeId, fields: &[&str]) {
    let fields = SearchableFields::parse(fields).unwrap();
    let change = |details: &mut event_types::Details| details.searchable_fields = fields;
    event_types::update(&bench.db, &bench.clock, &permit(bench), id, change).await.unwrap();
}

/// A type that is made with searchable fields: nothing has to be filled in.
async fn type_by(bench: &Bench, fields: &[&str]) -> EventTypeId {
    let mut details = event_types::Details::named("Order".parse().unwrap());
    details.searchable_fields = SearchableFields::parse(fields).unwrap();
    event_types::create(&bench.db, &bench.clock, &permit(bench), None, details).await.unwrap().id
}

/// Works off what the front door has left.
async fn follow(db: &Db) {
    while follower::step(db).await.unwrap() > 0 {}
    let mut following = Following::default();
    while following.step(db).await.unwrap() {}
}

async fn rows(db: &Db) -> i64 {
    sql!(value i64, db, "SELECT COUNT(*) FROM field_values").unwrap()
}

async fn found(bench: &Bench, filter: &Filter, by_index: bool) -> Vec<EventId> {
    let mut walk = Walk::new(&bench.db, bench.tenant, filter, filter.field.as_ref().unwrap(), START).await.unwrap();
    assert_eq!(walk.index.is_some(), by_index, "{filter:?}");
    // few at once, so that edges are met
    walk.at_most = 7;
    let (mut ids, mut cursor) = (Vec::new(), Cursor::Newest);
    loop {
        let page = walk.page(cursor, 3).await.unwrap();
        assert!(page.events.len() <= 3);
        ids.extend(page.events.iter().map(|event| event.id));
        let Some(older) = page.older else { break };
        cursor = Cursor::Before(older);
    }
    assert_eq!(i64::try_from(ids.len()).unwrap(), walk.count().await.unwrap(), "{filter:?}");
    // and back
    let (mut back, mut cursor) = (Vec::new(), Cursor::After(EventId(uuid::Uuid::nil())));
    loop {
        let page = walk.page(cursor, 2).await.unwrap();
        back.extend(page.events.iter().rev().map(|event| event.id));
        let Some(newer) = page.newer else { break };
        cursor = Cursor::After(newer);
    }
    back.reverse();
    assert_eq!(back, ids, "{filter:?}: there and back");
    ids
}

/// A value as it is sent, and how people may ask for it.
const VALUES: [(&str, &[&str]); 5] = [
    (r#""Jane@Example.com ""#, &["jane@example.com", " JANE@example.COM"]),
    ("1.0", &["1", "1e0", "1.00"]),
    (r#""1""#, &["1"]),
    ("true", &["true"]),
    ("12345678901234567890", &["12345678901234567890"]),
];

#[tokio::test]
async fn what_the_index_finds_and_what_is_looked_through_is_the_same_and_ones_own() {
    each(async |db| {
        let (bench, stranger) = (Bench::with_tenant(&db).await, Bench::with_tenant(&db).await);
        let (indexed, plain) = (type_by(&bench, &["who", "/deep/who"]).await, type_by(&bench, &[]).await);
        let foreign = type_by(&stranger, &["who", "/deep/who"]).await;
        let mut sent = Vec::new();
        for n in 0_u128..80 {
            let value = usize::try_from(n).unwrap() % (VALUES.len() + 1);
            let text = VALUES.get(value).map_or("null", |(text, _)| text);
            let payload = format!(r#"{{ "n" : {n}, "deep":{{"who":{text}}} , "who": {text} }}"#);
            let token = (n % 3 == 0).then(|| some_token(1));
            for event_type in [indexed, plain] {
                let id = bench.send(&[(event_type, token, &payload, (n % 5 == 0).then_some(WRONG))]).await.event(0);
                sent.push((id, event_type, value, token, n % 5 == 0));
            }
            stranger.one(foreign, &payload).await;
        }
        sent.sort_by_key(|(id, ..)| std::cmp::Reverse(*id));
        follow(&db).await;

        for (value, (_, typed)) in VALUES.iter().enumerate() {
            for typed in *typed {
                // the text 1 and the number 1 are asked for alike
                let alike = |other: usize| other == value || (*typed == "1" && (1..=2).contains(&other));
                for (source, verdict) in [
                    (None, None),
                    (Some(Source::Anonymous), None),
                    (None, Some(Verdict::Quarantined)),
                    (Some(Source::Token(some_token(1))), Some(Verdict::Accepted)),
                ] {
                    for (event_type, by_index) in [(Some(indexed), true), (Some(plain), false), (None, false)] {
                        let field = Some(FieldIs::parse("/deep/who", typed).unwrap());
                        let filter = Filter { event_type, source, verdict, field, ..Filter::default() };
                        let expected: Vec<_> = sent
                            .iter()
                            .filter(|(_, of, other, token, broken)| {
                                event_type.is_none_or(|asked| asked == *of)
                                    && alike(*other)
                                    && source
                                        .is_none_or(|asked| token.map_or(Source::Anonymous, Source::Token) == asked)
                                    && verdict.is_none_or(|asked| (asked == Verdict::Quarantined) == *broken)
                            })
                            .map(|(id, ..)| *id)
                            .collect();
                        assert_eq!(found(&bench, &filter, by_index).await, expected, "{typed} {filter:?}");
                    }
                }
            }
        }
        let nobody = Some(FieldIs::parse("who", "nobody").unwrap());
        let filter = Filter { event_type: Some(indexed), field: nobody, ..Filter::default() };
        assert!(found(&bench, &filter, true).await.is_empty());
        // a foreign type is not there, and its index is not asked
        let jane = Some(FieldIs::parse("who", "jane@example.com").unwrap());
        let filter = Filter { event_type: Some(foreign), field: jane, ..Filter::default() };
        assert!(found(&bench, &filter, false).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn pages_of_an_index_neither_repeat_nor_skip_while_events_arrive() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let of_type = type_by(&bench, &["a"]).await;
        let mut known = BTreeSet::new();
        for _ in 0..25 {
            known.insert(bench.one(of_type, r#"{"a":"x"}"#).await);
            bench.one(of_type, r#"{"a":"y"}"#).await;
        }
        follow(&db).await;
        let field = FieldIs::parse("a", "X").unwrap();
        let filter = Filter { event_type: Some(of_type), field: Some(field.clone()), ..Filter::default() };
        let walk = Walk::new(&db, bench.tenant, &filter, &field, START).await.unwrap();
        let (mut seen, mut cursor) = (Vec::new(), Cursor::Newest);
        loop {
            let page = walk.page(cursor, 4).await.unwrap();
            seen.extend(page.events.iter().map(|event| event.id));
            bench.one(of_type, r#"{"a":"x"}"#).await;
            follow(&db).await;
            // one that has gone meanwhile is no end
            if seen.len() == 8 {
                let gone = known.iter().rev().nth(9).copied().unwrap();
                let tenant = bench.tenant;
                let text = "DELETE FROM events WHERE tenant_id = $1 AND id = $2";
                db.write(move |tx| Box::pin(async move { Ok(sql!(exec tx, text, tenant, gone)?) })).await.unwrap();
                known.remove(&gone);
            }
            let Some(older) = page.older else { break };
            cursor = Cursor::Before(older);
        }
        assert_eq!(seen, known.into_iter().rev().collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn a_field_that_is_marked_later_is_filled_in_and_one_that_is_not_marked_any_more_is_not_asked() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let of_type = bench.named_type("Order").await;
        let mut before = Vec::new();
        for n in 0..450 {
            before.push(bench.one(of_type, &format!(r#"{{"a":{n},"b":"same"}}"#)).await);
        }
        follow(&db).await;
        assert_eq!(rows(&db).await, 0, "of a type without searchable fields nothing is written down");

        mark(&bench, of_type, &["a", "b"]).await;
        let same = FieldIs::parse("b", "same").unwrap();
        assert!(!knows(&db, bench.tenant, of_type, &same).await.unwrap(), "not before it is filled in");
        // what comes meanwhile is written down by the follower
        before.push(bench.one(of_type, r#"{"a":7,"b":"same"}"#).await);
        follow(&db).await;
        assert_eq!(rows(&db).await, 2);

        // a process that dies after a step leaves the rest to the next
        let task = tasks::claim(&db, &bench.clock).await.unwrap().unwrap();
        let id = task.id;
        worker::turn(&app(&bench), task).await;
        while let Some(task) = tasks::claim(&db, &bench.clock).await.unwrap() {
            worker::turn(&app(&bench), task).await;
        }
        let done = jobs::get(&db, &bench.permit(), id).await.unwrap();
        assert_eq!((done.state, done.done, done.total), (State::Done, 451, Some(451)), "{:?}", done.error);
        assert_eq!(rows(&db).await, 902, "nothing is there twice");
        let filter = Filter { event_type: Some(of_type), field: Some(same.clone()), ..Filter::default() };
        before.sort_by_key(|id| std::cmp::Reverse(*id));
        assert_eq!(found(&bench, &filter, true).await, before);

        mark(&bench, of_type, &["a"]).await;
        assert!(!knows(&db, bench.tenant, of_type, &same).await.unwrap());
        let left = standing(&db, &bench.permit(), None).await.unwrap();
        assert_eq!(left.iter().map(|one| (one.field.as_str(), one.ready)).collect::<Vec<_>>(), [("/a", true)]);
        // marked again, it is filled in again before it is trusted
        bench.one(of_type, r#"{"b":"same"}"#).await;
        follow(&db).await;
        mark(&bench, of_type, &["a", "b"]).await;
        assert!(!knows(&db, bench.tenant, of_type, &same).await.unwrap());
        let task = tasks::claim(&db, &bench.clock).await.unwrap().unwrap();
        worker::turn(&app(&bench), task).await;
        while let Some(task) = tasks::claim(&db, &bench.clock).await.unwrap() {
            worker::turn(&app(&bench), task).await;
        }
        assert_eq!(found(&bench, &filter, true).await.len(), 452);
    })
    .await;
}

#[tokio::test]
async fn values_go_with_their_events() {
    each(async |db| {
        let bench = Bench::with_tenant(&db).await;
        let of_type = type_by(&bench, &["a"]).await;
        for verdict in [None, Some(WRONG)] {
            for _ in 0..4 {
                bench.send(&[(of_type, None, r#"{"a":"x"}"#, verdict)]).await;
            }
        }
        follow(&db).await;
        assert_eq!(rows(&db).await, 8);
        // one whose event went while it was written down
        let (tenant, orphan) = (bench.tenant, EventId::floor(bench.clock.now()));
        db.write(move |tx| Box::pin(async move { store::insert(tx, tenant, &[(orphan, [7; 16])]).await }))
            .await
            .unwrap();
        let app = app(&bench);
        bench.clock.advance(31 * 86_400);
        Sweeper::default().sweep(&app).await.unwrap();
        assert_eq!(rows(&db).await, 5, "those of the quarantine are kept longer");
        bench.clock.advance(60 * 86_400);
        Sweeper::default().sweep(&app).await.unwrap();
        assert_eq!(rows(&db).await, 0);
    })
    .await;
}

#[tokio::test]
async fn every_statement_walks_along_its_index() {
    each(async |db| {
        let statements = [(OLDER_IDS, 6), (NEWER_IDS, 6), (OLDER, 7), (NEWER, 7)];
        match db.reach() {
            Reach::Sqlite(on) => {
                for (text, arguments) in statements {
                    let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
                    let mut query = sqlx::query_as::<_, (i64, i64, i64, String)>(explain);
                    for _ in 0..arguments {
                        query = query.bind(None::<i64>);
                    }
                    let steps = query.fetch_all(on).await.unwrap();
                    let plan = steps.into_iter().map(|(.., words)| words).collect::<Vec<_>>().join("; ");
                    let by_value = "field_values_by_value (tenant_id=? AND digest=? AND event_id>? AND event_id<?)";
                    assert_eq!(plan.matches(by_value).count(), 2, "{text}\n{plan}");
                    assert!(!plan.contains("SCAN events") && !plan.contains("SCAN e;"), "{text}\n{plan}");
                    let events = plan.contains("SEARCH e USING INDEX sqlite_autoindex_events_1 (tenant_id=? AND id=?)");
                    assert!(events || arguments == 6, "{text}\n{plan}");
                }
            }
            Reach::Postgres(pool) => {
                let fill = "INSERT INTO field_values
                    SELECT CAST('00000000-0000-0000-0000-00000000000' || (n % 2) AS UUID),
                           CAST(lpad(to_hex(n), 32, '0') AS UUID), decode(md5((n % 500)::text), 'hex')
                    FROM generate_series(1, 40000) AS n";
                sqlx::raw_sql(fill).execute(pool).await.unwrap();
                sqlx::raw_sql("ANALYZE field_values").execute(pool).await.unwrap();
                let mut connection = pool.acquire().await.unwrap();
                sqlx::raw_sql("SET plan_cache_mode = force_generic_plan").execute(&mut *connection).await.unwrap();
                for (text, arguments) in statements {
                    let more = if arguments == 7 { ", int" } else { "" };
                    let prepare = format!("PREPARE found (uuid, bytea, bytea, uuid, uuid, bigint{more}) AS {text}");
                    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
                    let more = if arguments == 7 { ", 300" } else { "" };
                    let explain = format!(
                        "EXPLAIN EXECUTE found ('{nil}', '\\x00', '\\x01', '{nil}', '{max}', 51{more})",
                        nil = uuid::Uuid::nil(),
                        max = uuid::Uuid::max()
                    );
                    let steps: Vec<(String,)> =
                        sqlx::query_as(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
                    let plan = steps.into_iter().map(|(words,)| words).collect::<Vec<_>>().join("\n");
                    assert_eq!(plan.matches("using field_values_by_value").count(), 2, "{text}\n{plan}");
                    sqlx::raw_sql("DEALLOCATE found").execute(&mut *connection).await.unwrap();
                }
            }
        }
    })
    .await;
}
