//! One SQL text for both databases.

/// Runs a statement on a `Db` (reads) or a `Tx` (writes), whichever database it is.
///
/// `sql!(one Row, db, "SELECT …", a, b)` gives `Row`, `opt` gives `Option<Row>`, `all` gives `Vec<Row>`;
/// `value T` gives the first column of the only row, `values T` that of every row; `exec` gives the number of rows
/// changed. The text must be `'static`, so that no value can ever become a part of it.
///
/// # Errors
/// What the database says, as [`sqlx::Error`].
#[macro_export]
macro_rules! sql {
    (@run $on:expr, $start:expr, $call:ident, ($($arg:expr),*)) => {
        match $on.reach() {
            $crate::db::Reach::Sqlite(on) => $start$(.bind($arg))*.$call(on).await,
            $crate::db::Reach::Postgres(on) => $start$(.bind($arg))*.$call(on).await,
        }
    };
    (one $row:ty, $on:expr, $text:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql!(@run $on, sqlx::query_as::<_, $row>($text), fetch_one, ($($arg),*))
    };
    (opt $row:ty, $on:expr, $text:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql!(@run $on, sqlx::query_as::<_, $row>($text), fetch_optional, ($($arg),*))
    };
    (all $row:ty, $on:expr, $text:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql!(@run $on, sqlx::query_as::<_, $row>($text), fetch_all, ($($arg),*))
    };
    (value $t:ty, $on:expr, $text:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql!(@run $on, sqlx::query_scalar::<_, $t>($text), fetch_one, ($($arg),*))
    };
    (values $t:ty, $on:expr, $text:expr $(, $arg:expr)* $(,)?) => {
        $crate::sql!(@run $on, sqlx::query_scalar::<_, $t>($text), fetch_all, ($($arg),*))
    };
    (exec $on:expr, $text:expr $(, $arg:expr)* $(,)?) => {
        match $on.reach() {
            $crate::db::Reach::Sqlite(on) => {
                sqlx::query($text)$(.bind($arg))*.execute(on).await.map(|done| done.rows_affected())
            }
            $crate::db::Reach::Postgres(on) => {
                sqlx::query($text)$(.bind($arg))*.execute(on).await.map(|done| done.rows_affected())
            }
        }
    };
}
