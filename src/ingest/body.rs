//! The body of an ingest request: which forms are understood, and how it is read, bounded in time, in bytes as
//! sent, in bytes decoded, and in what all requests hold together.
use std::{io::Read, time::Duration};

use axum::{body::Body, http::HeaderMap};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::body::Body as _;

use super::problem::Problem;
use crate::{
    config::Limits,
    error::Unavailable,
    room::{Place, Room},
};

/// How long the rest of a refused body is read.
const DISCARD: Duration = Duration::from_secs(2);
/// What a body is expected to weigh when it does not say.
const UNTOLD: usize = 16 << 10;
/// The most that is taken on a body's word alone: what is beyond it has to have arrived.
const ON_ITS_WORD: usize = 256 << 10;

/// How the events lie in the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON value: an object or an array.
    Json,
    /// One JSON value a line.
    Lines,
    /// A `CloudEvent` whose data is the event.
    CloudEvent,
    /// An array of such.
    CloudEvents,
}

/// How the body was compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Reads `Content-Type` and `Content-Encoding`.
pub fn form(headers: &HeaderMap) -> Result<(Form, Encoding), Problem> {
    let value = |name: &str| {
        let mut values = headers.get_all(name).iter();
        let first = values.next().map(|value| value.to_str().unwrap_or("?")).unwrap_or_default();
        // the same header twice is a list, and no list is understood
        if values.next().is_some() { "?" } else { first }
    };
    let media = value("content-type").split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let form = match media.as_str() {
        "application/json" => Form::Json,
        "application/x-ndjson" => Form::Lines,
        "application/cloudevents+json" => Form::CloudEvent,
        "application/cloudevents-batch+json" => Form::CloudEvents,
        "" => return Err(Problem::media("send a Content-Type header: application/json")),
        _ => {
            return Err(Problem::media(
                "the Content-Type must be application/json, application/x-ndjson, application/cloudevents+json or \
                 application/cloudevents-batch+json",
            ));
        }
    };
    let encoding = match value("content-encoding").trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Encoding::Identity,
        "gzip" | "x-gzip" => Encoding::Gzip,
        "zstd" => Encoding::Zstd,
        _ => return Err(Problem::media("the Content-Encoding must be gzip or zstd, or be left out")),
    };
    Ok((form, encoding))
}

/// A body read to its end, and the memory it holds until it is dropped.
pub struct Whole {
    /// Decoded.
    pub bytes: Bytes,
    _held: Place,
}

/// Reads the whole body and decodes it. `memory` is what all bodies may weigh together: without room in it, nothing
/// is read.
pub async fn read(
    body: Body,
    encoding: Encoding,
    limits: &Limits,
    deadline: Duration,
    memory: &Room,
) -> Result<Whole, Problem> {
    let mut body = body;
    let told = body.size_hint().exact().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    if told.is_some_and(|told| told > limits.max_body) {
        discard(&mut body, limits.max_body).await;
        return Err(too_large(limits.max_body));
    }
    let taken = told.unwrap_or(UNTOLD).clamp(1, ON_ITS_WORD);
    let mut held = match memory.enter(taken).await {
        Ok(held) => held,
        Err(full) => {
            discard(&mut body, limits.max_body).await;
            return Err(full.into());
        }
    };
    let mut more = |bytes| memory.grow(&mut held, bytes);
    let arriving = arrive(&mut body, limits.max_body, taken, &mut more);
    let bytes = match tokio::time::timeout(deadline, arriving).await {
        Err(_) => return Err(Problem::timeout()),
        Ok(Ok(bytes)) => bytes,
        Ok(Err(refused)) => {
            discard(&mut body, limits.max_body).await;
            return Err(refused);
        }
    };
    if encoding == Encoding::Identity {
        return Ok(Whole { bytes, _held: held });
    }
    let most = limits.max_decoded_body;
    let decoded = tokio::task::spawn_blocking(move || decode(&bytes, encoding, most))
        .await
        .map_err(|_| Problem::from(Unavailable::ShuttingDown))??;
    memory.grow(&mut held, decoded.len())?;
    Ok(Whole { bytes: decoded.into(), _held: held })
}

/// Reads to the end. `room` is what was taken for it; `more` takes what is beyond.
async fn arrive(
    body: &mut Body,
    most: usize,
    mut room: usize,
    more: &mut impl FnMut(usize) -> Result<(), Unavailable>,
) -> Result<Bytes, Problem> {
    let mut whole = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::cut())?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + rest.len() + data.len() > most {
            return Err(too_large(most));
        }
        if data.len() > room {
            more(data.len() - room)?;
        }
        room = room.saturating_sub(data.len());
        // most bodies arrive in one piece, and that piece is taken as it is
        if whole.is_empty() && rest.is_empty() {
            whole = data;
        } else {
            if rest.is_empty() {
                // what is still to come is known mostly: no growing by doubling
                rest.reserve(whole.len() + data.len() + room);
                rest.extend_from_slice(&std::mem::take(&mut whole));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { whole } else { rest.freeze() })
}

/// Reads what is left of a refused body, as far as a sender in good faith may have sent it, and keeps nothing: a
/// connection that is closed with something unread resets, and the sender never sees the answer.
async fn discard(body: &mut Body, most: usize) {
    let mut left = most.saturating_mul(2);
    let reading = async {
        while let Some(Ok(frame)) = body.frame().await {
            left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
            if left == 0 {
                break;
            }
        }
    };
    // whoever dawdles here gets the answer and no more
    let _ = tokio::time::timeout(DISCARD, reading).await;
}

fn too_large(most: usize) -> Problem {
    Problem::too_large(format!("the body is larger than {most} bytes"))
}

fn decode(bytes: &[u8], encoding: Encoding, most: usize) -> Result<Vec<u8>, Problem> {
    let mut decoded = Vec::new();
    let broken = |_| Problem::bad("the body is not whole, or not compressed as its Content-Encoding says");
    let limit = (most as u64).saturating_add(1);
    match encoding {
        Encoding::Gzip => flate2::read::MultiGzDecoder::new(bytes).take(limit).read_to_end(&mut decoded),
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::new(bytes).map_err(broken)?;
            // 8 MiB, as the registration of the media type asks for: a hostile frame cannot ask for more memory
            decoder.window_log_max(23).map_err(broken)?;
            decoder.take(limit).read_to_end(&mut decoded)
        }
        Encoding::Identity => bytes.take(limit).read_to_end(&mut decoded),
    }
    .map_err(broken)?;
    if decoded.len() > most {
        return Err(Problem::too_large(format!("the body is larger than {most} bytes when decompressed")));
    }
    Ok(decoded)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_is_defused_and_a_cut_body_is_told_apart() {
        let bomb = gzip(&vec![0; 4 << 20]);
        assert!(bomb.len() < 8 << 10);
        assert_eq!(decode(&bomb, Encoding::Gzip, 1 << 20).unwrap_err().status(), 413);
        assert_eq!(decode(&bomb[..bomb.len() - 9], Encoding::Gzip, 8 << 20).unwrap_err().status(), 400);
        assert_eq!(decode(&gzip(b"{}"), Encoding::Gzip, 2).unwrap(), b"{}");
        let zstd = zstd::encode_all(&vec![0; 4 << 20][..], 3).unwrap();
        assert_eq!(decode(&zstd, Encoding::Zstd, 1 << 20).unwrap_err().status(), 413);
        assert_eq!(decode(&zstd[..zstd.len() - 2], Encoding::Zstd, 8 << 20).unwrap_err().status(), 400);
    }
}
