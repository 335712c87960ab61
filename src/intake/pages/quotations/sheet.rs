//! What a version says, as a page shows and prints it: the same to the staff and to the customer.
use leptos::prelude::*;

use crate::{
    intake::{
        hours,
        quotation::{Content, Discount, Quotation, Totals, content::discount},
    },
    ui::{self, Column, DataTable, Facts, Group},
};

/// All that it says. `link` makes the name of a line, by its place.
pub(super) fn sheet(of: &Quotation, link: impl Fn(usize, &str) -> AnyView) -> AnyView {
    let content = &of.content;
    let totals = content.totals();
    let mut facts = vec![
        ("To", ui::paragraphs(&content.addressee)),
        ("Version", ui::text(of.number.to_string())),
        ("Valid until", ui::text(format!("{} (UTC)", content.valid_until.format("%-d %B %Y")))),
    ];
    facts.extend(of.sent_at.map(|at| ("Date", ui::text(at.format("%-d %B %Y").to_string()))));
    facts.extend(of.sent_by.as_ref().map(|by| ("Contact", ui::text(by.as_str()))));
    view! {
        <Facts items=facts/>
        <Group title="Work and price">{lines(content, link)}{sums(content, &totals)}</Group>
        {listed("Assumptions", &content.assumptions)}
        {listed("Not included", &content.exclusions)}
        <p>{ui::muted("What is billed by time spent is billed by the hours it takes; its hours here are an estimate. What has a fixed price costs what stands here. VAT is computed once for each rate, on the sum without VAT.")}</p>
        {of.document_digest.as_ref().map(|mark| view! { <p>{ui::muted("SHA-256 of its content: ")}{ui::mono(mark.as_str())}</p> })}
    }
    .into_any()
}

fn lines(content: &Content, link: impl Fn(usize, &str) -> AnyView) -> AnyView {
    let currency = content.currency;
    if content.lines.is_empty() {
        return view! { <p>{ui::muted("No lines yet.")}</p> }.into_any();
    }
    let columns = vec![
        Column::text("Work package"),
        Column::number("Hours"),
        Column::number("Rate"),
        Column::number("VAT"),
        Column::number(currency.code()),
    ];
    let rows = content.lines.iter().enumerate().map(|(n, line)| {
        let by = if line.role.is_empty() { String::new() } else { format!(" · {}", line.role) };
        let about = (!line.description.is_empty()).then(|| ui::paragraphs(&line.description));
        let name = view! {
            {ui::two_lines(link(n, &line.package), ui::text(format!("{}{by}", line.pricing.title())))}
            {about}
        };
        vec![
            name.into_any(),
            ui::text(hours(line.minutes).trim_end_matches(" h").to_owned()),
            ui::text(currency.figure(line.rate)),
            ui::text(line.vat.to_string().replace(' ', "\u{a0}")),
            ui::text(currency.figure(line.net())),
        ]
    });
    view! { <DataTable caption="Lines" columns=columns rows=rows.collect()/> }.into_any()
}

fn sums(content: &Content, totals: &Totals) -> AnyView {
    let currency = content.currency;
    let mut rows = Vec::new();
    let mut add = |name: String, amount: i64| rows.push((name, currency.figure(amount)));
    if content.discount != Discount::None {
        add("Sum of the lines".into(), totals.lines);
        add(format!("Discount: {}", discount(content)), -totals.discount);
    }
    add("Total without VAT".into(), totals.net);
    for at in &totals.rates {
        add(format!("VAT {} on {}", at.rate, currency.figure(at.net - at.discount)), at.vat);
    }
    add(format!("Total, {}", currency.code()), totals.gross);
    view! { <ui::Sums rows=rows/> }.into_any()
}

fn listed(title: &'static str, text: &str) -> Option<AnyView> {
    let lines = super::super::lines(text)?;
    Some(view! { <Group title=title>{lines}</Group> }.into_any())
}
