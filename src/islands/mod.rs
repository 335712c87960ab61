//! The only code the browser runs. Each island is a small component that moves by itself; it knows plain
//! shared types and nothing of the server.
mod copy_button;
pub use copy_button::CopyButton;
