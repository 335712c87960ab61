//! Says how many events have come since the page was made, and leaves the list alone.
use super::grouped;
use leptos::prelude::*;

/// Nothing, until events come by `stream`; then "12 new — show", a link to `newest`.
#[island]
pub fn NewEvents(stream: String, newest: String) -> impl IntoView {
    let (count, set_count) = signal(0_u64);
    #[cfg(feature = "hydrate")]
    {
        let more = move |by: u64| set_count.update(|count| *count += by);
        super::stream::follow(stream, move |_| more(1), more, |_| ());
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = (stream, set_count);

    let label = move || format!("{} new — show", grouped(count.get()));
    view! {
        <div class="fresh" role="status">
            <a class="btn btn-xs btn-primary btn-fresh" href=newest hidden=move || count.get() == 0>{label}</a>
        </div>
    }
}
