//! Whatever is done to a ledger, its windows tile it.
use proptest::prelude::*;

use super::*;

/// What can happen to a ledger.
#[derive(Debug, Clone)]
enum Act {
    /// The schedule runs so many seconds later.
    Run(i64),
    /// The n-th open window is taken.
    Begin(usize),
    /// The n-th window under way is done.
    Finish(usize),
    /// The n-th window under way proves too large.
    TooLarge(usize),
    /// The n-th window under way is cut off.
    CutOff(usize),
    /// Somebody wants so many seconds before the start, in slices.
    Backfill(i64, i64),
    /// The source is asked otherwise from now on.
    Reshape(Shape),
}

fn shapes() -> impl Strategy<Value = Shape> {
    let granules = prop_oneof![Just(1_000_i64), Just(1), Just(60_000), Just(3_600_000), Just(86_400_000)];
    (granules, 1_i64..200_000, any::<bool>()).prop_map(|(granule, longest, bounded)| Shape {
        granule: TimeDelta::milliseconds(granule),
        longest: TimeDelta::seconds(longest),
        bounded,
    })
}

fn acts() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0_i64..200_000).prop_map(Act::Run),
        3 => any::<usize>().prop_map(Act::Begin),
        2 => any::<usize>().prop_map(Act::Finish),
        2 => any::<usize>().prop_map(Act::TooLarge),
        1 => any::<usize>().prop_map(Act::CutOff),
        1 => (1_i64..400_000, 1_i64..100_000).prop_map(|(length, slice)| Act::Backfill(length, slice)),
        1 => shapes().prop_map(Act::Reshape),
    ]
}

/// A ledger in memory, by the rules that the store follows.
struct Ledger {
    start: DateTime<Utc>,
    watermark: DateTime<Utc>,
    now: DateTime<Utc>,
    windows: Vec<(Window, State)>,
    shape: Shape,
}

impl Ledger {
    fn nth(&self, state: State, n: usize) -> Option<usize> {
        let all: Vec<_> = (0..self.windows.len()).filter(|at| self.windows[*at].1 == state).collect();
        (!all.is_empty()).then(|| all[n % all.len()])
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Run(later) => {
                self.now += TimeDelta::seconds(later);
                let open = |(window, state): &(Window, State)| *state == State::Open && window.until == self.watermark;
                let waiting = self.windows.iter().position(open);
                let growth = grow(self.watermark, waiting.map(|at| self.windows[at].0), self.now, self.shape);
                if let (Some(at), Some(until)) = (waiting, growth.stretched) {
                    self.windows[at].0.until = until;
                }
                self.watermark = growth.watermark().unwrap_or(self.watermark);
                self.windows.extend(growth.new.into_iter().map(|window| (window, State::Open)));
            }
            Act::Begin(n) => self.turn(n, State::Open, State::Running),
            Act::Finish(n) => self.turn(n, State::Running, State::Done),
            Act::CutOff(n) => self.turn(n, State::Running, State::Open),
            Act::TooLarge(n) => {
                let Some(at) = self.nth(State::Running, n) else { return };
                match halves(self.windows[at].0, self.shape) {
                    Some(halves) => {
                        self.windows[at].1 = State::Split;
                        self.windows.extend(halves.map(|half| (half, State::Open)));
                    }
                    None => self.windows[at].1 = State::Failed,
                }
            }
            Act::Backfill(length, slice) => {
                let range = Window::new(self.start - TimeDelta::seconds(length), self.now);
                let (before, _) = parts(range, self.start, self.watermark);
                let before = before.expect("it begins before the start");
                let slices = slices(before, TimeDelta::seconds(slice), self.shape);
                self.windows.extend(slices.into_iter().map(|window| (window, State::Open)));
                self.start = before.from;
            }
            Act::Reshape(shape) => self.shape = shape,
        }
    }

    fn turn(&mut self, n: usize, from: State, to: State) {
        if let Some(at) = self.nth(from, n) {
            self.windows[at].1 = to;
        }
    }
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

fn span(from: i64, until: i64) -> Window {
    Window::new(at(from), at(until))
}

const PLAIN: Shape = Shape { granule: TimeDelta::seconds(1), longest: TimeDelta::seconds(3600), bounded: true };

