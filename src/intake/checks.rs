//! The technical check list: the two ways of connecting, taken apart into questions with yes or no, and what the
//! answers say about the technical verdict.
use super::words::Answer;

vocabulary! {
    /// One thing to be checked.
    Item, "check" {
        /// Their system sends.
        PushPost = "push-post", "It can send an HTTP POST with a JSON body to an address that we give it";
        /// With our secret.
        PushToken = "push-token", "It can send a token along, in a header or in the address";
        /// Our system asks.
        PullGet = "pull-get", "It answers an HTTP GET that can be reached from outside";
        /// With their secret.
        PullToken = "pull-token", "A static token is enough for that, without signing in";
        /// For a span of time.
        PullWindow = "pull-window", "A window of time can be asked for in the address (changed from … until …)";
        /// In a form we read.
        PullJson = "pull-json", "It answers in JSON";
        /// About somebody.
        Identifier = "identifier", "Every record holds something that says whom it is about";
        /// The same twice is the same.
        RecordId = "record-id", "Every record has a number of its own that never changes";
    }
}

vocabulary! {
    /// What is known about one thing.
    Known, "answer" {
        /// It is so.
        Yes = "yes", "Yes";
        /// It is not.
        No = "no", "No";
        /// Nobody knows yet.
        Unknown = "unknown", "Not known";
    }
}

vocabulary! {
    /// From where it is known.
    Source, "source" {
        /// Somebody says so.
        Person = "person", "said by somebody";
        /// From an earlier intake of the same system.
        Earlier = "earlier", "from an earlier intake";
        /// Sample payloads show it.
        Sample = "sample", "seen in samples";
        /// What their system sent shows it.
        Endpoint = "endpoint", "seen in what their system sent";
        /// A request to their system shows it.
        Probe = "probe", "seen by a probe";
    }
}

/// What has to be so for their system to send to us.
pub const PUSH: [Item; 2] = [Item::PushPost, Item::PushToken];
/// What has to be so for us to ask their system.
pub const PULL: [Item; 4] = [Item::PullGet, Item::PullToken, Item::PullWindow, Item::PullJson];
/// What has to be so either way.
pub const EITHER: [Item; 2] = [Item::Identifier, Item::RecordId];

impl Item {
    /// What it is called in the middle of a sentence.
    const fn short(self) -> &'static str {
        match self {
            Self::PushPost => "a POST of JSON to our address",
            Self::PushToken => "a token sent along",
            Self::PullGet => "a GET from outside",
            Self::PullToken => "a static token",
            Self::PullWindow => "a window of time",
            Self::PullJson => "an answer in JSON",
            Self::Identifier => "something that says whom a record is about",
            Self::RecordId => "a number of its own for every record",
        }
    }
}

/// What the check list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The verdict it proposes.
    pub answer: Answer,
    /// Why, a sentence each.
    pub reasons: Vec<String>,
    /// What is still to be found out, a question each.
    pub open: Vec<String>,
}

/// Whether one way of connecting is there.
fn way(items: &[Item], known: &impl Fn(Item) -> Known) -> Answer {
    if items.iter().any(|item| known(*item) == Known::No) {
        Answer::No
    } else if items.iter().all(|item| known(*item) == Known::Yes) {
        Answer::Yes
    } else {
        Answer::Unsure
    }
}

