//! What is usual for a kind of system: an intake begins with it, as a suggestion that somebody confirms by saving it.
use super::{checks::Item, words::SystemKind};

/// What is usually answered to a question.
pub fn answer(kind: SystemKind, question: &str) -> Option<&'static str> {
    let usual: &[(&str, &str)] = match kind {
        SystemKind::Crm => &[
            ("records", "Contacts: name, e-mail address, telephone number, customer number, changed at"),
            ("history", "years"),
            ("identifier", "several"),
            ("record-id", "yes"),
            ("freshness", "hour"),
            ("changed-later", "yes"),
            ("personal-data", "Name, e-mail address, telephone number, postal address"),
            ("ground", "contract"),
        ],
        SystemKind::WebShop => &[
            ("records", "Orders: number, e-mail address, lines, amount, currency, ordered at\nCarts that were left"),
            ("history", "years"),
            ("identifier", "email"),
            ("identifier-always", "yes"),
            ("record-id", "yes"),
            ("freshness", "minute"),
            ("changed-later", "yes"),
            ("personal-data", "Name, e-mail address, postal address, what was bought"),
            ("ground", "contract"),
        ],
        SystemKind::Ticketing => &[
            ("records", "Tickets sold: order number, e-mail address, event, date, price\nTickets scanned at the door"),
            ("history", "years"),
            ("identifier", "email"),
            ("record-id", "yes"),
            ("freshness", "hour"),
            ("personal-data", "Name, e-mail address, what was visited"),
            ("ground", "contract"),
        ],
        SystemKind::Erp => &[
            ("records", "Debtors: number, name, e-mail address\nInvoices: number, debtor, amount, date"),
            ("history", "months"),
            ("identifier", "id"),
            ("identifier-always", "yes"),
            ("record-id", "yes"),
            ("freshness", "day"),
            ("changed-later", "yes"),
            ("personal-data", "Name, e-mail address, what was paid"),
            ("ground", "contract"),
        ],
        SystemKind::Marketing => &[
            (
                "records",
                "Mails sent, opened and clicked: e-mail address, campaign, moment\nSubscriptions and their ends",
            ),
            ("history", "months"),
            ("identifier", "email"),
            ("identifier-always", "yes"),
            ("freshness", "hour"),
            ("changed-later", "no"),
            ("personal-data", "E-mail address, what was opened and clicked"),
            ("ground", "consent"),
            ("consent-sent", "yes"),
        ],
        SystemKind::Custom => &[],
    };
    usual.iter().find(|(key, _)| *key == question).map(|(_, answer)| *answer)
}

/// What is worth asking first of this kind of system, in the technical check list.
pub fn hint(kind: SystemKind, item: Item) -> Option<&'static str> {
    match (kind, item) {
        (SystemKind::WebShop | SystemKind::Ticketing, Item::PushPost) => {
            Some("Most systems of this kind call it webhooks.")
        }
        (SystemKind::Crm | SystemKind::Marketing, Item::PullToken) => {
            Some("Many of this kind ask for OAuth: see whether there are keys for private applications too.")
        }
        (SystemKind::Erp, Item::PullGet) => Some("Often it stands in the customer's own network: ask who can open it."),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::questions::SECTIONS;

    #[test]
    fn what_is_suggested_is_an_answer() {
        for kind in SystemKind::ALL {
            let mut suggested = 0;
            for asked in SECTIONS.iter().flat_map(|section| section.questions) {
                if let Some(usual) = answer(*kind, asked.key) {
                    assert_eq!(asked.read(usual).as_deref(), Ok(usual), "{kind}: {}", asked.key);
                    suggested += 1;
                }
            }
            assert!(suggested >= 7 || *kind == SystemKind::Custom, "{kind}");
        }
    }
}
