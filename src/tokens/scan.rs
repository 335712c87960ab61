//! Finds secrets made here where they do not belong: by how they begin, and by their checksum.
use super::secret::{self, digest};

/// A secret in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its line, from 1.
    pub line: usize,
    /// Where in the line it begins, in bytes from 1.
    pub column: usize,
    /// How it begins: all of it that may be said.
    pub prefix: String,
    /// What it is known by.
    pub digest: [u8; 32],
}

/// All secrets in a text, whatever stands around them: in UTF-16 too, which a shell of Windows writes. The checksum
/// tells them from what only looks like one.
pub fn scan(text: &[u8]) -> Vec<Found> {
    match utf_16(text) {
        Some(text) => scan_bytes(text.as_bytes()),
        None => scan_bytes(text),
    }
}

/// How much of a text tells how it is written.
const START: usize = 8 << 10;

/// A text in UTF-16, by its mark, or by every second byte of its beginning being nothing.
fn utf_16(text: &[u8]) -> Option<String> {
    let start = text.get(..START).unwrap_or(text);
    let nothing = |from: usize| start.iter().skip(from).step_by(2).filter(|byte| **byte == 0).count();
    // most, since what stands in quotes may be in any script
    let most = |from: usize| start.len() >= 4 && nothing(from) * 4 >= start.len() && nothing(1 - from) == 0;
    let (rest, little) = match text {
        [0xFF, 0xFE, rest @ ..] => (rest, true),
        [0xFE, 0xFF, rest @ ..] => (rest, false),
        _ if most(1) => (text, true),
        _ if most(0) => (text, false),
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|pair| {
        let pair = [pair[0], pair[1]];
        if little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) }
    });
    Some(char::decode_utf16(units).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

fn scan_bytes(text: &[u8]) -> Vec<Found> {
    let mark = secret::MARK.as_bytes();
    let (mut found, mut at, mut line, mut line_start, mut counted) = (Vec::new(), 0, 1, 0, 0);
    while let Some(next) = text[at..].windows(mark.len()).position(|window| window == mark) {
        let begin = at + next;
        at = begin + mark.len();
        let Some(whole) = text.get(begin..begin + secret::LENGTH).and_then(|bytes| std::str::from_utf8(bytes).ok())
        else {
            continue;
        };
        if !secret::is_whole(whole) {
            continue;
        }
        let breaks = text[counted..begin].iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        for (place, _) in breaks {
            (line, line_start) = (line + 1, counted + place + 1);
        }
        counted = begin;
        let prefix = whole.get(..secret::PREFIX).unwrap_or_default().to_owned();
        found.push(Found { line, column: begin - line_start + 1, prefix, digest: digest(whole) });
        at = begin + secret::LENGTH;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::Secret;
    use proptest::prelude::*;

    #[test]
    fn secrets_are_found_whatever_stands_around_them() {
        let (one, two) = (Secret::generate(), Secret::generate());
        let text = format!("TOKEN={}\r\n\n  \"x\":\"ü{}{}\"", one.expose(), two.expose(), one.expose());
        let found = scan(text.as_bytes());
        let places: Vec<_> = found.iter().map(|found| (found.line, found.column)).collect();
        assert_eq!(places, [(1, 7), (3, 10), (3, 63)]);
        assert_eq!((found[0].prefix.as_str(), found[0].digest), (one.prefix(), one.digest()));
    }

    #[test]
    fn what_only_looks_like_one_is_left_alone() {
        let made = Secret::generate();
        let whole = made.expose();
        let wrong = format!("trb_{}{}", &whole[5..], &whole[4..5]);
        let text = format!("{wrong} trb_ trb_trb_ {} {}", &whole[..52], whole.to_uppercase());
        assert_eq!(scan(text.as_bytes()), []);
        // one that begins within something else
        assert_eq!(scan(format!("trb_{whole}").as_bytes()).len(), 1);
    }

    #[test]
    fn text_of_a_windows_shell_is_read() {
        let made = Secret::generate();
        let text = format!("a\r\n$env:TOKEN = \"{}\"\r\n", made.expose());
        let written = |mark: bool, bytes: fn(u16) -> [u8; 2]| {
            mark.then_some(0xFEFF).into_iter().chain(text.encode_utf16()).flat_map(bytes).collect::<Vec<u8>>()
        };
        let ways = [(true, u16::to_le_bytes as fn(u16) -> [u8; 2]), (true, u16::to_be_bytes)];
        for (mark, bytes) in ways.into_iter().chain([(false, u16::to_le_bytes as _), (false, u16::to_be_bytes as _)]) {
            let found = scan(&written(mark, bytes));
            assert_eq!(found.iter().map(|one| (one.line, one.digest)).collect::<Vec<_>>(), [(2, made.digest())]);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read(mut before in proptest::collection::vec(any::<u8>(), 0..200), cut in 0_usize..60) {
            let secret = Secret::generate();
            before.extend_from_slice(&secret.expose().as_bytes()[..cut.min(53)]);
            prop_assert_eq!(scan(&before).len(), usize::from(cut >= 53));
        }
    }
}
