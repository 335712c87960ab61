//! Opening databases: of this version, twice, and of a version that is not out yet.
use tributary::{
    db::{Db, OpenError},
    sql,
};

use crate::support::each_address;

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
async fn an_address_of_neither_kind_is_refused() {
    for address in ["mysql://localhost/x", "data/tributary.db", ""] {
        assert!(matches!(Db::open(address).await, Err(OpenError::UnknownKind)), "{address}");
    }
}
