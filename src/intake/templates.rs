//! What is usual for a kind of system: an intake begins with it, as a suggestion that somebody confirms by saving it.
use super::{checks::Item, system_key, words::SystemKind};

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

/// What is written in the documentation of systems that many have, by how their names begin: see [`system_key`]. It is a
/// hint and no finding: editions differ, and so do years.
const KNOWN: &[(&str, &[(Item, &str)])] = &[
    (
        "salesforce",
        &[
            (Item::PushPost, "A flow can call an address with JSON; outbound messages are XML."),
            (Item::PullToken, "It is signed in to by OAuth, whose tokens end: a static one is not to be had."),
        ],
    ),
    (
        "hubspot",
        &[
            (Item::PullToken, "A private app has a static token, sent as a bearer."),
            (Item::PullWindow, "It searches by time of change by POST: see whether a GET takes a span of time."),
        ],
    ),
    (
        "shopify",
        &[
            (Item::PushPost, "Its webhooks are JSON."),
            (Item::PushToken, "A webhook sends no header of one's own: the token goes into the address."),
            (Item::PullToken, "A custom app has a static token, sent in X-Shopify-Access-Token."),
            (Item::PullWindow, "Orders take updated_at_min and updated_at_max."),
        ],
    ),
    (
        "woocommerce",
        &[
            (Item::PushPost, "Its webhooks are JSON."),
            (Item::PushToken, "A webhook sends no header of one's own: the token goes into the address."),
            (Item::PullToken, "A key with its secret, as user name and password."),
            (Item::PullWindow, "Orders take modified_after and modified_before."),
        ],
    ),
    (
        "mailchimp",
        &[
            (Item::PushPost, "Its webhooks are forms and not JSON."),
            (Item::PullToken, "An API key, sent as a password."),
            (Item::PullWindow, "Members of an audience take since_last_changed and before_last_changed."),
        ],
    ),
    (
        "zendesk",
        &[
            (Item::PushPost, "A trigger calls a webhook, in JSON."),
            (Item::PushToken, "A webhook can send a bearer token."),
            (Item::PullToken, "An API token, sent as a password."),
            (Item::PullWindow, "Its incremental export takes a beginning and no end."),
        ],
    ),
    (
        "stripe",
        &[
            (Item::PushPost, "Its webhooks are JSON."),
            (Item::PushToken, "A webhook is signed and sends no header of one's own: the token goes into the address."),
            (Item::PullToken, "A secret key, sent as a bearer."),
            (Item::PullWindow, "Lists take created[gte] and created[lt]."),
        ],
    ),
];

/// What is worth knowing or asking first, in the technical check list: of this very system, or of its kind.
pub fn hint(system: &str, kind: SystemKind, item: Item) -> Option<&'static str> {
    let key = system_key(system);
    let known = KNOWN.iter().find(|(begins, _)| key.starts_with(begins));
    let own = known.and_then(|(_, hints)| hints.iter().find(|(of, _)| *of == item)).map(|(_, words)| *words);
    own.or_else(|| hint_of_kind(kind, item))
}

fn hint_of_kind(kind: SystemKind, item: Item) -> Option<&'static str> {
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

    #[test]
    fn a_known_system_is_told_apart_from_its_kind() {
        for (begins, hints) in KNOWN {
            assert_eq!(system_key(begins), *begins, "it would never be found");
            assert!(!hints.is_empty());
        }
        let token = |system| hint(system, SystemKind::Crm, Item::PullToken).unwrap();
        assert!(token("Sales-Force Sales Cloud").contains("static one is not to be had"));
        assert!(token("Harbour CRM").contains("private applications"));
        assert_eq!(hint("Salesforce", SystemKind::Crm, Item::Identifier), None);
    }
}
