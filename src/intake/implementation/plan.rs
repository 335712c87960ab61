//! What an accepted quotation becomes: phases, tasks, drafts, and the evidence that is proposed. Nothing is typed twice:
//! the lines say what is built, the check list how it connects, the samples what comes.
use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde_json::{Value, json};

use super::{Kind, Rule};
use crate::{
    event_types::field::IDENTIFIES,
    intake::{
        Details, Side,
        checks::{Item, Known, PULL, PUSH},
        quotation::{Line, Percent},
    },
};

/// How much of a day is worked on one thing.
const DAY: i64 = 6 * 60;
/// The fewest working days between the acceptance and what is prepared, and from the last line to going live.
const AROUND: i64 = 3;
/// The most drafts of event types.
const MOST_TYPES: usize = 5;

/// As long as a name may be, in characters.
const LONGEST_NAME: usize = 120;

/// What is known when a quotation is accepted.
#[derive(Debug, Clone)]
pub struct Given<'a> {
    /// The integration.
    pub details: &'a Details,
    /// The work packages.
    pub lines: &'a [Line],
    /// What the check list knows.
    pub checks: &'a [(Item, Known)],
    /// Answers of the intake, by question.
    pub answers: &'a [(String, String)],
    /// What was asked and never answered.
    pub open: &'a [String],
    /// Contracts that evidence proposes, the newest first.
    pub contracts: &'a [String],
    /// The source that a probe proposes, as a SOURCE.json.
    pub definition: Option<&'a str>,
    /// The day on which it begins.
    pub today: NaiveDate,
}

/// A phase that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPhase {
    /// What it is called.
    pub title: String,
    /// As quoted; none: it is no line.
    pub minutes: Option<i64>,
}

/// A task that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTask {
    /// Of which phase, by its place.
    pub phase: usize,
    /// What.
    pub title: String,
    /// What helps with it.
    pub note: String,
    /// Who does it.
    pub side: Side,
    /// By when.
    pub due: NaiveDate,
    /// Which tasks come before it, by their places: always smaller than its own.
    pub needs: Vec<usize>,
    /// Which draft it turns into the real thing, by its place.
    pub draft: Option<usize>,
}

/// A draft that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDraft {
    /// What it becomes.
    pub kind: Kind,
    /// What that is called.
    pub name: String,
    /// What it says.
    pub body: String,
    /// The draft of the event type that it is for, by its place.
    pub of: Option<usize>,
}

/// Evidence that is proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvidence {
    /// Of which phase, by its place.
    pub phase: usize,
    /// In the events of which draft, by its place.
    pub draft: usize,
    /// What has to be seen.
    pub rule: Rule,
}

/// All that is to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// In their order.
    pub phases: Vec<NewPhase>,
    /// In their order.
    pub tasks: Vec<NewTask>,
    /// In their order.
    pub drafts: Vec<NewDraft>,
    /// In their order.
    pub evidence: Vec<NewEvidence>,
}

/// The way of connecting that the check list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ways {
    push: bool,
    pull: bool,
}

impl Ways {
    fn of(checks: &[(Item, Known)]) -> Self {
        let is = |item: &Item, known| checks.iter().any(|(one, is)| one == item && *is == known);
        let whole = |items: &[Item]| items.iter().all(|item| is(item, Known::Yes));
        let lacks = |items: &[Item]| items.iter().any(|item| is(item, Known::No));
        let (push, pull) = (whole(&PUSH), whole(&PULL));
        // what nobody has looked at is taken to send: that needs nothing of their side to be drafted
        let pull = pull || (!push && lacks(&PUSH) && !lacks(&PULL));
        Self { push: push || !pull, pull }
    }
}

/// Days on which there is work.
struct Calendar(NaiveDate);

impl Calendar {
    fn after(&self, days: i64) -> NaiveDate {
        let (mut day, mut left) = (self.0, days);
        while left > 0 {
            day = day.checked_add_days(Days::new(1)).unwrap_or(day);
            if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
                left -= 1;
            }
        }
        day
    }
}

fn days(minutes: i64) -> i64 {
    ((minutes + DAY - 1) / DAY).max(1)
}

