//! What the names of fields speak of, in English and in Dutch, however they are written: `Customer ID`, `customer_no`,
//! `klantNr`, `Debiteurnummer`, `E-mailadres`.

/// The words of a name, in lower case and without accents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words {
    words: Vec<String>,
    /// The same without gaps: Dutch writes compounds in one.
    joined: String,
}

/// Who is a person with whom a business deals.
const PERSONS: &[&str] = &[
    "customer",
    "klant",
    "contact",
    "member",
    "lid",
    "person",
    "persoon",
    "user",
    "gebruiker",
    "subscriber",
    "abonnee",
    "debtor",
    "debitor",
    "debiteur",
    "relatie",
    "client",
    "patient",
    "guest",
    "gast",
    "buyer",
    "koper",
    "profile",
    "profiel",
    "consumer",
    "consument",
    "attendee",
    "deelnemer",
    "participant",
    "respondent",
    "donor",
    "donateur",
    "passenger",
    "passagier",
    "shopper",
    "cust",
    "account holder",
    "contactpersoon",
    "student",
    "leerling",
];
/// Who is on the other side of the counter.
const OTHERS: &[&str] = &[
    "agent",
    "employee",
    "medewerker",
    "behandelaar",
    "owner",
    "eigenaar",
    "assignee",
    "operator",
    "seller",
    "verkoper",
    "supplier",
    "leverancier",
    "vendor",
    "store",
    "winkel",
    "shop",
    "venue",
    "organizer",
    "organiser",
    "organisator",
    "support",
    "sender",
    "afzender",
    "author",
    "auteur",
    "manager",
    "staff",
    "personeel",
    "cashier",
    "kassier",
    "driver",
    "chauffeur",
    "courier",
    "bezorger",
    "doctor",
    "arts",
    "therapist",
    "advisor",
    "adviseur",
    "company",
    "bedrijf",
    "merchant",
    "warehouse",
    "branch",
    "filiaal",
    "vestiging",
    "rep",
    "consultant",
    "teacher",
    "docent",
    "createdby",
    "modifiedby",
    "updatedby",
];
const NUMBERS: &[&str] =
    &["id", "no", "nr", "num", "number", "nummer", "guid", "uuid", "key", "ref", "code", "identifier", "externalid"];
