//! The way of a quotation: which act leads from which state to which, what it needs, and whose act it is. One pure
//! function that page, command line and the customer's link all go through.
//!
//! ```text
//! draft ──(submit)──▶ awaiting approval ──(approve)──▶ approved ──(send)──▶ sent ──(view)──▶ viewed
//!   ▲  └──(send, up to the set amount)─────────────────────────────────────▶ │                 │
//!   └───────(return, edit)──────┴───────(edit)────────────┘                  └──────┬──────────┘
//!                                         accepted · declined · expired · withdrawn ◀┘
//! ```
use crate::auth::Role;

vocabulary! {
    /// Where a version of a quotation stands.
    State, "state" {
        /// It is being written.
        Draft = "draft", "Draft";
        /// Somebody else has to look at it.
        Awaiting = "awaiting", "Awaiting approval";
        /// Somebody else has.
        Approved = "approved", "Approved";
        /// The customer has it.
        Sent = "sent", "Sent";
        /// They have looked at it.
        Viewed = "viewed", "Viewed";
        /// They want it.
        Accepted = "accepted", "Accepted";
        /// They do not.
        Declined = "declined", "Declined";
        /// They did not say in time.
        Expired = "expired", "Expired";
        /// It is not offered any more.
        Withdrawn = "withdrawn", "Withdrawn";
    }
}

impl State {
    /// Whether it can still be changed: what was sent never is.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Draft | Self::Awaiting | Self::Approved)
    }

    /// Whether the customer can answer it.
    pub const fn is_offered(self) -> bool {
        matches!(self, Self::Sent | Self::Viewed)
    }

    /// Whether a customer may see it: what was sent, whatever became of it then.
    pub const fn is_theirs(self) -> bool {
        !self.is_open()
    }
}

/// What can be done to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// What it says is changed.
    Edit,
    /// Somebody else is asked to look at it.
    Submit,
    /// Somebody else says that it may go out.
    Approve,
    /// Somebody else says why not.
    Return,
    /// It goes out, and is frozen.
    Send,
    /// The customer looks at it.
    View,
    /// The customer accepts.
    Accept,
    /// The customer declines.
    Decline,
    /// It is offered no more.
    Withdraw,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Edit,
        Self::Submit,
        Self::Approve,
        Self::Return,
        Self::Send,
        Self::View,
        Self::Accept,
        Self::Decline,
        Self::Withdraw,
    ];

    /// As forms and the audit trail spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Edit => "edit",
            Self::Submit => "submit",
            Self::Approve => "approve",
            Self::Return => "return",
            Self::Send => "send",
            Self::View => "view",
            Self::Accept => "accept",
            Self::Decline => "decline",
            Self::Withdraw => "withdraw",
        }
    }

    /// As a sentence says it: "cannot …".
    pub const fn verb(self) -> &'static str {
        match self {
            Self::Edit => "change a quotation",
            Self::Submit => "ask for approval of a quotation",
            Self::Approve => "approve a quotation",
            Self::Return => "return a quotation",
            Self::Send => "send a quotation",
            Self::View => "view a quotation as its customer",
            Self::Accept => "accept a quotation",
            Self::Decline => "decline a quotation",
            Self::Withdraw => "withdraw a quotation",
        }
    }

    /// Whose act it is: everybody on the staff drafts; who answers for the customer sends and withdraws; who answers for
    /// the money approves; and the answer is the customer's alone.
    pub const fn may(self, role: Role) -> bool {
        match self {
            Self::Edit | Self::Submit => !matches!(role, Role::Customer),
            Self::Approve | Self::Return => matches!(role, Role::Administrator | Role::AccountManager),
            Self::Send | Self::Withdraw => {
                matches!(role, Role::Administrator | Role::SuccessManager | Role::AccountManager)
            }
            Self::View | Self::Accept | Self::Decline => matches!(role, Role::Customer),
        }
    }
}

