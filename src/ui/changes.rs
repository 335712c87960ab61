//! What became different, field by field: what it was, struck out, and what it is.
use leptos::prelude::*;

/// One field that is no longer as it was; without a value it was, or is, nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field.
    pub field: String,
    /// What it was.
    pub before: Option<String>,
    /// What it is.
    pub after: Option<String>,
}

/// How many fields are in sight at once.
const IN_SIGHT: usize = 3;

/// The fields that are different; all but the first few are folded away, and so are all of something new.
#[component]
pub fn Differences(
    /// The fields.
    fields: Vec<Difference>,
    /// Whether there was nothing before: only what is there now is told.
    #[prop(optional)]
    new: bool,
) -> AnyView {
    if fields.is_empty() {
        return ().into_any();
    }
    let in_sight = if new { 0 } else { IN_SIGHT };
    let mut items: Vec<AnyView> = fields.into_iter().map(|field| item(field, new)).collect();
    // one that would be folded away alone takes no more room than the fold
    let folded = if items.len() > in_sight + 1 || new { items.split_off(in_sight) } else { Vec::new() };
    let shown = (!items.is_empty()).then(|| view! { <ul class="changes">{items}</ul> });
    let rest = (!folded.is_empty()).then(|| {
        let count = super::format::counted(folded.len() as u64, "field");
        let summary = if new { format!("With {count}") } else { format!("And {count} more") };
        view! { <details class="fold"><summary>{summary}</summary><ul class="changes">{folded}</ul></details> }
    });
    view! { {shown} {rest} }.into_any()
}

fn item(difference: Difference, new: bool) -> AnyView {
    let Difference { field, before, after } = difference;
    let before = (!new).then(|| {
        let before = match before {
            Some(before) => view! { <del>{before}</del> }.into_any(),
            None => super::muted("nothing"),
        };
        view! { {before}<span class="changes-to"><span aria-hidden="true">"→"</span><span class="sr-only">" is now "</span></span> }
    });
    let after = after.unwrap_or_else(|| "nothing".into());
    view! { <li><span class="changes-field">{field}</span>" "{before}<ins>{after}</ins></li> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(count: usize, new: bool) -> String {
        let field = |n: usize| Difference {
            field: format!("f{n}"),
            before: (n > 0).then(|| "a".into()),
            after: Some("<b>".into()),
        };
        crate::ui::init();
        let fields: Vec<_> = (0..count).map(field).collect();
        view! { <Differences fields=fields new=new/> }.to_html()
    }

    #[test]
    fn a_few_are_in_sight_and_the_rest_is_folded() {
        let few = drawn(4, false);
        assert!(few.matches("<li").count() == 4 && !few.contains("details"));
        assert!(few.contains("nothing</span>") && few.contains("<del>a</del>") && few.contains("&lt;b&gt;"));
        assert!(drawn(6, false).contains("And 3 fields more"));
        let new = drawn(2, true);
        assert!(new.contains("With 2 fields") && !new.contains("<del"));
        assert!(!drawn(0, true).contains("details"));
    }
}
