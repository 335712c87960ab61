//! Reads one window, and says what becomes of it when it is not read to its end.
use chrono::{DateTime, TimeDelta, Utc};

use super::{Runner, desk::Desk};
use crate::{
    error::Error,
    polling::{
        Terms, Window,
        definition::Definition,
        fetch::{Class, Fault},
        ledger,
        store::{
            lease::{self, Ending, Taken},
            plan,
        },
    },
};

/// How long to wait before a window is tried again: twice as long each time, up to the most.
const WAIT: TimeDelta = TimeDelta::seconds(5);
const MOST_WAIT: TimeDelta = TimeDelta::minutes(15);
/// The longest that a host may ask to be left alone.
const MOST_REST: TimeDelta = TimeDelta::hours(6);
/// Why a window was not read to its end.
pub(super) enum Short {
    /// The other side, or what is asked of it.
    Fault(Fault),
    /// It is held by somebody else, or its source is asked no more.
    Lost,
    /// The app is stopping.
    Stopping,
    /// Something here is in the way for a while.
    Later(String, TimeDelta),
    /// By the other side's clock, its end has not settled yet.
    Early(DateTime<Utc>),
    /// Only somebody can mend it.
    Never(String),
}

impl From<Error> for Short {
    fn from(error: Error) -> Self {
        Self::Later(error.to_string(), WAIT)
    }
}

/// Reads a window, and ends its taking however that went.
pub(super) async fn window(runner: Runner, taken: Taken) {
    let mut desk = Desk::new(&runner, &taken);
    let ended = desk.work().await;
    let (learned, trail) = (std::mem::take(&mut desk.learned), desk.trail());
    let requests = desk.uncounted();
    drop(desk);
    let db = &runner.app.db;
    match ended {
        Ok(host) => {
            tracing::debug!(source = %taken.source, window = %taken.id, "window done");
            if let Err(error) = lease::spend(db, host, requests - 1).await {
                tracing::warn!(%error, "what was asked of a host could not be written down");
            }
        }
        Err(short) => give_up(&runner, &taken, short, trail, requests).await,
    }
    if !learned.is_nothing()
        && let Err(error) = plan::learn(db, taken.tenant, taken.source, learned).await
    {
        tracing::warn!(%error, source = %taken.source, "what was learned of a source could not be written down");
    }
    runner.bell.notify_one();
}

/// What becomes of a window that was not read to its end.
async fn give_up(runner: &Runner, taken: &Taken, short: Short, evidence: String, requests: i64) {
    let now = runner.app.clock.now();
    let again = |wait: TimeDelta, failed| Ending::Again { at: now + wait, failed };
    let (ending, words) = match short {
        Short::Lost => {
            (again(TimeDelta::zero(), false), "cut off: the source was paused, changed or taken over".into())
        }
        Short::Stopping => (again(TimeDelta::zero(), false), "cut off: the server was stopping".into()),
        Short::Early(at) => (Ending::Early(at), "read too early: the other side's clock is behind".into()),
        Short::Later(words, wait) => (again(wait, true), words),
        Short::Never(words) => (Ending::Stopped, words),
        Short::Fault(fault) => by_class(&fault, taken, now),
    };
    tracing::info!(tenant = %taken.tenant, source = %taken.source, window = %taken.id, attempt = taken.epoch, ?ending, fault = words, "a window was not read to its end");
    let ended = lease::end(&runner.app.db, &runner.app.clock, taken.clone(), ending, (words, evidence, requests)).await;
    if let Err(error) = ended {
        tracing::warn!(%error, window = %taken.id, "a window could not be given back; its lease will run out");
    }
}

fn by_class(fault: &Fault, taken: &Taken, now: DateTime<Utc>) -> (Ending, String) {
    let ending = match fault.class() {
        Class::BackOff { retry_after: Some(rest) } => {
            let rest = TimeDelta::from_std(rest).unwrap_or(MOST_REST).clamp(TimeDelta::seconds(1), MOST_REST);
            Ending::Rest(now + rest)
        }
        Class::BackOff { retry_after: None } => Ending::Again { at: now + wait(taken.failures), failed: true },
        Class::Pause => Ending::Refused(now + wait(taken.failures)),
        Class::Stop => Ending::Stopped,
        Class::Split if taken.ask_from < taken.window.from => Ending::Apart,
        Class::Split => {
            let Some(halves) = halves(taken) else {
                let words = format!("{}, and no less can be asked for at once: allow it more", fault.what());
                return (Ending::Stopped, words);
            };
            Ending::Split(halves)
        }
    };
    (ending, fault.to_string())
}

/// What a window is split into; none when less of it cannot be asked for.
fn halves(taken: &Taken) -> Option<[Window; 2]> {
    let definition = Definition::parse(&taken.of.definition).ok()?;
    let shape = Terms::of(&definition, taken.source).ok()?.shape;
    let halves = ledger::halves(taken.window, shape)?;
    // of local times, the hour that comes twice is only asked for as a whole
    let whole = definition.ends(taken.window);
    halves.into_iter().any(|half| definition.ends(half) != whole).then_some(halves)
}

/// How long to wait after so many failures in a row. Drawn at random from the upper half, so that those who failed
/// together do not come back together.
fn wait(failures: i64) -> TimeDelta {
    let longest = (WAIT * (1_i32 << failures.clamp(0, 10))).min(MOST_WAIT);
    let half = longest / 2;
    half + TimeDelta::milliseconds(rand::random_range(0..=half.num_milliseconds()))
}
