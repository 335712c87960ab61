//! The only code the browser runs. Each island is a small component that moves by itself; it knows plain
//! shared types and nothing of the server. Copying, relative times and the like need no state and live in the
//! boot script.
mod first_event;
mod live_tail;
pub mod model;
mod new_events;
#[cfg(feature = "hydrate")]
mod stream;

pub use first_event::FirstEvent;
pub use live_tail::LiveTail;
pub use new_events::NewEvents;

/// `14:05:09 UTC` out of `2026-11-18T14:05:09.123Z`.
fn clock_time(received_at: &str) -> String {
    received_at.get(11..19).map_or_else(|| received_at.to_owned(), |time| format!("{time} UTC"))
}
