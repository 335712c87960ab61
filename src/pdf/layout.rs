//! Where everything stands: blocks become lines of text and rules on pages, and a tree that says what they are.
use std::num::NonZeroU16;

use krilla::tagging::{ListNumbering, TableHeaderScope, Tag, TagKind};

use super::{
    Block, Cell, Column, Paper,
    ink::{Face, Weight},
};

/// A4, in points, and its margins.
pub(super) const WIDE: f32 = 595.28;
pub(super) const HIGH: f32 = 841.89;
pub(super) const MARGIN: f32 = 56.0;
const TOP: f32 = 62.0;
const BOTTOM: f32 = HIGH - 84.0;
const INNER: f32 = WIDE - 2.0 * MARGIN;
/// Between columns.
const GUTTER: f32 = 10.0;
/// How wide names of facts are.
const NAMES: f32 = 120.0;

pub(super) struct Faces {
    pub regular: Face,
    pub strong: Face,
}

impl Faces {
    pub fn read() -> Option<Self> {
        Some(Self { regular: Face::of(Weight::Regular)?, strong: Face::of(Weight::Strong)? })
    }

    pub fn of(&self, weight: Weight) -> &Face {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Strong => &self.strong,
        }
    }
}

/// How text looks.
#[derive(Clone, Copy)]
pub(super) struct Look {
    pub size: f32,
    /// From one line to the next.
    pub lead: f32,
    pub weight: Weight,
    pub ink: Ink,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    Full,
    Pale,
}

const BODY: Look = Look { size: 9.5, lead: 14.0, weight: Weight::Regular, ink: Ink::Full };
const NAME: Look = Look { weight: Weight::Strong, ..BODY };
const PALE: Look = Look { ink: Ink::Pale, ..BODY };
const SMALL: Look = Look { size: 8.5, lead: 12.0, ink: Ink::Pale, ..BODY };
const LABEL: Look = Look { size: 8.0, lead: 12.0, weight: Weight::Strong, ink: Ink::Pale };
const TITLE: Look = Look { size: 20.0, lead: 26.0, weight: Weight::Strong, ink: Ink::Full };
const HEADING: Look = Look { size: 12.0, lead: 18.0, weight: Weight::Strong, ink: Ink::Full };
const TOTAL: Look = Look { size: 11.0, lead: 17.0, weight: Weight::Strong, ink: Ink::Full };

/// Something on a page.
pub(super) enum Mark {
    /// A line of text; `leaf` says which of the tree's leaves it is, none is no part of what is read.
    Text { x: f32, y: f32, look: Look, text: String, even: bool, leaf: Option<usize> },
    /// A rule.
    Rule { x: f32, y: f32, width: f32, strong: bool },
}

/// What text is, for who cannot see it.
pub(super) enum Node {
    Group(Box<TagKind>, Vec<Node>),
    Leaf(usize),
}

impl Node {
    fn group(tag: impl Into<TagKind>, children: Vec<Self>) -> Self {
        Self::Group(Box::new(tag.into()), children)
    }
}

/// All of it.
pub(super) struct Laid {
    pub pages: Vec<Vec<Mark>>,
    pub tree: Vec<Node>,
    pub leaves: usize,
    pub headings: Vec<Heading>,
}

/// Where a heading stands, for the list of them beside the pages.
pub(super) struct Heading {
    pub title: String,
    pub page: usize,
    pub y: f32,
}

pub(super) fn lay(paper: &Paper, faces: &Faces) -> Laid {
    let mut pen = Pen { faces, pages: vec![Vec::new()], y: TOP, leaves: 0, headings: Vec::new() };
    let mut tree = Vec::new();
    for block in &paper.blocks {
        pen.block(block, &mut tree);
    }
    Laid { pages: pen.pages, tree, leaves: pen.leaves, headings: pen.headings }
}

struct Pen<'a> {
    faces: &'a Faces,
    pages: Vec<Vec<Mark>>,
    /// The top of what comes next.
    y: f32,
    leaves: usize,
    headings: Vec<Heading>,
}

