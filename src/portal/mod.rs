//! What customers see of their integrations: how each stands, whose turn it is, what they are asked for, and how the
//! live ones fare. Who has no account follows one integration by a link (`links`). Colleagues can look at it as a customer
//! does; that is marked, and written into the audit trail.
//!
//! `health` says in plain words what is known; it does no I/O. What a task is, is [`intake`](crate::intake)'s to say.
pub mod answers;
pub mod health;
pub mod links;
mod pages;
pub mod status;
pub mod store;

pub use health::{Diagnosis, Health};
pub use pages::routes;
