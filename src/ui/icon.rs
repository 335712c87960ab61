//! The icons: 16 by 16, one stroke, drawn for this product. An icon never stands alone: a word is beside it, or
//! a label on what holds it.
use leptos::prelude::*;

/// What an icon shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is named after what it shows")]
pub enum Icon {
    Check,
    Warning,
    Error,
    Neutral,
    Info,
    Copy,
    ChevronDown,
    ChevronRight,
    ArrowLeft,
    ArrowRight,
    Plus,
    Home,
    Tenants,
    Overview,
    Contract,
    Events,
    Live,
    Quarantine,
    Tasks,
    Source,
    Token,
    Audit,
    Bell,
    Roll,
    Settings,
    Account,
    People,
    Lock,
    Mail,
    SignOut,
    Trash,
    Pause,
    Play,
    Clock,
    Search,
    Keyboard,
    Download,
    Help,
    Join,
    Guide,
}

impl Icon {
    const fn paths(self) -> &'static str {
        match self {
            Self::Check => r#"<circle cx="8" cy="8" r="6.25"/><path d="m5.2 8.3 1.9 1.9 3.8-4.2"/>"#,
            Self::Warning => r#"<path d="M8 2.2 14.6 13.5H1.4Z"/><path d="M8 6.4v3.2M8 11.6v.1"/>"#,
            Self::Error => {
                r#"<path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4Z"/><path d="M8 4.8v3.7M8 11v.1"/>"#
            }
            Self::Neutral => r#"<circle cx="8" cy="8" r="6.25"/><path d="M5.4 8h5.2"/>"#,
            Self::Info => r#"<circle cx="8" cy="8" r="6.25"/><path d="M8 7.4v3.4M8 5.2v.1"/>"#,
            Self::Copy => {
                r#"<rect x="5.5" y="5.5" width="8" height="8.5" rx="1.5"/><path d="M10.5 3.6V3.4A1.4 1.4 0 0 0 9.1 2H3.9a1.4 1.4 0 0 0-1.4 1.4v5.7a1.4 1.4 0 0 0 1.4 1.4"/>"#
            }
            Self::ChevronDown => r#"<path d="m4.2 6.2 3.8 3.8 3.8-3.8"/>"#,
            Self::ChevronRight => r#"<path d="m6.2 4.2 3.8 3.8-3.8 3.8"/>"#,
            Self::ArrowLeft => r#"<path d="M13 8H3M7 4 3 8l4 4"/>"#,
            Self::ArrowRight => r#"<path d="M3 8h10M9 4l4 4-4 4"/>"#,
            Self::Plus => r#"<path d="M8 3v10M3 8h10"/>"#,
            Self::Home => r#"<path d="M2.2 7.4 8 2.4l5.8 5"/><path d="M3.8 6.4v7.2h8.4V6.4"/>"#,
            Self::Tenants => {
                r#"<path d="M2.5 14V3.4L9 2v12M9 5.6l4.5 1V14M1.5 14h13"/><path d="M5 5.6h1.4M5 8.2h1.4M5 10.8h1.4"/>"#
            }
            Self::Overview => r#"<path d="M2 14h12M3.6 11.4V8.2M8 11.4V3M12.4 11.4V6"/>"#,
            Self::Contract => {
                r#"<path d="M6 2.4c-1.6 0-2 .7-2 2v1.7c0 1-.5 1.6-1.6 1.9C3.5 8.3 4 8.9 4 9.9v1.7c0 1.3.4 2 2 2M10 2.4c1.6 0 2 .7 2 2v1.7c0 1 .5 1.6 1.6 1.9-1.1.3-1.6.9-1.6 1.9v1.7c0 1.3-.4 2-2 2"/>"#
            }
            Self::Events => r#"<path d="M2 4h2M6.5 4H14M2 8h2M6.5 8H14M2 12h2M6.5 12H14"/>"#,
            Self::Live => r#"<path d="M1.5 8.5h2.7L6.3 3l3.2 10 2-4.5h3"/>"#,
            Self::Quarantine => {
                r#"<path d="M8 1.8 13.4 4v3.9c0 3-2 5.2-5.4 6.3-3.4-1.1-5.4-3.3-5.4-6.3V4Z"/><path d="M8 5v3.3M8 10.6v.1"/>"#
            }
            Self::Tasks => r#"<path d="m2 4 1.3 1.3L5.6 3M2 11l1.3 1.3 2.3-2.3M8 4.2h6M8 11.2h6"/>"#,
            Self::Token => r#"<circle cx="5.2" cy="10.8" r="3"/><path d="m7.4 8.6 6-6M10.6 5.4l2 2"/>"#,
            Self::Audit => {
                r#"<path d="M12.5 7V3.4A1.4 1.4 0 0 0 11.1 2H4.4A1.4 1.4 0 0 0 3 3.4v9.2A1.4 1.4 0 0 0 4.4 14H7"/><path d="M5.6 5.2h4.3M5.6 8h2.2"/><circle cx="11.2" cy="11.4" r="2.8"/><path d="M11.2 10v1.5l1 .7"/>"#
            }
            Self::Bell => {
                r#"<path d="M3.4 11.6c.9-1 1-2 1-4.2a3.6 3.6 0 0 1 7.2 0c0 2.2.1 3.2 1 4.2ZM6.6 13.6a1.5 1.5 0 0 0 2.8 0"/>"#
            }
            Self::Roll => {
                r#"<path d="M13.2 6.4A5.6 5.6 0 0 0 3.2 5M2.8 9.6A5.6 5.6 0 0 0 12.8 11"/><path d="M3 2.2V5h2.8M13 13.8V11h-2.8"/>"#
            }
            Self::Settings => {
                r#"<path d="M2 4.5h6.2M12.2 4.5H14M2 11.5h1.8M7.8 11.5H14"/><circle cx="10.2" cy="4.5" r="1.9"/><circle cx="5.8" cy="11.5" r="1.9"/>"#
            }
            Self::Account => {
                r#"<circle cx="8" cy="5.4" r="2.8"/><path d="M2.8 14c.4-3.1 2.2-4.7 5.2-4.7s4.8 1.6 5.2 4.7"/>"#
            }
            Self::People => {
                r#"<circle cx="5.8" cy="5.6" r="2.4"/><path d="M1.4 13.4c.3-2.7 1.8-4.1 4.4-4.1s4.1 1.4 4.4 4.1M10.4 3.4a2.3 2.3 0 0 1 0 4.5M11.9 9.6c1.6.4 2.5 1.7 2.7 3.8"/>"#
            }
            Self::Lock => {
                r#"<rect x="3" y="7" width="10" height="7" rx="1.5"/><path d="M5.2 7V5.2a2.8 2.8 0 0 1 5.6 0V7M8 10v1.4"/>"#
            }
            Self::Mail => {
                r#"<rect x="1.8" y="3.2" width="12.4" height="9.6" rx="1.5"/><path d="m2.2 4.6 5.8 4.2 5.8-4.2"/>"#
            }
            Self::SignOut => {
                r#"<path d="M6.5 14H3.4A1.4 1.4 0 0 1 2 12.6V3.4A1.4 1.4 0 0 1 3.4 2h3.1M10.5 11l3-3-3-3M13.5 8h-7"/>"#
            }
            Self::Trash => r#"<path d="M2.5 4.2h11M6 4V2.4h4V4M4 4.2l.6 9.4h6.8l.6-9.4M6.7 7v4M9.3 7v4"/>"#,
            Self::Pause => r#"<path d="M5.4 3v10M10.6 3v10"/>"#,
            Self::Play => r#"<path d="M4.6 2.8 13 8l-8.4 5.2Z"/>"#,
            Self::Clock => r#"<circle cx="8" cy="8" r="6.25"/><path d="M8 4.5V8l2.3 1.6"/>"#,
            Self::Search => r#"<circle cx="7" cy="7" r="4.75"/><path d="m10.6 10.6 3.4 3.4"/>"#,
            Self::Help => {
                r#"<circle cx="8" cy="8" r="6.25"/><path d="M6.2 6.4a1.8 1.8 0 1 1 2.6 1.6c-.5.3-.8.6-.8 1.2M8 11.3v.1"/>"#
            }
            Self::Keyboard => {
                r#"<rect x="1.5" y="4" width="13" height="8.5" rx="1.5"/><path d="M4.2 6.8v.1M6.8 6.8v.1M9.3 6.8v.1M11.9 6.8v.1M5 9.8h6"/>"#
            }
            Self::Join => {
                r#"<path d="M3 2.5c0 4 5 3.6 5 7.5v3.5M13 2.5c0 4-5 3.6-5 7.5"/><path d="m5.6 11.4 2.4 2.4 2.4-2.4"/>"#
            }
            Self::Guide => {
                r#"<path d="M8 4.2C6.6 3.1 4.6 2.7 2 2.8v9.8c2.6-.1 4.6.3 6 1.4 1.4-1.1 3.4-1.5 6-1.4V2.8c-2.6-.1-4.6.3-6 1.4ZM8 4.2v9.8"/>"#
            }
            Self::Source => {
                r#"<path d="M2 8h7.5M6.6 4.8 9.8 8l-3.2 3.2"/><path d="M8.5 2h3.6A1.9 1.9 0 0 1 14 3.9v8.2a1.9 1.9 0 0 1-1.9 1.9H8.5"/>"#
            }
            Self::Download => r#"<path d="M8 2v8.5M4.5 7.2 8 10.7l3.5-3.5M2.5 13.8h11"/>"#,
        }
    }
}

/// The picture, hidden from screen readers: the word beside it is what they read.
pub fn icon(icon: Icon) -> AnyView {
    view! { <svg class="icon" viewBox="0 0 16 16" aria-hidden="true" inner_html=icon.paths()></svg> }.into_any()
}

/// The mark: two tributaries joining a river.
pub(super) fn mark() -> AnyView {
    let paths = r#"<rect width="32" height="32" rx="7"/><g><path d="M25 6C25 13 16 12 16 21"/><path d="M16 5.5V18"/><path d="M7 6C7 13 16 12 16 20v7"/></g>"#;
    view! { <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" inner_html=paths></svg> }.into_any()
}
