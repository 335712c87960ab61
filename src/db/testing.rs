//! Fresh databases for tests: a SQLite file always, and a PostgreSQL database when `TEST_POSTGRES_URL` names a
//! server.
use std::{env, future::Future};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use super::Db;

/// Runs `test` on a fresh database of each kind, and throws the databases away.
pub async fn each<F, T>(test: F)
where
    F: Fn(Db) -> T,
    T: Future<Output = ()>,
{
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("test.db");
    let db = Db::open(&format!("sqlite://{}", file.display())).await.expect("SQLite opens");
    test(db).await;

    let Ok(server) = env::var("TEST_POSTGRES_URL") else { return };
    let name = format!("test_{:032x}", rand::random::<u128>());
    let mut admin = PgConnection::connect(&server).await.expect("PostgreSQL answers");
    run(&mut admin, format!("CREATE DATABASE {name}")).await;
    let mut address = url::Url::parse(&server).expect("TEST_POSTGRES_URL is an address");
    address.set_path(&name);
    let db = Db::open(address.as_str()).await.expect("PostgreSQL opens");
    test(db).await;
    run(&mut admin, format!("DROP DATABASE {name} WITH (FORCE)")).await;
}

async fn run(admin: &mut PgConnection, statement: String) {
    // a name made up above, never one from outside
    sqlx::query(AssertSqlSafe(statement)).execute(admin).await.expect("the statement runs");
}
