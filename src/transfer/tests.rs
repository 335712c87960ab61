//! Every table of the schema, whichever there are, with rows that are hard to carry.
use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{
    Batch, Kind, Table, Value,
    copy::{Choices, Place, copy},
    postgres, quoted,
    side::Side,
    sqlite,
};
use crate::{
    clock::Clock,
    db::{Db, guard::LIFT, testing::each_address},
};

const ROWS: usize = 700;

/// Texts that mean something to somebody on the way.
const TEXTS: [&str; 12] = [
    "",
    "\\N",
    "\\.",
    "a\tb\nc\rd\u{b}\u{c}\u{8}",
    "back\\slash \\t \\x41 \\\\",
    "'; DROP TABLE events; --\"$1{}%",
    "{\"a\":\"\\u0000\\ud83d\\ude00\"}",
    "\u{feff}\u{2028}\u{202e}\u{ffff}\u{10ffff}",
    "é e\u{301} 😀 Ж 中",
    "   ",
    "NULL",
    "1e999",
];

/// A value of a kind; others for other numbers.
fn value(kind: Kind, n: usize) -> Value {
    let number = i64::try_from(n).unwrap();
    match kind {
        Kind::Bool => Value::Bool(n.is_multiple_of(2)),
        Kind::Int => Value::Int([i64::MAX - number, i64::MIN + number, number][n % 3]),
        Kind::Float => {
            Value::Float([0.1 + f64::from(u32::try_from(n).unwrap()), -0.0, f64::MIN_POSITIVE, f64::MAX, 1e-300][n % 5])
        }
        // a key in front, so that every row is another
        Kind::Text => Value::Text(format!("{n}{}", TEXTS[n % TEXTS.len()])),
        Kind::Bytes => {
            Value::Bytes([b"\\x00".to_vec(), n.to_be_bytes().to_vec(), (0..=255).collect()].concat()[n % 3..].into())
        }
        Kind::Id => Value::Id(Uuid::from_u128((u128::MAX / 7).wrapping_mul(n as u128 + 1))),
        Kind::Time => Value::Time(DateTime::<Utc>::from_timestamp_micros(number * 86_400_000_001 - 999_999).unwrap()),
    }
}

/// Whether a column must hold something.
async fn needed(side: &mut Side, table: &Table) -> Vec<bool> {
    let Side::Sqlite(connection) = side else { panic!("asked of SQLite") };
    let text = "SELECT \"notnull\" FROM pragma_table_xinfo($1) ORDER BY cid";
    sqlx::query_scalar(text).bind(&table.name).fetch_all(connection).await.unwrap()
}

/// Fills every table.
async fn fill(address: &str) -> Vec<Table> {
    Db::open(address).await.unwrap().close().await;
    let mut shape = sqlite::new_file(std::path::Path::new(":memory:")).await.unwrap();
    let mut side = open(address).await;
    let tables = side.tables().await.unwrap();
    if matches!(side, Side::Postgres(_)) {
        side.run(LIFT.into()).await.unwrap();
    }
    for table in &tables {
        side.run(format!("DELETE FROM {}", quoted(&table.name))).await.unwrap();
        let needed = needed(&mut shape, table).await;
        let row =
            |n: usize| {
                let columns = table.columns.iter().zip(&needed).enumerate();
                let values = columns.map(|(at, (column, needed))| {
                    if !needed && (n + at).is_multiple_of(3) { Value::Null } else { value(column.kind, n) }
                });
                values.collect::<Vec<_>>()
            };
        let (to, from) = mpsc::channel(1);
        let batch: Batch = (0..ROWS).map(row).collect();
        let sending = async move { to.send(batch).await.unwrap() };
        let filling = async {
            match &mut side {
                Side::Sqlite(connection) => sqlite::fill(connection, table, from).await,
                Side::Postgres(connection) => postgres::fill(connection, table, from).await,
            }
        };
        let ((), filled) = tokio::join!(sending, filling);
        filled.unwrap_or_else(|error| panic!("{}: {error:#}", table.name));
    }
    side.close().await.unwrap();
    tables
}

async fn open(address: &str) -> Side {
    match Place::of(address).unwrap() {
        Place::File(path) => Side::sqlite(&path).await.unwrap(),
        Place::Server(address) => Side::postgres(address).await.unwrap(),
    }
}

/// Every row of a table as text, sorted: not by the checksum that the copy itself relies on.
async fn rows(address: &str, table: &Table) -> Vec<String> {
    let mut side = open(address).await;
    let (to, mut from) = mpsc::channel::<Batch>(2);
    let mut sorted = table.clone();
    sorted.columns.sort();
    let gathering = async {
        let mut rows = Vec::new();
        while let Some(batch) = from.recv().await {
            rows.extend(batch.into_iter().map(|row| format!("{row:?}")));
        }
        rows.sort();
        rows
    };
    let (read, rows) = tokio::join!(side.read(&sorted, to), gathering);
    read.unwrap();
    rows
}

