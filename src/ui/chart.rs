//! How many of two kinds there were over time: stacked bars with an axis, their sentence, and their figures as a table.
//! The drawing stretches; what is read stands around it as text.
use super::{
    format,
    icon::icon,
    nav::{Tab, Tabs},
    state::State,
    table::{Column, DataTable},
};
use leptos::prelude::*;
use std::fmt::Write;

/// Height of the drawing, in its own units.
const HIGH: u64 = 160;
/// Width of a bar, and of a bar with the gap after it.
const WIDE: usize = 8;
const STEP: usize = 10;
/// Below this, a bar could not be seen.
const SEEN: u64 = 3;

/// One bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartBar {
    /// What it stands for: "18 Nov, 14:00 to 15:00".
    pub label: String,
    /// How many were as they should be.
    pub good: u64,
    /// How many were not: they stand on top.
    pub bad: u64,
    /// Whether it lies ahead: nothing can be said of it yet.
    pub ahead: bool,
}

/// What the two kinds are called: in the legend and above the columns of the table.
#[derive(Clone, Debug)]
pub struct ChartWords {
    /// What a bar stands for: "Hour".
    pub span: &'static str,
    /// "Accepted".
    pub good: &'static str,
    /// "Quarantined".
    pub bad: &'static str,
}

/// The figure.
#[component]
pub fn Chart(
    /// Oldest first.
    bars: Vec<ChartBar>,
    /// What stands below the axis, at equal distances from its left end.
    ticks: Vec<String>,
    /// What it shows, in a sentence.
    #[prop(into)]
    summary: String,
    /// What is counted.
    words: ChartWords,
    /// Other spans of time: their addresses.
    #[prop(optional)]
    spans: Vec<Tab>,
    /// The address of the one that is shown.
    #[prop(into, optional)]
    current: String,
) -> AnyView {
    let top = ceiling(bars.iter().map(|bar| bar.good + bar.bad).max().unwrap_or(0));
    let half = top.is_multiple_of(2).then(|| format::count(top / 2));
    let drawn = draw(&bars, top, &words);
    let width = (bars.len() * STEP).saturating_sub(STEP - WIDE).max(1);
    let caption = format!("{} and {} by {}", words.good, words.bad.to_lowercase(), words.span.to_lowercase());
    let columns = vec![Column::text(words.span), Column::number(words.good), Column::number(words.bad)];
    let rows = bars.iter().rev().filter(|bar| !bar.ahead).map(|bar| {
        let figure = |value: u64| if bar.good + bar.bad == 0 { super::muted("none") } else { super::number(value) };
        vec![bar.label.clone().into_any(), figure(bar.good), figure(bar.bad)]
    });
    let rows: Vec<_> = rows.collect();
    let tabs = (!spans.is_empty()).then(|| view! { <Tabs label="How far back" tabs=spans current=current/> });
    view! {
        <figure class="chart">
            {tabs}
            <figcaption class="chart-words">{summary.clone()}</figcaption>
            <div class="chart-plot">
                <div class="chart-scale" aria-hidden="true">
                    <span>{format::count(top)}</span><span>{half}</span><span>"0"</span>
                </div>
                <svg
                    class="chart-bars"
                    viewBox=format!("0 0 {width} {HIGH}")
                    preserveAspectRatio="none"
                    role="img"
                    aria-label=summary
                    inner_html=drawn
                ></svg>
                <div class="chart-ticks" aria-hidden="true">
                    {ticks.into_iter().map(|tick| view! { <span>{tick}</span> }).collect_view()}
                </div>
            </div>
            <ul class="chart-legend">
                <li class="chart-good">{icon(State::Ok.icon())}{words.good}</li>
                <li class="chart-bad">{icon(State::Warning.icon())}{words.bad}</li>
                <li class="chart-none">"Nothing came"</li>
            </ul>
            <details><summary>"View as table"</summary><DataTable caption=caption columns=columns rows=rows/></details>
        </figure>
    }
    .into_any()
}

/// The smallest figure that reads well and that no bar exceeds: 1, 2, 4, 5, 8 or 10 times a power of ten.
fn ceiling(most: u64) -> u64 {
    let mut power = 1_u64;
    loop {
        for step in [1, 2, 4, 5, 8] {
            match power.checked_mul(step) {
                Some(value) if value >= most => return value.max(2),
                Some(_) => {}
                None => return most,
            }
        }
        match power.checked_mul(10) {
            Some(next) => power = next,
            None => return most,
        }
    }
}

