//! A table of one kind of thing. Its first cell is the head of its row and holds the row's one link.
use super::icon::{Icon, icon};
use leptos::prelude::*;

/// Which way a column is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// It could be.
    None,
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

/// The head of a column.
#[derive(Clone, Debug)]
pub struct Column {
    label: String,
    number: bool,
    wide: bool,
    silent: bool,
    sort: Option<(Sort, String)>,
}

impl Column {
    /// A column of text.
    pub fn text(label: impl Into<String>) -> Self {
        Self { label: label.into(), number: false, wide: false, silent: false, sort: None }
    }

    /// A column of figures, set to the right.
    pub fn number(label: impl Into<String>) -> Self {
        Self { number: true, ..Self::text(label) }
    }

    /// A column of buttons, whose head only screen readers need.
    pub fn actions(label: impl Into<String>) -> Self {
        Self { silent: true, number: true, ..Self::text(label) }
    }

    /// Left out where the screen is narrow: only for what the row's own page shows too.
    #[must_use]
    pub fn wide_only(mut self) -> Self {
        self.wide = true;
        self
    }

    /// Can be sorted: how it is now, and the address that sorts it the other way.
    #[must_use]
    pub fn sorted(mut self, sort: Sort, href: impl Into<String>) -> Self {
        self.sort = Some((sort, href.into()));
        self
    }

    const fn class(&self) -> Option<&'static str> {
        match (self.number, self.wide) {
            (true, true) => Some("num wide-only"),
            (true, false) => Some("num"),
            (false, true) => Some("wide-only"),
            (false, false) => None,
        }
    }

    fn head(&self) -> AnyView {
        let aria = self.sort.as_ref().map(|(sort, _)| match sort {
            Sort::None => "none",
            Sort::Ascending => "ascending",
            Sort::Descending => "descending",
        });
        let label = match &self.sort {
            Some((sort, href)) => {
                let class = match sort {
                    Sort::None => "sort",
                    Sort::Ascending => "sort sort-up",
                    Sort::Descending => "sort sort-down",
                };
                view! { <a class=class href=href.clone()>{self.label.clone()}{icon(Icon::ChevronDown)}</a> }.into_any()
            }
            None if self.silent => view! { <span class="sr-only">{self.label.clone()}</span> }.into_any(),
            None => self.label.clone().into_any(),
        };
        view! { <th scope="col" role="columnheader" class=self.class() aria-sort=aria>{label}</th> }.into_any()
    }
}

/// A table. Where it has little room, each row is a block, and each cell a line with the name of its column before it;
/// what scrolls sideways does so in its own box and never takes the page along. Roles are written out, since browsers
/// forget those of a table whose parts are laid out as something else.
#[component]
pub fn DataTable(
    /// What the rows are: read aloud, and shown with `show_caption`.
    #[prop(into)]
    caption: String,
    /// The heads.
    columns: Vec<Column>,
    /// The cells, row by row; the first of each names its row.
    rows: Vec<Vec<AnyView>>,
    /// Shows the caption above the table.
    #[prop(optional)]
    show_caption: bool,
) -> AnyView {
    let heads = columns.iter().map(Column::head).collect_view();
    let rows = rows.into_iter().map(|cells| {
        let cells = cells.into_iter().zip(&columns).enumerate().map(|(n, (cell, column))| {
            if n == 0 {
                view! { <th scope="row" role="rowheader" class=column.class()>{cell}</th> }.into_any()
            } else {
                let label = (!column.silent).then(|| column.label.clone());
                view! { <td role="cell" class=column.class() data-label=label>{cell}</td> }.into_any()
            }
        });
        view! { <tr role="row">{cells.collect_view()}</tr> }.into_any()
    });
    let region = caption.clone();
    // two columns are narrow enough as they are
    let stacks = columns.len() > 2;
    view! {
        <div class=if stacks { "table-box stacks" } else { "table-box" } role="region" aria-label=region tabindex="0">
            <table role="table">
                <caption class=(!show_caption).then_some("sr-only")>{caption}</caption>
                <thead role="rowgroup"><tr role="row">{heads}</tr></thead>
                <tbody role="rowgroup">{rows.collect_view()}</tbody>
            </table>
        </div>
    }
    .into_any()
}