/// Makes the plan of an accepted quotation.
pub fn plan(known: &Given<'_>) -> Plan {
    let mut plan = Plan::default();
    let calendar = Calendar(known.today);
    let mut ways = Ways::of(known.checks);
    // what a probe has read can be read
    ways.pull |= known.definition.is_some();
    drafts(&mut plan, known, ways);
    plan.phases.push(NewPhase { title: "Preparation".into(), minutes: None });
    prepare(&mut plan, known, ways, &calendar);
    let prepared: Vec<_> = (0..plan.tasks.len()).collect();
    let last = build(&mut plan, known.lines, prepared, &calendar, AROUND);
    let live = plan.phases.len();
    plan.phases.push(NewPhase { title: "Going live".into(), minutes: None });
    let needs = (0..plan.tasks.len()).collect();
    let due = calendar.after(last + AROUND);
    plan.tasks.push(NewTask {
        phase: live,
        title: "Look through the acceptance evidence, and go live".into(),
        note: success(known).unwrap_or_default(),
        side: Side::Us,
        due,
        needs,
        draft: None,
    });
    propose(&mut plan, known, ways);
    plan
}

/// What a change order adds: its lines, with nothing else around them.
pub fn more(lines: &[Line], today: NaiveDate) -> Plan {
    let mut plan = Plan::default();
    build(&mut plan, lines, Vec::new(), &Calendar(today), 0);
    plan
}

/// A phase a line, each after the one before; on which working day the last is done.
fn build(plan: &mut Plan, lines: &[Line], mut needs: Vec<usize>, calendar: &Calendar, begins: i64) -> i64 {
    let mut day = begins;
    for line in lines {
        day += days(line.minutes);
        let phase = plan.phases.len();
        plan.phases.push(NewPhase { title: line.package.clone(), minutes: Some(line.minutes) });
        plan.tasks.push(NewTask {
            phase,
            title: line.package.clone(),
            note: line.description.clone(),
            side: Side::Us,
            due: calendar.after(day),
            needs: std::mem::take(&mut needs),
            draft: None,
        });
        needs.push(plan.tasks.len() - 1);
    }
    day
}

fn answer<'a>(known: &'a Given<'_>, question: &str) -> Option<&'a str> {
    let found = known.answers.iter().find(|(key, _)| key == question);
    found.map(|(_, answer)| answer.as_str()).filter(|answer| !answer.is_empty())
}

/// How the customer will see that it works.
fn success(known: &Given<'_>) -> Option<String> {
    answer(known, "success").map(|said| format!("The customer will see that it works by this: {said}"))
}

/// What is to be configured.
fn drafts(plan: &mut Plan, known: &Given<'_>, ways: Ways) {
    let name = known.details.name.as_str();
    let mut types = distinct(known.contracts);
    if types.is_empty() {
        types.push(String::new());
    }
    for (n, contract) in types.into_iter().enumerate() {
        let name = if n == 0 { name.to_owned() } else { fitting(&format!("{} {name}", n + 1)) };
        plan.drafts.push(NewDraft { kind: Kind::EventType, name, body: contract, of: None });
    }
    if ways.push {
        let name = fitting(&format!("{} for {name}", known.details.system_name));
        plan.drafts.push(NewDraft { kind: Kind::Token, name, body: String::new(), of: Some(0) });
    }
    if ways.pull {
        let body = source(known);
        plan.drafts.push(NewDraft { kind: Kind::Source, name: name.to_owned(), body, of: Some(0) });
    }
}

/// As long as a name may be.
fn fitting(text: &str) -> String {
    text.chars().take(LONGEST_NAME).collect::<String>().trim_end().to_owned()
}

/// Contracts of different things: samples that were looked at again say the same in other words.
fn distinct(contracts: &[String]) -> Vec<String> {
    let keys = |text: &str| -> Vec<String> {
        let value: Value = serde_json::from_str(text).unwrap_or_default();
        let fields = value.get("properties").and_then(Value::as_object);
        fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
    };
    let mut kept: Vec<(&String, Vec<String>)> = Vec::new();
    for text in contracts {
        let own = keys(text);
        let alike = kept.iter().any(|(_, other)| {
            let both = own.iter().filter(|key| other.contains(key)).count();
            // half of all there is in either
            own == *other || both * 2 > own.len() + other.len() - both
        });
        if !alike && kept.len() < MOST_TYPES {
            kept.push((text, own));
        }
    }
    kept.into_iter().map(|(text, _)| text.clone()).collect()
}

