//! The way of an integration: which act leads from which stage to which, what it needs, and who may do it. One pure
//! function that page, command line and every later part go through.
//!
//! ```text
//! intake ─┬─ not possible ──(reopen)──▶ intake
//!         ├─ investigation ─┬─ not possible
//!         │                 └─ quotation
//!         └─ quotation ─┬─ lost
//!                       └─ implementation ── live
//! from everywhere ── retired
//! ```
use super::words::{Answer, Question, Scenario, Stage};
use crate::auth::Role;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 4_000;

/// Why somebody did what they did: some words, never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason(String);

impl Reason {
    /// Reads one; none when there are no words.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Option<Self>, String> {
        let text = super::parse_text(text, LONGEST_REASON)?;
        Ok((!text.is_empty()).then_some(Self(text)))
    }

    /// The words.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What can be done to an integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// The intake ends in a scenario.
    Choose(Scenario),
    /// The investigation ends: possible, or not.
    Conclude(bool),
    /// The customer accepts the quotation.
    Accept,
    /// The customer does not, and that is the end of it.
    Close,
    /// What was built works.
    GoLive,
    /// What was not possible is looked at again.
    Reopen,
    /// It has had its time, or should not be looked at any more.
    Retire,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Choose(Scenario::NotPossible),
        Self::Choose(Scenario::Investigation),
        Self::Choose(Scenario::Possible),
        Self::Conclude(true),
        Self::Conclude(false),
        Self::Accept,
        Self::Close,
        Self::GoLive,
        Self::Reopen,
        Self::Retire,
    ];

    /// As the timeline and the audit trail keep it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Choose(_) => "choose",
            Self::Conclude(_) => "conclude",
            Self::Accept => "accept",
            Self::Close => "close",
            Self::GoLive => "go-live",
            Self::Reopen => "reopen",
            Self::Retire => "retire",
        }
    }

    /// As a sentence says it: "cannot …".
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Choose(_) => "choose a scenario",
            Self::Conclude(_) => "conclude an investigation",
            Self::Accept => "accept a quotation",
            Self::Close => "close it as lost",
            Self::GoLive => "go live",
            Self::Reopen => "reopen it",
            Self::Retire => "retire it",
        }
    }

    /// The one stage in which it can be done; retiring can be done in all but the last.
    pub const fn from(self) -> Option<Stage> {
        match self {
            Self::Choose(_) => Some(Stage::Intake),
            Self::Conclude(_) => Some(Stage::Investigation),
            Self::Accept | Self::Close => Some(Stage::Quotation),
            Self::GoLive => Some(Stage::Implementation),
            Self::Reopen => Some(Stage::NotPossible),
            Self::Retire => None,
        }
    }

    /// Where it leads to.
    pub const fn to(self) -> Stage {
        match self {
            Self::Choose(scenario) => scenario.stage(),
            Self::Conclude(true) => Stage::Quotation,
            Self::Conclude(false) => Stage::NotPossible,
            Self::Accept => Stage::Implementation,
            Self::Close => Stage::Lost,
            Self::GoLive => Stage::Live,
            Self::Reopen => Stage::Intake,
            Self::Retire => Stage::Retired,
        }
    }

    /// Whose act it is. Success and account managers run intakes; what is found out and built is the consultants'; a
    /// quotation is the customer's alone to accept.
    pub const fn may(self, role: Role) -> bool {
        match self {
            Self::Choose(_) | Self::Close | Self::Reopen | Self::Retire => !matches!(role, Role::Customer),
            Self::Conclude(_) | Self::GoLive => matches!(role, Role::Administrator | Role::Consultant),
            Self::Accept => matches!(role, Role::Customer),
        }
    }
}

/// What is known when somebody acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Technically possible?
    pub technical: Option<Answer>,
    /// Need fulfilled?
    pub need: Option<Answer>,
    /// How many questions of the investigation have no answer.
    pub open_questions: u64,
    /// Whether the customer has accepted a quotation.
    pub quotation_accepted: bool,
    /// Whether all acceptance evidence is there, or was waived.
    pub evidence_complete: bool,
    /// Whether a reason is given.
    pub reason: bool,
}

