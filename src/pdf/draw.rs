//! From marks on pages to the bytes of a PDF.
use krilla::{
    Document, SerializeSettings,
    color::rgb,
    configure::{Accessibility, ConfigurationBuilder},
    destination::XyzDestination,
    geom::{PathBuilder, Point, Rect},
    metadata::Metadata,
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::Fill,
    surface::Surface,
    tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node as TagNode, SpanTag, TagGroup, TagTree},
};

use super::{
    Paper, PaperError,
    ink::Weight,
    layout::{Faces, HIGH, Heading, Ink, Laid, Look, MARGIN, Mark, Node, WIDE},
};

const LANGUAGE: &str = "en";
const FOOT: Look = Look { size: 7.0, lead: 10.0, weight: Weight::Regular, ink: Ink::Pale };

fn amiss(what: impl std::fmt::Debug) -> PaperError {
    PaperError::Unwritten(format!("{what:?}"))
}

pub(super) fn draw(paper: &Paper, faces: &Faces, laid: Laid) -> Result<Vec<u8>, PaperError> {
    let configuration =
        ConfigurationBuilder::new().with_accessibility_validator(Accessibility::UA1).finish().map_err(amiss)?;
    let mut document = Document::new_with(SerializeSettings { configuration, ..SerializeSettings::default() });
    let mut leaves: Vec<Option<Identifier>> = vec![None; laid.leaves];
    let count = laid.pages.len();
    for (n, marks) in laid.pages.iter().enumerate() {
        let size = PageSettings::from_wh(WIDE, HIGH).ok_or_else(|| amiss("a page has no size"))?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        for mark in marks {
            put(&mut surface, faces, mark, &mut leaves);
        }
        let foot = paper.foot.iter().cloned().chain([format!("Page {} of {count}", n + 1)]);
        for (line, text) in foot.enumerate() {
            let text = faces.regular.known(&text);
            let y = HIGH - 52.0 + FOOT.lead * f32::from(u8::try_from(line).unwrap_or(0));
            let mark = Mark::Text { x: MARGIN, y, look: FOOT, text, even: false, leaf: None };
            put(&mut surface, faces, &mark, &mut leaves);
        }
        surface.finish();
        page.finish();
    }
    let mut tree = TagTree::new().with_lang(Some(LANGUAGE.into()));
    for node in laid.tree {
        if let Some(node) = tagged(node, &mut leaves) {
            tree.push(node);
        }
    }
    document.set_tag_tree(tree);
    document.set_outline(outline(paper, laid.headings));
    let metadata = Metadata::new()
        .title(paper.title.clone())
        .language(LANGUAGE.into())
        .creator("Tributary".into())
        .document_id(paper.id.clone())
        .keywords(vec![paper.id.clone()]);
    document.set_metadata(metadata);
    document.finish().map_err(amiss)
}

/// The headings, to go to; a paper without any begins with its title.
fn outline(paper: &Paper, headings: Vec<Heading>) -> Outline {
    let mut outline = Outline::new();
    let first = Heading { title: paper.title.clone(), page: 0, y: MARGIN };
    let all = if headings.is_empty() { vec![first] } else { headings };
    for Heading { title, page, y } in all {
        outline.push_child(OutlineNode::new(title, XyzDestination::new(page, Point::from_xy(0.0, y))));
    }
    outline
}

fn put(surface: &mut Surface<'_>, faces: &Faces, mark: &Mark, leaves: &mut [Option<Identifier>]) {
    match mark {
        Mark::Text { x, y, look, text, even, leaf } => {
            let face = faces.of(look.weight);
            let tag = match leaf {
                Some(_) => ContentTag::Span(SpanTag::empty()),
                None => ContentTag::Artifact(Artifact::with_kind(ArtifactType::PaginationOther)),
            };
            let id = surface.start_tagged(tag);
            surface.set_fill(Some(fill(match look.ink {
                Ink::Full => rgb::Color::new(24, 24, 32),
                Ink::Pale => rgb::Color::new(92, 92, 106),
            })));
            // a space at its end, as words are apart from those of the next line
            let text = format!("{text} ");
            let glyphs = face.glyphs(&text, *even);
            surface.draw_glyphs(Point::from_xy(*x, *y), &glyphs, face.font.clone(), &text, look.size, false);
            surface.end_tagged();
            if let Some(leaf) = leaf {
                leaves[*leaf] = Some(id);
            }
        }
        Mark::Rule { x, y, width, strong } => {
            let (height, color) = if *strong { (0.8, 92) } else { (0.5, 214) };
            let Some(rect) = Rect::from_xywh(*x, *y, *width, height) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            let Some(path) = path.finish() else { return };
            surface.start_tagged(ContentTag::Artifact(Artifact::new(ArtifactType::Layout, Some(rect))));
            surface.set_fill(Some(fill(rgb::Color::new(color, color, color))));
            surface.draw_path(&path);
            surface.end_tagged();
        }
    }
}

fn fill(color: rgb::Color) -> Fill {
    Fill { paint: color.into(), opacity: NormalizedF32::ONE, rule: krilla::paint::FillRule::default() }
}

/// The tree with what was drawn in place of its leaves; what has none is left out.
fn tagged(node: Node, leaves: &mut [Option<Identifier>]) -> Option<TagNode> {
    match node {
        Node::Leaf(leaf) => leaves.get_mut(leaf)?.take().map(TagNode::from),
        Node::Group(tag, children) => {
            let mut group = TagGroup::new(*tag);
            for child in children {
                if let Some(child) = tagged(child, leaves) {
                    group.push(child);
                }
            }
            Some(group.into())
        }
    }
}
