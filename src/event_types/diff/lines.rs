//! Two contracts line by line. Both are set out in the same way first, with their keys in order, so that what differs
//! is what they say and not how they were typed.
use serde::Serialize;
use serde_json::Value;

/// Lines that stand around what is different.
const AROUND: usize = 3;
/// Beyond so many comparisons, what differs is shown as gone and come as a whole.
const MOST_COMPARED: usize = 4_000_000;

/// A line of the one, the other, or both.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "is", content = "text")]
pub enum Line {
    /// In both.
    Same(String),
    /// Only in the old one.
    Gone(String),
    /// Only in the new one.
    New(String),
}

/// Lines that stand together, with some around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hunk {
    /// How many lines that both have are left out before it.
    pub skipped: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

/// What differs between two schemas, and how many equal lines follow the last difference without being shown.
pub fn hunks(old: &Value, new: &Value) -> (Vec<Hunk>, usize) {
    let set_out = |schema: &Value| serde_json::to_string_pretty(schema).unwrap_or_default();
    let (old, new) = (set_out(old), set_out(new));
    let lines = compared(&old.lines().collect::<Vec<_>>(), &new.lines().collect::<Vec<_>>());
    cut(lines)
}

fn compared(old: &[&str], new: &[&str]) -> Vec<Line> {
    let start = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (&old[start..], &new[start..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(a, b)| a == b).count();
    let (a, b) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    let same = |line: &&str| Line::Same((*line).to_owned());
    let mut lines: Vec<_> = old[..start].iter().map(same).collect();
    lines.extend(middle(a, b));
    lines.extend(old[old.len() - end..].iter().map(same));
    lines
}

/// The longest common subsequence, and what is gone and new between its lines.
fn middle(a: &[&str], b: &[&str]) -> Vec<Line> {
    let (gone, new) = (|line: &&str| Line::Gone((*line).to_owned()), |line: &&str| Line::New((*line).to_owned()));
    if a.len().saturating_mul(b.len()) > MOST_COMPARED {
        return a.iter().map(gone).chain(b.iter().map(new)).collect();
    }
    // length of the longest common subsequence of what follows i in the one and j in the other
    let width = b.len() + 1;
    let mut longest = vec![0_u32; (a.len() + 1) * width];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            longest[i * width + j] = if a[i] == b[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::with_capacity(a.len() + b.len());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            lines.push(Line::Same(a[i].to_owned()));
            (i, j) = (i + 1, j + 1);
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            lines.push(gone(&a[i]));
            i += 1;
        } else {
            lines.push(new(&b[j]));
            j += 1;
        }
    }
    lines.extend(a[i..].iter().map(gone));
    lines.extend(b[j..].iter().map(new));
    lines
}

fn cut(lines: Vec<Line>) -> (Vec<Hunk>, usize) {
    let is_same = |line: &Line| matches!(line, Line::Same(_));
    let mut shown = vec![false; lines.len()];
    for (at, line) in lines.iter().enumerate() {
        if !is_same(line) {
            let end = (at + AROUND + 1).min(lines.len());
            shown[at.saturating_sub(AROUND)..end].fill(true);
        }
    }
    let mut hunks: Vec<Hunk> = Vec::new();
    let (mut skipped, mut open) = (0, false);
    for (line, shown) in lines.into_iter().zip(shown) {
        match (shown, open) {
            (false, _) => (skipped, open) = (skipped + 1, false),
            (true, false) => {
                hunks.push(Hunk { skipped, lines: vec![line] });
                (skipped, open) = (0, true);
            }
            (true, true) => {
                if let Some(hunk) = hunks.last_mut() {
                    hunk.lines.push(line);
                }
            }
        }
    }
    (hunks, skipped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_change_stands_among_its_neighbours() {
        let old = serde_json::json!({"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7, "h": 8, "i": 9});
        let mut new = old.clone();
        new["e"] = 50.into();
        let (hunks, after) = hunks(&old, &new);
        assert_eq!((hunks.len(), hunks[0].skipped, after), (1, 2, 2));
        let said: Vec<_> = hunks[0]
            .lines
            .iter()
            .map(|line| match line {
                Line::Same(text) => format!(" {}", text.trim()),
                Line::Gone(text) => format!("-{}", text.trim()),
                Line::New(text) => format!("+{}", text.trim()),
            })
            .collect();
        assert_eq!(
            said,
            [
                " \"b\": 2,",
                " \"c\": 3,",
                " \"d\": 4,",
                "-\"e\": 5,",
                "+\"e\": 50,",
                " \"f\": 6,",
                " \"g\": 7,",
                " \"h\": 8,"
            ]
        );
        assert_eq!(super::hunks(&old, &old), (vec![], 11));
    }

    proptest! {
        /// Whatever is shown, the old text and the new one can be put together from it again.
        #[test]
        fn nothing_is_lost(old in prop::collection::vec("[ab]", 0..12), new in prop::collection::vec("[ab]", 0..12)) {
            let (a, b): (Vec<&str>, Vec<&str>) =
                (old.iter().map(String::as_str).collect(), new.iter().map(String::as_str).collect());
            let lines = compared(&a, &b);
            let side = |skip: fn(&Line) -> bool| -> Vec<String> {
                let kept = lines.iter().filter(|line| !skip(line));
                kept.map(|line| match line { Line::Same(t) | Line::Gone(t) | Line::New(t) => t.clone() }).collect()
            };
            prop_assert_eq!(side(|line| matches!(line, Line::New(_))), old);
            prop_assert_eq!(side(|line| matches!(line, Line::Gone(_))), new);
            let (hunks, after) = cut(lines.clone());
            let total = hunks.iter().map(|hunk| hunk.skipped + hunk.lines.len()).sum::<usize>() + after;
            prop_assert_eq!(total, lines.len());
        }
    }
}