/// A SOURCE.json as a probe proposes it, or as far as it is known: what is not is marked by names that nobody would leave.
fn source(known: &Given<'_>) -> String {
    let name = known.details.name.as_str();
    if let Some(Value::Object(mut definition)) = known.definition.and_then(|text| serde_json::from_str(text).ok()) {
        definition.insert("name".into(), name.into());
        return serde_json::to_string_pretty(&definition).unwrap_or_default();
    }
    let minutes = match answer(known, "freshness") {
        Some("minute") => 1,
        Some("day") => 360,
        _ => 60,
    };
    let mut definition = json!({
        "name": name,
        "url": "https://THEIR-ADDRESS.example/records",
        "authentication": { "kind": "bearer" },
        "window": { "parameters": { "from": "{from}", "until": "{until}" } },
        "schedule": { "everyMinutes": minutes },
        "records": "$",
    });
    if answer(known, "record-id") == Some("yes") {
        definition["recordId"] = json!(["/id"]);
    }
    serde_json::to_string_pretty(&definition).unwrap_or_default()
}

fn prepare(plan: &mut Plan, known: &Given<'_>, ways: Ways, calendar: &Calendar) {
    let due = calendar.after(AROUND);
    let system = known.details.system_name.as_str();
    let mut add = |title: String, note: &str, side, needs: Vec<usize>, draft| {
        plan.tasks.push(NewTask { phase: 0, title, note: note.into(), side, due, needs, draft });
        plan.tasks.len() - 1
    };
    if answer(known, "agreement") != Some("yes") {
        let note = "Nothing is sent before it does.";
        add(format!("See to it that the processing agreement covers {system}"), note, Side::Customer, vec![], None);
    }
    for question in known.open {
        add(format!("Settle: {question}"), "The intake left this open.", Side::Us, vec![], None);
    }
    let mut made = Vec::new();
    let (mut token, mut polled) = (None, None);
    let drafted: Vec<_> = plan.drafts.iter().map(|one| (one.kind, one.name.clone())).collect();
    let mut add = |title: String, note: &str, side, needs: Vec<usize>, draft| {
        plan.tasks.push(NewTask { phase: 0, title, note: note.into(), side, due, needs, draft });
        plan.tasks.len() - 1
    };
    for (n, (kind, name)) in drafted.iter().enumerate() {
        match kind {
            Kind::EventType => {
                let note = "Look through the drafted contract, and make the event type.";
                made.push(add(format!("Make the event type {name}"), note, Side::Us, vec![], Some(n)));
            }
            Kind::Token => token = Some(n),
            Kind::Source => polled = Some(n),
        }
    }
    let first = made.first().copied().into_iter().collect::<Vec<_>>();
    if let (Some(n), true) = (token, ways.push) {
        let note = "The token is shown once: hand it over by a way that nobody else reads.";
        let handed =
            add("Make the token, and hand over address and token".into(), note, Side::Us, first.clone(), Some(n));
        let note = "One that says it is a test, sent by their system as the real ones will be.";
        add(format!("Send the first event from {system}"), note, sender(known), vec![handed], None);
    }
    if let (Some(n), true) = (polled, ways.pull) {
        let note = "A static token that may read, and the address of their interface.";
        let given = add(format!("Hand over an address and a token of {system}"), note, sender(known), vec![], None);
        let needs = [first, vec![given]].concat();
        add("Set up the polling source".into(), "The draft holds what is known.", Side::Us, needs, Some(n));
    }
}

/// Who does what their system has to do: the vendor, where somebody of them is named.
fn sender(known: &Given<'_>) -> Side {
    if known.details.vendor_people.trim().is_empty() { Side::Customer } else { Side::Vendor }
}

/// What has to be seen, on the first line: the others name their own, or are waived.
fn propose(plan: &mut Plan, known: &Given<'_>, ways: Ways) {
    let Some(phase) = plan.phases.iter().position(|one| one.minutes.is_some()) else { return };
    let types = plan.drafts.iter().enumerate().filter(|(_, one)| one.kind == Kind::EventType);
    let types: Vec<_> = types.map(|(n, one)| (n, identifying(&one.body))).collect();
    let busy = answer(known, "per-day").and_then(|text| text.parse::<i64>().ok()).is_none_or(|n| n >= 100);
    for (draft, identifier) in types {
        let mut add = |rule| plan.evidence.push(NewEvidence { phase, draft, rule });
        // what comes seldom should not have to be waited for over weeks
        add(Rule::Accepted { events: if busy { 100 } else { 10 } });
        add(Rule::Rejected { below: Percent(100), days: 3 });
        if ways.pull && draft == 0 {
            add(Rule::Ledger { days: 7 });
        }
        if let Some(field) = identifier {
            add(Rule::Filled { field, least: Percent(9_500) });
        }
    }
}