/// What is known when somebody acts.
#[expect(clippy::struct_excessive_bools, reason = "each is a question of its own, and they go in any combination")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Facts {
    /// Whether it comes to more than may go out without a second pair of eyes.
    pub over: bool,
    /// Whether who acts has asked for the approval, or written it.
    pub own: bool,
    /// Whether there is something to be paid for.
    pub has_lines: bool,
    /// Whether it is good for no longer than until yesterday.
    pub is_past: bool,
    /// Whether a reason is given.
    pub reason: bool,
}

/// Why a step is not taken. Each says what to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// It is for another state.
    #[error("one cannot {} that is {}", .0.verb(), .1.title().to_lowercase())]
    State(Act, State),
    /// It was sent: it stands as it is.
    #[error("it was sent and stands as it is: revise it, which makes a new version")]
    Frozen,
    /// Nobody approves what they wrote.
    #[error(
        "somebody else approves it: whoever wrote it or asks for the approval does not see what they have overlooked"
    )]
    Own,
    /// It is more than may go out so.
    #[error("it comes to more than may be sent without approval: ask for it first")]
    Over,
    /// There is nothing in it.
    #[error("it has no lines yet: write down at least one")]
    Empty,
    /// Its day has passed.
    #[error("the day until which it is valid has passed")]
    Past,
    /// Somebody has to be told why.
    #[error("write down why: {0}")]
    Reason(&'static str),
}

/// What a version is at a moment: what is offered expires by itself.
pub const fn standing(state: State, is_past: bool) -> State {
    if is_past && state.is_offered() { State::Expired } else { state }
}