/// Why a step is not taken. Each says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is another stage's act.
    #[error("one cannot {} at the stage {}{}", .0.verb(), .1.title(), only_at(*.0))]
    Stage(Act, Stage),
    /// A verdict is missing.
    #[error("first answer “{}”: the scenario follows from both verdicts", .0.title())]
    Verdict(Question),
    /// It is not what the verdicts say.
    #[error("the verdicts say “{}”: to choose otherwise, write down why", .0.title())]
    Otherwise(Scenario),
    /// Somebody has to be told why.
    #[error("write down why: {0}")]
    Reason(&'static str),
    /// The investigation is not finished.
    #[error("{0} of the investigation's questions {verb} no answer yet: answer them, or write down why it is possible all the same", verb = if *.0 == 1 { "has" } else { "have" })]
    OpenQuestions(u64),
    /// Nobody has accepted anything.
    #[error("no quotation is accepted: the implementation begins when the customer has accepted one")]
    NotAccepted,
    /// Nobody has seen that it works.
    #[error(
        "the acceptance evidence is not complete: it goes live when all of it is there, or was waived with a reason"
    )]
    NoEvidence,
}

fn only_at(act: Act) -> String {
    act.from().map_or_else(String::new, |stage| format!(": only at {}", stage.title()))
}

impl Why {
    /// Whether a reason in writing would do.
    pub const fn wants_reason(self) -> bool {
        matches!(self, Self::Otherwise(_) | Self::Reason(_) | Self::OpenQuestions(_))
    }
}

/// What the two verdicts say: a *no* anywhere is not possible, *unsure* is an investigation, two *yes* are possible.
pub const fn follows(technical: Answer, need: Answer) -> Scenario {
    match (technical, need) {
        (Answer::No, _) | (_, Answer::No) => Scenario::NotPossible,
        (Answer::Unsure, _) | (_, Answer::Unsure) => Scenario::Investigation,
        (Answer::Yes, Answer::Yes) => Scenario::Possible,
    }
}