const EMAILS: &[&str] = &["mail", "email", "emailaddress", "emailadres", "mailadres", "smtp"];
const PHONES: &[&str] = &[
    "phone",
    "mobile",
    "mobiel",
    "mobieltje",
    "tel",
    "telephone",
    "telefoon",
    "gsm",
    "cell",
    "cellphone",
    "msisdn",
    "whatsapp",
    "sms",
    "telefoonnummer",
    "telefoonnr",
    "mobielnummer",
    "phonenumber",
    "mobilephone",
];
/// What is measured or paid: whole numbers among them are chance.
const AMOUNTS: &[&str] = &[
    "amount",
    "total",
    "subtotal",
    "price",
    "cost",
    "costs",
    "fee",
    "tax",
    "vat",
    "discount",
    "revenue",
    "credit",
    "rate",
    "weight",
    "height",
    "width",
    "length",
    "distance",
    "percent",
    "percentage",
    "value",
    "margin",
    "salary",
    "turnover",
    "paid",
    "due",
    "bedrag",
    "totaal",
    "subtotaal",
    "prijs",
    "kosten",
    "btw",
    "korting",
    "omzet",
    "tarief",
    "gewicht",
    "hoogte",
    "breedte",
    "lengte",
    "afstand",
    "waarde",
    "marge",
    "saldo",
    "latitude",
    "longitude",
    "lat",
    "lng",
    "lon",
    "temperature",
    "temperatuur",
    "gift",
    "donation",
    "fare",
    "rent",
    "premium",
    "deposit",
    "contributie",
    "huur",
    "premie",
    "toeslag",
    "loon",
    "borg",
];
/// What is counted, even when the name speaks of a total too.
const COUNTS: &[&str] = &[
    "count", "quantity", "qty", "aantal", "items", "points", "punten", "number", "nummer", "stuks", "id", "nr", "no",
    "days", "dagen", "minutes", "minuten", "year", "jaar", "age", "leeftijd",
];
/// What has a small set of values by its nature.
const CLOSED: &[&str] = &[
    "status",
    "state",
    "type",
    "kind",
    "channel",
    "kanaal",
    "gender",
    "geslacht",
    "salutation",
    "aanhef",
    "priority",
    "prioriteit",
    "method",
    "methode",
    "tier",
    "level",
    "niveau",
    "action",
    "actie",
    "result",
    "resultaat",
    "outcome",
    "severity",
    "soort",
    "mode",
    "device",
    "phase",
    "fase",
    "stage",
    "direction",
    "frequency",
    "betaalwijze",
    "betaalmethode",
    "visibility",
    "role",
    "rol",
    "sentiment",
    "verdict",
    "consent",
    "optin",
];
/// What grows: another value may come tomorrow.
const OPEN: &[&str] = &[
    "name",
    "naam",
    "title",
    "titel",
    "city",
    "plaats",
    "woonplaats",
    "stad",
    "country",
    "land",
    "currency",
    "valuta",
    "language",
    "taal",
    "locale",
    "street",
    "straat",
    "address",
    "adres",
    "postcode",
    "zip",
    "store",
    "winkel",
    "shop",
    "venue",
    "location",
    "locatie",
    "campaign",
    "campagne",
    "source",
    "bron",
    "medium",
    "product",
    "artikel",
    "brand",
    "merk",
    "category",
    "categorie",
    "description",
    "omschrijving",
    "subject",
    "onderwerp",
    "note",
    "opmerking",
    "comment",
    "tag",
    "tags",
    "label",
    "company",
    "bedrijf",
    "agent",
    "region",
    "regio",
    "code",
    "id",
    "sku",
    "seat",
    "gate",
    "reason",
    "reden",
    "question",
    "answer",
    "antwoord",
    "filename",
    "version",
];
/// What the names beside a card's number must speak of, for it to be a loyalty card and not a credit card.
const LOYALTY: &[&str] = &["member", "lid", "loyalty", "points", "punten", "tier", "spaarpunten", "klant", "customer"];

impl Words {
    pub(super) fn of(name: &str) -> Self {
        let mut words: Vec<String> = Vec::new();
        let mut word = String::new();
        let letters: Vec<char> = name.chars().map(plain).collect();
        for (n, &c) in letters.iter().enumerate() {
            let before = n.checked_sub(1).map(|before| letters[before]);
            let next = letters.get(n + 1);
            // aB, and the last capital of ABc
            let begins = c.is_uppercase()
                && before.is_some_and(|before| {
                    before.is_lowercase() || before.is_uppercase() && next.is_some_and(|next| next.is_lowercase())
                });
            if begins || !c.is_alphanumeric() {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
            }
            if c.is_alphanumeric() {
                word.extend(c.to_lowercase());
            }
        }
        words.extend((!word.is_empty()).then_some(word));
        let joined = words.concat();
        Self { words, joined }
    }

    fn any(&self, of: &[&str]) -> bool {
        of.contains(&self.joined.as_str()) || self.words.iter().any(|word| of.contains(&word.as_str()))
    }

    /// Whether a word of it ends in one of these: `verkoopprijs`.
    fn ends(&self, of: &[&str]) -> bool {
        let long = of.iter().filter(|end| end.len() > 3);
        self.any(of) || long.into_iter().any(|end| self.words.iter().any(|word| word.ends_with(end)))
    }

    pub(super) fn speaks_of_email(&self) -> bool {
        self.any(EMAILS) || self.joined.contains("email")
    }

