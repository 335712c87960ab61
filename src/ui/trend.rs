//! How much of something there was, one bar for each span of time: small in a table, large with its figures.
use super::{
    format,
    table::{Column, DataTable},
};
use leptos::prelude::*;
use std::fmt::Write;

/// Height of the drawing, in its own units.
const HIGH: u64 = 24;
/// Width of a bar, and of a bar with the gap after it.
const WIDE: usize = 6;
const STEP: usize = 8;

/// A row of bars that says in words what it shows.
#[component]
pub fn Trend(
    /// How much, oldest first.
    values: Vec<u64>,
    /// What is shown, in a sentence: "12 in 7 days, 3 of them in the last 6 hours".
    #[prop(into)]
    summary: String,
) -> AnyView {
    view! { <span class="trend">{bars(&values, &summary)}</span> }.into_any()
}

/// The same, as wide as there is room, with its sentence and its figures as a table.
#[component]
pub fn TrendFigure(
    /// What each span is called, and how much there was in it, oldest first.
    values: Vec<(String, u64)>,
    /// What a span is: "Day".
    #[prop(into)]
    span: String,
    /// What is counted: "Events".
    #[prop(into)]
    counts: String,
    /// What is shown, in a sentence.
    #[prop(into)]
    summary: String,
) -> AnyView {
    let drawn = bars(&values.iter().map(|(_, value)| *value).collect::<Vec<_>>(), &summary);
    let (first, last) = (values.first().map(|(name, _)| name.clone()), values.last().map(|(name, _)| name.clone()));
    let caption = format!("{counts} by {}", span.to_lowercase());
    let columns = vec![Column::text(span), Column::number(counts)];
    let rows = values.into_iter().rev().map(|(name, value)| vec![name.into_any(), super::number(value)]).collect();
    view! {
        <figure class="trend-figure">
            {drawn}
            <div class="trend-ends" aria-hidden="true"><span>{first}</span><span>{last}</span></div>
            <figcaption>{summary}</figcaption>
            <details><summary>"View as table"</summary><DataTable caption=caption columns=columns rows=rows/></details>
        </figure>
    }
    .into_any()
}

fn bars(values: &[u64], summary: &str) -> AnyView {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let mut drawn = String::new();
    for (n, value) in values.iter().enumerate() {
        // what is not nothing can be seen; what is nothing is a line
        let (high, class) =
            if *value == 0 { (1, " class=\"trend-none\"") } else { ((value * HIGH).div_ceil(most).max(3), "") };
        let _ = write!(
            drawn,
            "<rect{class} x=\"{}\" y=\"{}\" width=\"{WIDE}\" height=\"{high}\" rx=\"1\"><title>{}</title></rect>",
            n * STEP,
            HIGH - high,
            format::count(*value),
        );
    }
    let width = (values.len() * STEP).saturating_sub(STEP - WIDE).max(1);
    view! {
        <svg
            class="trend-bars"
            viewBox=format!("0 0 {width} {HIGH}")
            preserveAspectRatio="none"
            role="img"
            aria-label=summary.to_owned()
            inner_html=drawn
        ></svg>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_is_a_bar_and_the_largest_is_as_high_as_there_is_room() {
        crate::ui::init();
        let html = Owner::new_root(None).with(|| bars(&[0, 1, 1000], "1,001 <in> 3 days").to_html());
        assert_eq!(html.matches("<rect").count(), 3);
        assert_eq!(html.matches("trend-none").count(), 1);
        assert!(html.contains(r#"height="3""#) && html.contains(r#"height="24""#), "{html}");
        assert!(!html.contains("<in>"), "{html}");
        let none = Owner::new_root(None).with(|| bars(&[], "nothing").to_html());
        assert!(none.contains("viewBox=\"0 0 1 24\""), "{none}");
        let most = Owner::new_root(None).with(|| bars(&[u64::MAX / HIGH, 1], "many").to_html());
        assert!(most.contains(r#"height="24""#), "{most}");
    }
}