/// Proposes the technical verdict: one whole way of connecting is enough, and a record has to say whom it is about.
pub fn propose(known: impl Fn(Item) -> Known) -> Proposal {
    let (push, pull) = (way(&PUSH, &known), way(&PULL, &known));
    let (identifier, record_id) = (known(Item::Identifier), known(Item::RecordId));
    let lacking = |items: &[Item], answer: Known| {
        let found = items.iter().filter(|item| known(**item) == answer).map(|item| item.short());
        found.collect::<Vec<_>>().join(", ")
    };
    let mut reasons = Vec::new();
    match push {
        Answer::Yes => reasons.push("Their system can send to us.".to_owned()),
        Answer::No => reasons.push(format!("Their system cannot send to us: it lacks {}.", lacking(&PUSH, Known::No))),
        Answer::Unsure => {}
    }
    match pull {
        Answer::Yes => reasons.push("We can ask their system.".to_owned()),
        Answer::No => reasons.push(format!("We cannot ask their system: it lacks {}.", lacking(&PULL, Known::No))),
        Answer::Unsure => {}
    }
    match identifier {
        Known::Yes => reasons.push("Records say whom they are about.".into()),
        Known::No => reasons.push("Records do not say whom they are about, so they belong to no profile.".into()),
        Known::Unknown => {}
    }
    if record_id == Known::No {
        reasons.push("A record that comes twice is not recognised: duplicates have to be lived with.".into());
    }
    let connects = match (push, pull) {
        (Answer::Yes, _) | (_, Answer::Yes) => Answer::Yes,
        (Answer::No, Answer::No) => Answer::No,
        _ => Answer::Unsure,
    };
    let answer = match (connects, identifier) {
        (Answer::No, _) | (_, Known::No) => Answer::No,
        (Answer::Yes, Known::Yes) => Answer::Yes,
        _ => Answer::Unsure,
    };
    let mut open = Vec::new();
    if answer == Answer::Unsure {
        // a way that is ruled out need not be asked about, nor a second one when there is a first
        let mut ask = |items: &[Item]| {
            let unknown = items.iter().filter(|item| known(**item) == Known::Unknown);
            open.extend(unknown.map(|item| format!("Is there {}?", item.short())));
        };
        if connects == Answer::Unsure {
            [(&PUSH[..], push), (&PULL[..], pull)]
                .iter()
                .filter(|(_, way)| *way == Answer::Unsure)
                .for_each(|(items, _)| ask(items));
        }
        ask(&[Item::Identifier]);
    }
    Proposal { answer, reasons, open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn with(yes: &[Item], no: &[Item]) -> Proposal {
        propose(|item| match (yes.contains(&item), no.contains(&item)) {
            (true, _) => Known::Yes,
            (_, true) => Known::No,
            _ => Known::Unknown,
        })
    }

    #[test]
    fn one_whole_way_and_an_identifier_are_enough() {
        let push = [Item::PushPost, Item::PushToken, Item::Identifier];
        assert_eq!(with(&push, &PULL).answer, Answer::Yes);
        let mut pull = PULL.to_vec();
        pull.push(Item::Identifier);
        assert_eq!(with(&pull, &[Item::PushPost]).answer, Answer::Yes);
        assert_eq!(with(&pull[1..], &[]).answer, Answer::Unsure);
        let neither = with(&[Item::Identifier], &[Item::PushPost, Item::PullToken]);
        assert_eq!(neither.answer, Answer::No);
        assert_eq!(neither.reasons[1], "We cannot ask their system: it lacks a static token.");
        let nobody = with(&PUSH, &[Item::Identifier]);
        assert_eq!(nobody.answer, Answer::No);
        // what is ruled out is not asked about
        let half = with(&[Item::PullGet, Item::PullJson], &[Item::PushPost]);
        assert_eq!(half.answer, Answer::Unsure);
        assert_eq!(half.open.len(), 3, "{half:?}");
        assert!(half.open.iter().all(|question| !question.contains("POST")));
    }

    proptest! {
        /// Learning that something is so never makes the verdict worse; learning that it is not never makes it better.
        #[test]
        fn more_is_better(known in prop::collection::vec(0..3_usize, 8), at in 0..8_usize) {
            let place = |item: Item| Item::ALL.iter().position(|one| *one == item).unwrap();
            let answer = |known: &[usize]| propose(|item| [Known::No, Known::Unknown, Known::Yes][known[place(item)]]).answer;
            let rank = |answer| match answer { Answer::No => 0, Answer::Unsure => 1, Answer::Yes => 2 };
            let mut better = known.clone();
            better[at] = 2;
            prop_assert!(rank(answer(&better)) >= rank(answer(&known)));
            let mut worse = known.clone();
            worse[at] = 0;
            prop_assert!(rank(answer(&worse)) <= rank(answer(&known)));
        }
    }
}
