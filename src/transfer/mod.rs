//! Moving a whole installation: backups, restoring them, and copying from one database to another.
//!
//! Everything is read in one snapshot and written as one whole: a backup or a SQLite file is put in place when it is
//! complete and verified, and PostgreSQL is filled in one transaction. Whoever is killed in between has changed
//! nothing and can begin again. The tables are read from the databases themselves, so those of later migrations are
//! moved without a line here.
pub mod backup;
pub mod copy;
mod file;
mod postgres;
pub mod restore;
mod side;
mod sqlite;
#[cfg(test)]
mod tests;
mod value;

use serde::Serialize;

pub use value::{Digest, Kind, Value};

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
}

/// A table, as either database describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// Its columns, in their order.
    pub columns: Vec<Column>,
}

impl Table {
    /// The columns as a statement lists them.
    fn list(&self) -> String {
        self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// The same table, whatever the order of its columns.
    fn same_as(&self, other: &Self) -> bool {
        let sorted = |table: &Self| {
            let mut columns = table.columns.clone();
            columns.sort();
            columns
        };
        self.name == other.name && sorted(self) == sorted(other)
    }
}

/// A name of the schema, as both databases quote it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// What was moved of one table.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Moved {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// A checksum of what they hold, whatever their order: the same on both databases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// Rows of a table that are on their way.
pub type Batch = Vec<Vec<Value>>;

/// What somebody who waits is told: table, rows done, and rows in all.
pub type Told<'t> = &'t (dyn Fn(&str, u64, u64) + Sync);