/// Takes a step.
///
/// # Errors
/// Says why it is not taken.
pub fn step(stage: Stage, act: Act, facts: &Facts) -> Result<Stage, Why> {
    let here = match act.from() {
        Some(from) => from == stage,
        None => stage != Stage::Retired,
    };
    if !here {
        return Err(Why::Stage(act, stage));
    }
    let reason = |what| if facts.reason { Ok(()) } else { Err(Why::Reason(what)) };
    match act {
        Act::Choose(scenario) => {
            let technical = facts.technical.ok_or(Why::Verdict(Question::Technical))?;
            let need = facts.need.ok_or(Why::Verdict(Question::Need))?;
            let follows = follows(technical, need);
            if scenario != follows && !facts.reason {
                return Err(Why::Otherwise(follows));
            }
            if scenario == Scenario::NotPossible {
                reason("the customer will ask why it is not possible")?;
            }
        }
        Act::Conclude(false) => reason("the customer will ask why it is not possible")?,
        Act::Conclude(true) if facts.open_questions > 0 && !facts.reason => {
            return Err(Why::OpenQuestions(facts.open_questions));
        }
        Act::Accept if !facts.quotation_accepted => return Err(Why::NotAccepted),
        Act::GoLive if !facts.evidence_complete => return Err(Why::NoEvidence),
        Act::Conclude(true) | Act::Accept | Act::GoLive => {}
        Act::Close => reason("whoever reads it later will ask why it was lost")?,
        Act::Reopen => reason("what has changed since it was not possible")?,
        Act::Retire => reason("whoever looks for it later will ask why it is gone")?,
    }
    Ok(act.to())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use proptest::prelude::*;

    fn answers() -> impl Strategy<Value = Option<Answer>> {
        prop_oneof![Just(None), Just(Some(Answer::Yes)), Just(Some(Answer::Unsure)), Just(Some(Answer::No))]
    }

    fn facts() -> impl Strategy<Value = Facts> {
        (answers(), answers(), 0_u64..3, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
            |(technical, need, open_questions, quotation_accepted, evidence_complete, reason)| Facts {
                technical,
                need,
                open_questions,
                quotation_accepted,
                evidence_complete,
                reason,
            },
        )
    }

    proptest! {
        /// Whatever anybody tries in whatever order: nothing is reached but by the way to it, and what the way asks for.
        #[test]
        fn no_sequence_of_acts_leaves_the_way(tries in prop::collection::vec((0..Act::ALL.len(), facts()), 0..40)) {
            let (mut stage, mut path) = (Stage::Intake, vec![Stage::Intake]);
            for (act, facts) in tries {
                let act = Act::ALL[act];
                let Ok(next) = step(stage, act, &facts) else { continue };
                match next {
                    Stage::Intake => prop_assert!(stage == Stage::NotPossible && facts.reason),
                    Stage::NotPossible => {
                        prop_assert!(facts.reason && matches!(stage, Stage::Intake | Stage::Investigation));
                    }
                    Stage::Investigation => prop_assert_eq!(stage, Stage::Intake),
                    Stage::Quotation => prop_assert!(matches!(stage, Stage::Intake | Stage::Investigation)),
                    Stage::Implementation => prop_assert!(stage == Stage::Quotation && facts.quotation_accepted),
                    Stage::Live => prop_assert!(stage == Stage::Implementation && facts.evidence_complete),
                    Stage::Lost => prop_assert!(stage == Stage::Quotation && facts.reason),
                    Stage::Retired => prop_assert!(stage != Stage::Retired && facts.reason),
                }
                if stage == Stage::Intake && next != Stage::Retired {
                    let (Some(technical), Some(need)) = (facts.technical, facts.need) else {
                        return Err(TestCaseError::fail("an intake ended without both verdicts"));
                    };
                    prop_assert!(facts.reason || follows(technical, need).stage() == next);
                }
                prop_assert_ne!(next, stage);
                stage = next;
                path.push(next);
            }
            // what is built was quoted, what is live was built, and the end is the end
            let before = |later: Stage, earlier: Stage| {
                path.iter().position(|one| *one == later).is_none_or(|at| path[..at].contains(&earlier))
            };
            prop_assert!(before(Stage::Implementation, Stage::Quotation));
            prop_assert!(before(Stage::Live, Stage::Implementation));
            prop_assert!(path.iter().position(|one| *one == Stage::Retired).is_none_or(|at| at + 1 == path.len()));
        }

        /// A reason never makes anything harder, and a refusal that asks for one is mended by one.
        #[test]
        fn a_reason_mends_what_asks_for_one(stage in 0..Stage::ALL.len(), act in 0..Act::ALL.len(), facts in facts()) {
            let (stage, act) = (Stage::ALL[stage], Act::ALL[act]);
            let without = step(stage, act, &Facts { reason: false, ..facts });
            let with = step(stage, act, &Facts { reason: true, ..facts });
            match without {
                Ok(next) => prop_assert_eq!(with, Ok(next)),
                Err(why) if why.wants_reason() => prop_assert_eq!(with, Ok(act.to())),
                Err(why) => prop_assert_eq!(with, Err(why)),
            }
        }
    }

    /// Every stage × act × role, with all that can be known in its favour: who gets where.
    #[test]
    fn the_table_of_every_stage_act_and_role() {
        let facts = Facts {
            technical: Some(Answer::Yes),
            need: Some(Answer::Yes),
            open_questions: 0,
            quotation_accepted: true,
            evidence_complete: true,
            reason: true,
        };
        let mut table = String::new();
        for stage in Stage::ALL {
            for act in Act::ALL {
                let Ok(next) = step(*stage, act, &facts) else { continue };
                let who = Role::ALL.iter().filter(|role| act.may(**role)).map(|role| match role {
                    Role::Administrator => 'A',
                    Role::Consultant => 'C',
                    Role::SuccessManager => 'S',
                    Role::AccountManager => 'M',
                    Role::Customer => 'K',
                });
                let who: String = who.collect();
                writeln!(table, "{stage} {} {next} {who}", act.word()).unwrap();
            }
        }
        assert_eq!(table, include_str!("stages.txt"));
    }

    #[test]
    fn what_is_refused_says_why() {
        let facts = Facts { technical: Some(Answer::Yes), need: Some(Answer::Unsure), ..Facts::default() };
        let choose = |scenario, facts: &Facts| step(Stage::Intake, Act::Choose(scenario), facts);
        assert_eq!(choose(Scenario::Investigation, &facts), Ok(Stage::Investigation));
        let told = |result: Result<Stage, Why>| result.unwrap_err().to_string();
        assert_eq!(
            told(choose(Scenario::Possible, &facts)),
            "the verdicts say “Investigation”: to choose otherwise, write down why"
        );
        assert_eq!(
            told(choose(Scenario::Possible, &Facts { need: None, ..facts })),
            "first answer “Need fulfilled?”: the scenario follows from both verdicts"
        );
        assert_eq!(
            told(step(Stage::Live, Act::Conclude(true), &facts)),
            "one cannot conclude an investigation at the stage Live: only at Investigation"
        );
        assert_eq!(told(step(Stage::Retired, Act::Retire, &facts)), "one cannot retire it at the stage Retired");
        let open = step(Stage::Investigation, Act::Conclude(true), &Facts { open_questions: 1, ..facts });
        assert!(told(open).starts_with("1 of the investigation's questions has no answer yet"));
        // a no wins over everything, and wants a reason although it follows
        let no = Facts { technical: Some(Answer::No), ..facts };
        assert!(told(choose(Scenario::NotPossible, &no)).starts_with("write down why"));
        assert_eq!(choose(Scenario::NotPossible, &Facts { reason: true, ..no }), Ok(Stage::NotPossible));
    }
}
