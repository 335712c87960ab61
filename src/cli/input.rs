//! What commands read: files, and standard input.
use std::{io::Read, str::FromStr};

use anyhow::Context;

/// The most that is read of a file, in bytes.
const MOST: u64 = 256 << 20;
/// The longest secret that is read, in bytes.
const LONGEST_SECRET: u64 = 4096;

/// Reads an id.
pub(super) fn id<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "an id is a GUID such as 0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c")
}

/// Reads a text from a file, or from standard input when it is called `-`.
pub(super) fn text(file: &str) -> anyhow::Result<String> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().lock().take(MOST).read_to_string(&mut text)
    } else {
        std::fs::File::open(file).and_then(|open| open.take(MOST).read_to_string(&mut text))
    };
    read.with_context(|| format!("cannot read {}", if file == "-" { "standard input" } else { file }))?;
    Ok(text)
}

/// Reads a secret from standard input: the first line of it.
pub(super) fn secret() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin().lock().take(LONGEST_SECRET).read_to_string(&mut text).context("cannot read standard input")?;
    Ok(text.lines().next().unwrap_or_default().trim().to_owned())
}
