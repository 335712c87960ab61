//! Opening databases: of this version, twice, and of a version that is not out yet.
use tributary::{
    db::{Db, OpenError},
    sql,
};

use crate::support::{
    each_address,
    program::{run, tributary},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_is_opened_as_often_as_one_likes_and_its_successors_are_refused() {
    each_address(async |address| {
        let first = Db::open(&address).await.expect("a new database");
        let second = Db::open(&address).await.expect("the same, while it is open");
        assert_eq!(sql!(value i64, &second, "SELECT COUNT(*) FROM tenants").unwrap(), 0);
        second.close().await;
        let done = sql!(values i64, &first, "SELECT version FROM _sqlx_migrations ORDER BY version").unwrap();
        assert!(!done.is_empty());
        let next = done.last().unwrap() + 1;
        let statement = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES ($1, 'of the future', true, $2, 0)";
        first
            .write(move |tx| Box::pin(async move { Ok(sql!(exec tx, statement, next, vec![0_u8; 48])?) }))
            .await
            .expect("the next version's mark");
        first.close().await;
        let Err(refused) = Db::open(&address).await else { panic!("the database of a newer version was opened") };
        assert!(matches!(refused, OpenError::Newer(version) if version == next), "{refused}");
        let words = refused.to_string();
        assert!(words.contains("newer version of Tributary") && words.contains("restore a backup"), "{words}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_with_a_mistake_in_it_makes_no_database() {
    each_address(async |address| {
        for command in [&["tenant", "list"][..], &["user", "list"], &["audit", "list"], &["demo", "remove"]] {
            let mut asked = tributary(&address);
            asked.args(command);
            let done = run(asked, "");
            assert_eq!(done.code, 1, "{command:?}: {}", done.err);
            assert!(done.err.contains("there is no ") && done.err.contains("tributary migrate"), "{}", done.err);
        }
        assert!(matches!(Db::open_existing(&address).await, Err(OpenError::None(_))));
        if let Some(file) = address.strip_prefix("sqlite://") {
            assert!(!std::path::Path::new(file).exists());
            let nowhere = format!("{file}.d/x/y.db");
            let mut asked = tributary(&format!("sqlite://{nowhere}"));
            asked.args(["tenant", "list"]);
            assert_eq!(run(asked, "").code, 1);
            assert!(!std::path::Path::new(&format!("{file}.d")).exists());
        }
        let mut first = tributary(&address);
        first.args(["tenant", "add", "Acme"]);
        assert_eq!(run(first, "").code, 0);
        Db::open_existing(&address).await.expect("the database that was made").close().await;
    })
    .await;
    let mut mistyped = tributary("mysql://localhost/x");
    mistyped.args(["tenant", "list"]);
    assert_eq!(run(mistyped, "").code, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_keeps_syncing_commits_whatever_it_is_told_later() {
    each_address(async |address| {
        let db = Db::open(&address).await.expect("a new database");
        let Db::Postgres(pool) = &db else { return db.close().await };
        let name: String = sqlx::query_scalar("SELECT current_database()::text").fetch_one(pool).await.unwrap();
        let off = format!("ALTER DATABASE {name} SET synchronous_commit = off");
        sqlx::query(sqlx::AssertSqlSafe(off)).execute(pool).await.unwrap();
        // connections that are opened from now on
        let mut connections = Vec::new();
        for _ in 0..4 {
            connections.push(pool.acquire().await.unwrap());
        }
        for connection in &mut connections {
            let now: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(&mut **connection).await.unwrap();
            assert_eq!(now, "on");
        }
        drop(connections);
        // and who comes later sees it, and refuses
        assert!(matches!(Db::open(&address).await, Err(OpenError::NotDurable(_))));
        db.close().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_neither_kind_is_refused() {
    for address in ["mysql://localhost/x", "data/tributary.db", ""] {
        assert!(matches!(Db::open(address).await, Err(OpenError::UnknownKind)), "{address}");
    }
}