#[tokio::test]
async fn every_table_arrives_whole_in_either_database() {
    each_address(async |from| {
        let tables = fill(&from).await;
        assert!(tables.len() >= 15, "the schema was not read");
        each_address(async |to| {
            let copied = copy(&from, &to, Choices::default(), &Clock::system(), &|_, _, _| {}).await.unwrap();
            let names: Vec<_> = copied.tables.iter().map(|moved| moved.table.as_str()).collect();
            assert_eq!(names, tables.iter().map(|table| table.name.as_str()).collect::<Vec<_>>());
            for table in &tables {
                let (there, here) = (rows(&from, table).await, rows(&to, table).await);
                assert_eq!(there.len(), ROWS, "{}", table.name);
                assert!(
                    there == here,
                    "{}: {:?}",
                    table.name,
                    there.iter().zip(&here).find(|(one, other)| one != other)
                );
            }
            // what was copied is a database that a server can open
            Db::open(&to).await.unwrap().close().await;
        })
        .await;
    })
    .await;
}

/// What the bytes in the file are: SQLite would take other spellings of times and ids for other values.
#[tokio::test]
async fn sqlite_is_filled_as_the_server_fills_it() {
    each_address(async |from| {
        let db = Db::open(&from).await.unwrap();
        let at = DateTime::<Utc>::from_timestamp_micros(1_764_000_000_123_450).unwrap();
        for (n, at) in [at, at + chrono::Duration::microseconds(5), at - chrono::Duration::microseconds(123_450)]
            .into_iter()
            .enumerate()
        {
            db.write(move |tx| {
                Box::pin(async move {
                    let text = "INSERT INTO tenants (tenant_id, name, enabled, cors_origins, created_at)
                        VALUES ($1, 'a', TRUE, '[]', $2)";
                    crate::sql!(exec tx, text, Uuid::from_u128(n as u128), at)?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        }
        db.close().await;
        let folder = tempfile::tempdir().unwrap();
        let direct = format!("sqlite://{}", folder.path().join("direct.db").display());
        let written = Db::open(&direct).await.unwrap();
        written.close().await;
        let to = format!("sqlite://{}", folder.path().join("copy.db").display());
        copy(&from, &to, Choices::default(), &Clock::system(), &|_, _, _| {}).await.unwrap();
        let Side::Sqlite(mut copy) = open(&to).await else { panic!("a file") };
        let text =
            "SELECT typeof(tenant_id) || ' ' || typeof(enabled) || ' ' || created_at FROM tenants ORDER BY tenant_id";
        let raw: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut copy).await.unwrap();
        let expected = ["123450", "123455", ""].map(|fraction| {
            let second = "2025-11-24T16:00:00";
            let point = if fraction.is_empty() { "" } else { "." };
            format!("blob integer {second}{point}{fraction}+00:00")
        });
        assert_eq!(raw, expected);
    })
    .await;
}

#[tokio::test]
async fn a_nul_is_refused_by_name_or_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let from = format!("sqlite://{}", folder.path().join("from.db").display());
    let db = Db::open(&from).await.unwrap();
    db.write(|tx| {
        Box::pin(async move {
            let text = "INSERT INTO tenants (tenant_id, name, enabled, cors_origins, created_at)
                VALUES ($1, $2, TRUE, '[]', $3)";
            crate::sql!(exec tx, text, Uuid::from_u128(7), "a\0b\0", DateTime::<Utc>::UNIX_EPOCH)?;
            Ok(())
        })
    })
    .await
    .unwrap();
    db.close().await;
    each_address(async |to| {
        let plain = copy(&from, &to, Choices::default(), &Clock::system(), &|_, _, _| {}).await;
        if to.starts_with("sqlite") {
            assert_eq!(plain.unwrap().nul_replaced, 0, "SQLite can store it");
            return;
        }
        let refused = format!("{:#}", plain.unwrap_err());
        let words = ["column name", "tenants", "00000000-0000-0000-0000-000000000007", "--replace-nul"];
        assert!(words.iter().all(|word| refused.contains(word)), "{refused}");
        let choices = Choices { replace_nul: true, ..Choices::default() };
        // the first attempt has left nothing that is in the way
        let copied = copy(&from, &to, choices, &Clock::system(), &|_, _, _| {}).await.unwrap();
        assert_eq!(copied.nul_replaced, 1);
        let db = Db::open(&to).await.unwrap();
        assert_eq!(crate::sql!(value String, &db, "SELECT name FROM tenants").unwrap(), "a\u{fffd}b\u{fffd}");
        db.close().await;
    })
    .await;
}
