//! Letters: which glyph stands for which character, how wide text is, and where it breaks.
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::{
    FontRef, MetadataProvider as _,
    charmap::Charmap,
    instance::{LocationRef, Size},
    metrics::GlyphMetrics,
};

static REGULAR: &[u8] = include_bytes!("fonts/Inter-Regular.ttf");
static SEMIBOLD: &[u8] = include_bytes!("fonts/Inter-SemiBold.ttf");
/// What stands for a character that the typeface has not.
const UNKNOWN: char = '?';

/// How heavy letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Strong,
}

/// A typeface of one weight.
pub(super) struct Face {
    pub font: Font,
    charmap: Charmap<'static>,
    metrics: GlyphMetrics<'static>,
    units: f32,
}

impl Face {
    pub fn of(weight: Weight) -> Option<Self> {
        let data = match weight {
            Weight::Regular => REGULAR,
            Weight::Strong => SEMIBOLD,
        };
        let face = FontRef::new(data).ok()?;
        let font = Font::new(data.into(), 0)?;
        let units = font.units_per_em();
        let metrics = face.glyph_metrics(Size::unscaled(), LocationRef::default());
        Some(Self { font, charmap: face.charmap(), metrics, units })
    }

    /// The text with what the typeface has not got replaced.
    pub fn known(&self, text: &str) -> String {
        let known = |c: char| if self.charmap.map(c).is_some_and(|glyph| glyph.to_u32() > 0) { c } else { UNKNOWN };
        text.chars().map(|c| if c.is_whitespace() { ' ' } else { known(c) }).collect()
    }

    fn advance(&self, c: char) -> (u32, f32) {
        let glyph = self.charmap.map(c).unwrap_or_default();
        (glyph.to_u32(), self.metrics.advance_width(glyph).unwrap_or_default() / self.units)
    }

    /// The glyphs of a line. With `even`, figures are as wide as each other, so that amounts stand below each other.
    pub fn glyphs(&self, line: &str, even: bool) -> Vec<KrillaGlyph> {
        let (_, figure) = self.advance('0');
        let glyph = |(at, c): (usize, char)| {
            let (glyph, own) = self.advance(c);
            let wide = if even && c.is_ascii_digit() { figure } else { own };
            let aside = (wide - own) / 2.0;
            KrillaGlyph::new(GlyphId::new(glyph), wide, aside, 0.0, 0.0, at..at + c.len_utf8(), None)
        };
        line.char_indices().map(glyph).collect()
    }

    /// How wide a line is, in parts of its size.
    pub fn width(&self, line: &str, even: bool) -> f32 {
        self.glyphs(line, even).iter().map(|glyph| glyph.x_advance).sum()
    }

    /// The lines of a text within a width, which is in parts of its size. Words that are too long are broken.
    pub fn lines(&self, text: &str, width: f32) -> Vec<String> {
        text.lines().flat_map(|line| self.wrapped(&self.known(line), width)).collect()
    }

    fn wrapped(&self, text: &str, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            for (n, piece) in self.pieces(word, width).into_iter().enumerate() {
                let Some(line) = lines.last_mut() else { continue };
                let space = if line.is_empty() { "" } else { " " };
                // the pieces of one word have a line each
                if n == 0 && self.width(&format!("{line}{space}{piece}"), false) <= width || line.is_empty() {
                    line.push_str(space);
                    line.push_str(&piece);
                } else {
                    lines.push(piece);
                }
            }
        }
        lines
    }

    /// A word in pieces that each fit.
    fn pieces(&self, word: &str, width: f32) -> Vec<String> {
        let (mut pieces, mut used) = (vec![String::new()], 0.0);
        for c in word.chars() {
            let (_, advance) = self.advance(c);
            if used + advance > width && pieces.last().is_some_and(|piece| !piece.is_empty()) {
                pieces.push(String::new());
                used = 0.0;
            }
            used += advance;
            if let Some(piece) = pieces.last_mut() {
                piece.push(c);
            }
        }
        pieces
    }
}
