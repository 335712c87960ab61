//! What a letter says: some paragraphs, written out as plain text and as simple HTML.
use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// A letter to one person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// Its subject.
    pub subject: String,
    /// What it says.
    pub parts: Vec<Part>,
}

/// One part of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// A paragraph.
    Text(String),
    /// A link that is to be followed, on a line of its own.
    Link {
        /// What following it does.
        label: String,
        /// Where it leads.
        url: String,
    },
}

impl Part {
    /// A paragraph.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

/// As plain text.
pub(super) fn plain(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        let _ = match part {
            Part::Text(words) => write!(text, "{words}\n\n"),
            Part::Link { label, url } => write!(text, "{label}:\n{url}\n\n"),
        };
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// As HTML that every mail program shows alike.
pub(super) fn html(parts: &[Part]) -> String {
    let mut body = String::new();
    for part in parts {
        let _ = match part {
            Part::Text(words) => write!(body, "<p>{}</p>", html_escape::encode_text(words)),
            Part::Link { label, url } => write!(
                body,
                r#"<p><a href="{}">{}</a></p>"#,
                html_escape::encode_double_quoted_attribute(url),
                html_escape::encode_text(label),
            ),
        };
    }
    format!(
        r#"<!DOCTYPE html><html lang="en"><body style="font-family:system-ui,sans-serif;line-height:1.5">{body}</body></html>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_say_the_same_and_text_stays_text() {
        let parts = [
            Part::text("<b>Ada</b> invites you."),
            Part::Link { label: "Accept & go".into(), url: "https://h/i?a=1&b=\"".into() },
            Part::text("It works once."),
        ];
        assert_eq!(plain(&parts), "<b>Ada</b> invites you.\n\nAccept & go:\nhttps://h/i?a=1&b=\"\n\nIt works once.\n");
        let html = html(&parts);
        assert!(html.contains("<p>&lt;b&gt;Ada&lt;/b&gt; invites you.</p>"), "{html}");
        assert!(html.contains(r#"<a href="https://h/i?a=1&amp;b=&quot;">Accept &amp; go</a>"#), "{html}");
    }
}
