//! What a command answers: text for people, or JSON for programs. One place decides which.
use std::io::{self, Write};

use serde::Serialize;
use serde_json::json;

/// Where a command answers.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    json: bool,
}

impl Output {
    /// In JSON or in text.
    pub fn new(json: bool) -> Self {
        Self { json }
    }

    /// Whether programs read it.
    pub fn is_json(self) -> bool {
        self.json
    }

    /// One answer.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn record(self, value: &impl Serialize, text: impl FnOnce() -> String) -> anyhow::Result<()> {
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer(&mut out, value)?;
            writeln!(out)?;
        } else {
            writeln!(out, "{}", text().trim_end())?;
        }
        Ok(out.flush()?)
    }

    /// Answers one by one, a line each.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn lines<T: Serialize>(
        self,
        rows: impl IntoIterator<Item = T>,
        text: impl Fn(&T) -> String,
    ) -> anyhow::Result<()> {
        let mut out = io::BufWriter::new(io::stdout().lock());
        for row in rows {
            if self.json {
                serde_json::to_writer(&mut out, &row)?;
                writeln!(out)?;
            } else {
                writeln!(out, "{}", text(&row))?;
            }
        }
        Ok(out.flush()?)
    }

    /// A list: one object a line, or columns under their titles; `none` is said to people when it is empty.
    ///
    /// # Errors
    /// When standard output is closed.
    pub fn table<T: Serialize, const N: usize>(
        self,
        rows: &[T],
        titles: [&str; N],
        cells: impl Fn(&T) -> [String; N],
        none: &str,
    ) -> anyhow::Result<()> {
        if self.json {
            return self.lines(rows, |_| String::new());
        }
        if rows.is_empty() {
            return self.lines([none], |none| (*none).to_owned());
        }
        let mut table = vec![titles.map(str::to_owned)];
        table.extend(rows.iter().map(cells));
        let widths: [usize; N] =
            std::array::from_fn(|n| table.iter().map(|row| row[n].chars().count()).max().unwrap_or(0));
        let line = |row: &[String; N]| {
            let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.lines(table.iter().map(line), Clone::clone)
    }

    /// Why it was not done, on standard error, in one line; and what to do about it.
    pub fn error(self, message: &str, hint: Option<&str>) {
        let message = message.split_whitespace().collect::<Vec<_>>().join(" ");
        let line = match (self.json, hint) {
            (true, Some(hint)) => json!({"error": message, "hint": hint}).to_string(),
            (true, None) => json!({"error": message}).to_string(),
            (false, Some(hint)) => format!("error: {message} ({hint})"),
            (false, None) => format!("error: {message}"),
        };
        // when nobody reads standard error, there is nobody to tell that
        let _ = writeln!(io::stderr(), "{line}");
    }
}
