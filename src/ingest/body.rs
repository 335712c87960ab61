//! The body of an ingest request: which forms are understood, and how it is read, bounded in time, in bytes as
//! sent, in bytes decoded, and in what all requests hold together.
use std::{io::Read, sync::Arc, time::Duration};

use axum::{body::Body, http::HeaderMap};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::problem::Problem;
use crate::{config::Limits, error::Unavailable};

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

/// What all bodies in memory may weigh together.
#[derive(Clone)]
pub struct Memory(Arc<Semaphore>);

impl Memory {
    /// At most `bytes`.
    pub fn new(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS))))
    }

    /// How many bytes more there may be.
    pub fn left(&self) -> usize {
        self.0.available_permits()
    }

    fn take(&self, bytes: usize, held: &mut Option<OwnedSemaphorePermit>) -> Result<(), Problem> {
        let more = self
            .0
            .clone()
            .try_acquire_many_owned(u32::try_from(bytes).unwrap_or(u32::MAX))
            .map_err(|_| Problem::from(Unavailable::QueueFull))?;
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
        Ok(())
    }
}

/// A body read to its end, and the memory it holds until it is dropped.
pub struct Whole {
    /// Decoded.
    pub bytes: Bytes,
    _held: Option<OwnedSemaphorePermit>,
}

/// Reads the whole body and decodes it.
pub async fn read(
    body: Body,
    encoding: Encoding,
    limits: &Limits,
    deadline: Duration,
    memory: &Memory,
) -> Result<Whole, Problem> {
    let mut held = None;
    let arriving = arrive(body, limits.max_body, memory, &mut held);
    let bytes = tokio::time::timeout(deadline, arriving).await.map_err(|_| Problem::timeout())??;
    if encoding == Encoding::Identity {
        return Ok(Whole { bytes, _held: held });
    }
    let most = limits.max_decoded_body;
    let decoded = tokio::task::spawn_blocking(move || decode(&bytes, encoding, most))
        .await
        .map_err(|_| Problem::from(Unavailable::ShuttingDown))??;
    memory.take(decoded.len(), &mut held)?;
    Ok(Whole { bytes: decoded.into(), _held: held })
}

async fn arrive(
    mut body: Body,
    most: usize,
    memory: &Memory,
    held: &mut Option<OwnedSemaphorePermit>,
) -> Result<Bytes, Problem> {
    let mut whole = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Problem::cut())?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + rest.len() + data.len() > most {
            return Err(Problem::too_large(format!("the body is larger than {most} bytes")));
        }
        memory.take(data.len(), held)?;
        // most bodies arrive in one piece, and that piece is taken as it is
        if whole.is_empty() && rest.is_empty() {
            whole = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut whole));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { whole } else { rest.freeze() })
}

fn decode(bytes: &[u8], encoding: Encoding, most: usize) -> Result<Vec<u8>, Problem> {
    let mut decoded = Vec::new();
    let broken = |_| Problem::bad("the body is not whole, or not compressed as its Content-Encoding says");
    let limit = most as u64 + 1;
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