/// How high so many are drawn: nothing is nothing, and what is not can be seen.
fn high(value: u64, top: u64) -> u64 {
    if value == 0 {
        return 0;
    }
    let scaled = u128::from(value) * u128::from(HIGH) / u128::from(top.max(1));
    u64::try_from(scaled).unwrap_or(HIGH).clamp(SEEN, HIGH)
}

fn draw(bars: &[ChartBar], top: u64, words: &ChartWords) -> String {
    let mut drawn = String::new();
    let width = bars.len() * STEP;
    for line in [0, HIGH / 2] {
        let _ = write!(drawn, "<path class=\"chart-line\" d=\"M0 {line}H{width}\"/>");
    }
    for (n, bar) in bars.iter().enumerate().filter(|(_, bar)| !bar.ahead) {
        let (x, bad) = (n * STEP, high(bar.bad, top));
        let good = high(bar.good, top).min(HIGH - bad);
        let label = html_escape::encode_text(&bar.label);
        if bar.good + bar.bad == 0 {
            let _ = write!(
                drawn,
                "<g><title>{label}: nothing came</title><rect class=\"chart-hit\" x=\"{x}\" y=\"0\" width=\"{STEP}\" \
                 height=\"{HIGH}\"/><rect class=\"chart-none\" x=\"{x}\" y=\"{}\" width=\"{WIDE}\" height=\"2\"/></g>",
                HIGH - 2,
            );
            continue;
        }
        let _ = write!(
            drawn,
            "<g><title>{label}: {} {}, {} {}</title><rect class=\"chart-hit\" x=\"{x}\" y=\"0\" width=\"{STEP}\" \
             height=\"{HIGH}\"/>",
            format::count(bar.good),
            words.good.to_lowercase(),
            format::count(bar.bad),
            words.bad.to_lowercase(),
        );
        for (class, y, height) in [("chart-good", HIGH - good, good), ("chart-bad", HIGH - good - bad, bad)] {
            if height > 0 {
                let _ =
                    write!(drawn, "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{WIDE}\" height=\"{height}\"/>");
            }
        }
        drawn.push_str("</g>");
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WORDS: ChartWords = ChartWords { span: "Hour", good: "Accepted", bad: "Quarantined" };

    proptest! {
        #[test]
        fn no_bar_leaves_the_drawing_and_none_that_is_something_vanishes(
            values in prop::collection::vec((0_u64..=u64::MAX / 2, 0_u64..=u64::MAX / 2), 1..60),
        ) {
            let most = values.iter().map(|(good, bad)| good + bad).max().unwrap();
            let top = ceiling(most);
            prop_assert!(top >= most);
            for (good, bad) in values {
                let (bad_high, good_high) = (high(bad, top), high(good, top));
                prop_assert!(bad_high <= HIGH && good_high <= HIGH);
                prop_assert_eq!(bad == 0, bad_high == 0);
                prop_assert_eq!(good == 0, good_high == 0);
            }
        }
    }

    #[test]
    fn the_axis_ends_at_a_figure_that_reads_well() {
        for (most, top) in [(0, 2), (1, 2), (3, 4), (7, 8), (9, 10), (101, 200), (1_204, 2_000), (4_321, 5_000)] {
            assert_eq!(ceiling(most), top, "{most}");
        }
    }

    #[test]
    fn the_figure_says_what_it_shows_in_words_too() {
        crate::ui::init();
        let bar = |label: &str, good, bad, ahead| ChartBar { label: label.into(), good, bad, ahead };
        let bars = vec![bar("13:00", 0, 0, false), bar("<14:00>", 1_204, 5, false), bar("15:00", 0, 0, true)];
        let html = Owner::new_root(None).with(|| {
            let view = view! { <Chart bars=bars ticks=vec!["13:00".into()] summary="1,209 <events>" words=WORDS/> };
            view.into_any().to_html()
        });
        assert!(html.contains("&lt;14:00&gt;: 1,204 accepted, 5 quarantined</title>"), "{html}");
        assert!(html.contains("13:00: nothing came</title>") && !html.contains("15:00"), "{html}");
        assert!(
            html.contains("View as table") && html.contains("<table role=\"table\">") && html.contains("2,000"),
            "{html}"
        );
        assert!(!html.contains("<events>") && !html.contains("style="), "{html}");
        // what is in the table: the head, and a row for each bar that does not lie ahead
        assert_eq!(html.matches("<tr role=\"row\">").count(), 3, "{html}");
    }
}
