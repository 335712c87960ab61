//! The closed sets of words of this slice: each spelled once, and the same in the database, on the command line, in
//! JSON and in addresses.

/// Makes an enum whose values have a word for programs and a title for people.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident, $what:literal { $($(#[$about:meta])* $variant:ident = $word:literal, $title:literal;)+ }) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, sqlx::Type,
            clap::ValueEnum,
        )]
        #[serde(rename_all = "kebab-case")]
        #[sqlx(type_name = "TEXT", rename_all = "kebab-case")]
        pub enum $name {
            $($(#[$about])* $variant,)+
        }

        impl $name {
            /// All of them, in their order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As the database, the command line and addresses spell it.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// As pages say it.
            pub const fn title(self) -> &'static str {
                match self {
                    $(Self::$variant => $title,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                let known = Self::ALL.iter().copied().find(|one| one.word() == text);
                known.ok_or_else(|| format!(concat!("no ", $what, " is called {}"), text))
            }
        }
    };
}

vocabulary! {
    /// Where an integration stands on its way.
    Stage, "stage" {
        /// It is being found out whether it can work.
        Intake = "intake", "Intake";
        /// It cannot, technically or for the need.
        NotPossible = "not-possible", "Not possible";
        /// A time-boxed project answers what is open.
        Investigation = "investigation", "Investigation";
        /// It can, and there is, or will be, a plan with a price.
        Quotation = "quotation", "Quotation";
        /// It is being built.
        Implementation = "implementation", "Implementation";
        /// It works.
        Live = "live", "Live";
        /// It has had its time, or was put away.
        Retired = "retired", "Retired";
        /// The customer did not want it at that price.
        Lost = "lost", "Lost";
    }
}

vocabulary! {
    /// How an intake ends.
    Scenario, "scenario" {
        /// It cannot be done, or would not help.
        NotPossible = "not-possible", "Not possible";
        /// Likely, but not certain: a time-boxed project finds out.
        Investigation = "investigation", "Investigation";
        /// It can be done, guaranteed, and a quotation follows.
        Possible = "possible", "Possible, with a quotation";
    }
}

vocabulary! {
    /// One of the two questions that every intake answers.
    Question, "verdict" {
        /// Can we integrate with the external system?
        Technical = "technical", "Technically possible?";
        /// Does the customer get what they need by it?
        Need = "need", "Need fulfilled?";
    }
}

vocabulary! {
    /// The answer to one of the two questions.
    Answer, "answer" {
        /// It can.
        Yes = "yes", "Yes";
        /// It is not known yet.
        Unsure = "unsure", "Unsure";
        /// It cannot.
        No = "no", "No";
    }
}

vocabulary! {
    /// How sure somebody is of an answer.
    Confidence, "confidence" {
        /// A guess.
        Low = "low", "Low";
        /// With something to go by.
        Medium = "medium", "Medium";
        /// Seen or proven.
        High = "high", "High";
    }
}

vocabulary! {
    /// Whose turn it is.
    Side, "side" {
        /// Whoever works on it here.
        Us = "us", "Us";
        /// The customer.
        Customer = "customer", "Customer";
        /// Whoever makes or runs the external system.
        Vendor = "vendor", "Vendor";
    }
}

vocabulary! {
    /// What kind of system is to be integrated: it says which template an intake begins with.
    SystemKind, "kind of system" {
        /// Customers and contacts.
        Crm = "crm", "CRM";
        /// Orders and carts.
        WebShop = "web-shop", "Web shop";
        /// Tickets and visits.
        Ticketing = "ticketing", "Ticketing";
        /// Invoices, members, stock.
        Erp = "erp", "ERP";
        /// Mailings and campaigns.
        Marketing = "marketing", "Marketing";
        /// Made for this customer.
        Custom = "custom", "Custom or other";
    }
}

impl Stage {
    /// Whether something is still to be done, so that it is somebody's turn.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Intake | Self::Investigation | Self::Quotation | Self::Implementation)
    }

    /// Whether the customer is still asked what the intake asks. Later on, what they answered is what was quoted on; we
    /// may still write down more.
    pub const fn asks_the_customer(self) -> bool {
        matches!(self, Self::Intake | Self::Investigation)
    }
}

impl Scenario {
    /// The stage that it leads to.
    pub const fn stage(self) -> Stage {
        match self {
            Self::NotPossible => Stage::NotPossible,
            Self::Investigation => Stage::Investigation,
            Self::Possible => Stage::Quotation,
        }
    }

    /// What it means for the customer, in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::NotPossible => "It cannot be done, or would not bring what is needed. The customer gets the reason.",
            Self::Investigation => {
                "Likely, but not certain. A time-boxed project answers the open questions; a quotation may follow."
            }
            Self::Possible => {
                "It can be done, guaranteed. A plan with a price follows for the scope that was discussed."
            }
        }
    }
}

impl Side {
    /// As a sentence says whom one waits for.
    pub const fn who(self) -> &'static str {
        match self {
            Self::Us => "us",
            Self::Customer => "the customer",
            Self::Vendor => "the vendor",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_spelled_the_same_everywhere() {
        fn same<T: serde::Serialize + clap::ValueEnum + Copy + std::str::FromStr<Err = String>>(
            all: &[T],
            word: impl Fn(T) -> &'static str,
        ) {
            for one in all {
                let clap = one.to_possible_value().unwrap();
                assert_eq!((clap.get_name(), serde_json::to_value(one).unwrap()), (word(*one), word(*one).into()));
                assert!(word(*one).parse::<T>().is_ok());
            }
            assert!("x".parse::<T>().is_err());
        }
        same(Stage::ALL, Stage::word);
        same(Scenario::ALL, Scenario::word);
        same(Question::ALL, Question::word);
        same(Answer::ALL, Answer::word);
        same(Confidence::ALL, Confidence::word);
        same(Side::ALL, Side::word);
        same(SystemKind::ALL, SystemKind::word);
    }
}
