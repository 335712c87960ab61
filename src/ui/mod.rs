//! Shell and components: the only place that knows class names.
//!
//! A page is a plain function over data that is already loaded: it builds its body out of these components and
//! hands it to [`page`], which answers the whole HTML document as a `String`. Nothing is awaited here, nothing
//! is read from a database, and what a component is given as text comes out as text, escaped.
//!
//! ```ignore
//! let body = view! {
//!     <PageHeader title="Event types" lead="The contracts of Acme's events.">
//!         <LinkButton href="/tenants/42/event-types/new" tone=Tone::Primary icon=Icon::Plus>"New event type"</LinkButton>
//!     </PageHeader>
//!     <DataTable caption="Event types" columns=vec![Column::text("Name"), Column::number("Events")] rows=rows/>
//! };
//! let html = ui::page(&frame, "Event types", vec![Crumb::new("Acme", "/tenants/42")], body.into_any());
//! ```
//!
//! Children are taken by [`Slot`], at once: a page may borrow what it shows.
mod action;
pub mod assets;
mod board;
mod changes;
mod chart;
mod code;
mod confirm;
mod coverage;
mod diff;
mod document;
mod empty;
mod facts;
mod field;
mod fields;
mod form;
pub mod format;
mod frame;
mod hits;
mod icon;
mod json;
mod layout;
mod nav;
mod needs;
mod parts;
mod progress;
mod prose;
mod qr;
mod radio_row;
mod shell;
mod slot;
mod state;
mod steps;
mod sums;
mod table;
mod text;
mod time;
mod timeline;
mod track;
mod trend;

#[cfg(test)]
mod gallery;

pub use action::{Button, LinkButton, PostButton, Tone, guide};
pub use board::{Board, Lane};
pub use changes::{Difference, Differences};
pub use chart::{Chart, ChartBar, ChartWords};
pub use code::{CodeBlock, CopyField};
pub use confirm::Confirm;
pub use coverage::{Cover, CoverPart, Coverage};
pub use diff::{ChangeItem, Changes, Diff, DiffLine};
pub use document::{error_page, init, page, plain_page, with_islands};
pub use empty::Empty;
pub use facts::{Facts, Stat, Stats};
pub use field::{Checkbox, Checkboxes, Choice, Field, FileField, RadioGroup, Select, TextArea};
pub use fields::{FieldRow, FieldTable, NewFieldRow, field_id};
pub use form::{FieldErrors, Form, FormActions, FormErrors, Hidden};
pub use frame::{Crumb, Frame, Notice, Section, TenantRef, Theme, Viewer};
pub use hits::{Hits, Keys, SearchBox, Shortcuts};
pub use icon::{Icon, icon};
pub use json::{Json, Mark};
pub use layout::{Card, Columns, Desk, Group, Near, PageHeader, Prose, Row};
pub use nav::{Filters, Pager, Tab, Tabs};
pub use needs::{Need, Needs, calm};
pub use parts::{Cell, CellRows, FieldGrid, Outcome, Seldom, Variant, Variants};
pub use progress::{Follow, Progress, said};
pub use prose::{Anchor, AskForm, Fold, Share, Sheet, Suggest, mono_link, paragraphs, points, progress_badge, quoted};
pub use qr::QrCode;
pub use radio_row::RadioRow;
pub use slot::Slot;
pub use state::{Alert, Badge, State};
pub use steps::{Step, StepState, Steps};
pub use sums::Sums;
pub use table::{Column, DataTable, Sort};
pub use text::{hint, link, mono, muted, number, strong, text, two_lines, unseen};
pub use time::{Now, Zone, ago, at, in_address, zoned};
pub use timeline::{Event as Happening, Timeline};
pub use track::Track;
pub use trend::{Trend, TrendFigure};