    pub(super) fn speaks_of_phone(&self) -> bool {
        self.any(PHONES) || ["telefoon", "phone", "mobiel"].iter().any(|word| self.joined.contains(word))
    }

    pub(super) fn is_amount(&self) -> bool {
        !self.any(COUNTS) && self.ends(AMOUNTS)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.ends(CLOSED)
    }

    pub(super) fn is_open(&self) -> bool {
        self.ends(OPEN)
    }

    pub(super) fn is_another_party(&self) -> bool {
        self.ends(OTHERS)
    }

    pub(super) fn is_a_person(&self) -> bool {
        PERSONS.contains(&self.joined.as_str()) || self.words.last().is_some_and(|last| is_person(last))
    }

    /// Whether it is nothing but the word for a number or id.
    pub(super) fn is_a_number(&self) -> bool {
        NUMBERS.contains(&self.joined.as_str())
    }

    /// Whether it is the number of a person: `Customer ID`, `klantnr`. The number of a customer's order is not.
    pub(super) fn is_a_persons_number(&self) -> bool {
        if let [.., who, last] = self.words.as_slice()
            && NUMBERS.contains(&last.as_str())
            && is_person(who)
        {
            return true;
        }
        let Some(last) = self.words.last() else { return false };
        NUMBERS.iter().filter_map(|number| last.strip_suffix(number)).any(is_person)
    }

    pub(super) fn is_a_cards_number(&self) -> bool {
        ["cardnumber", "cardno", "cardid", "kaartnummer", "pasnummer", "klantenkaart", "loyaltycard", "klantpas"]
            .iter()
            .any(|card| self.joined.ends_with(card))
    }

    pub(super) fn speaks_of_loyalty(&self) -> bool {
        self.any(LOYALTY)
    }
}

fn is_person(word: &str) -> bool {
    let one = word.strip_suffix('s').unwrap_or(word);
    PERSONS.contains(&word) || PERSONS.contains(&one)
}

/// A letter without its accent.
fn plain(c: char) -> char {
    match c {
        'à'..='å' => 'a',
        'è'..='ë' => 'e',
        'ì'..='ï' => 'i',
        'ò'..='ö' => 'o',
        'ù'..='ü' => 'u',
        'ç' => 'c',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::Words;

    #[test]
    fn names_fall_into_words_however_they_are_written() {
        for (name, words) in [
            ("Customer ID", &["customer", "id"][..]),
            ("customerNumber", &["customer", "number"]),
            ("CUSTOMER_NO", &["customer", "no"]),
            ("HTTPStatus", &["http", "status"]),
            ("E-mailadres", &["e", "mailadres"]),
            ("Coördinaten", &["coordinaten"]),
            ("", &[]),
        ] {
            assert_eq!(Words::of(name).words, words, "{name}");
        }
    }

    #[test]
    fn names_are_understood() {
        for id in [
            "Customer ID",
            "klantnr",
            "Debiteurnummer",
            "CUSTOMER_NO",
            "memberId",
            "Relatienummer",
            "externalCustomerId",
        ] {
            assert!(Words::of(id).is_a_persons_number(), "{id}");
        }
        for other in ["Order ID", "customerOrderNumber", "Factuurnummer", "customer", "Klant sinds", "ticketId", "id"] {
            assert!(!Words::of(other).is_a_persons_number(), "{other}");
        }
        for email in ["E-mailadres", "Email Address", "e-mail", "SMTP_ADDR", "customerEmail"] {
            assert!(Words::of(email).speaks_of_email(), "{email}");
        }
        for phone in ["Mobiel", "phoneNumber", "TEL_NUMBER", "telefoonnummer"] {
            assert!(Words::of(phone).speaks_of_phone(), "{phone}");
        }
        assert!(Words::of("Verkoopprijs").is_amount() && Words::of("unitPrice").is_amount());
        assert!(!Words::of("totalItems").is_amount() && !Words::of("Aantal").is_amount());
    }
}
