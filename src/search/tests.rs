//! Questions and what answers them, and the plans of the statements.
use proptest::prelude::*;

use super::*;
use crate::{
    db::{Reach, testing::each},
    tokens::Secret,
};

#[test]
fn what_is_pasted_is_told_apart() {
    let id = Uuid::from_u128(0x0198_c0de_0000_7000_8000_0000_0000_0001);
    for text in [
        id.to_string(),
        format!("  {} \n", id.to_string().to_uppercase()),
        id.simple().to_string(),
        format!("{{{id}}}"),
    ] {
        assert_eq!(Sought::parse(&text), Sought::Id(id), "{text}");
    }
    assert_eq!(Sought::parse("  Order \t Placed "), Sought::Words(vec!["order".into(), "placed".into()]));
    assert_eq!(Sought::parse(" \u{0}\n"), Sought::Nothing);
    assert_eq!(Sought::parse("trb_"), Sought::Token("trb_".into()));
    assert_eq!(Sought::parse("trb_Ab1"), Sought::Token("trb_Ab1".into()));
}

#[test]
fn of_a_whole_token_only_its_prefix_is_left() {
    let secret = Secret::generate();
    let rest = &secret.expose()[secret.prefix().len()..];
    for text in
        [secret.expose().to_owned(), format!("Bearer {}", secret.expose()), format!("x\"{}\",", secret.expose())]
    {
        assert_eq!(Sought::parse(&text), Sought::Token(secret.prefix().into()));
        let kept = tidy(&text);
        assert!(!kept.contains(rest) && kept.len() <= secret.prefix().len(), "{kept}");
    }
}

#[test]
fn names_that_begin_so_go_before_those_that_only_hold_it() {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let ranks: Vec<_> = ["order", "Order placed", "Web order", "Reorder", "Orders", "Ticket"]
        .iter()
        .map(|name| rank(&words("order"), name, "Acme"))
        .collect();
    assert_eq!(ranks, [Some(0), Some(2), Some(4), Some(6), Some(2), None]);
    assert_eq!(rank(&words("ärger"), "ÄRGER", ""), Some(0));
    assert_eq!(rank(&words("order acme"), "Order placed", "Acme"), Some(4));
    assert_eq!(rank(&words("acme"), "Order placed", "Acme"), Some(ONLY_AROUND));
    assert_eq!(rank(&words("order umbrella"), "Order placed", "Acme"), None);
}

proptest! {
    #[test]
    fn any_text_can_be_looked_for_and_is_tidied_once(text in ".*") {
        let _ = Sought::parse(&text);
        let once = tidy(&text);
        prop_assert_eq!(tidy(&once), once.clone());
        prop_assert!(once.chars().count() <= LONGEST && !once.contains(char::is_control));
    }
}

#[tokio::test]
async fn an_id_is_looked_for_along_primary_keys() {
    each(async |db| match db.reach() {
        Reach::Sqlite(on) => {
            for (text, arguments) in [(store::HOLDERS, 3), (store::CHANGES, 4)] {
                let explain = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
                let mut query = sqlx::query_as::<_, (i64, i64, i64, String)>(explain);
                for _ in 0..arguments {
                    query = query.bind(None::<Uuid>);
                }
                let steps = query.fetch_all(on).await.unwrap();
                let scans =
                    steps.iter().filter(|(.., words)| words.starts_with("SCAN") && !words.starts_with("SCAN t"));
                assert_eq!(scans.count(), 0, "{text}\n{steps:?}");
            }
        }
        Reach::Postgres(pool) => {
            let fill = "INSERT INTO tenants SELECT CAST(lpad(to_hex(n), 32, '0') AS UUID), 'T', TRUE, '[]', now()
                    FROM generate_series(1, 1000) AS n;
                INSERT INTO events SELECT CAST(lpad(to_hex(n % 1000 + 1), 32, '0') AS UUID),
                    CAST(lpad(to_hex(n), 32, '0') AS UUID), CAST(lpad('7', 32, '0') AS UUID), NULL, 'accepted',
                    repeat('x', 200), NULL FROM generate_series(1, 40000) AS n;
                ANALYZE";
            sqlx::raw_sql(fill).execute(pool).await.unwrap();
            let mut connection = pool.acquire().await.unwrap();
            let prepare = format!(
                "SET plan_cache_mode = force_generic_plan; PREPARE held (uuid, uuid, uuid) AS {}",
                store::HOLDERS
            );
            sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut *connection).await.unwrap();
            let explain = format!("EXPLAIN EXECUTE held ('{0}', '{0}', NULL)", Uuid::from_u128(7));
            let steps: Vec<(String,)> =
                sqlx::query_as(sqlx::AssertSqlSafe(explain)).fetch_all(&mut *connection).await.unwrap();
            let plan = steps.into_iter().map(|(words,)| words).collect::<Vec<_>>().join("\n");
            assert!(plan.contains("events_pkey") && !plan.contains("Seq Scan on events"), "{plan}");
        }
    })
    .await;
}
