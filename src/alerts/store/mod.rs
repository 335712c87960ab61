//! Alerts in the database.
mod channels;
mod history;
mod notices;
mod rules;

pub use channels::{Made, add, channel, channels, edit, remove, roll, secrets, set_enabled, test, told};
pub use history::{alerts, apply, changes_so_far, forget, load, open_of_all};
pub use notices::{Attempt, Claimed, Line, claim, notices_of};
pub use rules::{rules_of, set_rules};
