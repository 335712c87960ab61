//! A document as it is printed: what a customer keeps. The digest of its text stands at the foot of every page.
use super::{
    content::{Document, digest, discount},
    hours,
    money::Discount,
};
use crate::{
    error::{Error, Result},
    pdf::{Block, Cell, Column, Paper},
};

/// The document as a PDF.
///
/// # Errors
/// When it cannot be written.
pub(super) fn pdf(of: &Document) -> Result<Vec<u8>> {
    paper(of).write().map_err(Error::internal)
}

fn paper(of: &Document) -> Paper {
    let (content, totals) = (&of.content, &of.totals);
    let currency = content.currency;
    let mark = digest(of.text().as_bytes());
    let mut blocks = vec![
        Block::Title(format!("QUOTATION · VERSION {}", of.number), content.title.clone()),
        Block::Facts(vec![
            ("To".into(), content.addressee.clone()),
            ("Integration".into(), format!("{}, with {}", of.name, of.system)),
            ("Date".into(), of.sent_at.format("%-d %B %Y").to_string()),
            ("Valid until".into(), format!("{} (UTC)", content.valid_until.format("%-d %B %Y"))),
            ("Contact".into(), of.sent_by.clone()),
        ]),
        Block::Heading("Work and price".into()),
    ];
    let column = |title: &str, part: f32, numbers: bool| Column { title: title.into(), part, numbers };
    let columns = vec![
        column("Work package", 44.0, false),
        column("Hours", 10.0, true),
        column("Rate", 16.0, true),
        column("VAT", 9.0, true),
        column(currency.code(), 18.0, true),
    ];
    let rows = content.lines.iter().map(|line| {
        let by = if line.role.is_empty() { String::new() } else { format!(" · {}", line.role) };
        let more = format!("{}{by}\n{}", line.pricing.title(), line.description);
        let package = Cell { text: line.package.clone(), more, strong: true };
        let hours = hours(line.minutes);
        vec![
            package,
            Cell::of(hours.trim_end_matches(" h")),
            Cell::of(currency.figure(line.rate)),
            Cell::of(line.vat.to_string()),
            Cell::of(currency.figure(line.net())),
        ]
    });
    blocks.push(Block::Table(columns, rows.collect()));
    let mut sums = Vec::new();
    if content.discount != Discount::None {
        sums.push(("Sum of the lines".into(), currency.figure(totals.lines)));
        sums.push((format!("Discount: {}", discount(content)), currency.figure(-totals.discount)));
    }
    sums.push(("Total without VAT".to_owned(), currency.figure(totals.net)));
    for at in &totals.rates {
        let base = currency.figure(at.net - at.discount);
        sums.push((format!("VAT {} on {base}", at.rate), currency.figure(at.vat)));
    }
    sums.push((format!("Total, {}", currency.code()), currency.figure(totals.gross)));
    blocks.push(Block::Sums(sums));
    for (title, text) in [("Assumptions", &content.assumptions), ("Not included", &content.exclusions)] {
        let points: Vec<_> = text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
        if !points.is_empty() {
            blocks.push(Block::Heading(title.into()));
            blocks.push(Block::Points(points));
        }
    }
    blocks.push(Block::Aside(
        "What is billed by time spent is billed by the hours it takes; its hours here are an estimate. What has a fixed \
         price costs what stands here. VAT is computed once for each rate, on the sum without VAT."
            .into(),
    ));
    Paper {
        title: format!("{}, version {}", content.title, of.number),
        foot: vec![
            format!("Quotation {}, version {}, for {}", of.id, of.number, of.customer),
            format!("SHA-256 of its content: {mark}"),
        ],
        id: mark,
        blocks,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::quotation::content::{
        FORMAT,
        tests::{content, line},
    };

    pub(super) fn document(lines: usize) -> Document {
        let mut of = content((0..lines).map(|n| line(&format!("Package {n} <script>"), 90 + 7, 15_000)).collect());
        of.discount = Discount::Percent(crate::intake::quotation::Percent(500));
        of.assumptions = "A token is there\nØrsted & Čapek — Ελλάδα 日本 \u{1f600} stays readable".into();
        let totals = of.totals();
        Document {
            format: FORMAT.into(),
            id: "0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2c".parse().unwrap(),
            number: 2,
            tenant: crate::tenants::DEMO,
            customer: "Harbour Museum".into(),
            integration: "0198c0de-6f1e-7a53-9c55-0f5d3f8a1b2d".parse().unwrap(),
            name: "Members".into(),
            system: "Salesforce".into(),
            content: of,
            totals,
            sent_by: "grace@example.com".into(),
            sent_at: "2029-12-31T12:00:00Z".parse().unwrap(),
        }
    }

    /// The validator of the writer checks PDF/UA-1; what it refuses fails here.
    #[test]
    fn it_is_written_tagged_the_same_every_time_and_bears_its_digest() {
        for lines in [1, 3, 100] {
            let of = document(lines);
            let (one, other) = (pdf(&of).unwrap(), pdf(&of).unwrap());
            assert!(one.starts_with(b"%PDF-1.7") && one == other);
            let mark = digest(of.text().as_bytes());
            let holds = |needle: &str| one.windows(needle.len()).any(|bytes| bytes == needle.as_bytes());
            assert!(holds(&mark) && holds("/StructTreeRoot") && holds("pdfuaid"), "{lines}");
        }
    }

    #[test]
    fn a_document_reads_back_and_any_change_shows() {
        let of = document(3);
        assert_eq!(Document::parse(&of.text()).unwrap(), of);
        let mut dearer = of.clone();
        dearer.content.lines[0].rate += 1;
        assert_ne!(digest(of.text().as_bytes()), digest(dearer.text().as_bytes()));
    }
}