/// Takes a step.
///
/// # Errors
/// Says why it is not taken.
pub fn step(state: State, act: Act, facts: &Facts) -> Result<State, Why> {
    let here = standing(state, facts.is_past);
    let reason = |what, next| if facts.reason { Ok(next) } else { Err(Why::Reason(what)) };
    match (act, here) {
        (Act::Edit, here) if here.is_open() => Ok(State::Draft),
        (Act::Edit, _) => Err(Why::Frozen),
        (Act::Submit | Act::Send, State::Draft | State::Approved) if !facts.has_lines => Err(Why::Empty),
        (Act::Submit | Act::Send, State::Draft | State::Approved) if facts.is_past => Err(Why::Past),
        (Act::Submit, State::Draft) => Ok(State::Awaiting),
        (Act::Approve, State::Awaiting) if facts.own => Err(Why::Own),
        (Act::Approve, State::Awaiting) => Ok(State::Approved),
        (Act::Return, State::Awaiting) => reason("whoever wrote it will ask what to change", State::Draft),
        (Act::Send, State::Draft | State::Awaiting) if facts.over => Err(Why::Over),
        (Act::Send, State::Draft | State::Approved) => Ok(State::Sent),
        (Act::View, State::Sent | State::Viewed) => Ok(State::Viewed),
        (Act::Accept, State::Sent | State::Viewed) => Ok(State::Accepted),
        (Act::Decline, State::Sent | State::Viewed) => reason("it helps us to do better", State::Declined),
        (Act::Accept | Act::Decline, State::Expired) => Err(Why::Past),
        (Act::Withdraw, here) if here.is_open() => Ok(State::Withdrawn),
        (Act::Withdraw, State::Sent | State::Viewed) => reason("the customer will ask", State::Withdrawn),
        (act, here) => Err(Why::State(act, here)),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use proptest::prelude::*;

    fn facts() -> impl Strategy<Value = Facts> {
        let bit = any::<bool>;
        (bit(), bit(), bit(), bit(), bit()).prop_map(|(over, own, has_lines, is_past, reason)| Facts {
            over,
            own,
            has_lines,
            is_past,
            reason,
        })
    }

    proptest! {
        /// Whatever anybody tries in whatever order: what was sent is never changed, what was decided stays so, and what
        /// is above the amount goes out by somebody else's approval alone.
        #[test]
        fn no_sequence_of_acts_leaves_the_way(tries in prop::collection::vec((0..Act::ALL.len(), facts()), 0..60)) {
            let (mut state, mut was_sent, mut approved) = (State::Draft, false, false);
            for (act, facts) in tries {
                let act = Act::ALL[act];
                let Ok(next) = step(state, act, &facts) else { continue };
                prop_assert!(!was_sent || !next.is_open(), "{:?} after it was sent", next);
                match act {
                    Act::Approve => { prop_assert!(!facts.own); approved = true; }
                    Act::Edit | Act::Return => approved = false,
                    Act::Send => {
                        prop_assert!(!was_sent && facts.has_lines && !facts.is_past);
                        prop_assert!(approved || !facts.over, "went out above the amount and unseen");
                        was_sent = true;
                    }
                    Act::Accept => prop_assert!(was_sent && !facts.is_past),
                    Act::Decline => prop_assert!(was_sent && facts.reason),
                    Act::Submit | Act::View | Act::Withdraw => {}
                }
                let ended = matches!(state, State::Accepted | State::Declined | State::Withdrawn);
                prop_assert!(!ended, "{:?} went on to {:?}", state, next);
                state = next;
            }
        }

        /// Time alone never brings back what has expired.
        #[test]
        fn what_has_expired_is_not_accepted(state in 0..State::ALL.len(), facts in facts()) {
            let (state, facts) = (State::ALL[state], Facts { is_past: true, ..facts });
            prop_assert!(step(state, Act::Accept, &facts).is_err());
        }
    }

    /// Every state × act × role, with all in its favour: who gets where. The table in docs/quotations.md is this one.
    #[test]
    fn the_table_of_every_state_act_and_role() {
        let facts = Facts { has_lines: true, reason: true, ..Facts::default() };
        let mut table = String::new();
        for state in State::ALL {
            for act in Act::ALL {
                let Ok(next) = step(*state, act, &facts) else { continue };
                let who: String = Role::ALL
                    .iter()
                    .filter(|role| act.may(**role))
                    .map(|role| match role {
                        Role::Administrator => 'A',
                        Role::Consultant => 'C',
                        Role::SuccessManager => 'S',
                        Role::AccountManager => 'M',
                        Role::Customer => 'K',
                    })
                    .collect();
                writeln!(table, "{state} {} {next} {who}", act.word()).unwrap();
            }
        }
        let expected = "\
draft edit draft ACSM
draft submit awaiting ACSM
draft send sent ASM
draft withdraw withdrawn ASM
awaiting edit draft ACSM
awaiting approve approved AM
awaiting return draft AM
awaiting withdraw withdrawn ASM
approved edit draft ACSM
approved send sent ASM
approved withdraw withdrawn ASM
sent view viewed K
sent accept accepted K
sent decline declined K
sent withdraw withdrawn ASM
viewed view viewed K
viewed accept accepted K
viewed decline declined K
viewed withdraw withdrawn ASM
";
        assert_eq!(table, expected);
    }

    #[test]
    fn what_is_refused_says_why() {
        let good = Facts { has_lines: true, ..Facts::default() };
        let told = |state, act, facts: Facts| step(state, act, &facts).unwrap_err().to_string();
        assert!(told(State::Draft, Act::Send, Facts { over: true, ..good }).contains("without approval"));
        assert!(told(State::Draft, Act::Send, Facts::default()).contains("no lines yet"));
        assert!(told(State::Awaiting, Act::Approve, Facts { own: true, ..good }).contains("somebody else"));
        assert!(told(State::Sent, Act::Edit, good).contains("stands as it is"));
        assert!(told(State::Sent, Act::Accept, Facts { is_past: true, ..good }).contains("has passed"));
        assert_eq!(told(State::Declined, Act::Accept, good), "one cannot accept a quotation that is declined");
        assert!(told(State::Sent, Act::Decline, good).starts_with("write down why"));
    }
}
