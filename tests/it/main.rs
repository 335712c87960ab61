//! Tests of the whole: the real server, reached by sockets, and the real program, each on both databases.
#![expect(clippy::unwrap_used, reason = "all of this is a test")]

mod alerts;
mod anonymous;
mod bodies;
mod canary;
mod cli;
mod code;
mod contracts;
mod demo;
mod failures;
mod finding;
mod hostile;
mod idempotency;
mod intake;
mod mail;
mod moving;
mod observing;
mod opening;
mod people;
mod polling;
mod property;
mod quotations;
mod receipts;
mod refusals;
mod rights;
mod source_pages;
mod statuses;
mod stopping;
mod support;
mod tasks;
mod token_cli;
mod token_life;
mod tokens;
mod unique;
mod versions;
mod web_pages;