/// The field at the top of an event that says whom it is about.
fn identifying(contract: &str) -> Option<String> {
    let value: Value = serde_json::from_str(contract).ok()?;
    let fields = value.get("properties")?.as_object()?;
    let by = |word: &str| {
        let found = fields.iter().find(|(_, field)| field.get(IDENTIFIES).and_then(Value::as_str) == Some(word));
        found.map(|(name, _)| name.clone())
    };
    let name = by("email").or_else(|| by("id")).or_else(|| by("phone"))?;
    crate::event_types::Pointer::parse(&crate::event_types::Pointer::of_key(&name))
        .ok()
        .map(|one| one.label().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intake::{SystemKind, quotation::Pricing};
    use proptest::prelude::*;

    fn details(vendor: &str) -> Details {
        Details {
            name: "Members".parse().unwrap(),
            system_name: "Salesforce".parse().unwrap(),
            system_kind: SystemKind::Crm,
            need: "Know members".into(),
            owner_id: None,
            customer_people: String::new(),
            vendor_people: vendor.into(),
        }
    }

    fn line(package: &str, minutes: i64) -> Line {
        Line {
            package: package.into(),
            description: String::new(),
            role: String::new(),
            pricing: Pricing::Fixed,
            minutes,
            rate: 15_000,
            vat: Percent(2_500),
        }
    }

    fn known<'a>(details: &'a Details, lines: &'a [Line], checks: &'a [(Item, Known)]) -> Given<'a> {
        let today = "2030-01-31".parse().unwrap();
        Given { details, lines, checks, answers: &[], open: &[], contracts: &[], definition: None, today }
    }

    proptest! {
        /// Every line becomes a phase of its minutes with something to do in it; what needs something comes after it,
        /// and is due no earlier; all is due on working days.
        #[test]
        fn a_plan_holds_every_line_and_no_circle(
            minutes in prop::collection::vec(1..6_000_i64, 1..12),
            open in prop::collection::vec("[a-z]{3,9}", 0..4),
            (push, pull) in (0..3_usize, 0..3_usize),
        ) {
            const KNOWN: [Known; 3] = [Known::Yes, Known::No, Known::Unknown];
            let lines: Vec<_> = minutes.iter().enumerate().map(|(n, m)| line(&format!("Line {n}"), *m)).collect();
            let checks: Vec<_> = PUSH.iter().map(|one| (*one, KNOWN[push]))
                .chain(PULL.iter().map(|one| (*one, KNOWN[pull]))).collect();
            let details = details("");
            let made = plan(&Given { open: &open, ..known(&details, &lines, &checks) });
            let quoted: Vec<_> = made.phases.iter().filter_map(|one| one.minutes).collect();
            prop_assert_eq!(&quoted, &minutes);
            for (n, task) in made.tasks.iter().enumerate() {
                prop_assert!(task.needs.iter().all(|need| *need < n && made.tasks[*need].due <= task.due));
                prop_assert!(!matches!(task.due.weekday(), Weekday::Sat | Weekday::Sun));
                prop_assert!(task.phase < made.phases.len());
                prop_assert!(task.draft.is_none_or(|draft| draft < made.drafts.len()));
            }
            prop_assert!((0..made.phases.len()).all(|n| made.tasks.iter().any(|task| task.phase == n)));
            // every draft is somebody's task, and is for a type that is drafted
            for (n, draft) in made.drafts.iter().enumerate() {
                prop_assert_eq!(made.tasks.iter().filter(|task| task.draft == Some(n)).count(), 1);
                prop_assert!(draft.of.is_none_or(|of| made.drafts[of].kind == Kind::EventType));
            }
            prop_assert!(made.evidence.iter().all(|one| made.phases[one.phase].minutes.is_some()));
            prop_assert!(!made.evidence.is_empty());
            // the last thing waits for all others
            prop_assert_eq!(made.tasks.last().unwrap().needs.len(), made.tasks.len() - 1);
            prop_assert_eq!(open.iter().filter(|q| made.tasks.iter().any(|t| t.title.ends_with(*q))).count(), open.len());
        }
    }

    #[test]
    fn what_can_send_gets_a_token_and_what_cannot_is_asked() {
        let details = details("Support, help@example.com");
        let lines = [line("Connect", 480)];
        let kinds = |checks: &[(Item, Known)]| {
            plan(&known(&details, &lines, checks)).drafts.iter().map(|one| one.kind).collect::<Vec<_>>()
        };
        let push: Vec<_> = PUSH.iter().map(|one| (*one, Known::Yes)).collect();
        let pull: Vec<_> = PULL.iter().map(|one| (*one, Known::Yes)).collect();
        assert_eq!(kinds(&push), [Kind::EventType, Kind::Token]);
        assert_eq!(kinds(&pull), [Kind::EventType, Kind::Source]);
        assert_eq!(kinds(&[push, pull.clone()].concat()), [Kind::EventType, Kind::Token, Kind::Source]);
        assert_eq!(kinds(&[]), [Kind::EventType, Kind::Token]);
        assert_eq!(kinds(&[(Item::PushPost, Known::No)]), [Kind::EventType, Kind::Source]);
        let made = plan(&known(&details, &lines, &pull));
        let theirs: Vec<_> = made.tasks.iter().filter(|one| one.side == Side::Vendor).map(|one| &one.title).collect();
        assert_eq!(theirs, ["Hand over an address and a token of Salesforce"]);
        assert!(made.evidence.iter().any(|one| one.rule == Rule::Ledger { days: 7 }));
    }

    #[test]
    fn samples_of_the_same_are_one_type_and_say_whom_they_are_about() {
        let details = details("");
        let lines = [line("Connect", 480)];
        let contract = |fields: &[&str]| {
            let fields: serde_json::Map<_, _> = fields.iter().map(|one| ((*one).to_owned(), json!({}))).collect();
            json!({ "properties": fields }).to_string()
        };
        let mut person = json!({"properties": {"Name": {}, "E-mail": {}}});
        person["properties"]["E-mail"][IDENTIFIES] = "email".into();
        let contracts =
            [person.to_string(), contract(&["Name", "E-mail", "Age"]), contract(&["Order", "Sum", "Name", "Day"])];
        let made = plan(&Given { contracts: &contracts, ..known(&details, &lines, &[]) });
        let types: Vec<_> = made.drafts.iter().filter(|one| one.kind == Kind::EventType).collect();
        assert_eq!(types.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["Members", "2 Members"]);
        assert_eq!((&types[0].body, &types[1].body), (&contracts[0], &contracts[2]));
        let rule = Rule::Filled { field: "E-mail".into(), least: Percent(9_500) };
        assert!(made.evidence.iter().any(|one| one.rule == rule), "{:?}", made.evidence);
    }

    #[test]
    fn the_draft_of_a_source_is_one_that_can_be_read() {
        let details = details("");
        let lines = [line("Connect", 480)];
        let pull: Vec<_> = PULL.iter().map(|one| (*one, Known::Yes)).collect();
        let answers = [("record-id".to_owned(), "yes".to_owned()), ("freshness".to_owned(), "day".to_owned())];
        let known = Given { answers: &answers, ..known(&details, &lines, &pull) };
        let made = plan(&known);
        let draft = made.drafts.iter().find(|one| one.kind == Kind::Source).unwrap();
        let read = crate::polling::terms::Prepared::read(&draft.body).unwrap();
        assert!(read.name == "Members" && read.definition.contains("360") && read.definition.contains("/id"));
        // a probe knows better, and that there is something to be asked at all
        let probed = draft.body.replace("Members", "Probed").replace("THEIR-ADDRESS", "crm");
        let checks = [(Item::PushPost, Known::Yes), (Item::PushToken, Known::Yes)];
        let made = plan(&Given { definition: Some(&probed), checks: &checks, ..known });
        let draft = made.drafts.iter().find(|one| one.kind == Kind::Source).unwrap();
        assert!(draft.body.contains("https://crm.example/records") && draft.body.contains("Members"), "{}", draft.body);
    }
}
