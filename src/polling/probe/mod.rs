//! Finding out about the other side before it is polled: whether that is possible at all
//! ([`feasibility`](feasibility::feasibility)), what it makes of a window ([`boundary`](boundary::boundary)), and what
//! would come of a definition ([`attempt`](attempt::attempt)). None of them stores anything.
pub mod attempt;
pub mod boundary;
pub mod feasibility;
pub mod guess;
