//! What an intake asks, as data: six sections of questions, each with its reason. Whoever answers sees why it matters;
//! whoever changes a question changes it here alone.
use super::parse_text;

/// The longest answer on one line, and in several, in characters.
const LONGEST_LINE: usize = 300;
const LONGEST_TEXT: usize = 8_000;

/// Some questions that belong together.
#[derive(Debug)]
pub struct Section {
    /// As addresses spell it.
    pub key: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// What it is for, in a sentence.
    pub lead: &'static str,
    /// What it asks.
    pub questions: &'static [Asked],
}

/// One question.
#[derive(Debug)]
pub struct Asked {
    /// As the database and the form know it; never changed, or answers would be lost.
    pub key: &'static str,
    /// What is asked.
    pub text: &'static str,
    /// Why.
    pub why: &'static str,
    /// What an answer is.
    pub kind: Kind,
}

/// What an answer is.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A line.
    Line,
    /// Some lines.
    Text,
    /// A whole number, of something.
    Number(&'static str),
    /// Yes, no, or not known.
    YesNo,
    /// One of some: its word, and how it reads.
    Choice(&'static [(&'static str, &'static str)]),
}

/// The answers to a [`Kind::YesNo`].
pub const YES_NO: &[(&str, &str)] = &[("yes", "Yes"), ("no", "No"), ("unknown", "Not known")];

const fn ask(key: &'static str, kind: Kind, text: &'static str, why: &'static str) -> Asked {
    Asked { key, text, why, kind }
}

/// All sections, in the order in which they are asked.
pub const SECTIONS: &[Section] = &[
    Section {
        key: "need",
        title: "Need and value",
        lead: "What should be possible that is not possible today, and what it is worth.",
        questions: &[
            ask(
                "goal",
                Kind::Text,
                "What do you want to be able to do?",
                "The need decides whether an integration is worth building; the system only decides how.",
            ),
            ask(
                "value",
                Kind::Text,
                "What does it bring, and to whom?",
                "It tells what to build first, and what may be left out.",
            ),
            ask(
                "success",
                Kind::Text,
                "How will you see that it works?",
                "What you name here is what we check before we call it live.",
            ),
            ask(
                "deadline",
                Kind::Line,
                "Is there a date it has to work by?",
                "A season or a campaign shapes the plan.",
            ),
        ],
    },
    Section {
        key: "system",
        title: "External system and contact",
        lead: "Which system it is, and who knows it.",
        questions: &[
            ask(
                "edition",
                Kind::Line,
                "Which product, edition and version is it?",
                "What a system can do often depends on its edition.",
            ),
            ask(
                "contact",
                Kind::Text,
                "Who looks after it, and how do we reach them?",
                "Most waiting in a project is waiting for the right person.",
            ),
            ask(
                "documentation",
                Kind::Line,
                "Where is its interface documented?",
                "The documentation answers most technical questions without anybody's time.",
            ),
            ask(
                "test-environment",
                Kind::YesNo,
                "Is there a test environment with data that may be used?",
                "Trying it out there costs nobody a real customer.",
            ),
        ],
    },
    Section {
        key: "data",
        title: "Data and volumes",
        lead: "What should arrive, and how much of it.",
        questions: &[
            ask(
                "records",
                Kind::Text,
                "Which records or events should arrive, with which fields?",
                "Each kind becomes an event type with a contract of its own.",
            ),
            ask(
                "per-day",
                Kind::Number("a day"),
                "How many on a usual day?",
                "It tells whether pages, windows and limits have to be thought about.",
            ),
            ask(
                "peak",
                Kind::Number("an hour"),
                "How many in the busiest hour?",
                "A ticket sale or a mailing brings in an hour what else takes a week.",
            ),
            ask(
                "history",
                Kind::Choice(&[
                    ("none", "Nothing, only from now on"),
                    ("months", "The last months"),
                    ("years", "Years"),
                    ("unknown", "Not known"),
                ]),
                "How much of the past should come along?",
                "The past is fetched once, and often by another way than what comes after.",
            ),
        ],
    },
    Section {
        key: "identifiers",
        title: "Identifiers",
        lead: "By what a record is known to belong to a person.",
        questions: &[
            ask(
                "identifier",
                Kind::Choice(&[
                    ("email", "An e-mail address"),
                    ("phone", "A telephone number"),
                    ("id", "A customer or member number"),
                    ("several", "Several of these"),
                    ("none", "Nothing of the kind"),
                    ("unknown", "Not known"),
                ]),
                "What in each record says whom it is about?",
                "Without it, a record cannot become a part of anybody's profile.",
            ),
            ask(
                "identifier-always",
                Kind::YesNo,
                "Is it filled in in every record?",
                "What has no identifier is kept, but tells nobody's story.",
            ),
            ask(
                "identifier-shared",
                Kind::YesNo,
                "Do the other systems that send events know people by the same?",
                "Only what two systems share joins what they know.",
            ),
            ask(
                "record-id",
                Kind::YesNo,
                "Does each record have a number that never changes?",
                "By it, a record that comes twice is counted once.",
            ),
        ],
    },
    Section {
        key: "timing",
        title: "Timing",
        lead: "How fresh it has to be, and when the system may be asked.",
        questions: &[
            ask(
                "freshness",
                Kind::Choice(&[
                    ("minute", "Within a minute"),
                    ("hour", "Within an hour"),
                    ("day", "Within a day"),
                    ("unknown", "Not known"),
                ]),
                "How soon must what happens there be known here?",
                "Within a minute mostly means that their system sends; an hour leaves both ways open.",
            ),
            ask(
                "changed-later",
                Kind::YesNo,
                "Are records changed after they were first saved?",
                "Then we ask for what was changed since, and not only for what is new.",
            ),
            ask(
                "quiet-hours",
                Kind::Line,
                "Are there times at which the system is down or must be left alone?",
                "What cannot be fetched at night is fetched in the morning: we only have to know.",
            ),
        ],
    },
    Section {
        key: "privacy",
        title: "Privacy and consent",
        lead: "Which personal data it is, and on what ground it may be used.",
        questions: &[
            ask(
                "personal-data",
                Kind::Text,
                "Which personal data do the records hold?",
                "What is not needed is better never sent.",
            ),
            ask(
                "ground",
                Kind::Choice(&[
                    ("consent", "Consent of the person"),
                    ("contract", "A contract with the person"),
                    ("interest", "A legitimate interest"),
                    ("unknown", "Not known"),
                ]),
                "On what ground may they be used for this?",
                "It decides what may be done with them, and until when.",
            ),
            ask(
                "consent-sent",
                Kind::YesNo,
                "Do the records say who has consented, and to what?",
                "A consent that is withdrawn there has to be known here.",
            ),
            ask(
                "agreement",
                Kind::YesNo,
                "Does the processing agreement cover this system?",
                "Nothing is sent before it does.",
            ),
        ],
    },
];

impl Section {
    /// The one of this key.
    pub fn of(key: &str) -> Option<&'static Self> {
        SECTIONS.iter().find(|section| section.key == key)
    }

    /// The one that is asked after it.
    pub fn next(&self) -> Option<&'static Self> {
        let at = SECTIONS.iter().position(|section| section.key == self.key)?;
        SECTIONS.get(at + 1)
    }
}

