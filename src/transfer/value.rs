//! What a column can hold, the same for both databases, and the checksum of it.
use chrono::{DateTime, SubsecRound, Utc};
use sha2::{Digest as _, Sha256};
use sqlx::{ColumnIndex, Database, Decode, Row, Type};
use uuid::Uuid;

/// What a column holds. Migrations are one text for both databases, so these are all there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// BOOLEAN
    Bool,
    /// BIGINT
    Int,
    /// DOUBLE PRECISION
    Float,
    /// TEXT
    Text,
    /// BYTEA
    Bytes,
    /// UUID
    Id,
    /// TIMESTAMPTZ
    Time,
}

impl Kind {
    /// As SQLite repeats it from the migration, and as PostgreSQL calls it.
    pub fn of(declared: &str) -> Option<Self> {
        Some(match declared.to_ascii_uppercase().as_str() {
            "BOOLEAN" => Self::Bool,
            "BIGINT" => Self::Int,
            "DOUBLE PRECISION" => Self::Float,
            "TEXT" => Self::Text,
            "BYTEA" => Self::Bytes,
            "UUID" => Self::Id,
            "TIMESTAMPTZ" | "TIMESTAMP WITH TIME ZONE" => Self::Time,
            _ => return None,
        })
    }
}

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// None.
    Null,
    /// Of a BOOLEAN.
    Bool(bool),
    /// Of a BIGINT.
    Int(i64),
    /// Of a DOUBLE PRECISION.
    Float(f64),
    /// Of a TEXT.
    Text(String),
    /// Of a BYTEA.
    Bytes(Vec<u8>),
    /// Of a UUID.
    Id(Uuid),
    /// Of a TIMESTAMPTZ, to the microsecond.
    Time(DateTime<Utc>),
}

impl Value {
    /// Reads the value at `at` of a row of either database.
    pub(super) fn read<'r, R>(row: &'r R, at: usize, kind: Kind) -> sqlx::Result<Self>
    where
        R: Row,
        usize: ColumnIndex<R>,
        bool: Decode<'r, R::Database> + Type<R::Database>,
        i64: Decode<'r, R::Database> + Type<R::Database>,
        f64: Decode<'r, R::Database> + Type<R::Database>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
        Uuid: Decode<'r, R::Database> + Type<R::Database>,
        DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
    {
        fn some<'r, R, T>(row: &'r R, at: usize, wrap: fn(T) -> Value) -> sqlx::Result<Value>
        where
            R: Row,
            usize: ColumnIndex<R>,
            T: Decode<'r, R::Database> + Type<R::Database>,
            R::Database: Database,
        {
            Ok(row.try_get::<Option<T>, _>(at)?.map_or(Value::Null, wrap))
        }
        match kind {
            Kind::Bool => some(row, at, Self::Bool),
            Kind::Int => some(row, at, Self::Int),
            // SQLite keeps no negative zero: it is the same number
            Kind::Float => some(row, at, |float: f64| Self::Float(float + 0.0)),
            Kind::Text => some(row, at, Self::Text),
            Kind::Bytes => some(row, at, Self::Bytes),
            Kind::Id => some(row, at, Self::Id),
            Kind::Time => some(row, at, |time: DateTime<Utc>| Self::Time(time.trunc_subsecs(6))),
        }
    }

    /// About how much memory it takes.
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Text(text) => 32 + text.len(),
            Self::Bytes(bytes) => 32 + bytes.len(),
            _ => 32,
        }
    }

    fn hash(&self, into: &mut Sha256) {
        let mut part = |tag: u8, bytes: &[u8]| {
            into.update([tag]);
            into.update((bytes.len() as u64).to_be_bytes());
            into.update(bytes);
        };
        match self {
            Self::Null => part(0, &[]),
            Self::Bool(bool) => part(1, &[u8::from(*bool)]),
            Self::Int(int) => part(2, &int.to_be_bytes()),
            Self::Float(float) => part(3, &float.to_bits().to_be_bytes()),
            Self::Text(text) => part(4, text.as_bytes()),
            Self::Bytes(bytes) => part(5, bytes),
            Self::Id(id) => part(6, id.as_bytes()),
            Self::Time(time) => part(7, &time.timestamp_micros().to_be_bytes()),
        }
    }
}

/// Counts rows and adds up what they hold: the sum of half a SHA-256 of each. Their order does not matter, since the
/// two databases do not sort alike.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many.
    pub rows: u64,
    sum: u128,
}

impl Digest {
    /// Adds a row.
    pub fn add(&mut self, row: &[Value]) {
        let mut hash = Sha256::new();
        for value in row {
            value.hash(&mut hash);
        }
        let hash: [u8; 32] = hash.finalize().into();
        let half: [u8; 16] = std::array::from_fn(|at| hash[at]);
        self.sum = self.sum.wrapping_add(u128::from_be_bytes(half));
        self.rows += 1;
    }

    /// The sum in hexadecimal digits.
    pub fn checksum(&self) -> String {
        format!("{:032x}", self.sum)
    }
}
