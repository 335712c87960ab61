//! Finding out about the other side before it is polled: [`attempt`](attempt::attempt) tries a definition out, and
//! stores nothing.
pub mod attempt;
pub mod boundary;