impl Pen<'_> {
    fn block(&mut self, block: &Block, tree: &mut Vec<Node>) {
        match block {
            Block::Title(above, title) => {
                let above = self.paragraph(above, LABEL, MARGIN, INNER);
                tree.push(Node::group(Tag::P, above));
                self.listed(title);
                let heading = self.paragraph(title, TITLE, MARGIN, INNER);
                tree.push(Node::group(Tag::Hn(NonZeroU16::MIN, Some(title.clone())), heading));
                self.y += 10.0;
            }
            Block::Heading(title) => {
                self.y += 14.0;
                // a heading never stands alone at the foot of a page
                self.room(HEADING.lead + 3.0 * BODY.lead);
                self.listed(title);
                let heading = self.paragraph(title, HEADING, MARGIN, INNER);
                let second = NonZeroU16::MIN.saturating_add(1);
                tree.push(Node::group(Tag::Hn(second, Some(title.clone())), heading));
                self.y += 2.0;
            }
            Block::Text(text) => self.paragraphs(text, BODY, tree),
            Block::Aside(text) => self.paragraphs(text, SMALL, tree),
            Block::Points(points) => {
                let items = points.iter().map(|point| self.point(point)).collect();
                tree.push(Node::group(Tag::L(ListNumbering::Disc), items));
                self.y += 4.0;
            }
            Block::Facts(facts) => {
                let rows = facts.iter().map(|(name, value)| self.fact(name, value)).collect();
                tree.push(Node::group(Tag::Table, rows));
                self.y += 6.0;
            }
            Block::Table(columns, rows) => self.table(columns, rows, tree),
            Block::Sums(sums) => self.sums(sums, tree),
        }
    }

    /// Lists the heading that is written next.
    fn listed(&mut self, title: &str) {
        let heading = Heading { title: title.to_owned(), page: self.pages.len() - 1, y: self.y };
        self.headings.push(heading);
    }

    fn paragraphs(&mut self, text: &str, look: Look, tree: &mut Vec<Node>) {
        for part in text.split("\n\n").filter(|part| !part.trim().is_empty()) {
            let lines = self.paragraph(part, look, MARGIN, INNER);
            tree.push(Node::group(Tag::P, lines));
            self.y += 4.0;
        }
    }

    /// Goes on to the next page, unless there is room for as much.
    fn room(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM || self.y <= TOP {
            return false;
        }
        self.pages.push(Vec::new());
        self.y = TOP;
        true
    }

    fn mark(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    fn wrapped(&self, text: &str, look: Look, width: f32) -> Vec<String> {
        self.faces.of(look.weight).lines(text, width / look.size)
    }

    /// Lines below each other, going on to the next page where one is full.
    fn paragraph(&mut self, text: &str, look: Look, x: f32, width: f32) -> Vec<Node> {
        let mut leaves = Vec::new();
        for line in self.wrapped(text, look, width) {
            self.room(look.lead);
            leaves.extend(self.line(&line, look, x, self.y));
            self.y += look.lead;
        }
        leaves
    }

    /// A line whose top is at `y`.
    fn line(&mut self, text: &str, look: Look, x: f32, y: f32) -> Option<Node> {
        self.placed(text, look, x, y, false)
    }

    fn placed(&mut self, text: &str, look: Look, x: f32, y: f32, even: bool) -> Option<Node> {
        if text.is_empty() {
            return None;
        }
        let leaf = self.leaves;
        self.leaves += 1;
        let y = y + look.lead * 0.72;
        let text = self.faces.of(look.weight).known(text);
        self.mark(Mark::Text { x, y, look, text, even, leaf: Some(leaf) });
        Some(Node::Leaf(leaf))
    }

    /// A line that ends at `right`.
    fn at_right(&mut self, text: &str, look: Look, right: f32, y: f32) -> Option<Node> {
        let face = self.faces.of(look.weight);
        let text = face.known(text);
        let width = face.width(&text, true) * look.size;
        self.placed(&text, look, right - width, y, true)
    }

    fn point(&mut self, point: &str) -> Node {
        self.room(BODY.lead);
        let (y, indent) = (self.y, 12.0);
        let label = self.line("•", BODY, MARGIN, y).into_iter().collect();
        let body = self.paragraph(point, BODY, MARGIN + indent, INNER - indent);
        Node::group(Tag::LI, vec![Node::group(Tag::Lbl, label), Node::group(Tag::LBody, body)])
    }

    fn fact(&mut self, name: &str, value: &str) -> Node {
        let lines = self.wrapped(value, BODY, INNER - NAMES).len().max(1);
        // what is long may go on over the page, and begins where at least a part of it fits
        self.room(BODY.lead * f32::from(u16::try_from(lines.min(6)).unwrap_or(6)));
        let y = self.y;
        let head: Vec<_> = self.line(name, PALE, MARGIN, y).into_iter().collect();
        let body = self.paragraph(value, BODY, MARGIN + NAMES, INNER - NAMES);
        if body.is_empty() {
            self.y += BODY.lead;
        }
        self.y += 2.0;
        let head = Node::group(Tag::TH(TableHeaderScope::Row), head);
        Node::group(Tag::TR, vec![head, Node::group(Tag::TD, body)])
    }

    fn table(&mut self, columns: &[Column], rows: &[Vec<Cell>], tree: &mut Vec<Node>) {
        let all: f32 = columns.iter().map(|column| column.part).sum();
        let free = INNER - GUTTER * f32::from(u16::try_from(columns.len().saturating_sub(1)).unwrap_or(0));
        let mut x = MARGIN;
        let mut places = Vec::new();
        for column in columns {
            let width = free * column.part / all;
            places.push((x, width));
            x += width + GUTTER;
        }
        self.room(LABEL.lead + 4.0 * BODY.lead);
        let head = self.head(columns, &places, true);
        let mut body = Vec::new();
        for row in rows {
            body.push(self.row(columns, &places, row));
        }
        let head = Node::group(Tag::THead, vec![Node::group(Tag::TR, head)]);
        tree.push(Node::group(Tag::Table, vec![head, Node::group(Tag::TBody, body)]));
        self.y += 6.0;
    }

    /// The names of the columns; on the pages after the first they are repeated for the eye alone.
    fn head(&mut self, columns: &[Column], places: &[(f32, f32)], first: bool) -> Vec<Node> {
        let y = self.y;
        let mut cells = Vec::new();
        for (column, (x, width)) in columns.iter().zip(places) {
            let face = self.faces.of(LABEL.weight);
            let text = face.known(&column.title);
            let wide = face.width(&text, false) * LABEL.size;
            let x = if column.numbers { x + width - wide } else { *x };
            if first {
                let leaf = self.line(&text, LABEL, x, y).into_iter().collect();
                cells.push(Node::group(Tag::TH(TableHeaderScope::Column), leaf));
            } else {
                let y = y + LABEL.lead * 0.72;
                self.mark(Mark::Text { x, y, look: LABEL, text, even: false, leaf: None });
            }
        }
        self.y += LABEL.lead + 4.0;
        self.mark(Mark::Rule { x: MARGIN, y: self.y, width: INNER, strong: true });
        self.y += 5.0;
        cells
    }

    fn row(&mut self, columns: &[Column], places: &[(f32, f32)], row: &[Cell]) -> Node {
        let look = |cell: &Cell| if cell.strong { NAME } else { BODY };
        let height = |pen: &Self, cell: &Cell, width: f32| {
            let lines = |text: &str, look: Look| {
                f32::from(u16::try_from(pen.wrapped(text, look, width).len()).unwrap_or(u16::MAX)) * look.lead
            };
            lines(&cell.text, look(cell)) + if cell.more.is_empty() { 0.0 } else { lines(&cell.more, SMALL) }
        };
        let heights = row.iter().zip(places).map(|(cell, (_, width))| height(self, cell, *width));
        let tallest = heights.fold(BODY.lead, f32::max);
        if self.room(tallest.min(BOTTOM - TOP - 40.0) + 8.0) {
            self.head(columns, places, false);
        }
        let (page, top) = (self.pages.len(), self.y);
        let mut end = (page, top + tallest);
        let mut cells = Vec::new();
        for (n, (cell, (x, width))) in row.iter().zip(places).enumerate() {
            let mut leaves = Vec::new();
            if columns[n].numbers {
                leaves.extend(self.at_right(&cell.text, look(cell), x + width, top));
            } else {
                // what is taller than a page is in the first column alone, and goes on over pages
                self.y = top;
                leaves.extend(self.paragraph(&cell.text, look(cell), *x, *width));
                if !cell.more.is_empty() {
                    leaves.extend(self.paragraph(&cell.more, SMALL, *x, *width));
                }
                if self.pages.len() > end.0 || self.pages.len() == end.0 && self.y > end.1 {
                    end = (self.pages.len(), self.y);
                }
            }
            let tag = if cell.strong { Tag::TH(TableHeaderScope::Row).into() } else { TagKind::from(Tag::TD) };
            cells.push(Node::group(tag, leaves));
        }
        self.y = end.1 + 4.0;
        self.mark(Mark::Rule { x: MARGIN, y: self.y, width: INNER, strong: false });
        self.y += 5.0;
        Node::group(Tag::TR, cells)
    }

    fn sums(&mut self, sums: &[(String, String)], tree: &mut Vec<Node>) {
        let lead = |n: usize| if n + 1 == sums.len() { TOTAL } else { BODY };
        let height: f32 = (0..sums.len()).map(|n| lead(n).lead).sum();
        self.room(height + 12.0);
        let (right, name) = (MARGIN + INNER, MARGIN + INNER - 240.0);
        let mut rows = Vec::new();
        for (n, (title, amount)) in sums.iter().enumerate() {
            let look = lead(n);
            if n + 1 == sums.len() {
                self.y += 3.0;
                self.mark(Mark::Rule { x: name, y: self.y, width: right - name, strong: true });
                self.y += 5.0;
            }
            let y = self.y;
            let head: Vec<_> = self.line(title, look, name, y).into_iter().collect();
            let body: Vec<_> = self.at_right(amount, look, right, y).into_iter().collect();
            let head = Node::group(Tag::TH(TableHeaderScope::Row), head);
            rows.push(Node::group(Tag::TR, vec![head, Node::group(Tag::TD, body)]));
            self.y += look.lead;
        }
        tree.push(Node::group(Tag::Table, rows));
        self.y += 8.0;
    }
}
