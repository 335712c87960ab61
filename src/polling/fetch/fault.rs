//! Why a window could not be read to its end, what becomes of it, and what somebody can do.
use std::time::Duration;

use crate::http_client;

/// Why a window could not be read to its end.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{what}{}{advice}", if advice.is_empty() { "" } else { ": " })]
pub struct Fault {
    class: Class,
    what: String,
    advice: &'static str,
}

/// What becomes of a window that was not read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// It is tried again later.
    BackOff {
        /// When the other side has said so.
        retry_after: Option<Duration>,
    },
    /// The other side refuses the secret: after three times, nobody asks any more.
    Pause,
    /// Somebody has to mend something.
    Stop,
    /// It is too much at once: two halves are asked for.
    Split,
}

impl Fault {
    pub(super) fn new(class: Class, what: impl Into<String>, advice: &'static str) -> Self {
        Self { class, what: what.into(), advice }
    }

    /// One that passes.
    pub(super) fn passing(what: impl Into<String>) -> Self {
        Self::new(Class::BackOff { retry_after: None }, what, "it is tried again")
    }

    /// One that somebody has to mend.
    pub(super) fn stop(what: impl Into<String>, advice: &'static str) -> Self {
        Self::new(Class::Stop, what, advice)
    }

    /// Too much at once.
    pub(super) fn split(what: impl Into<String>, advice: &'static str) -> Self {
        Self::new(Class::Split, what, advice)
    }

    /// What becomes of the window.
    pub fn class(&self) -> Class {
        self.class
    }

    /// What happened.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it; perhaps nothing.
    pub fn advice(&self) -> &'static str {
        self.advice
    }

    /// Windows that have no upper bound cannot be split.
    pub(super) fn whole(mut self) -> Self {
        if self.class == Class::Split {
            self.class = Class::Stop;
        }
        self
    }

    /// What a status means that is no answer.
    pub(super) fn status(status: u16, retry_after: Option<Duration>, says: &str) -> Self {
        let says = if says.is_empty() { String::new() } else { format!(", saying: {says}") };
        let what = format!("the other side answered {status}{says}");
        match status {
            401 => Self::new(Class::Pause, what, "the token is not accepted; replace it"),
            403 => Self::new(Class::Pause, what, "the token may not read this; have it allowed, or replace it"),
            408 | 425 | 500..=599 => Self::new(Class::BackOff { retry_after }, what, "it is tried again"),
            429 => Self::new(
                Class::BackOff { retry_after },
                what,
                "it wants to be asked less often; it is tried again later",
            ),
            404 | 410 => Self::stop(what, "the address is not right, or not any more"),
            300..=399 => Self::stop(what, "it sends somewhere else without saying where"),
            413 | 414 => Self::split(what, "less is asked for at once"),
            _ => Self::stop(what, "it does not understand what it is asked; mend the address or the parameters"),
        }
    }
}

impl From<http_client::Fault> for Fault {
    fn from(fault: http_client::Fault) -> Self {
        use http_client::Fault as Out;
        let what = fault.to_string();
        match fault {
            Out::Refused { .. } => Self::stop(what, "have it allowed under Hosts, or mend the address"),
            Out::NoAddress | Out::Away(_) | Out::Circles => Self::stop(what, "mend the address"),
            Out::Certificate(_) => Self::stop(what, "if the other side has a certificate authority of its own, add it"),
            Out::Unknown(_) | Out::Connect(_) | Out::Broken(_) | Out::Unreadable(_) => Self::passing(what),
            Out::TimedOut => Self::split(what, "less is asked for at once; or allow it more seconds"),
            Out::TooLarge(_) => Self::split(what, "less is asked for at once; or allow it more bytes"),
        }
    }
}
