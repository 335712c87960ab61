//! The file that a task makes: kept in the database in pieces, so that any process can hand it out, and compressed.
//! Each piece is a gzip member of its own; one after the other they are a gzip file.
use std::io::{Read, Write};

use chrono::TimeDelta;
use flate2::{Compression, read::GzDecoder, write::GzEncoder};

use crate::{
    db::{Db, Tx},
    error::{Error, Result},
    ids::{TaskId, TenantId},
    sql,
};

/// The most bytes of a piece, compressed.
pub const PIECE: usize = 256 << 10;
/// What is compressed into one piece: it does not grow by more than a few bytes, whatever it holds.
const RAW: usize = PIECE - 1024;
/// How long it is kept once the task has ended.
pub const KEPT: TimeDelta = TimeDelta::days(7);

/// Compresses text into pieces.
///
/// # Errors
/// Never in practice: memory does not refuse.
pub fn pieces(text: &[u8]) -> Result<Vec<Vec<u8>>> {
    // text shrinks to a fifth or so: try large pieces first, and halve those that turn out too large
    let mut made = Vec::new();
    for part in text.chunks(4 * RAW) {
        let whole = compress(part)?;
        if whole.len() <= PIECE {
            made.push(whole);
        } else {
            for part in part.chunks(RAW) {
                made.push(compress(part)?);
            }
        }
    }
    Ok(made)
}

fn compress(part: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(5));
    encoder.write_all(part).and_then(|()| encoder.finish()).map_err(Error::internal)
}

/// The text of one piece.
///
/// # Errors
/// When it is no piece.
pub fn text(piece: &[u8]) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    GzDecoder::new(piece).read_to_end(&mut text).map_err(Error::internal)?;
    Ok(text)
}

/// Appends pieces to a task's file, from number `first` on.
///
/// # Errors
/// When the database does.
pub async fn append(tx: &mut Tx, tenant: TenantId, task: TaskId, first: i64, pieces: Vec<Vec<u8>>) -> Result<()> {
    for (number, piece) in (first..).zip(pieces) {
        sql!(
            exec tx,
            "INSERT INTO task_output (tenant_id, task_id, number, content) VALUES ($1, $2, $3, $4)",
            tenant,
            task,
            number,
            piece,
        )?;
    }
    Ok(())
}

/// One piece, as it is kept; none after the last.
///
/// # Errors
/// When the database does.
pub async fn piece(db: &Db, tenant: TenantId, task: TaskId, number: i64) -> Result<Option<Vec<u8>>> {
    let found = sql!(
        values Vec<u8>, db,
        "SELECT content FROM task_output WHERE tenant_id = $1 AND task_id = $2 AND number = $3",
        tenant,
        task,
        number,
    )?;
    Ok(found.into_iter().next())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(16))]
        #[test]
        fn pieces_are_small_and_together_the_text(seed: u64, length in 0_usize..3_000_000, letters in 1_u8..=255) {
            let mut state = seed | 1;
            let text: Vec<u8> = (0..length).map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                u8::try_from((state >> 33) % u64::from(letters)).unwrap()
            }).collect();
            let made = pieces(&text).unwrap();
            prop_assert!(made.iter().all(|piece| piece.len() <= PIECE));
            let back: Vec<u8> = made.iter().flat_map(|piece| super::text(piece).unwrap()).collect();
            prop_assert!(back == text);
        }
    }
}
