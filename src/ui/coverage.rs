//! Which parts of a span of time are covered: a strip, its legend, and the same as a table with links.
use std::fmt::Write;

use leptos::prelude::*;

use super::{
    format,
    icon::{Icon, icon},
    state::State,
    table::{Column, DataTable},
};

/// Width and height of the drawing, in its own units.
const WIDE: u32 = 1000;
const HIGH: u32 = 40;
/// Below this, a part could not be seen.
const SEEN: u32 = 3;
/// How many parts the table tells, the newest first.
const TOLD: usize = 100;

/// What became of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cover {
    /// All of it is there.
    Done,
    /// It was there, and was read once more.
    Again,
    /// Somebody is at it.
    Running,
    /// It is still to come.
    Missing,
    /// It failed, and somebody has to mend that.
    Failed,
}

impl Cover {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Done, Self::Again, Self::Running, Self::Missing, Self::Failed];

    /// As people read it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Again => "read again",
            Self::Running => "running",
            Self::Missing => "not yet read",
            Self::Failed => "failed",
        }
    }

    const fn class(self) -> &'static str {
        match self {
            Self::Done => "cover-done",
            Self::Again => "cover-again",
            Self::Running => "cover-running",
            Self::Missing => "cover-missing",
            Self::Failed => "cover-failed",
        }
    }

    const fn icon(self) -> Icon {
        match self {
            Self::Done => State::Ok.icon(),
            Self::Again => Icon::Roll,
            Self::Running => Icon::Play,
            Self::Missing => Icon::Clock,
            Self::Failed => State::Error.icon(),
        }
    }
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverPart {
    /// Where it begins and ends, in thousandths of the whole.
    pub begin: u32,
    /// The end.
    pub end: u32,
    /// What became of it.
    pub cover: Cover,
    /// When it was, in words.
    pub label: String,
    /// Where more is told of it.
    pub href: Option<String>,
}

/// The figure.
#[component]
pub fn Coverage(
    /// Oldest first.
    parts: Vec<CoverPart>,
    /// What stands below, from its left end to its right.
    ticks: Vec<String>,
    /// What it shows, in a sentence.
    #[prop(into)]
    summary: String,
) -> AnyView {
    let drawn = draw(&parts);
    let legend = Cover::ALL.into_iter().filter(|cover| parts.iter().any(|part| part.cover == *cover)).map(|cover| {
        view! { <li class=cover.class()>{icon(cover.icon())}{cover.word()}</li> }
    });
    let legend = legend.collect_view();
    let left = parts.len().saturating_sub(TOLD);
    let rows = parts.into_iter().rev().take(TOLD).map(|part| {
        let label = match part.href {
            Some(href) => super::link(href, part.label),
            None => part.label.into_any(),
        };
        vec![label, part.cover.word().into_any()]
    });
    let rows: Vec<_> = rows.collect();
    let more = (left > 0).then(|| super::muted(format!("{} before these.", format::counted(left as u64, "part"))));
    let columns = vec![Column::text("When"), Column::text("State")];
    view! {
        <figure class="coverage">
            <figcaption class="chart-words">{summary}</figcaption>
            // its parts lead where the table's links lead: those are for the keyboard
            <svg
                class="cover-strip"
                viewBox=format!("0 0 {WIDE} {HIGH}")
                preserveAspectRatio="none"
                aria-hidden="true"
                inner_html=drawn
            ></svg>
            <div class="trend-ends" aria-hidden="true">{ticks.into_iter().map(|tick| view! { <span>{tick}</span> }).collect_view()}</div>
            <ul class="chart-legend">{legend}</ul>
            <details>
                <summary>"View as table"</summary>
                <DataTable caption="Parts of the ledger" columns=columns rows=rows/>
                {more}
            </details>
        </figure>
    }
    .into_any()
}

fn draw(parts: &[CoverPart]) -> String {
    let mut drawn = format!("<rect class=\"cover-none\" x=\"0\" y=\"0\" width=\"{WIDE}\" height=\"{HIGH}\"/>");
    // what somebody has to look at lies on top
    let mut order: Vec<_> = parts.iter().collect();
    order.sort_by_key(|part| part.cover);
    for part in order {
        let begin = part.begin.min(WIDE - SEEN);
        let wide = part.end.min(WIDE).saturating_sub(begin).max(SEEN);
        let (y, high) = if part.cover == Cover::Running { (HIGH / 4, HIGH / 2) } else { (0, HIGH) };
        let (label, word) = (html_escape::encode_text(&part.label), part.cover.word());
        let shape = format!(
            "<rect class=\"{}\" x=\"{begin}\" y=\"{y}\" width=\"{wide}\" height=\"{high}\"><title>{label}: {word}</title></rect>",
            part.cover.class(),
        );
        let _ = match &part.href {
            Some(href) => {
                let href = html_escape::encode_double_quoted_attribute(href);
                write!(drawn, "<a href=\"{href}\" tabindex=\"-1\">{shape}</a>")
            }
            None => write!(drawn, "{shape}"),
        };
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_can_be_seen_and_what_failed_lies_on_top() {
        let part = |begin, end, cover, label: &str| CoverPart {
            begin,
            end,
            cover,
            label: label.into(),
            href: Some("/x?a=1&b=\"".into()),
        };
        let drawn = draw(&[part(1000, 1000, Cover::Failed, "<now>"), part(0, 1000, Cover::Done, "all")]);
        assert!(drawn.contains("x=\"997\"") && drawn.contains("width=\"3\""), "{drawn}");
        assert!(drawn.find("cover-done").unwrap() < drawn.find("cover-failed").unwrap());
        assert!(drawn.contains("&lt;now&gt;: failed") && !drawn.contains("b=\"\""), "{drawn}");
    }
}