proptest! {
    #[test]
    fn whatever_happens_the_windows_tile_the_ledger(
        shape in shapes(),
        begin in 0_i64..100_000_000,
        acts in prop::collection::vec(acts(), 1..60),
    ) {
        let start = at(begin);
        let mut ledger = Ledger { start, watermark: start, now: start, windows: Vec::new(), shape };
        for act in acts {
            let (begin, end) = (ledger.start, ledger.watermark);
            ledger.act(act.clone());
            let tiles: Vec<_> = ledger.windows.iter().filter(|(_, state)| *state != State::Split).map(|w| w.0).collect();
            prop_assert_eq!(check(&tiles, Window::new(ledger.start, ledger.watermark)), Ok(()), "after {:?}", act);
            prop_assert!(ledger.start <= begin && ledger.watermark >= end && ledger.watermark <= ledger.now);
            prop_assert!(ledger.windows.iter().all(|(window, _)| !window.is_empty()));
        }
    }

    #[test]
    fn a_window_splits_until_it_is_a_granule(shape in shapes(), from in 0_i64..1_000_000, seconds in 1_i64..1_000_000) {
        let mut window = span(from, from + seconds);
        let mut times = 0;
        while let Some([first, second]) = halves(window, shape) {
            prop_assert_eq!(first.from, window.from);
            prop_assert_eq!(first.until, second.from);
            prop_assert_eq!(second.until, window.until);
            window = if times % 2 == 0 { second } else { first };
            times += 1;
            prop_assert!(times < 60);
        }
        prop_assert!(!shape.bounded || window.length() <= shape.granule * 2);
    }

    #[test]
    fn slices_tile_a_range(shape in shapes(), from in 0_i64..1_000_000, seconds in 1_i64..10_000_000, slice in 1_i64..100_000) {
        let range = span(from, from + seconds);
        let slices = slices(range, TimeDelta::seconds(slice), shape);
        prop_assert_eq!(check(&slices, range), Ok(()));
        prop_assert!(slices.len() <= MOST + 1);
    }
}

#[test]
fn what_was_missed_is_merged_and_bounded() {
    // an hour was missed, of a source that is asked each minute
    let growth = grow(at(0), Some(span(-60, 0)), at(3600), PLAIN);
    assert_eq!(growth, Growth { stretched: Some(at(3540)), new: vec![span(3540, 3600)] });
    // a window that somebody has begun stays as it is
    assert_eq!(grow(at(0), None, at(60), PLAIN).new, [span(0, 60)]);
    // nothing has settled yet
    assert_eq!(grow(at(60), None, at(60), PLAIN), Growth::default());
    assert_eq!(grow(at(60), None, at(30), PLAIN), Growth::default());
    // since only: one ask, however long
    let open = Shape { bounded: false, ..PLAIN };
    assert_eq!(grow(at(0), None, at(90_000), open).new, [span(0, 90_000)]);
    assert_eq!(halves(span(0, 90_000), open), None);
}

#[test]
fn a_hole_and_a_double_are_found() {
    assert_eq!(check(&[span(2, 4), span(0, 1)], span(0, 4)), Err(Flaw::Gap(span(1, 2))));
    assert_eq!(check(&[span(0, 3), span(2, 4)], span(0, 4)), Err(Flaw::Overlap(span(2, 3))));
    assert_eq!(check(&[span(0, 3)], span(0, 4)), Err(Flaw::Gap(span(3, 4))));
    assert_eq!(check(&[span(0, 5)], span(0, 4)), Err(Flaw::Overlap(span(4, 5))));
    assert_eq!(check(&[], span(0, 0)), Ok(()));
}

#[test]
fn a_range_is_told_apart_by_the_ledger() {
    assert_eq!(parts(span(0, 50), at(100), at(200)), (Some(span(0, 100)), None));
    assert_eq!(parts(span(50, 150), at(100), at(200)), (Some(span(50, 100)), Some(span(100, 150))));
    assert_eq!(parts(span(120, 900), at(100), at(200)), (None, Some(span(120, 200))));
    assert_eq!(parts(span(300, 900), at(100), at(200)), (None, None));
}
