//! Polling: external systems that are asked by HTTP GET on an interval, and the proof that nothing was missed.
pub mod definition;
pub mod fetch;
pub mod map;
pub mod probe;
mod window;

pub use window::Window;
