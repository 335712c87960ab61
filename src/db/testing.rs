//! Databases for tests: each test runs on a new one of either kind.
use std::{future::Future, str::FromStr};

use sqlx::{ConnectOptions, Executor, postgres::PgConnectOptions};

use super::Db;

/// Runs `test` on a new SQLite file, and, when `TEST_POSTGRES_URL` names a server, on a new database there.
///
/// # Panics
/// When there is no database to be had.
pub async fn each<F, Fut>(test: F)
where
    F: Fn(Db) -> Fut,
    Fut: Future<Output = ()>,
{
    each_address(async |address| {
        let db = Db::open(&address).await.expect("a new database");
        test(db.clone()).await;
        if let Db::Postgres(pool) = db {
            pool.close().await;
        }
    })
    .await;
}

/// The same, with the address of a database that has no tables yet.
///
/// # Panics
/// When there is no database to be had.
pub async fn each_address(test: impl AsyncFn(String)) {
    let folder = tempfile::tempdir().expect("a folder for the test");
    test(format!("sqlite://{}", folder.path().join("test.db").display())).await;

    let Ok(server) = std::env::var("TEST_POSTGRES_URL") else { return };
    let name = format!("tributary_{:032x}", rand::random::<u128>());
    let options = PgConnectOptions::from_str(&server).expect("TEST_POSTGRES_URL");
    let mut admin = options.connect().await.expect("a PostgreSQL server at TEST_POSTGRES_URL");
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    admin.execute(create).await.expect("a new PostgreSQL database");
    let mut address = url::Url::parse(&server).expect("TEST_POSTGRES_URL");
    address.set_path(&name);
    test(address.into()).await;
    let drop = sqlx::AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"));
    admin.execute(drop).await.expect("the database goes");
}
