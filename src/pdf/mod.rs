//! Paper: headings, paragraphs, lists and tables on A4 pages, written as a PDF that keeps PDF/UA-1, so that a screen
//! reader can read it as it can a page. The same paper is the same bytes, whenever and wherever it is written.
mod draw;
mod ink;
mod layout;

/// What is to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Paper {
    /// What it is called.
    pub title: String,
    /// What each of its pages says at its foot.
    pub foot: Vec<String>,
    /// An identifier of its own, for programs.
    pub id: String,
    /// What it says.
    pub blocks: Vec<Block>,
}

/// A part of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    /// The heading of all of it, and a few words above it.
    Title(String, String),
    /// The heading of what follows.
    Heading(String),
    /// Paragraphs.
    Text(String),
    /// Paragraphs that are less important.
    Aside(String),
    /// Points.
    Points(Vec<String>),
    /// Names, each with what it is.
    Facts(Vec<(String, String)>),
    /// A table.
    Table(Vec<Column>, Vec<Vec<Cell>>),
    /// Sums, at the right; the last is the one that counts.
    Sums(Vec<(String, String)>),
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// What it is called.
    pub title: String,
    /// How much of the width it takes, as a part of all columns.
    pub part: f32,
    /// Whether it holds numbers, which stand at the right.
    pub numbers: bool,
}

/// What stands in a table.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// What.
    pub text: String,
    /// More about it, below.
    pub more: String,
    /// Whether it names its row.
    pub strong: bool,
}

impl Cell {
    /// Just this.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// Why a paper was not written.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// The typeface cannot be read.
    #[error("the typeface cannot be read")]
    Typeface,
    /// The writer found something amiss.
    #[error("the PDF cannot be written: {0}")]
    Unwritten(String),
}

impl Paper {
    /// Writes it.
    ///
    /// # Errors
    /// When it cannot be written, which is a fault of this program.
    pub fn write(&self) -> Result<Vec<u8>, PaperError> {
        let faces = layout::Faces::read().ok_or(PaperError::Typeface)?;
        let laid = layout::lay(self, &faces);
        draw::draw(self, &faces, laid)
    }
}

#[cfg(test)]
mod tests;