/// The question of this key, with its section.
pub fn question(key: &str) -> Option<(&'static Section, &'static Asked)> {
    SECTIONS.iter().find_map(|section| {
        let asked = section.questions.iter().find(|asked| asked.key == key)?;
        Some((section, asked))
    })
}

/// How many questions there are.
pub fn count() -> usize {
    SECTIONS.iter().map(|section| section.questions.len()).sum()
}

impl Asked {
    /// Reads an answer; an empty one is none.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn read(&self, text: &str) -> Result<String, String> {
        match self.kind {
            Kind::Text => parse_text(text, LONGEST_TEXT),
            Kind::Line => super::parse_line(text, LONGEST_LINE),
            Kind::Number(_) => {
                // thousands are set apart in many ways
                let digits: String = text.chars().filter(|c| !matches!(c, ' ' | ',' | '.' | '\'' | '\u{a0}')).collect();
                if digits.is_empty() {
                    return Ok(digits);
                }
                let number: u64 = digits.parse().map_err(|_| "give a whole number, such as 2500".to_owned())?;
                if number > 1_000_000_000_000 {
                    return Err("this is more than anybody sends".into());
                }
                Ok(number.to_string())
            }
            Kind::YesNo => one_of(YES_NO, text),
            Kind::Choice(choices) => one_of(choices, text),
        }
    }

    /// An answer as people read it.
    pub fn told(&self, answer: &str) -> String {
        let chosen = |choices: &[(&str, &str)]| {
            let known = choices.iter().find(|(word, _)| *word == answer);
            known.map_or_else(|| answer.to_owned(), |(_, reads)| (*reads).to_owned())
        };
        match self.kind {
            Kind::Line | Kind::Text => answer.to_owned(),
            Kind::Number(of) => {
                let number = answer.parse().map_or_else(|_| answer.to_owned(), crate::ui::format::count);
                format!("{number} {of}")
            }
            Kind::YesNo => chosen(YES_NO),
            Kind::Choice(choices) => chosen(choices),
        }
    }
}

fn one_of(choices: &[(&str, &str)], text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || choices.iter().any(|(word, _)| *word == text) {
        return Ok(text.to_owned());
    }
    Err("choose one of the answers".into())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn keys_are_unique_and_every_question_says_why() {
        let mut keys = HashSet::new();
        for section in SECTIONS {
            assert!(keys.insert(section.key.to_owned() + "/"));
            for asked in section.questions {
                assert!(keys.insert(asked.key.to_owned()), "{}", asked.key);
                assert!(asked.text.ends_with('?') && asked.why.ends_with('.'), "{}", asked.key);
                assert!(question(asked.key).is_some_and(|(of, _)| of.key == section.key));
            }
        }
        assert_eq!(count(), 23);
    }

    #[test]
    fn an_answer_is_what_its_question_asks_for() {
        let read = |key: &str, text: &str| question(key).unwrap().1.read(text);
        assert_eq!(read("per-day", " 2.500 ").unwrap(), "2500");
        assert_eq!(question("per-day").unwrap().1.told("2500"), "2,500 a day");
        assert_eq!(read("per-day", "").unwrap(), "");
        assert_eq!(question("history").unwrap().1.told("years"), "Years");
        for (key, bad) in
            [("per-day", "many"), ("per-day", "-1"), ("history", "all"), ("agreement", "maybe"), ("edition", "a\nb")]
        {
            assert!(read(key, bad).is_err(), "{key}: {bad}");
        }
        assert!(read("goal", "nul\0").is_err() && read("goal", &"x".repeat(8_001)).is_err());
        assert_eq!(read("goal", " one\r\ntwo ").unwrap(), "one\ntwo");
    }
}
