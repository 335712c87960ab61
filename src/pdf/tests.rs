//! Papers of all kinds are written; the writer's validator refuses what is not PDF/UA-1.
use proptest::prelude::*;

use super::{
    Block, Cell, Column, Paper,
    ink::{Face, Weight},
};

fn paper(blocks: Vec<Block>) -> Paper {
    Paper { title: "Paper".into(), foot: vec!["Foot".into()], id: "id".into(), blocks }
}

fn pages(pdf: &[u8]) -> usize {
    // the tree of pages is no page
    let text = String::from_utf8_lossy(pdf).replace("/Type/", "/Type /");
    text.matches("/Type /Page").count() - text.matches("/Type /Pages").count()
}

proptest! {
    /// Whatever a text is, its lines fit, and no letter of it is lost.
    #[test]
    fn lines_fit_and_lose_nothing(text in "[a-zA-Z0-9 ,.ÄÖøλЖ-]{0,200}", width in 3.0_f32..40.0) {
        let face = Face::of(Weight::Regular).unwrap();
        let lines = face.lines(&text, width);
        for line in &lines {
            prop_assert!(face.width(line, false) <= width + 0.001, "{line:?}");
        }
        let letters = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
        prop_assert_eq!(letters(&lines.concat()), letters(&text));
    }
}

#[test]
fn what_is_long_goes_on_over_pages() {
    let column = |title: &str, numbers| Column { title: title.into(), part: 1.0, numbers };
    let row = |n: usize, lines: usize| {
        let more = vec!["words of a description that is long enough to be wrapped"; lines].join("\n");
        vec![Cell { text: format!("Row {n}"), more, strong: true }, Cell::of("1,234.50")]
    };
    // rows of a line, and one that is taller than a page
    let rows: Vec<_> = (0..60).map(|n| row(n, if n == 30 { 120 } else { 1 })).collect();
    let table = Block::Table(vec![column("Name", false), column("Amount", true)], rows);
    let one = paper(vec![Block::Title("ABOVE".into(), "A title".into()), table]).write().unwrap();
    let many = pages(&one);
    assert!(many > 3, "{many}");
    let short = paper(vec![Block::Text("A word".into())]).write().unwrap();
    assert_eq!(pages(&short), 1);
}

#[test]
fn odd_text_is_written_all_the_same() {
    let odd = "日本 \u{1f600} \u{0}\u{7f}\t ــ x".to_owned() + &"y".repeat(500);
    let blocks = vec![
        Block::Title(odd.clone(), odd.clone()),
        Block::Heading(odd.clone()),
        Block::Text(format!("{odd}\n\n{odd}")),
        Block::Aside(odd.clone()),
        Block::Points(vec![odd.clone(), String::new()]),
        Block::Facts(vec![(odd.clone(), odd.clone()), (String::new(), String::new())]),
        Block::Table(Vec::new(), Vec::new()),
        Block::Sums(vec![(odd.clone(), odd)]),
        Block::Sums(Vec::new()),
    ];
    paper(blocks).write().unwrap();
    paper(Vec::new()).write().unwrap();
}
